"""The ETL against the local stack: every road a day of messages can take."""

import json
import os
import random
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import obstore
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests import edge
from tests import payloads as p
from tests.functional.proxy import Proxy
from tgpipeline import ingest
from tgpipeline.errors import LakeError
from tgpipeline.etl import handler, writing
from tgpipeline.lake import columns, keys, ledger, quarantine, stores

DAY = date(2025, 11, 28)
NEXT = DAY + timedelta(1)
PREFIX = keys.partition(keys.RAW, DAY)


def edit(update_id, message_id, words, later, **fields):
    content = p.message(message_id, text=words, edit_date=p.NOON + later, **fields)
    return p.update(update_id, "edited_message", content)


def texts(zones, day=DAY):
    return {row["message_id"]: row["text"] for row in zones.rows(day)}


def test_a_day_of_more_than_a_page(zones):
    zones.put(*(p.text(n, f"n{n}") for n in range(1, 1_002)))
    ledger = zones.run(DAY)[p.DAY]
    assert (ledger.status, ledger.objects, ledger.messages) == ("written", 1_001, 1_001)
    assert texts(zones) == {n: f"n{n}" for n in range(1, 1_002)}


def test_every_kind_and_content_is_there_once(zones):
    contents = [
        p.update(n, content=p.message(n, **{name: value}))
        for n, (name, value) in enumerate(p.CONTENTS.items(), 1)
    ]
    events = [p.update(500 + n, kind, p.EVENTS[kind][0]) for n, kind in enumerate(sorted(p.EVENTS))]
    zones.put(*contents, *events)
    received = edge.RECEIVED.astimezone(zones.settings.tz).date()
    ledgers = zones.run(DAY, received)
    assert edge.total(ledgers, "messages") == len(p.CONTENTS)
    assert edge.total(ledgers, "events") == len(p.EVENTS)
    assert edge.total(ledgers, "quarantined") == 0
    assert ledgers[p.DAY].misfits == ledgers[p.DAY].unknown == {}
    assert {r["content_type"] for r in zones.rows(DAY)} == set(p.CONTENTS)
    kinds = [r["event_type"] for day in (DAY, received) for r in zones.rows(day, "events")]
    assert sorted(kinds) == sorted(p.EVENTS)


def test_an_empty_day_is_a_result(zones):
    ledger = zones.run(DAY)[p.DAY]
    assert (ledger.status, ledger.objects) == ("empty", 0)
    assert zones.everything() == {}


def test_a_day_of_media_only_has_all_columns_with_their_types(zones):
    zones.put(*(p.update(n, content=p.message(n, photo=p.CONTENTS["photo"])) for n in (1, 2)))
    zones.run(DAY)
    for table in columns.TABLES:
        body = obstore.get(zones.enriched, keys.enriched_key(table, DAY)).bytes().to_bytes()
        assert pq.read_schema(pa.BufferReader(body)).equals(writing.schema(table))
    assert [row["text"] for row in zones.rows(DAY)] == [None, None]


def test_a_second_run_changes_nothing(zones):
    zones.put(*(p.text(n) for n in range(5)))
    first = zones.run(DAY)[p.DAY]
    before = zones.everything()
    second = zones.run(DAY)[p.DAY]
    assert second == replace(first, status="unchanged")
    assert zones.everything() == before


def test_a_rebuild_writes_the_same_again(zones):
    zones.put(*(p.text(n) for n in range(5)), p.update(9, "poll_answer", {"user": p.BIA}))
    zones.run(DAY)
    before, rows = zones.everything(), zones.rows(DAY)
    assert zones.run(DAY, rebuild=True)[p.DAY].status == "written"
    after = zones.everything()
    assert zones.rows(DAY) == rows
    assert set(before) == set(after)
    assert before != after


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
def test_the_newest_edit_wins_in_any_order(zones, order):
    versions = [p.text(1, "um"), edit(2, 1, "dois", 60), edit(3, 1, "três", 86_400)]
    for index in order:
        zones.put(versions[index])
        zones.run(DAY, NEXT)
    assert texts(zones) == {1: "três"}
    ledger = zones.run(DAY, rebuild=True)[p.DAY]
    assert (ledger.message_versions, ledger.messages, ledger.superseded) == (3, 1, 2)
    assert zones.run(NEXT)[NEXT.isoformat()].status == "empty"


def test_all_three_sources_make_one_row(zones):
    answer = p.message(7, sender=p.BOT, text="como posso ajudar?")
    zones.put(p.text(1), p.update(2, content=answer))
    stores.archive(zones.settings, zones.s3)(answer)
    lines = b"\n".join(p.raw({"message": m}) for m in (answer, p.message(8, text="antiga")))
    obstore.put(zones.raw, keys.history_key(lines, DAY), lines)
    ledger = zones.run(DAY)[p.DAY]
    assert (ledger.objects, ledger.documents, ledger.messages, ledger.superseded) == (4, 5, 3, 2)
    assert {r["message_id"]: r["source"] for r in zones.rows(DAY)} == {
        1: "webhook",
        7: "webhook",
        8: "history",
    }


def test_an_update_without_a_date_repeated_after_midnight_counts_once(zones):
    body = p.raw(p.update(5, "poll_answer", {"poll_id": "1", "user": p.BIA, "option_ids": [0]}))
    midnight = datetime(2025, 11, 29, 3, tzinfo=UTC)
    for received in (midnight - timedelta(seconds=1), midnight + timedelta(seconds=1)):
        assert ingest.store(body, zones.settings, zones.s3, received)["outcome"] == "stored"
    ledgers = zones.run(DAY, NEXT)
    assert [(led.events, led.repeated) for led in ledgers.values()] == [(1, 0), (0, 1)]


def test_two_bots_may_number_their_updates_alike(zones):
    noon = datetime(2025, 11, 28, 15, tzinfo=UTC)
    ours = replace(zones.settings, chat_ids=(p.SUPERGROUP,))
    polls = [p.update(5, "poll", {"id": number}) for number in "89"]
    for update in (p.text(5), p.update(5, content=p.message(6)), *polls):
        for outcome in ("stored", "repeated"):
            assert ingest.store(p.raw(update), ours, zones.s3, noon)["outcome"] == outcome
    # The same event in other bytes is a repeat all the same.
    again = json.dumps(polls[0], indent=1).encode()
    assert ingest.store(again, ours, zones.s3, noon)["outcome"] == "stored"
    ledger = zones.run(DAY)[p.DAY]
    assert (ledger.objects, ledger.messages, ledger.events, ledger.repeated) == (5, 2, 2, 1)


def test_bad_objects_cost_themselves_only_and_say_why(zones):
    zones.put(p.text(1))
    for name, body in (("2.json", b""), ("3.json", b"{"), ("4.json", b"[]"), ("5", b"\xff")):
        obstore.put(zones.raw, PREFIX + name, body)
    obstore.put(zones.raw, f"{PREFIX}history-a.ndjson", p.raw({"message": p.message(9)}) + b"\n{]")
    ledger = zones.run(DAY)[p.DAY]
    assert (ledger.documents, ledger.messages, ledger.quarantined) == (7, 2, 5)
    found = {item.origin: item.reason for item in quarantine.items(zones.settings)}
    assert set(found) == {"2.json", "3.json", "4.json", "5", "history-a.ndjson:2"}
    assert "not an object but list" in found["4.json"]
    assert zones.run(DAY, rebuild=True)[p.DAY].quarantined == 5
    assert len(list(quarantine.items(zones.settings))) == 5


def test_the_quarantine_can_be_tried_again_after_a_fix(zones):
    ours = replace(zones.settings, chat_ids=(p.SUPERGROUP,))
    zones.put(p.text(1))
    obstore.put(zones.raw, f"{PREFIX}2.json", b"{")
    zones.run(DAY)
    ingest.store(b"{]", ours, zones.s3, edge.RECEIVED)
    by_origin = {item.origin: item for item in quarantine.items(ours)}
    assert set(by_origin) == {"2.json", ""}
    for item in by_origin.values():
        assert quarantine.retry(ours, item.key, ingest.store, zones.s3) == "quarantined"
        assert str(item.size) in str(item)
    # A fix of the reader shows in that the very bytes can be read: put such bytes in their place.
    for item, number in ((by_origin["2.json"], 2), (by_origin[""], 3)):
        notes = {"reason": item.reason, "origin": item.origin}
        body = p.raw(p.text(number))
        zones.s3.put_object(Bucket=ours.raw_bucket, Key=item.key, Body=body, Metadata=notes)
    outcomes = [
        quarantine.retry(ours, item.key, ingest.store, zones.s3) for item in by_origin.values()
    ]
    assert sorted(outcomes) == ["readable", "stored"]
    assert list(quarantine.items(ours)) == []
    obstore.put(zones.raw, f"{PREFIX}2.json", p.raw(p.text(2)))
    assert zones.run(DAY)[p.DAY].messages == 3
    with pytest.raises(LakeError, match="quarantine list"):
        quarantine.get(ours, by_origin[""].key)


def test_stray_names_are_skipped_and_said(zones, caplog):
    ingest.store(b"{]", zones.settings, zones.s3, edge.RECEIVED)
    for key in ("quarantine/readme.txt", "quarantine/context_date=soon/x.bin", "telegram/other/1"):
        obstore.put(zones.raw, key, b"x")
    assert len(list(quarantine.items(zones.settings))) == 1
    assert "quarantine/readme.txt" in caplog.text
    assert '"count": 2' in caplog.text
    assert [day.isoformat() for day in stores.list_days(zones.raw)] == []
    assert "telegram/other" in caplog.text


def test_the_bots_last_edit_within_a_second_wins(zones):
    store = stores.archive(zones.settings, zones.s3)
    first = p.message(9, sender=p.BOT, text="Consultando...")
    for text in ("Seu pedido", "Seu pedido chega", "Seu pedido chega amanhã"):
        store(first)
        store(first | {"text": text, "edit_date": p.NOON + 3})
    ledger = zones.run(DAY)[p.DAY]
    assert (ledger.objects, ledger.messages, ledger.superseded) == (4, 1, 3)
    assert texts(zones) == {9: "Seu pedido chega amanhã"}


def test_a_temporary_folder_that_is_full_is_an_error_that_says_so(zones, monkeypatch):
    zones.put(p.text(1))
    monkeypatch.setattr("tempfile.tempdir", "/dev/full")
    with pytest.raises(LakeError, match="TMPDIR"):
        zones.run(DAY)


def test_unknown_kinds_are_counted_by_name_and_do_not_break_the_metadata(zones):
    fields = {f"novidade_{n}_{'ção' * 20}": {"a": 1} for n in range(300)}
    zones.put(
        p.update(1, content=p.message(1, **fields)),
        p.update(2, content=p.message(2, hologram={})),
        p.update(3, content=p.message(3, hologram={})),
        {"update_id": 4, "telepathy": {"chat": p.CHAT, "date": p.NOON}},
    )
    ledger = zones.run(DAY)[p.DAY]
    assert ledger.unknown["message.hologram"] == 2
    assert ledger.unknown["…"] > 200
    assert len(ledger.unknown) <= 51
    assert zones.run(DAY)[p.DAY].status == "unchanged"
    body = obstore.get(zones.enriched, keys.enriched_key("events", DAY)).bytes().to_bytes()
    metadata = pq.read_metadata(pa.BufferReader(body)).metadata
    assert json.loads(metadata[b"ledger"])["unknown"] == ledger.unknown


def test_lookback_heals_late_arrivals_edits_and_missed_runs_and_reads_nothing_else(zones):
    settings = replace(zones.settings, lookback_days=3)
    for n in range(5):
        moment = p.NOON + n * 86_400
        zones.put(*(p.text(100 * n + i, date=moment) for i in range(10)))
    with Proxy(zones.settings.endpoint_url) as proxy:
        beyond = replace(settings, endpoint_url=proxy.url)

        def scheduled(day):
            proxy.requests.clear()
            days = handler.days_of({"scheduled_time": f"{day}T06:15:00Z"}, settings)
            return {led.date[8:]: led.status for led in handler.run(beyond, days)}

        missed = {"26": "empty", "27": "empty", "28": "written", "29": "written"}
        assert scheduled("2025-11-30") == missed
        assert proxy.requests["GET telegram"] == 20
        same = {"26": "empty", "27": "empty", "28": "unchanged", "29": "unchanged"}
        assert scheduled("2025-11-30") == same
        assert proxy.requests["GET telegram"] == 0
        assert proxy.requests["PUT messages"] == 0
        zones.put(p.text(7_000, "atrasada"), edit(7_001, 3, "corrigida", 90_000))
        healed = {"28": "written", "29": "unchanged", "30": "written", "01": "written"}
        assert scheduled("2025-12-02") == healed
        assert proxy.requests["GET telegram"] == 12 + 10 + 10
        assert proxy.requests["PUT messages"] == 3
    assert texts(zones)[3] == "corrigida"
    assert texts(zones)[7_000] == "atrasada"


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Lisbon", "2025-03-30", 23),
        ("Europe/Lisbon", "2025-10-26", 25),
        ("America/Sao_Paulo", "2025-12-31", 24),
        ("Asia/Kathmandu", "2026-01-01", 24),
    ],
)
def test_days_of_any_length_hold_what_happened_in_them(zones, zone, day, hours):
    zones.settings = replace(zones.settings, timezone=zone)
    start = datetime.fromisoformat(day).replace(tzinfo=zones.settings.tz).timestamp()
    moments = [int(start) + n * 1_800 for n in range(2 * hours)]
    zones.put(*(p.text(n + 1, date=m) for n, m in enumerate(moments)))
    zones.put(p.text(900, date=moments[0] - 1), p.text(901, date=int(start) + hours * 3_600))
    ledger = zones.run(date.fromisoformat(day))[day]
    assert ledger.messages == 2 * hours
    rows = zones.rows(date.fromisoformat(day))
    assert {row["sent_at"].date().isoformat() for row in rows} == {day}
    assert min(row["sent_at"] for row in rows).time().isoformat() == "00:00:00"
    per_hour = [sum(row["sent_at"].hour == h for row in rows) for h in range(24)]
    assert sorted(set(per_hour)) == {23: [0, 2], 24: [2], 25: [2, 4]}[hours]


def test_a_group_that_becomes_a_supergroup_in_the_middle_of_a_day_is_one_group(zones):
    zones.settings = replace(zones.settings, chat_ids=(p.GROUP,))
    group = {"id": p.GROUP, "type": "group", "title": "Clientes"}
    life = [
        p.text(1, chat=group),
        p.text(2, None, chat=group, migrate_to_chat_id=p.SUPERGROUP),
        p.text(3, None, migrate_from_chat_id=p.GROUP),
        p.text(4, date=p.NOON + 60),
        p.update(5, "message_reaction", p.EVENTS["message_reaction"][0]),
    ]
    ingest._our_chats.clear()
    for update in life:
        ingest.store(p.raw(update), zones.settings, zones.s3, edge.RECEIVED)
    assert zones.run(DAY)[p.DAY].messages == 4
    rows = zones.rows(DAY)
    assert {row["chat_id"] for row in rows} == {p.GROUP, p.SUPERGROUP}
    assert {row["group_id"] for row in rows} == {p.GROUP}
    assert {row["group_id"] for row in zones.rows(DAY, "events")} == {p.GROUP}


def test_a_migration_learnt_later_reaches_days_already_made(zones):
    zones.put(p.text(1))
    zones.run(DAY)
    assert zones.rows(DAY)[0]["group_id"] == p.SUPERGROUP
    marker = json.dumps({"from": p.GROUP, "to": p.SUPERGROUP}).encode()
    obstore.put(zones.raw, keys.marker_key(keys.MIGRATIONS, p.SUPERGROUP), marker)
    assert zones.run(DAY)[p.DAY].status == "written"
    assert zones.rows(DAY)[0]["group_id"] == p.GROUP


def history(zones, *senders, day=DAY):
    moment = p.NOON + 86_400 * (day - DAY).days
    lines = [
        p.raw({"message": p.message(100 + n, text="oi", date=moment, sender={"id": sender})})
        for n, sender in enumerate(senders)
    ]
    body = b"\n".join(lines)
    obstore.put(zones.raw, keys.history_key(body, day), body)


def kinds(zones, day=DAY):
    return {row["author_id"]: row["author_kind"] for row in zones.rows(day)}


def test_a_bot_that_is_met_later_is_a_bot_in_the_history_of_the_days_concerned(zones):
    history(zones, p.BOT["id"], 5)
    history(zones, 5, 6, day=NEXT)
    assert zones.run(DAY, NEXT)[p.DAY].unknown_authors == 2
    assert kinds(zones) == {p.BOT["id"]: None, 5: None}
    later = NEXT + timedelta(1)
    zones.put(p.text(1, sender=p.BOT, date=p.NOON + 2 * 86_400))
    zones.run(later)
    assert json.loads(zones.raw.get(keys.marker_key(keys.BOTS, p.BOT["id"])).bytes().to_bytes())
    again = zones.run(DAY, NEXT, later)
    assert [ledger.status for ledger in again.values()] == ["written", "unchanged", "unchanged"]
    assert again[p.DAY].made_from["bots"] == str(p.BOT["id"])
    assert again[p.DAY].unknown_authors == 1
    assert kinds(zones) == {p.BOT["id"]: "bot", 5: None}
    assert {led.status for led in zones.run(DAY, NEXT, later).values()} == {"unchanged"}


def test_one_run_knows_a_bot_on_the_days_before_it_was_met(zones):
    history(zones, p.BOT["id"], 5)
    history(zones, 5, day=NEXT)
    last = NEXT + timedelta(1)
    zones.put(p.text(1, sender=p.BOT, date=p.NOON + 2 * 86_400))
    made = [(led.date, led.status) for led in handler.run(zones.settings, [DAY, NEXT, last])]
    assert made[3:] == [(p.DAY, "written")]
    assert [status for _, status in made[:3]] == ["written"] * 3
    assert kinds(zones) == {p.BOT["id"]: "bot", 5: None}
    assert {led.status for led in zones.run(DAY, NEXT, last).values()} == {"unchanged"}


def test_a_bad_marker_stops_nothing(zones, caplog):
    obstore.put(zones.raw, keys.marker_key(keys.MIGRATIONS, -5), b"[]")
    obstore.put(zones.raw, "bots/readme.txt", b"")
    zones.put(p.text(1))
    assert zones.run(DAY)[p.DAY].messages == 1
    assert "migrations/-5.json" in caplog.text
    assert "bots/readme.txt" in caplog.text


def test_days_with_other_columns_are_told_and_made_again(zones, monkeypatch):
    zones.put(p.text(1), p.text(2, date=p.NOON + 86_400))
    with monkeypatch.context() as before:
        before.setattr(columns, "digest", lambda: "older")
        zones.run(DAY)
    zones.run(NEXT)
    assert ledger.days_with_other_columns(zones.settings) == [DAY]
    assert zones.run(DAY)[p.DAY].status == "written"
    assert ledger.days_with_other_columns(zones.settings) == []


def test_two_runs_at_once_leave_what_one_leaves(zones):
    zones.put(*(p.text(n, f"n{n}") for n in range(1, 301)))
    code = f"from tgpipeline.etl import handler; handler.lambda_handler({{'date': '{DAY}'}}, None)"
    environment = {
        "AWS_S3_BUCKET": zones.settings.raw_bucket,
        "AWS_S3_ENRICHED": zones.settings.enriched_bucket,
    }
    running = [start(code, environment) for _ in range(3)]
    assert [one.wait(60) for one in running] == [0, 0, 0]
    assert texts(zones) == {n: f"n{n}" for n in range(1, 301)}
    assert zones.run(DAY)[p.DAY].status == "unchanged"


def start(code, environment):
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_a_column_added_later(zones, monkeypatch):
    zones.put(p.text(1))
    zones.run(DAY)
    added = columns.Column("mood", "string", "", "how they felt")
    wider = (*columns.MESSAGES[:-1], added, columns.MESSAGES[-1])
    code = f"""
from tgpipeline.lake.columns import TABLES, Column
TABLES["messages"] = {wider!r}
from tgpipeline.etl import handler
from tgpipeline.lake import rows
of = rows.Flattener._message
rows.Flattener._message = lambda *a: (*of(*a), "calm")
handler.lambda_handler({{"date": "{NEXT}"}}, None)
"""
    zones.put(p.text(2, date=p.NOON + 86_400))
    environment = {
        "AWS_S3_BUCKET": zones.settings.raw_bucket,
        "AWS_S3_ENRICHED": zones.settings.enriched_bucket,
    }
    assert start(code, environment).wait(60) == 0
    tables = [edge.table(zones.enriched, "messages", day) for day in (DAY, NEXT)]
    both = pa.concat_tables(tables, promote_options="default").sort_by("message_id")
    assert both["mood"].to_pylist() == [None, "calm"]
    statuses = {d: led.status for d, led in zones.run(DAY, NEXT).items()}
    assert statuses == {p.DAY: "unchanged", NEXT.isoformat(): "written"}
    assert "mood" not in zones.rows(NEXT)[0]


def test_a_bucket_that_is_not_there_is_an_error_that_says_so(zones):
    nowhere = replace(zones.settings, raw_bucket="nowhere-at-all-1")
    with pytest.raises(LakeError, match="nowhere-at-all-1"):
        list(handler.run(nowhere, [DAY]))


def test_a_parquet_larger_than_one_part_is_whole(zones):
    generator = random.Random(1)
    alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 çãéô"
    lines = [
        p.raw(p.text(n, "".join(generator.choices(alphabet, k=3_000)))) for n in range(1, 3_001)
    ]
    body = b"\n".join(lines)
    obstore.put(zones.raw, keys.history_key(body, DAY), body)
    assert zones.run(DAY)[p.DAY].messages == 3_000
    found = obstore.head(zones.enriched, keys.enriched_key("messages", DAY))
    assert found["size"] > 6_000_000
    assert texts(zones)[3_000] == json.loads(lines[-1])["message"]["text"]
    assert zones.run(DAY)[p.DAY].status == "unchanged"
