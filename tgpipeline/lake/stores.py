"""The lake's buckets: opened for many small objects, written once, listed by day.

Likewise what functions of the standard library and botocore alone need: a client, a log of JSON
lines.
"""

import hashlib
import json
import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from tgpipeline.errors import LakeError
from tgpipeline.lake.erasing import as_bytes
from tgpipeline.lake.keys import RAW, day_of, sent_key
from tgpipeline.settings import Settings, aws_client, aws_session
from tgpipeline.telegram import updates

logger = logging.getLogger(__name__)


def put_new(s3: Any, bucket: str, key: str, body: bytes, **metadata: str) -> bool:
    """Write an object unless its key exists already.

    Args:
        s3: a boto3 S3 client.
        bucket: name of the bucket.
        key: key of the object.
        body: the bytes.
        **metadata: user metadata; characters outside ASCII are replaced.

    Returns:
        True if it was written, False if the key was there before.

    Raises:
        LakeError: if S3 refuses the write, or two writers keep colliding.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    """
    told = {name: text.encode("ascii", "replace").decode() for name, text in metadata.items()}
    advice = "Check that the bucket exists and that this role may s3:PutObject there."
    for attempt in range(5):
        with as_lake_error(bucket, f"write {key}", advice):
            try:
                s3.put_object(Bucket=bucket, Key=key, Body=body, Metadata=told, IfNoneMatch="*")
                return True
            except Exception as error:  # botocore is imported by whoever made the client, not here
                answer = getattr(error, "response", {}).get("ResponseMetadata", {})
                if answer.get("HTTPStatusCode") == 412:
                    return False
                if answer.get("HTTPStatusCode") != 409:  # 409: another write of it is under way
                    raise
        time.sleep(0.05 * 2**attempt)
    raise LakeError(f"s3://{bucket}/{key} was not written: other writers kept colliding with it.")


def archive(settings: Settings, s3: Any = None) -> Callable[[Mapping[str, Any]], str]:
    """A function that stores a Message the bot has sent, for `Bot.send_message(archive=…)`.

    A bot gets no update for its own messages: what sendMessage returned is the only trace.

    Args:
        settings: names the raw bucket and the time zone.
        s3: a boto3 S3 client; made from the settings where it is None.

    Returns:
        A function that takes the Message, stores it in the raw zone and returns its key.
    """
    s3, bucket = aws_client("s3", settings) if s3 is None else s3, settings.raw_bucket

    def store(message: Mapping[str, Any]) -> str:
        day = updates.context_date(dict(message), settings.tz, datetime.now(UTC))
        body, number = as_bytes(message), 0
        while True:  # behind all versions that are there, unless the last is this one
            key, number = sent_key(message, day, number), number + 1
            new, after = put_new(s3, bucket, key, body), sent_key(message, day, number)
            if new or (has_bytes(s3, bucket, key, body) and not etag_of(s3, bucket, after)):
                return key

    return store


def has_bytes(s3: Any, bucket: str, key: str, body: bytes) -> bool:
    """Whether an object holds these very bytes, told by its ETag: nothing is read.

    Under a KMS key an ETag is no MD5, so a repeat is stored once more there; it makes no other row.
    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
    """
    return etag_of(s3, bucket, key) == hashlib.md5(body, usedforsecurity=False).hexdigest()


def etag_of(s3: Any, bucket: str, key: str) -> str:
    """The ETag of an object; empty where there is none.

    It is listed, not fetched: without the right to list, S3 answers 403 for a missing object, too.

    Raises:
        LakeError: if it cannot be listed.
    """
    advice = "Check the credentials, and that they may s3:ListBucket there."
    with as_lake_error(bucket, f"list {key}", advice):
        found = s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
    return next((item["ETag"].strip('"') for item in found.get("Contents", [])), "")


def open_store(bucket: str, settings: Settings) -> Any:
    """A store for reading and writing many small objects, of the same account as boto3's clients.

    Where the environment holds no access key, credentials come through boto3's own chain, so
    profiles, single sign-on and roles work here as they do there.

    Raises:
        SettingsError: if there are no credentials.
    """
    from obstore.store import S3Store

    config: dict[str, Any] = {"region": settings.region}
    if settings.endpoint_url:
        config["endpoint"] = settings.endpoint_url
    if not settings.access_key_id:
        from obstore.auth.boto3 import Boto3CredentialProvider

        config["credential_provider"] = Boto3CredentialProvider(aws_session(settings))
    return S3Store(bucket, client_options={"allow_http": True, "timeout": "60s"}, **config)


def attributes_for(store: Any, attributes: Mapping[str, str]) -> dict[str, str]:
    """The metadata that an object of this store can have: files have none."""
    return {} if type(store).__name__ == "LocalStore" else dict(attributes)


def list_days(store: Any, prefix: str = RAW) -> list[date]:
    """The days that have a partition under a prefix, in order; other names are logged, no more."""
    listing = store.list_with_delimiter(f"{prefix}/")
    days, other = [], [item["path"] for item in listing["objects"]]
    for name in listing["common_prefixes"]:
        try:
            days.append(day_of(f"{name}/"))
        except LakeError:
            other.append(name)
    if other:
        line = {"skipped": other[:20], "count": len(other), "reason": "no partition of a day"}
        logger.warning(json.dumps(line))
    return sorted(days)


def paths(store: Any, prefix: str) -> Iterator[str]:
    """The keys of all objects under a prefix."""
    return (item["path"] for page in store.list(prefix) for item in page)


@contextmanager
def as_lake_error(bucket: str, what: str, advice: str) -> Iterator[None]:
    """Turn what the clients of S3 raise into what a person can act on.

    Args:
        bucket: name of the bucket.
        what: what is being done in it.
        advice: what to do if that fails.

    Raises:
        LakeError: in the place of each of their errors.
    """
    try:
        yield
    except Exception as error:  # told by its module: the ingest function has no obstore to import
        client, _, _ = type(error).__module__.partition(".")
        if client not in ("botocore", "obstore") and type(error) is not FileNotFoundError:
            raise
        told = str(error).splitlines()[0][:300]
        raise LakeError(f"s3://{bucket}: could not {what} ({told}). {advice}") from error


@cache
def client(service: str) -> Any:
    """A client of botocore, made once per instance of a function.

    Not boto3: around botocore it adds a fifth to the cold start, and nothing used here.

    Args:
        service: `s3` or `sqs`.
    """
    import botocore.session
    from botocore.config import Config
    from botocore.handlers import add_expect_header

    options: dict[str, Any] = {
        # Three tries within the function's 25 seconds; Telegram's redelivery is the next.
        "connect_timeout": 2,
        "read_timeout": 5,
        "retries": {"total_max_attempts": 3, "mode": "standard"},
        # What is left out costs a quarter of the call: the signature covers the body's SHA-256, so
        # a checksum beside it adds nothing, and the parameters are our own.
        "request_checksum_calculation": "when_required",
        "response_checksum_validation": "when_required",
        "parameter_validation": False,
    }
    # Older runtimes have a botocore that does not know the checksums' options, and sends none.
    config = Config(**{k: v for k, v in options.items() if k in Config.OPTION_DEFAULTS})
    settings = Settings.from_env()
    made = botocore.session.get_session().create_client(
        service, settings.region, endpoint_url=settings.endpoint_url or None, config=config
    )
    # Some hundred bytes need not ask, with a round trip of their own, whether they may come.
    made.meta.events.unregister("before-call.s3", add_expect_header)
    return made


@cache
def json_log(name: str) -> logging.Logger:
    """A logger that writes bare lines: Lambda's own would put text before the JSON."""
    logger = logging.getLogger(name)
    logger.addHandler(logging.StreamHandler(sys.stdout))
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return logger
