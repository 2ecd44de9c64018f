"""What the stand-in raises: an error for whoever runs it, and a refusal for the bot."""

from typing import Any


class StandInError(Exception):
    """Raised when the stand-in cannot start, is not running, or cannot deliver its updates."""


class Refused(Exception):
    """Raised where the Bot API answers `ok: false`.

    Attributes:
        code: its `error_code`, which is the HTTP status, too.
        description: its `description`.
        parameters: its `parameters`: `retry_after`, `migrate_to_chat_id`.

    Source: https://core.telegram.org/bots/api#making-requests
    """

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters

    @property
    def answer(self) -> dict[str, Any]:
        """The answer, as it is sent."""
        more = {"parameters": self.parameters} if self.parameters else {}
        return {"ok": False, "error_code": self.code, "description": self.description, **more}
