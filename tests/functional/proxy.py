"""A proxy in front of S3 that fails, throttles, delays, cuts connections or kills its client.

It stands at the edge of the network, so the code under test is whole and its own.
"""

import http.client
import os
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_ERROR = "<Error><Code>{code}</Code><Message>made by the test</Message></Error>"
_CODES = {403: "AccessDenied", 500: "InternalError", 503: "SlowDown"}
_HOP = {"connection", "keep-alive", "transfer-encoding"}


@dataclass
class Fault:
    """What happens to requests.

    Attributes:
        method: requests of this method, or of one of several.
        part: whose path and query hold this.
        skip: how many of these pass before.
        count: how many of these it happens to.
        status: answered instead of asking the server.
        seconds: wait so long before the request is passed on.
        lose: pass the request on, then cut the connection instead of answering.
        kill: end the client's process: `before` or `after` the request is passed on.
    """

    method: str
    part: str = ""
    skip: int = 0
    count: int = 10**9
    status: int = 0
    seconds: float = 0
    lose: bool = False
    kill: str = ""
    seen: int = field(default=0, init=False)
    lock: Any = field(default_factory=threading.Lock, init=False, repr=False)

    def hits(self, method: str, path: str) -> bool:
        """Whether it happens to this request."""
        if method not in self.method.split() or self.part not in path:
            return False
        with self.lock:
            self.seen += 1
            return self.skip < self.seen <= self.skip + self.count


class Server(ThreadingHTTPServer):
    """A server that many may connect to at once, ended with this process."""

    daemon_threads = True
    request_queue_size = 128


class Proxy:
    """The running proxy; ends with its `with` block.

    Attributes:
        url: what the code under test takes for S3.
        faults: what happens to requests; may be changed at any time.
        requests: how many came, by method and what they were about.
        client: the process that a fault may kill.
    """

    def __init__(self, target: str, *faults: Fault) -> None:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1
            disable_nagle_algorithm = True
            upstream: http.client.HTTPConnection | None = None

            def handle_any(self) -> None:
                proxy._handle(self)

            def handle_expect_100(self) -> bool:
                went_well = super().handle_expect_100()
                self.wfile.flush()
                return went_well

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.faults = list(faults)
        self.requests: Counter[str] = Counter()
        self.client = 0
        self._target = urlsplit(target).netloc
        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def _handle(self, handler: Any) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        self.requests[_about(handler.command, handler.path)] += 1
        fault = next((f for f in self.faults if f.hits(handler.command, handler.path)), None)
        if fault is not None:
            if fault.kill == "before":
                return self._kill(handler)
            time.sleep(fault.seconds)
            if fault.status:
                text = _ERROR.format(code=_CODES[fault.status]).encode()
                return _answer(handler, fault.status, [("Content-Type", "application/xml")], text)
        if handler.upstream is None:
            handler.upstream = http.client.HTTPConnection(self._target, timeout=60)
        handler.upstream.request(handler.command, handler.path, body, dict(handler.headers))
        answer = handler.upstream.getresponse()
        content = answer.read()
        if fault is not None and fault.kill == "after":
            return self._kill(handler)
        if fault is not None and fault.lose:
            handler.close_connection = True
            return None
        return _answer(handler, answer.status, answer.getheaders(), content)

    def _kill(self, handler: Any) -> None:
        handler.close_connection = True
        os.kill(self.client, signal.SIGKILL)

    def __enter__(self) -> "Proxy":
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _about(method: str, path: str) -> str:
    """Such as `GET telegram/…json`, `LIST telegram/`, `PUT messages`."""
    where, _, query = path.partition("?")
    if "list-type" in query:
        return "LIST"
    for name in ("messages", "events", "quarantine", "migrations", "telegram"):
        if f"/{name}/" in where:
            return f"{method} {name}"
    return method


def _answer(handler: Any, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
    handler.send_response_only(status)
    for name, value in headers:
        if name.lower() not in _HOP and name.lower() != "content-length":
            handler.send_header(name, value)
    length = {k.lower(): v for k, v in headers}.get("content-length")
    head = handler.command == "HEAD"
    handler.send_header("Content-Length", length if head and length else str(len(body)))
    handler.end_headers()
    if not head:
        handler.wfile.write(body)
