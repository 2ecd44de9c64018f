"""A month in the life of the sample group, in the order it happened.

`play` sends it through a webhook, before a reader's eyes. `fill` brings an empty bucket to where
that ends, by the same code and with the same bytes, in a fraction of the time.
"""

import gzip
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import obstore
import requests
from botocore.exceptions import ClientError

from telegram_standin import StandInError, Telegram
from tgpipeline import ingest, resources
from tgpipeline.errors import LocalStackError
from tgpipeline.lake import stores
from tgpipeline.progress import progress
from tgpipeline.settings import Settings

FIRST, LAST = date(2025, 11, 10), date(2025, 12, 9)  # the days of the sample, in its zone
ZONE = ZoneInfo("America/Sao_Paulo")
Line = dict[str, Any]
Tell = Callable[[Any], object]


class Sent(NamedTuple):
    """What was replayed.

    Attributes:
        updates: updates that Telegram posted, repeats among them.
        archived: messages of the bot's own, stored as sendMessage had returned them.
        broken: bodies that are no update.
    """

    updates: int
    archived: int
    broken: int


def lines(start: date = FIRST, end: date = LAST) -> Iterator[Line]:
    """The sample, oldest first: `{"at", "body"}`, `{"at", "sent"}` or `{"at", "raw"}` each.

    Args:
        start: first day.
        end: last day, included.
    """
    path = resources.folder("data/sample") / "updates.ndjson.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in map(json.loads, file):
            if start <= datetime.fromtimestamp(line["at"], ZONE).date() <= end:
                yield line


def play(life: Iterable[Line], telegram: Telegram, archive: Tell, set_clock: Tell) -> Sent:
    """Let the group live through some days; returns when the webhook has taken everything.

    Args:
        life: as `lines` gives it.
        telegram: the stand-in, with the webhook set.
        archive: what the bot does with the messages it sends (`lake.archive`).
        set_clock: told the time at which the next updates arrive, in Unix seconds; at the end None.

    Raises:
        LocalStackError: if the webhook does not take an update.
    """
    chosen = list(life)
    sent = Sent(*(sum(kind in line for line in chosen) for kind in ("body", "sent", "raw")))
    telegram.clock.running = True  # while it waits, for whoever must try again
    try:
        with progress("updates sent", sent.updates) as advance:
            for line in chosen:
                telegram.clock.set(line["at"])
                set_clock(line["at"])
                if "body" in line:
                    telegram.inject(line["body"])
                    telegram.wait_delivered()  # one after the other, as they happened
                    advance(1)
                elif "sent" in line:
                    archive(line["sent"])
                else:
                    _post(telegram, line["raw"])
    except (StandInError, requests.HTTPError) as error:
        raise LocalStackError(str(error)) from error
    finally:
        telegram.clock.running = False
        set_clock(None)
    return sent


def _post(telegram: Telegram, body: str) -> None:
    """Post to the webhook what Telegram would not send."""
    hook: Any = telegram.delivery.webhook
    headers = {ingest.SECRET_HEADER: hook.target.secret, "Content-Type": "application/json"}
    sent = body.encode(errors="surrogateescape")
    requests.post(hook.target.url, sent, headers=headers, timeout=60).raise_for_status()


class _InMemory(dict[str, Any]):
    """The two calls of S3's client that the ingest function makes: key → what was put there."""

    def put_object(self, **call: Any) -> None:
        if call["Key"] in self:
            raise ClientError({"ResponseMetadata": {"HTTPStatusCode": 412}}, "PutObject")
        self[call["Key"]] = call

    def list_objects_v2(self, **call: Any) -> dict[str, Any]:
        there = [self[call["Prefix"]]["Body"]] if call["Prefix"] in self else []
        return {"Contents": [{"ETag": hashlib.md5(body).hexdigest()} for body in there]}


def fill(life: Iterable[Line], telegram: Telegram, settings: Settings) -> int:
    """Put into the raw bucket what `play` would bring there through the webhook.

    Args:
        life: as `lines` gives it.
        telegram: the stand-in, with no webhook set; it lives through these days, too.
        settings: name the bucket, the chats and the zone.

    Returns:
        The number of objects.
    """
    memory = _InMemory()
    archive = stores.archive(settings, memory)
    for line in life:
        telegram.clock.set(line["at"])
        received, bodies = datetime.fromtimestamp(int(line["at"] * 1000) / 1000, UTC), []
        if "body" in line:
            telegram.inject(line["body"])
            bodies = [waiting.body for waiting in telegram.delivery.queue.all_pending()]
            telegram.delivery.queue.clear()
        elif "sent" in line:
            archive(line["sent"])
        else:  # API Gateway hands on text: what is no UTF-8 is replaced
            text = line["raw"].encode(errors="surrogateescape").decode(errors="replace")
            bodies = [text.encode()]
        for body in bodies:
            ingest.store(body, settings, memory, received)
    raw = stores.open_store(settings.raw_bucket, settings)

    def put(call: dict[str, Any]) -> None:
        obstore.put(raw, call["Key"], call["Body"], attributes=call["Metadata"])

    with ThreadPoolExecutor(16) as pool:
        return len(list(pool.map(put, memory.values())))
