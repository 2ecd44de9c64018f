"""Writing imported messages into the raw zone, each version of a message once.

A day's lines are gathered and written as few objects of bounded size. What earlier imports wrote is
known by a hash per line, read when a day is first touched and then kept, so that importing the
same or a newer export adds only what is not there. Each line says which version of
the converter made it (`converter`) and which import of its day it came with (`import`): of two
lines about the same edit of a message, the greater converter counts, then the later import.
"""

import json
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import obstore
import orjson
from obstore.exceptions import AlreadyExistsError

from tgpipeline.etl import reading
from tgpipeline.history.convert import VERSION
from tgpipeline.lake import keys, stores
from tgpipeline.lake.documents import form_of
from tgpipeline.telegram.updates import integer, sub

if TYPE_CHECKING:
    from obstore.store import ObjectStore

WAITING = 16 << 20  # bytes that wait for the rest of their day
WRITERS = 8  # objects that are written at once


@dataclass
class _Day:
    """What a day's partition holds of earlier imports, and the lines that wait to be written.

    `reactions` has the latest counts of each message, `imported` the number of this import.
    """

    marks: set[int] = field(default_factory=set)
    reactions: dict[int, int] = field(default_factory=dict)
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
        self.new = self.present = self.objects = 0
        self._store = store
        self._known = set(stores.list_days(store))
        self._days: dict[date, _Day] = {}
        self._waiting = 0

    def add(self, day: date, line: dict[str, Any]) -> None:
        """Add one line, unless an earlier import by the same converter brought what it says.

        Args:
            day: whose partition it belongs to.
            line: `{"message": …}` or `{"message_reaction_count": …}`. Counts that are empty are
                only added where an earlier import brought others.
        """
        found = self._days.get(day)
        if found is None:
            found = self._days[day] = self._earlier(day)
        line |= {"converter": VERSION, "import": found.imported}
        about, own = marks_of(line)
        if "message" in line:
            is_there = own in found.marks
        elif is_there := found.reactions.get(about, 0) == own:
            self.present -= not own  # there is nothing to say
        else:
            found.reactions[about] = own
        if is_there:
            self.present += 1
            return
        try:
            body = orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
        except TypeError:  # half of a surrogate pair, or a number over 64 bits: the ETL counts them
            body = json.dumps(line).encode() + b"\n"
        self.new += 1
        found.lines += body
        self._waiting += len(body)
        if self._waiting >= WAITING:
            self.flush()

    def flush(self) -> None:
        """Write all that waits, and see that it has arrived."""
        waiting = [(day, found) for day, found in self._days.items() if found.lines]
        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(self._write, *zip(*waiting, strict=True)) if waiting else ())
        self.objects += len(waiting)
        self._waiting = 0

    def _write(self, day: date, found: _Day) -> None:
        body, found.lines = bytes(found.lines), bytearray()
        with suppress(AlreadyExistsError):  # the same lines: there is nothing to add
            obstore.put(self._store, keys.history_key(body, day), body, mode="create")

    def _earlier(self, day: date) -> _Day:
        found, latest = _Day(), dict[int, int]()
        names = reading.list_day(self._store, day).names if day in self._known else []
        for name in names:
            if form_of(name).source == "history":
                path = keys.partition(keys.RAW, day) + name
                for body in obstore.get(self._store, path).bytes().to_bytes().splitlines():
                    line = orjson.loads(body)
                    about, own = marks_of(line)
                    number = integer(line.get("import")) or 0
                    found.imported = max(found.imported, number + 1)
                    if "message" in line:
                        found.marks.add(own)
                    elif number >= latest.get(about, 0):
                        found.reactions[about], latest[about] = own, number
        return found


def marks_of(line: dict[str, Any]) -> tuple[int, int]:
    """What a line is about, and which version of that it brings: two hashes.

    Names, titles and counts of votes change from export to export, a message's version does not.
    The hash of empty counts of reactions is 0.
    """
    counts = sub(line, "message_reaction_count")
    message = counts or sub(line, "message")
    about = hash((integer(sub(message, "chat").get("id")), integer(message.get("message_id"))))
    version = (message.get("edit_date"), message.get("message_thread_id"), line.get("converter"))
    own = hash((about, *(integer(n) or 0 for n in version)))
    if counts:
        reactions = counts.get("reactions")
        said = json.dumps(reactions, sort_keys=True).encode()
        own = hash((own, zlib.crc32(said))) if reactions else 0
    return about, own
