"""How updates leave the stand-in: fetched with getUpdates, or posted to a webhook."""

import re
import time
from collections.abc import Callable
from contextlib import suppress
from ssl import SSLError
from typing import Any

from telegram_standin.errors import Refused
from telegram_standin.http_server import DescribedResult, Upload, parse_body
from telegram_standin.methods import Params, bool_param, int_param, json_param, upload_param
from telegram_standin.queue import DEFAULT_KINDS, Clock, UpdateQueue
from telegram_standin.target import Target, is_loopback, url_error
from telegram_standin.updates import ERRORS, Json
from telegram_standin.webhook import Webhook

LONG_POLL_MAX = 50  # seconds
SECRET_TOKEN = re.compile(r"[A-Za-z0-9_-]+")  # https://core.telegram.org/bots/api#setwebhook
DROP = "drop_pending_updates"
_NOT_IN_ANSWERS = ("get", "setwebhook", "deletewebhook")
DELIVERY_METHODS = ("get_updates", "set_webhook", "delete_webhook", "get_webhook_info")


class UpdateDelivery:
    """The queue, the one long poll that may wait, and the one webhook that may be set.

    Args:
        clock: its lock guards all state.
        queue: the updates to deliver.
        call: carries out a method that a webhook's receiver answers with.
    """

    def __init__(self, clock: Clock, queue: UpdateQueue, call: Callable[[str, Json], Any]) -> None:
        self.clock, self.queue, self._call = clock, queue, call
        self.webhook: Webhook | None = None
        self._next_set_webhook = 0.0
        self._poll, self._poll_ended = 0, ""

    def push(self, update: Json, visible: bool) -> int:
        """Queue an update, and wake the threads that wait for one; returns its update_id."""
        update_id, pending = self.queue.add(update, visible=visible)
        if pending is not None:
            if self.webhook is not None:
                self.webhook.push(pending)
            self.clock.changed.notify_all()
        return update_id

    def advance_to_retry(self, at_most: float) -> None:
        """Put a clock that stands still forward to the next retry, if nothing else is due."""
        with self.clock.changed:
            due = self.webhook.next_retry if self.webhook else None
            if due is not None and not self.clock.running and due <= at_most:
                self.clock.set(due)

    def close(self) -> None:
        """End the webhook and the long poll."""
        with self.clock.changed:
            self._poll, self._poll_ended = self._poll + 1, ERRORS["server_stopped"]
            self._drop_webhook()

    def get_updates(self, params: Params) -> list[Json]:
        """The updates from an offset on; waits for one as a long poll does."""
        if self.webhook is not None:
            raise Refused(409, ERRORS["has_webhook"])
        offset, limit = int_param(params, "offset"), int_param(params, "limit", 100)
        timeout = min(max(int_param(params, "timeout"), 0), LONG_POLL_MAX)
        self.queue.allow(json_param(params, "allowed_updates", list))
        end = time.monotonic() + timeout  # the client's time, not the stand-in's clock
        limit = min(max(limit, 1), 100)
        batch = self.queue.get(offset, limit)
        if batch or not timeout:
            return batch
        self._poll, self._poll_ended = self._poll + 1, ERRORS["other_poll"]
        mine = self._poll
        self.clock.changed.notify_all()
        while not batch and (left := end - time.monotonic()) > 0:
            self.clock.changed.wait(left)
            if self._poll != mine:
                raise Refused(409, self._poll_ended)
            batch = self.queue.get(max(offset, 0), limit)
        return batch

    def set_webhook(self, params: Params) -> DescribedResult:
        """Post updates to a URL from now on."""
        url = str(params.get("url") or "")
        if not url:
            return self.delete_webhook(params)
        target, allowed = _target(url, params), json_param(params, "allowed_updates", list)
        if time.monotonic() < self._next_set_webhook:
            raise Refused(429, "Too Many Requests: retry after 1", retry_after=1)
        self._next_set_webhook = time.monotonic() + 1
        self.queue.allow(allowed)
        drop = bool_param(params, DROP)
        if self.webhook is not None and self.webhook.target == target and not drop:
            return DescribedResult(True, "Webhook is already set")
        self._poll, self._poll_ended = self._poll + 1, ERRORS["webhook_set"]
        self._drop_webhook()
        if drop:
            self.queue.clear()
        try:
            self.webhook = Webhook(
                self.clock, self.queue, target, self._carry_out, self._drop_webhook
            )
        except (ValueError, SSLError):
            raise Refused(400, "Bad Request: bad webhook: the certificate is not PEM") from None
        return DescribedResult(True, "Webhook was set")

    def delete_webhook(self, params: Params) -> DescribedResult:
        """Keep updates for getUpdates again."""
        was = self.webhook is not None
        self._drop_webhook()
        if bool_param(params, DROP):
            self.queue.clear()
        return DescribedResult(True, "Webhook was deleted" if was else "Webhook is already deleted")

    def get_webhook_info(self, params: Params) -> Json:
        """Where updates are posted, how many wait, and the last error."""
        hook = self.webhook
        info: Json = {
            "url": hook.target.url if hook else "",
            "has_custom_certificate": bool(hook and hook.target.certificate),
            "pending_update_count": len(self.queue.all_pending()),
        }
        if hook:
            info["max_connections"] = hook.target.max_connections
            info["ip_address"] = hook.address
            if hook.last_error:
                info["last_error_date"] = hook.last_error_date
                info["last_error_message"] = hook.last_error
        if self.queue.allowed != DEFAULT_KINDS:
            info["allowed_updates"] = sorted(self.queue.allowed)
        return info

    def _drop_webhook(self) -> None:
        with self.clock.changed:
            if self.webhook is not None:
                self.webhook.close()
                self.webhook = None
            self.clock.changed.notify_all()

    def _carry_out(self, content_type: str, body: bytes) -> None:
        """Carry out the method that a receiver may answer with; nobody learns its result.

        Source: https://core.telegram.org/bots/api#making-requests-when-getting-updates
        """
        try:
            params = parse_body(content_type, body)
        except (ValueError, LookupError):
            return
        method = str(params.get("method", "")).lower() if isinstance(params, dict) else ""
        if method and not method.startswith(_NOT_IN_ANSWERS):
            with suppress(Refused):
                self._call(method, params)


def _target(url: str, params: Params) -> Target:
    """Where setWebhook's parameters say that updates go; refuses what Telegram refuses."""
    address, secret = str(params.get("ip_address") or ""), str(params.get("secret_token") or "")
    if len(secret) > 256:
        raise Refused(400, "Bad Request: secret token is too long")
    if secret and not SECRET_TOKEN.fullmatch(secret):
        raise Refused(400, "Bad Request: secret token contains unallowed characters")
    why = url_error(url)
    if address and not is_loopback(address):
        why = why or "IP address is reserved"
    if why:
        raise Refused(400, f"Bad Request: bad webhook: {why}")
    certificate = upload_param(params, "certificate") or Upload("", b"")
    if not isinstance(certificate, Upload):
        raise Refused(400, "Bad Request: certificate must be uploaded as an InputFile")
    connections = min(max(int_param(params, "max_connections", 40), 1), 100)
    return Target(url, secret, connections, certificate.content, address)
