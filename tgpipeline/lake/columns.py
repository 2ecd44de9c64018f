"""The contract: the columns of the tables `messages` and `events`.

They are declared here and nowhere else: the Arrow schema, the Athena DDL, the table in notebook 02
and the documentation are all made from `MESSAGES` and `EVENTS`. No I/O, standard library only.
"""

import zlib
from dataclasses import dataclass
from typing import Any

from tgpipeline.telegram.updates import integer


@dataclass(frozen=True)
class Column:
    """One column of the enriched zone.

    Attributes:
        name: as in the Parquet and in Athena.
        type: `int64`, `bool`, `string`, `list<string>` or `timestamp[ms]`, as Arrow names it.
        source: where in the update it comes from.
        meaning: what it says.
    """

    name: str
    type: str
    source: str
    meaning: str

    @property
    def athena_type(self) -> str:
        """The type in Athena's DDL: https://docs.aws.amazon.com/athena/latest/ug/data-types.html"""
        return _ATHENA[self.type]


_ATHENA = {
    "int64": "bigint",
    "bool": "boolean",
    "string": "string",
    "list<string>": "array<string>",
    "timestamp[ms]": "timestamp",
}
_SENT_AT = Column("sent_at", "timestamp[ms]", "date", "the same instant as local wall-clock time")
_GROUP = Column("group_id", "int64", "chat.id", "the chat's id before it became a supergroup")
_STAMP = Column("context_timestamp", "timestamp[ms]", "", "when the row was processed, UTC")

MESSAGES = (
    Column("update_id", "int64", "update_id", "of the version kept; null if sent or imported"),
    Column("source", "string", "", "how it came: webhook, sent or history"),
    Column("update_type", "string", "", "field of the update that held it; null for history"),
    Column("message_id", "int64", "message_id", "unique in its chat; 0 for ephemeral messages"),
    Column("message_thread_id", "int64", "message_thread_id", "thread of replies, or topic"),
    Column("is_topic_message", "bool", "is_topic_message", "the thread is a topic of a forum"),
    Column(
        "topic_name", "string", "forum_topic_created.name", "the topic's name, where it is told"
    ),
    Column("is_comment", "bool", "reply_to_message", "the thread is a channel post's comments"),
    Column("author_id", "int64", "", "who wrote it: user or chat; null if Telegram did"),
    Column("author_kind", "string", "", "person, bot, chat or telegram; null if unknown"),
    Column("from_id", "int64", "from.id", "user that Telegram names as its sender"),
    Column("from_is_bot", "bool", "from.is_bot", "whether that is a bot"),
    Column("from_first_name", "string", "from.first_name", "their first name"),
    Column("from_last_name", "string", "from.last_name", "their last name"),
    Column("from_username", "string", "from.username", "their username, without @"),
    Column("from_language_code", "string", "from.language_code", "language of their app"),
    Column("sender_chat_id", "int64", "sender_chat.id", "chat it was written as: anonymous admins"),
    Column("chat_id", "int64", "chat.id", "the chat it is in"),
    _GROUP,
    Column("chat_type", "string", "chat.type", "private, group, supergroup or channel"),
    Column("chat_title", "string", "chat.title", "the chat's title then"),
    Column("date", "int64", "date", "when it was sent: Unix seconds, UTC"),
    _SENT_AT,
    Column("edit_date", "int64", "edit_date", "of its last edit: Unix seconds; null if never"),
    Column("content_type", "string", "", "the Bot API's field that holds it, or unknown"),
    Column("is_service", "bool", "", "Telegram wrote it, not a person; null if unknown"),
    Column("text", "string", "text", "its text; of a rich message, the text inside"),
    Column("caption", "string", "caption", "what stands under a photo, a video …"),
    Column("entity_types", "list<string>", "entities[].type", "url, mention, bot_command …"),
    Column("bot_command", "string", "entities", "the first command, without @bot"),
    Column("reply_to_message_id", "int64", "reply_to_message.message_id", "what it answers"),
    Column("reply_to_from_id", "int64", "reply_to_message.from.id", "whom it answers"),
    Column("forward_origin_type", "string", "forward_origin.type", "user, chat, channel …"),
    Column("via_bot_id", "int64", "via_bot.id", "inline bot that it was made with"),
    Column("media_group_id", "string", "media_group_id", "album that it belongs to"),
    Column("migrate_to_chat_id", "int64", "migrate_to_chat_id", "supergroup the group became"),
    Column("migrate_from_chat_id", "int64", "migrate_from_chat_id", "group this one was before"),
    _STAMP,
)
EVENTS = (
    Column("update_id", "int64", "update_id", "null if imported"),
    Column("event_type", "string", "", "field of the update that held it"),
    Column("chat_id", "int64", "chat.id", "the chat it happened in"),
    _GROUP,
    Column("message_id", "int64", "message_id", "the message it is about"),
    Column("from_id", "int64", "from.id, user.id", "who did it"),
    Column("from_is_bot", "bool", "from.is_bot, user.is_bot", "whether that is a bot"),
    Column("target_user_id", "int64", "new_chat_member.user.id", "to whom it was done"),
    Column("date", "int64", "date", "when it happened: Unix seconds, UTC; null if not told"),
    _SENT_AT,
    Column("old_value", "string", "", "before: member status; reactions, space between"),
    Column("new_value", "string", "", "after: status, reactions, 👍=3 counts, data, options"),
    Column("payload", "string", "", "the update's JSON, as it came"),
    _STAMP,
)
TABLES = {"messages": MESSAGES, "events": EVENTS}


def digest() -> str:
    """Changes when a column's name, type or place changes: its days are then made again."""
    declared = [(table, c.name, c.type) for table, columns in TABLES.items() for c in columns]
    return f"{zlib.crc32(repr(declared).encode()):08x}"


def fit(value: Any, type_name: str) -> tuple[Any, bool]:
    """The value as its column can hold it, and whether it did so unchanged.

    Args:
        value: anything that JSON can hold.
        type_name: a `Column.type`.

    Returns:
        The value and True; or None and False where it is of another type or over 64 bits. A text
        with half of a surrogate pair keeps the rest, with U+FFFD in that place, and False.

    >>> fit("loja", "string"), fit("12", "int64"), fit(2**63, "int64")
    (('loja', True), (None, False), (None, False))
    """
    if value is None:
        return None, True
    if type_name == "string" and type(value) is str:
        if value.isascii():
            return value, True
        clean = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return clean, clean == value
    if type_name == "list<string>" and type(value) is list:
        fitted = [fit(item, "string") for item in value]
        kept = [item for item, _ in fitted if item is not None]
        return kept, len(kept) == len(value) and all(unchanged for _, unchanged in fitted)
    if type_name == "bool":
        return (value, True) if type(value) is bool else (None, False)
    if type_name in ("int64", "timestamp[ms]"):
        whole = integer(value)
        return whole, whole is not None
    return None, False
