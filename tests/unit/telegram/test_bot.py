"""The Bot API client against a server that misbehaves, and the token that must never show."""

import json
import logging
import socketserver
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tgpipeline.errors import (
    BotApiError,
    BotConflict,
    BotTooManyRequests,
    BotUnauthorized,
    BotUnreachable,
    SettingsError,
)
from tgpipeline.telegram import transport
from tgpipeline.telegram.bot import Bot, confirm

TOKEN = "4242424242:Very-Secret_Part-of-the-token"
KEY = TOKEN.partition(":")[2]
Play = bytes | Callable[[socketserver.StreamRequestHandler], None]


def http(body: Any, status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    """A whole HTTP answer."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    size = len(raw) if length is None else length
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {size}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + raw


def ok(result: Any = True) -> bytes:
    return http({"ok": True, "result": result})


def error(code: int, description: str, *headers: str, **parameters: Any) -> bytes:
    answer = {"ok": False, "error_code": code, "description": description}
    return http(answer | ({"parameters": parameters} if parameters else {}), f"{code} X", *headers)


class Scripted(socketserver.ThreadingTCPServer):
    """Plays one scripted answer a request, then closes the connection; the last one repeats."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Player)
        self.plays: list[Play] = []
        self.requests: list[tuple[str, Any]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def bot(self, *plays: Play, **options: Any) -> Bot:
        self.plays = list(plays)
        bot = Bot(TOKEN, self.url, **{"timeout": 5, **options})
        bot.pauses = (0.01, 0.02, 0.04)
        return bot


class _Player(socketserver.StreamRequestHandler):
    server: Scripted

    def handle(self) -> None:
        line = self.rfile.readline().decode()
        if not line:
            return
        length = 0
        while (header := self.rfile.readline().decode()).strip():
            if header.lower().startswith("content-length:"):
                length = int(header.split(":")[1])
        body = self.rfile.read(length)
        self.server.requests.append((line.split()[1], body))
        play = self.server.plays.pop(0) if len(self.server.plays) > 1 else self.server.plays[0]
        try:
            if callable(play):
                play(self)
            else:
                self.wfile.write(play)
        except OSError:
            pass  # the client has given up, as it should


def drip(player: socketserver.StreamRequestHandler) -> None:
    """An answer that never ends: a byte now and then keeps the socket's timeout from striking."""
    player.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(100):
        player.wfile.write(b" ")
        time.sleep(0.05)


def silence(player: socketserver.StreamRequestHandler) -> None:
    time.sleep(2)


def flood(player: socketserver.StreamRequestHandler) -> None:
    player.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(64):
        player.wfile.write(b"100000\r\n" + b" " * 2**20 + b"\r\n")


@pytest.fixture
def server() -> Iterator[Scripted]:
    with Scripted() as running:
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that the client makes, without making them."""
    made: list[float] = []
    monkeypatch.setattr("tgpipeline.telegram.transport.time.sleep", made.append)
    return made


CUT_OFF = http(b'{"ok": true, "resu', length=500)
CUT_CHUNK = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{"ok": true, "re'
GZIPPED = http(b"\x1f\x8b\x08\x00abc", "200 OK", "Content-Encoding: gzip")
ECHO = error(400, f"Bad Request: /bot{TOKEN}/getMe and /bot{TOKEN.replace(':', '%3A')}/getMe")
HOSTILE: dict[str, Play] = {
    "nothing": b"",
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
    "cut off": CUT_OFF,
    "cut off in a chunk": CUT_CHUNK,
    "drips": drip,
    "silent": silence,
    "endless": flood,
    "compressed though asked not to": GZIPPED,
    "HTML": http(b"<html>" + TOKEN.encode() + b"</html>", "200 OK", "Content-Type: text/html"),
    "HTML 502": http(b"<h1>Bad Gateway</h1>", "502 Bad Gateway"),
    "JSON of something else": http({"status": "fine", "path": f"/bot{TOKEN}/getMe"}),
    "JSON list": http([1, 2]),
    "ok without result": http({"ok": True}),
    "ok as a string": http({"ok": "true", "result": {}}),
    "broken JSON": http(b'{"ok": true, "result": }'),
    "deep JSON": http(b"[" * 200_000),
    "not UTF-8": http(b'{"ok": true, "result": {}, "x": "\xff"'),
    "not the result of getMe": ok([TOKEN]),
    "redirect": http(b"", "302 Found", f"Location: http://127.0.0.1:1/bot{TOKEN}/getMe"),
    "401": error(401, "Unauthorized"),
    "404": error(404, "Not Found"),
    "echo": ECHO,
    "500": error(500, f"Internal Server Error: {KEY}"),
    "429": error(429, f"Too Many Requests {KEY}", retry_after=10**9),
    "429 of a proxy": http(b"slow down", "429 X", "Retry-After: 99999"),
    "odd parameters": http({"ok": False, "error_code": "x", "description": 5, "parameters": 7}),
}


@pytest.mark.parametrize("play", HOSTILE.values(), ids=HOSTILE)
def test_hostile_answers_are_errors_of_ours_that_show_no_token(
    play: Play, server: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    bot = server.bot(play, timeout=0.3)
    bot.pauses = (0.01,)
    began = time.monotonic()
    with pytest.raises(BotApiError) as caught:
        bot.get_me()
    assert time.monotonic() - began < 3, "it must give up in time"
    assert_hidden(caught.value, bot, caplog)


def assert_hidden(raised: BaseException, bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    """The token is in nothing that a reader can get to see."""
    assert raised.__cause__ is None
    assert raised.__context__ is None
    shown = traceback.TracebackException.from_exception(raised, capture_locals=True)
    here = [frame for frame in shown.stack if "tests" not in frame.filename]
    logs = [caplog.text, *(str(vars(record)) for record in caplog.records)]
    places = [str(raised), repr(raised), str(vars(raised)), repr(bot), str(vars(bot))]
    places += [*logs, *(str(frame.locals) for frame in here)]
    for place in places:
        assert KEY not in place


def test_refused_connections_and_unknown_hosts_show_no_token(
    caplog: pytest.LogCaptureFixture, waits: list[float]
) -> None:
    caplog.set_level(logging.DEBUG)
    for url in ("http://127.0.0.1:1", "http://127.0.0.1:1/%s" % ("x" * 80), "https://127.0.0.1:1"):
        bot = Bot(TOKEN, url)
        with pytest.raises(BotUnreachable) as caught:
            bot.get_updates()
        assert_hidden(caught.value, bot, caplog)


def test_urllib3_logs_every_request_without_the_token(
    server: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.bot(ok({"id": 1})).get_me()
    assert "/bot<token>/getMe" in caplog.text
    assert KEY not in caplog.text
    noisy = logging.getLogger("urllib3.connectionpool")
    noisy.warning("Retrying after %r: %s", OSError(f"/bot{TOKEN}/getMe"), f"/bot42%3A{KEY}/getMe")
    assert KEY not in caplog.text


def test_a_notebook_with_verbose_tracebacks_shows_no_token(server: Scripted) -> None:
    ultratb = pytest.importorskip("IPython.core.ultratb")
    bot = server.bot(error(400, "Bad Request: chat not found"))
    with pytest.raises(BotApiError) as caught:
        bot.get_chat(1)
    raised = caught.value
    assert raised.__traceback__ is not None
    shown = ultratb.VerboseTB().text(type(raised), raised, raised.__traceback__.tb_next)
    assert "chat not found" in shown
    assert KEY not in shown


def test_an_interrupt_shows_no_token(
    server: Scripted, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bot = server.bot(ok())

    def interrupted(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt(args, kwargs)

    monkeypatch.setattr("requests.adapters.HTTPAdapter.send", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        bot.get_me()
    assert_hidden(caught.value, bot, caplog)


@pytest.mark.parametrize("token", ["", "abc", KEY, f"bot{TOKEN}", f"{TOKEN}/x", "1:2 3", "1:\n2"])
def test_what_cannot_be_a_token_is_refused_unshown(token: str) -> None:
    with pytest.raises(SettingsError, match="BotFather") as caught:
        Bot(token, "http://127.0.0.1:1")
    assert not token or token not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:80",
        "ftp://127.0.0.1",
        "http://",
        "https:///bot",
        "http://[::1",
        "http://127.0.0.1:port",
        "http://127.0.0.1:99999",
    ],
)
def test_what_cannot_be_a_base_url_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="TELEGRAM_API_URL"):
        Bot(TOKEN, url)


def test_the_base_url_comes_from_the_environment(
    server: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELEGRAM_API_URL", server.url + "/")
    server.plays = [ok({"id": 7})]
    assert Bot(f" {TOKEN}\n").get_me() == {"id": 7}
    assert server.requests[0][0] == f"/bot{TOKEN}/getMe"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_what_listens_on_this_machine_is_asked_without_a_proxy(
    host: str, server: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the spelling: a lower-case no_proxy even wins over the one that names this host."""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "example.org")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    server.plays = [ok({"id": 7})]
    assert Bot(TOKEN, server.url.replace("127.0.0.1", host)).get_me() == {"id": 7}


def test_other_hosts_are_asked_through_the_proxy(
    server: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "")
    server.plays = [ok({"id": 7})]
    assert Bot(TOKEN, "http://api.example").get_me() == {"id": 7}
    assert server.requests[0][0] == f"http://api.example/bot{TOKEN}/getMe"


def test_a_redirect_is_not_followed_to_where_the_token_must_not_go(server: Scripted) -> None:
    with Scripted() as other:
        threading.Thread(target=other.serve_forever, args=(0.02,), daemon=True).start()
        other.plays = [ok({"id": 1})]
        for status in ("301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent"):
            where = f"Location: {other.url}/bot{TOKEN}/getMe"
            with pytest.raises(BotUnreachable, match="redirect"):
                server.bot(http(b"", status, where)).get_me()
        assert other.requests == []
        other.shutdown()


def test_reads_are_repeated_on_lost_connections_and_5xx(
    server: Scripted, waits: list[float]
) -> None:
    server.plays = [b"", CUT_OFF, error(502, "Bad Gateway"), ok({"id": 1})]
    assert Bot(TOKEN, server.url).get_me() == {"id": 1}
    assert waits == [0.5, 1, 2]
    server.requests.clear()
    with pytest.raises(BotApiError, match="500"):
        server.bot(error(500, "Internal Server Error")).get_chat(1)
    assert len(server.requests) == 4


@pytest.mark.parametrize("play", [b"", CUT_OFF, silence, error(502, "X"), http(b"<html>")])
def test_a_message_whose_answer_got_lost_is_not_sent_twice(play: Play, server: Scripted) -> None:
    with pytest.raises(BotApiError) as caught:
        server.bot(play, ok({"message_id": 1}), timeout=0.3).send_message(1, "oi")
    assert len(server.requests) == 1
    if isinstance(caught.value, BotUnreachable):
        assert "look before you call it again" in str(caught.value)


def test_a_message_that_never_left_is_tried_again(waits: list[float]) -> None:
    with pytest.raises(BotUnreachable) as caught:
        Bot(TOKEN, "http://127.0.0.1:1").send_message(1, "oi")
    assert len(waits) == 3
    assert "refused" in str(caught.value)
    assert "look before" not in str(caught.value)


def test_429_waits_as_long_as_it_is_told(server: Scripted, waits: list[float]) -> None:
    busy = error(429, "Too Many Requests: retry after 7", retry_after=7)
    proxy = http(b"busy", "429 X", "Retry-After: 3")
    assert server.bot(busy, proxy, ok({"message_id": 5})).send_message(1, "oi") == {"message_id": 5}
    assert waits == [7, 3]
    assert len(server.requests) == 3


def test_429_is_not_waited_for_beyond_the_limit(server: Scripted, waits: list[float]) -> None:
    busy = error(429, "Too Many Requests: retry after 40", retry_after=40)
    with pytest.raises(BotTooManyRequests) as caught:
        server.bot(busy, max_wait=60).get_me()
    assert waits == [40]
    assert caught.value.parameters == {"retry_after": 40}


def test_waits_that_nobody_set(server: Scripted, waits: list[float]) -> None:
    server.plays = [error(502, "Bad Gateway")]
    with pytest.raises(BotApiError, match="502"):
        Bot(TOKEN, server.url).get_me()
    assert waits == [0.5, 1, 2]
    busy = [error(429, "busy", retry_after=n) for n in (30, 30, 1)]
    server.plays = [*busy, ok({})]
    with pytest.raises(BotTooManyRequests):
        Bot(TOKEN, server.url).get_me()
    assert waits[3:] == [30, 30], "60 seconds in all"


def test_long_descriptions_are_cut(server: Scripted) -> None:
    with pytest.raises(BotApiError) as caught:
        server.bot(error(400, "x" * 301)).get_me()
    assert caught.value.description == "x" * 300


def test_errors_carry_what_the_api_said(server: Scripted) -> None:
    text = "Bad Request: group chat was upgraded to a supergroup chat"
    with pytest.raises(BotApiError) as caught:
        server.bot(error(400, text, migrate_to_chat_id=-1009)).send_message(-9, "oi")
    assert (caught.value.method, caught.value.error_code) == ("sendMessage", 400)
    assert caught.value.description == text
    assert caught.value.parameters == {"migrate_to_chat_id": -1009}
    with pytest.raises(BotConflict):
        server.bot(error(409, "Conflict: terminated by other getUpdates request")).get_updates()
    with pytest.raises(BotUnauthorized):
        server.bot(error(404, "Not Found")).get_me()
    with pytest.raises(BotApiError) as caught:
        server.bot(error(404, "Not Found: method not found")).call("getNothing")
    assert type(caught.value) is BotApiError


@pytest.mark.parametrize("name", ["", "get_me", "../x", "getMe?x=1", "getMe/"])
def test_what_cannot_be_a_method_is_not_called(name: str, server: Scripted) -> None:
    with pytest.raises(BotApiError, match="not the name of a method"):
        server.bot(ok()).call(name)
    assert server.requests == []


class Named(StrEnum):
    FIELD = "first"


def test_parameters_and_files_go_as_a_form(server: Scripted, tmp_path: Path) -> None:
    bot = server.bot(ok({"url": ""}), ok())
    bot.set_webhook("https://example.org/hook", secret_token="s", allowed_updates=())
    sent = dict(parse_qsl(server.requests[-1][1].decode()))
    assert sent == {"url": "https://example.org/hook", "secret_token": "s", "allowed_updates": "[]"}
    bot.call("sendMessage", text="half an emoji: \ud83d", business=Named.FIELD)
    assert server.requests[-1][1] == b"text=half+an+emoji%3A+%3F&business=first"
    (tmp_path / "own.pem").write_bytes(b"-----BEGIN\x00\xff")
    bot.set_webhook(
        "https://example.org/", certificate=tmp_path / "own.pem", max_connections=3, replace=True
    )
    body = server.requests[-1][1]
    assert b'name="certificate"' in body
    assert b"-----BEGIN\x00\xff" in body
    assert b'name="max_connections"\r\n\r\n3\r\n' in body


def test_a_webhook_on_another_host_is_not_replaced_unasked(server: Scripted) -> None:
    theirs, ours = ok({"url": "https://shop.example/half-a-secret"}), "https://ours.example/hook"
    asked: list[str] = []
    for no in (False, lambda question: asked.append(question)):
        with pytest.raises(BotConflict, match=r"shop\.example.*store_update") as caught:
            server.bot(theirs).set_webhook(ours, replace=no)
        assert "half-a-secret" not in str(caught.value)
        assert [path.rpartition("/")[2] for path, _ in server.requests] == ["getWebhookInfo"]
        server.requests.clear()
    assert "off the air" in asked[0]
    assert asked[0].endswith("Replace it all the same?")
    assert server.bot(theirs, ok()).set_webhook(ours, replace=lambda question: True)
    assert server.bot(ok()).set_webhook(ours, replace=True), "nothing is looked up then"
    mine = ok({"url": "https://ours.example/older"})
    assert server.bot(mine, ok()).set_webhook(ours), "one's own host is no other"


@pytest.mark.parametrize(
    ("typed", "answer"), [("yes", True), (" YES ", True), ("y", False), (EOFError, False)]
)
def test_it_asks_where_there_is_somebody(
    typed: Any, answer: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def typing(prompt: str) -> str:
        assert prompt == "Replace it? Type yes: "
        if typed is EOFError:
            raise EOFError
        return str(typed)

    monkeypatch.setattr("builtins.input", typing)
    assert confirm("Replace it?") is answer


def test_what_was_sent_is_archived(server: Scripted) -> None:
    kept: list[dict[str, Any]] = []
    bot = server.bot(ok({"message_id": 3, "text": "oi"}))
    assert bot.send_message(1, "oi", archive=kept.append) == kept[0]

    def full(message: dict[str, Any]) -> None:
        raise OSError("no space")

    with pytest.raises(OSError, match="no space") as caught:
        bot.send_message(1, "oi", archive=full)
    assert "Message 3 was sent" in caught.value.__notes__[0]


def test_long_polls_may_take_as_long_as_they_ask_for(server: Scripted) -> None:
    def late(player: socketserver.StreamRequestHandler) -> None:
        time.sleep(0.6)
        player.wfile.write(ok([]))

    assert server.bot(late, timeout=0.3).get_updates(timeout=1) == []


def test_the_limit_on_bodies_is_kept(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "MAX_ANSWER", 1000)
    with pytest.raises(BotUnreachable, match="too long"):
        server.bot(ok("x" * 2000)).get_chat(1)


def test_a_proxys_429_is_one_too(server: Scripted, waits: list[float]) -> None:
    with pytest.raises(BotTooManyRequests):
        server.bot(http(b"busy", "429 X", "Retry-After: 61")).get_me()
    assert waits == []
