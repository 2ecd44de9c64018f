"""Writing imported messages into the raw zone, each version of a message once.

A day's lines are gathered and written as few objects of bounded size. What earlier imports wrote is
known by a hash per line, read when a day is first touched and then kept, so that importing the
same or a newer export adds only what is not there. Each line says which version of
the converter made it (`converter`) and which import of its day it came with (`import`): of two
lines about the same edit of a message, the greater converter counts, then the later import.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import obstore
from obstore.exceptions import AlreadyExistsError

from tgpipeline.etl import reading
from tgpipeline.history.convert import VERSION
from tgpipeline.lake import keys, stores
from tgpipeline.lake.documents import form_of, read_json
from tgpipeline.lake.erasing import as_bytes
from tgpipeline.telegram.updates import integer, sub

if TYPE_CHECKING:
    from obstore.store import ObjectStore

WAITING = 16 << 20  # bytes that wait for the rest of their day
WRITERS = 8  # objects that are written at once


@dataclass
class _Day:
    """What a day's partition holds of earlier imports, and the lines that wait to be written.

    `marks` has what `marks_of` says of each line, `imported` the number of this import.
    """

    marks: dict[int, int] = field(default_factory=dict)
    imported: int = 1
    lines: bytearray = field(default_factory=bytearray)  # a list of small ones takes 10 times this


class HistoryLines:
    """Gathers lines by day and writes them; `flush` writes the last ones.

    Args:
        store: the raw bucket.

    Attributes:
        new: lines that were not there.
        present: lines that an earlier import had written.
        objects: objects written.
    """

    def __init__(self, store: "ObjectStore") -> None:
        self.new = self.present = self.objects = self._waiting = 0
        self._store = store
        self._known = set(stores.list_days(store))
        self._days: dict[date, _Day] = {}

    def add(self, day: date, line: dict[str, Any]) -> None:
        """Add one line, unless an earlier import by the same converter brought what it says.

        Args:
            day: whose partition it belongs to.
            line: `{"message": …}` or `{"message_reaction_count": …}`. Counts that are empty are
                only added where an earlier import brought others.
        """
        if day not in self._days:
            self._days[day] = self._earlier(day)
        found = self._days[day]
        line |= {"converter": VERSION, "import": found.imported}
        about, said = marks_of(line)
        if found.marks.get(about, 0) == said:
            self.present += said != 0  # 0: there is nothing to say
            return
        body = as_bytes(line) + b"\n"
        self.new += 1
        found.lines += body
        self._waiting += len(body)
        if self._waiting >= WAITING:
            self.flush()

    def flush(self) -> None:
        """Write all that waits, and see that it has arrived."""
        waiting = [day for day, found in self._days.items() if found.lines]
        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(self._write, waiting))
        self.objects += len(waiting)
        self._waiting = 0

    def _write(self, day: date) -> None:
        body, self._days[day].lines = bytes(self._days[day].lines), bytearray()
        with suppress(AlreadyExistsError):  # the same lines: there is nothing to add
            obstore.put(self._store, keys.history_key(body, day), body, mode="create")

    def _earlier(self, day: date) -> _Day:
        listed = reading.list_day(self._store, day).names if day in self._known else []
        found: list[tuple[int, int, int]] = []
        for name in (name for name in listed if form_of(name).source == "history"):
            stored = obstore.get(self._store, keys.partition(keys.RAW, day) + name)
            for line in map(read_json, stored.bytes().to_bytes().splitlines()):
                found.append((integer(line.get("import")) or 0, *marks_of(line)))
        marks = {about: said for _, about, said in sorted(found)}  # the latest import counts
        return _Day(marks, max((number for number, *_ in found), default=0) + 1)


def marks_of(line: dict[str, Any]) -> tuple[int, int]:
    """What a line is about, and what it says of that: two hashes.

    Names, titles and counts of votes change from export to export, a message's version does not:
    a line with a message is about that version, and always says the same. The hash of empty counts
    of reactions is 0.
    """
    counts = sub(line, "message_reaction_count")
    message = counts or sub(line, "message")
    about = integer(sub(message, "chat").get("id")), integer(message.get("message_id"))
    if counts:
        reactions, converter = counts.get("reactions"), line.get("converter")
        told = json.dumps(reactions, sort_keys=True), converter
        return hash(about), hash(told) if reactions else 0
    version = (message.get("edit_date"), message.get("message_thread_id"), line.get("converter"))
    return hash((*about, *(integer(number) or 0 for number in version))), 1
