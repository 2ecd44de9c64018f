"""What Telegram wrote into a chat, from an export's `action` to the Bot API's names. No I/O.

An action that the Bot API has no name for keeps the export's, so that the ETL counts it as unknown.

Sources: https://core.telegram.org/import-export and https://core.telegram.org/bots/api#message
"""

import re

from tgpipeline import resources
from tgpipeline.history.content import COMMON_FIELDS, Record, free, given, int_of

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
    # An id that the export does not tell is an empty object: the ETL makes it null, and counts it.
    if action == "create_channel":
        return {f"{chat['type']}_chat_created": True}
    if action == "topic_created":
        return {"forum_topic_created": given(name=record.get("title"))}
    if action == "migrate_to_supergroup":
        return {"migrate_to_chat_id": chat["id"] if chat["type"] == "supergroup" else {}}
    if action == "migrate_from_group":
        return {"migrate_from_chat_id": group or {}}
    if action == "requested_peer":  # the ids of users have fewer bits
        peers = str(record.get("peers", record.get("peer_id")))
        field = "chat_shared" if _48_BITS.search(peers) else "users_shared"
        return {field: given(request_id=int_of(record.get("button_id")))}
    if action == "pin_message":  # date 0: nothing else is known of it
        number = int_of(record.get("message_id"))
        return {"pinned_message": given(message_id=number, chat=chat, date=0)}
    told = {name: value for name, value in record.items() if name not in COMMON_FIELDS}
    names = resources.data("history/service.toml")
    field = names["fields"].get(action) or free(action)
    if chat["type"] == "channel":
        field = names["in_channels"].get(field, field)
    for sign, other in names["otherwise"].get(action, {}).items():
        if record.get(sign):
            field = other
    return {field: told}
