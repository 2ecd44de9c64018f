"""The stand-in with a clock that stands still, a client of it, and a webhook receiver."""

from collections.abc import Iterator

import pytest

from telegram_standin import Clock, Telegram
from tests.unit.telegram_standin.support import NOON, Client, Receiver


@pytest.fixture
def telegram() -> Iterator[Telegram]:
    with Telegram(clock=Clock(NOON, running=False)) as running:
        yield running


@pytest.fixture
def bot(telegram: Telegram) -> Client:
    return Client(telegram.token, telegram.url)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.stop()
