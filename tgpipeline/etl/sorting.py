"""Sorting more rows than memory holds: sorted runs in files, merged batch by batch.

A row's first three key columns say which row it is, the other three which version of it is later.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

IDENTITY = ("#0", "#1", "#2")
KEYS = (*IDENTITY, "#3", "#4", "#5")
BATCH_ROWS = 4_096  # rows of each run that are in memory while runs are merged
Identity = tuple[int, int, int]


def save_run(run: pa.Table, path: Path) -> None:
    """Write a sorted run to a file."""
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_file(str(path), run.schema, options=options) as file:
        file.write_table(run, max_chunksize=BATCH_ROWS)


def load_run(path: Path) -> Iterator[pa.Table]:
    """Read a run back, batch by batch."""
    with pa.OSFile(str(path)) as source:
        file = pa.ipc.open_file(source)
        for number in range(file.num_record_batches):
            yield pa.Table.from_batches([file.get_batch(number)])


def latest(tables: list[pa.Table]) -> pa.Table:
    """The rows of these tables, sorted by identity, of each identity the version ranked highest."""
    rows = pa.concat_tables(tables).combine_chunks()
    order = pc.sort_indices(rows.select(KEYS), sort_keys=[(name, "ascending") for name in KEYS])
    keys = rows.select(IDENTITY).take(order)
    differs = pa.repeat(False, max(0, len(rows) - 1))
    for name in IDENTITY:
        column = keys[name].combine_chunks()
        differs = pc.or_(differs, pc.not_equal(column[1:], column[:-1]))
    last = pa.concat_arrays([differs, pa.array([True] * bool(len(rows)), pa.bool_())])
    return rows.take(order.filter(last))


def merge(runs: Iterable[Iterator[pa.Table]]) -> Iterator[pa.Table]:
    """Merge sorted runs.

    Args:
        runs: each an iterator over the batches of one run, sorted by identity, none of them twice.

    Yields:
        Tables that together hold the latest version of every row, sorted by identity.
    """
    heads = [_Head(run) for run in runs]
    while unread := [head for head in heads if head.last is not None]:
        # Below the least of the last rows that are in memory nothing can come any more.
        bound = min(head.last for head in unread if head.last is not None)
        yield latest([head.before(bound) for head in heads])
        for head in unread:
            if head.last == bound:
                head.read_batch()
    yield latest([head.rows for head in heads])


class _Head:
    """The first rows of a run. `last` is the identity of the last of them; None at its end."""

    def __init__(self, run: Iterator[pa.Table]) -> None:
        self._run = run
        self.rows = next(run)
        self.last: Identity | None = self._identity(len(self.rows) - 1)

    def before(self, bound: Identity) -> pa.Table:
        """Take the rows below that identity."""
        size = bisect_left(range(len(self.rows)), bound, key=self._identity)
        taken, self.rows = self.rows.slice(0, size), self.rows.slice(size)
        return taken

    def read_batch(self) -> None:
        """Read the next batch of the run."""
        batch = next(self._run, None)
        if batch is None:
            self.last = None
        else:
            self.rows = pa.concat_tables([self.rows, batch])
            self.last = self._identity(len(self.rows) - 1)

    def _identity(self, number: int) -> Identity:
        a, b, c = (self.rows[name][number].as_py() for name in IDENTITY)
        return a, b, c


def regroup(tables: Iterable[pa.Table], size: int) -> Iterator[pa.Table]:
    """The same rows in tables of exactly that size; the last one may be smaller."""
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        if sum(map(len, waiting)) >= size:
            rows = pa.concat_tables(waiting)
            whole = len(rows) - len(rows) % size
            for start in range(0, whole, size):
                yield rows.slice(start, size)
            waiting = [rows.slice(whole)]
    if any(map(len, waiting)):
        yield pa.concat_tables(waiting)
