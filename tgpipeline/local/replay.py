"""A month in the life of the sample group, sent through a webhook in the order it happened."""

import gzip
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import requests

from telegram_standin import StandInError, Telegram
from tgpipeline import resources
from tgpipeline.errors import LocalStackError
from tgpipeline.ingest import SECRET_HEADER
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
    *,
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
    chosen = [line for line in lines() if start <= _day(line, settings) <= end]
    in_all = sum("body" in line for line in chosen)
    with requests.Session() as session, progress("updates sent", in_all) as advance:
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
                _post(session, url, settings, line["raw"])
                sent.broken += 1
    return sent


def _day(line: Line, settings: Settings) -> date:
    return datetime.fromtimestamp(line["at"], UTC).astimezone(settings.tz).date()


def _arrive(telegram: Telegram) -> None:
    """Wait until the webhook has taken it, looking more often than `wait_delivered` does."""
    for _ in range(200):
        if not telegram.pending():
            return
        time.sleep(0.001)
    running, telegram.clock.running = telegram.clock.running, True
    telegram.clock.advance(0)  # whoever waits for a repetition looks at the clock again
    try:
        telegram.wait_delivered()
    except StandInError as error:
        raise LocalStackError(str(error)) from error
    finally:
        telegram.clock.running = running


def _post(session: requests.Session, url: str, settings: Settings, body: str) -> None:
    answer = session.post(
        url,
        data=body.encode("utf-8", "surrogateescape"),
        headers={SECRET_HEADER: settings.webhook_secrets[0], "Content-Type": "application/json"},
        timeout=60,
    )
    if answer.status_code != 200:
        raise LocalStackError(f"the webhook answered {answer.status_code} to a broken body")
