"""A month in the life of the sample group, in the order it happened.

`play` sends it through a webhook, before a reader's eyes. `fill` brings an empty bucket to where
that ends, by the same code and with the same bytes, in a fraction of the time.
"""

import gzip
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, ClassVar

import obstore
import requests

from telegram_standin import StandInError, Telegram
from tgpipeline import ingest, resources
from tgpipeline.errors import LocalStackError
from tgpipeline.lake import stores
from tgpipeline.progress import progress
from tgpipeline.settings import Settings

FIRST, LAST = date(2025, 11, 10), date(2025, 12, 9)  # the days of the sample
Line = dict[str, Any]


@dataclass
class Sent:
    """What was replayed.

    Attributes:
        updates: updates that Telegram posted, repeats among them.
        archived: messages of the bot's own, stored as sendMessage had returned them.
        broken: bodies that are no update.
    """

    updates: int = 0
    archived: int = 0
    broken: int = 0


def lines() -> Iterator[Line]:
    """The sample, oldest first: `{"at", "body"}`, `{"at", "sent"}` or `{"at", "raw"}` each."""
    path = resources.folder("data/sample") / "updates.ndjson.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def play(
    telegram: Telegram,
    settings: Settings,
    url: str,
    archive: Callable[[Mapping[str, Any]], object],
    start: date = FIRST,
    end: date = LAST,
    set_clock: Callable[[float], None] = lambda instant: None,
) -> Sent:
    """Let the group live through some days; returns when the webhook has taken everything.

    Args:
        telegram: the stand-in, with the webhook set.
        settings: the secret, and the zone in which days are meant.
        url: the webhook's, for the bodies that Telegram would not send.
        archive: what the bot does with the messages it sends (`lake.archive`).
        start: first day.
        end: last day, included.
        set_clock: told the time at which the next updates arrive, in Unix seconds.

    Raises:
        LocalStackError: if the webhook does not take an update.
    """
    sent = Sent()
    chosen = _chosen(settings, start, end)
    in_all = sum("body" in line for line in chosen)
    with progress("updates sent", in_all) as advance:
        for line in chosen:
            telegram.clock.set(line["at"])
            set_clock(line["at"])
            if "body" in line:
                telegram.inject(line["body"])
                _arrive(telegram)  # one after the other, as they happened
                sent.updates += 1
                advance(1)
            elif "sent" in line:
                archive(line["sent"])
                sent.archived += 1
            else:
                _post(url, settings, line["raw"])
                sent.broken += 1
    return sent


class _InMemory:
    """The two calls of S3's client that the ingest function makes, on a dictionary."""

    class Taken(Exception):
        response: ClassVar = {"ResponseMetadata": {"HTTPStatusCode": 412}}

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, dict[str, str]]] = {}

    def put_object(self, **call: Any) -> None:
        if call["Key"] in self.objects:
            raise self.Taken
        self.objects[call["Key"]] = call["Body"], call["Metadata"]

    def list_objects_v2(self, **call: Any) -> dict[str, Any]:
        body, _ = self.objects.get(call["Prefix"], (None, {}))
        digest = body and hashlib.md5(body, usedforsecurity=False).hexdigest()
        return {"KeyCount": 1, "Contents": [{"ETag": digest}]} if digest else {"KeyCount": 0}


def fill(telegram: Telegram, settings: Settings, *, start: date = FIRST, end: date = LAST) -> int:
    """Put into the raw bucket what `play` would bring there through the webhook.

    Args:
        telegram: the stand-in, with no webhook set; it lives through these days, too.
        settings: name the bucket, the chats and the zone.
        start: first day.
        end: last day, included.

    Returns:
        The number of objects.
    """
    memory = _InMemory()
    archive = stores.archive(settings, memory)
    for line in _chosen(settings, start, end):
        telegram.clock.set(line["at"])
        received = datetime.fromtimestamp(int(line["at"] * 1000) / 1000, UTC)
        if "body" in line:
            telegram.inject(line["body"])
            for waiting in telegram.delivery.queue.all_pending():
                ingest.store(waiting.body, settings, memory, received)
            telegram.delivery.queue.clear()
        elif "sent" in line:
            archive(line["sent"])
        else:  # API Gateway hands on text: what is no UTF-8 is replaced
            text = line["raw"].encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            ingest.store(text.encode(), settings, memory, received)
    raw = stores.open_store(settings.raw_bucket, settings)

    def put(item: tuple[str, tuple[bytes, dict[str, str]]]) -> None:
        key, (body, metadata) = item
        obstore.put(raw, key, body, attributes=dict(metadata))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(put, memory.objects.items()))
    return len(memory.objects)


def _chosen(settings: Settings, start: date, end: date) -> list[Line]:
    def day(line: Line) -> date:
        return datetime.fromtimestamp(line["at"], UTC).astimezone(settings.tz).date()

    return [line for line in lines() if start <= day(line) <= end]


def _arrive(telegram: Telegram) -> None:
    """Wait until the webhook has taken it. The clock runs meanwhile, for whoever must try again."""
    now, telegram.clock.running = telegram.clock.now(), True
    telegram.clock.set(now)
    try:
        telegram.wait_delivered()
    except StandInError as error:
        raise LocalStackError(str(error)) from error
    finally:
        telegram.clock.running = False


def _post(url: str, settings: Settings, body: str) -> None:
    headers = {ingest.SECRET_HEADER: settings.webhook_secrets[0]}
    headers["Content-Type"] = "application/json"
    sent = body.encode("utf-8", "surrogateescape")
    answer = requests.post(url, sent, headers=headers, timeout=60)
    if answer.status_code != 200:
        raise LocalStackError(f"the webhook answered {answer.status_code} to a broken body")
