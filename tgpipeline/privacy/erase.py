"""Erasing a person from the lake, and proving it.

The order makes it safe to break off: a marker first, which makes the ETL leave out what the person
wrote, keeps hashes of their names, and says which days are still to be made; then what others'
objects hold of them; then what is their own; then the days. A second run goes on from there.
"""

import argparse
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, time
from typing import Any

from tgpipeline.errors import LakeError, SettingsError
from tgpipeline.etl import handler
from tgpipeline.etl.pseudonyms import Pseudonyms, refuse_other_key
from tgpipeline.lake import keys, ledger
from tgpipeline.lake.authors import NOBODY
from tgpipeline.lake.erasing import Find, finder, hashed_names
from tgpipeline.privacy import search
from tgpipeline.privacy.buckets import Buckets, Stored, day_of, explained
from tgpipeline.privacy.known import learn
from tgpipeline.privacy.plan import Plan, Request, Rewriter
from tgpipeline.privacy.tables import Filter
from tgpipeline.privacy.traces import Marker, record
from tgpipeline.settings import Settings


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
        self.settings, self.request = settings, request
        self.buckets, pseudonyms = Buckets(settings, s3), Pseudonyms(settings.pseudonym_key)
        self._digest = pseudonyms.digest
        with explained(settings):
            raw = self.buckets.current(settings.raw_bucket)
            enriched = self.buckets.current(settings.enriched_bucket)
            self.known = known = learn(self.buckets, request.user_id, raw, enriched)
            self._marker = Marker(self.buckets, request)
            secret = self._marker.secret
            ids = {str(request.user_id), str(pseudonyms.id(request.user_id))}
            telling: set[str] = set()
            self._find: Find = lambda _text, _when: ()
            # In bytes all of it is looked for; of an erasure of a part, the id alone.
            self._seek = finder(secret, hashed_names(secret, ids))
            if not request.limited:
                self._marker.learn(hashed_names(secret, known.phrases | ids, known.usernames))
                self._find = self._seek = finder(secret, self._marker.words)
                telling = known.telling
            self._filter = Filter(request, self._find, pseudonyms, telling)
            self.plan = self._plan(raw, enriched)
        if not self.plan:
            raise LakeError(
                f"nothing of user {request.user_id} is in s3://{settings.raw_bucket} or "
                f"s3://{settings.enriched_bucket}; nothing was changed. `message.from.id` in an "
                "update, or from_id in Athena, says somebody's id."
            )

    def _plan(self, raw: list[Stored], enriched: list[Stored]) -> Plan:
        rewriter = Rewriter(self.request, self._find)
        plan = Plan(updates=rewriter.counts)
        counts: dict[date, int] = {}
        for one, found in self.buckets.bodies(raw):
            day = day_of(one.key)
            if day:
                counts[day] = counts.get(day, 0) + 1
                rest = rewriter.rewritten(one.key, found.body)
                if rest is not found.body:
                    (plan.mixed if rest else plan.own).append(one)
                    plan.days.add(day)
            elif one.key.startswith(keys.REQUESTS) and self.request.limited:
                continue  # a part is not what they asked for
            elif search.holds(found.body, self._seek, found.told):
                plan.other.append(one)
        for one, found in self.buckets.bodies(enriched):
            day, body = day_of(one.key), found.body
            if not search.holds(body, self._seek, found.told):
                continue
            if not day:
                plan.other.append(one)
            elif not self.request.limited or self._filter.filtered(one.key, body) is not body:
                plan.days.add(day)
        left = self._marker.days
        plan.expired = {day for day in plan.days - left if self._expired(day, counts)}
        plan.expired |= self._marker.expired
        plan.days |= left
        return plan

    def _expired(self, day: date, counts: dict[date, int]) -> bool:
        """Whether a day's Parquet was made from more raw objects than are left."""
        store = self.buckets.stores[self.settings.enriched_bucket]
        made = ledger.stored(store, "messages", day)
        refuse_other_key([made], self._digest)
        return made is not None and made.objects > counts.get(day, 0)

    def run(self) -> list[str]:
        """Erase.

        Returns:
            The keys of objects that still hold something: none, if all went well.

        Raises:
            LakeError: if S3 refuses, or the ETL fails; the same command then goes on.
        """
        raw, enriched, plan = self.settings.raw_bucket, self.settings.enriched_bucket, self.plan
        rewriter = Rewriter(self.request, self._find)
        with explained(self.settings):
            self._marker.put(days=plan.days, expired=plan.expired)
            self.buckets.rewrite(plan.mixed, rewriter.rewritten)
            self._delete(plan.other)
            self._forget_versions(raw, {one.key for one in plan.mixed})
            self._delete(plan.own)
            list(handler.run(self.settings, plan.days - plan.expired, rebuild=True))
            tables = [one for one in self.buckets.current(enriched) if day_of(one.key) in plan.days]
            expired = (one for one in tables if day_of(one.key) in plan.expired)
            self.buckets.rewrite(expired, self._filter.filtered)
            self._forget_versions(enriched, {one.key for one in tables})
            record(self.buckets, plan)
            self._marker.put()
            return list(self.left())

    def left(self) -> Iterator[str]:
        """What still holds their id, usernames, names or longer texts: all bytes are searched.

        Of an erasure of a part (one chat, up to a day), what another plan would touch.
        """
        names = (self.settings.raw_bucket, self.settings.enriched_bucket)
        if self.request.limited:
            again = self._plan(*map(self.buckets.current, names))
            yield from (one.key for one in again.objects)
            yield from map(str, again.days)
            return
        for name in names:
            for one, found in self.buckets.bodies(self.buckets.versions(name)):
                if search.holds(found.body, self._seek, found.told, self.known.telling):
                    yield f"s3://{name}/{one.key}"

    def _delete(self, objects: list[Stored]) -> None:
        """Delete all versions of objects."""
        names = {(one.bucket, one.key) for one in objects}
        for bucket in {one.bucket for one in objects}:
            found = self.buckets.versions(bucket)
            self.buckets.delete(bucket, (o for o in found if (bucket, o.key) in names))

    def _forget_versions(self, bucket: str, whole: Collection[str]) -> None:
        """Delete former versions that hold something of the person, and such keys' traces.

        Args:
            bucket: its name.
            whole: keys of which no former version stays.
        """
        former = [one for one in self.buckets.versions(bucket) if one.marker or not one.latest]
        doomed = (
            one
            for one, found in self.buckets.bodies(former)
            if (one.key in whole and not one.latest)
            or search.holds(found.body, self._seek, found.told)
        )
        self.buckets.delete(bucket, doomed)


def request_of(arguments: argparse.Namespace, settings: Settings) -> Request:
    """What `--user`, `--chat` and `--before` ask for.

    Raises:
        SettingsError: if the user's id is a chat's or nobody's, or the chat's is a user's.
    """
    user_id, chat_id, before = arguments.user, arguments.chat or 0, arguments.before
    if user_id <= 0:
        raise SettingsError(f"--user {user_id} is a chat's id: those of people are positive.")
    if user_id in NOBODY:
        raise SettingsError(f"--user {user_id} is Telegram's own account: it stands for many.")
    if chat_id > 0:
        raise SettingsError(f"--chat {chat_id} is a person's id: those of groups are negative.")
    until = int(datetime.now(UTC).timestamp()) + 1
    if before:
        until = min(until, int(datetime.combine(before, time(), settings.tz).timestamp()))
    return Request(user_id, until, chat_id, limited=bool(chat_id or before))


def command(arguments: argparse.Namespace, settings: Settings) -> int:
    """What `tgpipeline erase` does; returns its exit code."""
    erasure = Erasure(settings, request_of(arguments, settings))
    print(erasure.plan)
    if erasure.known.shared:
        print(f"{len(erasure.known.shared)} words of their names stay: others bear or use them")
    if arguments.dry_run:
        print("nothing was changed")
        return 0
    left = erasure.run()
    for place in left:
        print(f"still holds something of them: {place}")
    if left:
        print("Something was written meanwhile, such as by an ETL or an import: run it again.")
        return 3
    print("erased: no object of either bucket holds anything of them")
    print("Run it once more in two days: Telegram may send again what is a day old.")
    return 0
