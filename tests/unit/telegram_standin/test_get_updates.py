"""getUpdates behaves as Telegram's; every expectation is a fact about the real one."""

import threading
import time

from telegram_standin import Telegram
from tests.unit.telegram_standin.support import ANA, DAY, NOON, RUI, ApiError, Client, texts


def test_an_offset_confirms_what_is_below_it(telegram: Telegram, bot: Client) -> None:
    for n in range(5):
        telegram.say(ANA, f"n{n}")
    found = bot.get_updates()
    ids = [update["update_id"] for update in found]
    assert ids == list(range(ids[0], ids[0] + 5))
    assert texts(bot.get_updates()) == texts(found) == [f"n{n}" for n in range(5)]
    assert texts(bot.get_updates(limit=2)) == ["n0", "n1"]
    assert texts(bot.get_updates(ids[1])) == ["n1", "n2", "n3", "n4"]
    assert texts(bot.get_updates()) == ["n1", "n2", "n3", "n4"]
    assert texts(bot.get_updates(-2)) == ["n3", "n4"]
    assert texts(bot.get_updates()) == ["n3", "n4"]
    assert bot.get_updates(ids[4] + 1) == bot.get_updates() == []


def test_250_updates_in_batches_of_100(telegram: Telegram, bot: Client) -> None:
    for n in range(250):
        telegram.say(ANA, str(n))
    assert len(bot.get_updates(limit=1000)) == 100
    got: list[str] = []
    offset = 0
    while batch := bot.get_updates(offset):
        got += texts(batch)
        offset = batch[-1]["update_id"] + 1
    assert got == [str(n) for n in range(250)]
    assert telegram.pending() == 0


def test_a_long_poll_wakes_up_and_runs_out(telegram: Telegram, bot: Client) -> None:
    began = time.monotonic()
    assert bot.get_updates(timeout=1) == []
    assert 0.9 < time.monotonic() - began < 3
    threading.Timer(0.2, telegram.say, (ANA, "acorda")).start()
    assert texts(bot.get_updates(timeout=30)) == ["acorda"]
    assert time.monotonic() - began < 5


def test_of_two_long_polls_the_older_gets_the_conflict(telegram: Telegram, bot: Client) -> None:
    failed: list[ApiError] = []

    def older() -> None:
        try:
            bot.get_updates(timeout=20)
        except ApiError as error:
            failed.append(error)

    thread = threading.Thread(target=older)
    thread.start()
    time.sleep(0.3)
    assert Client(telegram.token, telegram.url).get_updates(timeout=1) == []
    thread.join(5)
    assert "terminated by other getUpdates" in failed[0].description


def test_allowed_updates_act_when_an_update_is_made(telegram: Telegram, bot: Client) -> None:
    said = telegram.say(ANA, "um")
    telegram.react(ANA, said["message_id"], "👍")
    bot.get_updates(allowed_updates=["message_reaction"])
    telegram.say(ANA, "dois")
    telegram.react(RUI, said["message_id"], "👍")
    telegram.react(RUI, said["message_id"])
    first, *reactions = bot.get_updates()
    assert first["message"]["text"] == "um", "made before: it stays"
    change = [u["message_reaction"] for u in reactions]
    thumb = [{"type": "emoji", "emoji": "👍"}]
    assert [(c["old_reaction"], c["new_reaction"]) for c in change] == [([], thumb), (thumb, [])]
    bot.get_updates(reactions[-1]["update_id"] + 1)
    assert bot.get_webhook_info()["allowed_updates"] == ["message_reaction"]
    bot.delete_webhook()
    assert bot.get_webhook_info()["allowed_updates"] == ["message_reaction"], "it survives"
    bot.get_updates(allowed_updates=[])
    assert "allowed_updates" not in bot.get_webhook_info(), "only shown where not the default"
    telegram.react(RUI, said["message_id"], "🔥")
    telegram.join(RUI)
    assert [list(u)[1] for u in bot.get_updates()] == ["message"]


def test_reactions_and_member_changes_need_an_admin(telegram: Telegram, bot: Client) -> None:
    bot.get_updates(allowed_updates=["message_reaction", "chat_member", "my_chat_member"])
    telegram.promote(False)
    said = telegram.say(ANA, "/oi")
    telegram.react(ANA, said["message_id"], "👍")
    telegram.join(RUI)
    assert [list(u)[1] for u in bot.get_updates()] == ["my_chat_member"]
    telegram.promote()
    telegram.leave(RUI)
    kinds = [list(u)[1] for u in bot.get_updates()]
    assert kinds == ["my_chat_member", "my_chat_member", "chat_member"]


def test_privacy_mode(telegram: Telegram, bot: Client) -> None:
    telegram.promote(False)
    mine = bot.send_message(telegram.group_id, "Posso ajudar?")["message_id"]
    telegram.say(ANA, "só entre nós")
    telegram.say(ANA, "/ajuda")
    telegram.say(ANA, "@loja_aurora_bot oi")
    telegram.say(ANA, "pode", reply_to=mine)
    seen = [u["message"]["text"] for u in bot.get_updates() if "message" in u]
    assert seen == ["/ajuda", "@loja_aurora_bot oi", "pode"]


def test_updates_are_kept_for_a_day(telegram: Telegram, bot: Client) -> None:
    telegram.say(ANA, "ontem")
    telegram.clock.advance(DAY - 60)
    telegram.say(ANA, "hoje")
    assert texts(bot.get_updates()) == ["ontem", "hoje"]
    telegram.clock.advance(61)
    assert texts(bot.get_updates()) == ["hoje"]
    telegram.inject({"update_id": 5, "message": {"message_id": 1, "date": NOON - 9 * DAY}})
    assert telegram.pending() == 2, "what is replayed from long ago arrives today"


def test_the_same_update_may_come_twice(telegram: Telegram, bot: Client) -> None:
    update = {"update_id": 77, "poll": {"id": "1"}}
    assert telegram.inject([update, update]) == [77, 77]
    assert [u["update_id"] for u in bot.get_updates()] == [77, 77]
    assert telegram.inject({"poll": {"id": "2"}})[0] > 77
    assert len(bot.get_updates(78)) == 1
