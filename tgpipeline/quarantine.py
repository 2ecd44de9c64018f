"""The quarantine as a place to work with: list what is there and why, look at it, try it again.

What cannot be read as an update is kept there untouched, by the ingest function (which then has no
other copy of it) and by the ETL (whose copy of it still lies in the raw zone).
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from tgpipeline import extract, ingest, lake, rows, versions
from tgpipeline.errors import LakeError, UpdateError
from tgpipeline.settings import Settings


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


def items(
    settings: Settings, start: date | None = None, end: date | None = None, s3: Any = None
) -> Iterator[Item]:
    """What is in quarantine, oldest day first.

    Args:
        settings: names the raw bucket.
        start: first day; all from the beginning where it is None.
        end: last day, included; all to the end where it is None.
        s3: a boto3 S3 client; made from the environment where it is None.
    """
    s3 = s3 or _client()
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=settings.raw_bucket, Prefix=f"{lake.QUARANTINE}/"
    )
    for page in pages:
        for found in page.get("Contents", ()):
            day = lake.day_of(found["Key"])
            if (start is None or day >= start) and (end is None or day <= end):
                yield item(settings, found["Key"], s3)


def item(settings: Settings, key: str, s3: Any = None) -> Item:
    """One object in quarantine.

    Raises:
        LakeError: if it is not there.
    """
    s3 = s3 or _client()
    try:
        head = s3.head_object(Bucket=settings.raw_bucket, Key=key)
    except s3.exceptions.ClientError as error:
        raise LakeError(
            f"s3://{settings.raw_bucket}/{key} is not there ({error.response['Error']['Code']}): "
            "`tgpipeline quarantine list` says what is."
        ) from None
    notes = head["Metadata"]
    return Item(
        key=key,
        day=lake.day_of(key),
        size=head["ContentLength"],
        reason=notes.get("reason", ""),
        origin=notes.get("origin", ""),
        stored=head["LastModified"],
    )


def content(settings: Settings, key: str, s3: Any = None) -> bytes:
    """The bytes of an object in quarantine. They may hold anything, people's words too."""
    s3 = s3 or _client()
    item(settings, key, s3)
    body: bytes = s3.get_object(Bucket=settings.raw_bucket, Key=key)["Body"].read()
    return body


def retry(settings: Settings, found: Item, s3: Any = None) -> str:
    """Try to read an object again, and take it out of the quarantine if that works now.

    Args:
        settings: names the raw bucket, our chats and the time zone.
        found: as `items` gave it.
        s3: a boto3 S3 client; made from the environment where it is None.

    Returns:
        What became of it: `stored`, `repeated`, `other_chat` as for the ingest function;
        `readable` if the ETL can read it now, where it lies in the raw zone (its day is then to be
        rebuilt); `quarantined` if it stays where it is.

    Raises:
        LakeError: if it could not be stored.
    """
    s3 = s3 or _client()
    body = content(settings, found.key, s3)
    if found.origin:
        try:
            versions.version(extract.read(found.origin, body), rows.Flattener(settings.tz))
            outcome = "readable"
        except UpdateError:
            outcome = "quarantined"
    else:
        noon = datetime.combine(found.day, time(12), settings.tz)
        outcome = str(ingest.store(body, settings, s3, noon)["outcome"])
    if outcome != "quarantined":
        s3.delete_object(Bucket=settings.raw_bucket, Key=found.key)
    return outcome


def command(arguments: argparse.Namespace, settings: Settings) -> int:
    """What `tgpipeline quarantine` does, by `action`; returns its exit code."""
    s3 = _client()
    if arguments.action == "show":
        if not arguments.key:
            raise LakeError("which object? `tgpipeline quarantine list` says what is there.")
        print(item(settings, arguments.key, s3))
        return 0
    found = list(items(settings, arguments.start, arguments.end, s3))
    days: dict[date, int] = {}
    left = len(found)
    for one in found:
        if arguments.action == "list":
            print(one)
            continue
        outcome = retry(settings, one, s3)
        print(f"{one.key}  {outcome}")
        left -= outcome != "quarantined"
        if outcome == "readable":
            days[one.day] = days.get(one.day, 0) + 1
    for day, count in sorted(days.items()):
        print(f"{count} readable now: tgpipeline etl --date {day} --rebuild")
    print(f"{left} in quarantine")
    return 3 if left and arguments.action == "retry" else 0


def _client() -> Any:
    import boto3

    return boto3.client("s3")
