"""Both buckets, all versions of their objects: listed, read, searched, deleted, written anew.

Who searches bytes knows nothing of how the pipeline stores things.
"""

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from itertools import islice
from typing import Any, NamedTuple, cast

import obstore
import pyarrow as pa
import pyarrow.parquet as pq
from obstore.exceptions import PreconditionError

from tgpipeline import resources
from tgpipeline.errors import LakeError
from tgpipeline.lake import keys, stores
from tgpipeline.lake.erasing import Erased
from tgpipeline.settings import Settings, aws_client

SENTENCES: dict[str, str] = resources.data("privacy/sentences.toml")
THREADS = 32
_UPDATE = re.compile(r"/\d+(?:-[0-9a-f]{16})?\.json$")  # its number is nobody's id
_COLD = ("GLACIER", "DEEP_ARCHIVE")
_ESCAPES = re.compile(r'(?:\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt]))+')
# Numbers that are nobody's id, though one may be equal to it: dates, counts, ids of messages.
_OTHER_NUMBERS = re.compile(r'"(?:update_id|\w*message\w*_id|(?!\w*ids?\b)\w+)" ?: ?-?\d+')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.|"")*)"')
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
        self.stores = {b: stores.open_store(b, settings) for b in (self.raw, self.enriched)}

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
        return [o for o in self.versions(*buckets) if o.latest and not o.key.startswith(OURS)]

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
        gone, anew = ({one[:2] for one in objects} for objects in (whole, changed))
        for bucket in self.stores:
            doomed = [
                {"Key": one.key, "VersionId": one.version}
                for one in self.versions(bucket)
                if one[:2] in gone or (one[:2] in anew and not one.latest)
            ]
            for start in range(0, len(doomed), 1000):
                part: Any = {"Objects": doomed[start : start + 1000]}
                for refused in self.s3.delete_objects(Bucket=bucket, Delete=part).get("Errors", ()):
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


def guarded(settings: Settings) -> AbstractContextManager[None]:
    """Turn what S3's clients raise into what a person can act on."""
    both = f"{settings.raw_bucket} or s3://{settings.enriched_bucket}"
    return stores.as_lake_error(both, "go through all objects", SENTENCES["rights"])


def unescaped(text: str) -> str:
    r"""A text without JSON's escapes.

    >>> unescaped('n\\u00e3o\\nsei')
    'não\nsei'
    """
    return _ESCAPES.sub(lambda found: str(json.loads(f'"{found[0]}"')), text)


def texts_in(body: bytes) -> Iterator[str]:
    r"""All that bytes say: unzipped if they are gzip, rows as JSON if they are Parquet, unescaped.

    But for numbers that, by the name before them, are nobody's id.

    >>> list(texts_in(b'{"date": 5, "from": {"id": 5}}'))
    ['{, "from": {"id": 5}}']
    >>> [text[-2:] for text in texts_in(b'"n\\u00e3"')]
    ['3"', 'ã"']
    """
    if body[:2] == b"\x1f\x8b":
        with suppress(OSError, EOFError, zlib.error):  # else searched as it is
            body = gzip.decompress(body)
    if (table := table_in(body)) is not None:
        rows = [json.dumps(row, ensure_ascii=False, default=str) for row in table.to_pylist()]
        told = b" ".join((table.schema.metadata or {}).values())
        body = told + "\n".join(rows).encode("utf-8", "surrogatepass")
    yield (text := _OTHER_NUMBERS.sub("", body.decode("utf-8", "replace")))
    while (plain := _OTHER_NUMBERS.sub("", unescaped(text))) != text:  # JSON may hold JSON
        yield (text := plain)


def table_in(body: bytes) -> pa.Table | None:
    """The table, if these bytes are Parquet."""
    if body[:4] == body[-4:] == b"PAR1":
        with suppress(pa.ArrowException, OSError):
            return pq.ParquetFile(pa.BufferReader(body)).read(use_threads=False)
    return None


def holds(body: bytes, erased: Erased, told: str = "", whole: Set[str] = frozenset()) -> bool:
    """Whether bytes say anything of a person.

    Args:
        body: of an object.
        erased: knows the person's names.
        told: what else belongs to the object: its key, its metadata.
        whole: texts that count where they are a whole string or value.
    """
    for text in (told, *texts_in(body)):
        quoted = (unescaped(one[1]) for one in _QUOTED.finditer(text)) if whole else ()
        if any(erased.find(text)) or text in whole or not whole.isdisjoint(quoted):
            return True
    return False
