"""The quarantine as a place to work with: list what is there and why, look at it, try it again.

What cannot be read as an update is kept there untouched, by the ingest function (which then has no
other copy of it) and by the ETL (whose copy of it still lies in the raw zone).
"""

import contextlib
import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time
from functools import partial
from typing import Any, NamedTuple

import obstore
from obstore.exceptions import AlreadyExistsError

from tgpipeline.errors import UpdateError
from tgpipeline.lake import documents, keys, rows, stores, versions
from tgpipeline.settings import Settings

logger = logging.getLogger(__name__)

SHOWN = 600  # bytes of an object that `show` prints; the reason rarely lies further in
LET_GO = ("stored", "repeated", "readable")  # outcomes of `retry`: it is in the raw zone
_ADVICE = "Check AWS_S3_BUCKET and your rights; `tgpipeline quarantine list` says what is there."


class Item(NamedTuple):
    """One object in quarantine. Its content is not here: it may be anything.

    Attributes:
        key: of the object.
        day: whose partition it is in.
        size: bytes.
        reason: why it could not be read.
        origin: name of the raw object (and line) the ETL found it in; empty if it never got there.
        stored: when, UTC.
    """

    key: str
    day: date
    size: int
    reason: str
    origin: str
    stored: datetime

    def __str__(self) -> str:
        return f"{self.key}  {self.size} bytes  from {self.origin or 'webhook'}  {self.reason}"


def put(raw: Any, document: documents.Document, reason: str, day: date) -> None:
    """Set aside what the ETL cannot read; the reason and where it was found go with it."""
    key = keys.quarantine_key(document.body, day)
    reason = reason.encode("ascii", "replace").decode()
    logger.warning(json.dumps({"quarantined": document.name, "reason": reason, "key": key}))
    attributes = stores.attributes_for(raw, {"reason": reason, "origin": document.name})
    # It may be there from an earlier run of this day, or from the ingest function.
    with contextlib.suppress(AlreadyExistsError):
        obstore.put(raw, key, document.body, attributes=attributes, mode="create")


def items(settings: Settings, start: date | None = None, end: date | None = None) -> Iterator[Item]:
    """What is in quarantine, oldest day first; names that are of no day are logged, no more.

    Args:
        settings: names the raw bucket.
        start: first day; all from the beginning where it is None.
        end: last day, included; all to the end where it is None.

    Raises:
        LakeError: if it cannot be listed.
    """
    with _opened(settings, "list what is there") as raw, ThreadPoolExecutor(64) as pool:
        for day in stores.list_days(raw, keys.QUARANTINE):
            if (start or day) <= day <= (end or day):  # each object is asked for its reason
                found = stores.paths(raw, keys.partition(keys.QUARANTINE, day))
                yield from pool.map(partial(_item, raw), found)


def get(settings: Settings, key: str) -> tuple[Item, bytes]:
    """One object in quarantine, and its bytes. They may hold anything, people's words too.

    Raises:
        LakeError: if it is not there or cannot be read.
    """
    with _opened(settings, f"read {key}") as raw:
        return _item(raw, key), raw.get(key).bytes().to_bytes()


def _item(raw: Any, key: str) -> Item:
    found = raw.get(key, options={"head": True})
    reason, origin = (str(found.attributes.get(name, "")) for name in ("reason", "origin"))
    meta = found.meta
    return Item(key, keys.day_of(key), meta["size"], reason, origin, meta["last_modified"])


def retry(settings: Settings, key: str, store: Callable[..., dict[str, Any]], s3: Any) -> str:
    """Try to read an object again, and take it out of the quarantine once it is in the raw zone.

    Args:
        settings: names the raw bucket, our chats and the time zone.
        key: of the object.
        store: what takes an update as Telegram posted it: `ingest.store`.
        s3: a boto3 S3 client, for `store`.

    Returns:
        What became of it: `stored` or `repeated` as for the ingest function; `readable` if the ETL
        can read it now, where it lies in the raw zone (its day is then to be rebuilt);
        `quarantined` or, if it is not of our chats, `other_chat`: it stays where it is.

    Raises:
        SettingsError: if the settings name no chat: none would be ours.
        LakeError: if it could not be stored.
    """
    settings.require("raw_bucket", "chat_ids")
    (found, body), outcome = get(settings, key), "quarantined"
    with _opened(settings, f"try {key} again") as raw:
        if found.origin:
            with contextlib.suppress(UpdateError):
                document = documents.document_of(found.origin, body)
                versions.version(document, rows.Flattener(settings.tz))
                outcome = "readable"
        else:
            noon = datetime.combine(found.day, time(12), settings.tz)
            outcome = str(store(body, settings, s3, noon)["outcome"])
        if outcome in LET_GO:
            raw.delete(key)
    return outcome


def show(settings: Settings, key: str) -> str:
    """All that is known of an object in quarantine, and how it begins, for people.

    Raises:
        LakeError: if it is not there or cannot be read.
    """
    (found, body), bucket = get(settings, key), settings.raw_bucket
    origin = "the webhook; there is no other copy"
    if found.origin:
        partition = keys.partition(keys.RAW, found.day)
        origin = f"s3://{bucket}/{partition}{found.origin}, where the ETL found it"
    lines = {
        "object": f"s3://{bucket}/{key}",
        "reason": found.reason,
        "origin": origin,
        "stored": f"{found.stored.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
        "size": f"{found.size:,} bytes",
        "begins": printable(body[:SHOWN]) + (" …" if len(body) > SHOWN else ""),
        "next": "`tgpipeline quarantine retry`, once it can be read",
    }
    return "\n".join(f"{name:<8}{told}" for name, told in lines.items())


def printable(body: bytes) -> str:
    r"""Bytes as text that is safe on a terminal: what is no printable UTF-8 stands as escapes.

    >>> print(printable("não\x1b[2J ".encode() + b"\xff"))
    não\x1b[2J \xff
    """
    text = body.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


@contextlib.contextmanager
def _opened(settings: Settings, what: str) -> Iterator[Any]:
    with stores.as_lake_error(settings.raw_bucket, what, _ADVICE):
        yield stores.open_store(settings.raw_bucket, settings)
