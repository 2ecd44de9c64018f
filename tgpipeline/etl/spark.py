"""The ETL on Apache Spark: the same rows of the same days, where one machine no longer suffices.

Reading, flattening, versions and columns are the package's own; Spark spreads them over executors
(`mapInArrow`), keeps the latest version of each row (`max_by`) and sorts. A day's table has one
part, as the function writes it, or several where it is large.
"""

import argparse
import json
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from py4j.protocol import Py4JError
from pyspark import StorageLevel
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812, as Spark's own documentation has it

from tgpipeline.errors import LakeError
from tgpipeline.etl import handler, making, sorting, writing
from tgpipeline.etl.making import Day, EtlRun, Tally
from tgpipeline.etl.pseudonyms import Pseudonyms
from tgpipeline.etl.reading import Listing
from tgpipeline.lake import columns, keys, stores
from tgpipeline.lake.ledger import Ledger
from tgpipeline.settings import Settings

PART_ROWS = 2_000_000  # of one table and day; beyond, it has several parts
PIECE = (2_000, 64_000_000)  # objects and bytes that one task reads at most
DAYS = 400  # made in one job
# Both tables in one: every column by its name, wall-clock times as whole numbers.
_COLUMNS = {c.name: c for table in columns.TABLES.values() for c in table[:-1]}
_ARROW = pa.schema(
    [("day", pa.string()), ("table", pa.string())]
    + [(name, pa.int64()) for name in sorting.KEYS]
    + [
        (name, pa.int64() if c.type == "timestamp[ms]" else writing.ARROW[c.type])
        for name, c in _COLUMNS.items()
    ]
)
_KEYS = [f"`{name}`" for name in sorting.KEYS]
_DDL = "day string, table string, " + ", ".join(
    [f"{key} bigint" for key in _KEYS]
    + [f"`{c.name}` {c.athena_type.replace('timestamp', 'bigint')}" for c in _COLUMNS.values()]
)
_SAYS_WHY = re.compile(r"[\w.]*(Error|Exception)\b")  # of Python's traceback on an executor


def run(
    settings: Settings, days: Iterable[date], *, rebuild: bool = False, spark: Any = None
) -> Iterator[Ledger]:
    """Bring the enriched zone of these days up to date, as `handler.run` does.

    Args:
        settings: name both buckets and the time zone.
        days: local days.
        rebuild: remake a day even where nothing has changed.
        spark: the session; this machine's, or the one that `spark-submit` made, where it is None.

    Yields:
        The ledger of each day.

    Raises:
        LakeError: if Spark fails, the raw zone cannot be read or the enriched zone not be written.
    """
    try:
        make = partial(_make, spark or session())
        yield from handler.run(settings, days, rebuild=rebuild, make=make, at_once=DAYS)
    except (PySparkException, Py4JError) as error:
        lines = str(error).splitlines() or [type(error).__name__]
        told = next((line for line in reversed(lines) if _SAYS_WHY.match(line)), lines[0])
        raise LakeError(
            f"Spark failed: {told.strip()[:300]}. It needs Java 17 (JAVA_HOME), and executors that "
            f"may use s3://{settings.raw_bucket} and s3://{settings.enriched_bucket}. Run again: "
            "a day that broke off is made anew."
        ) from error


def session(**config: Any) -> SparkSession:
    """The session that `spark-submit` has made, or one on this machine, with this very Python.

    Args:
        **config: of Spark, `__` in place of each dot.
    """
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("tgpipeline")
    for name, value in config.items():
        builder = builder.config(name.replace("__", "."), value)
    return builder.getOrCreate()


def _make(spark: SparkSession, lake: EtlRun, days: list[Day]) -> None:
    """Make both tables of these days, and complete their ledgers."""
    # No secret travels to executors: they need none.
    settings = replace(lake.settings, bot_token="", webhook_secret="")
    pieces = [piece for day in days for piece in _pieces(day.listing)]
    schema = "day string, names array<string>, again array<string>, number long"
    tasks = spark.sparkContext.parallelize(
        [(*piece, number) for number, piece in enumerate(pieces)], max(1, len(pieces))
    )
    read = spark.createDataFrame(tasks, schema).mapInArrow(
        partial(_read, settings, days[0].markers), _DDL
    )
    latest = F.max_by(F.struct(*_COLUMNS), F.struct(*_KEYS[3:])).alias("row")
    made = read.groupBy("day", "table", *_KEYS[:3]).agg(latest)
    made = made.select("day", "table", *_KEYS[:3], "row.*").persist(StorageLevel.DISK_ONLY)
    try:
        _complete(lake, days, made)
        _write_days(lake, days, made, settings)
    finally:
        made.unpersist()


def _pieces(listing: Listing) -> Iterator[tuple[str, list[str], list[str]]]:
    """A day's objects in lots that one task reads: the day, names, and those that are repeats."""
    names: list[str] = []
    size = 0
    for name, more in zip(listing.names, listing.sizes, strict=True):
        if names and (len(names) >= PIECE[0] or size + more > PIECE[1]):
            yield listing.day.isoformat(), names, [n for n in names if n in listing.again]
            names, size = [], 0
        names.append(name)
        size += more
    if names:
        yield listing.day.isoformat(), names, [n for n in names if n in listing.again]


def _read(
    settings: Settings, markers: stores.Markers, batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """On an executor: the rows of pieces, the latest of each, and one row that tells the tally."""
    raw = stores.open_store(settings.raw_bucket, settings)
    for piece in (piece for batch in batches for piece in batch.to_pylist()):
        listing = Listing(
            date.fromisoformat(piece["day"]), piece["names"], [], "", frozenset(piece["again"])
        )
        day, pseudonyms = Day(listing, Ledger(""), markers, 1), Pseudonyms(settings.pseudonym_key)
        with tempfile.TemporaryDirectory(prefix="tgpipeline-spark-") as folder:
            writers = making.writers_of(Path(folder))
            tally = making.flatten_day(raw, day, settings, pseudonyms, writers)
            for table, writer in writers.items():
                for found in writer.merged():
                    yield from _wide(piece["day"], table, found).to_batches()
        met = [sorted(one) if isinstance(one, set) else one for one in tally]
        told = {"payload": json.dumps(met), "#0": piece["number"]}
        yield from _wide(piece["day"], "", pa.table({k: [v] for k, v in told.items()})).to_batches()


def _wide(day: str, table: str, found: pa.Table) -> pa.Table:
    """Rows of one table in the columns of both."""
    known = {"day": pa.scalar(day), "table": pa.scalar(table)}
    zero = pa.scalar(0, pa.int64())
    arrays = []
    for field in _ARROW:
        if field.name in found.column_names:
            arrays.append(found[field.name].cast(field.type))
        else:
            empty = zero if field.name.startswith("#") else pa.scalar(None, field.type)
            arrays.append(pa.repeat(known.get(field.name, empty), len(found)))
    return pa.table(arrays, schema=_ARROW)


def _complete(lake: EtlRun, days: list[Day], made: DataFrame) -> None:
    """Complete the ledgers by what the executors tell."""
    tallies = {
        day.ledger.date: Tally(Counter(), Counter(), Counter(), set(), set()) for day in days
    }
    for found in made.where("table = ''").select("day", "payload").toLocalIterator():
        ours: Any  # counts add up, sets unite
        for ours, more in zip(tallies[found["day"]], json.loads(found["payload"]), strict=True):
            ours.update(more)
    counted = made.where("table != ''").groupBy("day", "table").count().collect()
    counts = {(found["day"], found["table"]): found["count"] for found in counted}
    for day in days:
        whole = {table: counts.get((day.ledger.date, table), 0) for table in columns.TABLES}
        making.complete(lake, day, tallies[day.ledger.date], whole)
        day.ledger.parts = max(1, *(-(-count // PART_ROWS) for count in whole.values()))


def _write_days(lake: EtlRun, days: list[Day], made: DataFrame, settings: Settings) -> None:
    ledgers = {day.ledger.date: day.ledger for day in days}
    parts = F.create_map(*(F.lit(v) for d, o in ledgers.items() for v in (d, o.parts)))
    number = F.pmod(F.hash(*_KEYS[:3]), parts[F.col("day")])
    folder = F.concat_ws("/", F.lit(keys.RAW), "table", F.concat(F.lit("context_date="), "day"))
    place = F.concat(folder, F.lit("/part-"), number, F.lit(".parquet"))
    rows_of = made.where("table != ''").withColumn("place", place).drop("day", "table")
    rows_of = rows_of.repartition("place").sortWithinPartitions("place", *_KEYS[:3])
    stamp = datetime.now(UTC)
    write = partial(_write, settings, {d: asdict(o) for d, o in ledgers.items()}, stamp)
    for day in days:
        making.empty_parts(lake, day)
    written = {found["key"] for found in rows_of.mapInArrow(write, "key string").collect()}
    for day in days:  # what has no rows now
        for table in columns.TABLES:
            for part in range(day.ledger.parts):
                if keys.enriched_key(table, day.listing.day, part) not in written:
                    making.put_empty(lake.enriched, table, day.ledger, part)


def _write(
    settings: Settings,
    ledgers: Mapping[str, dict[str, Any]],
    stamp: datetime,
    batches: Iterable[pa.RecordBatch],
) -> Iterator[pa.RecordBatch]:
    """On an executor: the parts whose rows come, each after the other, in order."""
    enriched = stores.open_store(settings.enriched_bucket, settings)
    with tempfile.TemporaryDirectory(prefix="tgpipeline-spark-") as folder:
        for key, found in groupby(_by_place(batches), key=lambda one: one[0]):
            path, table = Path(folder) / "part.parquet", key.split("/")[1]
            ledger = Ledger(**ledgers[keys.day_of(key).isoformat()])
            narrow = (_narrow(table, one) for _, one in found)
            writer = writing.write_parquet(table, path, narrow, stamp)
            writing.finish(writer, {"ledger": asdict(ledger)})
            part = int(key.rpartition("part-")[2].removesuffix(".parquet"))
            making.put_part(enriched, table, ledger, path, part)
            yield pa.record_batch({"key": [key]})


def _narrow(table: str, found: pa.Table) -> pa.Table:
    """Rows in their own table's columns and types; `_wide` undone."""
    wanted = writing.schema(table)
    wanted = wanted.remove(len(wanted) - 1)
    return found.select(wanted.names).cast(wanted)


def _by_place(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, pa.Table]]:
    for batch in batches:
        for place in pc.unique(batch["place"]).to_pylist():
            yield place, pa.Table.from_batches([batch.filter(pc.equal(batch["place"], place))])


def main() -> None:
    """What a Glue job, or `spark-submit`, runs: `--from DATE --to DATE --raw … --enriched …`."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("from", "to", "raw", "enriched", "timezone"):
        parser.add_argument(f"--{name}", required=True)
    told = vars(parser.parse_known_args()[0])  # Glue adds arguments of its own
    buckets = {"raw_bucket": told["raw"], "enriched_bucket": told["enriched"]}
    settings = Settings.from_env(timezone=told["timezone"], **buckets)
    for ledger in run(
        settings, handler.days_of({"start": told["from"], "end": told["to"]}, settings)
    ):
        print(ledger)


if __name__ == "__main__":
    main()
