"""What is inside: the text of rich messages, entities and commands, what an event changed.

Pure functions on dicts, read leniently. No I/O, standard library only.
"""

from collections.abc import Iterable
from typing import Any

from tgpipeline.telegram.updates import NAMES, Update, integer, sub

# Where a rich message keeps its text, and what stands between the items of a list found there.
_RICH: dict[str, str] = NAMES["rich_text"]
# The field of an event that says what it is about: a list, or one value.
_LISTS, _FIELDS = NAMES["event_lists"], NAMES["event_fields"]


def rich_text(value: Any, between: str = "") -> str:
    """All the text inside a rich message: a line a block, a tab between the cells of a table.

    Source: https://core.telegram.org/bots/api#richmessage

    Args:
        value: a RichMessage, or anything inside it.
        between: what stands between the items, if it is a list; then, what between theirs.

    >>> rich_text({"blocks": [{"text": "Trocas"}, {"text": ["em ", {"text": "7 dias"}]}]})
    'Trocas\\nem 7 dias'
    """
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        parts = [rich_text(part, between[1:]) for part in value]
        return between[:1].join(parts if between == "\t" else filter(None, parts))
    if isinstance(value, dict):
        inner = (rich_text(value[k], _RICH[k]) for k in _RICH if k in value)
        return "\n".join(filter(None, inner))
    return ""


def entities_of(entities: Any, text: Any) -> tuple[list[Any] | None, str | None]:
    """Types of the entities, and the first bot command among them, without `@bot`.

    Offsets count UTF-16 units: https://core.telegram.org/bots/api#messageentity

    >>> entities_of([{"type": "bot_command", "offset": 3, "length": 10}], "🛒 /pedido@loja 77")
    (['bot_command'], '/pedido')
    """
    found, command = objects(entities), None
    for e in found:
        if e.get("type") == "bot_command" and type(text) is str:
            start, length = integer(e.get("offset")), integer(e.get("length"))
            if start is not None and length is not None and start >= 0 and length > 0:
                units = text.encode("utf-16-le", "surrogatepass")[2 * start : 2 * (start + length)]
                command = units.decode("utf-16-le", "replace").partition("@")[0] or None
                break
    return [e.get("type") for e in found] or None, command


def old_and_new(name: str, event: Update) -> tuple[Any, Any]:
    """What an event changed: before and after, each a short text or None.

    Args:
        name: the event's kind, such as `message_reaction`.
        event: the object under that kind.

    >>> old_and_new("poll", {"options": [{"voter_count": 3}, {"voter_count": 0}]})
    (None, '3 0')
    """
    if name in ("my_chat_member", "chat_member"):
        members = sub(event, "old_chat_member"), sub(event, "new_chat_member")
        return members[0].get("status"), members[1].get("status")
    if name == "message_reaction":
        old, new = objects(event.get("old_reaction")), objects(event.get("new_reaction"))
        return _words(map(_reaction, old)), _words(map(_reaction, new))
    if name == "message_reaction_count":
        reactions = objects(event.get("reactions"))
        counts = [(_reaction(sub(r, "type")), r.get("total_count")) for r in reactions]
        return None, _words(f"{emoji}={n}" for emoji, n in counts if None not in (emoji, n))
    if name == "poll":
        return None, _words(o.get("voter_count") for o in objects(event.get("options")))
    if name == "business_connection":
        return None, "enabled" if event.get("is_enabled") else "disabled"
    if name in _LISTS:
        listed = event.get(_LISTS[name])
        return None, _words(listed) if type(listed) is list else None
    return None, event.get(_FIELDS.get(name))


def objects(value: Any) -> list[Update]:
    """The objects in a list; empty where it is none."""
    return [item for item in value if type(item) is dict] if type(value) is list else []


def _words(values: Iterable[Any]) -> str | None:
    """The values with a space between; what is missing in the update is no word."""
    return " ".join(str(value) for value in values if value is not None) or None


def _reaction(r: Update) -> Any:
    """The emoji itself, a custom emoji's id, or the kind of reaction (`paid`)."""
    return r.get("emoji") or r.get("custom_emoji_id") or r.get("type")
