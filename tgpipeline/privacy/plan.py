"""Whom an erasure means, and what it touches: nothing is changed here."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from tgpipeline.lake import documents, keys
from tgpipeline.lake.erasing import Find, Person, as_bytes
from tgpipeline.privacy import search
from tgpipeline.privacy.buckets import Stored, documents_in
from tgpipeline.telegram.updates import sub


@dataclass(frozen=True)
class Request:
    """Whom to look for.

    Attributes:
        user_id: of the person.
        until: Unix seconds; what is dated later counts as anybody's.
        chat_id: in one chat alone; in all where it is 0.
        limited: whether only a part of what is theirs is meant.
    """

    user_id: int
    until: int
    chat_id: int = 0
    limited: bool = False

    def is_person(self, number: Any, when: int | None) -> bool:
        """Whether an id, at that time, is theirs."""
        return number == self.user_id and (when is None or when < self.until)


@dataclass
class Plan:
    """What an erasure touches.

    Attributes:
        own: raw objects that go as a whole.
        mixed: raw objects that are written anew without the person.
        other: objects that only hold something of them and go: quarantine, markers, query results.
        days: days whose Parquet is made anew.
        expired: days whose Parquet was made from more than is left: it is filtered.
        updates: how many updates are left out, and how many changed.
    """

    own: list[Stored] = field(default_factory=list)
    mixed: list[Stored] = field(default_factory=list)
    other: list[Stored] = field(default_factory=list)
    days: set[date] = field(default_factory=set)
    expired: set[date] = field(default_factory=set)
    updates: Counter[str] = field(default_factory=Counter)

    @property
    def objects(self) -> list[Stored]:
        """All but the tables."""
        return [*self.own, *self.mixed, *self.other]

    def __bool__(self) -> bool:
        return bool(self.objects or self.days)

    def __str__(self) -> str:
        return (
            f"{self.updates['own']:,} updates are their own, {self.updates['mixed']:,} of others "
            f"say something of them: {len(self.own):,} raw objects to delete, {len(self.mixed):,} "
            f"to rewrite; {len(self.other):,} others (quarantine, markers, results of queries) to "
            f"delete; {len(self.days):,} days of Parquet to make anew, {len(self.expired):,} of "
            "these filtered, because their raw objects expired"
        )


@dataclass(frozen=True)
class Rewriter:
    """Takes the person out of raw objects.

    Attributes:
        request: whom, and in which chat.
        find: finds what tells who they are.
        counts: how many updates were left out, how many changed.
    """

    request: Request
    find: Find
    counts: Counter[str] = field(default_factory=Counter)

    def rewritten(self, key: str, body: bytes) -> bytes:
        """The bytes without the person: the same object if nothing is theirs."""
        midnight = int(datetime.combine(keys.day_of(key), time(), UTC).timestamp())
        kept: list[bytes] = []
        changed = False
        for document in documents_in(key, body):
            rest = self.rest(document, midnight)
            if rest is not document.body:
                self.counts["own" if rest is None else "mixed"] += 1
                changed = True
            kept += [] if rest is None else [rest]
        if not changed:
            return body
        many = documents.form_of(key.rsplit("/", 1)[-1]).many
        return b"".join(line + b"\n" for line in kept) if many else b"".join(kept)

    def rest(self, document: documents.Document, received: int | None = None) -> bytes | None:
        """The bytes of one update without the person: the same object if nothing is theirs.

        Args:
            document: the update, or what cannot be read as one.
            received: Unix seconds, where it bears no date.

        Returns:
            None if nothing stays.
        """
        update, person = document.update, Person(self.request.is_person, self.find)
        content = (update or {}).get(document.kind, {})
        chat = sub(content, "chat") or sub(content, "message", "chat")
        if update and self.request.chat_id and chat.get("id") != self.request.chat_id:
            return document.body
        try:
            rest = person.without(update, document.kind, received) if update else update
        except RecursionError:  # as the ETL puts it into quarantine
            update = rest = None
        if update is None:  # nobody can take a person out of what cannot be read
            return None if search.holds(document.body, self.find) else document.body
        if rest is None or rest is update:
            return None if rest is None else document.body
        return as_bytes(rest["message"] if document.source == "sent" else rest)
