"""What the lake holds of a person, and where: nothing is changed here."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import partial
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from obstore.exceptions import BaseError

from tgpipeline.errors import LakeError
from tgpipeline.lake import documents, keys, stores
from tgpipeline.lake.erasing import Person, as_bytes
from tgpipeline.privacy import search
from tgpipeline.settings import Settings, aws_client
from tgpipeline.telegram.updates import sub

THREADS = 32
_COLD = ("GLACIER", "DEEP_ARCHIVE")
_OURS = tuple(f"{name}/" for name in (keys.ERASED, "erasures"))  # hashes, days and counts alone


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
class Lake:
    """Both buckets, listed with all versions of their objects.

    Raises:
        LakeError: if S3 refuses, or an object has to be restored from a cold class first.
    """

    settings: Settings
    s3: Any = None

    def __post_init__(self) -> None:
        self.settings.require("raw_bucket", "enriched_bucket")
        many = Config(max_pool_connections=THREADS)
        self.s3 = self.s3 or aws_client("s3", self.settings, config=many)
        names = (self.settings.raw_bucket, self.settings.enriched_bucket)
        self._stores = {name: stores.open_store(name, self.settings) for name in names}

    def versions(self, bucket: str, kind: str = "Versions") -> Iterator[dict[str, Any]]:
        """Every version of every object; with `DeleteMarkers` these."""
        for page in self.s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            yield from page.get(kind, ())

    def current(self, bucket: str) -> list[str]:
        """Keys of the objects that are there now."""
        found = [one for one in self.versions(bucket) if one["IsLatest"]]
        cold = [one["Key"] for one in found if one.get("StorageClass") in _COLD]
        if cold:
            raise LakeError(
                f"s3://{bucket}: {len(cold):,} objects are in a cold storage class, the first is "
                f"{cold[0]}. Restore them (`aws s3api restore-object`), then run again; nothing "
                "was changed."
            )
        return [one["Key"] for one in found if not one["Key"].startswith(_OURS)]

    def get(self, bucket: str, key: str, **version: str) -> bytes:
        """The bytes of an object; none where it is gone meanwhile."""
        if not version:  # obstore reads ten times as many in a second
            try:
                return self._stores[bucket].get(key).bytes().to_bytes()
            except FileNotFoundError:
                return b""
        try:
            body: bytes = self.s3.get_object(Bucket=bucket, Key=key, **version)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("NoSuchKey", "NoSuchVersion"):
                raise
            return b""
        return body

    def read(self, bucket: str, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Objects and their bytes, many at once, few of them in memory."""
        waiting = list(names)
        with ThreadPoolExecutor(THREADS) as pool:
            for start in range(0, len(waiting), 8 * THREADS):
                part = waiting[start : start + 8 * THREADS]
                yield from zip(part, pool.map(partial(self.get, bucket), part), strict=True)


def day_of(key: str) -> date | None:
    """The day whose updates or tables an object holds; None for quarantine, markers, others."""
    try:
        return keys.day_of(key) if key.startswith(f"{keys.RAW}/") else None
    except LakeError:
        return None


def documents_in(key: str, body: bytes) -> Iterator[documents.Document]:
    """The updates in an object of the raw zone, one or many."""
    name = key.rsplit("/", 1)[-1]
    lines = body.split(b"\n") if documents.form_of(name).many else [body]
    return (documents.document_of(name, line) for line in lines if line.strip())


@dataclass
class Plan:
    """What an erasure touches.

    Attributes:
        own: raw objects that go as a whole.
        mixed: raw objects that are written anew without the person.
        other: objects that only hold something of them: quarantine, markers; they go.
        results: results of queries that go; they can be asked again.
        days: days whose Parquet is made anew.
        expired: days whose Parquet was made from more than is left: it is filtered.
        updates: how many updates are left out, and how many changed.
    """

    own: list[str] = field(default_factory=list)
    mixed: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    results: list[str] = field(default_factory=list)
    days: set[date] = field(default_factory=set)
    expired: set[date] = field(default_factory=set)
    updates: Counter[str] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        return bool(self.own or self.mixed or self.other or self.results or self.days)

    def __str__(self) -> str:
        return (
            f"{self.updates['own']:,} updates are their own, {self.updates['mixed']:,} of others "
            f"say something of them: {len(self.own):,} raw objects to delete, {len(self.mixed):,} "
            f"to rewrite; {len(self.other):,} in quarantine or markers, {len(self.results):,} "
            f"results of queries to delete; {len(self.days):,} days of Parquet to make anew, "
            f"{len(self.expired):,} of these filtered, because their raw objects expired"
        )


Rewrite = Callable[[str, bytes], bytes]


def rewriter(person: Person, request: Request, counts: Counter[str]) -> Rewrite:
    """A function that takes a raw object's key and bytes and gives its bytes without the person."""

    def rewrite(key: str, body: bytes) -> bytes:
        many, kept = documents.form_of(key.rsplit("/", 1)[-1]).many, []
        midnight = datetime.combine(keys.day_of(key), time(), UTC)
        for document in documents_in(key, body):
            rest = _rest(document, person, request, int(midnight.timestamp()))
            if rest is None or rest is not document.body:
                counts["own" if rest is None else "mixed"] += 1
            if rest is not None:
                kept.append(rest)
        if not many:
            return b"".join(kept)
        whole = b"".join(line + b"\n" for line in kept)
        return body if whole == body.rstrip(b"\n") + b"\n" else whole

    return rewrite


def _rest(
    document: documents.Document, person: Person, request: Request, received: int
) -> bytes | None:
    """The bytes of one update without the person: the same object if nothing is theirs."""
    update = document.update
    if update is None:  # nobody can take a person out of what cannot be read
        return None if search.holds(document.body, person.words) else document.body
    content = update[document.kind]
    chat = sub(content, "chat") or sub(content, "message", "chat")
    if request.chat_id and chat.get("id") != request.chat_id:
        return document.body
    try:
        rest = person.without(update, document.kind, received)
    except RecursionError:  # as the ETL puts it into quarantine
        return None if search.holds(document.body, person.words) else document.body
    if rest is None or rest is update:
        return None if rest is None else document.body
    return as_bytes(rest["message"] if document.source == "sent" else rest)


@contextmanager
def refusals_explained(settings: Settings) -> Iterator[None]:
    """Turn what S3's clients raise into what a person can act on."""
    try:
        yield
    except (BotoCoreError, ClientError, BaseError) as error:
        told = str(error).splitlines()[0][:300]
        raise LakeError(
            f"s3://{settings.raw_bucket} or s3://{settings.enriched_bucket}: {told}. Check that "
            "both exist and that you may list, read, write and delete there, old versions too. "
            "Then run the same command again: it goes on where it broke off."
        ) from error
