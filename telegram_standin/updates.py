"""Updates as the Bot API writes them: their kinds, and how they are read leniently.

Source of every name: https://core.telegram.org/bots/api#update
"""

import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]

# The Bot API's names and errors, and the people and chats of the group.
NAMES: Json = json.loads(Path(__file__).with_name("names.json").read_text(encoding="utf-8"))
ERRORS: dict[str, str] = NAMES["errors"]
MESSAGE_KINDS = frozenset(NAMES["message_kinds"])
KINDS = MESSAGE_KINDS.union(NAMES["other_kinds"])
# Telegram sends these only where allowed_updates names them and the bot is admin.
ON_REQUEST = frozenset(NAMES["on_request"])
# What people send. A message with none of these is a service message.
CONTENT = frozenset(NAMES["content"])


def parse_json(body: bytes) -> Any:
    """Read JSON strictly: no NaN.

    Raises:
        ValueError: if it is not JSON, not UTF-8, or nested too deeply.
    """
    try:
        return json.loads(body.decode(), parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def kind(update: Json) -> str:
    """Name of the field that holds what happened; empty where there is none.

    >>> kind({"update_id": 1, "edited_message": {}})
    'edited_message'
    """
    objects = [name for name, value in update.items() if type(value) is dict]
    return next((name for name in objects if name in KINDS), objects[0] if objects else "")


def payload(update: Json) -> Json:
    """The object under the update's kind; empty where there is none."""
    return sub(update, kind(update))


def sub(value: Json, *path: str) -> Json:
    """The object at the end of the path; empty where any step is missing or no object."""
    for name in path:
        step = value.get(name)
        value = step if type(step) is dict else {}
    return value


def integer(value: Any) -> int | None:
    """The value where it is an integer (a bool is none), else None."""
    return value if type(value) is int else None


def chat(update: Json) -> Json:
    """The chat in which it happened; empty for what happens in none (polls, inline queries)."""
    content = payload(update)
    return sub(content, "chat") or sub(content, "message", "chat")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
