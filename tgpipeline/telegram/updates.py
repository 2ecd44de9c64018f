"""What a Telegram Update is: its kind, its chat, its message, its dates.

Everything here is a pure function on bytes and dicts, read leniently: what is there is used, what
is missing is None, and only what cannot be an update at all is refused. Standard library only,
because the ingest function carries this file.

Source of every field name: https://core.telegram.org/bots/api#update
"""

import json
from datetime import date, datetime, tzinfo
from typing import Any

from tgpipeline.errors import UpdateError

Update = dict[str, Any]

MESSAGE_KINDS = frozenset(
    "message edited_message channel_post edited_channel_post business_message "
    "edited_business_message guest_message".split()
)
EVENT_KINDS = frozenset(
    "business_connection deleted_business_messages message_reaction message_reaction_count "
    "inline_query chosen_inline_result callback_query shipping_query pre_checkout_query "
    "purchased_paid_media poll poll_answer my_chat_member chat_member chat_join_request chat_boost "
    "removed_chat_boost managed_bot subscription stopped_message_generation".split()
)

# What a person sends. Where a message carries two of these (an animation is also a document, a
# venue also a location), the one that stands first here names the message.
_BY_PEOPLE = (
    "text animation venue audio live_photo document photo sticker video video_note voice checklist "
    "contact location story paid_media poll dice game rich_message invoice giveaway "
    "giveaway_winners"
)
# What Telegram writes into the chat about something that happened.
_BY_TELEGRAM = (
    "new_chat_members left_chat_member chat_owner_left chat_owner_changed successful_payment "
    "refunded_payment users_shared user_shared chat_shared connected_website migrate_from_chat_id "
    "migrate_to_chat_id pinned_message new_chat_title new_chat_photo delete_chat_photo "
    "group_chat_created supergroup_chat_created channel_chat_created passport_data "
    "proximity_alert_triggered message_auto_delete_timer_changed forum_topic_created "
    "forum_topic_edited forum_topic_closed forum_topic_reopened general_forum_topic_hidden "
    "general_forum_topic_unhidden giveaway_created giveaway_completed video_chat_scheduled "
    "video_chat_started video_chat_ended video_chat_participants_invited web_app_data "
    "write_access_allowed chat_background_set boost_added checklist_tasks_done "
    "checklist_tasks_added direct_message_price_changed gift unique_gift gift_upgrade_sent "
    "paid_message_price_changed suggested_post_approved suggested_post_approval_failed "
    "suggested_post_declined suggested_post_paid suggested_post_refunded managed_bot_created "
    "poll_option_added poll_option_deleted community_chat_added community_chat_removed "
    "community_chat_joined"
)
SERVICE = frozenset(_BY_TELEGRAM.split())
CONTENT = {name: rank for rank, name in enumerate(f"{_BY_PEOPLE} {_BY_TELEGRAM}".split())}
# Fields that go along with a content. `is_service` is an import's own: exports have actions that
# the Bot API has no name for. The last three lines are of older versions, which Telegram still
# writes beside the new ones (undocumented).
# Source: https://github.com/tdlib/telegram-bot-api/blob/master/telegram-bot-api/Client.cpp
ENVELOPE = frozenset(
    "message_id message_thread_id direct_messages_topic from sender_chat sender_boost_count "
    "sender_business_bot sender_tag date guest_query_id business_connection_id chat forward_origin "
    "is_topic_message is_automatic_forward reply_to_message external_reply quote reply_to_story "
    "reply_to_checklist_task_id reply_to_poll_option_id via_bot guest_bot_caller_user "
    "guest_bot_caller_chat edit_date has_protected_content is_from_offline is_paid_post "
    "media_group_id author_signature paid_star_count entities link_preview_options "
    "suggested_post_info effect_id caption caption_entities show_caption_above_media "
    "has_media_spoiler reply_markup receiver_user ephemeral_message_id "
    "forward_from forward_from_chat forward_from_message_id forward_signature forward_sender_name "
    "forward_date new_chat_member new_chat_participant left_chat_participant voice_chat_scheduled "
    "voice_chat_started voice_chat_ended voice_chat_participants_invited is_service".split()
)

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
    check(update)
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


def check(update: Any, *, numbered: bool = True) -> str:
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
    for name, value in update.items():
        if type(value) is dict:
            if name in MESSAGE_KINDS or name in EVENT_KINDS:
                return name
            other = other or name
    return other


def payload(update: Update) -> Update:
    """The object under the update's kind; empty where there is none."""
    name = kind(update)
    return update[name] if name is not None else {}


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
    return (
        content.get("date") or content.get("remove_date") or sub(content, "boost").get("add_date")
    )


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
    here = integer(sub(content, "chat").get("id"))
    to = integer(content.get("migrate_to_chat_id"))
    old, new = (integer(content.get("migrate_from_chat_id")), here) if to is None else (here, to)
    if old is None or new is None or old not in _GROUPS or new not in _SUPERGROUPS:
        return None
    return old, new


def content_type(message: Update) -> tuple[str, list[str]]:
    """What a message holds, and which of its fields are not yet known.

    Returns:
        The Bot API's name of the content (`text`, `photo`, `new_chat_members` …) or `unknown`,
        and the names of the fields that this version does not know.

    >>> content_type({"message_id": 1, "venue": {"title": "Loja"}, "location": {"latitude": 1.0}})
    ('venue', [])
    """
    best, rank, unknown = "unknown", len(CONTENT), []
    for name in message:
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
