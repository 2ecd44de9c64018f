"""Updates become rows: the right table, the right columns, whatever comes."""

from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest

from tests import payloads as p
from tgpipeline.errors import UpdateError
from tgpipeline.lake import rows
from tgpipeline.lake.columns import EVENTS, MESSAGES, TABLES
from tgpipeline.lake.documents import Document
from tgpipeline.lake.erasing import Erased
from tgpipeline.lake.markers import Markers
from tgpipeline.lake.versions import version
from tgpipeline.telegram import updates

SAO_PAULO = ZoneInfo("America/Sao_Paulo")


def row(update, text="", source="webhook", zone=SAO_PAULO, groups=None, bots=()):
    flattener = rows.Flattener(zone, Markers(groups or {}, set(bots), Erased()))
    table, values = flattener.row(update, text, source)
    assert len(values) == len(TABLES[table]) - 1
    return table, rows.as_json(table, values), dict(flattener.tally.unknown)


def message_row(content, **options):
    table, found, _ = row(p.update(content=content), **options)
    assert table == "messages"
    return found


def test_a_text_message_in_full():
    reply = p.message(4, sender=p.BOT, text="?")
    content = p.message(
        10,
        text="🛒 /pedido@ajuda_bot 77",
        edit_date=p.NOON + 60,
        message_thread_id=3,
        is_topic_message=True,
        sender_chat=p.CHANNEL,
        reply_to_message=reply,
        forward_origin={"type": "hidden_user", "sender_user_name": "x", "date": p.NOON},
        via_bot=p.BOT,
        media_group_id="12345",
        entities=[
            {"type": "bot_command", "offset": 3, "length": 17},
            {"type": "bold", "offset": 21, "length": 2},
        ],
    )
    assert message_row(content) == {
        "update_id": 1,
        "source": "webhook",
        "update_type": "message",
        "message_id": 10,
        "message_thread_id": 3,
        "is_topic_message": True,
        "topic_name": None,
        "is_comment": None,
        "author_id": -1009888777666,
        "author_kind": "chat",
        "from_id": 5_111_111_111,
        "from_is_bot": False,
        "from_first_name": "Bia",
        "from_last_name": "Nunes",
        "from_username": "bia_nunes",
        "from_language_code": "pt-br",
        "sender_chat_id": -1009888777666,
        "chat_id": p.SUPERGROUP,
        "group_id": p.SUPERGROUP,
        "chat_type": "supergroup",
        "chat_title": "Clientes",
        "date": p.NOON,
        "sent_at": "2025-11-28T12:00:00",
        "edit_date": p.NOON + 60,
        "content_type": "text",
        "is_service": False,
        "text": "🛒 /pedido@ajuda_bot 77",
        "caption": None,
        "entity_types": ["bot_command", "bold"],
        "bot_command": "/pedido",
        "reply_to_message_id": 4,
        "reply_to_from_id": 7_333_333_333,
        "forward_origin_type": "hidden_user",
        "via_bot_id": 7_333_333_333,
        "media_group_id": "12345",
        "migrate_to_chat_id": None,
        "migrate_from_chat_id": None,
    }


GROUP_BOT = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
CHANNEL_BOT = {"id": 136817688, "is_bot": True, "first_name": "Channel"}
TELEGRAM = {"id": 777000, "is_bot": False, "first_name": "Telegram"}
POST = {"sender": TELEGRAM, "sender_chat": p.CHANNEL, "is_automatic_forward": True}


@pytest.mark.parametrize(
    ("fields", "author_id", "author_kind"),
    [
        ({}, p.BIA["id"], "person"),
        ({"sender": p.BOT}, p.BOT["id"], "bot"),
        ({"sender": GROUP_BOT, "sender_chat": p.CHAT}, p.SUPERGROUP, "chat"),
        ({"sender": CHANNEL_BOT, "sender_chat": p.CHANNEL}, p.CHANNEL["id"], "chat"),
        ({"sender": None, "sender_chat": p.CHANNEL}, p.CHANNEL["id"], "chat"),
        ({"sender": GROUP_BOT}, GROUP_BOT["id"], "chat"),
        ({"sender": CHANNEL_BOT}, CHANNEL_BOT["id"], "chat"),
        (POST, None, "telegram"),
        (POST | {"is_automatic_forward": None}, None, "telegram"),
        (POST | {"sender": None}, None, "telegram"),
        ({"text": None, "new_chat_title": "Loja"}, None, "telegram"),
        ({"text": None, "scent": {}}, p.BIA["id"], "person"),
        ({"sender": {"id": 9}}, 9, None),
        ({"sender": {"id": 9, "is_bot": "no"}}, 9, None),
        ({"sender": {"id": 901}}, 901, "bot"),
        ({"sender": {"id": 901, "is_bot": False}}, 901, "person"),
        ({"sender": {"id": "9"}}, None, None),
        ({"sender": None}, None, None),
    ],
)
def test_who_wrote_a_message_is_decided_here(fields, author_id, author_kind):
    found = message_row(p.message(**{"text": "oi"} | fields), bots={901})
    assert (found["author_id"], found["author_kind"]) == (author_id, author_kind)


def test_bots_that_are_met_and_authors_that_nobody_describes_are_remembered():
    flattener = rows.Flattener(SAO_PAULO, Markers({}, {901}, Erased()))
    senders = [p.BIA, GROUP_BOT, CHANNEL_BOT, {"id": 9}, {"id": 901}, {"id": 5, "is_bot": True}]
    for sender in senders:
        flattener.row(p.update(content=p.message(sender=sender)))
    flattener.row(p.update(content=p.message(reply_to_message=p.message(4, sender=p.BOT))))
    flattener.row(p.update(content=p.message(reply_to_message=p.message(4, sender={"id": 8}))))
    assert flattener.tally.bots == {5, p.BOT["id"]}
    assert flattener.tally.undeclared == {9, 901}


TOPIC = p.message(3, text=None, message_thread_id=3, forum_topic_created={"name": "Entregas"})
COPY = p.message(3, text="Novidades", **POST)


@pytest.mark.parametrize(
    ("first", "is_topic", "number", "expected"),
    [
        (TOPIC, True, 3, (None, None, "Entregas", None)),
        (TOPIC, None, 3, (None, None, "Entregas", None)),
        (p.message(3, sender=p.RUI), True, 3, (None, None, None, None)),
        (COPY, None, 3, (None, None, None, True)),
        # The first reply to a message of a supergroup that is no forum: somebody answers Rui.
        (p.message(3, sender=p.RUI), None, 3, (3, p.RUI["id"], None, None)),
        (p.message(4, sender=p.RUI), True, 3, (4, p.RUI["id"], None, None)),
        (COPY | {"message_id": 4}, None, 3, (4, TELEGRAM["id"], None, None)),
        (p.message(3, sender=p.RUI), None, None, (3, p.RUI["id"], None, None)),
        ({"from": p.RUI}, True, None, (None, p.RUI["id"], None, None)),
    ],
)
def test_what_telegram_makes_a_reply_is_none(first, is_topic, number, expected):
    content = p.message(
        10, text="oi", reply_to_message=first, message_thread_id=number, is_topic_message=is_topic
    )
    found = message_row(content)
    names = ("reply_to_message_id", "reply_to_from_id", "topic_name", "is_comment")
    assert tuple(found[name] for name in names) == expected
    assert found["message_thread_id"] == number


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ({"forum_topic_created": {"name": "Entregas", "icon_color": 7}}, "Entregas"),
        ({"forum_topic_edited": {"name": "Envios"}}, "Envios"),
        ({"forum_topic_edited": {"icon_custom_emoji_id": "5"}}, None),
        ({"forum_topic_closed": {"name": "x"}}, None),
        ({"forum_topic_edited": {"name": "Envios"}, "reply_to_message": TOPIC}, "Envios"),
    ],
)
def test_a_topic_is_named_where_it_is_made_or_renamed(content, name):
    found = message_row(p.message(12, text=None, message_thread_id=3, **content))
    assert found["topic_name"] == name


@pytest.mark.parametrize("name", sorted(p.CONTENTS))
def test_every_content_becomes_a_message(name):
    found = message_row(p.message(**{name: p.CONTENTS[name]}))
    assert found["content_type"] == name
    assert found["is_service"] is (name in updates.SERVICE)
    if name not in ("text", "rich_message"):
        assert found["text"] is None


@pytest.mark.parametrize("kind", sorted(updates.MESSAGE_KINDS))
def test_every_kind_of_message_goes_to_messages(kind):
    table, found, unknown = row(p.update(3, kind))
    assert (table, found["update_type"], found["text"]) == ("messages", kind, "oi")
    assert unknown == {}


@pytest.mark.parametrize("kind", sorted(p.EVENTS))
def test_every_other_kind_goes_to_events(kind):
    content, expected = p.EVENTS[kind]
    body = p.raw(p.update(3, kind, content)).decode()
    table, found, unknown = row(p.update(3, kind, content), body)
    assert (table, found["event_type"], found["payload"]) == ("events", kind, body)
    assert {name: found[name] for name in expected} == expected
    assert unknown == {}


def test_unknown_kinds_and_fields_are_kept_and_counted_by_name():
    table, found, unknown = row({"update_id": 1, "hologram": {"chat": {"id": -5}}}, "{}")
    assert (table, found["event_type"], found["chat_id"]) == ("events", "hologram", -5)
    assert unknown == {"update.hologram": 1}
    table, found, unknown = row(p.update(content=p.message(scent={}, mood="good")))
    assert (found["content_type"], found["is_service"]) == ("unknown", None)
    assert unknown == {"message.scent": 1, "message.mood": 1}


def test_a_media_message_has_its_caption_and_the_command_in_it():
    entity = {"type": "bot_command", "offset": 0, "length": 6}
    content = p.message(photo=p.CONTENTS["photo"], caption="/troca", caption_entities=[entity])
    found = message_row(content)
    assert (found["caption"], found["text"], found["bot_command"]) == ("/troca", None, "/troca")


@pytest.mark.parametrize(
    ("text", "offset", "length", "command"),
    [
        ("/inicio", 0, 7, "/inicio"),
        ("👩‍👩‍👧 /ajuda", 9, 6, "/ajuda"),  # offsets count UTF-16 units: the family is 8 of them
        ("𝒶𝒷 /a@bot", 5, 6, "/a"),
        ("/curto", 0, 99, "/curto"),
        ("/x", 50, 2, None),
        ("/x", -1, 2, None),
        ("/x", 0, 0, None),
        ("/x", "0", 2, None),
        ("/x", 0, None, None),
        (None, 0, 2, None),
    ],
)
def test_commands_are_cut_out_by_utf16_offsets(text, offset, length, command):
    entity = {"type": "bot_command", "offset": offset, "length": length}
    assert message_row(p.message(text=text, entities=[entity]))["bot_command"] == command


def test_a_rich_message_gives_its_text():
    cells = [[{"text": "Item"}, {"text": "Preço"}], [{"text": "Caneca"}, {"text": "R$ 30"}]]
    blocks = [
        {"size": 1, "text": "Tabela"},
        {"text": ["a partir de ", {"type": "bold", "text": "hoje"}]},
        {"cells": cells},
        {"items": [{"blocks": [{"text": "frete grátis"}]}, {"blocks": [{"text": "troca"}]}]},
    ]
    found = message_row(p.message(rich_message={"blocks": blocks}))
    assert found["text"] == (
        "Tabela\na partir de hoje\nItem\tPreço\nCaneca\tR$ 30\nfrete grátis\ntroca"
    )


def test_an_old_payload_is_read_as_far_as_it_goes():
    old = {"message_id": 1, "chat": {"id": -5}, "date": p.NOON, "text": "x", "from": {"id": 9}}
    old |= {"forward_from": {"id": 3}, "new_chat_participant": None}
    table, found, unknown = row(p.update(content=old))
    assert (table, found["from_id"], found["from_is_bot"]) == ("messages", 9, None)
    assert found["chat_type"] is None
    assert unknown == {}


@pytest.mark.parametrize(
    ("field", "value", "column"),
    [
        ("text", 5, "text"),
        ("text", {"a": 1}, "text"),
        ("message_id", "7", "message_id"),
        ("message_id", 7.5, "message_id"),
        ("message_id", 2**63, "message_id"),
        ("date", "2025", "date"),
        ("date", 1e30, "date"),
        ("date", [], "sent_at"),
        ("from", {"id": True}, "from_id"),
        ("from", {"is_bot": "no"}, "from_is_bot"),
        ("from", "Bia", "from_id"),
        ("chat", {"id": -(2**63) - 1}, "chat_id"),
        ("chat", [p.CHAT], "chat_id"),
        ("entities", "x", "entity_types"),
        ("reply_to_message", 4, "reply_to_message_id"),
    ],
)
def test_what_does_not_fit_its_column_is_null_and_its_row_stays(field, value, column):
    found = message_row(p.message(**{"text": "oi", field: value}))
    assert found[column] is None
    assert found["update_id"] == 1


@pytest.mark.parametrize("extreme", [2**63 - 1, -(2**63)])
def test_ids_have_all_64_bits(extreme):
    assert message_row(p.message(extreme))["message_id"] == extreme


@pytest.mark.parametrize(
    ("words", "kept"), [("oi \ud83d", "oi �"), ("\ude00 oi", "� oi"), ("\ud83d\ude00", "😀")]
)
def test_half_a_surrogate_pair_is_replaced(words, kept):
    assert message_row(p.message(text=words))["text"] == kept


def test_nesting_without_end_is_refused_by_the_packages_own_error():
    deep = "x"
    for _ in range(100_000):
        deep = {"blocks": [deep]}
    update = p.update(content=p.message(rich_message=deep))
    document = Document("1.json", b"", update, "message", "webhook")
    with pytest.raises(UpdateError, match="nested too deeply"):
        version(document, rows.Flattener(SAO_PAULO))
    while isinstance(deep, dict):  # taken apart by hand: its destructor would recurse, too
        deep = deep["blocks"][0]


@pytest.mark.parametrize("kind", sorted(p.EVENTS))
@pytest.mark.parametrize("junk", [{}, {"chat": 1, "from": [], "message": "x", "date": "x"}])
def test_an_event_with_junk_in_it_is_a_row(kind, junk):
    content = dict.fromkeys(p.EVENTS[kind][0], junk) | junk
    assert row(p.update(3, kind, content))[0] == "events"


@pytest.mark.parametrize(
    "lists", [None, 5, "x", [None, 3, "x", []], [{}, {"type": 5}, {"type": {"emoji": []}}]]
)
def test_lists_with_junk_in_them_are_read_as_far_as_they_go(lists):
    for kind, field in (
        ("message_reaction", "new_reaction"),
        ("message_reaction_count", "reactions"),
        ("poll", "options"),
        ("poll_answer", "option_ids"),
    ):
        assert row(p.update(3, kind, {field: lists}))[0] == "events"
    assert message_row(p.message(text="oi", entities=lists))["text"] == "oi"


@pytest.mark.parametrize("source", ["sent", "history"])
def test_where_it_came_from(source):
    found = message_row(p.message(text="oi"), source=source)
    assert found["source"] == source
    assert found["update_type"] == ("message" if source == "sent" else None)


def test_a_supergroup_keeps_the_identity_of_the_group_it_was():
    groups = {p.SUPERGROUP: p.GROUP}
    assert message_row(p.message(), groups=groups)["group_id"] == p.GROUP
    assert message_row(p.message(), groups=groups)["chat_id"] == p.SUPERGROUP
    before = p.message(chat={"id": p.GROUP, "type": "group"})
    assert message_row(before, groups=groups)["group_id"] == p.GROUP
    kind = "message_reaction"
    _, found, _ = row(p.update(3, kind, p.EVENTS[kind][0]), groups=groups)
    assert (found["chat_id"], found["group_id"]) == (p.SUPERGROUP, p.GROUP)


@pytest.mark.parametrize(
    "zone", ["America/Sao_Paulo", "Europe/Lisbon", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]
)
def test_wall_clock_is_what_zoneinfo_says_through_a_whole_year(zone):
    tz, start = ZoneInfo(zone), int(datetime(2025, 1, 1, tzinfo=UTC).timestamp())
    convert = partial(rows.wall_clock, tz=tz)
    for seconds in range(start, start + 366 * 86_400, 5_223):
        local = datetime.fromtimestamp(seconds, tz).replace(tzinfo=None)
        assert convert(seconds) == (local - datetime(1970, 1, 1)) // timedelta(milliseconds=1)


def test_wall_clock_changes_at_the_very_second():
    tz = ZoneInfo("Europe/Lisbon")
    convert = partial(rows.wall_clock, tz=tz)
    change = int(datetime(2025, 3, 30, 1, tzinfo=UTC).timestamp())
    for seconds in range(change - 9_000, change + 9_000, 450):
        local = datetime.fromtimestamp(seconds, tz).replace(tzinfo=None)
        assert convert(seconds) == (local - datetime(1970, 1, 1)) // timedelta(milliseconds=1)
    assert convert(change) - convert(change - 1) == 3_601_000


def test_the_seeds_columns_are_a_subset_by_the_same_names():
    seed = "update_id message_id from_id from_is_bot from_first_name chat_id chat_type date text"
    assert {*seed.split(), "context_timestamp"} <= {column.name for column in MESSAGES}


def test_columns_are_declared_well():
    for columns in (MESSAGES, EVENTS):
        assert len({c.name for c in columns}) == len(columns)
        assert all(c.athena_type and c.meaning for c in columns)
        assert columns[-1].name == "context_timestamp"
