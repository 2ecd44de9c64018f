"""What an Update is, read leniently and refused with a reason."""

import json
import time
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from tests import payloads as p
from tgpipeline.errors import UpdateError
from tgpipeline.telegram import updates

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
RECEIVED = datetime(2025, 12, 1, 2, 30, tzinfo=UTC)  # 30 November, 23:30, in São Paulo


def test_the_samples_cover_every_known_kind_and_content():
    assert set(p.CONTENTS) == set(updates.CONTENT)
    assert set(p.EVENTS) == updates.EVENT_KINDS


@pytest.mark.parametrize("name", sorted(updates.MESSAGE_KINDS | updates.EVENT_KINDS))
def test_every_kind_is_told_by_its_field(name):
    content = p.message(text="oi") if name in updates.MESSAGE_KINDS else p.EVENTS[name][0]
    update = updates.parse(p.raw(p.update(7, name, content)))
    assert updates.kind(update) == name
    assert updates.payload(update) == content


def test_a_kind_of_tomorrow_is_an_update_too():
    update = updates.parse(
        b'{"update_id": 5, "hologram": {"chat": {"id": -42}, "date": 1764342000}}'
    )
    assert updates.kind(update) == "hologram"
    assert updates.chat_id(update) == -42


def test_a_known_kind_comes_before_an_unknown_one():
    assert updates.kind({"update_id": 1, "hologram": {}, "poll": {}}) == "poll"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"nonsense", "not JSON"),
        (b'{"update_id": 1', "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"\x1f\x8b\x08\x00", "not UTF-8"),
        (b'{"update_id": 1, "message": {"text": "\xed\xa0\x80"}}', "not UTF-8"),
        (b'{"update_id": 1, "message": {"text": "a\x00b"}}', "not JSON"),
        (b'{"update_id": NaN}', "not JSON"),
        (b'{"update_id": 1, "message": {"date": Infinity}}', "not JSON"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a":' * 200_000, "nested too deeply"),
        (b"null", "not an object but NoneType"),
        (b"[]", "not an object but list"),
        (b'"text"', "not an object but str"),
        (b"{}", "no update_id"),
        (b'{"message": {}}', "no update_id"),
        (b'{"update_id": "1", "message": {}}', "no update_id"),
        (b'{"update_id": true, "message": {}}', "no update_id"),
        (b'{"update_id": 1.0, "message": {}}', "no update_id"),
        (b'{"update_id": 9223372036854775808, "message": {}}', "no update_id"),
        (b'{"update_id": ' + b"9" * 100_000 + b', "message": {}}', "no update_id"),
        (b'{"update_id": 1}', "no object"),
        (b'{"update_id": 1, "message": null}', "no object"),
        (b'{"update_id": 1, "message": "oi", "poll": []}', "no object"),
    ],
)
def test_what_is_no_update_is_refused_with_a_reason(body, reason):
    with pytest.raises(UpdateError, match=reason):
        updates.parse(body)


def test_a_reason_never_quotes_the_text():
    with pytest.raises(UpdateError) as caught:
        updates.parse(b'{"update_id": 1, "message": {"text": "meu CPF" senha}}')
    assert "CPF" not in str(caught.value)
    assert "senha" not in str(caught.value)


def test_of_duplicate_keys_the_last_counts():
    assert updates.parse(b'{"update_id": 1, "update_id": 2, "poll": {}}')["update_id"] == 2


def test_hostile_numbers_take_no_time():
    body = b'{"update_id": 1, "message": {"date": ' + b"9" * 1_000_000 + b"}}"
    started = time.perf_counter()
    update = updates.parse(body)
    assert time.perf_counter() - started < 1
    assert updates.event_date(update["message"]) is None


@pytest.mark.parametrize(
    "text", ["\\ud83d", "\\ude00 depois", "a\\u0000b", "\\ud83d\\ude00", "\\u202e"]
)
def test_strange_but_valid_strings_are_kept(text):
    body = f'{{"update_id": 1, "message": {{"text": "{text}"}}}}'.encode()
    assert updates.parse(body)["message"]["text"] == json.loads(f'"{text}"')


@pytest.mark.parametrize("name", sorted(p.CONTENTS))
def test_every_content_is_told_by_its_field(name):
    content, unknown = updates.content_type(p.message(**{name: p.CONTENTS[name]}))
    assert (content, unknown) == (name, [])


def test_of_two_contents_the_one_that_says_more_counts():
    both = p.message(animation=p.CONTENTS["animation"], document=p.CONTENTS["document"])
    assert updates.content_type(both) == ("animation", [])


@pytest.mark.parametrize(
    ("today", "formerly"),
    [
        ("video_chat_started", "voice_chat_started"),
        ("video_chat_ended", "voice_chat_ended"),
        ("video_chat_scheduled", "voice_chat_scheduled"),
        ("video_chat_participants_invited", "voice_chat_participants_invited"),
        ("new_chat_members", "new_chat_participant"),
        ("left_chat_member", "left_chat_participant"),
    ],
)
def test_a_name_of_yesterday_beside_todays_is_not_reported_as_unknown(today, formerly):
    both = p.message(**{formerly: p.CONTENTS[today], today: p.CONTENTS[today]})
    assert updates.content_type(both) == (today, [])


def test_a_content_of_tomorrow_is_unknown_and_named():
    assert updates.content_type(p.message(hologram={})) == ("unknown", ["hologram"])


def test_fields_that_say_no_are_no_content():
    assert updates.content_type(p.message(group_chat_created=False, text="oi")) == ("text", [])


@pytest.mark.parametrize(
    ("content", "seconds"),
    [
        (p.message(), p.NOON),
        (p.message(edit_date=p.NOON + 90_000), p.NOON),
        ({"remove_date": p.NOON}, p.NOON),
        ({"boost": {"add_date": p.NOON}}, p.NOON),
        ({"date": 0}, None),
        ({"date": 5}, None),
        ({"date": 2**40}, None),
        ({"date": "1764342000"}, None),
        ({"date": True}, None),
        ({}, None),
    ],
)
def test_when_it_happened(content, seconds):
    assert updates.event_date(content) == seconds


@pytest.mark.parametrize(
    ("zone", "seconds", "day"),
    [
        ("America/Sao_Paulo", 1_764_385_199, "2025-11-28"),  # 23:59:59
        ("America/Sao_Paulo", 1_764_385_200, "2025-11-29"),  # 00:00:00
        ("Asia/Tokyo", 1_764_385_199, "2025-11-29"),
        ("Pacific/Kiritimati", 1_767_175_200, "2026-01-01"),  # new year, 14 hours before UTC's
        ("Europe/Lisbon", 1_743_292_799, "2025-03-29"),  # the last second before a day of 23 hours
        ("Europe/Lisbon", 1_743_292_800, "2025-03-30"),
        ("Europe/Lisbon", 1_743_292_800 + 23 * 3600 - 1, "2025-03-30"),
        ("Europe/Lisbon", 1_743_292_800 + 23 * 3600, "2025-03-31"),
        ("Europe/Lisbon", 1_761_433_200 + 25 * 3600 - 1, "2025-10-26"),  # a day of 25 hours
        ("Europe/Lisbon", 1_761_433_200 + 25 * 3600, "2025-10-27"),
    ],
)
def test_days_are_counted_in_the_local_zone(zone, seconds, day):
    found = updates.context_date({"date": seconds}, ZoneInfo(zone), RECEIVED)
    assert found == date.fromisoformat(day)


def test_what_bears_no_date_belongs_to_the_day_it_came():
    assert updates.context_date({}, SAO_PAULO, RECEIVED) == date(2025, 11, 30)


def test_migration_is_told_by_either_chat():
    there = {"chat": {"id": p.GROUP}, "migrate_to_chat_id": p.SUPERGROUP}
    here = {"chat": {"id": p.SUPERGROUP}, "migrate_from_chat_id": p.GROUP}
    assert updates.migration(there) == updates.migration(here) == (p.GROUP, p.SUPERGROUP)
    assert updates.migration(p.message()) is None
    assert updates.migration({"migrate_to_chat_id": p.SUPERGROUP}) is None


@pytest.mark.parametrize(
    "content", [{"chat": 5}, {"chat": {"id": "5"}}, {"chat": {"id": 2**63}}, {"message": None}, {}]
)
def test_a_chat_that_cannot_be_read_is_none(content):
    assert updates.chat_id({"update_id": 1, "callback_query": content}) is None


def test_dates_are_those_of_telegram_and_end_where_2100_begins():
    first, last = (datetime(*day, tzinfo=UTC).timestamp() for day in ((2013, 8, 14), (2100, 1, 1)))
    assert (first, last) == (updates.FIRST_DATE, updates.LAST_DATE)
    for moment in (updates.FIRST_DATE, updates.LAST_DATE - 1):
        assert updates.event_date({"date": moment}) == moment
    for moment in (updates.FIRST_DATE - 1, updates.LAST_DATE, True, float(first + 1), "1764342000"):
        assert updates.event_date({"date": moment}) is None


@pytest.mark.parametrize(
    ("number", "kind"),
    [(-(2**63), int), (-(2**63) - 1, float), (2**64 - 1, int), (2**64, float), (10**400, float)],
)
def test_integers_beyond_64_bits_become_floats(number, kind):
    found = updates.parse_json(str(number).encode())
    assert type(found) is kind
    assert found == (number if kind is int else float(str(number)))


def test_the_reason_why_something_is_not_json_is_short():
    with pytest.raises(UpdateError) as caught:
        updates.parse_json(b"{" + b" " * 10_000_000 + b"1")
    assert str(caught.value).startswith("not JSON: Expecting property name")
    assert len(str(caught.value)) == len("not JSON: ") + 80


def test_integers_are_those_of_64_bits():
    for number in (-(2**63), 2**63 - 1):
        assert updates.integer(number) == number
    for number in (-(2**63) - 1, 2**63, True, 5.0, "5", None):
        assert updates.integer(number) is None


@pytest.mark.parametrize(
    ("old", "new", "is_one"),
    [
        (-999_999_999_999, -1_997_852_516_352, True),
        (-1, -1_000_000_000_001, True),
        (-1_000_000_000_000, -1_000_000_000_001, False),
        (0, -1_000_000_000_001, False),
        (-1, -1_000_000_000_000, False),
        (-1, -1_997_852_516_353, False),
    ],
)
def test_a_migration_is_from_a_groups_id_to_a_supergroups(old, new, is_one):
    found = updates.migration({"chat": {"id": old}, "migrate_to_chat_id": new})
    assert found == ((old, new) if is_one else None)
    assert updates.migration({"chat": {"id": new}, "migrate_from_chat_id": old}) == found
