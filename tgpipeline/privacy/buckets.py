"""Both buckets with all versions of their objects: listed, read, deleted, written anew."""

import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from datetime import date
from itertools import islice
from typing import Any, NamedTuple, cast

import obstore
from obstore.exceptions import PreconditionError

from tgpipeline import resources
from tgpipeline.errors import LakeError
from tgpipeline.lake import documents, keys, stores
from tgpipeline.settings import Settings, aws_client

SENTENCES: dict[str, str] = resources.data("privacy/plan.toml")
THREADS = 32
_UPDATE = re.compile(r"/\d+(?:-[0-9a-f]{16})?\.json$")  # its number is nobody's id
_COLD = ("GLACIER", "DEEP_ARCHIVE")
OURS = tuple(f"{name}/" for name in (keys.ERASED, "erasures"))  # hashes, days and counts alone


class Stored(NamedTuple):
    """A version of an object; where `marker` says so, only the trace of a deleted one.

    `latest` says whether that version is what the object holds now.
    """

    bucket: str
    key: str
    version: str = "null"
    latest: bool = True
    marker: bool = False


class Found(NamedTuple):
    """What an object holds; `told` is its key and metadata as text."""

    body: bytes
    told: str
    attributes: Any = None
    e_tag: str | None = None


class Buckets:
    """The raw and the enriched bucket.

    Args:
        settings: names both.
        s3: a boto3 S3 client; made from the settings where it is None.
    """

    def __init__(self, settings: Settings, s3: Any = None) -> None:
        settings.require("raw_bucket", "enriched_bucket")
        self.raw, self.enriched = settings.raw_bucket, settings.enriched_bucket
        self.s3 = s3 or aws_client("s3", settings)
        both = (self.raw, self.enriched)
        self.stores = {name: stores.open_store(name, settings) for name in both}

    def versions(self, *buckets: str) -> Iterator[Stored]:
        """Every version of every object, of both buckets or of one.

        Raises:
            LakeError: if one has to be restored from a cold storage class first.
        """
        pages = self.s3.get_paginator("list_object_versions").paginate
        for bucket, page in ((b, page) for b in buckets or self.stores for page in pages(Bucket=b)):
            for one in page.get("Versions", ()):
                version = one.get("VersionId") or "null"
                if one.get("StorageClass") in _COLD:
                    self._refuse_archived(bucket, one, version)
                yield Stored(bucket, one["Key"], version, one["IsLatest"])
            for one in page.get("DeleteMarkers", ()):
                yield Stored(bucket, one["Key"], one["VersionId"], latest=False, marker=True)

    def _refuse_archived(self, bucket: str, one: dict[str, Any], version: str) -> None:
        which = {} if version == "null" else {"VersionId": version}
        restored = self.s3.head_object(Bucket=bucket, Key=one["Key"], **which).get("Restore", "")
        if 'ongoing-request="false"' not in restored:
            state = "is being restored" if restored else f"is in class {one['StorageClass']}"
            raise LakeError(SENTENCES["cold"].format(bucket, one["Key"], version, state))

    def current(self, *buckets: str) -> list[Stored]:
        """The objects that are there now, but for what erasures leave behind."""
        found = self.versions(*buckets)
        return [one for one in found if one.latest and not one.key.startswith(OURS)]

    def get(self, one: Stored) -> Found:
        """What an object holds; nothing where it is gone meanwhile."""
        which: Any = None if one.latest else {"version": one.version}
        with suppress(FileNotFoundError):
            if not one.marker:
                found = obstore.get(self.stores[one.bucket], one.key, options=which)
                told = f"{_UPDATE.sub('', one.key)} {found.attributes}"
                return Found(found.bytes().to_bytes(), told, found.attributes, found.meta["e_tag"])
        return Found(b"", one.key)

    def bodies(self, objects: Iterable[Stored]) -> Iterator[tuple[Stored, Found]]:
        """What objects hold, many read at once, few of them in memory."""
        waiting = iter(objects)
        with ThreadPoolExecutor(THREADS) as pool:
            while part := list(islice(waiting, 8 * THREADS)):
                yield from zip(part, pool.map(self.get, part), strict=True)

    def delete(self, whole: Iterable[Stored], changed: Iterable[Stored] = ()) -> None:
        """Delete objects for good.

        Args:
            whole: those that go with all their versions.
            changed: those of which only former versions go.

        Raises:
            LakeError: if S3 refuses one.
        """
        gone, anew = ({(one.bucket, one.key) for one in objects} for objects in (whole, changed))
        for bucket in self.stores:
            doomed = (
                {"Key": one.key, "VersionId": one.version}
                for one in self.versions(bucket)
                if (bucket, one.key) in gone or ((bucket, one.key) in anew and not one.latest)
            )
            while part := list(islice(doomed, 1000)):
                answer = self.s3.delete_objects(Bucket=bucket, Delete={"Objects": part})
                for refused in answer.get("Errors", ()):
                    why = bucket, refused.get("Key"), refused.get("Code")
                    raise LakeError(SENTENCES["kept"].format(*why))

    def rewrite(self, objects: Iterable[Stored], rewritten: Callable[[str, bytes], bytes]) -> None:
        """Write objects anew, with the metadata they had.

        Args:
            objects: those.
            rewritten: what becomes of an object's key and bytes. It stays as it is where these are
                the same or none.

        Raises:
            LakeError: if somebody else keeps writing one, too.
        """

        def rewrite(one: Stored) -> None:
            for _ in range(5):
                body, _told, attributes, e_tag = self.get(one)
                rest, same = rewritten(one.key, body), cast(Any, {"e_tag": e_tag})
                if not rest or rest is body:
                    return
                with suppress(PreconditionError):  # another erasure may write it at the same time
                    store = self.stores[one.bucket]
                    obstore.put(store, one.key, rest, mode=same, attributes=attributes)
                    return
            raise LakeError(SENTENCES["contended"].format(one))

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(rewrite, objects))


def lake_day(key: str) -> date | None:
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


def guarded(settings: Settings) -> AbstractContextManager[None]:
    """Turn what S3's clients raise into what a person can act on."""
    both = f"{settings.raw_bucket} or s3://{settings.enriched_bucket}"
    return stores.as_lake_error(both, "go through all objects", SENTENCES["rights"])
