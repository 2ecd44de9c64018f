"""The stand-in over HTTP: parameters, errors, faults, controls, and as a program."""

import json
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from typing import Any

import pytest

from telegram_standin import StandInError, Telegram
from tests.unit.telegram_standin.support import (
    ANA,
    DAY,
    NOON,
    ApiError,
    Client,
)


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
    query = f"chat_id={telegram.group_id}&text=ol%C3%A1"
    parts = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in (("chat_id", telegram.group_id), ("text", "olá"))
    )
    form = "application/x-www-form-urlencoded"
    as_json = json.dumps({"chat_id": telegram.group_id, "text": "olá"}).encode()
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


def test_faults_make_the_next_calls_fail(telegram: Telegram, bot: Client) -> None:
    url = telegram.control_url("fault")
    spec = {"methods": ["sendMessage"], "status": 429, "retry_after": 2, "count": 1}
    assert ask(url, json.dumps(spec).encode())[0] == 200
    assert bot.get_me()["is_bot"] is True
    began = time.monotonic()
    assert bot.send_message(telegram.group_id, "oi")["text"] == "oi"
    assert time.monotonic() - began >= 2
    telegram.fault("getMe", status=502, count=2)
    for _ in range(2):
        with pytest.raises(ApiError, match="Bad Gateway"):
            bot.get_me()
    assert bot.get_me()["is_bot"] is True


def test_everything_can_be_controlled_over_http(telegram: Telegram, bot: Client) -> None:
    def control(control: str, **given: Any) -> Any:
        status, answer = ask(telegram.control_url(control), json.dumps(given).encode())
        assert status == 200, answer
        return answer["result"]

    bot.get_updates(allowed_updates=["message", "edited_message", "message_reaction"])
    control("join", user=ANA)
    said = control("say", user=501, text="oi")
    control("edit", message_id=said["message_id"], text="olá")
    control("react", user=501, message_id=said["message_id"], emoji="👍")
    control("migrate")
    topic = control("create_topic", user=501, name="Entregas")
    control("say", user=501, text="no tópico", thread_id=topic["message_id"])
    control("publish", text="Novidades")
    control("inject", message={"message_id": 9, "chat": {"id": -7, "type": "group"}, "text": "x"})
    assert control("pending") == 10
    assert control("set_clock", advance=DAY + 1) == NOON + DAY + 1
    assert control("pending") == 0
    assert ask(telegram.control_url("stop"), b"{}")[0] == 404
    assert ask(telegram.control_url("say"), b'{"user": 1}')[0] == 400
    assert ask(telegram.control_url("say"), b'{"nobody": 1}')[0] == 400
    assert ask(telegram.control_url("inject"), b'"x"')[0] == 400
    assert ask(f"{telegram.url}/_control/1:WRONG/pending", b"{}")[0] == 401


def test_a_taken_port_is_said(telegram: Telegram) -> None:
    port = int(telegram.url.rpartition(":")[2])
    with pytest.raises(StandInError, match=f"{port}.*choose another"):
        Telegram(port=port).start()
    with pytest.raises(StandInError, match="not running"):
        _ = Telegram().url


def test_stopping_frees_the_port_and_ends_polls(bot: Client, telegram: Telegram) -> None:
    port = int(telegram.url.rpartition(":")[2])
    ended = threading.Event()

    def poll() -> None:
        with pytest.raises((ApiError, OSError)):
            Client(telegram.token, f"http://127.0.0.1:{port}").get_updates(timeout=30)
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
        assert Client("99:ABC", base).get_me()["id"] == 99
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
