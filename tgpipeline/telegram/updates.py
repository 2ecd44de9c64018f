"""What a Telegram Update is: its kind, its chat, its message, its dates.

Everything here is a pure function on bytes and dicts, read leniently: what is there is used, what
is missing is None, and only what cannot be an update at all is refused. Standard library only,
because the ingest function carries this file.

Source of every field name: https://core.telegram.org/bots/api#update
"""

import json
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any

from tgpipeline.errors import UpdateError

Update = dict[str, Any]

# The Bot API's names, read once, as this module is; JSON, because that is what the function reads
# anyway.
NAMES = json.loads(Path(__file__).with_name("updates.json").read_text(encoding="utf-8"))
MESSAGE_KINDS, EVENT_KINDS = frozenset(NAMES["message_kinds"]), frozenset(NAMES["event_kinds"])
# What a person sends, then what Telegram writes into the chat about something that happened. Where
# a message carries two of these (an animation is also a document, a venue also a location), the one
# that stands first names the message.
SERVICE = frozenset(NAMES["by_telegram"])
CONTENT = {name: rank for rank, name in enumerate(NAMES["by_people"] + NAMES["by_telegram"])}
# Fields that go along with a content. `is_service` is an import's own: exports have actions that
# the Bot API has no name for. Those from `forward_from` on are of older versions, which Telegram
# still writes beside the new ones (undocumented).
# Source: https://github.com/tdlib/telegram-bot-api/blob/master/telegram-bot-api/Client.cpp
ENVELOPE = frozenset(NAMES["envelope"])

# No event of Telegram is older than Telegram (14 August 2013); nothing here is later than 2100.
# Outside of it a date is an error of whoever wrote it, and would land where no query looks.
FIRST_DATE, LAST_DATE = 1_376_438_400, 4_102_444_800
_BIGINT = range(-(2**63), 2**63)
# Ids of groups, and of supergroups. Source: https://core.telegram.org/api/bots/ids
_GROUPS, _SUPERGROUPS = range(-999_999_999_999, 0), range(-1_997_852_516_352, -1_000_000_000_000)


def parse(body: bytes) -> Update:
    """Read the bytes that Telegram posts as one Update.

    Args:
        body: JSON, UTF-8.

    Returns:
        The update: a dict with an integer `update_id` and one more object, its content.

    Raises:
        UpdateError: if it is not JSON, not an object, or has no update_id or content.

    >>> parse(b'{"update_id": 7, "poll": {"id": "1"}}')
    {'update_id': 7, 'poll': {'id': '1'}}
    """
    update = parse_json(body)
    checked_kind(update)
    return update  # type: ignore[no-any-return]


def parse_json(body: bytes) -> Any:
    """Read JSON strictly (no NaN) and safely (no input makes it raise anything but UpdateError).

    Integers that take more than 64 bits become floats: no field of the Bot API has them, and
    reading very long ones exactly takes quadratic time.
    """
    try:
        return json.loads(body.decode(), parse_constant=_refuse, parse_int=_integer)
    except RecursionError:
        raise UpdateError("nested too deeply") from None
    except UnicodeDecodeError:
        raise UpdateError("not UTF-8") from None
    except ValueError as error:
        raise UpdateError(f"not JSON: {str(error)[:80]}") from None


def checked_kind(update: Any, *, numbered: bool = True) -> str:
    """The kind of what was parsed, if it is an Update.

    Args:
        update: what was parsed.
        numbered: whether it must have an update_id. What was sent or imported has none.

    Raises:
        UpdateError: if it is not an object, or has no integer update_id, or nothing in it.
    """
    if type(update) is not dict:
        raise UpdateError(f"not an object but {type(update).__name__}")
    if (numbered or "update_id" in update) and integer(update.get("update_id")) is None:
        raise UpdateError("no update_id that is a 64-bit integer")
    name = kind(update)
    if name is None:
        raise UpdateError("no object in it beside the update_id")
    return name


def kind(update: Update) -> str | None:
    """Name of the field that holds what happened: `message`, `poll`, or one not yet known.

    >>> kind({"update_id": 1, "edited_message": {}})
    'edited_message'
    """
    other = None
    for name, value in update.items():  # of every document of a day: no list is made of it
        if type(value) is dict:
            if name in MESSAGE_KINDS or name in EVENT_KINDS:
                return name
            other = other or name
    return other


def payload(update: Update) -> Update:
    """The object under the update's kind; empty where there is none."""
    return sub(update, kind(update) or "")


def sub(value: Update, name: str, *path: str) -> Update:
    """The object at the end of the path; empty where any step is missing or no object."""
    step = value.get(name)
    if type(step) is not dict:
        return {}
    return sub(step, *path) if path else step


def integer(value: Any) -> int | None:
    """The value where it is an integer of 64 bits (a bool is none), else None."""
    return value if type(value) is int and value in _BIGINT else None


def chat_id(update: Update) -> int | None:
    """Id of the chat in which it happened; None for what happens in no chat (polls, inline …)."""
    content = payload(update)
    chat = sub(content, "chat") or sub(content, "message", "chat")
    return integer(chat.get("id"))


def date_of(content: Update) -> Any:
    """When it happened, as the update says it: for an edit, when the message was first sent."""
    found = content.get("date") or content.get("remove_date")
    return found or sub(content, "boost").get("add_date")


def event_date(content: Update) -> int | None:
    """When it happened, in Unix seconds (UTC); None where Telegram cannot have written that."""
    found = date_of(content)
    return found if type(found) is int and FIRST_DATE <= found < LAST_DATE else None


def context_date(content: Update, tz: tzinfo, received: datetime) -> date:
    """The day whose partition an update belongs to.

    Args:
        content: the object under the update's kind.
        tz: the zone in which days are counted.
        received: when it came in, with its zone; decides where the update bears no date.

    Returns:
        The local calendar day of the event.
    """
    seconds = event_date(content)
    instant = received if seconds is None else datetime.fromtimestamp(seconds, tz)
    return instant.astimezone(tz).date()


def migration(content: Update) -> tuple[int, int] | None:
    """The (old, new) chat ids, where this message says that a group became a supergroup.

    None as well where they cannot be the ids of a group and of a supergroup.

    Source: https://core.telegram.org/bots/api#message (migrate_to_chat_id, migrate_from_chat_id)
    """
    here = integer(sub(content, "chat").get("id")) or 0
    to = integer(content.get("migrate_to_chat_id")) or 0
    old, new = (here, to) if to else (integer(content.get("migrate_from_chat_id")) or 0, here)
    return (old, new) if old in _GROUPS and new in _SUPERGROUPS else None


def content_type(message: Update) -> tuple[str, list[str]]:
    """What a message holds, and which of its fields are not yet known.

    Returns:
        The Bot API's name of the content (`text`, `photo`, `new_chat_members` …) or `unknown`,
        and the names of the fields that this version does not know.

    >>> content_type({"message_id": 1, "venue": {"title": "Loja"}, "location": {"latitude": 1.0}})
    ('venue', [])
    """
    best, rank, unknown = "unknown", len(CONTENT), []
    for name in message:  # once per field of every message of a day: a single pass is fastest
        if name in ENVELOPE:
            continue
        place = CONTENT.get(name)
        if place is None:
            unknown.append(name)
        elif place < rank and message[name] not in (None, False, "", []):
            best, rank = name, place
    return best, unknown


def _integer(digits: str) -> int | float:
    value = int(digits) if len(digits) <= 20 else float(digits)
    return value if -(2**63) <= value < 2**64 else float(digits)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
