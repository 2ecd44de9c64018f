"""The stand-in's delivery of updates to a webhook, as Telegram does it.

One update of a chat is delivered at a time, in order; other chats do not wait for it. A status of
2xx ends it. After anything else it is delivered again: at once, then after 2, 4, 8 … seconds up to
a random 60 to 120, or after what `Retry-After` says, up to an hour; until its 24 hours are over.

Source: https://core.telegram.org/bots/webhooks and the server's own code, tdlib/telegram-bot-api.
"""

import http.client
import random
import ssl
import threading
from collections import deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any
from urllib.parse import urlsplit

from telegram_standin import updates
from telegram_standin.queue import Clock, Pending, UpdateQueue
from telegram_standin.target import Target, address_of, is_loopback
from telegram_standin.updates import Json

ANSWER_SECONDS = 60
GONE_SECONDS = 23 * 3600  # how long a receiver may answer 410 before its webhook is removed
_CHAT_MESSAGES = ("message", "edited_message", "channel_post", "edited_channel_post")
OrderKey = tuple[str, Any]


@dataclass(frozen=True)
class DeliveryResult:
    """How one delivery went. Without an error it succeeded."""

    error: str = ""
    status: int = 0
    retry_after: int = 0
    content_type: str = ""
    body: bytes = b""


def order_key(update: Json) -> OrderKey:
    """What updates that are delivered in order have in common.

    Messages and edits of one chat share a key; every other kind has a key per chat or user.
    """
    kind, content = updates.kind(update), updates.payload(update)
    owner = updates.integer(updates.chat(update).get("id"))
    if kind == "callback_query" or owner is None:
        owner = updates.sub(content, "from").get("id", updates.sub(content, "user").get("id"))
    return ("message" if kind in _CHAT_MESSAGES else kind, owner)


class Webhook:
    """One webhook from setWebhook to deleteWebhook: threads that take from the queue and post.

    Args:
        clock: its lock guards all state.
        queue: the updates to deliver.
        target: where they go.
        on_answer: called with the Content-Type and body of an answer of 2xx.
        on_gone: called, holding the lock, when the receiver has answered 410 for 23 hours.

    Raises:
        ValueError, ssl.SSLError: if the certificate is no PEM certificate.
    """

    def __init__(
        self,
        clock: Clock,
        queue: UpdateQueue,
        target: Target,
        on_answer: Callable[[str, bytes], None],
        on_gone: Callable[[], None],
    ) -> None:
        self.target = target
        # Not resolved here: only https goes anywhere but to this machine, by name.
        host = urlsplit(target.url).hostname or ""
        self.address = target.ip_address or (address_of(host) if is_loopback(host) else "<unknown>")
        self._tls = ssl.create_default_context(cadata=target.certificate.decode("ascii") or None)
        self.last_error, self.last_error_date = "", 0
        self._clock, self._queue = clock, queue
        self._on_answer, self._on_gone = on_answer, on_gone
        self._ordered: dict[OrderKey, deque[Pending]] = {}
        self._ready: deque[OrderKey] = deque()
        self._delayed: list[tuple[float, int, OrderKey]] = []
        self._gone_since: float | None = None
        self._workers = self._idle = self._delays = 0
        self.closed = False
        for pending in queue.all_pending():
            pending.failures = 0
            self.push(pending)

    def push(self, pending: Pending) -> None:
        """Take one more update to deliver. The caller holds the lock."""
        key = order_key(pending.update)
        if key in self._ordered:
            self._ordered[key].append(pending)
            return
        self._ordered[key] = deque([pending])
        self._ready.append(key)
        self._clock.changed.notify_all()
        self._add_worker()

    @property
    def next_retry(self) -> float | None:
        """When the next retry is due; None while there is something to deliver before."""
        busy = self._ready or len(self._delayed) < len(self._ordered)
        return self._delayed[0][0] if self._delayed and not busy else None

    def close(self) -> None:
        """Start no more deliveries; those under way may end. The caller holds the lock."""
        self.closed = True
        self._clock.changed.notify_all()

    def _add_worker(self) -> None:
        """Start one more thread where an update waits for one."""
        if len(self._ready) > self._idle and self._workers < self.target.max_connections:
            self._workers += 1
            threading.Thread(target=self._deliver_until_closed, name="webhook", daemon=True).start()

    def _deliver_until_closed(self) -> None:
        while (taken := self._next()) is not None:
            key, pending = taken
            result = self._post(pending)
            if not result.error and result.body:
                self._on_answer(result.content_type, result.body)
            with self._clock.changed:
                self._record(key, pending, result)

    def _next(self) -> tuple[OrderKey, Pending] | None:
        """Wait for the next update that may be delivered; None when the webhook is closed."""
        with self._clock.changed:
            while not self.closed:
                now = self._clock.now()
                while self._delayed and self._delayed[0][0] <= now:
                    self._ready.append(heappop(self._delayed)[2])
                while self._ready:
                    key = self._ready.popleft()
                    waiting = self._ordered[key]
                    while waiting and not self._queue.is_pending(waiting[0]):
                        self._queue.remove(waiting.popleft())
                    if waiting:
                        self._add_worker()
                        return key, waiting[0]
                    del self._ordered[key]
                self._idle += 1
                self._clock.wait(self._delayed[0][0] if self._delayed else None)
                self._idle -= 1
        return None

    def _record(self, key: OrderKey, pending: Pending, result: DeliveryResult) -> None:
        """Remember how a delivery went: forget the update, or deliver it again later."""
        if not result.error:
            self._queue.remove(pending)
            self._gone_since = None
        if self.closed:
            return
        waiting, now = self._ordered[key], self._clock.now()
        if result.error:
            self.last_error, self.last_error_date = result.error, int(now)
            delay = self._retry_delay(pending, result)
            if result.status == 410:
                self._gone_since = now if self._gone_since is None else self._gone_since
                if now > self._gone_since + GONE_SECONDS:
                    self._on_gone()
                    return
            if now + delay <= pending.expires:
                self._delays += 1  # of two that are due at one time, the first comes first
                heappush(self._delayed, (now + delay, self._delays, key))
                return
            self._queue.remove(pending)
        waiting.popleft()
        if waiting:
            self._ready.append(key)
        else:
            del self._ordered[key]

    def _retry_delay(self, pending: Pending, result: DeliveryResult) -> int:
        """Seconds until the update is delivered again."""
        pending.failures += 1
        if result.retry_after:
            return min(result.retry_after, 3600)
        if pending.failures == 1:
            return 0
        # The exponent is bounded because an update may fail thousands of times.
        return min(random.randint(60, 120), 1 << min(pending.failures - 1, 7))

    def _post(self, pending: Pending) -> DeliveryResult:
        url = urlsplit(self.target.url)
        headers = {"Host": url.netloc, "Content-Type": "application/json"}
        if self.target.secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = self.target.secret
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        try:
            with closing(self._connection()) as connection:
                connection.request("POST", path, pending.body, headers)
                response = connection.getresponse()
                answer = response.read()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            return DeliveryResult("Webhook connection closed")
        except TimeoutError:
            return DeliveryResult("Read timeout expired")
        except (OSError, ValueError, http.client.HTTPException) as error:
            return DeliveryResult(getattr(error, "strerror", None) or type(error).__name__)
        if 200 <= response.status < 300:
            content_type = response.headers.get("Content-Type", "")
            return DeliveryResult("", response.status, 0, content_type, answer)
        wait = response.headers.get("Retry-After", "")
        reason = f"Wrong response from the webhook: {response.status} {response.reason}"
        return DeliveryResult(reason, response.status, int(wait) if wait.isdecimal() else 0)

    def _connection(self) -> http.client.HTTPConnection:
        url = urlsplit(self.target.url)
        if url.scheme == "http":
            return http.client.HTTPConnection(self.address, url.port, timeout=ANSWER_SECONDS)
        host = address_of(url.hostname or "")
        return http.client.HTTPSConnection(
            host, url.port, timeout=ANSWER_SECONDS, context=self._tls
        )
