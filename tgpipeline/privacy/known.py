"""What tells who somebody is: learned from everything in the lake that bears their id."""

import io
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tgpipeline.lake.erasing import WORD, objects_in
from tgpipeline.privacy.buckets import Buckets, Stored, day_of, documents_in
from tgpipeline.telegram.updates import integer, sub

TELLING = 12  # characters; shorter texts are said by many
COMMON = 20  # texts: a name that is in so many, and in one of 50, is a word (Rosa, Cliente)
_NAMED = ("first_name", "last_name", "title")
_COLUMNS = (
    "from_id from_first_name from_last_name from_username text caption forward_origin_type".split()
)


@dataclass
class Known:
    """What tells who somebody is.

    Attributes:
        user_id: of the person.
        own: their names as a whole, each word of these, and usernames with @.
        others: the same of other people and of chats.
        polls: ids of the polls they made.
        texts: what they wrote.
        said: hashes of what others wrote themselves.
        spoken: in how many of these texts a word is.
    """

    user_id: int
    own: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    polls: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    said: set[int] = field(default_factory=set)
    spoken: Counter[str] = field(default_factory=Counter)

    def name(self, user: dict[str, Any], *, own: bool) -> None:
        """Learn from a user or chat."""
        words = WORD.findall(" ".join(str(user.get(part) or "") for part in _NAMED))
        names = {" ".join(words), *(word for word in words if len(word) > 2)}
        if user.get("username"):
            names.add(f"@{str(user['username']).lower()}")
        (self.own if own else self.others).update(names)

    def text(self, text: Any, *, own: bool) -> None:
        """Learn a text."""
        if type(text) is str and own:
            self.texts.add(text)
        elif type(text) is str:
            self.said.add(hash(text))
            self.spoken.update(set(WORD.findall(text)))

    @property
    def shared(self) -> set[str]:
        """Names that others bear, or that the group uses as a word: these stay."""
        often = max(COMMON, len(self.said) // 50)
        return {name for name in self.own if name in self.others or self.spoken[name] >= often}

    @property
    def phrases(self) -> set[str]:
        """What is theirs alone: id, names, words of these, ids of polls."""
        names = {n for n in self.own - self.shared if len(n) > 1 and n[0] != "@"}
        return {str(self.user_id)} | names | self.polls

    @property
    def usernames(self) -> set[str]:
        """Usernames that nobody else has taken since."""
        return {name[1:] for name in self.own - self.others if name[:1] == "@"}

    @property
    def telling(self) -> set[str]:
        """Their longer texts, but for those that others wrote, too."""
        return {t for t in self.texts if len(t) >= TELLING and hash(t) not in self.said}


def learn(
    buckets: Buckets, user_id: int, raw: Iterable[Stored], enriched: Iterable[Stored]
) -> Known:
    """What tells who somebody is, from all that the lake holds.

    Args:
        buckets: both.
        user_id: of the person.
        raw: the raw bucket's objects.
        enriched: the enriched bucket's.
    """
    known = Known(user_id)
    for one, found in buckets.bodies(one for one in raw if day_of(one.key)):
        for document in documents_in(one.key, found.body):
            with suppress(RecursionError):  # too deeply nested to be anybody's
                _learn(known, (document.update or {}).get(document.kind, {}))
    tables = (o for o in enriched if "/messages/" in o.key and o.key.endswith(".parquet"))
    for _, found in buckets.bodies(tables):
        with suppress(pa.ArrowException, OSError):  # not ours; it is searched all the same
            file = pq.ParquetFile(io.BytesIO(found.body))
            for row in file.read(_COLUMNS, use_threads=False).to_pylist():
                user = {name[5:]: row[name] for name in _COLUMNS if name.startswith("from_")}
                passed_on = row["forward_origin_type"]
                _learn(known, row | {"message_id": 0, "from": user, "forward_origin": passed_on})
    return known


def _learn(known: Known, content: dict[str, Any]) -> None:
    for value in objects_in(content):
        if integer(value.get("id")) is not None and ("first_name" in value or "title" in value):
            known.name(value, own=value["id"] == known.user_id)
        if "message_id" not in value or not value.get("from"):
            continue
        own = sub(value, "from").get("id") == known.user_id
        passes_on = value.get("forward_origin") or value.get("forward_from")
        if own or (value is content and not passes_on):
            known.text(value.get("text"), own=own)
            known.text(value.get("caption"), own=own)
        if own and sub(value, "poll"):
            known.polls.add(str(value["poll"].get("id")))
