"""What the lake holds of a person, and where: nothing is changed here."""

import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import partial
from typing import Any

import pyarrow.parquet as pq
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from obstore.exceptions import BaseError

from tgpipeline.errors import LakeError
from tgpipeline.lake import documents, keys, stores
from tgpipeline.lake.persons import Person, as_bytes, objects_in
from tgpipeline.privacy import search
from tgpipeline.settings import Settings, aws_client
from tgpipeline.telegram.updates import integer, sub

THREADS = 32
LONG = 12  # characters; shorter texts are said by many
COMMON = 20  # texts: a name that is in so many, and in one of 50, is a word (Rosa, Cliente)
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
class Known:
    """What tells who somebody is, gathered from everything that bears their id."""

    words: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    usernames: set[str] = field(default_factory=set)
    polls: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)  # words of other people's names
    said: set[int] = field(default_factory=set)  # hashes of what others wrote themselves
    spoken: Counter[str] = field(default_factory=Counter)  # in how many of their texts a word is

    def name(self, user: dict[str, Any], *, own: bool) -> None:
        """Learn from a user object."""
        first, last = (str(user.get(part) or "") for part in ("first_name", "last_name"))
        words = {word for word in f"{first} {last}".split() if len(word) > 2}
        if own:
            self.words |= words
            self.names |= {f"{first} {last}".strip()} - {""}
            self.usernames |= {str(user["username"])} if user.get("username") else set()
        else:
            self.others |= words | {f"{first} {last}".strip()}

    def text(self, text: Any, *, own: bool) -> None:
        """Learn a text."""
        if type(text) is str and own:
            self.texts.add(text)
        elif type(text) is str:
            self.said.add(hash(text))
            self.spoken.update(set(text.split()))

    @property
    def shared(self) -> set[str]:
        """Words of their name that others bear, or that the group uses as a word: these stay."""
        often = max(COMMON, len(self.said) // 50)
        return {w for w in self.words if w in self.others or self.spoken[w] >= often}

    @property
    def whole(self) -> set[str]:
        """Their whole names that nobody else bears, and that are no such word."""
        return {n for n in self.names - self.others - self.shared if len(n) > 1}

    def identifying(self, user_id: int) -> "re.Pattern[str] | None":
        """Finds their id, usernames, and what of their names is theirs alone."""
        own = {str(user_id)} | self.whole | (self.words - self.shared)
        return search.pattern(own, self.usernames)

    def proof(self, user_id: int) -> "re.Pattern[str] | None":
        """Finds their longer texts as well, but for those that others wrote, too."""
        texts = {t for t in self.texts if len(t) >= LONG and hash(t) not in self.said}
        found = search.pattern(texts)
        both = (self.identifying(user_id), found)
        return re.compile("|".join(p.pattern for p in both if p)) if any(both) else None


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


def documents_in(key: str, body: bytes) -> Iterator[documents.Document]:
    """The updates in an object of the raw zone, one or many."""
    name = key.rsplit("/", 1)[-1]
    lines = body.split(b"\n") if documents.form_of(name).many else [body]
    return (documents.document_of(name, line) for line in lines if line.strip())


def learn(lake: Lake, request: Request, raw: Iterable[str], enriched: Iterable[str]) -> Known:
    """What tells who somebody is, from all that the lake holds.

    Args:
        lake: both buckets.
        request: whom.
        raw: keys of the raw bucket.
        enriched: keys of the enriched bucket.
    """
    known = Known()
    for key, body in lake.read(lake.settings.raw_bucket, (k for k in raw if _is_raw(k))):
        for document in documents_in(key, body):
            if document.update is not None:
                _learn(known, document.update[document.kind], request.user_id)
    tables = [k for k in enriched if "/messages/" in k and k.endswith(".parquet")]
    columns = "from_id from_first_name from_last_name from_username text caption".split()
    for _, body in lake.read(lake.settings.enriched_bucket, tables):
        for row in pq.ParquetFile(io.BytesIO(body)).read(columns).to_pylist():
            own = row["from_id"] == request.user_id
            known.name({name[5:]: value for name, value in row.items() if value}, own=own)
            known.text(row["text"], own=own)
            known.text(row["caption"], own=own)
    return known


def _is_raw(key: str) -> bool:
    return key.startswith(f"{keys.RAW}/")


def _learn(known: Known, content: dict[str, Any], user_id: int) -> None:
    for value in objects_in(content):
        if integer(value.get("id")) is not None and "first_name" in value:
            known.name(value, own=value["id"] == user_id)
        if "message_id" not in value or not value.get("from"):
            continue
        own = sub(value, "from").get("id") == user_id
        if own or (value is content and not _passes_on(value)):
            known.text(value.get("text"), own=own)
            known.text(value.get("caption"), own=own)
        if own and sub(value, "poll"):
            known.polls.add(str(value["poll"].get("id")))


def _passes_on(message: dict[str, Any]) -> bool:
    return "forward_origin" in message or "forward_from" in message


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
    rest = person.without(update, document.kind, received)
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
