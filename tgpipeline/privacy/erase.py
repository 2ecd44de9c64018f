"""Erasing a person from the lake, and proving it.

The order makes it safe to break off: a marker first, which makes the ETL leave out what the person
wrote, keeps hashes of their names, and says which days are still to be made; then what others'
objects hold of them; then what is their own; then the days. A second run goes on from there.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from typing import Any

from tgpipeline.errors import LakeError
from tgpipeline.etl import handler
from tgpipeline.etl.pseudonyms import Pseudonyms, refuse_other_key
from tgpipeline.lake import keys, ledger
from tgpipeline.lake.erasing import finder, hashed_names
from tgpipeline.privacy import search
from tgpipeline.privacy.buckets import OURS, SENTENCES, Buckets, Stored, guarded, lake_day
from tgpipeline.privacy.known import learn
from tgpipeline.privacy.plan import Marker, Plan, Request, leave_record
from tgpipeline.privacy.removing import Remover
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
        self.settings, self.request, self.buckets = settings, request, Buckets(settings, s3)
        self._pseudonyms, user_id = Pseudonyms(settings.pseudonym_key), request.user_id
        with guarded(settings):
            objects = list(self.buckets.versions())
            self.known = learn(self.buckets, user_id, objects)
            self._marker = Marker(self.buckets, request)
            secret, ids = self._marker.secret, {str(user_id), str(self._pseudonyms.id(user_id))}
            words = hashed_names(secret, ids)  # of a part, nothing but the id is looked for
            if not request.limited:
                names = hashed_names(secret, self.known.phrases | ids, self.known.usernames)
                words = self._marker.learn(names)
            self._seek = finder(secret, words)
            said = ({}, ()) if request.limited else (words, self.known.telling)
            self._remover = Remover(request, self._pseudonyms, secret, *said)
            self.plan = self._plan(objects)
        if not self.plan:
            raise LakeError(SENTENCES["nothing"].format(user_id, settings, "changed"))

    def _plan(self, objects: Iterable[Stored]) -> Plan:
        plan, counts, limited = Plan(), Counter[date](), self.request.limited
        self._remover.counts.clear()
        for one, found in self.buckets.bodies(objects):
            day, body = lake_day(one.key), found.body
            if day and one.latest and one.bucket == self.buckets.raw:
                counts[day] += 1
                rest = self._remover.updates(one.key, body)
                if rest is not body:
                    (plan.mixed if rest else plan.own).append(one)
                    plan.days.add(day)
            elif one.key.startswith((*OURS, keys.REQUESTS) if limited else OURS):
                continue  # what erasures leave behind; and a part is not what they asked for
            elif not search.holds(body, self._seek, found.told):
                continue
            elif not (day and one.latest):
                (plan.other if one.latest else plan.former).append(one)
            elif not limited or self._remover.table(one.key, body) is not body:
                plan.days.add(day)
        left = self._marker.days
        plan.expired = {day for day in plan.days - left if self._expired(day, counts[day])}
        plan.expired |= self._marker.expired
        plan.days |= left
        plan.updates = self._remover.counts.copy()
        return plan

    def _expired(self, day: date, count: int) -> bool:
        """Whether a day's Parquet was made from more raw objects than are left."""
        made = ledger.stored(self.buckets.stores[self.buckets.enriched], "messages", day)
        refuse_other_key([made], self._pseudonyms.digest)
        return made is not None and made.objects > count

    def run(self) -> list[str]:
        """Erase.

        Returns:
            The keys of objects that still hold something: none, if all went well.

        Raises:
            LakeError: if S3 refuses, or the ETL fails; the same command then goes on.
        """
        plan, enriched = self.plan, self.buckets.enriched
        with guarded(self.settings):
            self._marker.put(days=plan.days, expired=plan.expired)
            self.buckets.rewrite(plan.mixed, self._remover.updates)
            self.buckets.delete(plan.other, [*plan.mixed, *plan.former])
            self.buckets.delete(plan.own)
            list(handler.run(self.settings, plan.days - plan.expired, rebuild=True))
            tables = [
                one for one in self.buckets.current(enriched) if lake_day(one.key) in plan.days
            ]
            expired = (one for one in tables if lake_day(one.key) in plan.expired)
            self.buckets.rewrite(expired, self._remover.table)
            self.buckets.delete((), tables)
            leave_record(self.buckets, plan)
            self._marker.put()
            return list(self.left())

    def left(self) -> Iterator[str]:
        """What still holds their id, usernames, names or longer texts: all bytes are searched.

        Of an erasure of a part (one chat, up to a day), what another plan would touch.
        """
        if self.request.limited:
            again = self._plan(self.buckets.versions())
            yield from (one.key for one in again.objects)
            yield from map(str, again.days)
            return
        for one, found in self.buckets.bodies(self.buckets.versions()):
            if search.holds(found.body, self._seek, found.told, self.known.telling):
                yield f"s3://{one.bucket}/{one.key}"


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
