"""Rows into one sorted Parquet a table and day, in bounded memory.

Rows are gathered in chunks, each chunk becomes an Arrow record batch in a temporary file, and only
48 bytes a row stay in memory: what identifies it and which version of it is later. At the end the
latest version of each row is taken from the file, in order, one row group at a time.
"""

import json
import struct
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Set
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tgpipeline.columns import TABLES, fit
from tgpipeline.rows import Row
from tgpipeline.updates import integer

CHUNK = 8_192
ROW_GROUP = 131_072
_ARROW = {
    "int64": pa.int64(),
    "bool": pa.bool_(),
    "string": pa.string(),
    "list<string>": pa.list_(pa.string()),
    "timestamp[ms]": pa.timestamp("ms"),
}
_FITTING = {
    "int64": {int, type(None)},
    "bool": {bool, type(None)},
    "string": {str, type(None)},
    "timestamp[ms]": {int, type(None)},
}
_KEY = struct.Struct("6q")


def schema(table: str) -> pa.Schema:
    """The Arrow schema of a table, types declared for every column however empty it is."""
    return pa.schema([pa.field(c.name, _ARROW[c.type]) for c in TABLES[table]])


def to_table(table: str, rows: Iterable[Row], context_timestamp: datetime) -> pa.Table:
    """Rows as an Arrow table, each value fitted to its column.

    Args:
        table: `messages` or `events`.
        rows: as `rows.Flattener` makes them.
        context_timestamp: when they were processed, UTC.
    """
    batch = _batch(table, list(rows), Counter())
    return _stamped(table, pa.Table.from_batches([batch]), context_timestamp)


class Spool:
    """The rows of one table and day on their way into a Parquet.

    Args:
        table: `messages` or `events`.
        folder: where the temporary file goes.

    Attributes:
        misfits: by column, how many values did not fit and became null (or U+FFFD).
    """

    def __init__(self, table: str, folder: Path) -> None:
        self.table = table
        self.misfits: Counter[str] = Counter()
        self._rows: list[Row] = []
        self._keys = bytearray()
        self._path = folder / f"{table}.arrow"
        self._schema = schema(table).remove(len(TABLES[table]) - 1)
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        self._file = pa.ipc.new_file(str(self._path), self._schema, options=options)

    def add(self, row: Row, identity: tuple[Any, Any, Any], rank: tuple[Any, Any, Any]) -> None:
        """Add one version of a row.

        Args:
            row: its values.
            identity: three integers that are equal for all versions of the same row, and by which
                the rows are sorted.
            rank: three integers; the version with the greatest is kept.
        """
        try:
            self._keys += _KEY.pack(*identity, *rank)
        except struct.error:  # a value of another type or over 64 bits, from a hostile object
            self._keys += _KEY.pack(*(integer(value) or 0 for value in (*identity, *rank)))
        self._rows.append(row)
        if len(self._rows) == CHUNK:
            self._flush()

    @property
    def versions(self) -> int:
        """How many rows were added."""
        return len(self._keys) // _KEY.size

    def finish(self, without: Set[int] = frozenset()) -> pa.Array:
        """Decide which version of each row is kept.

        Args:
            without: first numbers of identities to leave out altogether.

        Returns:
            The positions of the rows to keep, in the order they are to be written.
        """
        if self._rows:
            self._flush()
        self._file.close()
        keys = _columns(self._keys)
        order = pc.sort_indices(keys, sort_keys=[(name, "ascending") for name in keys.column_names])
        keys = keys.take(order)
        if not len(keys):
            return order
        differs = pa.repeat(False, len(keys) - 1)
        for name in keys.column_names[:3]:
            column = keys[name].combine_chunks()
            differs = pc.or_(differs, pc.not_equal(column[1:], column[:-1]))
        last = pa.concat_arrays([differs, pa.array([True])])
        if without:
            allowed = [first not in without for first in keys["0"].to_pylist()]
            last = pc.and_(last, pa.array(allowed))
        return order.filter(last)

    def write(
        self, path: Path, keep: pa.Array, stamp: datetime, metadata: Mapping[str, Any]
    ) -> None:
        """Write the rows at these positions, in this order, as Parquet (zstd).

        Args:
            path: the file to write.
            keep: as `finish` returned it.
            stamp: value of `context_timestamp`, UTC.
            metadata: goes into the file's key-value metadata, as JSON.
        """
        source = pa.ipc.open_file(pa.memory_map(str(self._path)))
        with pq.ParquetWriter(
            str(path), schema(self.table), compression="zstd", version="2.6"
        ) as writer:
            for start in range(0, len(keep), ROW_GROUP):
                rows = self._take(source, keep.slice(start, ROW_GROUP))
                writer.write_table(_stamped(self.table, rows, stamp), ROW_GROUP)
            writer.add_key_value_metadata({k: json.dumps(v) for k, v in metadata.items()})

    def _take(self, source: Any, positions: pa.Array) -> pa.Table:
        ascending = pc.sort_indices(positions)
        wanted = positions.take(ascending)
        numbers = wanted.to_pylist()
        parts, start = [], 0
        while start < len(numbers):
            chunk = numbers[start] // CHUNK
            end = bisect_left(numbers, (chunk + 1) * CHUNK, start)
            inside = pc.subtract(wanted.slice(start, end - start), chunk * CHUNK)
            parts.append(source.get_batch(chunk).take(inside))
            start = end
        table = pa.Table.from_batches(parts, self._schema).combine_chunks()
        return table.take(pc.sort_indices(ascending))

    def _flush(self) -> None:
        self._file.write_batch(_batch(self.table, self._rows, self.misfits))
        self._rows = []


def _batch(table: str, rows: list[Row], misfits: Counter[str]) -> pa.RecordBatch:
    declared = TABLES[table][:-1]
    columns = zip(*rows, strict=True) if rows else ((),) * len(declared)
    arrays = [
        _array(c.name, c.type, values, misfits) for c, values in zip(declared, columns, strict=True)
    ]
    return pa.record_batch(arrays, names=[c.name for c in declared])


def _array(name: str, type_name: str, values: tuple[Any, ...], misfits: Counter[str]) -> pa.Array:
    """One column. Nearly always every value fits, so that is tried before each is looked at."""
    types = set(map(type, values))
    if types == {type(None)}:
        return pa.nulls(len(values), _ARROW[type_name])
    if types <= _FITTING.get(type_name, set()):
        try:
            return pa.array(values, _ARROW[type_name])
        except (pa.ArrowInvalid, OverflowError, UnicodeEncodeError):
            pass
    fitted = [fit(value, type_name) for value in values]
    wrong = sum(not fits for _, fits in fitted)
    if wrong:
        misfits[name] += wrong
    return pa.array([value for value, _ in fitted], _ARROW[type_name])


def _stamped(table: str, rows: pa.Table, stamp: datetime) -> pa.Table:
    moment = pa.scalar(stamp.replace(tzinfo=None), pa.timestamp("ms"))
    return rows.append_column(schema(table).field(-1), pa.repeat(moment, rows.num_rows))


def _columns(keys: bytearray) -> pa.Table:
    numbers = pa.Array.from_buffers(pa.int64(), len(keys) // 8, [None, pa.py_buffer(keys)])
    rows = pa.FixedSizeListArray.from_arrays(numbers, 6)
    return pa.table({str(i): pc.list_element(rows, i) for i in range(6)})
