"""Sorting more rows than memory holds: sorted runs in files, merged batch by batch.

Rows are gathered in chunks; chunks become a run, sorted by what identifies a row and which version
of it is later, of which only the latest version of each row stays. Nearly every day is one run and
no file.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from tgpipeline.etl import writing
from tgpipeline.lake.rows import Row

IDENTITY = ("identity_0", "identity_1", "identity_2")  # which row it is
KEYS = (*IDENTITY, "rank_0", "rank_1", "rank_2")  # and which version of it is later
CHUNK = 8_192  # rows that are Python tuples at one time
RUN = 131_072  # rows that are sorted at one time
BYTES = 16 * 1024 * 1024  # of JSON in a chunk; four times as much in a run
BATCH_ROWS = 4_096  # rows of each run that are in memory while runs are merged
Three = tuple[int, int, int]


class Sorter:
    """The rows of one table and day, on their way into a Parquet.

    Args:
        table: `messages` or `events`.
        folder: where temporary files go.
        misfits: by column, counts values that do not fit and become null (or U+FFFD).
    """

    def __init__(self, table: str, folder: Path, misfits: Counter[str]) -> None:
        self._declared = [*writing.declared(table), *((name, "int64") for name in KEYS)]
        self._file = f"{folder / table}-{{}}.arrow"
        self._misfits = misfits
        self._chunk: list[Row] = []
        self._chunk_bytes = 0
        self._run: list[pa.Table] = []
        self._runs: list[Iterator[pa.Table]] = []

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
            self._run.append(writing.fitted(self._declared, self._chunk, self._misfits))
        self._chunk, self._chunk_bytes = [], 0
        if sum(map(len, self._run)) >= RUN or sum(t.nbytes for t in self._run) > 4 * BYTES:
            path = self._file.format(len(self._runs))
            save_run(latest(self._run), path)
            self._run = []
            self._runs.append(load_run(path))


def save_run(run: pa.Table, path: str) -> None:
    """Write a sorted run to a file."""
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_file(path, run.schema, options=options) as file:
        file.write_table(run, max_chunksize=BATCH_ROWS)


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
        ready = []
        for run, head in list(heads.items()):
            size = bisect_right(range(len(head)), bound, key=partial(_identity, head))
            ready.append(head.slice(0, size))
            if rest := head.slice(size) or next(run, None):
                heads[run] = rest
            else:
                del heads[run]
        yield latest(ready)
    for run, head in heads.items():
        yield head
        yield from run


def _identity(rows: pa.Table, number: int) -> Three:
    a, b, c = (rows[name][number].as_py() for name in IDENTITY)
    return a, b, c
