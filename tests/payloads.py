"""Updates of every kind and messages of every content, written for these tests.

The shapes are the Bot API's (https://core.telegram.org/bots/api#update); the people and the shop
are invented.
"""

import json
from typing import Any

GROUP = -4111222333
SUPERGROUP = -1004111222333
NOON = 1_764_342_000  # 2025-11-28 12:00 in São Paulo
DAY = "2025-11-28"
BIA = {
    "id": 5_111_111_111,
    "is_bot": False,
    "first_name": "Bia",
    "last_name": "Nunes",
    "username": "bia_nunes",
    "language_code": "pt-br",
}
RUI = {"id": 622_222_222, "is_bot": False, "first_name": "Rui"}
BOT = {"id": 7_333_333_333, "is_bot": True, "first_name": "Ajuda", "username": "ajuda_bot"}
CHAT = {"id": SUPERGROUP, "type": "supergroup", "title": "Clientes"}
CHANNEL = {"id": -1009888777666, "type": "channel", "title": "Novidades"}


def message(message_id: int = 10, **fields: Any) -> dict[str, Any]:
    """A Message; `sender` becomes its `from`, a field that is None is left out."""
    sender = fields.pop("sender", BIA)
    whole = {"message_id": message_id, "from": sender, "chat": CHAT, "date": NOON} | fields
    return {k: v for k, v in whole.items() if v is not None}


def update(update_id: int = 1, kind: str = "message", content: Any = None) -> dict[str, Any]:
    """An Update that holds that content, or a text message."""
    return {"update_id": update_id, kind: message(text="oi") if content is None else content}


def text(update_id: int, words: str = "oi", **fields: Any) -> dict[str, Any]:
    """An Update with a text message whose message_id is the update_id."""
    return update(update_id, content=message(update_id, text=words, **fields))


def raw(value: Any) -> bytes:
    """JSON as Telegram posts it."""
    return json.dumps(value, ensure_ascii=False).encode()


_FILE = {"file_id": "AgACAgEAAxk", "file_unique_id": "AQADx7", "file_size": 2048}
_VIDEO = _FILE | {"width": 320, "height": 240, "duration": 3}
_PHOTO = [_FILE | {"width": 90, "height": 90}, _FILE | {"width": 800, "height": 800}]
_PLACE = {"latitude": -23.55, "longitude": -46.63}
_TASK = {"id": 1, "text": "conferir estoque"}
_STICKER = _FILE | {
    "type": "regular",
    "width": 512,
    "height": 512,
    "is_animated": False,
    "is_video": False,
}
_GIFT = {"id": "g1", "sticker": _STICKER, "star_count": 15}
_GIVEAWAY = {"chats": [CHANNEL], "winners_selection_date": NOON + 86_400, "winner_count": 2}

# What each content looks like: the value of the message's field of that name.
CONTENTS: dict[str, Any] = {
    "text": "Boa tarde, meu pedido ainda não chegou",
    "animation": _VIDEO,
    "venue": {"location": _PLACE, "title": "Loja do centro", "address": "Rua Direita, 1"},
    "audio": _FILE | {"duration": 30, "performer": "A banda", "title": "Jingle"},
    "live_photo": _VIDEO | {"photo": _PHOTO},
    "document": _FILE | {"file_name": "nota.pdf", "mime_type": "application/pdf"},
    "photo": _PHOTO,
    "sticker": _STICKER,
    "video": _VIDEO,
    "video_note": _FILE | {"length": 240, "duration": 5},
    "voice": _FILE | {"duration": 7},
    "checklist": {"title": "Reposição", "tasks": [_TASK]},
    "contact": {"phone_number": "+550000000000", "first_name": "Rui"},
    "location": _PLACE,
    "story": {"chat": CHANNEL, "id": 4},
    "paid_media": {"star_count": 5, "paid_media": [{"type": "photo", "photo": _PHOTO}]},
    "poll": {
        "id": "900",
        "question": "Troca ou reembolso?",
        "options": [{"text": "Troca", "voter_count": 2}, {"text": "Reembolso", "voter_count": 0}],
        "total_voter_count": 2,
        "is_closed": False,
        "type": "regular",
    },
    "dice": {"emoji": "🎲", "value": 4},
    "game": {"title": "Caça ao cupom", "description": "Ache o cupom", "photo": _PHOTO},
    "rich_message": {"blocks": [{"size": 1, "text": "Trocas"}, {"text": ["em ", "7 dias"]}]},
    "invoice": {"title": "Frete", "start_parameter": "f", "currency": "BRL", "total_amount": 990},
    "giveaway": _GIVEAWAY,
    "giveaway_winners": _GIVEAWAY | {"chat": CHANNEL, "giveaway_message_id": 8, "winners": [RUI]},
    "new_chat_members": [RUI],
    "left_chat_member": RUI,
    "chat_owner_left": {"new_owner": RUI},
    "chat_owner_changed": {"new_owner": RUI},
    "successful_payment": {"currency": "BRL", "total_amount": 990, "invoice_payload": "frete"},
    "refunded_payment": {"currency": "XTR", "total_amount": 5, "invoice_payload": "frete"},
    "users_shared": {"request_id": 1, "users": [{"user_id": 622_222_222}]},
    "user_shared": {"request_id": 1, "user_id": 622_222_222},
    "chat_shared": {"request_id": 2, "chat_id": SUPERGROUP},
    "connected_website": "loja.example",
    "migrate_from_chat_id": GROUP,
    "migrate_to_chat_id": SUPERGROUP,
    "pinned_message": {"message_id": 3, "chat": CHAT, "date": 0},
    "new_chat_title": "Clientes da loja",
    "new_chat_photo": _PHOTO,
    "delete_chat_photo": True,
    "group_chat_created": True,
    "supergroup_chat_created": True,
    "channel_chat_created": True,
    "passport_data": {"data": [], "credentials": {"data": "x", "hash": "x", "secret": "x"}},
    "proximity_alert_triggered": {"traveler": BIA, "watcher": RUI, "distance": 50},
    "message_auto_delete_timer_changed": {"message_auto_delete_time": 86_400},
    "forum_topic_created": {"name": "Entregas", "icon_color": 7_322_096},
    "forum_topic_edited": {"name": "Prazos"},
    "forum_topic_closed": {},
    "forum_topic_reopened": {},
    "general_forum_topic_hidden": {},
    "general_forum_topic_unhidden": {},
    "giveaway_created": {"prize_star_count": 100},
    "giveaway_completed": {"winner_count": 2},
    "video_chat_scheduled": {"start_date": NOON + 60},
    "video_chat_started": {},
    "video_chat_ended": {"duration": 61},
    "video_chat_participants_invited": {"users": [RUI]},
    "web_app_data": {"data": "{}", "button_text": "Abrir"},
    "write_access_allowed": {"from_request": True},
    "chat_background_set": {"type": {"type": "chat_theme", "theme_name": "🏔"}},
    "boost_added": {"boost_count": 1},
    "checklist_tasks_done": {"marked_as_done_task_ids": [1]},
    "checklist_tasks_added": {"tasks": [_TASK]},
    "direct_message_price_changed": {"are_direct_messages_enabled": True},
    "gift": {"gift": _GIFT},
    "unique_gift": {"gift": {"base_name": "Plush", "name": "Plush-1", "number": 1}},
    "gift_upgrade_sent": {"gift": _GIFT},
    "paid_message_price_changed": {"paid_message_star_count": 2},
    "suggested_post_approved": {"send_date": NOON},
    "suggested_post_approval_failed": {"price": {"currency": "XTR", "amount": 5}},
    "suggested_post_declined": {"comment": "hoje não"},
    "suggested_post_paid": {"currency": "XTR"},
    "suggested_post_refunded": {"reason": "post_deleted"},
    "managed_bot_created": {"bot": BOT},
    "poll_option_added": {"option_persistent_id": "1", "option_text": "Vale"},
    "poll_option_deleted": {"option_persistent_id": "1", "option_text": "Vale"},
    "community_chat_added": {"community": {"id": 5}},
    "community_chat_removed": {"community": {"id": 5}},
    "community_chat_joined": {"community": {"id": 5}},
}

_MEMBER = {"user": RUI, "status": "member"}
_LEFT = {"user": RUI, "status": "left"}
_CHANGE = {
    "chat": CHAT,
    "from": BIA,
    "date": NOON,
    "old_chat_member": _LEFT,
    "new_chat_member": _MEMBER,
}
_THUMB = {"type": "emoji", "emoji": "👍"}
_CUSTOM = {"type": "custom_emoji", "custom_emoji_id": "5368324170671202286"}
_SOURCE = {"source": "premium", "user": BIA}

# What each other update looks like, and some of the columns it becomes.
EVENTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "business_connection": (
        {"id": "bc", "user": BIA, "user_chat_id": 5, "date": NOON, "is_enabled": False},
        {"from_id": BIA["id"], "date": NOON, "new_value": "disabled"},
    ),
    "deleted_business_messages": (
        {"business_connection_id": "bc", "chat": CHAT, "message_ids": [4, 5]},
        {"chat_id": SUPERGROUP, "new_value": "4 5", "date": None},
    ),
    "message_reaction": (
        {
            "chat": CHAT,
            "message_id": 10,
            "user": BIA,
            "date": NOON,
            "old_reaction": [_CUSTOM],
            "new_reaction": [_THUMB, {"type": "paid"}],
        },
        {
            "message_id": 10,
            "from_id": BIA["id"],
            "from_is_bot": False,
            "old_value": "5368324170671202286",
            "new_value": "👍 paid",
            "sent_at": "2025-11-28T12:00:00",
        },
    ),
    "message_reaction_count": (
        {
            "chat": CHAT,
            "message_id": 10,
            "date": NOON,
            "reactions": [{"type": _THUMB, "total_count": 3}, {"type": _CUSTOM, "total_count": 1}],
        },
        {"new_value": "👍=3 5368324170671202286=1", "old_value": None},
    ),
    "inline_query": (
        {"id": "q", "from": BIA, "query": "frete", "offset": ""},
        {"from_id": BIA["id"], "chat_id": None, "new_value": "frete"},
    ),
    "chosen_inline_result": (
        {"result_id": "r", "from": BIA, "query": "frete"},
        {"from_id": BIA["id"], "new_value": "frete"},
    ),
    "callback_query": (
        {"id": "c", "from": BIA, "message": message(9, sender=BOT, text="?"), "data": "sim"},
        {"chat_id": SUPERGROUP, "message_id": 9, "from_id": BIA["id"], "new_value": "sim"},
    ),
    "shipping_query": (
        {"id": "s", "from": BIA, "invoice_payload": "frete", "shipping_address": {}},
        {"new_value": "frete"},
    ),
    "pre_checkout_query": (
        {"id": "p", "from": BIA, "currency": "BRL", "total_amount": 9, "invoice_payload": "frete"},
        {"new_value": "frete"},
    ),
    "purchased_paid_media": (
        {"from": BIA, "paid_media_payload": "foto"},
        {"from_id": BIA["id"], "new_value": "foto"},
    ),
    "poll": (CONTENTS["poll"], {"from_id": None, "chat_id": None, "new_value": "2 0"}),
    "poll_answer": (
        {"poll_id": "900", "user": BIA, "option_ids": [1, 0]},
        {"from_id": BIA["id"], "new_value": "1 0"},
    ),
    "my_chat_member": (_CHANGE, {"old_value": "left", "new_value": "member"}),
    "chat_member": (
        _CHANGE,
        {"from_id": BIA["id"], "target_user_id": RUI["id"], "new_value": "member", "date": NOON},
    ),
    "chat_join_request": (
        {"chat": CHAT, "from": RUI, "user_chat_id": 6, "date": NOON},
        {"from_id": RUI["id"], "date": NOON},
    ),
    "chat_boost": (
        {"chat": CHAT, "boost": {"boost_id": "b", "add_date": NOON, "source": _SOURCE}},
        {"from_id": BIA["id"], "date": NOON},
    ),
    "removed_chat_boost": (
        {"chat": CHAT, "boost_id": "b", "remove_date": NOON, "source": _SOURCE},
        {"from_id": BIA["id"], "date": NOON},
    ),
    "managed_bot": ({"user": BIA, "bot": BOT}, {"from_id": BIA["id"]}),
    "subscription": ({"user": BIA, "state": "active"}, {"new_value": "active"}),
    "stopped_message_generation": ({"chat": CHAT, "message_id": 4}, {"message_id": 4}),
}
