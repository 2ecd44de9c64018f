"""Rows as Parquet: each value fitted to the type that its column declares."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from tgpipeline.lake.columns import TABLES, fit
from tgpipeline.lake.rows import Row

ROW_GROUP = 131_072
# What fits each type as it is, as None does; of a list every item is looked at.
_PYTHON = {"int64": int, "timestamp[ms]": int, "bool": bool, "string": str}
ARROW = {name: pa.type_for_alias(name) for name in _PYTHON} | {
    "list<string>": pa.list_(pa.string())
}


def schema(table: str) -> pa.Schema:
    """The Arrow schema of a table, types declared for every column however empty it is."""
    return pa.schema([pa.field(c.name, ARROW[c.type]) for c in TABLES[table]])


def declared(table: str) -> list[tuple[str, str]]:
    """Name and type of each column of a row; `context_timestamp` comes when it is written."""
    return [(c.name, c.type) for c in TABLES[table][:-1]]


def to_table(table: str, rows: Iterable[Row], context_timestamp: datetime) -> pa.Table:
    """Rows as an Arrow table, each value fitted to its column.

    Args:
        table: `messages` or `events`.
        rows: as `rows.Flattener` makes them.
        context_timestamp: when they were processed, UTC.
    """
    return _stamped(table, fitted(declared(table), list(rows), Counter()), context_timestamp)


def fitted(columns: list[tuple[str, str]], rows: list[Row], misfits: Counter[str]) -> pa.Table:
    """Rows as an Arrow table of these columns; values that do not fit are counted by column."""
    values = zip(*rows, strict=True) if rows else ((),) * len(columns)
    arrays = [_array(*column, v, misfits) for column, v in zip(columns, values, strict=True)]
    return pa.table(arrays, [name for name, _ in columns])


def _array(name: str, type_name: str, values: tuple[Any, ...], misfits: Counter[str]) -> pa.Array:
    """One column. Nearly always every value fits, so that is tried before each is looked at."""
    types = set(map(type, values)) - {type(None)}
    if types <= {_PYTHON.get(type_name)}:
        try:
            return pa.array(values, ARROW[type_name])
        except (pa.ArrowInvalid, OverflowError, UnicodeEncodeError):
            pass
    pairs = [fit(value, type_name) for value in values]
    if wrong := sum(not fits for _, fits in pairs):
        misfits[name] += wrong
    return pa.array([value for value, _ in pairs], ARROW[type_name])


class Parquet(NamedTuple):
    """A file whose rows are written, still open for metadata."""

    path: Path
    writer: pq.ParquetWriter
    rows: int


def write_parquet(table: str, path: Path, rows: Iterable[pa.Table], stamp: datetime) -> Parquet:
    """Write rows as Parquet (zstd).

    Args:
        table: `messages` or `events`.
        path: the file to write.
        rows: with the columns of the table, others are left out.
        stamp: value of `context_timestamp`, UTC.
    """
    writer = pq.ParquetWriter(str(path), schema(table), compression="zstd", version="2.6")
    written = 0
    for group in regroup(rows, ROW_GROUP):
        written += len(group)
        writer.write_table(_stamped(table, group, stamp))
    if not written:  # PyArrow 18 cannot read a file that has no row group at all
        writer.write_table(schema(table).empty_table())
    return Parquet(path, writer, written)


def regroup(tables: Iterable[pa.Table], size: int) -> Iterator[pa.Table]:
    """The same rows in tables of exactly that size; the last one may be smaller."""
    waiting: list[pa.Table] = []
    for table in tables:
        rows = pa.concat_tables([*waiting, table])
        while len(rows) >= size:
            yield rows.slice(0, size)
            rows = rows.slice(size)
        waiting = [rows] if len(rows) else []
    yield from waiting


def _stamped(table: str, rows: pa.Table, stamp: datetime) -> pa.Table:
    *columns, last = schema(table)
    moment = pa.scalar(stamp.replace(tzinfo=None), last.type)
    rows = rows.select([column.name for column in columns]).cast(pa.schema(columns))
    return rows.append_column(last, pa.repeat(moment, len(rows)))
