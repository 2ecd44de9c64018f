"""From a record of an export to a Bot API Message: pure functions, one record at a time."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgpipeline.errors import UpdateError
from tgpipeline.history.content import with_entities
from tgpipeline.history.convert import Converter, api_id, chat_type
from tgpipeline.telegram.updates import content_type

CHAT = {"id": -1002198765432, "type": "supergroup", "title": "Loja"}
ZONE = ZoneInfo("America/Sao_Paulo")


def record(**fields: Any) -> dict[str, Any]:
    return {
        "id": 10,
        "type": "message",
        "date": "2025-11-28T09:00:00",
        "date_unixtime": "1764331200",
        "from": "Ana Lima",
        "from_id": "user42",
        "text": "",
        "text_entities": [],
    } | fields


def action(name: str | None, **fields: Any) -> dict[str, Any]:
    told = {k: v for k, v in record(type="service").items() if not k.startswith("from")}
    told |= {"actor": "Ana Lima", "actor_id": "user42"} | fields
    return told if name is None else told | {"action": name}


def convert(told: dict[str, Any], **how: Any) -> dict[str, Any]:
    return Converter(CHAT, ZONE, **how).message(told)


@pytest.mark.parametrize(
    ("number", "kind", "old", "expected"),
    [
        (2198765432, "supergroup", False, -1002198765432),
        (1555666777, "channel", False, -1001555666777),
        (4696915167, "group", False, -4696915167),
        (555000111, "private", False, 555000111),
        (-1002198765432, "supergroup", False, -1002198765432),
        (8589934592 + 1149899975, "supergroup", True, -1001149899975),
        (8589934592 + 149899975, "group", True, -149899975),
        (4294967296 + 42, "private", True, 42),
    ],
)
def test_chat_ids_become_those_of_the_bot_api(
    number: int, kind: str, old: bool, expected: int
) -> None:
    assert api_id(number, kind, old) == expected


def test_a_bot_api_id_tells_the_type() -> None:
    assert [chat_type(n) for n in (42, -42, -1002198765432)] == ["private", "group", "supergroup"]


KINDS = ("plain", "bold", "link", "mention", "bot_command", "phone", "custom_emoji", "unknown")


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.text(max_size=6)), max_size=8))
def test_entities_cut_their_piece_out_of_the_text_in_utf16(pieces: list[tuple[str, str]]) -> None:
    text, entities = with_entities([{"type": kind, "text": part} for kind, part in pieces])
    assert text == "".join(part for _, part in pieces)
    units = text.encode("utf-16-le", "surrogatepass")
    cut = [
        units[2 * e["offset"] : 2 * (e["offset"] + e["length"])].decode(
            "utf-16-le", "surrogatepass"
        )
        for e in entities
    ]
    assert cut == [part for kind, part in pieces if part and kind not in ("plain", "unknown")]


def test_entity_types_are_those_of_the_bot_api() -> None:
    pieces = [
        "Veja ",
        {"type": "link", "text": "a.example"},
        {"type": "phone", "text": "+55 11 99999-0000"},
        {"type": "mention_name", "text": "João", "user_id": 7},
        {"type": "text_link", "text": "aqui", "href": "https://a.example"},
        {"type": "pre", "text": "SELECT 1", "language": "sql"},
        {"type": "blockquote", "text": "x", "collapsed": True},
        {"type": "blockquote", "text": "x", "collapsed": False},
        {"type": "custom_emoji", "text": "🛒", "document_id": "5368324170671202286"},
        {"type": "custom_emoji", "text": "🛒", "document_id": "stickers/a.webm"},
    ]
    _, entities = with_entities(pieces)
    assert [e["type"] for e in entities] == (
        "url phone_number text_mention text_link pre expandable_blockquote blockquote "
        "custom_emoji custom_emoji".split()
    )
    assert entities[2]["user"] == {"id": 7}
    assert entities[3]["url"] == "https://a.example"
    assert entities[4]["language"] == "sql"


FILE = {"file": "(File not included.)", "file_name": "a", "file_size": 5}
PLACE = {"location_information": {"latitude": -23.5, "longitude": -46.6}}
MEDIA = [
    ({"photo": "photos/a.jpg", "width": 1280, "height": 960}, "photo"),
    ({**FILE, "mime_type": "application/pdf"}, "document"),
    ({**FILE, "media_type": "sticker", "sticker_emoji": "😂"}, "sticker"),
    ({**FILE, "media_type": "video_message", "duration_seconds": 9}, "video_note"),
    ({**FILE, "media_type": "voice_message"}, "voice"),
    ({**FILE, "media_type": "animation"}, "animation"),
    ({**FILE, "media_type": "video_file"}, "video"),
    ({**FILE, "media_type": "audio_file", "performer": "P", "title": "T"}, "audio"),
    ({**FILE, "media_type": "hologram"}, "unknown"),
    ({**FILE, "media_type": "document"}, "document"),
    ({**FILE, "media_type": "text"}, "unknown"),
    ({"contact_information": {"first_name": "Zé", "phone_number": "1"}}, "contact"),
    (PLACE, "location"),
    ({"location_information": None}, "location"),
    ({**PLACE, "place_name": "Loja", "address": "Rua 1"}, "venue"),
    ({"game_title": "Roleta", "game_description": "Gire!"}, "game"),
    ({"invoice_information": {"title": "Frete", "amount": 1990}}, "invoice"),
    ({"invoice_information": '{"title": "Frete"}'}, "invoice"),
    ({"poll": {"question": "?", "answers": [{"text": "Sim", "voters": 2}]}}, "poll"),
    ({"todo_list": {"title": "T", "answers": [{"id": 1, "text": "a"}]}}, "checklist"),
    ({"giveaway_information": {"quantity": 3}}, "giveaway"),
    ({"giveaway_results": {"winners_count": 3}}, "giveaway_winners"),
    ({"paid_stars_amount": 25}, "paid_media"),
    ({"story_information": {"id": 1}}, "story"),
    ({"dice": {"emoji": "🎲", "value": 6}}, "dice"),
    ({}, "unknown"),
]


@pytest.mark.parametrize(("fields", "kind"), MEDIA, ids=[kind for _, kind in MEDIA])
def test_media_become_their_content(fields: dict[str, Any], kind: str) -> None:
    message = convert(record(**fields, text="legenda") if fields else record())
    assert content_type(message)[0] == kind
    assert message.get("caption") == ("legenda" if fields else None)
    assert "text" not in message


SERVICE = [
    ("create_group", {"title": "L", "members": ["A", None]}, "group_chat_created"),
    ("create_channel", {"title": "L"}, "supergroup_chat_created"),
    ("edit_group_title", {"title": "Nova"}, "new_chat_title"),
    ("edit_group_photo", {"photo": "p", "width": 1, "height": 1}, "new_chat_photo"),
    ("delete_group_photo", {}, "delete_chat_photo"),
    ("invite_members", {"members": ["João", None]}, "new_chat_members"),
    ("join_group_by_link", {"inviter": "A"}, "new_chat_members"),
    ("join_group_by_request", {}, "new_chat_members"),
    ("remove_members", {"members": [None]}, "left_chat_member"),
    ("migrate_to_supergroup", {}, "migrate_to_chat_id"),
    ("migrate_from_group", {"title": "L"}, "migrate_from_chat_id"),
    ("pin_message", {"message_id": 7}, "pinned_message"),
    ("pin_message", {}, "pinned_message"),
    ("send_payment", {"amount": 1990, "currency": "BRL"}, "successful_payment"),
    ("refunded_payment", {"amount": 5, "currency": "XTR"}, "refunded_payment"),
    ("allow_sending_messages", {"reason_domain": "a.example"}, "connected_website"),
    ("allow_sending_messages", {"reason_app_name": "App"}, "write_access_allowed"),
    ("web_app_bot_allowed", {}, "write_access_allowed"),
    ("attach_menu_bot_allowed", {}, "write_access_allowed"),
    ("send_passport_values", {"values": ["email"]}, "passport_data"),
    ("proximity_reached", {"distance": 100}, "proximity_alert_triggered"),
    ("group_call", {}, "video_chat_started"),
    ("group_call", {"duration": 18}, "video_chat_ended"),
    ("group_call_scheduled", {"schedule_date": 1793086400}, "video_chat_scheduled"),
    ("invite_to_group_call", {"members": ["A"]}, "video_chat_participants_invited"),
    ("set_messages_ttl", {"period": 86400}, "message_auto_delete_timer_changed"),
    ("send_webview_data", {"text": "Abrir"}, "web_app_data"),
    ("topic_created", {"title": "Trocas"}, "forum_topic_created"),
    ("topic_edit", {"new_title": "T"}, "forum_topic_edited"),
    ("topic_edit", {}, "forum_topic_edited"),
    ("requested_peer", {"button_id": 1, "peers": "[\n5123456789\n]"}, "users_shared"),
    ("requested_peer", {"button_id": 1, "peer_id": (2 << 48) + 5}, "chat_shared"),
    ("giveaway_launch", {}, "giveaway_created"),
    ("giveaway_results", {"winners": 3, "unclaimed": 0}, "giveaway_completed"),
    ("set_chat_wallpaper", {}, "chat_background_set"),
    ("set_same_chat_wallpaper", {"message_id": 3}, "chat_background_set"),
    ("boost_apply", {"boosts": 2}, "boost_added"),
    ("send_star_gift", {"gift_id": 5, "stars": 50}, "gift"),
    ("paid_messages_price_change", {"price_stars": 5}, "paid_message_price_changed"),
    ("todo_completions", {"completed": [1]}, "checklist_tasks_done"),
    ("todo_append_tasks", {"items": [{"text": "a", "id": 3}]}, "checklist_tasks_added"),
    ("poll_append_answer", {}, "poll_option_added"),
    ("process_suggested_post", {"rejected": True}, "suggested_post_declined"),
    ("process_suggested_post", {"balance_too_low": True}, "suggested_post_approval_failed"),
    ("process_suggested_post", {}, "suggested_post_approved"),
    ("suggested_post_success", {"price_currency": "Stars"}, "suggested_post_paid"),
    ("suggested_post_refund", {}, "suggested_post_refunded"),
]


@pytest.mark.parametrize(("name", "fields", "kind"), SERVICE)
def test_actions_become_their_content(name: str, fields: dict[str, Any], kind: str) -> None:
    message = convert(action(name, **fields))
    assert content_type(message) == (kind, [])
    assert message["from"] == {"id": 42, "first_name": "Ana Lima"}


@pytest.mark.parametrize(
    ("kind", "field"),
    [("supergroup", "paid_message_price_changed"), ("channel", "direct_message_price_changed")],
)
def test_some_actions_mean_something_else_in_a_channel(kind: str, field: str) -> None:
    told = action("paid_messages_price_change", price_stars=5)
    message = Converter(CHAT | {"type": kind}, ZONE).message(told)
    assert message[field] == {"price_stars": 5}


@pytest.mark.parametrize("name", ["phone_call", "take_screenshot", "something_new"])
def test_an_action_without_a_name_in_the_bot_api_keeps_its_own(name: str) -> None:
    message = convert(action(name, duration_seconds=3, title="T"))
    assert content_type(message) == ("unknown", [name])
    assert message[name] == {"duration_seconds": 3, "title": "T"}


def test_an_action_named_as_a_field_of_another_meaning_does_not_take_its_place() -> None:
    message = convert(action("text", x=1))
    assert content_type(message) == ("unknown", ["export_text"])
    assert content_type(convert(action(None, information_text="i")))[1] == ["information_text"]


def test_a_field_not_yet_known_is_kept_and_seen() -> None:
    message = convert(record(text="oi", hologram={"a": 1}))
    assert content_type(message) == ("text", ["hologram"])


def test_who_wrote_it() -> None:
    assert convert(record(text="a"))["from"] == {"id": 42, "first_name": "Ana Lima"}
    assert convert(record(text="a", **{"from": None}))["from"] == {"id": 42}
    channel = convert(record(text="a", **{"from": "Loja TV", "from_id": "channel1555666777"}))
    assert channel["sender_chat"] == {"id": -1001555666777, "type": "channel", "title": "Loja TV"}
    assert "from" not in channel
    admin = convert(record(text="a", **{"from": "Loja", "from_id": "channel2198765432"}))
    assert admin["sender_chat"] == CHAT
    old = convert(record(text="a", from_id=4294967296 + 42), masked_ids=True)
    assert old["from"]["id"] == 42


def test_senders_of_65536_messages_are_remembered() -> None:
    read = Converter(CHAT, ZONE).message
    for number in range(1, 65_538):
        read(record(id=number))
    assert read(record(id=70_000, reply_to_message_id=2))["reply_to_message"]["from"] == {"id": 42}
    assert read(record(id=70_001, reply_to_message_id=2))["reply_to_message"] == {"message_id": 2}


def test_replies_topics_and_other_chats() -> None:
    read = Converter(CHAT, ZONE).message
    read(record(id=1, text="a"))
    assert read(record(id=2, text="b", reply_to_message_id=1))["reply_to_message"] == {
        "message_id": 1,
        "from": {"id": 42},
    }
    assert read(record(id=3, text="b", reply_to_message_id=99))["reply_to_message"] == {
        "message_id": 99
    }
    elsewhere = read(
        record(id=4, text="c", reply_to_message_id=9, reply_to_peer_id="channel1555666777")
    )
    assert "reply_to_message" not in elsewhere
    assert elsewhere["external_reply"]["chat"]["id"] == -1001555666777
    read(action("topic_created", id=5, title="Trocas"))
    read(action("topic_created", id=6, title="Entregas"))
    in_topic = [
        read(record(id=i, text="d", reply_to_message_id=to)).get("message_thread_id")
        for i, to in ((7, 5), (8, 7), (9, 6), (10, 8), (11, 1), (12, 9))
    ]
    assert in_topic == [5, 5, 6, 5, None, 6]


def test_messages_from_before_the_migration_go_to_the_group_they_were_in() -> None:
    told = record(id=-999_999_990, text="a", reply_to_message_id=-999_999_995)
    message = convert(told, group=-4123456789)
    assert (message["chat"]["id"], message["chat"]["type"]) == (-4123456789, "group")
    assert (message["message_id"], message["reply_to_message"]["message_id"]) == (10, 5)
    left = convert(action("migrate_to_supergroup", id=-999_999_000), group=-4123456789)
    assert left["migrate_to_chat_id"] == CHAT["id"]
    begun = convert(action("migrate_from_group", id=1), group=-4123456789)
    assert begun["migrate_from_chat_id"] == -4123456789
    assert convert(told)["chat"]["id"] == CHAT["id"]


def test_dates() -> None:
    assert convert(record(text="a"))["date"] == 1764331200
    edited = convert(record(text="a", edited_unixtime="1764331300"))
    assert edited["edit_date"] == 1764331300
    assert "edit_date" not in convert(record(text="a", edited="1970-01-01T01:00:00"))
    old = {k: v for k, v in record(text="a").items() if k != "date_unixtime"}
    converter = Converter(CHAT, ZONE)
    assert converter.message(old)["date"] == 1764331200
    assert converter.message(record(date_unixtime="0"))["date"] == 1764331200
    assert converter.local_dates == 2
    zoned = record(date="2025-11-28T12:00:00Z", date_unixtime=None)
    assert converter.message(zoned)["date"] == 1764331200
    assert converter.local_dates == 2


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (None, "object"),
        ([1], "object"),
        ({"id": 55, "type": "unsupported"}, "unsupported"),
        (record(id="x"), "no id"),
        (record(id=2**63), "no id"),
        (record(date_unixtime="100"), "no date"),
        (record(date_unixtime="99999999999"), "no date"),
        ({"id": 1, "type": "message", "date": "yesterday"}, "no date"),
    ],
)
def test_what_cannot_be_a_message_says_why(told: Any, reason: str) -> None:
    with pytest.raises(UpdateError, match=reason):
        convert(told)


def test_forwards_via_bots_and_reactions() -> None:
    told = record(
        text="a",
        forwarded_from="Rita",
        via_bot="@gif",
        reactions=[
            {"type": "emoji", "count": 2, "emoji": "❤", "recent": []},
            {"type": "custom_emoji", "count": 1, "document_id": "(File not included.)"},
            {"type": "paid", "count": 5},
        ],
    )
    converter = Converter(CHAT, ZONE)
    message = converter.message(told)
    assert message["forward_origin"] == {"type": "hidden_user", "sender_user_name": "Rita"}
    assert message["via_bot"]["username"] == "gif"
    assert converter.reactions(told, message) == {
        "chat": CHAT,
        "message_id": 10,
        "date": 1764331200,
        "reactions": [
            {"type": {"type": "emoji", "emoji": "❤"}, "total_count": 2},
            {"type": {"type": "custom_emoji"}, "total_count": 1},
            {"type": {"type": "paid"}, "total_count": 5},
        ],
    }
    known = convert(record(text="a", forwarded_from=None, forwarded_from_id="channel1555666777"))
    assert known["forward_origin"]["chat"]["id"] == -1001555666777


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
FIELDS = [*record(), *action("x"), "edited", "reply_to_message_id", "reply_to_peer_id", "poll"]
FIELDS += ["reactions", "media_type", "photo", "via_bot", "forwarded_from_id", "members", "peers"]


@given(st.dictionaries(st.sampled_from(FIELDS), JSON), st.sampled_from([n for n, *_ in SERVICE]))
def test_no_record_whatever_it_holds_raises_anything_else(
    fields: dict[str, Any], name: str
) -> None:
    converter = Converter(CHAT, ZONE)
    for told in (record(text="a") | fields, action(name) | fields):
        try:
            content_type(converter.message(told))
            converter.reactions(told, {"chat": CHAT, "message_id": 1, "date": 1})
        except UpdateError:
            pass


@pytest.mark.parametrize("hour", [0, 1])
def test_an_hour_that_comes_twice_is_the_first_unless_that_lies_before(hour: int) -> None:
    def dated(number: int, clock: str) -> dict[str, Any]:
        told = record(id=number, date=f"2025-10-26T{clock}")
        return {name: value for name, value in told.items() if name != "date_unixtime"}

    read = Converter(CHAT, ZoneInfo("Europe/Lisbon")).message
    first = read(dated(1, "01:30:00"))["date"]  # in summer time, the first of both
    if hour:
        read(record(id=2, date_unixtime=str(first + 1)))
    assert read(dated(3, "01:30:00"))["date"] == first + 3_600 * hour
