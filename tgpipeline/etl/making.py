"""Making a day: its raw objects are read, both tables written, its ledger completed."""

import gc
import json
import logging
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import obstore

from tgpipeline.errors import UpdateError
from tgpipeline.etl import reading, writing
from tgpipeline.etl.pseudonyms import Pseudonyms
from tgpipeline.lake import columns, keys, quarantine, rows, stores, versions
from tgpipeline.lake.ledger import Ledger, most_common
from tgpipeline.settings import Settings

if TYPE_CHECKING:
    from obstore.store import ObjectStore

logger = logging.getLogger(__name__)


@dataclass
class EtlRun:
    """Both buckets, and how a run works on them."""

    raw: "ObjectStore"
    enriched: "ObjectStore"
    settings: Settings
    pool: ThreadPoolExecutor
    make: "Make"
    at_once: int
    bots_met: set[int] = field(default_factory=set)
    pseudonyms: Pseudonyms = field(init=False)

    def __post_init__(self) -> None:
        self.pseudonyms = Pseudonyms(self.settings.pseudonym_key)


@dataclass(frozen=True)
class Day:
    """A day that is looked at: what the raw zone holds of it, and how many parts it had."""

    listing: reading.Listing
    ledger: Ledger
    markers: stores.Markers
    parts: int


class Tally(NamedTuple):
    """What was met while documents were read.

    Attributes:
        counts: `documents`, `quarantined`, `erased`, `collisions`; by table, versions of its rows.
        misfits: as in the ledger.
        unknown: likewise.
        undeclared: ids of authors of whom no update says whether they are bots.
        bots: ids of the bots met.
    """

    counts: Counter[str]
    misfits: Counter[str]
    unknown: Counter[str]
    undeclared: set[int]
    bots: set[int]


Writers = Mapping[str, writing.TableWriter]
Make = Callable[[EtlRun, list[Day]], None]


def make(lake: EtlRun, days: list[Day]) -> None:
    """Make both tables of each day, and complete its ledger."""
    collecting = gc.isenabled()
    gc.disable()  # millions of small dicts without one cycle: collecting only costs time
    try:
        for day in days:
            with tempfile.TemporaryDirectory(prefix="tgpipeline-etl-") as folder:
                _make_day(lake, day, Path(folder))
    finally:
        if collecting:
            gc.enable()


def _make_day(lake: EtlRun, day: Day, folder: Path) -> None:
    writers = writers_of(folder)
    tally = flatten_day(lake.raw, day, lake.settings, lake.pseudonyms, writers)
    stamp = datetime.now(UTC)
    files = {t: w.write(folder / f"{t}.parquet", stamp) for t, w in writers.items()}
    complete(lake, day, tally, {t: w.rows for t, w in writers.items()})

    def put(table: str) -> None:
        writing.finish(files[table], {"ledger": asdict(day.ledger)})
        put_part(lake.enriched, table, day.ledger, folder / f"{table}.parquet")

    empty_parts(lake, day)
    list(lake.pool.map(put, files))


def writers_of(folder: Path) -> Writers:
    """A writer for each table, with temporary files in that folder; they count misfits together."""
    misfits: Counter[str] = Counter()
    return {table: writing.TableWriter(table, folder, misfits) for table in columns.TABLES}


def flatten_day(
    raw: "ObjectStore", day: Day, settings: Settings, pseudonyms: Pseudonyms, writers: Writers
) -> Tally:
    """Read what a day's listing names, and hand each version of a row to its table's writer.

    Returns:
        What was met. Its misfits are complete once the writers have written. What cannot be read
        is in quarantine.
    """
    counts: Counter[str] = Counter()
    flattener = rows.Flattener(settings.tz, day.markers.groups, day.markers.bots)
    for found in reading.read_day(raw, day.listing):
        counts["documents"] += 1
        document = reading.without_erased(found, day.markers.erased, day.listing.day)
        if document is None:
            counts["erased"] += 1
            continue
        try:
            row = versions.version(document, flattener)
        except UpdateError as error:
            quarantine.put(raw, document, str(error), day.listing.day)
            counts["quarantined"] += 1
            continue
        counts[row.table] += 1
        if not (row.undated and document.name in day.listing.again):
            values = pseudonyms.row(row.table, row.values)
            writers[row.table].add(values, row.identity, row.rank, len(document.body))
    counts["collisions"] = pseudonyms.collisions
    authors, misfits = flattener.authors, writers["messages"].misfits
    return Tally(counts, misfits, flattener.unknown, authors.undeclared, authors.bots)


def complete(lake: EtlRun, day: Day, tally: Tally, rows: Mapping[str, int]) -> None:
    """Complete the ledger of a day that was read, and mark the bots that were met.

    Args:
        lake: where the markers go.
        day: whose ledger it is.
        tally: of all its documents.
        rows: how many each table has.
    """
    ledger, bots, counts = day.ledger, day.markers.bots, tally.counts
    ledger.documents, ledger.erased = counts["documents"], counts["erased"]
    ledger.quarantined, ledger.collisions = counts["quarantined"], counts["collisions"]
    ledger.message_versions, ledger.event_versions = counts["messages"], counts["events"]
    ledger.messages, ledger.events = rows["messages"], rows["events"]
    ledger.superseded = ledger.message_versions - ledger.messages
    ledger.repeated = ledger.event_versions - ledger.events
    ledger.misfits, ledger.unknown = dict(sorted(tally.misfits.items())), most_common(tally.unknown)
    ledger.unknown_authors = len(tally.undeclared - bots)
    among = sorted(tally.undeclared & bots)
    ledger.made_from["bots"] = " ".join(map(str, among[:20]))  # S3's metadata has no room for all
    for number in tally.bots - bots - lake.bots_met:
        obstore.put(lake.raw, keys.bot_key(number), json.dumps({"id": number}).encode())
        lake.bots_met.add(number)


def put_part(
    enriched: "ObjectStore", table: str, ledger: Ledger, path: Path, part: int = 0
) -> None:
    """Put a table's Parquet in its place, with the ledger as the object's metadata."""
    key = keys.enriched_key(table, date.fromisoformat(ledger.date), part)
    attributes = stores.attributes_for(enriched, ledger.attributes())
    obstore.put(enriched, key, path, attributes=attributes)


def empty_parts(lake: EtlRun, day: Day) -> None:
    """Empty the parts that Spark had made and the day no longer has, before others are written.

    Where a run breaks off, the parts then bear different ledgers, and the next run makes the day.
    """
    for table in columns.TABLES:
        for part in range(day.ledger.parts, day.parts):
            put_empty(lake.enriched, table, day.ledger, part)


def put_empty(enriched: "ObjectStore", table: str, ledger: Ledger, part: int) -> None:
    """Write a part without rows: over one that a day no longer needs, since nobody may delete."""
    with tempfile.TemporaryDirectory(prefix="tgpipeline-etl-") as folder:
        path = Path(folder) / "empty.parquet"
        writing.finish(
            writing.write_parquet(table, path, (), datetime.now(UTC)), {"ledger": asdict(ledger)}
        )
        put_part(enriched, table, ledger, path, part)
