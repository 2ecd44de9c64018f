"""Writing imported messages into the raw zone, each version of a message once.

A day's lines are gathered and written as few objects of bounded size. What earlier imports wrote is
known by a hash per line, read when a day is first touched and then kept, so that importing the
same or a newer export adds only what is not there. Each line says which version of
the converter made it (`converter`) and which import of its day it came with (`import`): of two
lines about the same edit of a message, the greater converter counts, then the later import.
"""

import json
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial

from obstore.store import ObjectStore

from tgpipeline.history.convert import VERSION
from tgpipeline.lake import keys, stores
from tgpipeline.lake.documents import read_json
from tgpipeline.lake.erasing import as_bytes
from tgpipeline.telegram.updates import Update, integer, sub

WAITING = 16 << 20  # bytes that wait for the rest of their day
WRITERS = 8  # objects that are written at once


class HistoryLines:
    """Gathers lines by day and writes them; `flush` writes the last ones.

    Args:
        store: the raw bucket.

    Attributes:
        new: lines that were not there.
        present: lines that an earlier import had written.
        objects: objects written.
    """

    def __init__(self, store: ObjectStore) -> None:
        self.new = self.present = self.objects = self._waiting = 0
        self._store = store
        # Of each day, the number of this import; 0 where earlier ones have not been read yet.
        self._imports = dict.fromkeys(stores.list_days(store), 0)
        self._marks: dict[int, int] = {}  # what `marks_of` says of each line of earlier ones
        # A list of small lines would take ten times as much memory.
        self._lines: defaultdict[date, bytearray] = defaultdict(bytearray)

    def add(self, day: date, line: Update) -> None:
        """Add one line, unless an earlier import by the same converter brought what it says.

        Args:
            day: whose partition it belongs to.
            line: `{"message": …}` or `{"message_reaction_count": …}`. Counts that are empty are
                only added where an earlier import brought others.
        """
        if not self._imports.setdefault(day, 1):
            self._imports[day] = self._read_earlier(day) + 1
        line |= {"converter": VERSION, "import": self._imports[day]}
        about, said = marks_of(day, line)
        if self._marks.get(about, 0) == said:
            self.present += said != 0  # 0: there is nothing to say
            return
        body = as_bytes(line) + b"\n"
        self.new += 1
        self._lines[day] += body
        self._waiting += len(body)
        if self._waiting >= WAITING:
            self.flush()

    def flush(self) -> None:
        """Write all that waits, and see that it has arrived."""
        bodies = {keys.history_key(bytes(b), day): bytes(b) for day, b in self._lines.items()}
        with ThreadPoolExecutor(WRITERS) as pool:  # not in parts: they would stay where one fails
            list(pool.map(partial(self._store.put, use_multipart=False), bodies, bodies.values()))
        self.objects += len(bodies)
        self._lines.clear()
        self._waiting = 0

    def _read_earlier(self, day: date) -> int:
        """Mark what earlier imports wrote of a day; the number of the latest one."""
        found: list[tuple[int, int, int]] = []
        for path in stores.paths(self._store, keys.partition(keys.RAW, day)):
            if "/history-" in path:
                body = self._store.get(path).bytes().to_bytes()
                for line in map(read_json, body.splitlines()):
                    found.append((integer(line.get("import")) or 0, *marks_of(day, line)))
        self._marks |= {about: said for _, about, said in sorted(found)}  # the latest counts
        return max((number for number, *_ in found), default=0)


def marks_of(day: date, line: Update) -> tuple[int, int]:
    """What a line of a day is about, and what it says of that: two hashes.

    Names, titles and counts of votes change from export to export, a message's version does not:
    a line with a message is about that version, and always says the same. The hash of empty counts
    of reactions is 0.
    """
    counts, converter = sub(line, "message_reaction_count"), line.get("converter")
    message = counts or sub(line, "message")
    about = day, integer(sub(message, "chat").get("id")), integer(message.get("message_id"))
    if counts:
        told = json.dumps(counts.get("reactions"), sort_keys=True), converter
        return hash(about), hash(told) if counts.get("reactions") else 0
    version = (message.get("edit_date"), message.get("message_thread_id"), converter)
    return hash((*about, *(integer(number) or 0 for number in version))), 1
