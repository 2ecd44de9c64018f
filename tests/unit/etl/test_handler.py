"""Which days a run looks at, which of them it makes, and what decides that."""

from dataclasses import replace
from datetime import date, timedelta

import obstore
import pytest
from obstore.store import MemoryStore

from tests import edge
from tests import payloads as p
from tgpipeline.errors import SettingsError
from tgpipeline.etl import handler, reading
from tgpipeline.lake import columns, keys, ledger
from tgpipeline.settings import Settings

DAY = date(2025, 11, 28)


@pytest.mark.parametrize(
    ("event", "zone", "days"),
    [
        ({"scheduled_time": "2025-11-29T03:15:00Z"}, "America/Sao_Paulo", "2025-11-27..2025-11-28"),
        ({"scheduled_time": "2025-11-30T02:59:59Z"}, "America/Sao_Paulo", "2025-11-27..2025-11-28"),
        ({"scheduled_time": "2025-11-30T03:05:00Z"}, "America/Sao_Paulo", "2025-11-28..2025-11-29"),
        ({"scheduled_time": "2025-11-29T03:15:00"}, "America/Sao_Paulo", "2025-11-27..2025-11-28"),
        ({"scheduled_time": "2025-11-29T00:15:00-03:00"}, "UTC", "2025-11-27..2025-11-28"),
        ({"scheduled_time": "2025-12-31T15:15:00Z"}, "Asia/Tokyo", "2025-12-30..2025-12-31"),
        (
            {"scheduled_time": "2025-03-31T00:15:00+01:00"},
            "Europe/Lisbon",
            "2025-03-29..2025-03-30",
        ),
        ({"date": "2024-02-29"}, "UTC", "2024-02-29..2024-02-29"),
        ({"start": "2025-12-31", "end": "2026-01-02"}, "UTC", "2025-12-31..2026-01-02"),
        ({"start": "2025-12-31", "end": "2025-12-31"}, "UTC", "2025-12-31..2025-12-31"),
    ],
)
def test_which_days_an_event_means(event, zone, days):
    settings = Settings(timezone=zone, lookback_days=1)
    found = handler.days_of(event, settings)
    first, last = map(date.fromisoformat, days.split(".."))
    assert found == [first + timedelta(n) for n in range((last - first).days + 1)]


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"date": "soon"},
        {"date": 5},
        {"start": "2025-01-01"},
        {"start": "2025-12-31", "end": "2025-12-30"},
        {"scheduled_time": "x"},
        {"a": 1},
    ],
)
def test_an_event_that_means_no_day_is_refused(event):
    with pytest.raises(SettingsError, match="which day is meant"):
        handler.days_of(event, Settings())


def test_a_scheduled_run_looks_back_three_days_unless_told_otherwise():
    event = {"scheduled_time": "2025-11-29T03:15:00Z"}
    assert handler.days_of(event, Settings()) == [DAY - timedelta(n) for n in (3, 2, 1, 0)]
    assert handler.days_of(event, Settings(lookback_days=0)) == [DAY]


def test_all_that_decides_the_rows_is_in_made_from():
    listing = reading.Listing(DAY, ["1.json"], [5], "1-ab", frozenset({"1.json"}))
    ours, groups = Settings(), {-1001: -42}
    made = handler.made_from(listing, ours, groups)
    assert (made["objects"], made["columns"]) == ("1-ab", columns.digest())
    others = {
        "objects": handler.made_from(listing._replace(fingerprint="1-cd"), ours, groups),
        "repeats": handler.made_from(listing._replace(again=frozenset({"2.json"})), ours, groups),
        "timezone": handler.made_from(listing, Settings(timezone="UTC"), groups),
        "groups": handler.made_from(listing, ours, {-1001: -43}),
    }
    for name, other in others.items():
        assert {n for n in made if made[n] != other[n]} == {name}
    assert handler.made_from(listing._replace(again=frozenset()), ours, {})["groups"] == ""


@pytest.fixture
def zones():
    return MemoryStore(), MemoryStore()


def put(raw, *updates):
    for update in updates:
        obstore.put(raw, keys.update_key(update["update_id"], DAY), p.raw(update))


def status(zones, **how):
    return edge.run(*zones, [DAY], **how)[p.DAY].status


def test_a_day_is_made_when_something_changed_and_only_then(zones):
    assert status(zones) == "empty"
    put(zones[0], p.text(1), p.text(2), p.update(9, "poll", p.CONTENTS["poll"]))
    assert [status(zones), status(zones)] == ["written", "unchanged"]
    assert [status(zones, rebuild=True), status(zones)] == ["written", "unchanged"]
    put(zones[0], p.text(3))
    assert [status(zones), status(zones)] == ["written", "unchanged"]
    assert [status(zones, timezone="UTC"), status(zones)] == ["written", "written"]
    obstore.delete(zones[0], keys.update_key(3, DAY))
    assert [status(zones), status(zones)] == ["raw expired", "raw expired"]
    assert edge.table(zones[1], "messages", DAY).num_rows == 3
    assert status(zones, rebuild=True) == "written"
    assert edge.table(zones[1], "messages", DAY).num_rows == 2


def test_both_tables_must_be_of_the_present_objects(zones):
    put(zones[0], p.text(1))
    assert status(zones) == "written"
    obstore.delete(zones[1], keys.enriched_key("events", DAY))
    assert [status(zones), status(zones)] == ["written", "unchanged"]


def test_no_more_than_twenty_bots_that_only_a_marker_calls_so_are_named(zones):
    line = [{"message": p.message(n, sender={"id": n, "first_name": "B"})} for n in range(1, 22)]
    body = b"\n".join(map(p.raw, line))
    obstore.put(zones[0], keys.history_key(body, DAY), body)
    for number in range(1, 22):
        obstore.put(zones[0], keys.marker_key(keys.BOTS, number), b"")
    made = edge.run(*zones, [DAY])[p.DAY]
    assert made.made_from["bots"] == " ".join(map(str, range(1, 21)))
    assert made.unknown_authors == 0
    assert {row["author_kind"] for row in edge.table(zones[1], "messages", DAY).to_pylist()} == {
        "bot"
    }


def test_parts_that_spark_made_are_emptied(zones):
    put(zones[0], p.text(1))
    made = edge.run(*zones, [DAY])[p.DAY]
    for table in columns.TABLES:  # as if Spark had made three parts
        key, told = keys.enriched_key(table, DAY), replace(made, parts=3).attributes()
        body = obstore.get(zones[1], key).bytes().to_bytes()
        for part in range(3):
            place = keys.enriched_key(table, DAY, part)
            obstore.put(zones[1], place, body, attributes=told)
    put(zones[0], p.text(2))
    assert edge.run(*zones, [DAY])[p.DAY].parts == 1
    rows = [len(edge.parquet(zones[1], keys.enriched_key("messages", DAY, n))) for n in range(3)]
    assert rows == [2, 0, 0]
    assert ledger.stored(zones[1], "messages", DAY).parts == 1
