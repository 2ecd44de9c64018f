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
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from itertools import accumulate, groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from py4j.protocol import Py4JError
from pyspark import StorageLevel
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812, as Spark's own documentation has it
from pyspark.sql.pandas.types import from_arrow_schema

from tgpipeline.errors import LakeError
from tgpipeline.etl import handler, making, sorting, writing
from tgpipeline.etl.making import Day, Lake, Tally
from tgpipeline.etl.reading import Listing
from tgpipeline.lake import columns, stores
from tgpipeline.lake.ledger import Ledger
from tgpipeline.lake.markers import Markers
from tgpipeline.settings import Settings

PART_ROWS = 2_000_000  # of one table and day; beyond, it has several parts
PIECE = 16_000_000  # bytes of raw objects that one task reads, more or less
DAYS = 400  # made in one job


def _struct(table: str) -> pa.DataType:
    """A table's row as one value, wall-clock times as whole numbers: Spark would shift them."""
    types = writing.ARROW | {"timestamp[ms]": pa.int64()}
    return pa.struct([(name, types[kind]) for name, kind in writing.declared(table)])


# Both tables in one: of each row, the struct of its own table is there. Or the JSON of a tally.
_ARROW = pa.schema(
    [("day", pa.string()), ("table", pa.string()), ("tally", pa.string())]
    + [(name, pa.int64()) for name in sorting.KEYS]
    + [(table, _struct(table)) for table in columns.TABLES]
)
_KEYS = [f"`{name}`" for name in sorting.KEYS]
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


def session() -> SparkSession:
    """The session that `spark-submit` has made, or one on this machine, with this very Python."""
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    return SparkSession.builder.appName("tgpipeline").getOrCreate()


def _make(spark: SparkSession, lake: Lake, days: list[Day]) -> None:
    """Make both tables of these days, and complete their ledgers."""
    # No secret travels to executors: they need none.
    settings = replace(lake.settings, bot_token="", webhook_secret="")
    pieces = [
        (day.ledger.date, names, [name for name in names if name in day.listing.again], number)
        for day in days
        for number, names in enumerate(_pieces(day.listing))
    ]
    schema = "day string, names array<string>, again array<string>, number long"
    tasks = spark.sparkContext.parallelize(pieces, max(1, len(pieces)))
    read = spark.createDataFrame(tasks, schema).mapInArrow(
        partial(_read, settings, days[0].markers), from_arrow_schema(_ARROW)
    )
    latest = F.max_by(F.struct("tally", *columns.TABLES), F.struct(*_KEYS[3:])).alias("row")
    made = read.groupBy("day", "table", *_KEYS[:3]).agg(latest)
    made = made.select("day", "table", *_KEYS[:3], "row.*").persist(StorageLevel.DISK_ONLY)
    try:
        _complete(lake, days, made)
        _write_days(lake, days, made, settings)
    finally:
        made.unpersist()


def _pieces(listing: Listing) -> Iterator[list[str]]:
    """A day's objects in lots that one task reads."""
    ends = zip(accumulate(listing.sizes), listing.names, strict=True)
    for _, found in groupby(ends, key=lambda one: one[0] // PIECE):
        yield [name for _, name in found]


def _read(
    settings: Settings, markers: Markers, batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """On an executor: the rows of pieces, the latest of each, and one row that tells the tally."""
    for piece in (piece for batch in batches for piece in batch.to_pylist()):
        day, again = date.fromisoformat(piece["day"]), frozenset(piece["again"])
        listing = Listing(day, piece["names"], [], "", again)
        with tempfile.TemporaryDirectory(prefix="tgpipeline-spark-") as folder:
            whole = Day(listing, Ledger(""), markers)
            tally, sorters = making.flatten_day(Lake(settings), whole, Path(folder))
            for table, sorter in sorters.items():
                for found in sorter.merged():
                    rows = found.select([name for name, _ in writing.declared(table)])
                    told = {name: found[name] for name in sorting.KEYS}
                    told[table] = rows.to_struct_array()
                    yield from _wide(day, table, len(rows), told)
        met = json.dumps([sorted(one) if isinstance(one, set) else one for one in tally])
        told = dict.fromkeys(sorting.KEYS, pa.array([piece["number"]]))
        yield from _wide(day, "", 1, told | {"tally": pa.array([met])})


def _wide(day: date, table: str, size: int, told: dict[str, Any]) -> Iterator[pa.RecordBatch]:
    """Rows of one table in the columns of both."""
    told |= {"day": pa.repeat(day.isoformat(), size), "table": pa.repeat(table, size)}
    arrays = [told.get(field.name, pa.nulls(size, field.type)) for field in _ARROW]
    yield from pa.table(arrays, _ARROW.names).cast(_ARROW).to_batches()


def _complete(lake: Lake, days: list[Day], made: DataFrame) -> None:
    """Complete the ledgers by what the executors tell."""
    tallies = {
        day.ledger.date: Tally(Counter(), Counter(), Counter(), set(), set()) for day in days
    }
    for found in made.where("table = ''").select("day", "tally").toLocalIterator():
        ours: Any  # counts add up, sets unite
        for ours, more in zip(tallies[found["day"]], json.loads(found["tally"]), strict=True):
            ours.update(more)
    counted = made.where("table != ''").groupBy("day", "table").count().collect()
    counts = {(found["day"], found["table"]): found["count"] for found in counted}
    for day in days:
        whole = {table: counts.get((day.ledger.date, table), 0) for table in columns.TABLES}
        making.complete(lake, day, tallies[day.ledger.date], whole)
        day.ledger.parts = max(1, *(-(-count // PART_ROWS) for count in whole.values()))


def _write_days(lake: Lake, days: list[Day], made: DataFrame, settings: Settings) -> None:
    ledgers = {day.ledger.date: day.ledger for day in days}
    parts = F.create_map(*(F.lit(v) for d, o in ledgers.items() for v in (d, o.parts)))
    part = F.pmod(F.hash(*_KEYS[:3]), parts[F.col("day")])
    rows = made.where("table != ''").withColumn("place", F.concat_ws(" ", "day", "table", part))
    rows = rows.repartition("place").sortWithinPartitions("place", *_KEYS[:3])
    for day in days:
        making.empty_parts(lake, day)
    write = partial(_write, settings, ledgers, datetime.now(UTC))
    written = {found["place"] for found in rows.mapInArrow(write, "place string").collect()}
    for ledger in ledgers.values():  # what has no rows now
        for table in columns.TABLES:
            for number in range(ledger.parts):
                if f"{ledger.date} {table} {number}" not in written:
                    making.put_empty(lake.enriched, ledger, table, number)


def _write(
    settings: Settings,
    ledgers: Mapping[str, Ledger],
    stamp: datetime,
    batches: Iterable[pa.RecordBatch],
) -> Iterator[pa.RecordBatch]:
    """On an executor: the parts whose rows come, each after the other, in order."""
    enriched = stores.open_store(settings.enriched_bucket, settings)
    cut = (
        (place, batch.filter(pc.equal(batch["place"], place)))
        for batch in batches
        for place in pc.unique(batch["place"]).to_pylist()
    )
    with tempfile.TemporaryDirectory(prefix="tgpipeline-spark-") as folder:
        path = Path(folder) / "part.parquet"
        for place, found in groupby(cut, key=lambda one: one[0]):
            day, table, number = place.split()
            rows = (pa.Table.from_struct_array(batch[table]) for _, batch in found)
            schema = pa.schema(list(writing.schema(table))[:-1])
            file = writing.write_parquet(table, path, (r.cast(schema) for r in rows), stamp)
            making.put_part(enriched, ledgers[day], table, file, int(number))
            yield pa.record_batch({"place": [place]})


def main() -> None:
    """What a Glue job, or `spark-submit`, runs: `--from DATE --to DATE --raw … --enriched …`."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("from", "to", "raw", "enriched", "timezone"):
        parser.add_argument(f"--{name}", required=True)
    told = vars(parser.parse_known_args()[0])  # Glue adds arguments of its own
    buckets = {"raw_bucket": told["raw"], "enriched_bucket": told["enriched"]}
    settings = Settings.from_env(timezone=told["timezone"], **buckets)
    days = handler.days_of({"start": told["from"], "end": told["to"]}, settings)
    for ledger in run(settings, days):
        print(ledger)


if __name__ == "__main__":
    main()
