"""The one tree of errors that tgpipeline raises.

Every message says what happened, to which object, and what to do next. None of them ever
contains the bot token, a secret, a message's text or a person's name.
"""

from typing import Any


class TgPipelineError(Exception):
    """Raised as one of its subclasses; catch it to catch everything this package raises."""


class SettingsError(TgPipelineError):
    """Raised when a setting is missing or cannot be read, before anything is started."""


class UpdateError(TgPipelineError):
    """Raised when bytes or JSON cannot be read as a Telegram update; the text is the reason.

    The handlers catch it and put the object into quarantine under this reason.
    """


class BotApiError(TgPipelineError):
    """Raised when the Bot API answers `ok: false`, or does not answer as the Bot API does.

    Attributes:
        method: the Bot API method that was called.
        error_code: the API's `error_code`, or the HTTP status, or None without an answer.
        description: the API's `description`, free of the token.
        parameters: the API's `parameters` (`retry_after`, `migrate_to_chat_id`).
        unsent: whether the request certainly never left this machine.

    Source: https://core.telegram.org/bots/api#making-requests
    """

    unsent = False

    def __init__(self, method: str, text: str, code: int | None = None, more: Any = None) -> None:
        self.method, self.description, self.error_code = method, text, code
        self.parameters = dict(more or {})
        super().__init__(f"{method}: {'' if code is None else f'{code} '}{text}")


class BotUnauthorized(BotApiError):
    """Raised on 401 (and 404 for a malformed token): the bot token is not known to Telegram."""


class BotConflict(BotApiError):
    """Raised on 409: a webhook is set, or another getUpdates is running."""


class BotTooManyRequests(BotApiError):
    """Raised on 429 when the wait that the API asks for is longer than the caller allows."""


class BotUnreachable(BotApiError):
    """Raised when no usable answer came: connection refused, cut off, timed out, not JSON."""


class LakeError(TgPipelineError):
    """Raised when an object of the lake cannot be read, written or listed."""


class DeployError(TgPipelineError):
    """Raised when an AWS resource cannot be made, changed, found or removed."""


class QueryError(TgPipelineError):
    """Raised when a query is unknown, lacks a parameter, or fails in Athena."""


class HistoryError(TgPipelineError):
    """Raised when a file is not a Telegram Desktop export, or breaks off; names the offset."""


class NotebookError(TgPipelineError):
    """Raised when a notebook is missing, lacks the given parameter, or one of its cells fails."""


class LocalStackError(TgPipelineError):
    """Raised when the local stack does not start or answer; shows the end of its log."""
