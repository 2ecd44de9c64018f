"""Lambda 2: turns a day of the raw zone into Parquet in the enriched zone.

The function is invoked by EventBridge Scheduler with the time it was scheduled for, or by hand with
a day or a range of days. It makes each day anew from all that the raw zone holds of it, under the
same key every time, so a re-run replaces and never doubles; a day whose raw objects are the ones
its Parquet was made from is left alone.
"""

import json
import logging
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import islice
from multiprocessing import get_context
from typing import Any

import obstore
import pyarrow as pa
import pyarrow.parquet as pq

from tgpipeline.errors import LakeError, SettingsError
from tgpipeline.etl.making import Day, Lake, make_in
from tgpipeline.etl.pseudonyms import refuse_other_key
from tgpipeline.etl.reading import Listing, listings, prefetch
from tgpipeline.lake import columns, keys, stores
from tgpipeline.lake.ledger import Ledger, stored
from tgpipeline.lake.markers import erased_listed, read_markers
from tgpipeline.settings import Settings

logger = logging.getLogger(__name__)

TOTALS = "objects documents messages superseded events quarantined erased".split()


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Entry point of the function.

    Args:
        event: `{"scheduled_time": "2025-11-29T03:15:00Z"}` from the Scheduler, for the day before
            that time and the `LOOKBACK_DAYS` before it; or `{"date": "2025-11-28"}`; or
            `{"start": …, "end": …}`, both included. `"rebuild": true` remakes unchanged days too,
            and those of which fewer raw objects are left.
        context: unused.

    Returns:
        `{"days": [ledger, …], "totals": {…}}`.

    Raises:
        TgPipelineError: if anything failed; retries, dead-letter queue and alarm then see it.
    """
    logging.getLogger().setLevel(logging.INFO)
    settings = Settings.from_env("raw_bucket", "enriched_bucket")
    made = run(settings, days_of(event, settings), rebuild=bool(event.get("rebuild")))
    ledgers = list({ledger.date: ledger for ledger in made}.values())
    totals = {name: sum(getattr(ledger, name) for ledger in ledgers) for name in TOTALS}
    return {"days": [asdict(ledger) for ledger in ledgers], "totals": totals}


def days_of(event: dict[str, Any], settings: Settings) -> list[date]:
    """The local days that an invocation asks for, oldest first.

    The day comes from the time the run was scheduled for, not from the clock: a retry after
    midnight means the same day.

    Raises:
        SettingsError: if the event names no day, one that is not a date, or ends before it starts.
    """
    try:
        if "date" in event:
            start = end = date.fromisoformat(event["date"])
        elif "start" in event or "end" in event:
            start, end = date.fromisoformat(event["start"]), date.fromisoformat(event["end"])
        else:
            at = datetime.fromisoformat(event["scheduled_time"])
            end = at.replace(tzinfo=at.tzinfo or UTC).astimezone(settings.tz).date() - timedelta(1)
            start = end - timedelta(settings.lookback_days)
        if start > end:
            raise ValueError(f"{start} is after {end}")
    except (KeyError, TypeError, ValueError) as error:
        raise SettingsError(
            f"the ETL does not know which day is meant ({error}): invoke it with "
            '{"date": "YYYY-MM-DD"}, {"start": …, "end": …} or {"scheduled_time": "…Z"}.'
        ) from None
    return [start + timedelta(n) for n in range((end - start).days + 1)]


def run(
    settings: Settings, days: Iterable[date], *, rebuild: bool = False, jobs: int = 1, **lake: Any
) -> Iterator[Ledger]:
    """Bring the enriched zone of these days up to date with the raw zone.

    Args:
        settings: names both buckets and the time zone.
        days: local days, in any order; they are brought up to date from the oldest on.
        rebuild: remake a day even where nothing has changed, or where raw objects are gone.
        jobs: how many processes make days: Python runs on one core, a machine has several.
        **lake: attributes of `making.Lake`: buckets that are open, or another way to make days.

    Yields:
        The ledger of each day, as it is done; once more where a bot met on a later day turns out to
        be among its authors.

    Raises:
        SettingsError: if the tables hold pseudonyms of another key than the settings'.
        LakeError: if the raw zone cannot be read or the enriched zone not be written.
    """
    what = f"read it, or write to s3://{settings.enriched_bucket}"
    advice = "Check that both exist and that this role may use them, then run again: it is safe."
    processes: Any = nullcontext()
    if jobs > 1:  # not forked: obstore's threads do not survive that
        processes = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"))
        lake |= {"make": partial(make_in, processes), "at_once": 16 * jobs}
    try:
        with stores.as_lake_error(settings.raw_bucket, what, advice), processes:
            opened, doubtful = Lake(settings, **lake), []
            for ledger in _update(opened, days, rebuild):
                if ledger.unknown_authors:
                    doubtful.append(date.fromisoformat(ledger.date))
                yield ledger
            if opened.bots_met:  # who wrote on an earlier day may have been one of these
                yield from (one for one in _update(opened, doubtful) if one.status == "written")
    except OSError as error:
        raise LakeError(
            f"the ETL cannot use the folder {tempfile.gettempdir()} ({error.strerror or error}). "
            "Make room there (in Lambda: ephemeral storage), or set TMPDIR; then run again."
        ) from error


def _update(lake: Lake, days: Iterable[date], rebuild: bool = False) -> Iterator[Ledger]:
    """Compare each day with its Parquet, and make those that differ, some at once."""
    compared = _compare(lake, days, rebuild)
    while group := {day.listing.day: day for day in islice(compared, lake.at_once)}:
        while due := [day for day in group.values() if day.ledger.status == "written"]:
            before = due[0].markers.erased.listed
            try:
                lake.make(lake, due)
            except FileNotFoundError:  # it was deleted after the day was listed
                if erased_listed(lake.raw) == before:
                    raise
            if erased_listed(lake.raw) == before:
                break  # nobody was erased meanwhile, of whom they may hold something
            again = _compare(lake, (day.listing.day for day in due), rebuild=True)
            group |= {day.listing.day: day for day in again}
        for day in group.values():
            logger.info(json.dumps(asdict(day.ledger)))
            yield day.ledger


def _compare(lake: Lake, days: Iterable[date], rebuild: bool) -> Iterator[Day]:
    """Each day with a new ledger, `written` where it is to be made."""
    days, markers = sorted(set(days)), read_markers(lake.raw)
    earlier = prefetch(partial(_made_before, lake, markers.bots), days)
    for listing, (before, bot_met) in zip(listings(lake.raw, days), earlier, strict=True):
        made = made_from(listing, lake.settings, markers.groups)
        made["pseudonyms"] = lake.pseudonyms.digest
        refuse_other_key(() if rebuild else before, made["pseudonyms"])
        ledger = Ledger(listing.day.isoformat(), objects=len(listing.names), made_from=made)
        same = all(b and b.made_from | made == b.made_from for b in before)
        if not any(before) and not listing.names:
            ledger.status = "empty"
        elif not rebuild and any(b and b.objects > ledger.objects for b in before):
            ledger = replace(before[0] or ledger, status="raw expired")
        elif not (rebuild or bot_met) and same:
            ledger = replace(before[0] or ledger, status="unchanged")
        yield Day(listing, ledger, markers, max(b.parts if b else 1 for b in before))


def _made_before(lake: Lake, bots: set[int], day: date) -> tuple[list[Ledger | None], bool]:
    """The ledgers of a day's Parquets, and whether an author was found to be a bot since."""
    ledgers = [stored(lake.enriched, table, day) for table in columns.TABLES]
    parts = max((ledger.parts for ledger in ledgers if ledger), default=1)
    for part in range(1, parts):  # a run may have broken off between them
        found = [stored(lake.enriched, table, day, part) for table in columns.TABLES]
        ledgers += [one if one == ledgers[0] else None for one in found]
    first, unknown = ledgers[0], set[int]()
    for part in range(first.parts if first and first.unknown_authors else 0):
        body = obstore.get(lake.enriched, keys.enriched_key("messages", day, part)).bytes()
        rows = pq.ParquetFile(pa.BufferReader(body)).read(["author_id", "author_kind"])
        unknown.update(rows.filter(rows["author_kind"].is_null())["author_id"].to_pylist())
    return ledgers, not unknown.isdisjoint(map(lake.pseudonyms.id, bots))


def made_from(listing: Listing, settings: Settings, groups: dict[int, int]) -> dict[str, str]:
    """All that decides what a day's Parquet holds: the same here means the same rows there.

    Only the bots among its authors are not here; `complete` adds them once it has read the day.
    """
    return {
        "objects": listing.fingerprint,
        "repeats": _digest(sorted(listing.again)),
        "columns": columns.digest(),
        "timezone": settings.timezone,
        "groups": _digest(sorted(groups.items())),
    }


def _digest(values: list[Any]) -> str:
    return f"{zlib.crc32(json.dumps(values).encode()):08x}" if values else ""
