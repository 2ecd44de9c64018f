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
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError

from tgpipeline import columns, extract, lake, parquet, rows, updates
from tgpipeline.errors import LakeError, SettingsError
from tgpipeline.settings import Settings

if TYPE_CHECKING:
    from obstore.store import S3Store

logger = logging.getLogger(__name__)

VERSION = f"{zlib.crc32(repr(columns.TABLES).encode()):08x}"  # another one for other columns
_SOURCES = {"webhook": 2, "sent": 1, "history": 0}


@dataclass
class Ledger:
    """What became of every object of a day; `balanced` says whether it adds up.

    Attributes:
        date: the day, YYYY-MM-DD.
        status: `written`, `unchanged` (its Parquet is of these very objects) or `empty`.
        objects: raw objects of that day.
        documents: updates in them (a newline-delimited object holds many).
        message_versions: documents that are messages or edits of them.
        messages: rows of `messages`.
        superseded: message versions that a later version replaced.
        event_versions: documents that are anything else.
        events: rows of `events`.
        repeated: events that Telegram sent again after midnight, or an import brought again.
        quarantined: documents that could not be read.
        misfits: by column, values that did not fit and became null (or U+FFFD).
        unknown: by name, fields and kinds that this version does not know.
        fingerprint: of the raw objects and the columns this was made from.
    """

    date: str
    status: str = "written"
    objects: int = 0
    documents: int = 0
    message_versions: int = 0
    messages: int = 0
    superseded: int = 0
    event_versions: int = 0
    events: int = 0
    repeated: int = 0
    quarantined: int = 0
    misfits: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    fingerprint: str = ""

    @property
    def balanced(self) -> bool:
        """Whether every document is accounted for."""
        return (
            self.documents == self.message_versions + self.event_versions + self.quarantined
            and self.message_versions == self.messages + self.superseded
            and self.event_versions == self.events + self.repeated
        )


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
        SettingsError: if the event names no day, or one that is not a date.
    """
    try:
        if "date" in event:
            return [date.fromisoformat(event["date"])]
        if "start" in event or "end" in event:
            start, end = date.fromisoformat(event["start"]), date.fromisoformat(event["end"])
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


def run(settings: Settings, days: list[date], *, rebuild: bool = False) -> Iterator[Ledger]:
    """Bring the enriched zone of these days up to date with the raw zone.

    Args:
        settings: names both buckets and the time zone.
        days: local days.
        rebuild: remake a day even where nothing has changed.

    Yields:
        The ledger of each day, as it is done.

    Raises:
        LakeError: if the raw zone cannot be read or the enriched zone not be written.
    """
    raw = lake.open_store(settings.raw_bucket, settings)
    enriched = lake.open_store(settings.enriched_bucket, settings)
    try:
        groups = _groups(raw)
        for day in days:
            ledger = _run_day(raw, enriched, settings, groups, day, rebuild)
            logger.info(json.dumps(asdict(ledger)))
            yield ledger
    except BaseError as error:
        raise LakeError(
            f"s3://{settings.raw_bucket} could not be read, or s3://{settings.enriched_bucket} not "
            f"be written: {str(error)[:300]}. Check that both exist and that this role may use them"
        ) from error


def stored_ledger(enriched: "S3Store", day: date) -> Ledger | None:
    """The ledger that a day's Parquet carries in its S3 metadata; None where there is none."""
    ledgers = []
    for table in lake.TABLES:
        try:
            found = obstore.get(enriched, lake.enriched_key(table, day), options={"head": True})
        except FileNotFoundError:
            return None
        ledgers.append(
            Ledger(**json.loads(found.attributes.get("ledger") or "null") or {"date": ""})
        )
    same = ledgers[0].fingerprint == ledgers[1].fingerprint
    return ledgers[0] if same else None


def _run_day(
    raw: "S3Store",
    enriched: "S3Store",
    settings: Settings,
    groups: dict[int, int],
    day: date,
    rebuild: bool,
) -> Ledger:
    listing = extract.list_day(raw, day)
    before = stored_ledger(enriched, day)
    fingerprint = f"{VERSION}-{settings.timezone}-{_digest(groups)}-{listing.fingerprint}"
    if before is not None and before.fingerprint == fingerprint and not rebuild:
        before.status = "unchanged"
        return before
    if not listing.names and before is None:
        return Ledger(day.isoformat(), "empty")
    ledger = Ledger(day.isoformat(), objects=len(listing.names), fingerprint=fingerprint)
    collecting = gc.isenabled()
    gc.disable()  # millions of small dicts without one cycle: collecting only costs time
    try:
        with tempfile.TemporaryDirectory(prefix="tgpipeline-etl-") as folder:
            _make_day(raw, enriched, settings, groups, listing, ledger, Path(folder))
    finally:
        if collecting:
            gc.enable()
    return ledger


def _make_day(
    raw: "S3Store",
    enriched: "S3Store",
    settings: Settings,
    groups: dict[int, int],
    listing: extract.Listing,
    ledger: Ledger,
    folder: Path,
) -> None:
    flattener = rows.Flattener(settings.tz, groups)
    messages, events = parquet.Spool("messages", folder), parquet.Spool("events", folder)
    undated: set[int] = set()
    for document in extract.documents(raw, listing):
        ledger.documents += 1
        if document.update is None:
            _quarantine(raw, document, listing.day)
            ledger.quarantined += 1
        else:
            _add(document, document.update, flattener, messages, events, undated)
    repeated = _received_before(raw, listing.day, undated)
    keep_messages, keep_events = messages.finish(), events.finish(without=repeated)
    ledger.message_versions, ledger.messages = messages.versions, len(keep_messages)
    ledger.event_versions, ledger.events = events.versions, len(keep_events)
    ledger.superseded = ledger.message_versions - ledger.messages
    ledger.repeated = ledger.event_versions - ledger.events
    ledger.misfits = dict(sorted((messages.misfits + events.misfits).items()))
    ledger.unknown = dict(sorted(flattener.unknown.items()))
    stamp = datetime.now(UTC)
    for spool, keep in ((events, keep_events), (messages, keep_messages)):
        path = folder / f"{spool.table}.parquet"
        spool.write(path, keep, stamp, {"ledger": asdict(ledger)})
        obstore.put(
            enriched,
            lake.enriched_key(spool.table, listing.day),
            path,
            attributes={"ledger": json.dumps(asdict(ledger))},
        )


def _add(
    document: extract.Document,
    update: updates.Update,
    flattener: rows.Flattener,
    messages: parquet.Spool,
    events: parquet.Spool,
    undated: set[int],
) -> None:
    update_id = update.get("update_id")
    name = str(updates.kind(update))
    if name in updates.MESSAGE_KINDS:
        message = update[name]
        source = "webhook" if update_id is not None else "history"
        if document.name.startswith("sent-"):
            source = "sent"
        row = flattener.message(message, update_id, source, name if source != "history" else None)
        identity = (
            updates.sub(message, "chat").get("id") or 0,
            message.get("message_id") or 0,
            rows.variant(message, update_id),
        )
        last = update_id if update_id is not None else zlib.crc32(document.body)
        messages.add(row, identity, (message.get("edit_date") or 0, _SOURCES[source], last))
        return
    row = flattener.event(update, name, document.body.decode("utf-8", "replace"))
    if update_id is not None:
        events.add(row, (update_id, 0, 0), (0, 0, zlib.crc32(document.body)))
        if updates.event_date(update[name]) is None:
            undated.add(update_id)
        return
    # An imported count of reactions: of several imports the one with the most reactions is newest.
    content = update[name]
    total = sum(updates.integer(r.get("total_count")) or 0 for r in content.get("reactions") or [])
    identity = (updates.sub(content, "chat").get("id") or 0, content.get("message_id") or 0, 1)
    events.add(row, identity, (total, 0, zlib.crc32(document.body)))


def _received_before(raw: "S3Store", day: date, undated: set[int]) -> set[int]:
    """Which of these updates the day before holds too.

    An update that bears no date lies in the day it was received. Sent again after midnight, it
    lies in both, and counts for the first.
    """
    if not undated:
        return set()
    names = extract.list_day(raw, day - timedelta(1)).names
    return undated & {int(stem) for n in names if (stem := n.removesuffix(".json")).isdigit()}


def _quarantine(raw: "S3Store", document: extract.Document, day: date) -> None:
    key = lake.quarantine_key(document.body, day)
    reason = document.reason.encode("ascii", "replace").decode()
    logger.warning(json.dumps({"quarantined": document.name, "reason": reason, "key": key}))
    attributes = {"reason": reason, "origin": document.name}
    # It may be there from an earlier run of this day, or from the ingest function.
    with contextlib.suppress(AlreadyExistsError):
        obstore.put(raw, key, document.body, attributes=attributes, mode="create")


def _groups(raw: "S3Store") -> dict[int, int]:
    """For each supergroup that was a group before, that group's id."""
    found: dict[int, int] = {}
    for page in raw.list(f"{lake.MIGRATIONS}/"):
        for item in page:
            marker = json.loads(obstore.get(raw, item["path"]).bytes().to_bytes())
            found[marker["to"]] = marker["from"]
    return found


def _digest(groups: dict[int, int]) -> str:
    return f"{zlib.crc32(json.dumps(sorted(groups.items())).encode()):08x}"
