"""A small client of the Bot API, and a webhook receiver: only the stand-in is under test."""

import json
import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

ANA = {"id": 501, "is_bot": False, "first_name": "Ana"}
RUI = {"id": 502, "is_bot": False, "first_name": "Rui"}
NOON = 1_764_342_000
DAY = 86_400
Update = dict[str, Any]


class ApiError(Exception):
    """An answer that is not ok."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.error_code, self.description = answer["error_code"], answer["description"]
        self.parameters = answer.get("parameters", {})
        super().__init__(self.description)


class Client:
    """Calls the Bot API's methods by their names in snake case, and waits where it answers 429."""

    def __init__(self, token: str, url: str, *, patient: bool = True) -> None:
        self._base, self._patient = f"{url}/bot{token}", patient

    def call(self, method: str, **params: Any) -> Any:
        files = {name: value for name, value in params.items() if isinstance(value, bytes)}
        given: dict[str, Any] = {"json": params} if not files else {}
        if files:
            given = {"files": files, "data": {k: v for k, v in params.items() if k not in files}}
        answer = requests.post(f"{self._base}/{method}", timeout=60, **given).json()
        wait = answer.get("parameters", {}).get("retry_after")
        if wait and self._patient:
            time.sleep(wait)
            return self.call(method, **params)
        if not answer["ok"]:
            raise ApiError(answer)
        return answer["result"]

    def get_updates(self, offset: int = 0, **params: Any) -> list[Update]:
        updates: list[Update] = self.call("getUpdates", offset=offset, **params)
        return updates

    def set_webhook(self, url: str, **params: Any) -> Any:
        return self.call("setWebhook", url=url, **params)

    def send_message(self, chat_id: int, text: str, **params: Any) -> dict[str, Any]:
        message: dict[str, Any] = self.call("sendMessage", chat_id=chat_id, text=text, **params)
        return message

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = name.replace("_", "")
        return lambda **params: self.call(method, **params)


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


def until(true: Callable[[], object], seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def texts(found: list[dict[str, Any]]) -> list[str]:
    return [update["message"]["text"] for update in found]
