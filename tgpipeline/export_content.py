"""What a message of a Telegram Desktop export holds, under the Bot API's names. No I/O.

What the Bot API has no name for keeps the export's, so that the ETL counts it as unknown.

Sources: https://core.telegram.org/import-export and https://core.telegram.org/bots/api#message
"""

from collections.abc import Callable
from typing import Any

import orjson

from tgpipeline.updates import CONTENT, ENVELOPE, integer

Record = dict[str, Any]

_ENTITIES = {"link": "url", "phone": "phone_number", "mention_name": "text_mention"}
_PLAIN = ("plain", "unknown", None)
_FILES = {"video_message": "video_note", "voice_message": "voice", "video_file": "video"} | {
    "sticker": "sticker",
    "animation": "animation",
    "audio_file": "audio",
}
_FILE_FIELDS = "file_name mime_type file_size width height performer title".split()


def whole(value: Any) -> int | None:
    """A 64-bit integer, which an export writes as a number or as a string; else None."""
    if type(value) is str and len(value) < 21 and value.removeprefix("-").isdecimal():
        value = int(value)
    return integer(value)


def known(**fields: Any) -> Record:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value not in (None, "")}


def objects(value: Any) -> list[Record]:
    """The objects of a list."""
    value = _unquoted(value)
    return [item for item in value if type(item) is dict] if type(value) is list else []


def free(name: str) -> str:
    """A field's name, made another one where the Bot API uses it for something else."""
    return f"export_{name}" if name in CONTENT or name in ENVELOPE else name


def text_of(value: Any) -> tuple[str, list[Record]]:
    """Text in pieces as one text and its entities, offsets in UTF-16 units.

    Source: https://core.telegram.org/bots/api#messageentity

    >>> text_of(["😕 ", {"type": "link", "text": "a.example"}])
    ('😕 a.example', [{'type': 'url', 'offset': 3, 'length': 9}])
    """
    if type(value) is str:
        return value, []
    text, offset, entities = [], 0, []
    for piece in value if type(value) is list else ():
        told = piece if type(piece) is dict else {"text": piece}
        part = told.get("text")
        if type(part) is not str or not part:
            continue
        length = len(part) if part.isascii() else len(part.encode("utf-16-le")) // 2
        if told.get("type") not in _PLAIN:
            entities.append(_entity(told, offset, length))
        text.append(part)
        offset += length
    return "".join(text), entities


def content(record: Record) -> Record:
    """What somebody wrote: text, or media with its caption."""
    text, entities = text_of(record.get("text_entities") or record.get("text"))
    found: Record = next((read(record) for name, read in _MEDIA.items() if name in record), {})
    under = "caption" if found else "text"
    if text:
        found[under] = text
    if entities:
        found["caption_entities" if under == "caption" else "entities"] = entities
    return found


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
    rest = {k: v for k, v in record.items() if k not in READ or k == "information_text"}
    return {free(action): rest}


def _entity(piece: Record, offset: int, length: int) -> Record:
    kind = str(piece["type"])
    if kind == "blockquote" and piece.get("collapsed") is True:
        kind = "expandable_blockquote"
    entity: Record = {"type": _ENTITIES.get(kind, kind), "offset": offset, "length": length}
    user, emoji = whole(piece.get("user_id")), whole(piece.get("document_id"))
    return entity | known(
        url=piece.get("href"),
        language=piece.get("language"),
        user=None if user is None else {"id": user},
        custom_emoji_id=None if emoji is None else str(emoji),
    )


def _unquoted(value: Any) -> Any:
    """Some versions write a list or an object as a string of JSON."""
    if type(value) is str:
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return None
    return value


def _object(name: str) -> Callable[[Record], Record]:
    def read(record: Record) -> Record:
        value = _unquoted(record.get(name))
        return value if type(value) is dict else {}

    return read


def _photo(record: Record) -> list[Record]:
    size = record.get("photo_file_size")
    return [known(width=record.get("width"), height=record.get("height"), file_size=size)]


def _file(record: Record) -> Record:
    kind = record.get("media_type")
    name = "document" if kind is None else _FILES.get(str(kind)) or free(str(kind))
    told = known(**{field: record.get(field) for field in _FILE_FIELDS})
    told |= known(duration=record.get("duration_seconds"), emoji=record.get("sticker_emoji"))
    return {name: told}


def _place(record: Record) -> Record:
    place = _object("location_information")(record)
    if "place_name" in record:
        venue = known(title=record["place_name"], address=record.get("address"))
        return {"venue": venue | {"location": place}, "location": place}
    return {"location": place | known(live_period=record.get("live_location_period_seconds"))}


def _poll(record: Record) -> Record:
    poll = _object("poll")(record)
    voters, closed = whole(poll.get("total_voters")), poll.get("closed")
    options = [
        known(text=text_of(answer.get("text"))[0], voter_count=whole(answer.get("voters")))
        for answer in objects(poll.get("answers"))
    ]
    told = known(
        total_voter_count=voters, is_closed=closed, question=text_of(poll.get("question"))[0]
    )
    return {"poll": told | {"options": options}}


def _tasks(value: Any) -> list[Record]:
    return [known(id=whole(t.get("id")), text=text_of(t.get("text"))[0]) for t in objects(value)]


def _members(record: Record) -> list[Record]:
    names = record.get("members")
    return [known(first_name=name) for name in names] if type(names) is list and names else [{}]


def _shared(record: Record) -> Record:
    peers = _unquoted(record.get("peers", [record.get("peer_id")]))
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


# What tells the media -> how it is read; of two that a message has, the first.
_MEDIA: dict[str, Callable[[Record], Record]] = {
    "photo": lambda r: {"photo": _photo(r)},
    "file": _file,
    "media_type": _file,
    "contact_information": lambda r: {"contact": _object("contact_information")(r)},
    "place_name": _place,
    "location_information": _place,
    "game_title": lambda r: {
        "game": known(title=r["game_title"], description=r.get("game_description"))
    },
    "invoice_information": lambda r: {"invoice": _object("invoice_information")(r)},
    "poll": _poll,
    "todo_list": lambda r: {"checklist": {"tasks": _tasks(_object("todo_list")(r).get("answers"))}},
    "dice": lambda r: {"dice": _object("dice")(r)},
    "story_information": lambda r: {"story": _object("story_information")(r)},
    "giveaway_information": lambda r: {"giveaway": _object("giveaway_information")(r)},
    "giveaway_results": lambda r: {"giveaway_winners": _object("giveaway_results")(r)},
    "paid_stars_amount": lambda r: {"paid_media": known(star_count=r["paid_stars_amount"])},
}
# Fields that are read here or by the converter, or mean nothing outside of the export's folder.
READ = frozenset(
    "id type date date_unixtime edited edited_unixtime from from_id actor actor_id action author "
    "text text_entities reply_to_message_id reply_to_peer_id forwarded_from forwarded_from_id "
    "saved_from saved_from_id via_bot reactions inline_bot_buttons photo_file_size thumbnail "
    "thumbnail_file_size media_spoiler self_destruct_period_seconds duration_seconds sticker_emoji "
    "contact_vcard contact_vcard_file_size live_location_period_seconds address game_description "
    "game_link".split()
) | {*_MEDIA, *_FILE_FIELDS}
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
    "edit_group_photo": lambda r: {"new_chat_photo": _photo(r)},
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
    "todo_append_tasks": lambda r: {"checklist_tasks_added": {"tasks": _tasks(r.get("items"))}},
    "process_suggested_post": _suggested,
}
