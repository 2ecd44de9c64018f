"""What tells who somebody is: learned from everything in the lake that bears their id."""

import io
import re
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tgpipeline.lake import keys
from tgpipeline.lake.erasing import objects_in
from tgpipeline.privacy import search
from tgpipeline.privacy.survey import Lake, Request, documents_in
from tgpipeline.telegram.updates import integer, sub

LONG = 12  # characters; shorter texts are said by many
COMMON = 20  # texts: a name that is in so many, and in one of 50, is a word (Rosa, Cliente)


@dataclass
class Known:
    """What tells who somebody is, gathered from everything that bears their id."""

    words: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    usernames: set[str] = field(default_factory=set)
    polls: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)  # words of other people's names
    said: set[int] = field(default_factory=set)  # hashes of what others wrote themselves
    spoken: Counter[str] = field(default_factory=Counter)  # in how many of their texts a word is

    def name(self, user: dict[str, Any], *, own: bool) -> None:
        """Learn from a user object."""
        first, last = (str(user.get(part) or "") for part in ("first_name", "last_name"))
        words = {word for word in f"{first} {last}".split() if len(word) > 2}
        if own:
            self.words |= words
            self.names |= {f"{first} {last}".strip()} - {""}
            self.usernames |= {str(user["username"])} if user.get("username") else set()
        else:
            self.others |= words | {f"{first} {last}".strip()}

    def text(self, text: Any, *, own: bool) -> None:
        """Learn a text."""
        if type(text) is str and own:
            self.texts.add(text)
        elif type(text) is str:
            self.said.add(hash(text))
            self.spoken.update(set(text.split()))

    @property
    def shared(self) -> set[str]:
        """Words of their name that others bear, or that the group uses as a word: these stay."""
        often = max(COMMON, len(self.said) // 50)
        return {w for w in self.words if w in self.others or self.spoken[w] >= often}

    @property
    def whole(self) -> set[str]:
        """Their whole names that nobody else bears, and that are no such word."""
        return {n for n in self.names - self.others - self.shared if len(n) > 1}

    def identifying(self, user_id: int) -> "re.Pattern[str] | None":
        """Finds their id, usernames, and what of their names is theirs alone."""
        own = {str(user_id)} | self.whole | (self.words - self.shared)
        return search.pattern(own, self.usernames)

    def proof(self, user_id: int) -> "re.Pattern[str] | None":
        """Finds their longer texts as well, but for those that others wrote, too."""
        texts = {t for t in self.texts if len(t) >= LONG and hash(t) not in self.said}
        found = search.pattern(texts)
        both = (self.identifying(user_id), found)
        return re.compile("|".join(p.pattern for p in both if p)) if any(both) else None


def learn(lake: Lake, request: Request, raw: Iterable[str], enriched: Iterable[str]) -> Known:
    """What tells who somebody is, from all that the lake holds.

    Args:
        lake: both buckets.
        request: whom.
        raw: keys of the raw bucket.
        enriched: keys of the enriched bucket.
    """
    known = Known()
    for key, body in lake.read(lake.settings.raw_bucket, (k for k in raw if _is_raw(k))):
        for document in documents_in(key, body):
            with suppress(RecursionError):  # too deeply nested to be anybody's
                _learn(known, (document.update or {}).get(document.kind, {}), request.user_id)
    tables = [k for k in enriched if "/messages/" in k and k.endswith(".parquet")]
    columns = "from_id from_first_name from_last_name from_username text caption".split()
    for _, body in lake.read(lake.settings.enriched_bucket, tables):
        try:
            rows = pq.ParquetFile(io.BytesIO(body)).read(columns).to_pylist()
        except (pa.ArrowException, OSError):
            continue  # of somebody else; its bytes are searched all the same
        for row in rows:
            own = row.get("from_id") == request.user_id
            known.name({name[5:]: value for name, value in row.items() if value}, own=own)
            known.text(row.get("text"), own=own)
            known.text(row.get("caption"), own=own)
    return known


def _is_raw(key: str) -> bool:
    return key.startswith(f"{keys.RAW}/")


def _learn(known: Known, content: dict[str, Any], user_id: int) -> None:
    for value in objects_in(content):
        if integer(value.get("id")) is not None and "first_name" in value:
            known.name(value, own=value["id"] == user_id)
        if "message_id" not in value or not value.get("from"):
            continue
        own = sub(value, "from").get("id") == user_id
        if own or (value is content and not _passes_on(value)):
            known.text(value.get("text"), own=own)
            known.text(value.get("caption"), own=own)
        if own and sub(value, "poll"):
            known.polls.add(str(value["poll"].get("id")))


def _passes_on(message: dict[str, Any]) -> bool:
    return "forward_origin" in message or "forward_from" in message
