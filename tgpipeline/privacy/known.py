"""What tells who somebody is: learned from everything in the lake that bears their id."""

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tgpipeline.lake.erasing import WORD, objects_in
from tgpipeline.privacy import search
from tgpipeline.privacy.buckets import Buckets, Stored, documents_in, lake_day
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

    def learn(self, content: dict[str, Any]) -> None:
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
                self.polls.update(str(poll.get("id")) for poll in [sub(value, "poll")] if poll)
            elif value is content and not passes_on:
                self.said.update(map(hash, texts))
                self.spoken.update(word for text in texts for word in set(WORD.findall(text)))

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


def learn(buckets: Buckets, user_id: int, objects: Iterable[Stored]) -> Known:
    """What tells who somebody is, from all that the lake holds.

    Args:
        buckets: both.
        user_id: of the person.
        objects: what is in them.
    """
    known = Known(user_id)
    telling = (o for o in objects if o.latest and lake_day(o.key) and "/events/" not in o.key)
    for one, found in buckets.bodies(telling):
        if one.bucket == buckets.raw:
            for document in documents_in(one.key, found.body):
                with suppress(RecursionError):  # too deeply nested to be anybody's
                    known.learn((document.update or {}).get(document.kind, {}))
        elif table := search.table_in(found.body, _COLUMNS):
            for row in table.to_pylist():
                user = {name[5:]: row[name] for name in _COLUMNS if name.startswith("from_")}
                passed_on = row["forward_origin_type"]
                known.learn(row | {"message_id": 0, "from": user, "forward_origin": passed_on})
    return known


def _names_of(user: dict[str, Any]) -> set[str]:
    """The names of a user or chat."""
    words = WORD.findall(" ".join(str(user.get(part) or "") for part in _NAMED))
    names = {" ".join(words), *(word for word in words if len(word) > 2)}
    return names | ({f"@{str(user['username']).lower()}"} if user.get("username") else set())
