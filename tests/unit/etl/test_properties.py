"""What holds for all updates, found out by letting hypothesis write them.

However the same events arrive (in any order, repeated, over several days, with ETL runs in between,
through the webhook, as sent or as imported), the enriched zone says the same.
"""

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import obstore
import pyarrow.parquet as pq
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from obstore.store import MemoryStore

from tests import edge
from tests import payloads as p
from tgpipeline import ingest
from tgpipeline.errors import UpdateError
from tgpipeline.etl import writing
from tgpipeline.lake import columns, documents, keys, rows
from tgpipeline.lake.versions import version
from tgpipeline.settings import Settings
from tgpipeline.telegram import updates

DAYS = [date(2025, 11, 28) + timedelta(n) for n in range(-1, 5)]
MIDNIGHT = 1_764_385_200  # the start of 29 November in São Paulo
SETTINGS = Settings(raw_bucket="raw", chat_ids=(p.GROUP, p.SUPERGROUP))
ZONE = SETTINGS.tz
slow = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

seconds = st.integers(MIDNIGHT - 86_400, MIDNIGHT + 86_400) | st.sampled_from(
    [MIDNIGHT - 1, MIDNIGHT, MIDNIGHT + 1]
)
words = st.text(max_size=8) | st.text(st.characters(categories=["Cs", "Ll"]), max_size=3)
chats = st.sampled_from([p.CHAT, {"id": p.GROUP, "type": "group"}])


@st.composite
def lives(draw):
    """What happened in a group: deliveries of (body, when received), and what else is in the lake.

    Returns:
        Webhook deliveries, and raw objects by key (sent and imported messages).
    """
    deliveries, others, number = [], {}, 0

    def deliver(kind, content, when):
        nonlocal number
        number += 1
        moment = datetime.fromtimestamp(when, UTC)
        deliveries.append((json.dumps({"update_id": number, kind: content}).encode(), moment))

    identities = st.tuples(chats, st.integers(0, 5))
    unique = st.lists(identities, max_size=6, unique_by=lambda i: (i[0]["id"], i[1]))
    for chat, message_id in draw(unique):
        sent = draw(seconds)
        message = p.message(message_id, chat=chat, date=sent, text=draw(words))
        ways = draw(st.sets(st.sampled_from(["webhook", "sent", "history"]), min_size=1))
        day = datetime.fromtimestamp(sent, ZONE).date()
        if "webhook" in ways:
            deliver("message", message, sent + draw(st.integers(0, 100_000)))
        if "sent" in ways:
            others[keys.sent_key(message, day)] = json.dumps(message).encode()
        if "history" in ways:
            lines = b"\n".join(
                [json.dumps({"message": message}).encode()] * draw(st.integers(1, 2))
            )
            others[keys.history_key(lines, day)] = lines
        for later in draw(st.lists(st.integers(1, 3), max_size=3)):
            edit = message | {"edit_date": sent + later, "text": draw(words)}
            deliver("edited_message", edit, sent + later + draw(st.integers(0, 90_000)))
    for kind in draw(st.lists(st.sampled_from(sorted(p.EVENTS)), max_size=4)):
        deliver(kind, p.EVENTS[kind][0], draw(seconds))
    for bad in draw(st.lists(st.binary(max_size=6), max_size=2)):
        others[f"{keys.partition(keys.RAW, DAYS[1])}{bad.hex() or 'empty'}.json"] = bad
    return deliveries, others


def post(raw, deliveries):
    for body, received in deliveries:
        ingest.store(body, SETTINGS, edge.MemoryS3(raw), received)


@given(lives(), st.data())
@settings(slow, max_examples=60)
def test_the_way_things_arrive_changes_nothing(life, data):
    deliveries, others = life
    straight, enriched = MemoryStore(), MemoryStore()
    post(straight, deliveries)
    for key, body in others.items():
        obstore.put(straight, key, body)
    edge.run(straight, enriched, DAYS)
    expected = edge.content(enriched, DAYS)

    crooked, enriched = MemoryStore(), MemoryStore()
    again = st.integers(1, 80_000).map(lambda later: timedelta(seconds=later))
    repeats = [
        (body, received + data.draw(again))
        for body, received in deliveries
        if data.draw(st.booleans())
    ]
    steps = data.draw(st.permutations([*deliveries, *repeats, *others.items()]))
    for step in steps:
        if isinstance(step[0], bytes):
            post(crooked, [step])
        else:
            obstore.put(crooked, *step)
        if data.draw(st.integers(0, 3)) == 0:
            first = data.draw(st.integers(0, len(DAYS) - 1))
            edge.run(crooked, enriched, DAYS[first : first + data.draw(st.integers(1, 3))])
    edge.run(crooked, enriched, DAYS)
    assert edge.content(enriched, DAYS) == expected

    before = {key: etag(enriched, *key) for key in expected}
    assert {led.status for led in edge.run(crooked, enriched, DAYS).values()} <= {
        "unchanged",
        "empty",
    }
    assert {key: etag(enriched, *key) for key in expected} == before
    edge.run(crooked, enriched, DAYS, rebuild=True)
    assert edge.content(enriched, DAYS) == expected


def etag(enriched, table, day):
    return obstore.head(enriched, keys.enriched_key(table, day))["e_tag"]


@given(lives())
@settings(slow, max_examples=30)
def test_every_document_is_accounted_for(life):
    deliveries, others = life
    raw = MemoryStore()
    post(raw, deliveries)
    for key, body in others.items():
        obstore.put(raw, key, body)
    enriched = MemoryStore()
    ledgers = edge.run(raw, enriched, DAYS)
    stored = [o for page in raw.list("telegram/") for o in page]
    assert edge.total(ledgers, "objects") == len(stored)
    lines = sum(body.count(b"\n") for key, body in others.items() if key.endswith(".ndjson"))
    assert edge.total(ledgers, "documents") == len(stored) + lines
    found = edge.content(enriched, DAYS)
    for table in columns.TABLES:
        assert edge.total(ledgers, table) == sum(len(v) for k, v in found.items() if k[0] == table)
    unreadable = sum(1 for key in others if key.split("/")[-1][:4] not in ("sent", "hist"))
    assert edge.total(ledgers, "quarantined") == unreadable
    kept = [o["path"] for page in raw.list("quarantine/") for o in page]
    assert len(kept) == unreadable


NAMES = sorted(
    {*updates.CONTENT, *updates.ENVELOPE, *updates.MESSAGE_KINDS, *updates.EVENT_KINDS}
    | {name for content, _ in p.EVENTS.values() for name in content}
    | {"id", "type", "is_bot", "offset", "length", "blocks", "cells", "items", "emoji", "user"}
    | {"total_count", "voter_count", "status", "source", "title"}
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**63, -(2**63), 2**64, 10**30, p.NOON, 0, -0.0, 1e400, 7.5])
    | st.floats(allow_nan=False, allow_infinity=False)
    | words
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES) | words, inner, max_size=5)
    ),
    max_leaves=20,
)
contents = st.dictionaries(st.sampled_from(NAMES) | words, anything, max_size=8)
kinds = st.sampled_from(sorted(updates.MESSAGE_KINDS | updates.EVENT_KINDS)) | words
hostile = st.builds(
    lambda number, kind, content: {kind: content, "update_id": number},
    st.integers(-(2**63), 2**63 - 1),
    kinds,
    contents,
)
no_number = {"message": {"message_id": None}, "update_id": 1}


def as_body(update):
    return json.dumps(update).replace("Infinity", "1e999").encode()


@given(anything | hostile, st.sampled_from(["1.json", "sent-1-1.json", "history-1.ndjson:1"]))
@example(no_number, "1.json")
@settings(slow, max_examples=400)
def test_nothing_makes_it_raise_anything_but_its_own_error(value, name):
    try:
        found = version(documents.document_of(name, as_body(value)), rows.Flattener(ZONE))
    except UpdateError:
        return
    table = writing.to_table(found.table, [found.values], datetime.now(UTC))
    assert len(table) == 1
    for part in (*found.identity, *found.rank):
        assert -(2**63) <= part < 2**63


@given(st.lists(hostile, max_size=6, unique_by=lambda update: update.get("update_id")))
@settings(slow, max_examples=150)
def test_misfits_become_null_and_every_row_stays(found):
    flattener, count = rows.Flattener(ZONE), 0
    with TemporaryDirectory() as folder:
        misfits = {name: Counter() for name in columns.TABLES}
        sorters = {n: writing.Sorter(n, Path(folder), misfits[n]) for n in columns.TABLES}
        for update in found:
            try:
                one = version(documents.document_of("1.json", as_body(update)), flattener)
            except UpdateError:
                continue
            count += 1
            sorters[one.table].add(one.values, one.identity, one.rank)
        for name, sorter in sorters.items():
            path = Path(folder) / f"{name}.parquet"
            made = writing.write_parquet(name, path, sorter.merged(), datetime.now(UTC))
            made.writer.close()
            table = pq.ParquetFile(path).read()
            assert table.schema.equals(writing.schema(name))
            assert len(table) == made.rows
            assert set(misfits[name]) <= set(table.column_names)
            count -= made.rows
        assert count >= 0


@given(st.one_of(hostile, lives().flatmap(lambda life: st.sampled_from([*life[0], (b"[]", 0)]))))
@settings(slow, max_examples=150)
def test_a_row_goes_through_json_and_back(update):
    body = as_body(update) if isinstance(update, dict) else update[0]
    try:
        one = version(documents.document_of("1.json", body), rows.Flattener(ZONE))
    except UpdateError:
        return
    (held,) = writing.to_table(one.table, [one.values], datetime.now(UTC)).to_pylist()
    del held["context_timestamp"]
    back = json.loads(json.dumps(rows.as_json(one.table, one.values)))
    if back["sent_at"] is not None:
        back["sent_at"] = datetime.fromisoformat(back["sent_at"])
    assert back == held


versions_of_rows = st.lists(
    st.tuples(st.integers(1, 12), st.integers(0, 3), st.integers(0, 99)), max_size=60
)


@given(versions_of_rows, st.integers(1, 6), st.integers(1, 9), st.integers(1, 4), st.integers(1, 7))
@settings(slow, max_examples=60)
def test_the_sizes_of_chunks_and_runs_decide_nothing(found, chunk, run, piece, group):
    expected = {}
    for message_id, edit, update_id in found:
        rank = (edit, update_id)
        expected[message_id] = max(expected.get(message_id, rank), rank)
    sizes = (writing.CHUNK, writing.RUN, writing.BATCH_ROWS, writing.ROW_GROUP)
    writing.CHUNK, writing.RUN, writing.BATCH_ROWS, writing.ROW_GROUP = chunk, run, piece, group
    try:
        with TemporaryDirectory() as folder:
            sorter = writing.Sorter("messages", Path(folder), Counter())
            for message_id, edit, update_id in found:
                edited = p.message(message_id, edit_date=edit or None)
                body = p.raw(p.update(update_id, content=edited))
                one = version(
                    documents.document_of("1.json", body), rows.Flattener(ZoneInfo("UTC"))
                )
                sorter.add(one.values, one.identity, one.rank)
            path = Path(folder) / "messages.parquet"
            stamp = datetime.now(UTC)
            writing.write_parquet("messages", path, sorter.merged(), stamp).writer.close()
            table = pq.ParquetFile(path).read()
    finally:
        writing.CHUNK, writing.RUN, writing.BATCH_ROWS, writing.ROW_GROUP = sizes
    got = zip(
        *(table[n].to_pylist() for n in ("message_id", "edit_date", "update_id")), strict=True
    )
    assert list(got) == [
        (message_id, edit or None, update_id)
        for message_id, (edit, update_id) in sorted(expected.items())
    ]
