"""Erasing a person from the lake, and proving it.

The order makes it safe to break off: a marker first, which makes the ETL leave out what the person
wrote and says which days are still to be made; then what others' objects hold of them; then what is
their own, which is what tells their names; then the days. A second run goes on from there.
"""

import argparse
import hashlib
import io
import json
import secrets
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any

import obstore
import pyarrow as pa
import pyarrow.parquet as pq

from tgpipeline.errors import LakeError, SettingsError
from tgpipeline.etl import handler
from tgpipeline.etl.pseudonyms import Pseudonyms, refuse_other_key
from tgpipeline.lake import keys, ledger, stores
from tgpipeline.lake.columns import TABLES
from tgpipeline.lake.erasing import Person, as_bytes, hashed
from tgpipeline.privacy import search
from tgpipeline.privacy.known import learn
from tgpipeline.privacy.survey import Lake, Plan, Request, day_of, refusals_explained, rewriter
from tgpipeline.settings import Settings
from tgpipeline.telegram.updates import integer

MASKED = ("text", "caption", "chat_title", "topic_name", "new_value", "old_value")
_ADDRESSED = ("reply_to_from_id", "via_bot_id")


class Erasure:
    """One erasure: what is known of the person, what it will touch, and doing it.

    Args:
        settings: names both buckets and the time zone.
        request: whom to erase.
        s3: a boto3 S3 client; made from the settings where it is None.

    Raises:
        LakeError: if the lake cannot be read, or holds nothing of that person.
    """

    def __init__(self, settings: Settings, request: Request, s3: Any = None) -> None:
        self.settings, self.request, self.lake = settings, request, Lake(settings, s3)
        self.pseudonyms = Pseudonyms(settings.pseudonym_key)
        with refusals_explained(settings):
            raw = self.lake.current(settings.raw_bucket)
            enriched = self.lake.current(settings.enriched_bucket)
            self.known = learn(self.lake, request, raw, enriched)
            self.words = None if request.limited else self.known.identifying(request.user_id)
            whole = not request.limited
            names, polls = (self.known.whole, self.known.polls) if whole else (set(), set())
            self.person = Person(request.is_person, self.words, names, polls)
            self.plan = self._plan(raw, enriched)
        if not self.plan:
            raise LakeError(
                f"nothing of user {request.user_id} is in s3://{settings.raw_bucket} or "
                f"s3://{settings.enriched_bucket}; nothing was changed. `message.from.id` in an "
                "update, or from_id in Athena, says somebody's id."
            )

    def _plan(self, raw: list[str], enriched: list[str]) -> Plan:
        plan, settings, user_id = Plan(), self.settings, self.request.user_id
        rewrite = rewriter(self.person, self.request, plan.updates)
        of_user = search.pattern([str(user_id)])
        of_tables = search.pattern([str(user_id), str(self.pseudonyms.id(user_id))])
        counts: dict[date, int] = {}
        for key, body in self.lake.read(settings.raw_bucket, raw):
            day = day_of(key)
            if day:
                counts[day] = counts.get(day, 0) + 1
                rest = rewrite(key, body)
                if rest is not body:
                    (plan.mixed if rest else plan.own).append(key)
                    plan.days.add(day)
            elif search.holds(body, self.words or of_user, key):
                plan.other.append(key)
        for key, body in self.lake.read(settings.enriched_bucket, enriched):
            if not (search.holds(body, of_tables) or search.holds(body, self.words)):
                continue
            day = day_of(key)
            if day and not self.request.limited:
                plan.days.add(day)
            elif not day:
                plan.results.append(key)
        pending = self._marker()
        plan.days |= {date.fromisoformat(day) for day in pending.get("days", ())}
        plan.expired = {date.fromisoformat(day) for day in pending.get("expired", ())}
        for day in plan.days - set(map(date.fromisoformat, pending.get("days", ()))):
            made = ledger.stored(self._enriched, "messages", day)
            if made and made.objects > counts.get(day, 0):
                plan.expired.add(day)
            refuse_other_key([made], self.pseudonyms.digest)
        return plan

    @property
    def _enriched(self) -> Any:
        return stores.open_store(self.settings.enriched_bucket, self.settings)

    @property
    def _marker_key(self) -> str:
        key = self.lake.get(self.settings.raw_bucket, f"{keys.ERASED}/key")
        if not key:
            key = secrets.token_bytes(32)
            stores.put_new(self.lake.s3, self.settings.raw_bucket, f"{keys.ERASED}/key", key)
        return keys.erased_key(hashed(key, self.request.user_id), self.request.chat_id)

    def _marker(self) -> dict[str, Any]:
        if not self.lake.get(self.settings.raw_bucket, f"{keys.ERASED}/key"):
            return {}
        body = self.lake.get(self.settings.raw_bucket, self._marker_key)
        found: dict[str, Any] = json.loads(body) if body else {}
        return found

    def run(self) -> list[str]:
        """Erase.

        Returns:
            The keys of objects that still hold something: none, if all went well.

        Raises:
            LakeError: if S3 refuses, or the ETL fails; the same command then goes on.
        """
        raw, enriched = self.settings.raw_bucket, self.settings.enriched_bucket
        plan, rewrite = self.plan, rewriter(self.person, self.request, Counter())
        with refusals_explained(self.settings):
            self._mark(days=sorted(map(str, plan.days)), expired=sorted(map(str, plan.expired)))
            for key, body in self.lake.read(raw, plan.mixed):
                rest = rewrite(key, body)
                if rest and rest is not body:
                    self.lake.s3.put_object(Bucket=raw, Key=key, Body=rest)
            self._delete(raw, plan.other)
            self._delete(enriched, plan.results)
            self._forget_versions(raw)
            self._delete(raw, plan.own)
            list(handler.run(self.settings, plan.days - plan.expired, rebuild=True))
            for day in sorted(plan.expired):
                self._filter(day)
            self._forget_versions(raw)
            self._forget_versions(enriched, whole=plan.days)
            self._mark()
            self._record()
            return list(self.left())

    def left(self) -> Iterator[str]:
        """What still holds their id, usernames, names or longer texts: all bytes are searched.

        Of an erasure of a part (one chat, up to a day), what another plan would touch.
        """
        if self.request.limited:
            raw, enriched = self.settings.raw_bucket, self.settings.enriched_bucket
            plan = self._plan(self.lake.current(raw), self.lake.current(enriched))
            yield from (*plan.own, *plan.mixed, *plan.other, *plan.results)
            return
        wanted = self.known.proof(self.request.user_id)
        for bucket in (self.settings.raw_bucket, self.settings.enriched_bucket):
            for one in self.lake.versions(bucket):
                body = self.lake.get(bucket, one["Key"], **_version(one))
                if search.holds(body, wanted, one["Key"]):
                    yield f"s3://{bucket}/{one['Key']}"

    def _mark(self, **pending: list[str]) -> None:
        marker = as_bytes({"until": self.request.until, **pending})
        bucket = self.settings.raw_bucket
        self.lake.s3.put_object(Bucket=bucket, Key=self._marker_key, Body=marker)

    def _record(self) -> None:
        """Leave what was done, without anything of the person."""
        plan, now = self.plan, datetime.now(UTC)
        touched = [*plan.own, *plan.mixed, *plan.other, *plan.results]
        record = {
            "day": now.date().isoformat(),
            "updates": dict(plan.updates),
            "objects": len(touched),
            "days": len(plan.days),
            "digest": hashlib.sha256("\n".join(sorted(touched)).encode()).hexdigest(),
        }
        key = f"erasures/{now:%Y-%m-%dT%H%M%S}.json"
        self.lake.s3.put_object(
            Bucket=self.settings.raw_bucket, Key=key, Body=json.dumps(record).encode()
        )

    def _delete(self, bucket: str, names: list[str]) -> None:
        self._delete_versions(bucket, [{"Key": key} for key in names])

    def _delete_versions(self, bucket: str, objects: list[dict[str, str]]) -> None:
        for start in range(0, len(objects), 1000):
            how = {"Objects": objects[start : start + 1000], "Quiet": True}
            refused = self.lake.s3.delete_objects(Bucket=bucket, Delete=how).get("Errors")
            if not refused:
                continue
            first = refused[0]
            raise LakeError(
                f"s3://{bucket}/{first.get('Key')} was not deleted ({first.get('Code')}), and "
                f"{len(refused) - 1} others. Check that you may s3:DeleteObject and "
                "s3:DeleteObjectVersion, then run again."
            )

    def _forget_versions(self, bucket: str, whole: set[date] | None = None) -> None:
        """Delete the former versions that hold something of the person, and traces in keys.

        Args:
            bucket: its name.
            whole: days of whose tables no former version stays.
        """
        user, doomed = str(self.request.user_id), []
        parts = tuple(keys.partition(f"{keys.RAW}/{t}", d) for d in whole or () for t in TABLES)
        limited = self.request.limited
        wanted = self.words or search.pattern([user])
        for one in self.lake.versions(bucket):
            if one["IsLatest"]:
                continue
            of_table = bool(parts) and one["Key"].startswith(parts)
            body = b"" if of_table else self.lake.get(bucket, one["Key"], **_version(one))
            if of_table or search.holds(body, wanted, one["Key"]):
                doomed.append(one)
        markers = self.lake.versions(bucket, "DeleteMarkers")
        doomed += [one for one in markers if user in one["Key"] and not limited]
        self._delete_versions(bucket, [{"Key": one["Key"], **_version(one)} for one in doomed])

    def _filter(self, day: date) -> None:
        """Take the person out of the Parquet of a day whose raw objects are no longer all there."""
        parts = tuple(keys.partition(f"{keys.RAW}/{table}", day) for table in TABLES)
        for key in self.lake.current(self.settings.enriched_bucket):
            if not key.startswith(parts):
                continue
            found = self._enriched.get(key)
            file = pq.ParquetFile(io.BytesIO(found.bytes().to_bytes()))
            rows = [self._row(row) for row in file.read().to_pylist()]
            kept = [row for row in rows if row is not None]
            schema = file.schema_arrow.with_metadata(file.metadata.metadata)
            sink = io.BytesIO()
            pq.write_table(pa.Table.from_pylist(kept, schema), sink, compression="zstd")
            told = found.attributes.get("ledger")
            attributes = {"ledger": told} if told else {}
            obstore.put(self._enriched, key, sink.getvalue(), attributes=attributes)

    def _row(self, row: dict[str, Any]) -> dict[str, Any] | None:
        """A row without the person; None if it is theirs."""
        if self.request.chat_id and self.pseudonyms.id(self.request.chat_id) != row["chat_id"]:
            return row
        when, own = integer(row["date"]), ("author_id", "from_id", "target_user_id")
        user = self.pseudonyms.id(self.request.user_id)

        def is_person(number: Any, when: int | None) -> bool:
            return number == user and self.request.is_person(self.request.user_id, when)

        if any(is_person(row.get(name), when) for name in own):
            return None
        row |= {n: None for n in _ADDRESSED if is_person(row.get(n), when)}
        row |= {n: self.person.masked(row[n]) for n in MASKED if row.get(n)}
        if row.get("payload"):
            update = json.loads(row["payload"])
            rest = self.person.without(update, row["event_type"], when)
            if rest is None:
                return None
            row["payload"] = as_bytes(rest).decode()
        return row


def _version(one: dict[str, Any]) -> dict[str, str]:
    """Which version is meant; a bucket without versions has one, called null."""
    return {"VersionId": one["VersionId"]} if one.get("VersionId") not in (None, "null") else {}


def request_of(arguments: argparse.Namespace, settings: Settings) -> Request:
    """What `--user`, `--chat` and `--before` ask for.

    Raises:
        SettingsError: if the user's id is a chat's, or the chat's is a user's.
    """
    user_id, chat_id, before = arguments.user, arguments.chat or 0, arguments.before
    if user_id <= 0:
        raise SettingsError(f"--user {user_id} is a chat's id: those of people are positive.")
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
        print(f"{len(erasure.known.shared)} words of their name stay: others bear or use them")
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
