"""Calls to the Bot API over HTTP: retries, waits, hostile answers, and a token that never shows.

The token is part of every URL of this API, and URLs end up in exceptions and in logs. So it lives
in one closure; errors are raised anew, without the chain that led to them; redirects are not
followed; answers are freed of it; and a filter stands before the loggers of urllib3.

Source: https://core.telegram.org/bots/api#making-requests
"""

import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import NewConnectionError

from tgpipeline import errors
from tgpipeline.errors import BotApiError, BotUnreachable, SettingsError, UpdateError
from tgpipeline.telegram import updates

logger = logging.getLogger(__name__)

TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]+")
METHOD = re.compile(r"[A-Za-z]+")
MAX_BODY = 32 * 2**20  # a hundred of the largest updates are a tenth of it
LOOPBACK = ("127.0.0.1", "::1", "localhost")
_ERRORS = {
    401: errors.BotUnauthorized,
    409: errors.BotConflict,
    429: errors.BotTooManyRequests,
}
_TOKEN_IN_PATH = re.compile(r"/bot[0-9]+(?::|%3A)[^/\s'\"]*", re.IGNORECASE)


class _HideToken(logging.Filter):
    """Takes the token out of what urllib3 writes at DEBUG: the path of every request."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = _TOKEN_IN_PATH.sub("/bot<token>", record.getMessage()), ()
        return True


_HIDE_TOKEN = _HideToken()


@dataclass(frozen=True)
class _Answer:
    """What one attempt brought: the API's answer, or why there is none."""

    body: Any = None
    status: int | None = None
    retry_after: str | None = None
    failure: str = ""
    never_sent: bool = False

    @property
    def wait(self) -> int:
        """Seconds that a 429 asks for."""
        asked = updates.sub(self.body or {}, "parameters").get("retry_after", self.retry_after)
        digits = str(asked)
        return max(1, int(digits[:9])) if digits.isdecimal() else 1


class Transport:
    """One bot's way to the Bot API; `Bot` says what its arguments mean."""

    def __init__(
        self,
        token: str,
        base: str,
        *,
        timeout: float,
        retries: int,
        backoff: float,
        max_wait: float,
    ) -> None:
        token, base = token.strip(), base.rstrip("/")
        if not TOKEN.fullmatch(token):
            raise SettingsError(
                "TELEGRAM_BOT_TOKEN is not shaped like a bot token (digits, a colon, letters): "
                "copy it again from BotFather. It is not shown here."
            )
        address = urlsplit(base)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise SettingsError("TELEGRAM_API_URL must be like https://api.telegram.org")
        number, _, key = token.partition(":")
        self.bot_id, self.host = int(number), address.netloc.rpartition("@")[2]
        self._url: Callable[[str], str] = lambda method: f"{base}/bot{token}/{method}"
        self.hide: Callable[[str], str] = lambda text: text.replace(key, "<token>")
        self._timeout, self._max_wait = timeout, max_wait
        self._retries, self._backoff = retries, backoff
        self._session = requests.Session()
        # A proxy of this network does not know what listens on this machine.
        self._session.trust_env = address.hostname not in LOOPBACK
        for name in ("connectionpool", "poolmanager", "util.retry"):
            logging.getLogger(f"urllib3.{name}").addFilter(_HIDE_TOKEN)

    def call(self, method: str, params: Mapping[str, Any]) -> Any:
        """Call a method until it is answered, refused for good, or given up; see `Bot.call`."""
        if not METHOD.fullmatch(method):
            raise BotApiError("call", "not the name of a method: write it as in sendMessage")
        reads = method.lower().startswith("get")
        failures, waited = 0, 0
        while True:
            answer = self._attempt(method, params)
            if answer.body and answer.body["ok"] is True:
                return answer.body["result"]
            if answer.status == 429:
                pause: float = answer.wait
                waited += answer.wait
                give_up = waited > self._max_wait
            else:
                pause = self._backoff * 2**failures
                failures += 1
                again = answer.never_sent or (reads and (answer.status or 500) >= 500)
                give_up = failures > self._retries or not again
            if give_up:
                break
            logger.info("%s got %s: again in %g s", method, answer.status or "no answer", pause)
            time.sleep(pause)
        raise self._error(method, answer, in_doubt=not (reads or answer.never_sent))

    def _attempt(self, method: str, params: Mapping[str, Any]) -> _Answer:
        request = _encode(params)
        poll = params.get("timeout") if method.lower() == "getupdates" else None
        limit = self._timeout + (poll if isinstance(poll, int | float) else 0)
        deadline = time.monotonic() + limit
        received = bytearray()
        try:
            with self._session.post(
                self._url(method),
                timeout=(min(10.0, self._timeout), limit),
                allow_redirects=False,  # a redirect would carry the token to another host
                stream=True,
                **request,
            ) as response:
                while chunk := response.raw.read1(2**16):
                    received += chunk
                    if len(received) > MAX_BODY:
                        return _Answer(failure="the answer is too long and was given up")
                    if time.monotonic() > deadline:
                        return _Answer(failure=f"the answer was not complete after {limit:g} s")
                if response.raw.length_remaining:
                    return _Answer(failure="the answer broke off")
            text = self.hide(received.decode("utf-8", "replace"))
            return _read(response.status_code, response.headers.get("Retry-After"), text)
        except KeyboardInterrupt:
            answer = None
        except Exception as error:  # of requests, urllib3, http.client: all of them show the URL
            answer = _Answer(failure=_reason(error, limit), never_sent=_never_sent(error))
        if answer is None:
            raise KeyboardInterrupt  # anew, because the frames of the one caught hold the URL
        return answer

    def _error(self, method: str, answer: _Answer, *, in_doubt: bool) -> BotApiError:
        if not answer.body:
            doubt = "It may have been carried out all the same: look before you call it again."
            kind = _ERRORS[429] if answer.status == 429 else BotUnreachable
            return kind(
                method, f"{answer.failure}. {doubt if in_doubt else ''}".strip(), answer.status
            )
        code = answer.body.get("error_code")
        code = code if type(code) is int else answer.status
        description = self.hide(str(answer.body.get("description") or "no description"))[:300]
        kind = _ERRORS.get(code or 0, BotApiError)
        if code == 404 and description == "Not Found":  # what a malformed token gets
            kind = errors.BotUnauthorized
        return kind(method, description, code, updates.sub(answer.body, "parameters"))


def _encode(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as arguments of requests: JSON, or a form where a file is among them."""
    given = {name: value for name, value in params.items() if value is not None}
    files = {
        name: (name, value if isinstance(value, bytes) else value.read_bytes())
        for name, value in given.items()
        if isinstance(value, bytes | Path)
    }
    headers = {"Accept-Encoding": "identity"}  # no small answer that unpacks to a huge one
    if not files:
        body = json.dumps(given).encode()
        return {"data": body, "headers": {**headers, "Content-Type": "application/json"}}
    text = {
        k: v if isinstance(v, str) else json.dumps(v) for k, v in given.items() if k not in files
    }
    return {"data": text, "files": files, "headers": headers}


def _read(status: int, retry_after: str | None, text: str) -> _Answer:
    """The answer, if it is one that the Bot API can have given."""
    try:
        body = updates.parse_json(text.encode())
        reason = "not an object with ok and result"
    except UpdateError as error:
        body, reason = None, str(error)
    if type(body) is dict and (
        body.get("ok") is False or (body.get("ok") is True and "result" in body)
    ):
        return _Answer(body, status, retry_after)
    if 300 <= status < 400:
        reason = "a redirect, which is not followed"
    failure = (
        f"HTTP {status} is no answer of the Bot API ({reason}): check TELEGRAM_API_URL, and "
        "whether a proxy or a sign-in page stands between"
    )
    return _Answer(None, status, retry_after, failure)


def _reason(error: BaseException, limit: float) -> str:
    """Why there was no answer, in words that contain no URL."""
    if isinstance(error, requests.Timeout):
        return f"no answer within {limit:g} s"
    step: BaseException | None = error
    while step is not None:
        if isinstance(step, OSError) and step.errno and step.strerror:
            return f"no answer from the Bot API ({step.strerror})"
        step = step.__cause__ or step.__context__
    return f"the connection to the Bot API broke before an answer came ({type(error).__name__})"


def _never_sent(error: BaseException) -> bool:
    """Whether the call failed before it was sent: then doing it again is no second time."""
    step: BaseException | None = error
    while step is not None:
        if isinstance(step, requests.ConnectTimeout | NewConnectionError):
            return True
        step = step.__cause__ or step.__context__
    return False
