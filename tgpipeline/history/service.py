"""What Telegram wrote into a chat, from an export's `action` to the Bot API's names. No I/O.

An action that the Bot API has no name for keeps the export's, so that the ETL counts it as unknown.

Sources: https://core.telegram.org/import-export and https://core.telegram.org/bots/api#message
"""

from collections.abc import Callable

from tgpipeline.history.content import COMMON, Record, free, known, photo, tasks, unquoted, whole


def service(record: Record, actor: Record, chat: Record, group: int | None) -> Record:
    """What Telegram wrote about something that happened.

    Args:
        record: as exported.
        actor: the user who did it; empty where it is none.
        chat: the chat it happened in.
        group: the id that the chat had before it became a supergroup; None if that is not known.

    Returns:
        One field: the Bot API's, or the export's own name of the action where it has none.
    """
    action = str(record.get("action") or "information_text")
    if action in _NAMED:
        field, names = _NAMED[action]
        told = {name: record.get(source) for name, _, source in (n.partition("=") for n in names)}
        return {field: known(**told) if names else True}
    if action in _MADE:
        return _MADE[action](record | {"_actor": actor, "_chat": chat, "_group": group})
    return {free(action): {k: v for k, v in record.items() if k not in COMMON}}


def _members(record: Record) -> list[Record]:
    names = record.get("members")
    return [known(first_name=name) for name in names] if type(names) is list and names else [{}]


def _shared(record: Record) -> Record:
    peers = unquoted(record.get("peers", [record.get("peer_id")]))
    ids = [n for p in (peers if type(peers) is list else []) if (n := whole(p)) is not None]
    told = known(request_id=whole(record.get("button_id")))
    if any(n >> 48 for n in ids):  # the ids of users have fewer bits
        return {"chat_shared": told}
    return {"users_shared": told | {"users": [{"user_id": n} for n in ids]}}


def _suggested(record: Record) -> Record:
    outcome = "declined" if record.get("rejected") else "approved"
    outcome = "approval_failed" if record.get("balance_too_low") else outcome
    return {f"suggested_post_{outcome}": known(comment=record.get("comment"))}


def _in_channel(record: Record) -> bool:
    return bool(record["_chat"].get("type") == "channel")


# Action, the Bot API's field, and what is in it: name=name in the export.
_NAMED = {
    action: (field, names)
    for action, field, *names in map(
        str.split,
        """
        create_group group_chat_created
        delete_group_photo delete_chat_photo
        send_payment successful_payment currency=currency total_amount=amount
        refunded_payment refunded_payment currency=currency total_amount=amount
        web_app_bot_allowed write_access_allowed web_app_name=reason_app_name
        attach_menu_bot_allowed write_access_allowed
        send_passport_values passport_data
        group_call_scheduled video_chat_scheduled start_date=schedule_date
        set_messages_ttl message_auto_delete_timer_changed message_auto_delete_time=period
        send_webview_data web_app_data button_text=text
        topic_created forum_topic_created name=title
        topic_edit forum_topic_edited name=new_title icon_custom_emoji_id=new_icon_emoji_id
        giveaway_launch giveaway_created
        giveaway_results giveaway_completed winner_count=winners unclaimed_prize_count=unclaimed
        set_chat_wallpaper chat_background_set
        set_same_chat_wallpaper chat_background_set
        boost_apply boost_added boost_count=boosts
        send_star_gift gift gift_id=gift_id star_count=stars
        todo_completions checklist_tasks_done marked_as_done_task_ids=completed
        poll_append_answer poll_option_added
        poll_delete_answer poll_option_deleted
        suggested_post_success suggested_post_paid currency=price_currency
        suggested_post_refund suggested_post_refunded
        managed_bot_created managed_bot_created
        """.strip().splitlines(),
    )
}
# An id that the export does not tell is an empty object: the ETL makes it null, and counts it.
_MADE: dict[str, Callable[[Record], Record]] = {
    "create_channel": lambda r: {
        ("channel" if _in_channel(r) else "supergroup") + "_chat_created": True
    },
    "edit_group_title": lambda r: {"new_chat_title": r.get("title") or {}},
    "edit_group_photo": lambda r: {"new_chat_photo": photo(r)},
    "invite_members": lambda r: {"new_chat_members": _members(r)},
    "join_group_by_link": lambda r: {"new_chat_members": [r["_actor"]]},
    "join_group_by_request": lambda r: {"new_chat_members": [r["_actor"]]},
    "remove_members": lambda r: {"left_chat_member": _members(r)[0]},
    "migrate_to_supergroup": lambda r: {
        "migrate_to_chat_id": r["_chat"]["id"] if r["_chat"]["type"] == "supergroup" else {}
    },
    "migrate_from_group": lambda r: {"migrate_from_chat_id": r["_group"] or {}},
    "pin_message": lambda r: {  # date 0: nothing else is known of it
        "pinned_message": known(message_id=whole(r.get("message_id")), chat=r["_chat"], date=0)
    },
    "allow_sending_messages": lambda r: (
        {"connected_website": r["reason_domain"]}
        if r.get("reason_domain")
        else {"write_access_allowed": known(web_app_name=r.get("reason_app_name"))}
    ),
    "proximity_reached": lambda r: {"proximity_alert_triggered": known(distance=r.get("distance"))},
    "group_call": lambda r: (
        {"video_chat_ended": known(duration=r["duration"])}
        if "duration" in r
        else {"video_chat_started": {}}
    ),
    "invite_to_group_call": lambda r: {"video_chat_participants_invited": {"users": _members(r)}},
    "requested_peer": _shared,
    "paid_messages_price_change": lambda r: {
        ("direct" if _in_channel(r) else "paid") + "_message_price_changed": known(
            paid_message_star_count=r.get("price_stars")
        )
    },
    "todo_append_tasks": lambda r: {"checklist_tasks_added": {"tasks": tasks(r.get("items"))}},
    "process_suggested_post": _suggested,
}
