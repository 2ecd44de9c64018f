"""The quarantine as a place to work with: list what is there and why, look at it, try it again.

What cannot be read as an update is kept there untouched, by the ingest function (which then has no
other copy of it) and by the ETL (whose copy of it still lies in the raw zone).
"""

import argparse
import json
import logging
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from obstore.exceptions import BaseError

from tgpipeline import ingest
from tgpipeline.errors import LakeError, UpdateError
from tgpipeline.lake import documents, keys, rows, stores, versions
from tgpipeline.settings import Settings, aws_client

if TYPE_CHECKING:
    from obstore.store import S3Store

logger = logging.getLogger(__name__)

REQUESTS = 64  # under way at once: each object is asked for its reason
SHOWN = 600  # bytes of an object that `show` prints; the reason rarely lies further in
_DONE = ("stored", "repeated", "readable")  # it is in the raw zone: the quarantine can let it go


@dataclass(frozen=True)
class Item:
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
        where = self.origin or "webhook"
        return f"{self.key}  {self.size} bytes  from {where}  {self.reason}"


def items(settings: Settings, start: date | None = None, end: date | None = None) -> Iterator[Item]:
    """What is in quarantine, oldest day first; names that are of no day are logged, no more.

    Args:
        settings: names the raw bucket.
        start: first day; all from the beginning where it is None.
        end: last day, included; all to the end where it is None.

    Raises:
        LakeError: if it cannot be listed.
    """
    raw, wanted, stray = _raw(settings), [], []
    with _explained(settings, "list what is there"), ThreadPoolExecutor(REQUESTS) as pool:
        for page in raw.list(f"{keys.QUARANTINE}/"):
            for found in page:
                try:
                    day = keys.day_of(found["path"])
                except LakeError:
                    stray.append(found["path"])
                    continue
                if (start or date.min) <= day <= (end or date.max):
                    wanted.append(found["path"])
        if stray:
            line = {"skipped": stray[:20], "count": len(stray), "reason": "no partition of a day"}
            logger.warning(json.dumps(line))
        yield from pool.map(lambda key: _item(raw, key), wanted)


def item(settings: Settings, key: str) -> Item:
    """One object in quarantine.

    Raises:
        LakeError: if it is not there.
    """
    with _explained(settings, f"look for {key}"):
        return _item(_raw(settings), key)


def _item(raw: "S3Store", key: str) -> Item:
    found = raw.get(key, options={"head": True})
    notes, meta = found.attributes, found.meta
    return Item(
        key=key,
        day=keys.day_of(key),
        size=meta["size"],
        reason=str(notes.get("reason", "")),
        origin=str(notes.get("origin", "")),
        stored=meta["last_modified"],
    )


def content(settings: Settings, key: str, most: int | None = None) -> bytes:
    """The bytes of an object in quarantine. They may hold anything, people's words too.

    Args:
        settings: names the raw bucket.
        key: of the object.
        most: so many bytes of its beginning; all where it is None.

    Raises:
        LakeError: if it cannot be read.
    """
    with _explained(settings, f"read {key}"):
        body = _raw(settings).get(key).bytes().to_bytes()
    return body[:most]


def retry(settings: Settings, found: Item, s3: Any = None) -> str:
    """Try to read an object again, and take it out of the quarantine once it is in the raw zone.

    Args:
        settings: names the raw bucket, our chats and the time zone.
        found: as `items` gave it.
        s3: a boto3 S3 client; made from the settings where it is None.

    Returns:
        What became of it: `stored` or `repeated` as for the ingest function; `readable` if the ETL
        can read it now, where it lies in the raw zone (its day is then to be rebuilt);
        `quarantined` or, if it is not of our chats, `other_chat`: it stays where it is.

    Raises:
        SettingsError: if the settings name no chat: none would be ours.
        LakeError: if it could not be stored.
    """
    settings.require("raw_bucket", "chat_ids")
    s3 = s3 or aws_client("s3", settings)
    body = content(settings, found.key)
    with _explained(settings, f"try {found.key} again"):
        if found.origin:
            document = documents.document_of(found.origin, body)
            try:
                versions.version(document, rows.Flattener(settings.tz))
                outcome = "readable"
            except UpdateError:
                outcome = "quarantined"
        else:
            noon = datetime.combine(found.day, time(12), settings.tz)
            outcome = str(ingest.store(body, settings, s3, noon)["outcome"])
        if outcome in _DONE:
            s3.delete_object(Bucket=settings.raw_bucket, Key=found.key)
    return outcome


def show(settings: Settings, key: str) -> str:
    """All that is known of an object in quarantine, and how it begins, for people.

    Raises:
        LakeError: if it is not there or cannot be read.
    """
    found, bucket = item(settings, key), f"s3://{settings.raw_bucket}/"
    beginning = content(settings, key, most=SHOWN)
    lines = {
        "object": bucket + key,
        "reason": found.reason,
        "origin": "the webhook; there is no other copy",
        "stored": f"{found.stored.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
        "size": f"{found.size:,} bytes",
        "begins": printable(beginning) + (" …" if found.size > len(beginning) else ""),
        "next": "`tgpipeline quarantine retry`, once it can be read",
    }
    if found.origin:
        raw = bucket + keys.partition(keys.RAW, found.day) + found.origin
        lines["origin"] = f"{raw}, where the ETL found it"
    return "\n".join(f"{name:<8}{told}" for name, told in lines.items())


def printable(body: bytes) -> str:
    r"""Bytes as text that is safe on a terminal: what is no printable UTF-8 stands as escapes.

    >>> print(printable("não\x1b[2J ".encode() + b"\xff"))
    não\x1b[2J \xff
    """
    text = body.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def command(arguments: argparse.Namespace, settings: Settings) -> int:
    """What `tgpipeline quarantine` does, by `action`; returns its exit code."""
    if arguments.action == "show":
        if not arguments.key:
            raise LakeError("which object? `tgpipeline quarantine list` says what is there.")
        print(show(settings, arguments.key))
        return 0
    if arguments.key:
        found = [item(settings, arguments.key)]
    else:
        found = list(items(settings, arguments.start, arguments.end))
    s3 = aws_client("s3", settings) if arguments.action == "retry" else None
    days: Counter[date] = Counter()
    left = len(found)
    for one in found:
        if arguments.action == "list":
            print(one)
            continue
        outcome = retry(settings, one, s3)
        print(f"{one.key}  {outcome}")
        left -= outcome in _DONE
        days[one.day] += outcome == "readable"
    for day, count in sorted(days.items()):
        if count:
            print(f"{count} readable now: tgpipeline etl --date {day} --rebuild")
    print(f"{left} in quarantine")
    return 3 if left and arguments.action == "retry" else 0


@contextmanager
def _explained(settings: Settings, what: str) -> Iterator[None]:
    """Turn what the clients of S3 raise into what a person can act on."""
    try:
        yield
    except (BotoCoreError, ClientError, BaseError, FileNotFoundError) as error:
        told = str(error).splitlines()[0][:300]
        raise LakeError(
            f"s3://{settings.raw_bucket}: could not {what} ({told}). Check your credentials and "
            "AWS_S3_BUCKET, and that you may list, read and delete under quarantine/; "
            "`tgpipeline quarantine list` says what is there."
        ) from error


def _raw(settings: Settings) -> "S3Store":
    return stores.open_store(settings.raw_bucket, settings)
