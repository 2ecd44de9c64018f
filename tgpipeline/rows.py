"""How an update becomes a row: from nested JSON to the flat columns that `columns` declares.

No I/O, standard library only. A row is a tuple of values in the order of its table's columns; the
last column, `context_timestamp`, is added when the rows are written.
"""

import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from tgpipeline.columns import TABLES, fit
from tgpipeline.updates import (
    LAST_DATE,
    MESSAGE_KINDS,
    SERVICE,
    Update,
    content_type,
    date_of,
    integer,
    kind,
    sub,
)

Row = tuple[Any, ...]


class Flattener:
    """Turns updates into rows, all with the same time zone and chat identities.

    Args:
        tz: zone of `sent_at`.
        groups: for the id of a supergroup that was a group before, that group's id.

    Attributes:
        unknown: how often each field or kind that is not known yet was met, by name.
    """

    def __init__(self, tz: tzinfo, groups: Mapping[int, int] | None = None) -> None:
        self.unknown: Counter[str] = Counter()
        self._groups = groups or {}
        self._wall_clock = wall_clock(tz)

    def row(self, update: Update, text: str = "", source: str = "webhook") -> tuple[str, Row]:
        """The row that an update becomes.

        Args:
            update: as `updates.parse` returned it.
            text: the same update as it came, for the column `payload` of events.
            source: `webhook` or `history`.

        Returns:
            The name of its table, and its values in the order of that table's columns, the last
            one (`context_timestamp`) left out. Values may still not fit their column: see `fit`.
        """
        name = kind(update)
        if name in MESSAGE_KINDS:
            known_type = name if source == "webhook" else None
            return "messages", self.message(
                update[name], update.get("update_id"), source, known_type
            )
        return "events", self.event(update, str(name), text)

    def message(
        self, m: Update, update_id: int | None, source: str, update_type: str | None
    ) -> Row:
        """The row of a Message."""
        user, chat, reply = sub(m, "from"), sub(m, "chat"), sub(m, "reply_to_message")
        content, unknown = content_type(m)
        for name in unknown:
            self.unknown[f"message.{name}"] += 1
        date, chat_id, text, caption = (
            m.get("date"),
            chat.get("id"),
            m.get("text"),
            m.get("caption"),
        )
        entities = m.get("entities") or m.get("caption_entities")
        types, command = _entities(entities, text or caption) if entities else (None, None)
        if content == "rich_message" and not text:
            text = rich_text(m["rich_message"]) or None
        return (
            update_id,
            source,
            update_type,
            m.get("message_id"),
            m.get("message_thread_id"),
            user.get("id"),
            user.get("is_bot"),
            user.get("first_name"),
            user.get("last_name"),
            user.get("username"),
            user.get("language_code"),
            sub(m, "sender_chat").get("id"),
            chat_id,
            self._group(chat_id),
            chat.get("type"),
            chat.get("title"),
            date,
            self._wall_clock(date),
            m.get("edit_date"),
            content,
            None if content == "unknown" else content in SERVICE,
            text,
            caption,
            types,
            command,
            reply.get("message_id"),
            sub(reply, "from").get("id"),
            sub(m, "forward_origin").get("type"),
            sub(m, "via_bot").get("id"),
            m.get("media_group_id"),
            m.get("migrate_to_chat_id"),
            m.get("migrate_from_chat_id"),
        )

    def event(self, update: Update, name: str, text: str) -> Row:
        """The row of any other update."""
        e = update[name]
        if name not in _VALUES:
            self.unknown[f"update.{name}"] += 1
        about = sub(e, "message")
        chat_id = (sub(e, "chat") or sub(about, "chat")).get("id")
        user = sub(e, "from") or sub(e, "user") or sub(e, "source", "user")
        user = user or sub(e, "boost", "source", "user")
        member = sub(e, "new_chat_member", "user")
        old, new = _VALUES.get(name, _nothing)(e)
        date = date_of(e)
        return (
            update.get("update_id"),
            name,
            chat_id,
            self._group(chat_id),
            (about or e).get("message_id"),
            user.get("id"),
            user.get("is_bot"),
            member.get("id"),
            date,
            self._wall_clock(date),
            old,
            new,
            text,
        )

    def _group(self, chat_id: Any) -> Any:
        return self._groups.get(chat_id, chat_id) if type(chat_id) is int else None


def variant(message: Update, update_id: int | None) -> int:
    """What tells messages apart that share chat_id and message_id; 0 for nearly all.

    Ephemeral messages all have message_id 0, and a business account's chats count on their own.
    """
    if not message.get("message_id"):
        own = integer(message.get("ephemeral_message_id"))
        return own or integer(update_id) or 0
    connection = message.get("business_connection_id")
    return zlib.crc32(str(connection).encode("utf-8", "replace")) if connection else 0


def as_json(table: str, row: Row) -> dict[str, Any]:
    """A row as a dict that JSON can hold, every value fitted to its column.

    `sent_at` is written as `YYYY-MM-DDTHH:MM:SS`, the local wall-clock time.
    """
    out: dict[str, Any] = {}
    for column, value in zip(TABLES[table], row, strict=False):
        value, _ = fit(value, column.type)
        if column.name == "sent_at" and value is not None:
            value = (datetime(1970, 1, 1) + timedelta(milliseconds=value)).isoformat()
        out[column.name] = value
    return out


def wall_clock(tz: tzinfo) -> Callable[[Any], int | None]:
    """A function from Unix seconds to local wall-clock time in milliseconds since 1970.

    The offset from UTC changes at quarters of an hour at most, so one look-up serves all instants
    of a quarter. What is no date of Telegram's time becomes None.
    """
    offsets: dict[int, int] = {}

    def convert(date: Any) -> int | None:
        if type(date) is not int or not 0 < date < LAST_DATE:
            return None
        offset = offsets.get(date // 900)
        if offset is None:
            delta = datetime.fromtimestamp(date - date % 900, UTC).astimezone(tz).utcoffset()
            offset = offsets[date // 900] = int((delta or timedelta()).total_seconds())
        return (date + offset) * 1000

    return convert


def rich_text(value: Any) -> str:
    """All the text inside a rich message: a line a block, a tab between the cells of a table.

    Source: https://core.telegram.org/bots/api#richmessage
    """
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        if all(isinstance(cells, list) for cells in value):
            return "\n".join("\t".join(map(rich_text, cells)) for cells in value)
        blocks = any(isinstance(v, dict) and v.keys() & _BLOCK for v in value)
        return ("\n" if blocks else "").join(filter(None, map(rich_text, value)))
    if isinstance(value, dict):
        inner = (rich_text(value[k]) for k in _RICH if k in value)
        return "\n".join(filter(None, inner))
    return ""


_RICH = ("title", "summary", "text", "cells", "items", "blocks", "caption", "credit")
_BLOCK = {"cells", "items", "blocks", "size", "caption"}


def _entities(entities: Any, text: Any) -> tuple[list[Any] | None, str | None]:
    """Types of the entities, and the first bot command among them.

    Offsets count UTF-16 units: https://core.telegram.org/bots/api#messageentity
    """
    if type(entities) is not list:
        return None, None
    found = [e for e in entities if type(e) is dict]
    command = None
    for e in found:
        if e.get("type") == "bot_command" and type(text) is str:
            start, length = integer(e.get("offset")), integer(e.get("length"))
            if start is not None and length is not None and start >= 0 and length > 0:
                units = text.encode("utf-16-le", "surrogatepass")[2 * start : 2 * (start + length)]
                command = units.decode("utf-16-le", "replace").partition("@")[0] or None
                break
    return [e.get("type") for e in found] or None, command


def _status(e: Update) -> tuple[Any, Any]:
    return sub(e, "old_chat_member").get("status"), sub(e, "new_chat_member").get("status")


def _reactions(e: Update) -> tuple[Any, Any]:
    return _words(map(_reaction, _dicts(e, "old_reaction"))), _words(
        map(_reaction, _dicts(e, "new_reaction"))
    )


def _reaction_counts(e: Update) -> tuple[Any, Any]:
    counts = _dicts(e, "reactions")
    return None, _words(f"{_reaction(sub(r, 'type'))}={r.get('total_count')}" for r in counts)


def _reaction(r: Update) -> str:
    """The emoji itself, a custom emoji's id, or the kind of reaction (`paid`)."""
    return str(r.get("emoji") or r.get("custom_emoji_id") or r.get("type"))


def _poll(e: Update) -> tuple[Any, Any]:
    return None, _words(str(o.get("voter_count")) for o in _dicts(e, "options"))


def _dicts(e: Update, name: str) -> list[Update]:
    value = e.get(name)
    return [item for item in value if type(item) is dict] if type(value) is list else []


def _words(values: Iterable[str]) -> str | None:
    return " ".join(values) or None


def _list_of(name: str) -> Callable[[Update], tuple[Any, Any]]:
    def read(e: Update) -> tuple[Any, Any]:
        value = e.get(name)
        return None, _words(map(str, value)) if type(value) is list else None

    return read


def _field(name: str) -> Callable[[Update], tuple[Any, Any]]:
    return lambda e: (None, e.get(name))


def _nothing(_: Update) -> tuple[Any, Any]:
    return None, None


_VALUES: dict[str, Callable[[Update], tuple[Any, Any]]] = {
    "my_chat_member": _status,
    "chat_member": _status,
    "message_reaction": _reactions,
    "message_reaction_count": _reaction_counts,
    "poll": _poll,
    "poll_answer": _list_of("option_ids"),
    "deleted_business_messages": _list_of("message_ids"),
    "callback_query": _field("data"),
    "inline_query": _field("query"),
    "chosen_inline_result": _field("query"),
    "shipping_query": _field("invoice_payload"),
    "pre_checkout_query": _field("invoice_payload"),
    "purchased_paid_media": _field("paid_media_payload"),
    "subscription": _field("state"),
    "business_connection": lambda e: (None, "enabled" if e.get("is_enabled") else "disabled"),
    "chat_join_request": _nothing,
    "chat_boost": _nothing,
    "removed_chat_boost": _nothing,
    "managed_bot": _nothing,
    "stopped_message_generation": _nothing,
}
