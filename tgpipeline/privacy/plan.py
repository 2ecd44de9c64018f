"""Whom an erasure means, what it touches, and what it leaves behind.

It leaves hashes of who is erased, and a record without anything of them.
"""

import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import obstore

from tgpipeline.errors import LakeError, SettingsError
from tgpipeline.lake import keys, stores
from tgpipeline.lake.authors import NOBODY
from tgpipeline.lake.erasing import hashed
from tgpipeline.privacy.buckets import SENTENCES, Buckets, Stored

_SECRET = f"{keys.ERASED}/key"


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
        for why in (why for why, holds in wrong.items() if holds):
            raise SettingsError(SENTENCES[why].format(self))


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
        names = ("own", "mixed", "other", "days", "expired")
        counts = {name: len(getattr(self, name)) for name in names}
        return SENTENCES["plan"].format(self, **counts)


class Marker:
    """Says until when nothing of a person counts; the ETL and `import` read it.

    Args:
        buckets: both; the marker is in the raw one.
        request: whom it means.

    Attributes:
        secret: key of the hashes.
        words: hashes of names, as `hashed_names` makes them, an earlier run's included.
        days: those that an earlier run has left to be made.
        expired: those of these whose Parquet is to be filtered.
    """

    def __init__(self, buckets: Buckets, request: Request) -> None:
        self._buckets = buckets
        self.secret = self._stored(_SECRET) or secrets.token_bytes(32)
        self._key = keys.erased_key(hashed(self.secret, request.user_id), request.chat_id)
        marker: dict[str, Any] = {}
        with suppress(ValueError):
            marker = json.loads(self._stored(self._key) or b"{}")
        self.words: dict[str, int] = marker.get("words", {})
        self._until = max(request.until, marker.get("until", 0))
        self.days = set(map(date.fromisoformat, marker.get("days", ())))
        self.expired = set(map(date.fromisoformat, marker.get("expired", ())))

    def _stored(self, key: str) -> bytes:
        return self._buckets.get(Stored(self._buckets.raw, key)).body

    def learn(self, words: dict[str, int]) -> dict[str, int]:
        """Keep more hashes of names; returns all of them."""
        self.words |= {name: max(size, self.words.get(name, 0)) for name, size in words.items()}
        return self.words

    def put(self, days: Collection[date] = (), expired: Collection[date] = ()) -> None:
        """Write it, with the days that are still to be made.

        Raises:
            LakeError: if another erasure has made a key meanwhile.
        """
        buckets = self._buckets
        stores.put_new(buckets.s3, buckets.raw, _SECRET, self.secret)
        if self._stored(_SECRET) != self.secret:
            raise LakeError(SENTENCES["another"])
        self.days, self.expired = set(days), set(expired)
        left = {"days": sorted(map(str, days)), "expired": sorted(map(str, expired))}
        marker = {"until": self._until, "words": self.words} | (left if days else {})
        obstore.put(buckets.stores[buckets.raw], self._key, json.dumps(marker).encode())


def leave_record(buckets: Buckets, plan: Plan) -> None:
    """Leave what was done: the day, counts, and a digest of the keys."""
    now, touched = datetime.now(UTC), sorted(one.key for one in plan.objects)
    told = {
        "day": now.date().isoformat(),
        "updates": dict(plan.updates),
        "objects": len(touched),
        "days": len(plan.days),
        "digest": hashlib.sha256("\n".join(touched).encode()).hexdigest(),
    }
    key = f"erasures/{now:%Y-%m-%dT%H%M%S}.json"
    obstore.put(buckets.stores[buckets.raw], key, json.dumps(told).encode())
