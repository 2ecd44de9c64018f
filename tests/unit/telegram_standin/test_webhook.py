"""A webhook is served as Telegram does it; every expectation is a fact about the real one."""

import json
import ssl
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from telegram_standin import Telegram
from tests.unit.telegram_standin.support import (
    ANA,
    NOON,
    RUI,
    ApiError,
    Client,
    Receiver,
    texts,
    until,
)


def test_a_webhook_gets_json_with_the_secret(
    telegram: Telegram, bot: Client, receiver: Receiver
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
    with pytest.raises(ApiError, match="webhook is active"):
        bot.get_updates()


def test_retries_come_at_once_then_after_2_4_8_seconds(
    telegram: Telegram, bot: Client, receiver: Receiver
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


def test_retry_after_is_honoured(telegram: Telegram, bot: Client, receiver: Receiver) -> None:
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
    telegram: Telegram, bot: Client, receiver: Receiver
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
    telegram: Telegram, bot: Client, receiver: Receiver
) -> None:
    receiver.plan = [(500, {"Retry-After": "3600"}, b"")] * 40
    bot.set_webhook(receiver.url)
    telegram.say(ANA, "presa")
    for hour in range(24):
        until(lambda hour=hour: len(receiver.got) == hour + 1)
        until(lambda: telegram.delivery.webhook.next_retry or not telegram.pending())
        telegram.clock.advance(3600)
    until(lambda: telegram.pending() == 0)
    assert len(receiver.got) in (24, 25)


def test_a_receiver_that_is_gone_for_23_hours_loses_its_webhook(
    telegram: Telegram, bot: Client, receiver: Receiver
) -> None:
    receiver.plan = [(410, {}, b"")] * 9
    bot.set_webhook(receiver.url)
    telegram.say(ANA, "um")
    until(lambda: len(receiver.got) == 2)
    until(lambda: telegram.delivery.webhook.next_retry)
    telegram.clock.advance(23 * 3600 + 1)
    until(lambda: bot.get_webhook_info()["url"] == "")
    assert texts(bot.get_updates()) == ["um"]


def test_what_waits_is_kept_unless_it_is_dropped(
    telegram: Telegram, bot: Client, receiver: Receiver
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


def test_a_webhook_moves_with_what_waits(
    telegram: Telegram, bot: Client, receiver: Receiver
) -> None:
    bot.set_webhook("http://127.0.0.1:1/nobody")
    telegram.say(ANA, "um")
    until(lambda: "last_error_message" in bot.get_webhook_info())
    assert bot.get_webhook_info()["last_error_message"] == "Connection refused"
    bot.set_webhook(receiver.url)  # within the same second: the client waits out the 429
    telegram.wait_delivered(5)
    assert receiver.texts() == ["um"]


def test_set_webhook_is_refused_more_than_once_a_second(telegram: Telegram) -> None:
    hasty = Client(telegram.token, telegram.url, patient=False)
    hasty.set_webhook("http://127.0.0.1:1/")
    with pytest.raises(ApiError) as caught:
        hasty.set_webhook("http://127.0.0.1:1/other")
    assert caught.value.parameters == {"retry_after": 1}


def test_a_method_in_the_answer_is_carried_out(
    telegram: Telegram, bot: Client, receiver: Receiver
) -> None:
    chat, form = telegram.group_id, {"Content-Type": "application/x-www-form-urlencoded"}
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
def test_bad_webhooks_are_refused(bot: Client, options: dict[str, Any], why: str) -> None:
    with pytest.raises(ApiError, match=why) as caught:
        bot.call("setWebhook", **options)
    assert caught.value.error_code == 400
    assert bot.get_webhook_info()["url"] == ""


def test_a_webhook_with_a_certificate_of_its_own(
    telegram: Telegram, bot: Client, receiver: Receiver, tmp_path: Path
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
    telegram: Telegram, bot: Client, receiver: Receiver
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
