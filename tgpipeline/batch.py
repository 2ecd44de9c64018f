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
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from tgpipeline.errors import LakeError, UpdateError
from tgpipeline.lake import keys, stores
from tgpipeline.settings import Settings
from tgpipeline.telegram import updates

LONGEST = 250_000  # bytes; the queue of batch.yaml takes 262,144, of body and attributes
# What SQS refuses or replaces: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
# and the two line breaks, which would make two lines of one update.
_REFUSED = re.compile("[^\t\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def sendable(body: bytes) -> bool:
    r"""Whether the queue takes an update, and gives the same bytes back.

    >>> sendable(b'{"update_id": 1}'), sendable(b'{\n}'), sendable(b'"\xff"')
    (True, False, False)
    """
    return len(body) <= LONGEST and not _REFUSED.search(body.decode("utf-8", "surrogateescape"))


def send(sqs: Any, queue_url: str, body: bytes) -> None:
    """Put an update into the queue.

    Args:
        sqs: a client of SQS.
        queue_url: of the queue.
        body: what `sendable` says yes to, of an update that bears a date: the time of its receipt
            does not travel with it.

    Raises:
        LakeError: if the queue does not take it.
    """
    try:
        sqs.send_message(QueueUrl=queue_url, MessageBody=body.decode())
    except Exception as error:
        raise LakeError(
            f"the queue {queue_url} did not take an update ({error}). Check that it exists and "
            "that this role may sqs:SendMessage there."
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
    failed = store(event["Records"], Settings.from_env("raw_bucket"), stores.client("s3"))
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
    batches: dict[date, list[tuple[bytes, str]]] = defaultdict(list)

    def put(key: str, body: bytes, numbers: list[str], **metadata: str) -> None:
        line = {"outcome": "quarantined" if metadata else "batched", **metadata}
        try:
            stores.put_new(s3, settings.raw_bucket, key, body, **metadata)
        except LakeError as error:
            line = {"outcome": "failed", "error": str(error)}
            failed.extend(numbers)
        stores.json_log(__name__).info(json.dumps({**line, "key": key, "updates": len(numbers)}))

    for record in records:
        body, number = record["body"].encode("utf-8", "surrogatepass"), str(record["messageId"])
        sent = int(record.get("attributes", {}).get("SentTimestamp", 0)) / 1000
        received = datetime.fromtimestamp(sent, settings.tz)
        day = received.date()
        try:
            day = updates.context_date(updates.payload(updates.parse(body)), settings.tz, received)
            if record.get("eventSourceARN") == os.environ.get("AWS_SQS_DEAD_LETTERS", ""):
                raise UpdateError("a dead letter: no batch with it was stored in ten tries")
            batches[day].append((body, number))
        except UpdateError as error:
            put(keys.quarantine_key(body, day), body, [number], reason=str(error))
    for day, lines in batches.items():
        whole = b"\n".join(sorted({body for body, _ in lines})) + b"\n"
        put(keys.batch_key(whole, day), whole, [number for _, number in lines])
    return failed
