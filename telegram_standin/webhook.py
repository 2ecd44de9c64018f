"""The stand-in's delivery of updates to a webhook, as Telegram does it.

One update of a chat at a time, in order; other chats go on meanwhile. 2xx is done. Anything else
is repeated: at once, then after 2, 4, 8 … seconds up to a random 60 to 120, or after what
`Retry-After` says, up to an hour; until the update's 24 hours are over.

Source: https://core.telegram.org/bots/webhooks and the server's own code, tdlib/telegram-bot-api.
"""

import http.client
import ipaddress
import random
import ssl
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any
from urllib.parse import urlsplit

from telegram_standin.queue import Clock, Pending, UpdateQueue
from tgpipeline.telegram import updates

ANSWER_TIME = 60
GONE_TIME = 23 * 3600  # so long a receiver may answer 410 before its webhook is removed
PORTS = (443, 80, 88, 8443)
_CHAT_LANE = ("message", "edited_message", "channel_post", "edited_channel_post")
Lane = tuple[str, Any]


@dataclass(frozen=True)
class Result:
    """How one delivery went: an empty error is success."""

    error: str = ""
    status: int = 0
    retry_after: int = 0
    content_type: str = ""
    body: bytes = b""


def lane(update: updates.Update) -> Lane:
    """Which updates keep their order: messages and edits of one chat; other kinds each apart."""
    kind, content = updates.kind(update) or "", updates.payload(update)
    who = updates.chat_id(update)
    if kind == "callback_query" or who is None:
        who = updates.sub(content, "from").get("id", updates.sub(content, "user").get("id"))
    return ("message" if kind in _CHAT_LANE else kind, who)


def refusal(url: str) -> str | None:
    """Why a URL cannot be a webhook's, in the Bot API's words; None if it can.

    Unlike Telegram, plain http and any port are taken, but only for this machine.
    """
    try:
        address, port = urlsplit(url), urlsplit(url).port
    except ValueError:
        return "invalid webhook URL specified"
    if address.hostname and is_loopback(address.hostname) and address.scheme in ("http", "https"):
        return None
    if address.scheme != "https" or not address.hostname:
        return "An HTTPS URL must be provided for webhook"
    if (port or 443) not in PORTS:
        return "Webhook can be set up only on ports 80, 88, 443 or 8443"
    return None


def is_loopback(host: str) -> bool:
    """Whether a host is this machine. Names under .localhost are (RFC 6761)."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def connect_to(host: str) -> str:
    """Where to connect for a host: what is called localhost is not asked of any name server."""
    return "127.0.0.1" if host.endswith("localhost") else host


class Webhook:
    """One webhook from setWebhook to deleteWebhook: threads that take from the queue and post.

    Raises:
        ValueError, ssl.SSLError: if the certificate is no PEM certificate.
    """

    def __init__(
        self,
        clock: Clock,
        queue: UpdateQueue,
        url: str,
        *,
        secret: str = "",
        max_connections: int = 40,
        certificate: bytes = b"",
        ip_address: str = "",
        answered: Callable[[str, bytes], None],
        gone: Callable[[], None],
    ) -> None:
        self.url, self.secret, self.max_connections = url, secret, max_connections
        self.certificate, self.ip_address = certificate, ip_address
        # Not resolved here: only https goes anywhere but to this machine, by name.
        host = urlsplit(url).hostname or ""
        self.address = ip_address or (connect_to(host) if is_loopback(host) else "<unknown>")
        self._tls = ssl.create_default_context(cadata=certificate.decode("ascii") or None)
        self.last_error, self.last_error_date = "", 0
        self._clock, self._queue = clock, queue
        self._answered, self._gone = answered, gone
        self._lanes: dict[Lane, deque[Pending]] = {}
        self._ready: deque[Lane] = deque()
        self._delayed: list[tuple[float, int, Lane]] = []
        self._gone_since: float | None = None
        self._workers = self._idle = self._turn = 0
        self.closed = False
        for pending in queue.waiting():
            pending.failures, pending.delay = 0, 1
            self.push(pending)

    def push(self, pending: Pending) -> None:
        """Take one more update to deliver. The caller holds the lock."""
        key = lane(pending.update)
        if key in self._lanes:
            self._lanes[key].append(pending)
            return
        self._lanes[key] = deque([pending])
        self._ready.append(key)
        self._clock.changed.notify_all()
        self._hire()

    @property
    def next_retry(self) -> float | None:
        """When the next retry is due; None while there is something to do before."""
        busy = self._ready or len(self._delayed) < len(self._lanes)
        return self._delayed[0][0] if self._delayed and not busy else None

    def close(self) -> None:
        """Deliver nothing more; what is under way may still end. The caller holds the lock."""
        self.closed = True
        self._clock.changed.notify_all()

    def _hire(self) -> None:
        if len(self._ready) > self._idle and self._workers < self.max_connections:
            self._workers += 1
            threading.Thread(target=self._work, name="webhook", daemon=True).start()

    def _work(self) -> None:
        connection = self._connection()
        while (taken := self._take()) is not None:
            key, pending = taken
            result = self._post(connection, pending)
            if not result.error and result.body:
                self._answered(result.content_type, result.body)
            with self._clock.changed:
                self._settle(key, pending, result)
        connection.close()

    def _take(self) -> tuple[Lane, Pending] | None:
        """The next update whose lane is free, waiting for one; None when the webhook is closed."""
        with self._clock.changed:
            while not self.closed:
                now = self._clock.now()
                while self._delayed and self._delayed[0][0] <= now:
                    self._ready.append(heappop(self._delayed)[2])
                while self._ready:
                    key = self._ready.popleft()
                    line = self._lanes[key]
                    while line and not self._queue.waits(line[0]):
                        self._queue.remove(line.popleft())
                    if line:
                        self._hire()
                        return key, line[0]
                    del self._lanes[key]
                self._idle += 1
                self._clock.wait(self._delayed[0][0] if self._delayed else None)
                self._idle -= 1
        return None

    def _settle(self, key: Lane, pending: Pending, result: Result) -> None:
        if not result.error:
            self._queue.remove(pending)
            self._gone_since = None
        if self.closed:
            return
        line, now = self._lanes[key], self._clock.now()
        if result.error:
            self.last_error, self.last_error_date = result.error, int(now)
            pause = self._pause(pending, result)
            if result.status == 410:
                self._gone_since = now if self._gone_since is None else self._gone_since
                if now > self._gone_since + GONE_TIME:
                    self._gone()
                    return
            if now + pause <= pending.expires:
                self._turn += 1
                heappush(self._delayed, (now + pause, self._turn, key))
                return
            self._queue.remove(pending)
        line.popleft()
        if line:
            self._ready.append(key)
        else:
            del self._lanes[key]

    def _pause(self, pending: Pending, result: Result) -> int:
        pending.failures += 1
        if result.retry_after:
            return min(result.retry_after, 3600)
        if pending.failures == 1:
            return 0
        pending.delay = min(random.randint(60, 120), pending.delay * 2)
        return pending.delay

    def _post(self, connection: http.client.HTTPConnection, pending: Pending) -> Result:
        address = urlsplit(self.url)
        path = address.path or "/"
        headers = {"Host": address.netloc, "Content-Type": "application/json"}
        if self.secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = self.secret
        target = f"{path}?{address.query}" if address.query else path
        fresh = connection.sock is None
        try:
            connection.request("POST", target, pending.body, headers)
            response = connection.getresponse()
            answer = response.read()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            connection.close()
            if not fresh:  # an idle connection that the receiver had closed: not its refusal
                return self._post(connection, pending)
            return Result("Webhook connection closed")
        except TimeoutError:
            connection.close()
            return Result("Read timeout expired")
        except (OSError, ValueError, http.client.HTTPException) as error:
            connection.close()
            return Result(getattr(error, "strerror", None) or type(error).__name__)
        if 200 <= response.status < 300:
            return Result("", response.status, 0, response.headers.get("Content-Type", ""), answer)
        wait = response.headers.get("Retry-After", "")
        reason = f"Wrong response from the webhook: {response.status} {response.reason}"
        return Result(reason, response.status, int(wait) if wait.isdecimal() else 0)

    def _connection(self) -> http.client.HTTPConnection:
        address = urlsplit(self.url)
        if address.scheme == "http":
            return http.client.HTTPConnection(self.address, address.port or 80, timeout=ANSWER_TIME)
        host = connect_to(address.hostname or "")
        return http.client.HTTPSConnection(
            host, address.port or 443, timeout=ANSWER_TIME, context=self._tls
        )
