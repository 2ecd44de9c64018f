"""Days made side by side, in processes: Python runs on one core, a machine has several."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from datetime import date
from functools import partial
from multiprocessing import get_context

from tgpipeline.etl import handler, making
from tgpipeline.lake.ledger import Ledger
from tgpipeline.settings import Settings


def engine(name: str, jobs: int) -> Callable[..., Iterator[Ledger]]:
    """What makes days, called as `handler.run`: `spark`, or `python` in so many processes."""
    if name == "spark":
        from tgpipeline.etl import spark

        return spark.run
    return partial(run_in_processes, jobs=jobs) if jobs > 1 else handler.run


def run_in_processes(
    settings: Settings, days: Iterable[date], *, jobs: int, rebuild: bool = False
) -> Iterator[Ledger]:
    """Bring the enriched zone of these days up to date, as `handler.run` does.

    Args:
        settings: name both buckets and the time zone.
        days: local days.
        jobs: how many processes.
        rebuild: remake a day even where nothing has changed.

    Yields:
        The ledger of each day, oldest first; once more for a day made again.

    Raises:
        LakeError: if the raw zone cannot be read or the enriched zone not be written.
    """
    # Not forked: obstore's threads do not survive that.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        make = partial(_make, pool)
        yield from handler.run(settings, days, rebuild=rebuild, make=make, at_once=16 * jobs)


def _make(pool: Executor, lake: making.Lake, days: list[making.Day]) -> None:
    made = pool.map(partial(_make_one, lake.settings), days)
    for day, (ledger, bots) in zip(days, made, strict=True):
        day.ledger = ledger
        lake.bots_met |= bots


def _make_one(settings: Settings, day: making.Day) -> tuple[Ledger, set[int]]:
    lake = making.Lake(settings)
    making.make(lake, [day])
    return day.ledger, lake.bots_met
