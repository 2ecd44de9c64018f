"""What an erasure leaves behind: hashes of who is erased, and a record without anything of them."""

import hashlib
import json
import secrets
from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

import obstore

from tgpipeline.errors import LakeError
from tgpipeline.lake import keys, stores
from tgpipeline.lake.erasing import hashed
from tgpipeline.privacy.buckets import Buckets, Stored
from tgpipeline.privacy.plan import Plan, Request

_SECRET = f"{keys.ERASED}/key"


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
            raise LakeError("Another erasure, the first of this lake, began meanwhile: run again.")
        self.days, self.expired = set(days), set(expired)
        left = {"days": sorted(map(str, days)), "expired": sorted(map(str, expired))}
        marker = {"until": self._until, "words": self.words} | (left if days else {})
        obstore.put(buckets.stores[buckets.raw], self._key, json.dumps(marker).encode())


def record(buckets: Buckets, plan: Plan) -> None:
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
