"""Both ends of the queue, where ingest is batched: many updates become one object per day.

The ingest function sends an update to SQS in place of S3. Lambda gathers what arrives for a while
and invokes the second function, `lambda_handler`, with up to 6 MB of it. SQS delivers at least
once: an update may lie in two batches, and the ETL makes one row of it.
Standard library and botocore alone.
"""

import json
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

from tgpipeline.errors import LakeError
from tgpipeline.lake import keys, runtime, stores
from tgpipeline.settings import Settings

LONGEST = 250_000  # bytes; the queue of batch.yaml takes 262,144, of body and attributes
# What SQS refuses or replaces: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
# and the two line breaks, which would make two lines of one update.
_REFUSED = re.compile("[^\t\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
Write = tuple[str, bytes, dict[str, str], list[str]]


def sendable(body: bytes) -> bool:
    r"""Whether the queue takes an update, and gives the same bytes back.

    >>> sendable(b'{"update_id": 1}'), sendable(b'{\n}'), sendable(b'"\xff"')
    (True, False, False)
    """
    try:
        return len(body) <= LONGEST and not _REFUSED.search(body.decode())
    except UnicodeDecodeError:
        return False


def send(sqs: Any, queue_url: str, body: bytes, day: date) -> None:
    """Put an update into the queue.

    Args:
        sqs: a client of SQS.
        queue_url: of the queue.
        body: what `sendable` says yes to.
        day: whose partition it belongs to; it travels with the update, since the time of its
            receipt does not.

    Raises:
        LakeError: if the queue does not take it.
    """
    told = {"day": {"DataType": "String", "StringValue": day.isoformat()}}
    try:
        sqs.send_message(QueueUrl=queue_url, MessageBody=body.decode(), MessageAttributes=told)
    except Exception as error:
        raise LakeError(
            f"the queue {queue_url} did not take an update ({stores.error_code(error)[0]}). Check "
            "that it exists and that this role may sqs:SendMessage there."
        ) from error


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Entry point of the second function.

    Args:
        event: records of the queue, or of its dead-letter queue:
            https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
        context: unused.

    Returns:
        The records that are not stored, for Lambda to bring again (`ReportBatchItemFailures`).

    Raises:
        SettingsError: if the function's environment lacks a variable it needs.
    """
    settings = Settings.from_env("raw_bucket")
    failed = store(event["Records"], settings, runtime.client("s3"))
    return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}


def store(records: Iterable[Mapping[str, Any]], settings: Settings, s3: Any) -> list[str]:
    """Write the records of a queue: one object per day, and what is wrong into quarantine.

    The key of an object is a digest of its lines, so the same batch is stored once.

    Args:
        records: as Lambda passes them.
        settings: names the raw bucket and the time zone.
        s3: a client of botocore or boto3.

    Returns:
        The `messageId` of each record that could not be stored; the others are.
    """
    failed: list[str] = []
    for key, body, metadata, numbers in _writes(records, settings):
        line: dict[str, Any] = {"outcome": "quarantined" if metadata else "batched", **metadata}
        try:
            stores.put_new(s3, settings.raw_bucket, key, body, metadata)
        except LakeError as error:
            line = {"outcome": "failed", "error": str(error)}
            failed += numbers
        runtime.json_log(__name__).info(json.dumps({**line, "key": key, "updates": len(numbers)}))
    return failed


def _writes(records: Iterable[Mapping[str, Any]], settings: Settings) -> Iterator[Write]:
    """The objects to write: key, body, metadata, and the records that are in it."""
    batches: dict[date, dict[bytes, list[str]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        body, number = record["body"].encode("utf-8", "surrogatepass"), str(record["messageId"])
        day, reason = _day_and_reason(record, settings)
        if reason or not sendable(body):
            metadata = {"reason": reason or "the queue held what cannot be one line of a batch"}
            yield keys.quarantine_key(body, day), body, metadata, [number]
        else:
            batches[day][body].append(number)
    for day, lines in batches.items():
        whole = b"\n".join(sorted(lines)) + b"\n"
        numbers = [number for told in lines.values() for number in told]
        yield keys.batch_key(whole, day), whole, {}, numbers


def _day_and_reason(record: Mapping[str, Any], settings: Settings) -> tuple[date, str]:
    """The day whose partition a record belongs to, and why it cannot be in a batch, if so."""
    attributes = record.get("attributes", {})
    sent = datetime.fromtimestamp(int(attributes.get("SentTimestamp", 0)) / 1000, UTC)
    try:
        day = date.fromisoformat(record["messageAttributes"]["day"]["stringValue"])
    except (KeyError, TypeError, ValueError):
        return sent.astimezone(settings.tz).date(), "in the queue without the day it belongs to"
    dead = record.get("eventSourceARN", "") == os.environ.get("AWS_SQS_DEAD_LETTERS", "none")
    return day, "a dead letter: no batch with it was stored in ten tries" if dead else ""
