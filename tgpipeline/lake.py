"""Where things live in the lake. The only place that spells a key.

Raw zone, bytes as Telegram sent them, one object an update:
    s3://<raw>/telegram/context_date=YYYY-MM-DD/<update_id>.json (or <update_id>-<digest>.json)
    s3://<raw>/telegram/context_date=YYYY-MM-DD/sent-<chat_id>-<message_id>.json
    s3://<raw>/telegram/context_date=YYYY-MM-DD/history-<digest>.ndjson
    s3://<raw>/quarantine/context_date=YYYY-MM-DD/<sha256>.bin
    s3://<raw>/migrations/<new chat_id>.json
Enriched zone, Parquet, one object a table and day:
    s3://<enriched>/telegram/<table>/context_date=YYYY-MM-DD/part-0.parquet
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from tgpipeline import updates
from tgpipeline.errors import LakeError
from tgpipeline.settings import Settings

if TYPE_CHECKING:
    from obstore.store import ObjectStore, S3Store

RAW, QUARANTINE, MIGRATIONS = "telegram", "quarantine", "migrations"
TABLES = ("messages", "events")
_PARTITION = "context_date="


def partition(prefix: str, day: date) -> str:
    """Prefix of one day, such as `telegram/context_date=2025-11-28/`."""
    return f"{prefix}/{_PARTITION}{day.isoformat()}/"


def day_of(key: str) -> date:
    """The day whose partition a key is in.

    Raises:
        LakeError: if the key is in no partition.
    """
    try:
        return date.fromisoformat(key.split(_PARTITION, 1)[1][:10])
    except (IndexError, ValueError):
        raise LakeError(
            f"{key!r} is in no partition: expected …/{_PARTITION}YYYY-MM-DD/…"
        ) from None


def update_key(update_id: int, day: date, body: bytes = b"") -> str:
    """Key of an update in the raw zone; with the body, where another has the number already."""
    digest = f"-{hashlib.sha256(body).hexdigest()[:16]}" if body else ""
    return f"{partition(RAW, day)}{update_id}{digest}.json"


def sent_key(message: Mapping[str, Any], day: date) -> str:
    """Key of a Message that the bot sent; each edit of it has a key of its own."""
    edited = f"-{message['edit_date']}" if message.get("edit_date") else ""
    name = f"sent-{message['chat']['id']}-{message['message_id']}{edited}.json"
    return partition(RAW, day) + name


def history_key(lines: bytes, day: date) -> str:
    """Key of imported messages: the same lines have the same key."""
    return f"{partition(RAW, day)}history-{hashlib.sha256(lines).hexdigest()[:32]}.ndjson"


def quarantine_key(body: bytes, day: date) -> str:
    """Key of what could not be read: the same bytes on the same day have the same key."""
    return f"{partition(QUARANTINE, day)}{hashlib.sha256(body).hexdigest()}.bin"


def migration_key(new_chat_id: int) -> str:
    """Key of the marker that says which group a supergroup was before."""
    return f"{MIGRATIONS}/{new_chat_id}.json"


def enriched_key(table: str, day: date) -> str:
    """Key of one table's Parquet of one day."""
    return f"{partition(f'{RAW}/{table}', day)}part-0.parquet"


def put_new(
    s3: Any, bucket: str, key: str, body: bytes, metadata: Mapping[str, str] | None = None
) -> bool:
    """Write an object unless its key exists already.

    Args:
        s3: a boto3 S3 client.
        bucket: name of the bucket.
        key: key of the object.
        body: the bytes.
        metadata: user metadata; characters outside ASCII are replaced.

    Returns:
        True if it was written, False if the key was there before.

    Raises:
        LakeError: if S3 refuses the write, or two writers keep colliding.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    """
    ascii_only = {k: v.encode("ascii", "replace").decode() for k, v in (metadata or {}).items()}
    for attempt in range(5):
        try:
            s3.put_object(Bucket=bucket, Key=key, Body=body, Metadata=ascii_only, IfNoneMatch="*")
            return True
        except Exception as error:  # botocore is imported by whoever made the client, not here
            code, status = _error_code(error)
            if status == 412:
                return False
            if status != 409:  # ConditionalRequestConflict: another write of it is under way
                raise LakeError(
                    f"s3://{bucket}/{key} was not written ({code}). Check that the bucket exists "
                    "and that this role may s3:PutObject there."
                ) from error
        time.sleep(0.05 * 2**attempt)
    raise LakeError(f"s3://{bucket}/{key} was not written: other writers kept colliding with it.")


def archive(settings: Settings, s3: Any = None) -> Callable[[Mapping[str, Any]], str]:
    """A function that stores a Message the bot has sent, for `Bot.send_message(archive=…)`.

    A bot gets no update for its own messages: what sendMessage returned is the only trace.

    Args:
        settings: names the raw bucket and the time zone.
        s3: a boto3 S3 client; made from the environment where it is None.

    Returns:
        A function that takes the Message, stores it in the raw zone and returns its key.
    """
    if s3 is None:
        import boto3

        s3 = boto3.client("s3")

    def store(message: Mapping[str, Any]) -> str:
        day = updates.context_date(dict(message), settings.tz, datetime.now(UTC))
        key = sent_key(message, day)
        try:
            body = json.dumps(message, ensure_ascii=False).encode()
        except UnicodeEncodeError:  # half a surrogate pair, which UTF-8 has no bytes for
            body = json.dumps(message).encode()
        put_new(s3, settings.raw_bucket, key, body)
        return key

    return store


def open_store(bucket: str, settings: Settings) -> "S3Store":
    """A store for reading and writing many small objects, of the same account as boto3's clients.

    Where the environment holds no access key, credentials come through boto3's own chain, so
    profiles, single sign-on and roles work here as they do there.
    """
    from obstore.store import S3Store

    config: dict[str, Any] = {"region": settings.region}
    if settings.endpoint_url:
        config["endpoint"] = settings.endpoint_url
    if not settings.access_key_id:
        from obstore.auth.boto3 import Boto3CredentialProvider

        config["credential_provider"] = Boto3CredentialProvider()
    return S3Store(bucket, client_options={"allow_http": True, "timeout": "60s"}, **config)


def list_days(store: "ObjectStore", prefix: str = RAW) -> Iterator[date]:
    """The days that have a partition under a prefix, in order."""
    listing = store.list_with_delimiter(f"{prefix}/")
    for name in sorted(listing["common_prefixes"]):
        yield day_of(f"{name}/")


def groups(store: "ObjectStore") -> dict[int, int]:
    """For each supergroup that was a group before, that group's id.

    Raises:
        LakeError: if a marker cannot be read.
    """
    found: dict[int, int] = {}
    for page in store.list(f"{MIGRATIONS}/"):
        for item in page:
            try:
                marker = json.loads(store.get(item["path"]).bytes().to_bytes())
                found[int(marker["to"])] = int(marker["from"])
            except (KeyError, TypeError, ValueError):
                raise LakeError(
                    f"{item['path']} does not say which group a supergroup was before: expected "
                    '{"from": …, "to": …}. Write it anew, or delete it.'
                ) from None
    return found


def _error_code(error: Exception) -> tuple[str, int]:
    response = getattr(error, "response", {})
    code = response.get("Error", {}).get("Code", type(error).__name__)
    return code, response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
