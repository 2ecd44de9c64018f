"""The ETL on Apache Spark: the same rows of the same days, where one machine no longer suffices.

Reading, flattening, versions and columns are the package's own; Spark spreads them over executors
(`mapInArrow`), keeps the latest version of each row (`max_by`) and sorts. A day's table has one
part, as the function writes it, or several where it is large.
"""

import argparse
import json
import os
import pickle
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
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812, as Spark's own documentation has it
from pyspark.sql.pandas.types import from_arrow_schema

from tgpipeline.errors import LakeError
from tgpipeline.etl import handler, making, writing
from tgpipeline.etl.making import Day, Lake
from tgpipeline.etl.reading import Listing
from tgpipeline.lake import columns, keys
from tgpipeline.lake.ledger import Ledger
from tgpipeline.lake.markers import Markers
from tgpipeline.lake.rows import Tally
from tgpipeline.settings import Settings

PART_ROWS = 2_000_000  # of one table and day; beyond, it has several parts
PIECE = 16_000_000  # bytes of raw objects that one task reads, more or less
DAYS = 400  # made in one job
# The columns of both tables, those of the other one null. Spark counts times in microseconds.
_VALUES = {c.name: writing.ARROW[c.type] for cs in columns.TABLES.values() for c in cs[:-1]}
_VALUES |= {"sent_at": pa.timestamp("us")}
_TEXTS = dict.fromkeys(("day", "table", "tally"), pa.string())  # a tally is JSON, of no table
_EMPTY = pa.schema(_TEXTS | dict.fromkeys(writing.KEYS, pa.int64()) | _VALUES).empty_table()
_ROW = from_arrow_schema(_EMPTY.schema, prefer_timestamp_ntz=True)
Batches = Iterator[pa.RecordBatch]
_SAYS_WHY = re.compile(r"[\w.]*(Error|Exception)\b")  # of Python's traceback on an executor


def run(
    settings: Settings, days: Iterable[date], spark: Any = None, **how: Any
) -> Iterator[Ledger]:
    """Bring the enriched zone of these days up to date, as `handler.run` does.

    Args:
        settings: name both buckets and the time zone.
        days: local days.
        spark: the session; this machine's, or the one that `spark-submit` made, where it is None.
        **how: `rebuild`, as `handler.run` takes it.

    Yields:
        The ledger of each day.

    Raises:
        LakeError: if Spark fails, the raw zone cannot be read or the enriched zone not be written.
    """
    # No secret travels to executors: they need none.
    settings = replace(settings, bot_token="", webhook_secret="")
    try:
        make = partial(_make, spark or session())
        yield from handler.run(settings, days, make=make, at_once=DAYS, **how)
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
    listings = enumerate(piece for day in days for piece in _pieces(day.listing))
    pieces = [(number, pickle.dumps(listing)) for number, listing in listings]
    tasks = spark.sparkContext.parallelize(pieces, max(1, len(pieces)))
    read = spark.createDataFrame(tasks, "number long, listing binary")
    read = read.mapInArrow(partial(_read, lake.settings, days[0].markers), _ROW)
    latest = F.max_by(F.struct("tally", *_VALUES), F.struct(*writing.KEYS[3:])).alias("row")
    made = read.groupBy("day", "table", *writing.IDENTITY).agg(latest)
    made = made.select("day", "table", *writing.IDENTITY, "row.*").persist()
    try:
        _complete(lake, days, made)
        _write_days(lake, days, made)
    finally:
        made.unpersist()


def _pieces(listing: Listing) -> Iterator[Listing]:
    """A day's objects in lots that one task reads."""
    ends = zip(accumulate(listing.sizes), listing.names, strict=True)
    for _, found in groupby(ends, key=lambda one: one[0] // PIECE):
        names = [name for _, name in found]
        yield Listing(listing.day, names, [], "", listing.again.intersection(names))


def _read(settings: Settings, markers: Markers, batches: Batches) -> Batches:
    """On an executor: the rows of pieces, the latest of each, and one row that tells the tally."""
    for piece in (piece for batch in batches for piece in batch.to_pylist()):
        day = Day(pickle.loads(piece["listing"]), Ledger(""), markers)
        with tempfile.TemporaryDirectory(prefix="tgpipeline-spark-") as folder:
            tally, sorters = making.flatten_day(Lake(settings), day, Path(folder))
            for table, sorter in sorters.items():
                for found in sorter.merged():
                    yield from _wide(day, table, found)
        met = json.dumps([sorted(one) if isinstance(one, set) else one for one in tally])
        told = {"tally": [met], writing.IDENTITY[0]: [piece["number"]]}
        yield from _wide(day, "", pa.table(told))


def _wide(day: Day, table: str, rows: pa.Table) -> Batches:
    """Rows of one table in the columns of both."""
    for name, value in (("day", day.listing.day.isoformat()), ("table", table)):
        rows = rows.append_column(name, pa.repeat(value, len(rows)))
    yield from pa.concat_tables([_EMPTY, rows], promote_options="permissive").to_batches()


def _complete(lake: Lake, days: list[Day], made: DataFrame) -> None:
    """Complete the ledgers by what the executors tell."""
    told = F.count("*").alias("rows"), F.collect_list("tally").alias("tallies")
    found = made.groupBy("day", "table").agg(*told).collect()
    rows = {(one["day"], one["table"]): one["rows"] for one in found}
    tallies = {one["day"]: one["tallies"] for one in found if not one["table"]}
    for day in days:
        tally: Any = Tally(Counter(), Counter(), Counter(), set(), set())
        for met in tallies.get(day.ledger.date, ()):
            for ours, more in zip(tally, json.loads(met), strict=True):
                ours.update(more)  # counts add up, sets unite
        whole = {table: rows.get((day.ledger.date, table), 0) for table in columns.TABLES}
        making.complete(lake, day, tally, whole)
        day.ledger.parts = max(1, *(-(-count // PART_ROWS) for count in whole.values()))


def _write_days(lake: Lake, days: list[Day], made: DataFrame) -> None:
    """Write the parts of these days, all that are left over or have no rows now, too."""
    ledgers = {day.ledger.date: day.ledger for day in days}
    parts = F.create_map(*(F.lit(v) for d, o in ledgers.items() for v in (d, o.parts)))
    part = F.pmod(F.hash(*writing.IDENTITY), parts[F.col("day")])
    rows = made.where("table != ''").withColumn("place", F.concat_ws(" ", "day", "table", part))
    rows = rows.repartition("place").sortWithinPartitions("place", *writing.IDENTITY)
    for day in days:
        making.put_empty(lake, day.ledger, range(day.ledger.parts, day.parts))
    write = partial(_write, lake.settings, ledgers)
    written = {found["key"] for found in rows.mapInArrow(write, "key string").collect()}
    for ledger in ledgers.values():
        making.put_empty(lake, ledger, range(ledger.parts), written)


def _write(settings: Settings, ledgers: Mapping[str, Ledger], batches: Batches) -> Batches:
    """On an executor: the parts whose rows come, each after the other, in order."""
    cut = (
        (place, batch.filter(pc.equal(batch["place"], place)))
        for batch in batches
        for place in pc.unique(batch["place"]).to_pylist()
    )
    lake, stamp = Lake(settings), datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="tgpipeline-spark-") as folder:
        for place, found in groupby(cut, key=lambda one: one[0]):
            day, table, number = place.split()
            rows = (pa.Table.from_batches([batch]) for _, batch in found)
            file = writing.write_parquet(table, Path(folder) / "part", rows, stamp)
            key = keys.enriched_key(table, date.fromisoformat(day), int(number))
            making.put_part(lake, ledgers[day], key, file)
            yield pa.record_batch({"key": [key]})


def main() -> None:
    """What a Glue job, or `spark-submit`, runs: `--from DATE --to DATE --raw … --enriched …`."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("from", "to", "raw", "enriched", "timezone"):
        parser.add_argument(f"--{name}", required=True)
    # Glue adds arguments of its own.
    start, end, raw, enriched, timezone = vars(parser.parse_known_args()[0]).values()
    settings = Settings.from_env(raw_bucket=raw, enriched_bucket=enriched, timezone=timezone)
    for ledger in run(settings, handler.days_of({"start": start, "end": end}, settings)):
        print(ledger)


if __name__ == "__main__":
    main()
