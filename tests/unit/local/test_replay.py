"""The sample group's life reaches a webhook as it happened."""

import json
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from telegram_standin import Telegram
from tgpipeline.errors import LocalStackError
from tgpipeline.ingest import SECRET_HEADER
from tgpipeline.local import replay
from tgpipeline.telegram import updates
from tgpipeline.telegram.bot import Bot

SECRET = "secret-of-this-test"
# The bot comes in and is made admin; half an update; the migration, and what follows from it.
START, END = date(2025, 11, 10), date(2025, 11, 14)


class Hook:
    """A bare webhook that keeps what it gets, and can refuse."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.secrets: set[str | None] = set()
        self.status = 200
        hook = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.bodies.append(body)
                hook.secrets.add(self.headers[SECRET_HEADER])
                self.send_response(hook.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def hook() -> Iterator[Hook]:
    hook = Hook()
    yield hook
    hook.server.shutdown()
    hook.server.server_close()


@pytest.fixture
def telegram(hook: Hook) -> Iterator[Telegram]:
    with Telegram() as telegram:
        kinds = sorted(updates.MESSAGE_KINDS | updates.EVENT_KINDS)
        Bot(telegram.token, telegram.url).set_webhook(
            hook.url, secret_token=SECRET, allowed_updates=kinds
        )
        yield telegram


def expected() -> list[dict[str, Any]]:
    return list(replay.lines(START, END))


def test_every_line_arrives_once_and_in_order(hook: Hook, telegram: Telegram) -> None:
    archived: list[Any] = []
    clock: list[float | None] = []
    lines = expected()
    sent = replay.play(lines, telegram, archived.append, clock.append)
    assert archived == [line["sent"] for line in lines if "sent" in line]
    assert clock == [*(line["at"] for line in lines), None]
    assert (sent.updates, sent.archived, sent.broken) == tuple(
        sum(kind in line for line in lines) for kind in ("body", "sent", "raw")
    )
    came = [line for line in lines if "sent" not in line]
    assert len(hook.bodies) == len(came)
    for body, line in zip(hook.bodies, came, strict=True):
        if "body" in line:
            assert json.loads(body) == line["body"]
        else:
            assert body == line["raw"].encode("utf-8", "surrogateescape")
    assert hook.secrets == {SECRET}


def test_bytes_that_are_no_utf8_stay_as_they_are(hook: Hook, telegram: Telegram) -> None:
    day = date(2025, 12, 2)
    life = replay.lines(day, day)
    replay.play(life, telegram, lambda message: None, lambda instant: None)
    assert any(b"\xff\xfe\x80" in body for body in hook.bodies)


def test_a_webhook_that_refuses_a_broken_body_is_an_error(hook: Hook, telegram: Telegram) -> None:
    hook.status, broken = 500, {"at": 1762743600, "raw": "null"}
    with pytest.raises(LocalStackError, match="500"):
        replay.play([broken], telegram, lambda message: None, lambda instant: None)
