"""What Telegram wrote into a chat, from an export's `action` to the Bot API's names. No I/O.

An action that the Bot API has no name for keeps the export's, so that the ETL counts it as unknown.

Sources: https://core.telegram.org/import-export and https://core.telegram.org/bots/api#message
"""

import re
from collections.abc import Callable

from tgpipeline import resources
from tgpipeline.history.content import READ_OF_ALL, Record, free, given, whole_number

_48_BITS = re.compile(r"\d{15}")


def service(record: Record, chat: Record, group: int | None) -> Record:
    """What Telegram wrote about something that happened.

    Args:
        record: as exported.
        chat: the chat it happened in.
        group: the id that the chat had before it became a supergroup; None if that is not known.

    Returns:
        One field: the Bot API's, or the export's own name of the action where it has none.
    """
    action = str(record.get("action") or "information_text")
    if action in _MADE:
        return _MADE[action](record, chat, group)
    told = {name: value for name, value in record.items() if name not in READ_OF_ALL}
    names = resources.data("history/service.toml")
    field = names["fields"].get(action) or free(action)
    if chat["type"] == "channel":
        field = names["in_channels"].get(field, field)
    for sign, other in names["otherwise"].get(action, {}).items():
        if record.get(sign):
            field = other
    return {field: told}


# An id that the export does not tell is an empty object: the ETL makes it null, and counts it.
_MADE: dict[str, Callable[[Record, Record, int | None], Record]] = {
    "create_channel": lambda record, chat, group: {f"{chat['type']}_chat_created": True},
    "topic_created": lambda record, chat, group: {
        "forum_topic_created": given(name=record.get("title"))
    },
    "migrate_to_supergroup": lambda record, chat, group: {
        "migrate_to_chat_id": chat["id"] if chat["type"] == "supergroup" else {}
    },
    "requested_peer": lambda record, chat, group: {  # the ids of users have fewer bits
        ("chat" if _48_BITS.search(str(record.get("peers", record.get("peer_id")))) else "users")
        + "_shared": given(request_id=whole_number(record.get("button_id")))
    },
    "migrate_from_group": lambda record, chat, group: {"migrate_from_chat_id": group or {}},
    "pin_message": lambda record, chat, group: {  # date 0: nothing else is known of it
        "pinned_message": given(
            message_id=whole_number(record.get("message_id")), chat=chat, date=0
        )
    },
}
