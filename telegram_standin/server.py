"""The stand-in as a whole: its HTTP server, the Bot API's methods, the group, and its controls."""

import logging
import re
import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, Self

from telegram_standin import http_server
from telegram_standin.delivery_methods import DELIVERY_METHODS, UpdateDelivery
from telegram_standin.errors import Refused, StandInError
from telegram_standin.group import Group
from telegram_standin.methods import METHODS, Methods, Params
from telegram_standin.queue import Clock, UpdateQueue
from telegram_standin.updates import NAMES, Json

logger = logging.getLogger(__name__)

TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]+")
TOKEN_DEFAULT = "7000000001:LOCAL-TOKEN-FOR-THE-STAND-IN"  # noqa: S105 - opens nothing but this
FIRST_UPDATE_ID = 700_000_001
CONTROLS = (
    *("inject", "fault", "set_clock", "pending", "wait_delivered"),
    *("say", "edit", "react", "create_topic", "publish", "join", "leave", "promote", "migrate"),
)


class Telegram(Group):
    """The stand-in, running from `start` to `stop` or within a `with` statement.

    Args:
        token: the one bot's token; its number becomes the bot's id.
        port: where to listen on 127.0.0.1; 0 takes a free one.
        clock: the time; this machine's own where it is None.

    Raises:
        StandInError: if that cannot be a bot's token.
    """

    def __init__(
        self, token: str = TOKEN_DEFAULT, port: int = 0, *, clock: Clock | None = None
    ) -> None:
        if not TOKEN.fullmatch(token):
            raise StandInError("a bot token is digits, a colon, then letters, digits, _ and -")
        bot = {"id": int(token.partition(":")[0]), **NAMES["bot"]}
        super().__init__(clock or Clock(), bot)
        self.token, self.port = token, port
        queue = UpdateQueue(self.clock, FIRST_UPDATE_ID)
        self.delivery = UpdateDelivery(self.clock, queue, self._call)
        methods = Methods(self)
        self._methods: dict[str, Callable[[Params], Any]] = {
            name.replace("_", ""): getattr(owner, name)
            for owner, known in ((methods, METHODS), (self.delivery, DELIVERY_METHODS))
            for name in known
        }
        self._faults: list[Json] = []
        self._server: http_server.Server | None = None

    def start(self) -> Self:
        """Start to listen.

        Raises:
            StandInError: if the port is taken.
        """
        self._server = http_server.Server(self.port, self._route)
        return self

    def stop(self) -> None:
        """Close the port, every connection, and the webhook."""
        if self._server is not None:
            self._server.stop()
            self._server = None
        self.delivery.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """What `TELEGRAM_API_URL` must be.

        Raises:
            StandInError: if it is not running.
        """
        if self._server is None:
            raise StandInError("the Bot API stand-in is not running: call start() first")
        return self._server.url

    def control_url(self, name: str) -> str:
        """Where `inject`, `fault`, `say` and the others are asked for over HTTP."""
        return f"{self.url}/_control/{self.token}/{name}"

    def inject(self, update: Json | Sequence[Json]) -> list[int]:
        """Queue one or many updates as if they had just happened; see `UpdateQueue.add`.

        Returns:
            Their update_ids.
        """
        many = [update] if isinstance(update, dict) else list(update)
        with self.clock.changed:
            return [self.delivery.push(one, self.learn(one)) for one in many]

    def emit(self, update: Json, visible: bool) -> None:
        """Queue an update that something in the group has caused."""
        self.delivery.push(update, visible)

    def fault(
        self,
        methods: str | Sequence[str] = (),
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
        wait = {} if retry_after is None else {"retry_after": retry_after}
        usual = HTTPStatus(status).phrase + (f": retry after {retry_after}" if wait else "")
        fault = {
            "methods": {m.lower() for m in ([methods] if isinstance(methods, str) else methods)},
            "left": int(count),
            "error": Refused(status, description or usual, **wait),
        }
        with self.clock.changed:
            self._faults.append(fault)

    def pending(self) -> int:
        """How many updates are still to be delivered."""
        with self.clock.changed:
            return len(self.delivery.queue.all_pending())

    def wait_delivered(self, timeout: float = 60) -> None:
        """Wait until every update is delivered.

        A clock that stands still is put forward to each retry.

        Args:
            timeout: seconds to wait, and by which the clock may be put forward.

        Raises:
            StandInError: if some are not delivered then; says how many, and the last error.
        """
        end, give_up = time.monotonic() + timeout, self.clock.now() + timeout
        with self.clock.changed:
            while (left := self.pending()) and time.monotonic() < end:
                self.delivery.advance_to_retry(give_up)
                self.clock.changed.wait(0.02)
        if left:
            hook = self.delivery.webhook
            error = (hook.last_error or "none yet") if hook else "no webhook is set"
            raise StandInError(
                f"{left} updates were not delivered in {timeout:g} s (last error: {error}): look "
                "at the log of what the webhook calls"
            )

    def set_clock(self, now: float | None = None, advance: float = 0) -> float:
        """Set the clock, in Unix seconds, or put it forward; returns what it says then."""
        if now is not None:
            self.clock.set(now)
        if advance:
            self.clock.advance(advance)
        return self.clock.now()

    # The Bot API.

    def _route(self, path: list[str], given: Any) -> Any:
        if len(path) == 3 and path[0] == "_control":
            return self._control(path[1], path[2], given)
        if len(path) < 2 or not path[0].startswith("bot"):
            raise Refused(404, "Not Found")
        if path[0] != f"bot{self.token}":
            raise Refused(401, "Unauthorized")
        return self._call("/".join(path[1:]).lower(), given if isinstance(given, dict) else {})

    def _call(self, method: str, params: Json) -> Any:
        with self.clock.changed:
            for fault in self._faults:
                if fault["left"] > 0 and (not fault["methods"] or method in fault["methods"]):
                    fault["left"] -= 1
                    raise fault["error"]
            if method not in self._methods:
                raise Refused(404, "Not Found: method not found")
            try:
                return self._methods[method](params)
            except Refused:
                raise
            except Exception:
                logger.exception("the stand-in failed at %s", method)
                why = "Internal Server Error: see the log of the stand-in"
                raise Refused(500, why) from None

    def _control(self, token: str, name: str, given: Any) -> Any:
        if token != self.token:
            raise Refused(401, "Unauthorized")
        if name not in CONTROLS:
            raise Refused(404, f"Not Found: the controls are {', '.join(CONTROLS)}")
        try:
            return self.inject(given) if name == "inject" else getattr(self, name)(**given)
        except Refused:
            raise
        except Exception as error:  # whatever was given does not fit
            why = f"Bad Request: {name}: {type(error).__name__}: {error}"
            raise Refused(400, why) from None
