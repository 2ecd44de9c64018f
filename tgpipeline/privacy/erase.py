"""Erasing a person from the lake, and proving it.

The order makes it safe to break off: a marker first, which makes the ETL leave out what the person
wrote, keeps hashes of their names, and says which days are still to be made; then what others'
objects hold of them; then what is their own; then the days. A second run goes on from there.
"""

import argparse
import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

import obstore

from tgpipeline.errors import LakeError
from tgpipeline.etl import handler
from tgpipeline.etl.pseudonyms import Pseudonyms, refuse_other_key
from tgpipeline.lake import keys, ledger, stores
from tgpipeline.lake.erasing import hashed, hashed_names
from tgpipeline.privacy.buckets import OURS, SENTENCES, Buckets, Stored, guarded, holds
from tgpipeline.privacy.person import Known, Remover, Request, lake_day
from tgpipeline.settings import Settings

_SECRET = f"{keys.ERASED}/key"


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

    def __init__(self) -> None:
        self.own, self.mixed = list[Stored](), list[Stored]()
        self.other, self.former = list[Stored](), list[Stored]()
        self.days, self.expired, self.updates = set[date](), set[date](), Counter[str]()

    @property
    def objects(self) -> list[Stored]:
        """All but the tables."""
        return [*self.own, *self.mixed, *self.other, *self.former]

    def __bool__(self) -> bool:
        return bool(self.objects or self.days)

    def __str__(self) -> str:
        counts = {name: len(held) for name, held in vars(self).items()}
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
        with suppress(TypeError, ValueError):  # spoilt by hand: the erasure begins anew
            marker |= json.loads(self._stored(self._key) or b"{}")
        self.words = set[str](marker.get("words", ()))
        self._until = max(request.until, marker.get("until", 0))
        self.days = set(map(date.fromisoformat, marker.get("days", ())))
        self.expired = set(map(date.fromisoformat, marker.get("expired", ())))

    def _stored(self, key: str) -> bytes:
        return self._buckets.get(Stored(self._buckets.raw, key)).body

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
        marker = {"until": self._until, "words": sorted(self.words)} | (left if days else {})
        obstore.put(buckets.stores[buckets.raw], self._key, json.dumps(marker).encode())


class Erasure:
    """One erasure: what is known of the person, what it will touch, and doing it.

    Args:
        settings: names both buckets and the time zone.
        request: whom to erase.
        s3: a boto3 S3 client; made from the settings where it is None.

    Raises:
        LakeError: if the lake cannot be read, or holds nothing of that person.
        SettingsError: if the tables hold pseudonyms of another key than the settings'.
    """

    def __init__(self, settings: Settings, request: Request, s3: Any = None) -> None:
        self.settings, self.request, self.buckets = settings, request, Buckets(settings, s3)
        self._pseudonyms, user_id = Pseudonyms(settings.pseudonym_key), request.user_id
        with guarded(settings):
            objects = list(self.buckets.versions())
            # Of a part, nothing but the id is looked for.
            self.known = Known(user_id, self.buckets, () if request.limited else objects)
            self._marker = Marker(self.buckets, request)
            secret, names = self._marker.secret, {str(self._pseudonyms.id(user_id))}
            words = hashed_names(secret, self.known.names | names)
            if not request.limited:
                words = self._marker.words = self._marker.words | words
            self._seek = request.erased(secret, words, self._pseudonyms)
            erased = replace(self._seek, words={}) if request.limited else self._seek
            self._remover = Remover(erased, self.known.telling)
            self.plan = self._plan(objects)
        if not self.plan:
            raise LakeError(SENTENCES["nothing"].format(user_id, settings, "changed"))

    def _plan(self, objects: Iterable[Stored]) -> Plan:
        plan, counts, raw = Plan(), Counter[date](), self.buckets.raw
        # What erasures leave behind stays; and a part is not what a request asked for.
        stays = (*OURS, keys.REQUESTS) if self.request.limited else OURS
        for one, found in self.buckets.bodies(objects):
            if one.latest and (day := lake_day(one.key)):
                rest, is_raw = self._remover.rest(one.key, found.body), one.bucket == raw
                counts[day] += is_raw
                if rest is not found.body:
                    plan.days.add(day)
                if is_raw and rest is not found.body:
                    (plan.mixed if rest else plan.own).append(one)
            elif not one.key.startswith(stays) and holds(found.body, self._seek, found.told):
                (plan.other if one.latest else plan.former).append(one)
        left = self._marker.days
        enriched = self.buckets.stores[self.buckets.enriched]
        made = {day: ledger.stored(enriched, "messages", day) for day in plan.days - left}
        refuse_other_key(made.values(), self._pseudonyms.digest)
        expired = {day for day, before in made.items() if before and before.objects > counts[day]}
        plan.expired = expired | self._marker.expired
        plan.days |= left
        plan.updates, self._remover.counts = self._remover.counts, Counter()
        return plan

    def run(self) -> list[str]:
        """Erase.

        Returns:
            The keys of objects that still hold something: none, if all went well.

        Raises:
            LakeError: if S3 refuses, or the ETL fails; the same command then goes on.
        """
        plan, enriched = self.plan, self.buckets.enriched
        with guarded(self.settings):
            self._marker.put(plan.days, plan.expired)
            self.buckets.rewrite(plan.mixed, self._remover.rest)
            self.buckets.delete(plan.other, [*plan.mixed, *plan.former])
            self.buckets.delete(plan.own)
            list(handler.run(self.settings, plan.days - plan.expired, rebuild=True))
            tables = [o for o in self.buckets.current(enriched) if lake_day(o.key) in plan.days]
            expired = (table for table in tables if lake_day(table.key) in plan.expired)
            self.buckets.rewrite(expired, self._remover.rest)
            self.buckets.delete((), tables)
            self._leave_record()
            self._marker.put()
            return self._left()

    def _left(self) -> list[str]:
        """What still holds their id, usernames, names or longer texts: all bytes are searched.

        Of an erasure of a part (one chat, up to a day), what another plan would touch.
        """
        if self.request.limited:
            again = self._plan(self.buckets.versions())
            return [*(one.key for one in again.objects), *map(str, again.days)]
        return [
            f"s3://{one.bucket}/{one.key}"
            for one, found in self.buckets.bodies(self.buckets.versions())
            if holds(found.body, self._seek, found.told, self.known.telling)
        ]

    def _leave_record(self) -> None:
        """Leave what was done: the day, counts, and a digest of the keys."""
        now, touched = datetime.now(UTC), sorted(one.key for one in self.plan.objects)
        counts = {"objects": len(touched), "days": len(self.plan.days)}
        digest = hashlib.sha256("\n".join(touched).encode()).hexdigest()
        told = {"day": f"{now:%Y-%m-%d}", "updates": self.plan.updates, **counts, "digest": digest}
        raw, key = self.buckets.stores[self.buckets.raw], f"erasures/{now:%Y-%m-%dT%H%M%S}.json"
        obstore.put(raw, key, json.dumps(told).encode())


def command(arguments: argparse.Namespace, settings: Settings) -> bool:
    """What `tgpipeline erase` does; returns whether all went well."""
    chat_id, before = arguments.chat or 0, arguments.before
    until = int(datetime.now(UTC).timestamp()) + 1
    if before:
        until = min(until, int(datetime.combine(before, time(), settings.tz).timestamp()))
    request = Request(arguments.user, until, chat_id, limited=bool(chat_id or before))
    erasure = Erasure(settings, request)
    print(erasure.plan)
    if erasure.known.shared:
        print(SENTENCES["shared"].format(len(erasure.known.shared)))
    if arguments.dry_run:
        print("nothing was changed")
        return True
    left = erasure.run()
    for place in left:
        print(f"still holds something of them: {place}")
    print(SENTENCES["again" if left else "erased"])
    return not left
