"""Days made side by side, in processes: Python runs on one core, a machine has several."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from functools import partial
from multiprocessing import get_context

from tgpipeline.etl import handler
from tgpipeline.lake.ledger import Ledger
from tgpipeline.settings import Settings


def engine(name: str, jobs: int) -> Callable[..., Iterator[Ledger]]:
    """What makes days, called as `handler.run`: `spark`, or `python` in so many processes."""
    if name == "spark":
        from tgpipeline.etl import spark

        return spark.run
    return partial(run_in_processes, jobs=jobs)


def run_in_processes(
    settings: Settings, days: Iterable[date], *, rebuild: bool = False, jobs: int = 1
) -> Iterator[Ledger]:
    """Bring the enriched zone of these days up to date, as `handler.run` does.

    Args:
        settings: name both buckets and the time zone.
        days: local days.
        rebuild: remake a day even where nothing has changed.
        jobs: how many processes.

    Yields:
        The ledger of each day, oldest first; once more for a day made again.

    Raises:
        LakeError: if the raw zone cannot be read or the enriched zone not be written.
    """
    wanted = sorted(set(days))
    if jobs < 2 or len(wanted) < 2:
        yield from handler.run(settings, wanted, rebuild=rebuild)
        return
    # Some lots per process, so that all end at about the same time.
    size = -(-len(wanted) // (4 * jobs))
    lots = [wanted[start : start + size] for start in range(0, len(wanted), size)]
    doubtful = []
    # Not forked: obstore's threads do not survive that.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for ledgers in pool.map(partial(_run, settings, rebuild), lots):
            for ledger in ledgers:
                if ledger.unknown_authors:
                    doubtful.append(date.fromisoformat(ledger.date))
                yield ledger
    # A bot that one process met may have written on a day of another.
    again = handler.run(settings, doubtful)
    yield from (ledger for ledger in again if ledger.status == "written")


def _run(settings: Settings, rebuild: bool, days: list[date]) -> list[Ledger]:
    return list(handler.run(settings, days, rebuild=rebuild))
