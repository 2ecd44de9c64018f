"""One person: whom a command means, what tells who that is, what stays of objects without them.

The latter of updates, and of a Parquet itself where a day's raw objects are no longer all there.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tgpipeline.errors import LakeError, SettingsError
from tgpipeline.etl import reading
from tgpipeline.etl.pseudonyms import Pseudonyms
from tgpipeline.lake import documents, keys
from tgpipeline.lake.authors import NOBODY
from tgpipeline.lake.erasing import FOREVER, GONE, WORD, Erased, hashed, objects_in
from tgpipeline.privacy.buckets import SENTENCES, Buckets, Stored, holds, table_in
from tgpipeline.telegram.updates import integer, sub

TELLING = 12  # characters; shorter texts are said by many
COMMON = 20  # texts: a name that is in so many, and in one of 50, is a word (Rosa, Cliente)
_NAMED = ("first_name", "last_name", "title")
_OWN = ("author_id", "from_id", "target_user_id", "chat_id")
_ADDRESSED = ("reply_to_from_id", "via_bot_id")
_SAID = "text caption bot_command chat_title topic_name new_value old_value".split()


@dataclass(frozen=True)
class Request:
    """Whom to look for.

    Attributes:
        user_id: of the person.
        until: Unix seconds; what is dated later counts as anybody's.
        chat_id: in one chat alone; in all where it is 0.
        limited: whether only a part of what is theirs is meant.

    Raises:
        SettingsError: if the user's id is a chat's or nobody's, or the chat's is a user's.
    """

    user_id: int
    until: int
    chat_id: int = 0
    limited: bool = False

    def __post_init__(self) -> None:
        wrong = {"chat_as_user": self.user_id <= 0, "nobody": self.user_id in NOBODY}
        wrong["user_as_chat"] = self.chat_id > 0
        for why in (why for why, is_so in wrong.items() if is_so):
            raise SettingsError(SENTENCES[why].format(self))

    def erased(self, key: bytes, words: Iterable[str], pseudonyms: Pseudonyms) -> Erased:
        """Who is meant, as the ETL reads it from a marker.

        Args:
            key: of the hashes.
            words: hashes of their names, as `hashed_names` makes them; they count whenever said.
            pseudonyms: of the tables.
        """
        ids = [(self.user_id, self.chat_id)]
        ids += [(pseudonyms.id(user), chat and pseudonyms.id(chat)) for user, chat in ids]
        until = {(hashed(key, user), chat): self.until for user, chat in ids}
        return Erased(key, until, dict.fromkeys(words, FOREVER))


class Known:
    """What tells who somebody is: learned from everything in the lake that bears their id.

    Args:
        user_id: of the person.
        buckets: both.
        objects: what is in them.

    Attributes:
        own: their names as a whole, each word of these, usernames with @, and ids of their polls.
        others: the names of other people and of chats.
        texts: what they wrote.
        said: hashes of what others wrote themselves.
        spoken: in how many of these texts a word is.
        shared: names that others bear, or that the group uses as a word: these stay.
        names: what is theirs alone: id, names, words of these, usernames, ids of polls.
        telling: their longer texts, but for those that others wrote, too.
    """

    def __init__(self, user_id: int, buckets: Buckets, objects: Iterable[Stored]) -> None:
        self.user_id, self.own, self.others = user_id, set[str](), set[str]()
        self.texts, self.said, self.spoken = set[str](), set[int](), Counter[str]()
        for one, found in buckets.bodies(o for o in objects if o.latest and lake_day(o.key)):
            table = table_in(found.body)
            for row in table.to_pylist() if table else ():
                user = {name[5:]: row[name] for name in row if name.startswith("from_")}
                passed_on = row.get("forward_origin_type")
                self._learn(row | {"message_id": 0, "from": user, "forward_origin": passed_on})
            for document in documents_in(one.key, found.body) if table is None else ():
                with suppress(RecursionError):  # too deeply nested to be anybody's
                    self._learn((document.update or {}).get(document.kind, {}))
        self.own.discard("")  # of messages without a poll, and of names without a letter
        often = max(COMMON, len(self.said) // 50)
        self.shared = {n for n in self.own if n in self.others or self.spoken[n] >= often}
        self.names = {n for n in self.own - self.shared if len(n) > 1} | {str(user_id)}
        self.telling = {t for t in self.texts if len(t) >= TELLING and hash(t) not in self.said}

    def _learn(self, content: dict[str, Any]) -> None:
        """Learn from what an update holds."""
        for value in objects_in(content):
            if integer(value.get("id")) is not None and ("first_name" in value or "title" in value):
                (self.own if value["id"] == self.user_id else self.others).update(_names_of(value))
            if "message_id" not in value or not value.get("from"):
                continue
            texts = [text for text in map(value.get, ("text", "caption")) if type(text) is str]
            passes_on = value.get("forward_origin") or value.get("forward_from")
            if sub(value, "from").get("id") == self.user_id:
                self.texts.update(texts)
                self.own.add(str(sub(value, "poll").get("id", "")))
            elif value is content and not passes_on:
                self.said.update(map(hash, texts))
                self.spoken.update(word for text in texts for word in set(WORD.findall(text)))


def _names_of(user: dict[str, Any]) -> set[str]:
    """The names of a user or chat."""
    words = WORD.findall(" ".join(str(user.get(part) or "") for part in _NAMED))
    names = {" ".join(words), *(word for word in words if len(word) > 2)}
    return names | ({f"@{str(user['username']).lower()}"} if user.get("username") else set())


class Remover:
    """Takes a person out of objects.

    Args:
        erased: who is meant, in which chat, until when.
        telling: texts of theirs, which others may have passed on.

    Attributes:
        counts: how many updates were left out, how many changed.
    """

    def __init__(self, erased: Erased, telling: Collection[str] = ()) -> None:
        self._erased, self._telling, self.counts = erased, telling, Counter[str]()

    def rest(self, key: str, body: bytes) -> bytes:
        """An object of a day without the person: the same bytes if nothing is theirs."""
        day, table = keys.day_of(key), table_in(body)
        if table is not None:
            rows = table.to_pylist()
            kept = [rest for rest in (self.row(row, day) for row in rows) if rest]
            if kept != rows:
                sink = pa.BufferOutputStream()
                pq.write_table(pa.Table.from_pylist(kept, table.schema), sink, compression="zstd")
                body = sink.getvalue().to_pybytes()
            return body
        rests = [(one.body, self.update(one, day)) for one in documents_in(key, body)]
        changed = [rest for whole, rest in rests if rest is not whole]
        self.counts.update("own" if rest is None else "mixed" for rest in changed)
        end = b"\n" if documents.form_of(key).many else b""
        return b"".join(rest + end for _, rest in rests if rest is not None) if changed else body

    def update(self, document: documents.Document, day: date) -> bytes | None:
        """The bytes of one update without the person: the same object if nothing is theirs.

        Args:
            document: the update, or what cannot be read as one.
            day: whose partition it lies in.

        Returns:
            None if nothing stays.
        """
        rest = reading.without_erased(document, self._erased, day)
        if rest is None or (rest.update is None and holds(rest.body, self._erased)):
            return None  # nobody can take a person out of what cannot be read
        return rest.body

    def row(self, row: dict[str, Any], day: date) -> dict[str, Any] | None:
        """A row of a day's table without the person; None if it is theirs."""
        midnight = int(datetime.combine(day, time(), UTC).timestamp())  # as for updates
        when = row.get("date") or midnight
        here = replace(self._erased, chat=row.get("chat_id") or 0)
        theirs = {name for name in (*_OWN, *_ADDRESSED) if here.is_person(row.get(name), when)}
        if theirs.intersection(_OWN):
            return None
        rest = row | dict.fromkeys(theirs)
        for name in _SAID:
            if said := row.get(name):
                rest[name] = GONE if said in self._telling else here.masked(said, when)
        if payload := row.get("payload"):
            left = self.update(documents.document_of("history-", payload.encode()), day)
            return rest | {"payload": left.decode()} if left else None
        return rest


def lake_day(key: str) -> date | None:
    """The day whose updates or tables an object holds; None for quarantine, markers, others."""
    with suppress(LakeError):
        return keys.day_of(key) if key.startswith(f"{keys.RAW}/") else None
    return None


def documents_in(key: str, body: bytes) -> Iterator[documents.Document]:
    """The updates in an object of the raw zone, one or many."""
    lines = body.split(b"\n") if documents.form_of(key).many else [body]
    return (documents.document_of(key.rsplit("/")[-1], line) for line in lines if line.strip())
