"""Keys are spelled in one place; writing an object that is there already is told apart."""

import json
from datetime import date

import boto3
import pytest
from botocore.exceptions import BotoCoreError
from botocore.stub import ANY, Stubber
from obstore.exceptions import BaseError
from obstore.store import MemoryStore

from tests import edge
from tests import payloads as p
from tgpipeline.errors import LakeError
from tgpipeline.lake import keys, markers, stores
from tgpipeline.lake.erasing import Erased, hashed
from tgpipeline.settings import Settings

DAY = date(2025, 11, 28)
PUT = {"Bucket": "raw", "Key": "k", "Body": b"{}", "Metadata": {}, "IfNoneMatch": "*"}


@pytest.fixture
def s3():
    client = boto3.client(
        "s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    with Stubber(client) as stub:
        yield client, stub


def test_keys():
    day = "telegram/context_date=2025-11-28/"
    assert keys.update_key(7, DAY) == f"{day}7.json"
    assert keys.update_key(7, DAY, b"x") == f"{day}7-2d711642b726b044.json"
    message = p.message(9)
    assert keys.sent_key(message, DAY) == f"{day}sent-{p.SUPERGROUP}-9.json"
    edited = keys.sent_key(message | {"edit_date": 5}, DAY)
    assert edited == f"{day}sent-{p.SUPERGROUP}-9-5.json"
    assert keys.sent_key(message, DAY, 1) == f"{day}sent-{p.SUPERGROUP}-9-0-1.json"
    again = keys.sent_key(message | {"edit_date": 5}, DAY, 2)
    assert again == f"{day}sent-{p.SUPERGROUP}-9-5-2.json"
    digest = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    assert keys.history_key(b"x", DAY) == f"{day}history-{digest[:32]}.ndjson"
    assert keys.batch_key(b"x", DAY) == f"{day}batch-{digest}.ndjson"
    assert keys.history_key(b"x", DAY) == keys.history_key(b"x", DAY) != keys.history_key(b"y", DAY)
    assert keys.quarantine_key(b"x", DAY) == f"quarantine/context_date=2025-11-28/{digest}.bin"
    assert keys.marker_key(keys.MIGRATIONS, p.SUPERGROUP) == f"migrations/{p.SUPERGROUP}.json"
    assert keys.marker_key(keys.BOTS, 901) == "bots/901.json"
    assert keys.enriched_key("events", DAY) == (
        "telegram/events/context_date=2025-11-28/part-0.parquet"
    )


def test_the_day_of_a_key():
    assert keys.day_of(keys.update_key(7, DAY)) == DAY
    for key in ("telegram/7.json", "telegram/context_date=soon/7.json"):
        with pytest.raises(LakeError, match="in no partition"):
            keys.day_of(key)


def test_the_days_of_a_store(caplog):
    store = MemoryStore()
    for day in ("2025-12-01", "2025-11-30"):
        store.put(f"telegram/context_date={day}/1.json", b"{}")
    assert list(stores.list_days(store)) == [date(2025, 11, 30), date(2025, 12, 1)]
    assert caplog.text == ""
    for name in ("other", "context_date=soon"):
        store.put(f"telegram/{name}/1.json", b"{}")
    store.put("telegram/readme.txt", b"")
    assert list(stores.list_days(store)) == [date(2025, 11, 30), date(2025, 12, 1)]
    (line,) = [json.loads(record.message) for record in caplog.records]
    names = ["telegram/context_date=soon", "telegram/other", "telegram/readme.txt"]
    assert (sorted(line["skipped"]), line["count"]) == (names, 3)


def test_of_many_strange_names_twenty_are_named_and_all_are_counted(caplog):
    store = MemoryStore()
    for number in range(21):
        store.put(f"telegram/{number}.txt", b"")
    assert list(stores.list_days(store)) == []
    (line,) = [json.loads(record.message) for record in caplog.records]
    assert (len(line["skipped"]), line["count"]) == (20, 21)


@pytest.mark.parametrize("kind", [FileNotFoundError, BotoCoreError, BaseError])
def test_what_s3s_clients_raise_is_told_in_our_words(kind):
    error = kind() if kind is BotoCoreError else kind("x" * 301 + "\nof no use")
    with pytest.raises(LakeError) as caught, stores.as_lake_error("raw", "read it", "Do that."):
        raise error
    told = str(error) if kind is BotoCoreError else "x" * 300
    assert str(caught.value) == f"s3://raw: could not read it ({told}). Do that."
    with pytest.raises(ValueError, match="not ours"), stores.as_lake_error("raw", "read it", ""):
        raise ValueError("not ours")


def test_put_new_writes_once(s3):
    client, stub = s3
    stub.add_response("put_object", {}, PUT)
    stub.add_client_error("put_object", "PreconditionFailed", http_status_code=412)
    assert stores.put_new(client, "raw", "k", b"{}") is True
    assert stores.put_new(client, "raw", "k", b"{}") is False


def test_put_new_tries_again_when_two_write_at_once(s3):
    client, stub = s3
    stub.add_client_error("put_object", "ConditionalRequestConflict", http_status_code=409)
    stub.add_response("put_object", {}, PUT)
    assert stores.put_new(client, "raw", "k", b"{}") is True


def test_put_new_gives_up_in_the_end(s3, monkeypatch):
    client, stub = s3
    waited = []
    monkeypatch.setattr("time.sleep", waited.append)
    for _ in range(5):
        stub.add_client_error("put_object", "ConditionalRequestConflict", http_status_code=409)
    with pytest.raises(LakeError, match="kept colliding"):
        stores.put_new(client, "raw", "k", b"{}")
    stub.assert_no_pending_responses()
    assert waited == [0.05, 0.1, 0.2, 0.4, 0.8]


def test_put_new_says_what_failed_and_where(s3):
    client, stub = s3
    stub.add_client_error("put_object", "AccessDenied", http_status_code=403)
    with pytest.raises(LakeError, match=r"s3://raw: could not write k \(.*AccessDenied"):
        stores.put_new(client, "raw", "k", b"{}")


def test_metadata_is_ascii(s3):
    client, stub = s3
    stub.add_response("put_object", {}, PUT | {"Metadata": {"reason": "n?o"}})
    assert stores.put_new(client, "raw", "k", b"{}", reason="não")


@pytest.mark.parametrize("words", ["obrigado, até já", "metade \ud83d"])
def test_sent_messages_are_archived_as_json(s3, words):
    client, stub = s3
    key = keys.sent_key(p.message(9), DAY)
    stub.add_response("put_object", {}, PUT | {"Key": key, "Body": ANY})
    bodies = []
    client.meta.events.register(
        "provide-client-params.s3.PutObject", lambda params, **_: bodies.append(params["Body"])
    )
    store = stores.archive(Settings(raw_bucket="raw"), client)
    assert store(p.message(9, text=words)) == key
    assert json.loads(bodies[0].decode())["text"] == words


def test_every_version_that_was_sent_is_archived_in_the_order_of_writing():
    store = MemoryStore()
    archive = stores.archive(Settings(raw_bucket="raw"), edge.MemoryS3(store))
    first = p.message(9, sender=p.BOT, text="...")
    edits = [first | {"text": text, "edit_date": p.NOON + 3} for text in ("Seu", "Seu pedido")]
    written = [archive(message) for message in (first, first, *edits, edits[1], edits[0], edits[0])]
    stem = f"telegram/context_date=2025-11-28/sent-{p.SUPERGROUP}-9"
    one = p.NOON + 3
    assert written == [
        f"{stem}.json",
        f"{stem}.json",
        f"{stem}-{one}.json",
        f"{stem}-{one}-1.json",
        f"{stem}-{one}-1.json",
        f"{stem}-{one}-2.json",
        f"{stem}-{one}-2.json",
    ]
    assert archive(first | {"text": "other"}) == f"{stem}-0-1.json"
    assert len([o for page in store.list() for o in page]) == 5


def test_markers_say_what_groups_were_and_who_is_a_bot(caplog):
    store = MemoryStore()
    assert markers.read_markers(store) == markers.Markers({}, set(), Erased())
    store.put(
        keys.marker_key(keys.MIGRATIONS, p.SUPERGROUP),
        b'{"from": -4111222333, "to": -1004111222333}',
    )
    store.put(keys.marker_key(keys.BOTS, 901), b'{"id": 901}')
    found = markers.read_markers(store)
    assert (found.groups, found.bots) == ({p.SUPERGROUP: p.GROUP}, {901})
    assert caplog.text == ""


def test_markers_say_who_was_erased_where_and_until_when(caplog):
    store = MemoryStore()
    one, other = hashed(b"secret", 5), hashed(b"secret", 6)
    store.put("erased/key", b"secret")
    store.put(keys.erased_key(one), b'{"until": 100}')
    store.put(keys.erased_key(other, p.SUPERGROUP), b'{"until": 200, "days": []}')
    erased = markers.read_markers(store).erased
    until = {(one, 0): 100, (other, p.SUPERGROUP): 200}
    assert (erased.key, erased.until) == (b"secret", until)
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("migrations/-5.json", b"[]"),
        (f"erased/{'a' * 32}.json", b"{}"),
        (f"erased/{'a' * 32}x.json", b'{"until": 1}'),
        ("erased/readme.txt", b"who did this"),
        ("migrations/readme.txt", b"what is this"),
        ("migrations/-1.json", b'{"from": "-4111222333", "to": -1004111222333}'),
        ("migrations/-1.json", b'{"from": -4111222333, "to": -1000000000000}'),
        ("migrations/-1.json", b'{"from": -1000000000001, "to": -1004111222333}'),
        ("migrations/-1.json", b'{"from": -4111222333}'),
        ("migrations/a/b.json", b"\xff"),
        ("bots/readme.txt", b""),
        ("bots/ana.json", b"{}"),
        ("bots/901.txt", b"{}"),
        ("bots/0901.json", b"{}"),
        ("bots/901/x.json", b"{}"),
        ("bots/-901.json", b"{}"),
        ("bots/\u0661.json", b"{}"),
    ],
)
def test_a_bad_marker_is_skipped_and_said(key, body, caplog):
    store = MemoryStore()
    store.put(
        keys.marker_key(keys.MIGRATIONS, p.SUPERGROUP),
        b'{"from": -4111222333, "to": -1004111222333}',
    )
    store.put(keys.marker_key(keys.BOTS, 7), b"")
    store.put(key, body)
    found = markers.read_markers(store)
    assert (found.groups, found.bots) == ({p.SUPERGROUP: p.GROUP}, {7})
    (line,) = [json.loads(record.message) for record in caplog.records]
    assert line["skipped"] == key
