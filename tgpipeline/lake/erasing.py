"""An update without somebody: what stays of it once a person's data is taken out. No I/O.

An update that is the person's own goes as a whole. Of one that is somebody else's, what is theirs
stays: whom it answers, quotes, forwards, mentions or adds is not said any more.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from tgpipeline.telegram.content import objects
from tgpipeline.telegram.updates import ENVELOPE, Update, chat_id, event_date, integer, sub

GONE = "…"
FOREVER = 2**63  # Unix seconds
WORD = re.compile(r"\w+")
# What tells who somebody is inside a text, for reports and pseudonymous tables: e-mail addresses,
# @names, and long numbers: telephones, documents (CPF, CNPJ), cards, orders.
REVEALING = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|@\w{3,}|\+?\(?\d[\d .()-]{3,}\d")
LONGEST = 16  # words of a name; each of a longer one is a name, too
# Fields whose strings are Telegram's words, not people's.
_CODES = "type status language_code file_id file_unique_id mime_type emoji currency payload".split()
_KEPT_OF_MESSAGE = ("message_id", "message_thread_id", "date", "chat", "forum_topic_created")
_WORDS_OF_OTHERS = frozenset("caption entities caption_entities quote reply_markup".split())
_HUSK: dict[type, Any] = {str: GONE, dict: {"erased": True}, list: [{"erased": True}]}
_USERS = "from user source.user boost.source.user new_chat_member.user chat".split()


def objects_in(value: Any) -> Iterator[Update]:
    """Every object inside an update, itself included."""
    if type(value) is dict:
        yield value
        value = list(value.values())
    if type(value) is list:
        for item in value:
            yield from objects_in(item)


def as_bytes(value: Any) -> bytes:
    """JSON, UTF-8; escaped where it holds half of a surrogate pair."""
    try:
        return json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(value).encode()


def _blank(text: str, entity: Update) -> str:
    """A text whose units (UTF-16) under an entity are gone."""
    start, length = (max(0, integer(entity.get(name)) or 0) for name in ("offset", "length"))
    units = bytearray(text, "utf-16-le", "surrogatepass")
    there = slice(2 * start, 2 * (start + length))
    units[there] = GONE.encode("utf-16-le") * (len(units[there]) // 2)
    return units.decode("utf-16-le", "surrogatepass")


@lru_cache(200_000)  # the words of a group are few, and each costs microseconds
def hashed(key: bytes, what: object) -> str:
    """What stands in markers for an erased person, or for a name: 128 bits of an HMAC."""
    return hmac.new(key, str(what).encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]


def hashed_names(key: bytes, names: Collection[str]) -> set[str]:
    """What a marker keeps of names, for `Erased` to find them again without telling them.

    Args:
        key: of the hashes.
        names: names, and usernames with @.

    Returns:
        Hashes: of usernames, of names, and of `^` and a name's first word.
    """
    said = {name.lower() for name in names if name.startswith("@")}
    for words in (WORD.findall(name)[:LONGEST] for name in names if not name.startswith("@")):
        said |= {f"^{words[0]}", " ".join(words)} if words else set()
    return {hashed(key, one) for one in said}


@dataclass(frozen=True)
class Erased:
    """Who was erased, and until when.

    Attributes:
        key: of the hashes; empty where nobody was erased.
        until: by hash and chat (0 for all), the Unix second before which nothing counts.
        words: by hash as in `hashed_names`, that second.
        listed: paths and ETags of the markers: others mean that somebody is being erased.
        chat: that of the update which is looked at.
    """

    key: bytes = field(default=b"", repr=False)
    until: Mapping[tuple[str, int], int] = field(default_factory=dict)
    words: Mapping[str, int] = field(default_factory=dict)
    listed: frozenset[tuple[str, str]] = frozenset()
    chat: int = 0

    def __bool__(self) -> bool:
        return bool(self.until)

    def without(self, update: Update, kind: str, received: int | None = None) -> Update | None:
        """The update without these people.

        Args:
            update: as Telegram sent it, or a line of an import.
            kind: its field that holds what happened.
            received: Unix seconds, where the update bears no date.

        Returns:
            The same object if it does not concern them; None if it is their own.
        """
        content = update[kind]
        when = event_date(content) or received
        here = replace(self, chat=chat_id(update) or 0)
        their_poll = kind == "poll" and here._is_named(content.get("id"), when)
        if their_poll or any(here._is(sub(content, *path.split(".")), when) for path in _USERS):
            return None
        rest = {**update, kind: here._scrub(content, when)}
        return update if rest == update else rest

    def is_person(self, number: Any, when: int | None) -> bool:
        """Whether an id, at that time, is of one of them."""
        name = hashed(self.key, number) if type(number) is int else ""
        until = max(self.until.get((name, chat), 0) for chat in (0, self.chat))
        return until > max(when or 0, 0)

    def _is(self, user: Update, when: int | None) -> bool:
        return self.is_person(integer(user.get("id")), when)

    def _scrub(self, value: Any, when: int | None, name: str = "") -> Any:
        if type(value) is str:
            return self.masked(value, when) if name not in _CODES else value
        if type(value) is list:
            kept = [v for v in value if name != "user_ids" or not self.is_person(v, when)]
            return [self._scrub(item, when, name) for item in kept]
        if type(value) is not dict:
            return value
        when = event_date(value) or when
        if self._is(value, when) or self.is_person(value.get("user_id"), when):  # or a contact
            return {k: value[k] for k in ("is_bot", "type") if k in value} | {"first_name": GONE}
        return {k: self._scrub(v, when, k) for k, v in self._of_others(value, when).items()}

    def _of_others(self, value: Update, when: int | None) -> Update:
        """An object without the words that are this person's."""
        if "message_id" in value and self._wrote(value, when):
            return {k: value[k] for k in _KEPT_OF_MESSAGE if k in value}
        answered = sub(value, "reply_to_message"), sub(value, "external_reply", "origin")
        if any(self._wrote(one, when) for one in answered):
            value = {k: v for k, v in value.items() if k != "quote"}
        if self._wrote(sub(value, "origin"), when):
            value = {"origin": value["origin"]}
        passed_on = sub(value, "forward_origin"), sub(value, "forward_from")
        if any(self._wrote(one, when) for one in passed_on):
            rest = {k: v for k, v in value.items() if k not in _WORDS_OF_OTHERS}
            value = {k: v if k in ENVELOPE else _HUSK.get(type(v), True) for k, v in rest.items()}
        for text, entities in (("text", "entities"), ("caption", "caption_entities")):
            for entity in objects(value.get(entities)):
                if type(value.get(text)) is str and self._is(sub(entity, "user"), when):
                    value = {**value, text: _blank(value[text], entity)}
        return value

    def _wrote(self, what: Update, when: int | None) -> bool:
        """Whether a message, what is said of a forwarded one, or a user is one of them."""
        if not what:
            return False
        when = event_date(what) or when
        users = what, sub(what, "from"), sub(what, "sender_user")
        hidden = what.get("sender_user_name")
        return any(self._is(user, when) for user in users) or self._is_named(hidden, when)

    def _is_named(self, name: Any, when: int | None) -> bool:
        """Whether a name (of a hidden forward, of a poll) says nothing but who they are."""
        text = str(name or "")
        return bool(WORD.search(text)) and not WORD.search(self.masked(text, when))

    def masked(self, text: str, when: int | None = None) -> str:
        """A text without their id, usernames and names, as long as before, for the offsets."""
        letters = list(text)
        for start, end in self.find(text, when):  # in UTF-16 some letters are two
            letters[start:end] = [GONE * (1 + (one > "\uffff")) for one in text[start:end]]
        return "".join(letters)

    def find(self, text: str, when: int | None = None) -> Iterator[tuple[int, int]]:
        """Where a text says names of who was erased after it was written.

        >>> erased = Erased(b"k", words=dict.fromkeys(hashed_names(b"k", ["Bia Sá", "@b_n"]), 9))
        >>> list(erased.find("a Bia-Sá é @B_n, não Biatriz Sá"))
        [(2, 8), (12, 15)]
        """
        words = list(WORD.finditer(text)) if self.words else []
        for number, word in enumerate(words):
            if self._knows(f"@{word[0].lower()}", when):
                yield word.span()
            longest = LONGEST if hashed(self.key, f"^{word[0]}") in self.words else 0
            for last in words[number : number + longest]:
                said = " ".join(WORD.findall(text[word.start() : last.end()]))
                if self._knows(said, when):
                    yield word.start(), last.end()

    def _knows(self, said: str, when: int | None) -> bool:
        return self.words.get(hashed(self.key, said), 0) > max(when or 0, 0)
