"""Reading a day: every page of its listing, every form of its objects, in bounded pieces."""

from collections import Counter
from datetime import date
from threading import Barrier, Lock

import obstore
import pytest
from obstore.store import MemoryStore

from tests import payloads as p
from tgpipeline.etl import reading
from tgpipeline.lake import documents, keys
from tgpipeline.telegram import updates

DAY = date(2025, 11, 28)
PREFIX = keys.partition(keys.RAW, DAY)


def listed(store):
    (listing,) = reading.listings(store, [DAY])
    return listing


def read_all(store):
    return {d.name: d for d in reading.read_day(store, listed(store))}


def test_a_listing_changes_with_what_is_there():
    store = MemoryStore()
    assert listed(store).fingerprint == ""
    store.put(f"{PREFIX}1.json", b"{}")
    one = listed(store)
    assert one.names == ["1.json"]
    assert listed(store) == one
    store.put(f"{PREFIX}2.json", b"{}")
    two = listed(store)
    store.put(f"{PREFIX}2.json", b"[]")
    three = listed(store)
    assert len({one.fingerprint, two.fingerprint, three.fingerprint}) == 3
    assert two.fingerprint.startswith("2-")


def test_a_listing_has_every_page_and_no_other_day():
    store = MemoryStore()
    for number in range(2_345):
        store.put(f"{PREFIX}{number}.json", p.raw(p.text(number)))
    store.put("telegram/context_date=2025-11-29/1.json", b"{}")
    assert len(listed(store).names) == 2_345
    assert len(read_all(store)) == 2_345


def test_a_listing_says_what_the_day_before_holds_too():
    store = MemoryStore()
    for day, names in ((27, "12"), (28, "23"), (29, "3"), (30, "2")):
        for name in names:
            store.put(f"telegram/context_date=2025-11-{day}/{name}.json", b"{}")
    store.put("telegram/context_date=2025-11-29/2.json", b"of another bot")
    days = [date(2025, 11, day) for day in (28, 29, 30)]
    assert [set(one.again) for one in reading.listings(store, days)] == [
        {"2.json"},
        {"3.json"},
        set(),
    ]
    assert [set(one.again) for one in reading.listings(store, days[::2])] == [{"2.json"}, set()]
    assert [one.day for one in reading.listings(store, days * 2)] == days, "each once, oldest first"


def test_all_three_forms_are_read():
    store = MemoryStore()
    store.put(f"{PREFIX}1.json", p.raw(p.text(1)))
    store.put(f"{PREFIX}sent-{p.SUPERGROUP}-2.json", p.raw(p.message(2, text="resposta")))
    lines = [p.raw({"message": p.message(3)}), b"", b"  ", p.raw(p.text(4)), b"broken"]
    store.put(f"{PREFIX}history-x.ndjson", b"\r\n".join(lines))
    found = read_all(store)
    assert found["1.json"].update == p.text(1)
    assert found[f"sent-{p.SUPERGROUP}-2.json"].update["message"]["text"] == "resposta"
    assert found["history-x.ndjson:1"].update == {"message": p.message(3)}
    assert found["history-x.ndjson:4"].update == p.text(4)
    assert found["history-x.ndjson:5"].update is None
    assert "not JSON" in found["history-x.ndjson:5"].reason
    assert len(found) == 5


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("1.json", b""),
        ("1.json", b"{}"),
        ("1.json", b'{"message": {}}'),
        ("1.json", b"[1]"),
        ("1.json", b'{"update_id": 1, "message": {"text": NaN}}'),
        ("sent-1-2.json", b"[]"),
        ("sent-1-2.json", b"null"),
        ("history-x.ndjson:1", b'{"message": 5}'),
        ("history-x.ndjson:1", b'{"update_id": "x", "message": {}}'),
        ("history-x.ndjson:1", b"5"),
        ("other.txt", b"\x00"),
    ],
)
def test_what_cannot_be_read_has_a_reason(name, body):
    document = documents.document_of(name, body)
    assert document.update is None
    assert document.reason
    assert document.body == body


@pytest.mark.parametrize(
    "text",
    [
        '{"update_id": 1, "message": {"text": "\\ud83d"}}',
        '{"update_id": 1, "message": {"date": 18446744073709551616}}',
        '{"update_id": 1, "message": {"message_id": 18446744073709551615}}',
        '{"update_id": -9223372036854775808, "message": {"date": -9223372036854775809}}',
        '{"update_id": 1, "message": {"date": 1e400}}',
        '{"update_id": 1, "message": {"date": 7.5, "date": 7}}',
        '{"update_id": 1, "message": {"text": "\\u0000"}}',
        '{"update_id": 1, "message": {"a": ' + "[" * 200 + "]" * 200 + "}}",
    ],
)
def test_both_parsers_agree(text):
    assert documents.read_json(text.encode()) == updates.parse_json(text.encode())


def test_lines_are_put_together_across_pieces(monkeypatch):
    monkeypatch.setattr(reading, "CHUNK_BYTES", 1000)
    store = MemoryStore()
    lines = [p.raw(p.text(n, "x" * (n % 700))) for n in range(500)]
    store.put(f"{PREFIX}batch.ndjson", b"\n".join(lines))
    found = read_all(store)
    assert [found[f"batch.ndjson:{n + 1}"].update for n in range(500)] == [
        p.text(n, "x" * (n % 700)) for n in range(500)
    ]


def test_a_line_without_end_is_cut_off_and_the_next_is_read(monkeypatch):
    monkeypatch.setattr(reading, "CHUNK_BYTES", 1_000)
    monkeypatch.setattr(documents, "MAX_DOCUMENT", 4_000)
    store = MemoryStore()
    store.put(f"{PREFIX}batch.ndjson", b"x" * 50_000 + b"\n" + p.raw(p.text(2)))
    found = read_all(store)
    assert "longer than 4000 bytes" in found["batch.ndjson:1"].reason
    assert len(found["batch.ndjson:1"].body) == 1_000
    assert found["batch.ndjson:2"].update == p.text(2)


def test_an_update_of_32_mib_is_read_and_one_of_a_byte_more_is_not():
    begin, end = b'{"update_id": 1, "poll": {"id": "', b'"}}'
    body = begin + b"x" * (32 * 2**20 - len(begin + end)) + end
    assert documents.document_of("1.json", body).kind == "poll"
    longer = documents.document_of("1.json", body + b" ")
    assert longer.reason == "longer than 33554432 bytes; the rest is cut off"
    assert len(longer.body) == 8 * 2**20


def test_128_objects_are_asked_for_at_once():
    """Each request waits for the others: with fewer at once they would wait in vain."""
    store, barrier = MemoryStore(), Barrier(128, timeout=60)
    for number in range(256):
        store.put(f"{PREFIX}{number}.json", p.raw(p.text(number)))
    real, lock, under_way, at_once = obstore.get, Lock(), Counter(), []

    def slow(*given):
        with lock:
            under_way["requests"] += 1
            at_once.append(under_way["requests"])
        barrier.wait()
        with lock:
            under_way["requests"] -= 1
        return real(*given)

    listing = listed(store)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(obstore, "get", slow)
        assert len(list(reading.read_day(store, listing))) == 256
    assert max(at_once) == 128


def test_of_a_large_object_8_mib_are_in_memory():
    sizes, real = [], obstore.get

    class Found:
        def stream(self, min_chunk_size):
            sizes.append(min_chunk_size)
            return real(store, f"{PREFIX}batch.ndjson").stream(min_chunk_size=min_chunk_size)

    store = MemoryStore()
    store.put(f"{PREFIX}batch.ndjson", p.raw(p.text(1)))
    listing = listed(store)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(obstore, "get", lambda *_: Found())
        assert len(list(reading.read_day(store, listing))) == 1
    assert sizes == [8 * 2**20]


def test_four_requests_are_under_way_while_one_is_looked_at():
    asked = []
    found = reading.prefetch(lambda n: asked.append(n) or n, range(10))
    assert next(found) == 0
    found.close()  # what is under way ends
    assert sorted(asked) == [0, 1, 2, 3, 4]


def test_a_reader_that_stops_early_leaves_no_thread_behind():
    store = MemoryStore()
    for number in range(3_000):
        store.put(f"{PREFIX}{number}.json", p.raw(p.text(number)))
    found = reading.read_day(store, listed(store))
    next(found)
    found.close()
