"""HTTP for the stand-in: paths, bodies in every form that bots send them, answers in JSON."""

import json
import logging
import threading
from collections.abc import Callable
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from telegram_standin.errors import Refused, StandInError
from telegram_standin.updates import Json, parse_json

logger = logging.getLogger(__name__)

MAX_BODY = 50 * 2**20
# Takes the parts of the path and the parameters; what it returns is the answer's result.
Route = Callable[[list[str], Any], Any]


class DescribedResult(NamedTuple):
    """A result with a description, as setWebhook answers."""

    result: Any
    description: str


class Upload(NamedTuple):
    """A file in a multipart form."""

    file_name: str
    content: bytes


def parse_body(content_type: str, body: bytes) -> Any:
    """Read a body: JSON, a form, or a multipart form.

    Returns:
        What the JSON holds; of a form a dict, in which files are `Upload` and other fields strings.

    Raises:
        ValueError, LookupError: if it is not what its Content-Type says.

    >>> parse_body("application/x-www-form-urlencoded", b"chat_id=-42&text=ol%C3%A1")
    {'chat_id': '-42', 'text': 'olá'}
    """
    kind = content_type.partition(";")[0].strip().lower()
    if not body.strip():
        return {}
    if kind == "multipart/form-data":
        head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1")
        fields: Json = {}
        for part in BytesParser(policy=HTTP).parsebytes(head + body).iter_parts():
            name = part.get_param("name", header="content-disposition")
            content = part.get_payload(decode=True)
            if isinstance(name, str) and isinstance(content, bytes):
                file = part.get_filename()
                text = content.decode("utf-8", "replace")
                fields[name] = text if file is None else Upload(file, content)
        return fields
    if kind == "application/x-www-form-urlencoded":
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    return parse_json(body)


class Server(ThreadingTCPServer):
    """Listens on 127.0.0.1 only, and passes each request to a route.

    Args:
        port: 0 takes a free one.
        route: answers it.

    Raises:
        StandInError: if the port is taken.
    """

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, route: Route) -> None:
        self.route = route
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except (OSError, OverflowError) as error:
            raise StandInError(
                f"the Bot API stand-in cannot listen on 127.0.0.1:{port} ({error}): choose another "
                "port, or 0 for a free one"
            ) from None
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log that a client went away, rather than print it."""
        logger.debug("a client went away", exc_info=True)

    def stop(self) -> None:
        """Close the port; no connection outlives its request."""
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    timeout = 120  # for a request to arrive
    wbufsize = -1  # head and body leave in one packet

    def _answer(self) -> None:
        try:
            result = self.server.route(*self._request())
            described = isinstance(result, DescribedResult)
            self._send(200, {"ok": True, **(result._asdict() if described else {"result": result})})
        except Refused as error:
            self._send(error.code, error.answer)

    def _request(self) -> tuple[list[str], Any]:
        """The parts of the path, and the parameters."""
        address = urlsplit(self.path)
        body = self._body()
        # The control interface takes JSON only: curl -d calls everything a form.
        bot = not address.path.startswith("/_control/")
        try:
            given = parse_body(self.headers.get("Content-Type", "") if bot else "", body)
        except (ValueError, LookupError) as error:
            raise Refused(400, f"Bad Request: can't parse the body: {error}") from None
        query = dict(parse_qsl(address.query, keep_blank_values=True))
        if query and isinstance(given, dict):
            given = {**query, **given}
        return [unquote(part) for part in address.path.split("/")[1:]], given

    do_GET = do_POST = _answer  # noqa: N815 - the names that http.server looks for

    def _body(self) -> bytes:
        """The body, also in chunks; refused where it is too long."""
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            length = self.headers.get("Content-Length", "0")
            return self._read(int(length) if length.isdecimal() else MAX_BODY + 1)
        body = b""
        while size := int(self.rfile.readline(100).partition(b";")[0], 16):
            body += self._read(size, len(body))
            self.rfile.readline(100)
        while self.rfile.readline(1000).strip():
            pass  # trailers
        return body

    def _read(self, size: int, before: int = 0) -> bytes:
        if before + size > MAX_BODY:
            raise Refused(413, "Request Entity Too Large")
        return self.rfile.read(size)

    def _send(self, code: int, answer: Json) -> None:
        body = json.dumps(answer, separators=(",", ":")).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        if wait := answer.get("parameters", {}).get("retry_after"):
            self.send_header("Retry-After", str(wait))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the path holds the token."""
