"""A Bot API server on this machine, with a group in it: Telegram's side, for tests and notebooks.

Bots cannot tell it from the real one, as far as a group's bot goes: `methods.py` lists what it
knows. Alone: `python -m tgpipeline.local.telegram --port 8081 --token 123456:ANY-TOKEN`.

What happens in the group is said through the methods below, or over HTTP: POST a JSON object of
their arguments to `/_control/<token>/<method>`.
"""

import argparse
import logging
import sys
import threading
import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

from tgpipeline.bot_http import TOKEN
from tgpipeline.errors import LocalStackError, SettingsError, TgPipelineError, UpdateError
from tgpipeline.local import http_server
from tgpipeline.local.group import Group, Refused
from tgpipeline.local.http_server import Answer, refused
from tgpipeline.local.methods import (
    METHODS,
    Methods,
    Params,
    Told,
    check_secret,
    flag,
    names,
    number,
)
from tgpipeline.local.queue import DEFAULT, Clock, UpdateQueue
from tgpipeline.local.webhook import Webhook, is_loopback, refusal
from tgpipeline.updates import Update

logger = logging.getLogger(__name__)

BOT = {"is_bot": True, "first_name": "Loja Aurora", "username": "loja_aurora_bot"}
TOKEN_DEFAULT = "7000000001:LOCAL-TOKEN-FOR-THE-STAND-IN"  # noqa: S105 - opens nothing but this
FIRST_UPDATE_ID = 700_000_001
LONG_POLL_MAX = 50
_HAS_WEBHOOK = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete "
    "the webhook first"
)
_OTHER_POLL = (
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is "
    "running"
)
_WEBHOOK_CAME = "Conflict: terminated by setWebhook request"
DROP = "drop_pending_updates"
_CONTROL = frozenset(
    "fault say edit react join leave promote migrate pending wait_delivered".split()
)


class Telegram(Group):
    """The stand-in, running from `start` to `stop` or within a `with` statement.

    Args:
        token: the one bot's token; its number becomes the bot's id.
        port: where to listen on 127.0.0.1; 0 takes a free one.
        clock: the time; this machine's own where it is None.
        reads_all: whether the bot's privacy mode is off.
        first_update_id: where update_ids start.

    >>> with Telegram() as telegram:
    ...     sent = telegram.say({"id": 1, "is_bot": False, "first_name": "Ana"}, "oi")
    >>> sent["chat"]["title"], telegram.pending()
    ('Suporte Loja Aurora', 1)
    """

    def __init__(
        self,
        token: str = TOKEN_DEFAULT,
        port: int = 0,
        *,
        clock: Clock | None = None,
        reads_all: bool = False,
        first_update_id: int = FIRST_UPDATE_ID,
    ) -> None:
        if not TOKEN.fullmatch(token):
            raise SettingsError("a bot token is digits, a colon, then letters, digits, _ and -")
        bot = {"id": int(token.partition(":")[0]), **BOT}
        super().__init__(clock or Clock(), bot, reads_all=reads_all)
        self.token, self.port = token, port
        self.queue = UpdateQueue(self.clock, first_update_id)
        self._methods = Methods(self)
        self._webhook: Webhook | None = None
        self._next_set_webhook = 0.0
        self._poll, self._poll_ended = 0, ""
        self._faults: list[dict[str, Any]] = []
        self._server: http_server.Server | None = None

    def start(self) -> Self:
        """Start to listen.

        Raises:
            LocalStackError: if the port is taken.
        """
        self._server = http_server.Server(self.port, self._route)
        return self

    def stop(self) -> None:
        """Close the port, every connection, and the webhook."""
        if self._server is not None:
            self._server.stop()
            self._server = None
        self._drop_webhook()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """What `TELEGRAM_API_URL` must be.

        Raises:
            LocalStackError: if it is not running.
        """
        if self._server is None:
            raise LocalStackError("the Bot API stand-in is not running: call start() first")
        return self._server.url

    def control_url(self, name: str) -> str:
        """Where `inject`, `fault`, `say` and the others are asked for over HTTP."""
        return f"{self.url}/_control/{self.token}/{name}"

    def inject(self, update: Update | Sequence[Update]) -> list[int]:
        """Queue one or many updates as if they had just happened; see `UpdateQueue.add`.

        Returns:
            Their update_ids.
        """
        many = [update] if isinstance(update, dict) else list(update)
        with self.clock.changed:
            return [self._queue_up(one, self.note(one)) for one in many]

    def emit(self, update: Update, asked: bool) -> None:
        """Queue an update that something in the group has caused."""
        self._queue_up(update, asked)

    def fault(
        self,
        methods: Sequence[str] = (),
        status: int = 500,
        retry_after: int | None = None,
        count: int = 1,
        description: str = "",
    ) -> None:
        """Make the next calls fail.

        Args:
            methods: of which methods; of any, if empty.
            status: the error code.
            retry_after: seconds, as a 429 says them.
            count: how many calls.
            description: instead of the usual one of that status.
        """
        usual = f"{HTTPStatus(status).phrase}"
        after = f": retry after {retry_after}" if retry_after is not None else ""
        given = {} if retry_after is None else {"retry_after": retry_after}
        answer = refused(status, description or usual + after, given)
        fault = {"methods": {m.lower() for m in methods}, "left": count, "answer": answer}
        with self.clock.changed:
            self._faults.append(fault)

    def pending(self) -> int:
        """How many updates wait."""
        with self.clock.changed:
            return len(self.queue.waiting())

    def wait_delivered(self, timeout: float = 60) -> None:
        """Wait until nothing is pending.

        Args:
            timeout: seconds of this machine's time.

        Raises:
            LocalStackError: if updates still wait then; says how many, and the last error.
        """
        end = time.monotonic() + timeout
        with self.clock.changed:
            while self.queue and time.monotonic() < end:
                self.clock.changed.wait(end - time.monotonic())
            if left := self.pending():
                error = self._webhook.last_error if self._webhook else "no webhook is set"
                raise LocalStackError(
                    f"{left} updates were not delivered in {timeout:g} s (last error: "
                    f"{error or 'none'}): look at the log of what the webhook calls"
                )

    # The Bot API.

    def _route(self, path: list[str], given: Any) -> Answer:
        if len(path) == 3 and path[0] == "_control":
            return self._control(path[1], path[2], given)
        if len(path) < 2 or not path[0].startswith("bot"):
            return refused(404, "Not Found")
        if path[0] != f"bot{self.token}":
            return refused(401, "Unauthorized")
        return self._call("/".join(path[1:]).lower(), given if isinstance(given, dict) else {})

    def _call(self, method: str, params: dict[str, Any]) -> Answer:
        with self.clock.changed:
            for fault in self._faults:
                if fault["left"] > 0 and (not fault["methods"] or method in fault["methods"]):
                    fault["left"] -= 1
                    answer: Answer = fault["answer"]
                    return answer
            try:
                if method in _OWN:
                    result = _OWN[method](self, params)
                elif method in METHODS:
                    result = METHODS[method](self._methods, params)
                else:
                    raise Refused(404, "Not Found: method not found")
            except Refused as error:
                return refused(error.code, error.description, error.parameters)
        if isinstance(result, Told):
            return {"ok": True, "result": result.result, "description": result.description}
        return {"ok": True, "result": result}

    def _get_updates(self, params: Params) -> list[Update]:
        if self._webhook is not None:
            raise Refused(409, _HAS_WEBHOOK)
        offset, limit = number(params, "offset"), number(params, "limit", 100)
        timeout = min(max(number(params, "timeout"), 0), LONG_POLL_MAX)
        self.queue.allow(names(params, "allowed_updates"))
        end = time.monotonic() + timeout  # the client's time, not the stand-in's clock
        found = self.queue.get(offset, min(max(limit, 1), 100))
        if found or not timeout:
            return found
        self._poll, self._poll_ended = self._poll + 1, _OTHER_POLL
        mine = self._poll
        self.clock.changed.notify_all()
        while not found and (left := end - time.monotonic()) > 0 and self._server is not None:
            self.clock.changed.wait(left)
            if self._poll != mine:
                raise Refused(409, self._poll_ended)
            found = self.queue.get(max(offset, 0), min(max(limit, 1), 100))
        return found

    def _set_webhook(self, params: Params) -> Told:
        url = str(params.get("url") or "")
        if not url:
            return self._delete_webhook(params)
        address, secret = str(params.get("ip_address") or ""), str(params.get("secret_token") or "")
        check_secret(secret)
        why = refusal(url) or (
            "IP address is reserved" if address and not is_loopback(address) else ""
        )
        if why:
            raise Refused(400, f"Bad Request: bad webhook: {why}")
        certificate = params.get("certificate", b"")
        if not isinstance(certificate, bytes):
            raise Refused(400, "Bad Request: certificate must be uploaded as an InputFile")
        allowed = names(params, "allowed_updates")
        if time.monotonic() < self._next_set_webhook:
            raise Refused(429, "Too Many Requests: retry after 1", retry_after=1)
        self._next_set_webhook = time.monotonic() + 1
        self.queue.allow(allowed)
        connections = min(max(number(params, "max_connections", 40), 1), 100)
        old = self._webhook
        same = old and (old.url, old.secret, old.max_connections, old.certificate, old.ip_address)
        if same == (url, secret, connections, certificate, address) and not flag(params, DROP):
            return Told(True, "Webhook is already set")
        self._poll, self._poll_ended = self._poll + 1, _WEBHOOK_CAME
        self._drop_webhook()
        if flag(params, DROP):
            self.queue.clear()
        self._webhook = Webhook(
            self.clock,
            self.queue,
            url,
            secret=secret,
            max_connections=connections,
            certificate=certificate,
            ip_address=address,
            answered=self._webhook_answered,
            gone=self._drop_webhook,
        )
        return Told(True, "Webhook was set")

    def _delete_webhook(self, params: Params) -> Told:
        was = self._webhook is not None
        self._drop_webhook()
        if flag(params, DROP):
            self.queue.clear()
        return Told(True, "Webhook was deleted" if was else "Webhook is already deleted")

    def _get_webhook_info(self, params: Params) -> dict[str, Any]:
        hook = self._webhook
        info: dict[str, Any] = {
            "url": hook.url if hook else "",
            "has_custom_certificate": bool(hook and hook.certificate),
            "pending_update_count": len(self.queue.waiting()),
        }
        if hook:
            info |= {"max_connections": hook.max_connections, "ip_address": hook.address}
            if hook.last_error:
                info["last_error_date"] = hook.last_error_date
                info["last_error_message"] = hook.last_error
        if self.queue.allowed != DEFAULT:
            info["allowed_updates"] = sorted(self.queue.allowed)
        return info

    def _drop_webhook(self) -> None:
        with self.clock.changed:
            if self._webhook is not None:
                self._webhook.close()
                self._webhook = None
            self.clock.changed.notify_all()

    def _webhook_answered(self, content_type: str, body: bytes) -> None:
        """A receiver may answer with a method to carry out; nobody learns its result.

        Source: https://core.telegram.org/bots/api#making-requests-when-getting-updates
        """
        try:
            params = http_server.parameters(content_type, body)
        except (UpdateError, ValueError, LookupError):
            return
        method = str(params.get("method", "")).lower() if isinstance(params, dict) else ""
        never = ("get", "setwebhook", "deletewebhook", "close", "logout")
        if method and not method.startswith(never):
            answer = self._call(method, params)
            logger.debug("the webhook's answer %s: %s", method, answer.get("error_code", "done"))

    def _queue_up(self, update: Update, asked: bool) -> int:
        update_id, pending = self.queue.add(update, asked=asked)
        if pending is not None and self._webhook is not None:
            self._webhook.push(pending)
        if pending is not None:
            self.clock.changed.notify_all()
        return update_id

    def _control(self, token: str, name: str, given: Any) -> Answer:
        if token != self.token:
            return refused(401, "Unauthorized")
        try:
            if name == "inject":
                return {"ok": True, "result": self.inject(given)}
            if name == "clock":
                return {"ok": True, "result": self._set_clock(**given)}
            if name not in _CONTROL:
                return refused(404, f"Not Found: the controls are {', '.join(sorted(_CONTROL))}")
            return {"ok": True, "result": getattr(self, name)(**given)}
        except Refused as error:
            return refused(error.code, error.description, error.parameters)
        except (TypeError, ValueError, AttributeError, KeyError, LocalStackError) as error:
            return refused(400, f"Bad Request: {name}: {error}")

    def _set_clock(self, now: float | None = None, advance: float = 0) -> float:
        if now is not None:
            self.clock.set(now)
        if advance:
            self.clock.advance(advance)
        return self.clock.now()


_OWN: dict[str, Callable[[Telegram, Params], Any]] = {
    "getupdates": Telegram._get_updates,
    "setwebhook": Telegram._set_webhook,
    "deletewebhook": Telegram._delete_webhook,
    "getwebhookinfo": Telegram._get_webhook_info,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C, and say where."""
    parser = argparse.ArgumentParser(
        prog="python -m tgpipeline.local.telegram", description=__doc__
    )
    parser.add_argument("--port", type=int, default=8081, help="0 takes a free one")
    parser.add_argument("--token", default=TOKEN_DEFAULT)
    options = parser.parse_args(argv)
    try:
        with Telegram(options.token, options.port) as telegram:
            print(f"Bot API base URL: {telegram.url}")
            print(f"inject an update: {telegram.control_url('inject')}")
            print(f"make calls fail:  {telegram.control_url('fault')}")
            print(f"other controls:   {', '.join(sorted(_CONTROL))}")
            print("Ctrl-C stops it.", flush=True)
            threading.Event().wait()
    except KeyboardInterrupt:
        print("stopped")
    except TgPipelineError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
