"""Making a day: its raw objects are read, both tables written, its ledger completed."""

import gc
import json
import tempfile
from collections.abc import Container, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import obstore

from tgpipeline.errors import UpdateError
from tgpipeline.etl import reading, writing
from tgpipeline.etl.pseudonyms import Pseudonyms
from tgpipeline.lake import columns, keys, quarantine, rows, stores, versions
from tgpipeline.lake.ledger import Ledger, most_common
from tgpipeline.lake.markers import Markers
from tgpipeline.settings import Settings


@dataclass
class Lake:
    """Both buckets, and how a run works on them.

    Attributes:
        settings: name the buckets, the time zone and the key of pseudonyms.
        raw: the raw bucket; opened by its name where none is given.
        enriched: the enriched bucket, likewise.
        make: makes both tables of some days; `make` of this module where none is given.
        at_once: how many days it is given at most.
        bots_met: ids of the bots of which this run has left a marker.
    """

    settings: Settings
    raw: Any = None
    enriched: Any = None
    make: Any = None
    at_once: int = 1
    bots_met: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        settings = self.settings
        self.raw = self.raw or stores.open_store(settings.raw_bucket, settings)
        self.enriched = self.enriched or stores.open_store(settings.enriched_bucket, settings)
        self.make = self.make or make
        self.pseudonyms = Pseudonyms(settings.pseudonym_key)


@dataclass
class Day:
    """A day that is looked at: what the raw zone holds of it, and how many parts it had."""

    listing: reading.Listing
    ledger: Ledger
    markers: Markers
    parts: int = 1


def make(lake: Lake, days: list[Day]) -> None:
    """Make both tables of each day, and complete its ledger."""
    gc.disable()  # millions of small dicts without one cycle: collecting only costs time
    try:
        for day in days:
            with tempfile.TemporaryDirectory(prefix="tgpipeline-etl-") as folder:
                _make_day(lake, day, Path(folder))
    finally:
        gc.enable()


def make_in(processes: Executor, lake: Lake, days: list[Day]) -> None:
    """Make days as `make` does, side by side in processes."""
    made = processes.map(partial(_make_alone, lake.settings), days)
    for day, (ledger, bots) in zip(days, made, strict=True):
        day.ledger = ledger
        lake.bots_met |= bots


def _make_alone(settings: Settings, day: Day) -> tuple[Ledger, set[int]]:
    lake = Lake(settings)
    make(lake, [day])
    return day.ledger, lake.bots_met


def _make_day(lake: Lake, day: Day, folder: Path) -> None:
    tally, sorters = flatten_day(lake, day, folder)
    stamp = datetime.now(UTC)
    files = {
        table: writing.write_parquet(table, folder / f"{table}.parquet", sorter.merged(), stamp)
        for table, sorter in sorters.items()
    }
    complete(lake, day, tally, {table: file.rows for table, file in files.items()})
    put_empty(lake, day.ledger, range(1, day.parts))
    places = [keys.enriched_key(table, day.listing.day) for table in files]
    with ThreadPoolExecutor() as pool:
        list(pool.map(partial(put_part, lake, day.ledger), places, files.values()))


def flatten_day(lake: Lake, day: Day, folder: Path) -> tuple[rows.Tally, dict[str, writing.Sorter]]:
    """Read what a listing names, and hand each version of a row to its table's sorter.

    Args:
        lake: whose raw zone is read.
        day: whose listing may name a part of its objects.
        folder: for temporary files.

    Returns:
        What was met, and the sorters by table. The misfits are complete once all is sorted. What
        cannot be read is in quarantine.
    """
    listing, markers = day.listing, day.markers
    flattener = rows.Flattener(lake.settings.tz, markers)
    tally, counts = flattener.tally, flattener.tally.counts
    sorters = {table: writing.Sorter(table, folder, tally.misfits) for table in columns.TABLES}
    for found in reading.read_day(lake.raw, listing):
        counts["documents"] += 1
        document = reading.without_erased(found, markers.erased, listing.day)
        if document is None:
            counts["erased"] += 1
            continue
        try:
            row = versions.version(document, flattener)
        except UpdateError as error:
            quarantine.put(lake.raw, document, str(error), listing.day)
            counts["quarantined"] += 1
            continue
        counts[row.table] += 1
        if not (document.name in listing.again and versions.is_undated(document)):
            values = lake.pseudonyms.row(row.table, row.values)
            sorters[row.table].add(values, row.identity, row.rank, len(document.body))
    counts["collisions"] = lake.pseudonyms.collisions
    return tally, sorters


def complete(lake: Lake, day: Day, tally: rows.Tally, sizes: Mapping[str, int]) -> None:
    """Complete the ledger of a day that was read, and mark the bots that were met.

    Args:
        lake: where the markers go.
        day: whose ledger it is.
        tally: of all its documents.
        sizes: how many rows each table has.
    """
    ledger, counts, known = day.ledger, tally.counts, day.markers.bots
    ledger.documents, ledger.erased = counts["documents"], counts["erased"]
    ledger.quarantined, ledger.collisions = counts["quarantined"], counts["collisions"]
    ledger.message_versions, ledger.event_versions = counts["messages"], counts["events"]
    ledger.messages, ledger.events = sizes["messages"], sizes["events"]
    ledger.superseded, ledger.repeated = (counts[t] - sizes[t] for t in columns.TABLES)
    ledger.misfits, ledger.unknown = dict(sorted(tally.misfits.items())), most_common(tally.unknown)
    ledger.unknown_authors = len(tally.undeclared - known)
    # S3's metadata has no room for all.
    ledger.made_from["bots"] = " ".join(map(str, sorted(tally.undeclared & known)[:20]))
    for number in tally.bots - known - lake.bots_met:
        key, body = keys.marker_key(keys.BOTS, number), json.dumps({"id": number}).encode()
        obstore.put(lake.raw, key, body)
    lake.bots_met |= tally.bots - known


def put_part(lake: Lake, ledger: Ledger, key: str, file: writing.Parquet) -> None:
    """Complete a Parquet and put it in its place, the ledger in both their metadata."""
    file.writer.add_key_value_metadata({"ledger": json.dumps(asdict(ledger))})
    file.writer.close()
    attributes = stores.attributes_for(lake.enriched, ledger.attributes())
    obstore.put(lake.enriched, key, file.path, attributes=attributes)


def put_empty(lake: Lake, ledger: Ledger, parts: range, written: Container[str] = ()) -> None:
    """Write parts without rows, over those that a day no longer has: nobody's role may delete.

    It is done before others are written. Where a run breaks off, the parts then bear different
    ledgers, and the next run makes the day.

    Args:
        lake: its enriched bucket.
        ledger: of the day.
        parts: their numbers, of both tables.
        written: keys of those that have rows.
    """
    with tempfile.TemporaryDirectory(prefix="tgpipeline-etl-") as folder:
        for table, part in product(columns.TABLES, parts):
            key = keys.enriched_key(table, date.fromisoformat(ledger.date), part)
            if key not in written:
                file = writing.write_parquet(table, Path(folder) / "empty", (), datetime.now(UTC))
                put_part(lake, ledger, key, file)
