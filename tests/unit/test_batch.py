"""Batches: what goes into the queue, what comes out of it, and that the rows stay the same."""

import base64
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from obstore.store import MemoryStore

from tests import edge
from tests import payloads as p
from tgpipeline import batch, ingest
from tgpipeline.errors import LakeError
from tgpipeline.etl import handler
from tgpipeline.lake import keys
from tgpipeline.local import replay
from tgpipeline.settings import Settings
from tgpipeline.telegram import updates

QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/queue"
DEAD = "arn:aws:sqs:us-east-1:123456789012:dead"
SETTINGS = Settings.from_env(
    env={},
    raw_bucket="raw",
    chat_ids=(p.SUPERGROUP, p.GROUP, p.CHANNEL["id"]),
    queue_url=QUEUE,
)
DAY = date.fromisoformat(p.DAY)


class Queue:
    """The one call of SQS's client that ingest makes, and Lambda's records of what was sent.

    Like SQS it delivers at least once and in no order.
    """

    def __init__(self) -> None:
        self.waiting: list[dict[str, Any]] = []

    def send_message(self, **call: Any) -> None:
        assert call["QueueUrl"] == QUEUE
        self.waiting.append(
            {
                "messageId": f"m-{len(self.waiting)}",
                "body": call["MessageBody"],
                "attributes": {"SentTimestamp": str(p.NOON * 1000)},
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:queue",
            }
        )

    def batches(self, seed: int = 0) -> Iterator[list[dict[str, Any]]]:
        """All that waits, in batches of any size; every seventh message comes once more."""
        chance = random.Random(seed)
        waiting = [*self.waiting, *self.waiting[::7]]
        chance.shuffle(waiting)
        while waiting:
            size = chance.choice((1, 10, 300))
            yield waiting[:size]
            del waiting[:size]


class Refusing(edge.MemoryS3):
    """S3 that refuses the first so many writes, or is killed after one of them."""

    def __init__(self, store: MemoryStore, refuses: int = 0) -> None:
        super().__init__(store)
        self.refuses = refuses

    def put_object(self, **call: Any) -> None:
        if self.refuses:
            self.refuses -= 1
            raise ClientError({"Error": {"Code": "SlowDown"}}, "PutObject")
        super().put_object(**call)


def names(raw: MemoryStore) -> list[str]:
    return sorted(o["path"] for page in raw.list() for o in page)


def body(raw: MemoryStore, key: str) -> bytes:
    return raw.get(key).bytes().to_bytes()


def take(queue: Queue, s3: edge.MemoryS3, settings: Settings = SETTINGS) -> list[str]:
    return batch.store(queue.waiting, settings, s3)


def test_an_update_goes_into_the_queue_with_its_day_and_out_of_it_as_it_came() -> None:
    raw, queue = MemoryStore(), Queue()
    told = [p.raw(p.text(n, "até já 👋", edit_date=p.NOON + 90_000)) for n in (1, 2)]
    for one in told:
        line = ingest.store(one, SETTINGS, edge.MemoryS3(raw), edge.RECEIVED, queue)
        assert line["outcome"] == "queued"
    assert not names(raw)
    assert take(queue, edge.MemoryS3(raw)) == []
    whole = b"\n".join(told) + b"\n"
    assert names(raw) == [keys.batch_key(whole, DAY)]
    assert body(raw, names(raw)[0]) == whole


@pytest.mark.parametrize(
    "told",
    [
        json.dumps(p.text(1), indent=1).encode(),
        p.raw(p.text(1)).replace(b"{", b"{\r", 1),
        p.raw(p.text(1, "\ufffe")),
        p.raw(p.text(1, "a" * batch.LONGEST)),
        p.raw(p.update(1, "poll", {"id": "9", "question": "?", "options": []})),
    ],
    ids=["line break", "return", "not for sqs", "too long", "without a date"],
)
def test_what_the_queue_cannot_carry_gets_an_object_of_its_own(told: bytes) -> None:
    raw, queue = MemoryStore(), Queue()
    line = ingest.store(told, SETTINGS, edge.MemoryS3(raw), edge.RECEIVED, queue)
    assert (line["outcome"], queue.waiting) == ("stored", [])
    (name,) = names(raw)
    assert name.endswith("/1.json")
    assert body(raw, name) == told


def test_what_is_not_stored_without_batches_is_not_sent_either() -> None:
    raw, queue, other = MemoryStore(), Queue(), p.text(1, chat=p.CHAT | {"id": -5})
    for told, outcome in ((b"{", "quarantined"), (p.raw(other), "other_chat")):
        line = ingest.store(told, SETTINGS, edge.MemoryS3(raw), edge.RECEIVED, queue)
        assert line["outcome"] == outcome
    assert not queue.waiting


def test_who_asks_for_privacy_is_answered_with_batches_too() -> None:
    asks = [{"type": "bot_command", "offset": 0, "length": 8}]
    queue, told = Queue(), p.raw(p.text(1, "/privacy", entities=asks))
    line = ingest.store(told, SETTINGS, None, edge.RECEIVED, queue)
    assert line["outcome"] == "queued"
    assert line["reply"]["method"] == "sendMessage"


def test_a_queue_that_refuses_is_a_failed_store() -> None:
    class Gone:
        def send_message(self, **_: Any) -> None:
            code = {"Error": {"Code": "AWS.SimpleQueueService.NonExistentQueue"}}
            raise ClientError(code, "SendMessage")

    with pytest.raises(LakeError, match=f"{QUEUE} did not take an update .*NonExistentQueue"):
        ingest.store(p.raw(p.text(1, "segredo")), SETTINGS, None, edge.RECEIVED, Gone())


def test_the_same_batch_again_is_the_same_object_and_each_day_has_its_own() -> None:
    raw, queue = MemoryStore(), Queue()
    for number in range(6):
        told = p.raw(p.text(number, date=p.NOON + 86_400 * (number % 2)))
        ingest.store(told, SETTINGS, None, edge.RECEIVED, queue)
    for _ in range(2):
        queue.waiting.reverse()
        assert take(queue, edge.MemoryS3(raw)) == []
    assert [keys.day_of(name) for name in names(raw)] == [DAY, DAY + timedelta(1)]
    assert body(raw, names(raw)[0]).count(b"\n") == 3


def test_only_what_failed_comes_again_and_nothing_is_lost() -> None:
    raw, queue = MemoryStore(), Queue()
    for number in range(4):
        told = p.raw(p.text(number, date=p.NOON + 86_400 * (number % 2)))
        ingest.store(told, SETTINGS, None, edge.RECEIVED, queue)
    failed = take(queue, Refusing(raw, refuses=1))
    assert failed == ["m-0", "m-2"]
    assert [keys.day_of(name) for name in names(raw)] == [DAY + timedelta(1)]
    queue.waiting = [one for one in queue.waiting if one["messageId"] in failed]
    assert take(queue, edge.MemoryS3(raw)) == []
    assert len(names(raw)) == 2


def test_a_dead_letter_ends_in_quarantine_with_a_reason_and_waits_while_s3_refuses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_SQS_DEAD_LETTERS", DEAD)
    raw, queue = MemoryStore(), Queue()
    ingest.store(p.raw(p.text(1)), SETTINGS, None, edge.RECEIVED, queue)
    queue.waiting[0]["eventSourceARN"] = DEAD
    assert take(queue, Refusing(raw, refuses=1)) == ["m-0"]
    kept: dict[str, str] = {}

    class Keeping(edge.MemoryS3):
        def put_object(self, **call: Any) -> None:
            kept.update(call["Metadata"])
            super().put_object(**call)

    assert take(queue, Keeping(raw)) == []
    assert names(raw) == [keys.quarantine_key(p.raw(p.text(1)), DAY)]
    assert "dead letter" in kept["reason"]


@pytest.mark.parametrize("spoilt", [{"body": "{}"}, {"body": "{\n}"}])
def test_a_stranger_in_the_queue_is_set_aside_and_the_rest_is_stored(
    spoilt: dict[str, Any],
) -> None:
    raw, queue = MemoryStore(), Queue()
    for number in range(3):
        ingest.store(p.raw(p.text(number)), SETTINGS, None, edge.RECEIVED, queue)
    queue.waiting[1] |= spoilt
    assert take(queue, edge.MemoryS3(raw)) == []
    aside, stored = names(raw)
    assert keys.day_of(aside) == DAY
    assert body(raw, stored).count(b"\n") == 2


def test_a_log_line_has_no_text(capsys: pytest.CaptureFixture[str]) -> None:
    queue = Queue()
    ingest.store(p.raw(p.text(1, "segredo")), SETTINGS, None, edge.RECEIVED, queue)
    take(queue, edge.MemoryS3(MemoryStore()))
    assert "segredo" not in capsys.readouterr().out


def everything() -> list[tuple[bytes, datetime]]:
    """The sample, and each kind of update and of content, with the time of receipt."""
    found = []
    for line in replay.lines():
        when = datetime.fromtimestamp(int(line["at"] * 1000) / 1000, UTC)
        if "body" in line:
            found.append((p.raw(line["body"]), when))
        elif "raw" in line:
            found.append((line["raw"].encode("utf-8", "replace"), when))
    number = 10**9
    for kind, (content, _) in p.EVENTS.items():
        found.append((p.raw(p.update(number := number + 1, kind, content)), edge.RECEIVED))
    for name, value in p.CONTENTS.items():
        told = p.update(number := number + 1, content=p.message(number, **{name: value}))
        found.append((p.raw(told), edge.RECEIVED))
    # Telegram sends some again, after midnight too.
    return found + [(one, when + timedelta(hours=20)) for one, when in found[::11]]


def test_the_rows_are_the_same_with_and_without_batches() -> None:
    bodies = everything()
    chats = {updates.chat_id(update) or 0 for update in _readable(bodies)}
    settings = replace(SETTINGS, chat_ids=tuple(sorted(chat for chat in chats if chat < 0)))
    single, batched, queue = MemoryStore(), MemoryStore(), Queue()
    for told, when in bodies:
        ingest.store(told, settings, edge.MemoryS3(single), when)
        ingest.store(told, settings, edge.MemoryS3(batched), when, queue)
    s3 = Refusing(batched, refuses=3)
    for records in queue.batches():
        while records:
            failed = batch.store(records, settings, s3)
            records = [one for one in records if one["messageId"] in failed]
    days = sorted({keys.day_of(name) for name in names(single) if "context_date" in name})
    made = []
    for raw in (single, batched):
        enriched = MemoryStore()
        ledgers = edge.run(raw, enriched, days, chat_ids=settings.chat_ids)
        made.append((edge.content(enriched, days), edge.total(ledgers, "quarantined")))
    assert made[0] == made[1]
    assert sum(map(len, made[0][0].values())) > 2_500
    assert len(names(batched)) < len(names(single)) / 4


def _readable(bodies: list[tuple[bytes, datetime]]) -> Iterator[dict[str, Any]]:
    for told, _ in bodies:
        try:
            yield updates.parse(told)
        except Exception:
            continue


def test_the_function_reports_what_failed_to_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_S3_BUCKET", "raw")
    monkeypatch.setenv("TIMEZONE", "America/Sao_Paulo")
    queue = Queue()
    ingest.store(p.raw(p.text(1)), SETTINGS, None, edge.RECEIVED, queue)
    monkeypatch.setattr(batch.stores, "client", lambda service: Refusing(MemoryStore(), 99))
    answer = batch.lambda_handler({"Records": queue.waiting}, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m-0"}]}


def test_binary_bodies_come_through_api_gateway_s_encoding() -> None:
    event = {"body": base64.b64encode(p.raw(p.text(1))).decode(), "isBase64Encoded": True}
    assert batch.sendable(ingest._body(event))


def test_a_batch_that_comes_after_the_nightly_run_is_taken_by_a_later_one() -> None:
    raw, enriched, queue = MemoryStore(), MemoryStore(), Queue()

    def night(after: int) -> dict[str, Any]:
        scheduled = datetime(2025, 11, 28, 3, 15, tzinfo=UTC) + timedelta(after)
        event = {"scheduled_time": scheduled.isoformat()}
        return edge.run(raw, enriched, handler.days_of(event, SETTINGS))

    for number in range(4):
        ingest.store(p.raw(p.text(number)), SETTINGS, None, edge.RECEIVED, queue)
    late, queue.waiting = queue.waiting[3:], queue.waiting[:3]
    assert take(queue, edge.MemoryS3(raw)) == []
    assert night(1)[p.DAY].messages == 3
    assert night(2)[p.DAY].status == "unchanged"
    queue.waiting = late
    assert take(queue, edge.MemoryS3(raw)) == []
    made = night(SETTINGS.lookback_days + 1)[p.DAY]
    assert (made.status, made.messages) == ("written", 4)
    assert p.DAY not in night(SETTINGS.lookback_days + 2)  # later ones need a run by hand
