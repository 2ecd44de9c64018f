"""Whom an erasure means, and what it touches: nothing is changed here."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from tgpipeline.errors import SettingsError
from tgpipeline.lake.authors import NOBODY
from tgpipeline.privacy.buckets import Stored


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
        if self.user_id <= 0:
            raise SettingsError(f"--user {self.user_id} is a chat's id: people's are positive.")
        if self.user_id in NOBODY:
            raise SettingsError(f"--user {self.user_id} is Telegram's own: it stands for many.")
        if self.chat_id > 0:
            raise SettingsError(f"--chat {self.chat_id} is a person's id: groups' are negative.")


@dataclass
class Plan:
    """What an erasure touches.

    Attributes:
        own: raw objects that go as a whole.
        mixed: raw objects that are written anew without the person.
        other: objects that only hold something of them and go: quarantine, markers, query results.
        former: versions that are no longer what an object holds, and that hold something of them.
        days: days whose Parquet is made anew.
        expired: days whose Parquet was made from more than is left: it is filtered.
        updates: how many updates are left out, and how many changed.
    """

    own: list[Stored] = field(default_factory=list)
    mixed: list[Stored] = field(default_factory=list)
    other: list[Stored] = field(default_factory=list)
    former: list[Stored] = field(default_factory=list)
    days: set[date] = field(default_factory=set)
    expired: set[date] = field(default_factory=set)
    updates: Counter[str] = field(default_factory=Counter)

    @property
    def objects(self) -> list[Stored]:
        """All but the tables."""
        return [*self.own, *self.mixed, *self.other, *self.former]

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
