"""Rows as Parquet: fitted to the columns' types, sorted, of each the latest version.

A day may have more rows than memory holds. Rows are gathered in chunks; chunks become a run, sorted
by what identifies a row and which version of it is later, of which only the latest version of each
row stays. Runs are kept in files and merged batch by batch. Nearly every day is one run and no
file.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tgpipeline.lake.columns import TABLES, Column, fit
from tgpipeline.lake.rows import Row
from tgpipeline.lake.versions import Three

ROW_GROUP = 131_072
# What fits each type as it is, as None does; of a list every item is looked at.
_PYTHON = {"int64": int, "timestamp[ms]": int, "bool": bool, "string": str}
ARROW = {name: pa.type_for_alias(name) for name in _PYTHON}
ARROW["list<string>"] = pa.list_(pa.string())
IDENTITY = ("identity_0", "identity_1", "identity_2")  # which row it is
KEYS = (*IDENTITY, "rank_0", "rank_1", "rank_2")  # and which version of it is later
CHUNK = 8_192  # rows that are Python tuples at one time
RUN = 131_072  # rows that are sorted at one time
BYTES = 16 * 1024 * 1024  # of JSON in a chunk; four times as much in a run
BATCH_ROWS = 4_096  # rows of each run that are in memory while runs are merged


def schema(table: str) -> pa.Schema:
    """The Arrow schema of a table, types declared for every column however empty it is."""
    return pa.schema([pa.field(c.name, ARROW[c.type]) for c in TABLES[table]])


def to_table(table: str, rows: Iterable[Row], context_timestamp: datetime) -> pa.Table:
    """Rows as an Arrow table, each value fitted to its column.

    Args:
        table: `messages` or `events`.
        rows: as `rows.Flattener` makes them.
        context_timestamp: when they were processed, UTC.
    """
    return _stamped(table, fitted(TABLES[table][:-1], list(rows), Counter()), context_timestamp)


def fitted(columns: tuple[Column, ...], rows: list[Row], misfits: Counter[str]) -> pa.Table:
    """Rows as an Arrow table of these columns; values that do not fit are counted by column."""
    values = zip(*rows, strict=True) if rows else ((),) * len(columns)
    arrays = [_array(column, v, misfits) for column, v in zip(columns, values, strict=True)]
    return pa.table(arrays, [column.name for column in columns])


def _array(column: Column, values: tuple[Any, ...], misfits: Counter[str]) -> pa.Array:
    """One column. Nearly always every value fits, so that is tried before each is looked at."""
    types = set(map(type, values)) - {type(None)}
    if types <= {_PYTHON.get(column.type)}:
        try:
            return pa.array(values, ARROW[column.type])
        except (pa.ArrowInvalid, OverflowError, UnicodeEncodeError):
            pass
    pairs = [fit(value, column.type) for value in values]
    if wrong := sum(not fits for _, fits in pairs):
        misfits[column.name] += wrong
    return pa.array([value for value, _ in pairs], ARROW[column.type])


class Sorter:
    """The rows of one table and day, on their way into a Parquet.

    Args:
        table: `messages` or `events`.
        folder: where temporary files go.
        misfits: by column, counts values that do not fit and become null (or U+FFFD).
    """

    def __init__(self, table: str, folder: Path, misfits: Counter[str]) -> None:
        self._columns = (*TABLES[table][:-1], *(Column(key, "int64", "", "") for key in KEYS))
        self._file, self._misfits = f"{folder / table}-{{}}.arrow", misfits
        self._chunk, self._chunk_bytes = list[Row](), 0
        self._run, self._runs = list[pa.Table](), list[Iterator[pa.Table]]()

    def add(self, row: Row, identity: Three, rank: Three, size: int = 0) -> None:
        """Add one version of a row.

        Args:
            row: its values.
            identity: three 64-bit integers that are equal for all versions of the same row, and by
                which the rows are sorted.
            rank: three more; the version with the greatest is kept.
            size: bytes that the row takes, roughly.
        """
        self._chunk.append((*row, *identity, *rank))
        self._chunk_bytes += size
        if len(self._chunk) == CHUNK or self._chunk_bytes > BYTES:
            self._end_chunk()

    def merged(self) -> Iterator[pa.Table]:
        """The latest version of every row that was added, sorted, the key columns included."""
        self._end_chunk()
        last = [iter([latest(self._run)])] if self._run else []
        yield from merge([*self._runs, *last])

    def _end_chunk(self) -> None:
        if self._chunk:
            self._run.append(fitted(self._columns, self._chunk, self._misfits))
        self._chunk, self._chunk_bytes = [], 0
        if sum(map(len, self._run)) >= RUN or sum(t.nbytes for t in self._run) > 4 * BYTES:
            path, run = self._file.format(len(self._runs)), latest(self._run)
            options = pa.ipc.IpcWriteOptions(compression="lz4")
            with pa.ipc.new_file(path, run.schema, options=options) as file:
                file.write_table(run, max_chunksize=BATCH_ROWS)
            self._run = []
            self._runs.append(load_run(path))


def load_run(path: str) -> Iterator[pa.Table]:
    """Read a run back, batch by batch."""
    with pa.OSFile(path) as source:
        file = pa.ipc.open_file(source)
        for number in range(file.num_record_batches):
            yield pa.Table.from_batches([file.get_batch(number)])


def latest(tables: list[pa.Table]) -> pa.Table:
    """The rows of these tables, sorted by identity, of each identity the version ranked highest."""
    rows = pa.concat_tables(tables).combine_chunks()
    order = pc.sort_indices(rows.select(KEYS), sort_keys=[(name, "ascending") for name in KEYS])
    differs = pa.repeat(False, len(rows) - 1)  # from the next row
    for name in IDENTITY:
        column = rows[name].combine_chunks().take(order)
        differs = pc.or_(differs, pc.not_equal(column[1:], column[:-1]))
    last = pa.concat_arrays([differs, pa.array([True])])
    return rows.take(order.filter(last))


def merge(runs: Iterable[Iterator[pa.Table]]) -> Iterator[pa.Table]:
    """Merge sorted runs.

    Args:
        runs: each an iterator over the batches of one run, sorted by identity, none of them twice.

    Yields:
        Tables that together hold the latest version of every row, sorted by identity.
    """
    heads = {run: next(run) for run in runs}
    while len(heads) > 1:
        # Up to the least of the last rows that are in memory, nothing can come any more.
        bound = min(_identity(head, -1) for head in heads.values())
        ready, rest = [], {}
        for run, head in heads.items():
            size = bisect_right(range(len(head)), bound, key=partial(_identity, head))
            ready.append(head.slice(0, size))
            rest[run] = head.slice(size) or next(run, None)
        heads = {run: head for run, head in rest.items() if head}
        yield latest(ready)
    for run, head in heads.items():
        yield head
        yield from run


def _identity(rows: pa.Table, number: int) -> tuple[int, ...]:
    return tuple(rows[name][number].as_py() for name in IDENTITY)


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
