"""Lambda 1: takes what Telegram posts and stores it as it came, one object an update.

API Gateway invokes it with the whole request. Whatever cannot be stored for a good reason is
answered with 200, because Telegram repeats anything else for a day and holds the chat's newer
messages meanwhile; only a failed store is answered with 500, so that Telegram sends it again.
Standard library and botocore alone.
"""

import base64
import hmac
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from typing import Any

from tgpipeline import batch
from tgpipeline.errors import LakeError, UpdateError
from tgpipeline.lake import keys, markers, stores
from tgpipeline.settings import Settings
from tgpipeline.telegram import privacy, updates

MAX_BODY = 1_048_576  # bytes; the longest message that Telegram allows takes a tenth of it
SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105, a header's name
Line = dict[str, Any]  # what is logged of an update
_settings = cache(Settings.from_env)
_our_chats: dict[Settings, set[int]] = {}  # those that are met grow from those that are set


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Entry point of the function.

    Args:
        event: a request as REST and HTTP APIs of API Gateway pass it to a Lambda proxy:
            https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
        context: unused.

    Returns:
        The response: 200 if the update is stored, already was, is not ours or is in quarantine;
        403 if the secret is wrong; 500 if storing failed.

    Raises:
        SettingsError: if the function's environment lacks a variable it needs.
    """
    started = time.perf_counter()
    settings = _settings("raw_bucket", "chat_ids", "webhook_secret")
    if not authorised(event.get("headers") or {}, settings):
        return _answer(403, {"outcome": "forbidden"}, started)
    body = _body(event)
    try:
        sqs = stores.client("sqs") if settings.queue_url else None
        status, line = 200, store(body, settings, stores.client("s3"), _received(event), sqs)
    except Exception as error:  # any failure of S3's client must end in 500, not ours alone
        told = str(error) if isinstance(error, LakeError) else type(error).__name__
        status, line = 500, {"outcome": "failed", "error": told}
    return _answer(status, line, started)


def authorised(headers: Mapping[str, Any], settings: Settings) -> bool:
    """Whether the request bears a secret that is ours, compared in constant time.

    REST APIs keep the case of header names, HTTP APIs lower it: any case is taken.
    """
    lowered = {name.lower(): str(value) for name, value in headers.items()}
    given = lowered.get(SECRET_HEADER, "").encode("utf-8", "replace")
    return True in [hmac.compare_digest(given, s.encode()) for s in settings.webhook_secrets]


def store(body: bytes, settings: Settings, s3: Any, received: datetime, sqs: Any = None) -> Line:
    """Put what Telegram posted where it belongs: raw zone, queue, quarantine, or nowhere.

    Args:
        body: the request's body.
        settings: names the raw bucket, the chats that are ours and the time zone.
        s3: a client of botocore or boto3.
        received: when it came in, with its zone.
        sqs: likewise, where updates go into the settings' queue for a batch.

    Returns:
        What was done with it, to be logged: `outcome` is `stored`, `queued`, `repeated` (it
        was there already), `other_chat`, `private` (written to the bot alone: not stored) or
        `quarantined`; and ids, never text or names. `reply`, where it asks for /privacy or
        /forget, is the Bot API call that answers.

    Raises:
        LakeError: if it could not be stored.
    """
    today = received.astimezone(settings.tz).date()
    try:
        if len(body) > MAX_BODY:  # not even looked at: it would cost time and be refused later
            raise UpdateError(f"longer than {MAX_BODY} bytes")
        update = updates.parse(body)
        kind, content = updates.kind(update), updates.payload(update)
        chat_id = updates.chat_id(update)
        if kind in updates.MESSAGE_KINDS and chat_id is None:
            raise UpdateError("a message without a chat")
        line = {"update_id": update["update_id"], "kind": kind, "chat_id": chat_id}
        asked = privacy.asked(content, settings.bot_username) if kind == "message" else ""
        if asked and privacy.is_private(content):
            return {"outcome": "private", **line, **_reply(content, asked, settings, s3)}
        migration = updates.migration(content) if kind in updates.MESSAGE_KINDS else None
        if chat_id is not None and not _is_ours(chat_id, migration, settings, s3):
            return {"outcome": "other_chat", **line}
        day = updates.context_date(content, settings.tz, received)
        if day > today + timedelta(1):
            # Athena reads no partition beyond tomorrow: it would be lost until that day has come.
            raise UpdateError(f"dated {day}, which is to come")
    except UpdateError as error:
        key, reason = keys.quarantine_key(body, today), str(error)
        stores.put_new(s3, settings.raw_bucket, key, body, reason=reason)
        return {"outcome": "quarantined", "reason": reason, "key": key}
    # What bears no date keeps an object of its own, whose name tells a repeat after midnight.
    if sqs is not None and updates.event_date(content) is not None and batch.sendable(body):
        batch.send(sqs, settings.queue_url, body)
        outcome = "queued"
    else:
        outcome = "stored" if _put(body, update, day, settings, s3) else "repeated"
    if asked:
        line |= _reply(content, asked, settings, s3)
    return {"outcome": outcome, **line}


def _put(body: bytes, update: updates.Update, day: date, settings: Settings, s3: Any) -> bool:
    """Store an update by itself; whether it is new."""
    key = keys.update_key(update["update_id"], day)
    new = stores.put_new(s3, settings.raw_bucket, key, body)
    if not new and not stores.has_bytes(s3, settings.raw_bucket, key, body):
        # The number was taken: by another bot, or before a week without updates. Both are kept.
        key = keys.update_key(update["update_id"], day, body)
        new = stores.put_new(s3, settings.raw_bucket, key, body)
    return new


def _reply(message: updates.Update, asked: str, settings: Settings, s3: Any) -> Line:
    """What to answer to /privacy or /forget; the latter leaves a request for an administrator."""
    who = privacy.person(message)
    if asked == "/forget" and who is not None:
        request = json.dumps({"user_id": who, "date": message.get("date")}).encode()
        stores.put_new(s3, settings.raw_bucket, keys.request_key(who), request)
    return {"asked": asked, "reply": privacy.answer(message, asked, settings)}


def store_update(update: bytes | str | Mapping[str, Any]) -> dict[str, Any]:
    """Store an update that a bot of your own has received: the bot keeps its webhook or polling.

    Settings come from the environment: `AWS_S3_BUCKET`, `TELEGRAM_CHAT_ID` and `TIMEZONE`. The call
    waits for S3, so an asynchronous bot makes it in a thread.

    Args:
        update: the JSON as Telegram sent it, or what it holds.

    Returns:
        What was done with it, as `store` says it. Where it holds a `reply`, send that: it answers
        /privacy or /forget.

    Raises:
        SettingsError: if the environment lacks a setting that is needed.
        LakeError: if it could not be stored. Telegram will not send it again.
    """
    settings = _settings("raw_bucket", "chat_ids")
    return store(_as_bytes(update), settings, stores.client("s3"), datetime.now(UTC))


def store_sent(message: bytes | str | Mapping[str, Any]) -> str:
    """Store a Message that a bot of your own has sent; no update tells of it.

    Args:
        message: what `sendMessage` returned: the JSON, or what it holds.

    Returns:
        Its key in the raw bucket; empty if its chat is not one of `TELEGRAM_CHAT_ID`.

    Raises:
        SettingsError, LakeError: as `store_update`.
        UpdateError: if it is not JSON.
    """
    content = updates.parse_json(_as_bytes(message))
    settings, chat_id = _settings("raw_bucket", "chat_ids"), updates.chat_id({"message": content})
    if chat_id is None or not _is_ours(chat_id, None, settings, stores.client("s3")):
        return ""
    return stores.archive(settings, stores.client("s3"))(content)


def _as_bytes(given: bytes | str | Mapping[str, Any]) -> bytes:
    if isinstance(given, bytes):
        return given
    text = given if isinstance(given, str) else json.dumps(given)
    return text.encode("utf-8", "surrogatepass")


def _is_ours(chat_id: int, migration: tuple[int, int] | None, settings: Settings, s3: Any) -> bool:
    """Whether the chat is one of the settings', or one that such a chat became.

    A group that turns into a supergroup gets a new id. The message that says so names both ids, and
    whichever of the two chats it comes from first, a marker in the bucket makes the new one ours.
    """
    known = _our_chats.setdefault(settings, set(settings.chat_ids))
    bucket, marker_of = settings.raw_bucket, partial(keys.marker_key, keys.MIGRATIONS)
    if chat_id not in known and stores.etag_of(s3, bucket, marker_of(chat_id)):
        known.add(chat_id)
    if migration is not None and not known.isdisjoint((chat_id, migration[0])):
        stores.put_new(s3, bucket, marker_of(migration[1]), markers.of_migration(*migration))
        known.add(migration[1])
    return chat_id in known


def _received(event: Mapping[str, Any]) -> datetime:
    """When API Gateway took the request; it is what dates an update that bears no date itself."""
    context = event.get("requestContext") or {}
    milliseconds = context.get("requestTimeEpoch") or context.get("timeEpoch")  # REST, HTTP API
    seconds = milliseconds / 1000 if isinstance(milliseconds, int) else time.time()
    return datetime.fromtimestamp(seconds, UTC)


def _body(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        with suppress(TypeError, ValueError):  # not what it claims to be: quarantined as it is
            return base64.b64decode(body, validate=True)
    return _as_bytes(body)  # an object, as the console's test events may have it


def _answer(status: int, line: Line, started: float) -> dict[str, Any]:
    """Log one JSON line (ids and outcome, never text or names) and make the response."""
    reply = line.pop("reply", None)  # Telegram executes a call that the answer holds
    milliseconds = round((time.perf_counter() - started) * 1000, 1)
    stores.json_log(__name__).info(json.dumps({**line, "status": status, "ms": milliseconds}))
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(reply or {"ok": status == 200}),
    }
