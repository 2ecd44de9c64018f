"""What Telegram wrote into a chat, from an export's `action` to the Bot API's names. No I/O.

An action that the Bot API has no name for keeps the export's, so that the ETL counts it as unknown.

Sources: https://core.telegram.org/import-export and https://core.telegram.org/bots/api#message
"""

import re
from collections.abc import Callable

from tgpipeline.history.content import COMMON, Record, free, known, whole

# Action and the Bot API's field, which holds what the export tells, as it tells it.
_NAMED = dict(
    pair.split("=")
    for pair in "create_group=group_chat_created delete_group_photo=delete_chat_photo "
    "edit_group_title=new_chat_title edit_group_photo=new_chat_photo "
    "invite_members=new_chat_members join_group_by_link=new_chat_members "
    "join_group_by_request=new_chat_members remove_members=left_chat_member "
    "send_payment=successful_payment refunded_payment=refunded_payment "
    "web_app_bot_allowed=write_access_allowed attach_menu_bot_allowed=write_access_allowed "
    "send_passport_values=passport_data proximity_reached=proximity_alert_triggered "
    "group_call=video_chat_started group_call_scheduled=video_chat_scheduled "
    "invite_to_group_call=video_chat_participants_invited "
    "set_messages_ttl=message_auto_delete_timer_changed send_webview_data=web_app_data "
    "topic_edit=forum_topic_edited giveaway_launch=giveaway_created "
    "giveaway_results=giveaway_completed set_chat_wallpaper=chat_background_set "
    "set_same_chat_wallpaper=chat_background_set boost_apply=boost_added send_star_gift=gift "
    "paid_messages_price_change=paid_message_price_changed todo_completions=checklist_tasks_done "
    "todo_append_tasks=checklist_tasks_added poll_append_answer=poll_option_added "
    "poll_delete_answer=poll_option_deleted process_suggested_post=suggested_post_approved "
    "suggested_post_success=suggested_post_paid suggested_post_refund=suggested_post_refunded "
    "managed_bot_created=managed_bot_created allow_sending_messages=write_access_allowed".split()
)
_48_BITS = re.compile(r"\d{15}")
_IN_CHANNELS = {"paid_message_price_changed": "direct_message_price_changed"}


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
    told = {name: value for name, value in record.items() if name not in COMMON}
    field = _NAMED.get(action) or free(action)
    if chat["type"] == "channel":
        field = _IN_CHANNELS.get(field, field)
    for sign, other in _OTHERWISE.get(action, {}).items():
        if record.get(sign):
            field = other
    return {field: told}


# Of these actions a further field says which of several things happened.
_OTHERWISE = {
    "group_call": {"duration": "video_chat_ended"},
    "allow_sending_messages": {"reason_domain": "connected_website"},
    "process_suggested_post": {
        "rejected": "suggested_post_declined",
        "balance_too_low": "suggested_post_approval_failed",
    },
}
# An id that the export does not tell is an empty object: the ETL makes it null, and counts it.
_MADE: dict[str, Callable[[Record, Record, int | None], Record]] = {
    "create_channel": lambda record, chat, group: {f"{chat['type']}_chat_created": True},
    "topic_created": lambda record, chat, group: {
        "forum_topic_created": known(name=record.get("title"))
    },
    "migrate_to_supergroup": lambda record, chat, group: {
        "migrate_to_chat_id": chat["id"] if chat["type"] == "supergroup" else {}
    },
    "requested_peer": lambda record, chat, group: {  # the ids of users have fewer bits
        ("chat" if _48_BITS.search(str(record.get("peers", record.get("peer_id")))) else "users")
        + "_shared": known(request_id=whole(record.get("button_id")))
    },
    "migrate_from_group": lambda record, chat, group: {"migrate_from_chat_id": group or {}},
    "pin_message": lambda record, chat, group: {  # date 0: nothing else is known of it
        "pinned_message": known(message_id=whole(record.get("message_id")), chat=chat, date=0)
    },
}
