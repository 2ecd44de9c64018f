"""The lake's buckets: opened for many small objects, written once, listed by day."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from tgpipeline.errors import LakeError
from tgpipeline.lake.keys import MIGRATIONS, RAW, day_of, sent_key
from tgpipeline.settings import Settings, aws_client, aws_session
from tgpipeline.telegram import updates

if TYPE_CHECKING:
    from obstore.store import ObjectStore, S3Store


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
        s3: a boto3 S3 client; made from the settings where it is None.

    Returns:
        A function that takes the Message, stores it in the raw zone and returns its key.
    """
    s3 = aws_client("s3", settings) if s3 is None else s3

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


def attributes_for(store: "ObjectStore", attributes: Mapping[str, str]) -> dict[str, str]:
    """The metadata that an object of this store can have: files have none."""
    from obstore.store import LocalStore

    return {} if isinstance(store, LocalStore) else dict(attributes)


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
