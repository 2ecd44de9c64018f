"""Calls to the Bot API over HTTP: repeated where that is safe, with a token that never shows.

The token is part of every URL of this API, and URLs end up in exceptions and in logs. So it lives
in closures; errors are raised anew, without the chain that led to them; redirects are not
followed; answers are freed of it; and a filter stands before the loggers of urllib3.

Source: https://core.telegram.org/bots/api#making-requests
"""

import json
import logging
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import ConnectTimeoutError

from tgpipeline import errors, resources
from tgpipeline.settings import Settings
from tgpipeline.telegram import updates

SENTENCES: dict[str, str] = resources.data("telegram/transport.toml")
MAX_ANSWER = 32 * 2**20  # a hundred of the largest updates are a tenth of it
LOOPBACK = re.compile(r"localhost|.*\.localhost|127\.[0-9.]+|::1")
_ERRORS = {401: errors.BotUnauthorized, 409: errors.BotConflict, 429: errors.BotTooManyRequests}
_TOKEN_IN_PATH = re.compile(r"/bot[0-9]+(?::|%3A)[^/\s'\"]*", re.IGNORECASE)


def _hide_token(record: logging.LogRecord) -> bool:
    """A filter of logs: takes the token out of the paths that urllib3 writes at DEBUG."""
    record.msg, record.args = _TOKEN_IN_PATH.sub("/bot<token>", record.getMessage()), ()
    return True


class Transport:
    """The Bot API for one bot, by its token, which never shows in a repr, an error or a log.

    Results are what the API gives: plain dicts and lists. Calls that only read are repeated on
    connection errors and 5xx. A call that changes something is repeated only if it certainly
    never left this machine, so no message is sent twice. Any call waits when the API answers 429.

    Args:
        token: the token that BotFather gave.
        api_url: base URL of the Bot API; `TELEGRAM_API_URL`, or the real one, where it is None.
        timeout: seconds without an answer after which a call has failed.
        max_wait: seconds that 429 answers may make one call wait in all.

    Attributes:
        id: of the bot.
        host: where the Bot API is.
        pauses: seconds before each repetition of a call that failed; as many are made.

    Raises:
        SettingsError: if the token or the URL cannot be one.
    """

    pauses: Sequence[float] = (0.5, 1, 2)

    def __init__(
        self, token: str, api_url: str | None = None, *, timeout: float = 30, max_wait: float = 60
    ) -> None:
        token = token.strip()
        if not re.fullmatch("[0-9]+:[A-Za-z0-9_-]+", token):
            raise errors.SettingsError(SENTENCES["token"])
        settings = Settings(telegram_api_url=api_url) if api_url else Settings.from_env()
        base = settings.telegram_api_url.rstrip("/")
        address, (bot_id, _, key) = urlsplit(base), token.partition(":")
        self.id, self.host = int(bot_id), address.netloc.rpartition("@")[2]
        self._url: Callable[[str], str] = lambda method: f"{base}/bot{token}/{method}"
        self._hide: Callable[[object], str] = lambda text: str(text).replace(key, "<token>")
        self._timeout, self._max_wait = timeout, max_wait
        self._session = requests.Session()
        # No small answer that unpacks to a huge one.
        self._session.headers["Accept-Encoding"] = "identity"
        # No proxy, however the environment spells it, knows what listens on this machine.
        self._session.trust_env = not LOOPBACK.fullmatch(address.hostname or "")
        logging.getLogger("urllib3.connectionpool").addFilter(_hide_token)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(id={self.id}, api={self.host!r})"

    def call(self, method: str, **params: Any) -> Any:
        """Call any method of the Bot API by its name, such as `getFile`.

        Args:
            method: the name as the Bot API writes it.
            **params: its parameters; None leaves one out; bytes and Paths are uploaded as files.

        Returns:
            The answer's `result`.

        Raises:
            BotUnauthorized: the token is not known.
            BotConflict: another getUpdates, or a webhook, is in the way.
            BotTooManyRequests: the API asks for a longer wait than `max_wait`.
            BotUnreachable: no answer, or not one of the Bot API.
            BotApiError: any other `ok: false`.
        """
        if not (method.isascii() and method.isalpha()):
            raise errors.BotApiError("call", SENTENCES["method"])
        reads, pauses, waited = method.lower().startswith("get"), list(self.pauses), 0
        while isinstance(answer := self._exchange(method, params), errors.BotApiError):
            code, digits = answer.error_code, str(answer.parameters.get("retry_after"))[:9]
            wait = max(1, int(digits)) if digits.isdecimal() else 1
            if code == 429 and waited + wait <= self._max_wait:
                waited, pause = waited + wait, float(wait)
            elif pauses and (answer.unsent or (reads and (code or 500) >= 500)):
                pause = pauses.pop(0)
            elif type(answer) is errors.BotUnreachable and not (reads or answer.unsent):
                doubt = SENTENCES["doubt"].format(answer.description)
                raise errors.BotUnreachable(method, doubt, code)
            else:
                raise answer
            time.sleep(pause)
        return answer

    def _exchange(self, method: str, params: dict[str, Any]) -> Any:
        """Send one request; errors are returned, not raised, so that they carry no frames."""
        seconds = self._timeout + (params.get("timeout") or 0)  # of a long poll
        # No redirect, because it would carry the token to another host.
        request = _request(params) | {"timeout": (self._timeout, seconds), "allow_redirects": False}
        deadline, body, interrupted = time.monotonic() + seconds, bytearray(), False
        try:
            with self._session.post(self._url(method), stream=True, **request) as response:
                while chunk := response.raw.read1(2**16):
                    body += chunk
                    if len(body) > MAX_ANSWER or time.monotonic() > deadline:
                        raise OSError(SENTENCES["slow"].format(seconds))
            return _judge(method, response, self._hide(body.decode("utf-8", "replace")))
        except KeyboardInterrupt:
            interrupted = True
        except Exception as error:  # of requests, urllib3, http.client: all of them show the URL
            why = self._hide(_innermost(error))
            lost = errors.BotUnreachable(method, f"no answer from {self.host}: {why}")
            reasons = [getattr(cause, "reason", None) for cause in error.args]
            lost.unsent = any(isinstance(reason, ConnectTimeoutError) for reason in reasons)
        if interrupted:
            raise KeyboardInterrupt  # anew, because the frames of the one caught hold the URL
        return lost


def _judge(method: str, response: requests.Response, text: str) -> Any:
    """The result, or the error, if this is what the Bot API can have answered."""
    code = response.status_code
    with suppress(errors.UpdateError, LookupError, TypeError):
        answer = updates.parse_json(text.encode())
        if answer["ok"] is True:
            return answer["result"]
        if answer["ok"] is False:
            code = updates.integer(answer.get("error_code")) or code
            text = str(answer.get("description") or "no description")[:300]
            malformed = text == "Not Found"  # the answer to a malformed token
            kind = _ERRORS.get(401 if malformed else code, errors.BotApiError)
            return kind(method, text, code, updates.sub(answer, "parameters"))
    kind = _ERRORS[429] if code == 429 else errors.BotUnreachable
    wait = {"retry_after": response.headers.get("Retry-After")}
    return kind(method, SENTENCES["strange"].format(code), code, wait)


def _request(params: dict[str, Any]) -> dict[str, Any]:
    """Parameters as arguments of requests: a form, whose values are JSON, and its files."""
    given = {name: value for name, value in params.items() if value is not None}
    files = {
        k: v if isinstance(v, bytes) else (v.name, v.read_bytes())
        for k, v in given.items()
        if isinstance(v, bytes | Path)
    }
    data = {
        k: (v if isinstance(v, str) else json.dumps(v)).encode(errors="replace")  # half an emoji
        for k, v in given.items()
        if k not in files
    }
    return {"data": data, "files": files}


def _innermost(error: BaseException) -> BaseException:
    """The error that all others were raised for, such as "Connection refused"."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return error
