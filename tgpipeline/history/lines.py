"""Writing imported messages into the raw zone, each version of a message once.

A day's lines are gathered and written as few objects of bounded size. What earlier imports wrote is
known by a mark of 8 bytes a line, read when a day is first touched and then kept, so that importing
the same or a newer export adds only what is not there.
"""

import zlib
from array import array
from bisect import bisect_left
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Self

import obstore
import orjson
from obstore.exceptions import AlreadyExistsError

from tgpipeline.etl import reading
from tgpipeline.lake import keys, stores
from tgpipeline.telegram.updates import integer, sub

if TYPE_CHECKING:
    from obstore.store import S3Store

OBJECT = 4 << 20  # bytes of one object
WAITING = 16 << 20  # bytes that wait for the rest of their day
THREADS = 4


@dataclass
class _Day:
    marks: "array[int]"
    lines: bytearray = field(default_factory=bytearray)  # a list of small ones takes 10 times this


class HistoryLines:
    """Gathers lines by day and writes them. Use it in a `with` block, and `flush` at its end.

    Args:
        store: the raw bucket.

    Attributes:
        new: lines that were not there.
        present: lines that an earlier import had written.
        objects: objects written.
    """

    def __init__(self, store: "S3Store") -> None:
        self.new = self.present = self.objects = 0
        self._store = store
        self._known = set(stores.list_days(store))
        self._days: dict[date, _Day] = {}
        self._waiting = 0
        self._pool = ThreadPoolExecutor(THREADS)
        self._running: set[Future[None]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def add(self, day: date, line: dict[str, Any]) -> None:
        """Add one line, unless an earlier import brought the same version of the message.

        Args:
            day: whose partition it belongs to.
            line: `{"message": …}` or `{"message_reaction_count": …}`.
        """
        found = self._days.get(day)
        if found is None:
            found = self._days[day] = _Day(self._marks(day))
        own = mark(line)
        place = bisect_left(found.marks, own)
        if place < len(found.marks) and found.marks[place] == own:
            self.present += 1
            return
        body = orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
        self.new += 1
        found.lines += body
        self._waiting += len(body)
        if len(found.lines) >= OBJECT:
            self._write(day, found)
        elif self._waiting >= WAITING:
            self._write(*next(item for item in self._days.items() if item[1].lines))

    def flush(self) -> None:
        """Write all that waits, and see that it has arrived."""
        for day, found in self._days.items():
            self._write(day, found)
        self._finish(all_of_them=True)

    def _marks(self, day: date) -> "array[int]":
        marks: array[int] = array("q")
        if day in self._known:
            for name in reading.list_day(self._store, day).names:
                if name.startswith("history-"):
                    path = keys.partition(keys.RAW, day) + name
                    lines = obstore.get(self._store, path).bytes().to_bytes().splitlines()
                    marks.extend(mark(orjson.loads(line)) for line in lines if line)
        return array("q", sorted(marks))

    def _write(self, day: date, found: _Day) -> None:
        if not found.lines:
            return
        body = bytes(found.lines)
        self._waiting -= len(body)
        found.lines = bytearray()
        self.objects += 1
        self._running.add(self._pool.submit(self._put, keys.history_key(body, day), body))
        if len(self._running) > THREADS:
            self._finish()

    def _put(self, key: str, body: bytes) -> None:
        with suppress(AlreadyExistsError):  # the same lines: there is nothing to add
            obstore.put(self._store, key, body, mode="create")

    def _finish(self, all_of_them: bool = False) -> None:
        when = "ALL_COMPLETED" if all_of_them else FIRST_COMPLETED
        done, self._running = wait(self._running, return_when=when)
        for future in done:
            future.result()


def mark(line: dict[str, Any]) -> int:
    """What tells a line from others: its message, and which version of it.

    Names, titles and counts of votes change from export to export, a message's version does not.
    """
    message = sub(line, "message") or sub(line, "message_reaction_count")
    where = (sub(message, "chat").get("id"), message.get("message_id"))
    version = (message.get("edit_date"), message.get("message_thread_id"))
    told = orjson.dumps(message.get("reactions"), option=orjson.OPT_SORT_KEYS)
    return hash((*(integer(n) or 0 for n in (*where, *version)), zlib.crc32(told)))
