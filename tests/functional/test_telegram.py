"""The Bot API stand-in behaves as Telegram does; every expectation is a fact about the real one."""

import json
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from telegram_standin import Telegram
from telegram_standin.queue import Clock
from tgpipeline.errors import BotApiError, BotConflict, BotTooManyRequests, LocalStackError
from tgpipeline.telegram.bot import Bot
from tgpipeline.telegram.check import DEFAULT_WANTED, Report

ANA = {"id": 501, "is_bot": False, "first_name": "Ana"}
RUI = {"id": 502, "is_bot": False, "first_name": "Rui"}
NOON = 1_764_342_000
DAY = 86_400


class Receiver:
    """A webhook: plays planned answers (status, headers, body), then 200."""

    def __init__(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.take(self, json.loads(body))

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.got: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.plan: list[tuple[int, dict[str, str], bytes]] = []
        self.before: Callable[[dict[str, Any]], None] = lambda update: None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook?stage=1"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def take(self, handler: BaseHTTPRequestHandler, update: dict[str, Any]) -> None:
        self.before(update)
        self.got.append(update)
        self.headers.append({k.lower(): v for k, v in handler.headers.items()})
        status, headers, body = self.plan.pop(0) if self.plan else (200, {}, b"")
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    def texts(self) -> list[str]:
        return [update.get("message", {}).get("text") for update in self.got]

    def serve_tls(self, context: ssl.SSLContext) -> None:
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def telegram() -> Iterator[Telegram]:
    with Telegram(clock=Clock(NOON, running=False)) as running:
        yield running


@pytest.fixture
def bot(telegram: Telegram) -> Bot:
    return Bot(telegram.token, telegram.url, backoff=0.01)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.stop()


def until(true: Callable[[], object], seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def texts(found: list[dict[str, Any]]) -> list[str]:
    return [update["message"]["text"] for update in found]


# getUpdates


def test_an_offset_confirms_what_is_below_it(telegram: Telegram, bot: Bot) -> None:
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


def test_an_iterator_over_250_updates(telegram: Telegram, bot: Bot) -> None:
    for n in range(250):
        telegram.say(ANA, str(n))
    assert len(bot.get_updates(limit=1000)) == 100
    assert texts(list(bot.iter_updates())) == [str(n) for n in range(250)]
    assert telegram.pending() == 0


def test_a_long_poll_wakes_up_and_runs_out(telegram: Telegram, bot: Bot) -> None:
    began = time.monotonic()
    assert bot.get_updates(timeout=1) == []
    assert 0.9 < time.monotonic() - began < 3
    threading.Timer(0.2, telegram.say, (ANA, "acorda")).start()
    assert texts(bot.get_updates(timeout=30)) == ["acorda"]
    assert time.monotonic() - began < 5


def test_of_two_long_polls_the_older_gets_the_conflict(telegram: Telegram, bot: Bot) -> None:
    failed: list[BotConflict] = []

    def older() -> None:
        try:
            bot.get_updates(timeout=20)
        except BotConflict as error:
            failed.append(error)

    thread = threading.Thread(target=older)
    thread.start()
    time.sleep(0.3)
    assert Bot(telegram.token, telegram.url).get_updates(timeout=1) == []
    thread.join(5)
    assert "terminated by other getUpdates" in failed[0].description


def test_allowed_updates_act_when_an_update_is_made(telegram: Telegram, bot: Bot) -> None:
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


def test_reactions_and_member_changes_need_an_admin(telegram: Telegram, bot: Bot) -> None:
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


def test_privacy_mode(telegram: Telegram, bot: Bot) -> None:
    telegram.promote(False)
    mine = bot.send_message(telegram.home, "Posso ajudar?")["message_id"]
    telegram.say(ANA, "só entre nós")
    telegram.say(ANA, "/ajuda")
    telegram.say(ANA, "@loja_aurora_bot oi")
    telegram.say(ANA, "pode", reply_to=mine)
    seen = [u["message"]["text"] for u in bot.get_updates() if "message" in u]
    assert seen == ["/ajuda", "@loja_aurora_bot oi", "pode"]


def test_updates_are_kept_for_a_day(telegram: Telegram, bot: Bot) -> None:
    telegram.say(ANA, "ontem")
    telegram.clock.advance(DAY - 60)
    telegram.say(ANA, "hoje")
    assert texts(bot.get_updates()) == ["ontem", "hoje"]
    telegram.clock.advance(61)
    assert texts(bot.get_updates()) == ["hoje"]
    telegram.inject({"update_id": 5, "message": {"message_id": 1, "date": NOON - 9 * DAY}})
    assert telegram.pending() == 2, "what is replayed from long ago arrives today"


def test_the_same_update_may_come_twice(telegram: Telegram, bot: Bot) -> None:
    update = {"update_id": 77, "poll": {"id": "1"}}
    assert telegram.inject([update, update]) == [77, 77]
    assert [u["update_id"] for u in bot.get_updates()] == [77, 77]
    assert telegram.inject({"poll": {"id": "2"}})[0] > 77
    assert len(bot.get_updates(78)) == 1


# Webhook


def test_a_webhook_gets_json_with_the_secret(
    telegram: Telegram, bot: Bot, receiver: Receiver
) -> None:
    telegram.say(ANA, "antes")
    bot.set_webhook(receiver.url, secret_token="S3cret_-x", max_connections=7)
    telegram.say(ANA, "ção 👍")
    telegram.wait_delivered(5)
    assert receiver.texts() == ["antes", "ção 👍"]
    assert {h["x-telegram-bot-api-secret-token"] for h in receiver.headers} == {"S3cret_-x"}
    assert {h["content-type"] for h in receiver.headers} == {"application/json"}
    info = bot.get_webhook_info()
    assert info == {
        "url": receiver.url,
        "has_custom_certificate": False,
        "pending_update_count": 0,
        "max_connections": 7,
        "ip_address": "127.0.0.1",
    }
    with pytest.raises(BotConflict, match="webhook is active"):
        bot.get_updates()


def test_retries_come_at_once_then_after_2_4_8_seconds(
    telegram: Telegram, bot: Bot, receiver: Receiver
) -> None:
    receiver.plan = [(500, {}, b"")] * 5
    bot.set_webhook(receiver.url)
    telegram.say(ANA, "de novo")
    until(lambda: len(receiver.got) == 2)
    for tries, pause in ((3, 2), (4, 4), (5, 8)):
        telegram.clock.advance(pause - 0.5)
        time.sleep(0.1)
        assert len(receiver.got) == tries - 1, f"not before {pause} s"
        telegram.clock.advance(0.5)
        until(lambda tries=tries: len(receiver.got) == tries)
    until(lambda: bot.get_webhook_info()["last_error_date"] == int(telegram.clock.now()))
    info = bot.get_webhook_info()
    assert info["pending_update_count"] == 1
    assert info["last_error_message"].startswith("Wrong response from the webhook: 500 ")
    telegram.wait_delivered(30)
    assert receiver.texts() == ["de novo"] * 6
    assert {u["update_id"] for u in receiver.got} == {receiver.got[0]["update_id"]}


def test_retry_after_is_honoured(telegram: Telegram, bot: Bot, receiver: Receiver) -> None:
    receiver.plan = [(503, {"Retry-After": "1800"}, b"")]
    bot.set_webhook(receiver.url)
    telegram.say(ANA, "depois")
    until(lambda: receiver.got)
    telegram.clock.advance(1799)
    time.sleep(0.1)
    assert len(receiver.got) == 1
    telegram.clock.advance(1)
    telegram.wait_delivered(5)
    assert len(receiver.got) == 2


def test_one_chat_waits_in_order_and_others_go_on(
    telegram: Telegram, bot: Bot, receiver: Receiver
) -> None:
    other = {"id": -1009, "type": "supergroup", "title": "Outro"}
    receiver.plan = [(500, {}, b""), (500, {}, b"")]
    bot.set_webhook(receiver.url, allowed_updates=["message", "edited_message", "message_reaction"])
    said = telegram.say(ANA, "um")
    until(lambda: len(receiver.got) == 2)
    telegram.edit(said["message_id"], "um, corrigido")
    telegram.say(RUI, "dois")
    telegram.react(RUI, said["message_id"], "👍")
    telegram.inject({"message": {"message_id": 1, "date": NOON, "chat": other, "text": "outro"}})
    until(lambda: len(receiver.got) == 4)
    assert {list(u)[1] for u in receiver.got[2:]} == {"message", "message_reaction"}
    assert "outro" in receiver.texts(), "another chat and another kind do not wait"
    telegram.wait_delivered(5)
    assert [list(u)[1] for u in receiver.got[4:]] == ["message", "edited_message", "message"]
    assert receiver.texts()[-1] == "dois"


def test_an_update_that_keeps_failing_is_dropped_after_a_day(
    telegram: Telegram, bot: Bot, receiver: Receiver
) -> None:
    receiver.plan = [(500, {"Retry-After": "3600"}, b"")] * 40
    bot.set_webhook(receiver.url)
    telegram.say(ANA, "presa")
    for hour in range(24):
        until(lambda hour=hour: len(receiver.got) == hour + 1)
        until(lambda: telegram.outlet.webhook.next_retry or not telegram.pending())
        telegram.clock.advance(3600)
    until(lambda: telegram.pending() == 0)
    assert len(receiver.got) in (24, 25)


def test_a_receiver_that_is_gone_for_23_hours_loses_its_webhook(
    telegram: Telegram, bot: Bot, receiver: Receiver
) -> None:
    receiver.plan = [(410, {}, b"")] * 9
    bot.set_webhook(receiver.url)
    telegram.say(ANA, "um")
    until(lambda: len(receiver.got) == 2)
    until(lambda: telegram.outlet.webhook.next_retry)
    telegram.clock.advance(23 * 3600 + 1)
    until(lambda: bot.get_webhook_info()["url"] == "")
    assert texts(bot.get_updates()) == ["um"]


def test_what_waits_is_kept_unless_it_is_dropped(
    telegram: Telegram, bot: Bot, receiver: Receiver
) -> None:
    receiver.plan = [(403, {"Retry-After": "600"}, b"")] * 9
    bot.set_webhook(receiver.url)
    telegram.say(ANA, "um")
    telegram.say(ANA, "dois")
    until(lambda: receiver.got)
    bot.delete_webhook()
    assert texts(bot.get_updates()) == ["um", "dois"]
    bot.set_webhook(receiver.url, drop_pending_updates=True)
    assert bot.get_webhook_info()["pending_update_count"] == 0
    telegram.say(ANA, "três")
    bot.delete_webhook(drop_pending_updates=True)
    assert bot.get_updates() == []


def test_a_webhook_moves_with_what_waits(telegram: Telegram, bot: Bot, receiver: Receiver) -> None:
    bot.set_webhook("http://127.0.0.1:1/nobody")
    telegram.say(ANA, "um")
    until(lambda: "last_error_message" in bot.get_webhook_info())
    assert bot.get_webhook_info()["last_error_message"] == "Connection refused"
    bot.set_webhook(receiver.url)  # within the same second: the client waits out the 429
    telegram.wait_delivered(5)
    assert receiver.texts() == ["um"]


def test_set_webhook_is_refused_more_than_once_a_second(telegram: Telegram) -> None:
    hasty = Bot(telegram.token, telegram.url, max_wait=0)
    hasty.set_webhook("http://127.0.0.1:1/")
    with pytest.raises(BotTooManyRequests) as caught:
        hasty.set_webhook("http://127.0.0.1:1/other")
    assert caught.value.parameters == {"retry_after": 1}


def test_a_method_in_the_answer_is_carried_out(
    telegram: Telegram, bot: Bot, receiver: Receiver
) -> None:
    chat, form = telegram.home, {"Content-Type": "application/x-www-form-urlencoded"}
    answer = {"method": "sendMessage", "chat_id": chat, "text": "Olá!"}
    receiver.plan = [
        (200, {"Content-Type": "application/json"}, json.dumps(answer).encode()),
        (200, form, f"method=sendmessage&chat_id={chat}&text=de+novo".encode()),
        (200, {"Content-Type": "application/json"}, b'{"method": "deleteWebhook"}'),
        (200, {"Content-Type": "application/json"}, b"not JSON"),
    ]
    bot.set_webhook(receiver.url)
    for n in range(4):
        telegram.say(ANA, str(n))
    telegram.wait_delivered(5)
    said = [m["text"] for m in telegram.chat(chat).messages.values() if m["from"]["is_bot"]]
    assert sorted(said) == ["Olá!", "de novo"]
    assert bot.get_webhook_info()["url"] == receiver.url
    assert len(receiver.got) == 4, "and a bot gets no update for its own messages"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"url": "http://example.com/hook"}, "HTTPS URL must be provided"),
        ({"url": "http://10.0.0.1/hook"}, "HTTPS URL must be provided"),
        ({"url": "https://example.com:8444/"}, "only on ports 80, 88, 443 or 8443"),
        ({"url": "http://127.0.0.1:99999999/"}, "invalid webhook URL"),
        ({"url": "ftp://127.0.0.1/"}, "HTTPS URL must be provided"),
        ({"url": "http://127.0.0.1:1/", "secret_token": "não"}, "unallowed characters"),
        ({"url": "http://127.0.0.1:1/", "secret_token": "x" * 257}, "too long"),
        ({"url": "http://127.0.0.1:1/", "certificate": b"no PEM"}, "not PEM"),
        ({"url": "http://127.0.0.1:1/", "certificate": "file_id"}, "must be uploaded"),
        ({"url": "http://127.0.0.1:1/", "ip_address": "10.0.0.1"}, "is reserved"),
    ],
)
def test_bad_webhooks_are_refused(bot: Bot, options: dict[str, Any], why: str) -> None:
    with pytest.raises(BotApiError, match=why) as caught:
        bot.call("setWebhook", **options)
    assert caught.value.error_code == 400
    assert bot.get_webhook_info()["url"] == ""


def test_a_webhook_with_a_certificate_of_its_own(
    telegram: Telegram, bot: Bot, receiver: Receiver, tmp_path: Path
) -> None:
    pem, key = self_signed()
    (tmp_path / "own.pem").write_bytes(pem + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "own.pem")
    receiver.serve_tls(context)
    url = receiver.url.replace("http:", "https:")
    bot.set_webhook(url)
    telegram.say(ANA, "cifrada")
    until(lambda: "last_error_message" in bot.get_webhook_info())
    assert "CERTIFICATE_VERIFY_FAILED" in bot.get_webhook_info()["last_error_message"]
    bot.set_webhook(url, certificate=pem)
    telegram.wait_delivered(5)
    assert receiver.texts() == ["cifrada"]
    assert bot.get_webhook_info()["has_custom_certificate"] is True


def self_signed() -> tuple[bytes, bytes]:
    """A certificate for 127.0.0.1, and its key."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    return made.public_bytes(pem), private


def test_thousands_are_delivered_quickly_and_in_order(
    telegram: Telegram, bot: Bot, receiver: Receiver
) -> None:
    many = [
        {
            "update_id": 1000 + n,
            "message": {
                "message_id": n,
                "date": NOON,
                "chat": {"id": -1 - n % 3, "type": "group", "title": "g"},
                "text": str(n),
            },
        }
        for n in range(3000)
    ]
    bot.set_webhook(receiver.url)
    began = time.monotonic()
    telegram.inject(many)
    telegram.wait_delivered(60)
    assert time.monotonic() - began < 30
    for chat in range(3):
        of_chat = [int(t) for t in receiver.texts() if int(t) % 3 == chat]
        assert of_chat == list(range(chat, 3000, 3))


# The group, and what bots ask of it


def test_a_supergroup_migration(telegram: Telegram, bot: Bot) -> None:
    old = telegram.home
    telegram.say(ANA, "antes")
    telegram.migrate()
    telegram.say(ANA, "depois")
    _, left, came, after = [u["message"] for u in bot.get_updates()]
    assert (left["chat"]["id"], left["migrate_to_chat_id"]) == (old, telegram.home)
    assert (came["chat"]["id"], came["migrate_from_chat_id"]) == (telegram.home, old)
    assert after["chat"]["type"] == "supergroup"
    assert after["message_id"] == came["message_id"] + 1 == 2, "ids start again"
    with pytest.raises(BotApiError, match="upgraded to a supergroup") as caught:
        bot.send_message(old, "oi")
    assert caught.value.parameters == {"migrate_to_chat_id": telegram.home}
    assert bot.get_chat_member_count(telegram.home) == 3


def test_edits_repeat_the_whole_message(telegram: Telegram, bot: Bot) -> None:
    said = telegram.say(ANA, "pedido 12", reply_to=0)
    telegram.clock.advance(90)
    telegram.edit(said["message_id"], "pedido 21 #urgente")
    edited = bot.get_updates()[1]["edited_message"]
    assert edited == said | {
        "text": "pedido 21 #urgente",
        "edit_date": NOON + 90,
        "entities": [{"type": "hashtag", "offset": 10, "length": 8}],
    }


def test_messages_of_the_bot(telegram: Telegram, bot: Bot) -> None:
    asked = telegram.say(ANA, "cadê?")
    sent = bot.send_message(
        telegram.home,
        "Está <b>a caminho</b> 🙂 &amp; chega já",
        parse_mode="HTML",
        reply_parameters={"message_id": asked["message_id"]},
        reply_markup={"inline_keyboard": [[{"text": "ok", "callback_data": "ok"}]]},
    )
    assert sent["text"] == "Está a caminho 🙂 & chega já"
    assert sent["entities"] == [{"type": "bold", "offset": 5, "length": 9}]
    assert sent["reply_to_message"]["text"] == "cadê?"
    assert sent["from"]["id"] == bot.get_me()["id"]
    where = {"chat_id": telegram.home, "message_id": sent["message_id"]}
    edited = bot.call("editMessageText", text="Chegou", **where)
    assert (edited["text"], edited["date"]) == ("Chegou", sent["date"])
    assert bot.call("setMessageReaction", reaction=[{"type": "emoji", "emoji": "👍"}], **where)
    assert bot.call("deleteMessage", **where) is True
    assert len(bot.get_updates()) == 1, "none of it is an update to the bot itself"


@pytest.mark.parametrize(
    ("method", "params", "why"),
    [
        ("sendMessage", {"chat_id": 42, "text": "x"}, "chat not found"),
        ("sendMessage", {"chat_id": "9" * 5000, "text": "x"}, "chat not found"),
        ("sendMessage", {"chat_id": "@nobody", "text": "x"}, "chat not found"),
        ("sendMessage", {"text": "x"}, "chat_id is empty"),
        ("sendMessage", {"chat_id": -4123456789, "text": "  "}, "message text is empty"),
        ("sendMessage", {"chat_id": -4123456789, "text": "👍" * 2049}, "message is too long"),
        (
            "sendMessage",
            {"chat_id": -4123456789, "text": "x", "reply_to_message_id": 99},
            "message to be replied not found",
        ),
        (
            "sendMessage",
            {"chat_id": -4123456789, "text": "<b>x", "parse_mode": "HTML"},
            "can't parse entities",
        ),
        (
            "sendMessage",
            {"chat_id": -4123456789, "text": "x", "reply_markup": "{"},
            "can't parse reply markup",
        ),
        ("editMessageText", {"chat_id": -4123456789, "text": "x"}, "message to edit not found"),
        ("deleteMessage", {"chat_id": -4123456789}, "message to delete not found"),
        ("getChatMember", {"chat_id": -4123456789, "user_id": 9}, "member not found"),
        ("answerCallbackQuery", {"callback_query_id": "1"}, "query is too old"),
        ("getUpdates", {"allowed_updates": "message"}, "can't parse allowed updates"),
        ("sendChatAction", {"chat_id": -4123456789}, "action is missing"),
    ],
)
def test_bad_calls_are_refused(bot: Bot, method: str, params: dict[str, Any], why: str) -> None:
    with pytest.raises(BotApiError, match=why) as caught:
        bot.call(method, **params)
    assert caught.value.error_code == 400


def test_a_bot_that_was_removed_may_do_nothing(telegram: Telegram, bot: Bot) -> None:
    telegram.leave(telegram.bot["id"])
    with pytest.raises(BotApiError, match="not a member of the group chat") as caught:
        bot.send_message(telegram.home, "oi")
    assert caught.value.error_code == 403
    came = {"user": telegram.bot, "status": "member"}
    here = {"id": telegram.home, "type": "group", "title": "Suporte"}
    telegram.inject({"my_chat_member": {"chat": here, "date": NOON, "new_chat_member": came}})
    assert bot.send_message(telegram.home, "oi")["text"] == "oi"


def test_a_bot_that_is_no_admin_still_gets_what_concerns_it(telegram: Telegram, bot: Bot) -> None:
    telegram.outlet.queue.allow(["my_chat_member", "message", "message_reaction", "poll_answer"])
    here = {"id": telegram.home, "type": "group", "title": "Suporte"}
    came = {"user": telegram.bot, "status": "member"}
    post = {"message_id": 7, "date": NOON, "chat": here, "from": ANA}
    telegram.inject(
        [
            {"my_chat_member": {"chat": here, "date": NOON, "new_chat_member": came}},
            {"message": {**post, "text": "entre nós"}},
            {"message": {**post, "text": "/ajuda"}},
            {"message": {**post, "new_chat_title": "Suporte"}},
            {"message_reaction": {"chat": here, "date": NOON, "message_id": 7}},
            {"poll_answer": {"poll_id": "1", "user": ANA, "option_ids": [0]}},
        ]
    )
    got = [next(iter(u.keys() - {"update_id"})) for u in bot.get_updates()]
    assert got == ["my_chat_member", "message", "message", "poll_answer"]


def test_who_is_in_the_group(telegram: Telegram, bot: Bot) -> None:
    telegram.join(ANA)
    statuses = [m["status"] for m in bot.get_chat_administrators(telegram.home)]
    assert sorted(statuses) == ["administrator", "creator"]
    assert bot.get_chat_member_count(telegram.home) == 3
    telegram.leave(ANA["id"])
    assert bot.get_chat_member_count(telegram.home) == 2
    assert bot.get_chat(telegram.home)["title"] == "Suporte Loja Aurora"
    member = bot.call("getChatMember", chat_id=telegram.home, user_id=ANA["id"])
    assert member["status"] == "left"


def test_the_doctor_sees_what_is_wrong(telegram: Telegram, bot: Bot, receiver: Receiver) -> None:
    def bad(report: Report) -> set[str]:
        return {finding.name for finding in report if not finding.ok}

    kinds = ("reactions", "reaction counts", "member changes")
    deliveries = {f"{name} delivered" for name in kinds}
    assert bad(bot.check(telegram.home)) == deliveries, "nobody has asked for them yet"
    bot.set_webhook(receiver.url, allowed_updates=DEFAULT_WANTED)
    assert bot.check(telegram.home, receiver.url).ok
    assert bad(bot.check(telegram.home)) == {"webhook"}
    telegram.promote(False)
    telegram.wait_delivered(5)  # the news of it is an update too
    assert bad(bot.check(telegram.home, receiver.url)) == {"admin", "all messages", *deliveries}
    telegram.promote()
    telegram.wait_delivered(5)
    receiver.plan = [(403, {"Retry-After": "60"}, b"")]
    telegram.say(ANA, "presa")
    until(lambda: bot.get_webhook_info().get("last_error_date"))
    assert bad(bot.check(telegram.home, receiver.url)) == {"delivery queue", "last error"}
    telegram.clock.advance(60)
    telegram.wait_delivered(5)
    old = telegram.home
    telegram.migrate()
    telegram.wait_delivered(5)
    moved = bot.check(old, receiver.url)
    assert bad(moved) == {"chat id"}, "all else is said of the group as it is now"
    assert f"TELEGRAM_CHAT_ID to {telegram.home}" in str(moved)
    telegram.promote(False)
    telegram.wait_delivered(5)
    assert bad(bot.check(old, receiver.url)) >= {"chat id", "admin"}
    assert bad(bot.check(4242)) >= {"in the group", "admin"}
    stranger = Bot("1:WRONG-TOKEN", telegram.url).check(telegram.home)
    assert (bad(stranger), len(stranger)) == ({"token"}, 1)


# HTTP


def ask(url: str, body: bytes | None = None, **headers: str) -> tuple[int, Any]:
    request = urllib.request.Request(
        url, body, {k.replace("_", "-"): v for k, v in headers.items()}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_parameters_come_in_every_form(telegram: Telegram) -> None:
    url = f"{telegram.url}/bot{telegram.token}/sendMessage"
    query = f"chat_id={telegram.home}&text=ol%C3%A1"
    parts = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in (("chat_id", telegram.home), ("text", "olá"))
    )
    form = "application/x-www-form-urlencoded"
    as_json = json.dumps({"chat_id": telegram.home, "text": "olá"}).encode()
    for status, answer in (
        ask(f"{url}?{query}"),
        ask(url, query.encode(), Content_Type=form),
        ask(url, as_json, Content_Type="application/json"),
        ask(url, f"{parts}--b--\r\n".encode(), Content_Type="multipart/form-data; boundary=b"),
        ask(url.replace("sendMessage", "SENDMESSAGE"), as_json, Content_Type="application/json"),
        ask(url.replace(":L", "%3AL"), as_json, Content_Type="application/json"),
    ):
        assert (status, answer["result"]["text"]) == (200, "olá")


def test_what_is_wrong_is_answered_as_telegram_does(telegram: Telegram) -> None:
    base = f"{telegram.url}/bot{telegram.token}"
    assert ask(f"{telegram.url}/bot1:WRONG/getMe")[1]["description"] == "Unauthorized"
    assert ask(f"{telegram.url}/bot1:WRONG/getMe")[0] == 401
    assert ask(f"{base}/noSuchMethod")[1]["description"] == "Not Found: method not found"
    assert ask(f"{base}/sendPhoto")[0] == 404, "what it cannot do it does not pretend"
    assert ask(f"{telegram.url}/")[0] == 404
    assert ask(f"{base}/getMe", b"{", Content_Type="application/json")[0] == 400
    assert ask(f"{base}/getMe", b"[1]", Content_Type="application/json")[0] == 200
    assert ask(f"{base}/getMe", b"x", Content_Length="99999999999")[0] == 413


def test_faults_make_the_next_calls_fail(telegram: Telegram, bot: Bot) -> None:
    url = telegram.control_url("fault")
    spec = {"methods": ["sendMessage"], "status": 429, "retry_after": 2, "count": 1}
    assert ask(url, json.dumps(spec).encode())[0] == 200
    assert bot.get_me()["is_bot"] is True
    began = time.monotonic()
    assert bot.send_message(telegram.home, "oi")["text"] == "oi"
    assert time.monotonic() - began >= 2
    telegram.fault("getMe", status=502, count=2)
    assert bot.get_me()["is_bot"] is True


def test_everything_can_be_controlled_over_http(telegram: Telegram, bot: Bot) -> None:
    def control(name: str, **given: Any) -> Any:
        status, answer = ask(telegram.control_url(name), json.dumps(given).encode())
        assert status == 200, answer
        return answer["result"]

    bot.get_updates(allowed_updates=["message", "edited_message", "message_reaction"])
    control("join", user=ANA)
    said = control("say", user=501, text="oi")
    control("edit", message_id=said["message_id"], text="olá")
    control("react", user=501, message_id=said["message_id"], emoji="👍")
    control("migrate")
    control("inject", message={"message_id": 9, "chat": {"id": -7, "type": "group"}, "text": "x"})
    assert control("pending") == 7
    assert control("set_clock", advance=DAY + 1) == NOON + DAY + 1
    assert control("pending") == 0
    assert ask(telegram.control_url("stop"), b"{}")[0] == 404
    assert ask(telegram.control_url("say"), b'{"user": 1}')[0] == 400
    assert ask(telegram.control_url("say"), b'{"nobody": 1}')[0] == 400
    assert ask(telegram.control_url("inject"), b'"x"')[0] == 400
    assert ask(f"{telegram.url}/_control/1:WRONG/pending", b"{}")[0] == 401


def test_a_taken_port_is_said(telegram: Telegram) -> None:
    port = int(telegram.url.rpartition(":")[2])
    with pytest.raises(LocalStackError, match=f"{port}.*choose another"):
        Telegram(port=port).start()
    with pytest.raises(LocalStackError, match="not running"):
        _ = Telegram().url


def test_stopping_frees_the_port_and_ends_polls(bot: Bot, telegram: Telegram) -> None:
    port = int(telegram.url.rpartition(":")[2])
    ended = threading.Event()

    def poll() -> None:
        with pytest.raises(BotApiError):
            Bot(telegram.token, f"http://127.0.0.1:{port}", retries=0).get_updates(timeout=30)
        ended.set()

    threading.Thread(target=poll).start()
    time.sleep(0.2)
    telegram.stop()
    assert ended.wait(5)
    with Telegram(port=port) as again:
        assert again.url.endswith(str(port))


def test_it_serves_alone() -> None:
    command = [sys.executable, "-W", "error", "-m", "telegram_standin", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--token", "99:ABC"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        base = lines[0].split()[-1]
        assert Bot("99:ABC", base).get_me()["id"] == 99
        assert lines[1].split()[-1] == f"{base}/_control/99:ABC/inject"
        assert lines[2].split()[-1] == f"{base}/_control/99:ABC/fault"
        busy = subprocess.run(
            [*command[:-1], base.rpartition(":")[2]], capture_output=True, text=True, timeout=60
        )
        assert busy.returncode == 1
        assert "choose another" in busy.stderr
    finally:
        process.terminate()
        process.communicate(timeout=10)
