"""What a message of a Telegram Desktop export holds, under the Bot API's names. No I/O.

It is what somebody wrote, or what Telegram wrote into the chat. What the Bot API has no name for
keeps the export's, so that the ETL counts it as unknown.

Sources: https://core.telegram.org/import-export and https://core.telegram.org/bots/api#message
"""

import json
import re
from contextlib import suppress
from typing import Any

from tgpipeline import resources
from tgpipeline.telegram.content import objects
from tgpipeline.telegram.updates import CONTENT, ENVELOPE, integer

Record = dict[str, Any]

_NAMES = resources.data("history/content.toml")
_FIELDS = {name: frozenset(listed.split()) for name, listed in _NAMES["fields"].items()}
_DETAILS = _FIELDS["details"] | _NAMES["media"].keys()
KNOWN_FIELDS = _FIELDS["common"] | _DETAILS | _FIELDS["written"]
CHAT_TYPES: dict[str, str] = _NAMES["chat_types"]


def int_of(value: Any) -> int | None:
    """A 64-bit integer, which an export writes as a number or as a string; else None."""
    if type(value) is str and len(value) < 21 and value.removeprefix("-").isdecimal():
        value = int(value)
    if type(value) is float and value.is_integer():  # some programs have no other numbers
        value = int(value)
    return integer(value)


def given(**fields: Any) -> Record:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value not in (None, "")}


def listed(value: Any) -> list[Record]:
    """The objects of a list, which some versions write as a string of JSON."""
    with suppress(TypeError, ValueError):
        value = json.loads(value)
    return objects(value)


def free(name: str) -> str:
    """A field's name, made another one where the Bot API uses it for something else."""
    return f"export_{name}" if name in CONTENT or name in ENVELOPE else name


def with_entities(value: Any) -> tuple[str, list[Record]]:
    """Text in pieces as one text and its entities, offsets in UTF-16 units.

    Source: https://core.telegram.org/bots/api#messageentity

    >>> with_entities(["😕 ", {"type": "link", "text": "a.example"}])
    ('😕 a.example', [{'type': 'url', 'offset': 3, 'length': 9}])
    """
    text, offset, entities = "", 0, []
    for piece in value if type(value) is list else [value]:
        told = piece if type(piece) is dict else {"text": piece}
        if type(told.get("text")) is str and told["text"]:
            length = len(told["text"].encode("utf-16-le", "surrogatepass")) // 2
            if told.get("type") not in ("plain", "unknown", None):
                entities.append(_entity(told, offset, length))
            text += told["text"]
            offset += length
    return text, entities


def written(record: Record) -> Record:
    """What somebody wrote: text, or media with its caption.

    Media have the Bot API's name, and in it what the export tells of them, as it tells it.
    """
    held = next((held for name, held in _NAMES["media"].items() if name in record), "")
    if "media_type" in record and held == "document":
        told = str(record["media_type"])
        held = _NAMES["media_types"].get(told) or free(told)
    found = {held: {name: record[name] for name in record if name in _DETAILS}} if held else {}
    if held == "rich_message":
        found, held = {held: record[held]}, ""
    names = ("caption", "caption_entities") if held else ("text", "entities")
    values = with_entities(record.get("text_entities") or record.get("text"))
    return found | {name: value for name, value in zip(names, values, strict=True) if value}


def _entity(piece: Record, offset: int, length: int) -> Record:
    kind = str(piece["type"])
    if kind == "blockquote" and piece.get("collapsed") is True:
        kind = "expandable_blockquote"
    kind, user = _NAMES["entities"].get(kind, kind), given(id=int_of(piece.get("user_id"))) or None
    told = given(url=piece.get("href"), language=piece.get("language"), user=user)
    return {"type": kind, "offset": offset, "length": length} | told


def service(record: Record, chat: Record, group: int) -> Record:
    """What Telegram wrote about something that happened.

    Args:
        record: as exported.
        chat: the chat it happened in.
        group: the id that the chat had before it became a supergroup; 0 if that is not known.

    Returns:
        One field: the Bot API's, or the export's own name of the action where it has none.
    """
    action = str(record.get("action") or "information_text")
    number, button = int_of(record.get("message_id")), int_of(record.get("button_id"))
    peers = str(record.get("peers", record.get("peer_id")))
    # Ids of users have fewer than 15 digits.
    shared = "chat_shared" if re.search(r"\d{15}", peers) else "users_shared"
    # An id that the export does not tell is an empty object: the ETL makes it null, and counts it.
    supergroup = chat["id"] if chat["type"] == "supergroup" else {}
    built: Record = {
        "create_channel": {f"{chat['type']}_chat_created": True},
        "topic_created": {"forum_topic_created": given(name=record.get("title"))},
        "migrate_to_supergroup": {"migrate_to_chat_id": supergroup},
        "migrate_from_group": {"migrate_from_chat_id": group or {}},
        "requested_peer": {shared: given(request_id=button)},
        # Date 0: nothing else is known of the message.
        "pin_message": {"pinned_message": given(message_id=number, chat=chat, date=0)},
    }
    field = _NAMES["service"].get(action) or free(action)
    for sign, other in _NAMES["otherwise"].get(action, {}).items():
        if record.get(sign) or sign == chat["type"]:
            field = other
    told = {name: value for name, value in record.items() if name not in _FIELDS["common"]}
    return built.get(action) or {field: told}
