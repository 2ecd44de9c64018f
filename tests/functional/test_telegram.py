"""`Bot.check` against the stand-in: what it finds when something is wrong with a bot."""

from collections.abc import Iterator

import pytest

from telegram_standin import Clock, Telegram
from tests.unit.telegram_standin.support import ANA, NOON, Receiver, until
from tgpipeline.telegram.bot import Bot
from tgpipeline.telegram.check import DEFAULT_WANTED, CheckReport


@pytest.fixture
def telegram() -> Iterator[Telegram]:
    with Telegram(clock=Clock(NOON, running=False)) as running:
        yield running


@pytest.fixture
def bot(telegram: Telegram) -> Bot:
    return Bot(telegram.token, telegram.url)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.stop()


def test_the_doctor_sees_what_is_wrong(telegram: Telegram, bot: Bot, receiver: Receiver) -> None:
    def bad(report: CheckReport) -> set[str]:
        return {finding.name for finding in report if not finding.ok}

    kinds = ("reactions", "reaction counts", "member changes")
    deliveries = {f"{name} delivered" for name in kinds}
    assert bad(bot.check(telegram.group_id)) == deliveries, "nobody has asked for them yet"
    bot.set_webhook(receiver.url, allowed_updates=DEFAULT_WANTED)
    assert bot.check(telegram.group_id, receiver.url).ok
    assert bad(bot.check(telegram.group_id)) == {"webhook"}
    telegram.promote(False)
    telegram.wait_delivered(5)  # the news of it is an update too
    assert bad(bot.check(telegram.group_id, receiver.url)) == {"admin", "all messages", *deliveries}
    telegram.promote()
    telegram.wait_delivered(5)
    receiver.plan = [(403, {"Retry-After": "60"}, b"")]
    telegram.say(ANA, "presa")
    until(lambda: bot.get_webhook_info().get("last_error_date"))
    when: list[int] = []
    stuck = bot.check(
        telegram.group_id, receiver.url, refusal_logged=lambda at: when.append(at) or True
    )
    assert bad(stuck) == {"delivery queue", "last error"}
    assert when == [bot.get_webhook_info()["last_error_date"]]
    assert "rotate-secret" in str(stuck)
    telegram.clock.advance(60)
    telegram.wait_delivered(5)
    old = telegram.group_id
    telegram.migrate()
    telegram.wait_delivered(5)
    moved = bot.check(old, receiver.url)
    assert bad(moved) == {"chat id"}, "all else is said of the group as it is now"
    assert f"TELEGRAM_CHAT_ID to {telegram.group_id}" in str(moved)
    telegram.promote(False)
    telegram.wait_delivered(5)
    assert bad(bot.check(old, receiver.url)) >= {"chat id", "admin"}
    assert bad(bot.check(4242)) >= {"in the group", "admin"}
    stranger = Bot("1:WRONG-TOKEN", telegram.url).check(telegram.group_id)
    assert (bad(stranger), len(stranger)) == ({"token"}, 1)
