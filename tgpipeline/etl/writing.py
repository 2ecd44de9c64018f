"""Rows into one sorted Parquet a table and day, in bounded memory.

Rows are gathered in chunks; chunks become a run, sorted by what identifies a row and which version
of it is later, of which only the latest version of each row stays. Nearly every day is one run. A
day of more keeps its runs in temporary files and merges them, a piece of each in memory at a time.
"""

import json
import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tgpipeline.etl import sorting
from tgpipeline.lake.columns import TABLES, fit
from tgpipeline.lake.rows import Row

CHUNK = 8_192  # rows that are Python tuples at one time
RUN = 131_072  # rows that are sorted at one time
BYTES = 16 * 1024 * 1024  # of JSON in a chunk; four times as much in a run
ROW_GROUP = 131_072
_PYTHON = {
    "int64": int,
    "timestamp[ms]": int,
    "bool": bool,
    "string": str,
}  # fits each, as None does
ARROW = {name: pa.type_for_alias(name) for name in _PYTHON} | {
    "list<string>": pa.list_(pa.string())
}
_KEY = struct.Struct("6q")


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
    arrays = _arrays(table, list(rows), Counter())
    return _stamped(table, pa.table(arrays, schema(table).remove(len(arrays))), context_timestamp)


class TableWriter:
    """The rows of one table and day on their way into a Parquet.

    Args:
        table: `messages` or `events`.
        folder: where temporary files go.
        misfits: counts on; one of its own where it is None.

    Attributes:
        versions: how many rows were added.
        rows: how many were written.
        misfits: by column, how many values did not fit and became null (or U+FFFD).
    """

    def __init__(self, table: str, folder: Path, misfits: Counter[str] | None = None) -> None:
        self.table = table
        self.versions = self.rows = 0
        self.misfits: Counter[str] = Counter() if misfits is None else misfits
        self._folder = folder
        self._waiting: list[Row] = []
        self._keys = bytearray()
        self._bytes = 0
        self._run: list[pa.Table] = []
        self._runs: list[Path] = []

    def add(
        self, row: Row, identity: sorting.Identity, rank: tuple[int, int, int], size: int = 0
    ) -> None:
        """Add one version of a row.

        Args:
            row: its values.
            identity: three 64-bit integers that are equal for all versions of the same row, and by
                which the rows are sorted.
            rank: three more; the version with the greatest is kept.
            size: bytes that the row takes, roughly.
        """
        self._keys += _KEY.pack(*identity, *rank)
        self._waiting.append(row)
        self.versions += 1
        self._bytes += size
        if len(self._waiting) == CHUNK or self._bytes > BYTES:
            self._end_chunk()

    def write(self, path: Path, stamp: datetime) -> pq.ParquetWriter:
        """Write the latest version of every row, sorted by identity, as Parquet (zstd).

        Args:
            path: the file to write.
            stamp: value of `context_timestamp`, UTC.

        Returns:
            The writer, for `finish`; until then the file is not complete.
        """

        def counted() -> Iterator[pa.Table]:
            for group in self.merged():
                self.rows += len(group)
                yield group.drop_columns(list(sorting.KEYS))

        return write_parquet(self.table, path, counted(), stamp)

    def _end_chunk(self) -> None:
        keys = pa.Array.from_buffers(
            pa.int64(), len(self._keys) // 8, [None, pa.py_buffer(bytes(self._keys))]
        )
        six = pa.FixedSizeListArray.from_arrays(keys, len(sorting.KEYS))
        arrays = _arrays(self.table, self._waiting, self.misfits)
        names = [c.name for c in TABLES[self.table][:-1]]
        key_columns = [pc.list_element(six, i) for i in range(len(sorting.KEYS))]
        self._run.append(pa.table([*arrays, *key_columns], [*names, *sorting.KEYS]))
        self._waiting, self._keys, self._bytes = [], bytearray(), 0
        if sum(map(len, self._run)) >= RUN or sum(t.nbytes for t in self._run) > 4 * BYTES:
            self._end_run()

    def _end_run(self) -> None:
        run = sorting.latest(self._run)
        self._run = []
        self._runs.append(self._folder / f"{self.table}-{len(self._runs)}.arrow")
        sorting.save_run(run, self._runs[-1])

    def merged(self) -> Iterator[pa.Table]:
        """The latest version of every row that was added, sorted, the key columns included."""
        if self._waiting:
            self._end_chunk()
        if self._run and not self._runs:
            yield sorting.latest(self._run)
        elif self._runs:
            if self._run:
                self._end_run()
            yield from sorting.merge(map(sorting.load_run, self._runs))


def write_parquet(
    table: str, path: Path, rows: Iterable[pa.Table], stamp: datetime
) -> pq.ParquetWriter:
    """Write rows as Parquet (zstd), `context_timestamp` added; see `TableWriter.write`."""
    writer = pq.ParquetWriter(str(path), schema(table), compression="zstd", version="2.6")
    written = 0
    for group in sorting.regroup(rows, ROW_GROUP):
        written += len(group)
        writer.write_table(_stamped(table, group, stamp))
    if not written:  # PyArrow 18 cannot read a file that has no row group at all
        writer.write_table(schema(table).empty_table())
    return writer


def finish(writer: pq.ParquetWriter, metadata: Mapping[str, Any]) -> None:
    """Complete a file: its key-value metadata, as JSON, and its footer."""
    writer.add_key_value_metadata({k: json.dumps(v) for k, v in metadata.items()})
    writer.close()


def _arrays(table: str, rows: list[Row], misfits: Counter[str]) -> list[pa.Array]:
    declared = TABLES[table][:-1]
    columns = zip(*rows, strict=True) if rows else ((),) * len(declared)
    return [_array(c.name, c.type, v, misfits) for c, v in zip(declared, columns, strict=True)]


def _array(name: str, type_name: str, values: tuple[Any, ...], misfits: Counter[str]) -> pa.Array:
    """One column. Nearly always every value fits, so that is tried before each is looked at."""
    types = set(map(type, values))
    if types <= {type(None)}:
        return pa.nulls(len(values), ARROW[type_name])
    if types <= {_PYTHON.get(type_name), type(None)}:
        try:
            return pa.array(values, ARROW[type_name])
        except (pa.ArrowInvalid, OverflowError, UnicodeEncodeError):
            pass
    fitted = [fit(value, type_name) for value in values]
    wrong = sum(not fits for _, fits in fitted)
    if wrong:
        misfits[name] += wrong
    return pa.array([value for value, _ in fitted], ARROW[type_name])


def _stamped(table: str, rows: pa.Table, stamp: datetime) -> pa.Table:
    moment = pa.scalar(stamp.replace(tzinfo=None), pa.timestamp("ms"))
    return rows.append_column(schema(table).field(-1), pa.repeat(moment, len(rows)))
