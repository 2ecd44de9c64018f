"""What lies where in the lake. The only place that spells a key.

Raw zone, bytes as Telegram sent them, one object an update:
    s3://<raw>/telegram/context_date=YYYY-MM-DD/<update_id>.json (or <update_id>-<digest>.json)
    s3://<raw>/telegram/context_date=YYYY-MM-DD/sent-<chat_id>-<message_id>.json
    s3://<raw>/telegram/context_date=YYYY-MM-DD/history-<digest>.ndjson
    s3://<raw>/telegram/context_date=YYYY-MM-DD/batch-<sha256>.ndjson (many updates)
    s3://<raw>/quarantine/context_date=YYYY-MM-DD/<sha256>.bin
    s3://<raw>/migrations/<new chat_id>.json (which group a supergroup was before)
    s3://<raw>/bots/<user id>.json (a user that is a bot)
    s3://<raw>/requests/forget-<user id>.json (who wants to be erased)
    s3://<raw>/erased/<hash>.json, or <hash><chat_id>.json (who was erased, until when)
    s3://<raw>/erased/key (of these hashes)
Enriched zone, Parquet, one object a table and day:
    s3://<enriched>/telegram/<table>/context_date=YYYY-MM-DD/part-0.parquet
"""

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Any

from tgpipeline.errors import LakeError

RAW, QUARANTINE, MIGRATIONS, BOTS = "telegram", "quarantine", "migrations", "bots"
REQUESTS, ERASED = "requests/forget-", "erased"
PARTITION = "context_date="


def partition(prefix: str, day: date) -> str:
    """Prefix of one day, such as `telegram/context_date=2025-11-28/`."""
    return f"{prefix}/{PARTITION}{day.isoformat()}/"


def day_of(key: str) -> date:
    """The day whose partition a key is in.

    Raises:
        LakeError: if the key is in no partition.
    """
    try:
        return date.fromisoformat(key.split(PARTITION, 1)[1][:10])
    except (IndexError, ValueError):
        raise LakeError(f"{key!r} is in no partition: expected …/{PARTITION}YYYY-MM-DD/…") from None


def update_key(update_id: int, day: date, body: bytes = b"") -> str:
    """Key of an update in the raw zone.

    Pass `body` when a different update already uses this update_id; its digest is appended.
    """
    digest = f"-{hashlib.sha256(body).hexdigest()[:16]}" if body else ""
    return f"{partition(RAW, day)}{update_id}{digest}.json"


def sent_key(message: Mapping[str, Any], day: date, number: int = 0) -> str:
    """Key of a Message that the bot sent; each edit of it has a key of its own.

    Edits within one second have the same edit_date: `number` counts them, from 0.
    """
    edited = message.get("edit_date") or 0
    version = f"-{edited}-{number}" if number else f"-{edited}" if edited else ""
    ids = f"{message['chat']['id']}-{message['message_id']}"
    return f"{partition(RAW, day)}sent-{ids}{version}.json"


def history_key(lines: bytes, day: date) -> str:
    """Key of imported messages: the same lines have the same key."""
    return f"{partition(RAW, day)}history-{hashlib.sha256(lines).hexdigest()[:32]}.ndjson"


def batch_key(lines: bytes, day: date) -> str:
    """Key of many updates, one on each line: the same lines have the same key."""
    return f"{partition(RAW, day)}batch-{hashlib.sha256(lines).hexdigest()}.ndjson"


def quarantine_key(body: bytes, day: date) -> str:
    """Key of what could not be read: the same bytes on the same day have the same key."""
    return f"{partition(QUARANTINE, day)}{hashlib.sha256(body).hexdigest()}.bin"


def marker_key(kind: str, number: int) -> str:
    """Key of a marker: of `MIGRATIONS`, for a supergroup, or of `BOTS`, for a user."""
    return f"{kind}/{number}.json"


def request_key(user_id: int) -> str:
    """Key of the marker that says that a user wants to be erased."""
    return f"{REQUESTS}{user_id}.json"


def erased_key(hashed: str, chat_id: int = 0) -> str:
    """Key of the marker that says that somebody was erased, in one chat or in all."""
    return f"{ERASED}/{hashed}{chat_id or ''}.json"


def enriched_key(table: str, day: date, part: int = 0) -> str:
    """Key of one table's Parquet of one day; a large day has further parts if Spark made it."""
    return f"{partition(f'{RAW}/{table}', day)}part-{part}.parquet"
