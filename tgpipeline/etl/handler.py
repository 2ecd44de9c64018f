"""Lambda 2: turns a day of the raw zone into Parquet in the enriched zone.

The function is invoked by EventBridge Scheduler with the time it was scheduled for, or by hand with
a day or a range of days. It makes each day anew from all that the raw zone holds of it, under the
same key every time, so a re-run replaces and never doubles; a day whose raw objects are the ones
its Parquet was made from is left alone.
"""

import contextlib
import gc
import json
import logging
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError

from tgpipeline.errors import LakeError, SettingsError, UpdateError
from tgpipeline.etl import reading, writing
from tgpipeline.lake import columns, documents, keys, rows, stores, versions
from tgpipeline.lake.ledger import Ledger, most_common, stored
from tgpipeline.settings import Settings

if TYPE_CHECKING:
    from obstore.store import ObjectStore

logger = logging.getLogger(__name__)

REQUESTS = 12  # under way at once, besides those that read a day's objects
_DECLARED = [(table, c.name, c.type) for table, cs in columns.TABLES.items() for c in cs]
COLUMNS = f"{zlib.crc32(repr(_DECLARED).encode()):08x}"  # another one for other columns


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Entry point of the function.

    Args:
        event: `{"scheduled_time": "2025-11-29T03:15:00Z"}` from the Scheduler, for the day before
            that time and the `LOOKBACK_DAYS` before it; or `{"date": "2025-11-28"}`; or
            `{"start": …, "end": …}`, both included. `"rebuild": true` remakes unchanged days too.
        context: unused.

    Returns:
        `{"days": [ledger, …], "totals": {…}}`.

    Raises:
        TgPipelineError: if anything failed; retries, dead-letter queue and alarm then see it.
    """
    logging.getLogger().setLevel(logging.INFO)
    settings = Settings.from_env("raw_bucket", "enriched_bucket")
    ledgers = list(run(settings, days_of(event, settings), rebuild=bool(event.get("rebuild"))))
    totals = {
        name: sum(getattr(ledger, name) for ledger in ledgers)
        for name in ("objects", "documents", "messages", "superseded", "events", "quarantined")
    }
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
            return [date.fromisoformat(event["date"])]
        if "start" in event or "end" in event:
            start, end = date.fromisoformat(event["start"]), date.fromisoformat(event["end"])
            if start > end:
                raise ValueError(f"{start} is after {end}")
            return [start + timedelta(n) for n in range((end - start).days + 1)]
        scheduled = datetime.fromisoformat(event["scheduled_time"])
    except (KeyError, TypeError, ValueError) as error:
        raise SettingsError(
            f"the ETL does not know which day is meant ({error}): invoke it with "
            '{"date": "YYYY-MM-DD"}, {"start": …, "end": …} or {"scheduled_time": "…Z"}.'
        ) from None
    if scheduled.tzinfo is None:
        scheduled = scheduled.replace(tzinfo=UTC)
    last = scheduled.astimezone(settings.tz).date() - timedelta(1)
    return [last - timedelta(n) for n in range(settings.lookback_days, -1, -1)]


def run(
    settings: Settings,
    days: Iterable[date],
    *,
    rebuild: bool = False,
    raw: "ObjectStore | None" = None,
    enriched: "ObjectStore | None" = None,
) -> Iterator[Ledger]:
    """Bring the enriched zone of these days up to date with the raw zone.

    Args:
        settings: names both buckets and the time zone.
        days: local days, in any order; they are brought up to date from the oldest on.
        rebuild: remake a day even where nothing has changed.
        raw: the raw bucket; opened by its name where it is None.
        enriched: the enriched bucket, likewise.

    Yields:
        The ledger of each day, as it is done.

    Raises:
        LakeError: if the raw zone cannot be read or the enriched zone not be written.
    """
    raw = raw or stores.open_store(settings.raw_bucket, settings)
    enriched = enriched or stores.open_store(settings.enriched_bucket, settings)
    days = sorted(set(days))
    try:
        with ThreadPoolExecutor(REQUESTS) as pool:
            groups = pool.submit(stores.groups, raw)
            listings = reading.list_days(raw, days, pool)
            ledgers = [
                reading.ahead(pool, partial(stored, enriched, t), days) for t in columns.TABLES
            ]
            for listing, *before in zip(listings, *ledgers, strict=True):
                made = made_from(listing, settings, groups.result())
                ledger = Ledger(listing.day.isoformat(), objects=len(listing.names), made_from=made)
                if not any(before) and not listing.names:
                    ledger.status = "empty"
                elif not rebuild and all(b and b.made_from == made for b in before):
                    ledger = replace(before[0] or ledger, status="unchanged")
                else:
                    _make(_Day(raw, enriched, listing, ledger, settings.tz, groups.result()), pool)
                logger.info(json.dumps(asdict(ledger)))
                yield ledger
    except (BaseError, FileNotFoundError) as error:
        raise LakeError(
            f"s3://{settings.raw_bucket} could not be read, or s3://{settings.enriched_bucket} not "
            f"be written: {str(error).splitlines()[0][:300]}. Check that both exist and that this "
            "role may use them; then run again, which is safe after any failure."
        ) from error


def made_from(
    listing: reading.Listing, settings: Settings, groups: Mapping[int, int]
) -> dict[str, str]:
    """All that decides what a day's Parquet holds: the same here means the same rows there."""
    return {
        "objects": listing.fingerprint,
        "repeats": _digest(sorted(listing.again)),
        "columns": COLUMNS,
        "timezone": settings.timezone,
        "groups": _digest(sorted(groups.items())),
    }


def _digest(values: list[Any]) -> str:
    return f"{zlib.crc32(json.dumps(values).encode()):08x}" if values else ""


@dataclass(frozen=True)
class _Day:
    raw: "ObjectStore"
    enriched: "ObjectStore"
    listing: reading.Listing
    ledger: Ledger
    tz: tzinfo
    groups: Mapping[int, int]


def _make(day: _Day, pool: ThreadPoolExecutor) -> None:
    """Make both tables of a day, and complete its ledger."""
    collecting = gc.isenabled()
    gc.disable()  # millions of small dicts without one cycle: collecting only costs time
    try:
        with tempfile.TemporaryDirectory(prefix="tgpipeline-etl-") as folder:
            spools = {table: writing.Spool(table, Path(folder)) for table in columns.TABLES}
            _read(day, spools)
            _write(day, spools, Path(folder), pool)
    finally:
        if collecting:
            gc.enable()


def _read(day: _Day, spools: Mapping[str, writing.Spool]) -> None:
    ledger, flattener = day.ledger, rows.Flattener(day.tz, day.groups)
    again = dict.fromkeys(spools, 0)
    for document in reading.read_day(day.raw, day.listing):
        ledger.documents += 1
        try:
            row = versions.version(document, flattener)
        except UpdateError as error:
            _quarantine(day.raw, document, str(error), day.listing.day)
            ledger.quarantined += 1
            continue
        if row.undated and document.name in day.listing.again:
            again[row.table] += 1
        else:
            spools[row.table].add(row.values, row.identity, row.rank, len(document.body))
    ledger.message_versions = spools["messages"].versions + again["messages"]
    ledger.event_versions = spools["events"].versions + again["events"]
    ledger.unknown = most_common(flattener.unknown)


def _write(
    day: _Day, spools: Mapping[str, writing.Spool], folder: Path, pool: ThreadPoolExecutor
) -> None:
    ledger, stamp, writers = day.ledger, datetime.now(UTC), {}
    for table, spool in spools.items():
        writers[table] = spool.write(folder / f"{table}.parquet", stamp)
    ledger.messages, ledger.events = spools["messages"].rows, spools["events"].rows
    ledger.superseded = ledger.message_versions - ledger.messages
    ledger.repeated = ledger.event_versions - ledger.events
    misfits = sum((spool.misfits for spool in spools.values()), Counter[str]())
    ledger.misfits = dict(sorted(misfits.items()))

    def put(table: str) -> None:
        writing.finish(writers[table], {"ledger": asdict(ledger)})
        key = keys.enriched_key(table, day.listing.day)
        attributes = stores.attributes_for(day.enriched, ledger.attributes())
        obstore.put(day.enriched, key, folder / f"{table}.parquet", attributes=attributes)

    list(pool.map(put, writers))


def _quarantine(raw: "ObjectStore", document: documents.Document, reason: str, day: date) -> None:
    key = keys.quarantine_key(document.body, day)
    reason = reason.encode("ascii", "replace").decode()
    logger.warning(json.dumps({"quarantined": document.name, "reason": reason, "key": key}))
    attributes = stores.attributes_for(raw, {"reason": reason, "origin": document.name})
    # It may be there from an earlier run of this day, or from the ingest function.
    with contextlib.suppress(AlreadyExistsError):
        obstore.put(raw, key, document.body, attributes=attributes, mode="create")
