"""Batches on the local stack: the template deployed, bursts of updates through all of it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import obstore
import pytest
import requests

from tests import edge
from tests import payloads as p
from tests.functional.proxy import Fault, Proxy
from tests.functional.zones import Zones
from tgpipeline import deploy
from tgpipeline.deploy import health
from tgpipeline.etl import handler
from tgpipeline.lake import keys, stores
from tgpipeline.settings import Settings, aws_client

DAY = date.fromisoformat(p.DAY)
UPDATES = 1_000


@pytest.fixture
def batched(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings under which ingest is deployed with batches."""
    monkeypatch.setenv("TGPIPELINE_BATCH_SECONDS", "1")
    for stage in ("lake", "batch", "ingest"):
        deploy.stages.deploy(stage, settings)
    yield settings
    deadline = time.monotonic() + 60
    while deploy.queued(settings) and time.monotonic() < deadline:
        time.sleep(0.2)


def test_bursts_become_few_objects_and_every_row(batched: Settings) -> None:
    url = deploy.webhook.deployed(batched).url
    headers = {"X-Telegram-Bot-Api-Secret-Token": batched.webhook_secrets[0]}
    chat = p.CHAT | {"id": batched.chat_ids[0]}

    def post(number: int) -> int:
        told = p.raw(p.text(1 + number % UPDATES, "até já 👋", chat=chat))
        return requests.post(url, data=told, headers=headers, timeout=60).status_code

    with ThreadPoolExecutor(4) as pool:  # every tenth is sent again
        answers = list(pool.map(post, range(UPDATES + UPDATES // 10)))
    assert set(answers) == {200}
    raw = stores.open_store(batched.raw_bucket, batched)
    deadline = time.monotonic() + 300
    while (waiting := deploy.queued(batched)) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert not waiting
    found = [o["path"] for page in raw.list(keys.partition(keys.RAW, DAY)) for o in page]
    assert all("/batch-" in name for name in found)
    (ledger,) = handler.run(batched, [DAY])
    assert ledger.messages == UPDATES
    assert ledger.documents >= UPDATES
    assert len(found) < UPDATES  # how few, is a matter of this machine's speed
    rows = edge.table(stores.open_store(batched.enriched_bucket, batched), "messages", DAY)
    assert rows is not None
    assert sorted(rows["message_id"].to_pylist()) == list(range(1, UPDATES + 1))
    (queue,) = (row for row in health.status(batched) if row[0] == "queue")
    assert queue[1:3] == (True, "0 updates wait, the oldest for 0 seconds")


def test_a_dead_letter_comes_into_quarantine(batched: Settings) -> None:
    sqs = aws_client("sqs", batched)
    dead = deploy.Stack("batch", batched).outputs()["DeadLettersUrl"]
    sqs.send_message(QueueUrl=dead, MessageBody=p.raw(p.text(1)).decode())
    raw = stores.open_store(batched.raw_bucket, batched)
    key, deadline = keys.quarantine_key(p.raw(p.text(1)), DAY), time.monotonic() + 120
    while deploy.queued(batched) and time.monotonic() < deadline:
        time.sleep(0.2)
    found = obstore.get(raw, key)
    assert "dead letter" in found.attributes["reason"]
    assert found.bytes().to_bytes() == p.raw(p.text(1))


def test_without_batches_again_each_is_stored_by_itself(
    batched: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TGPIPELINE_BATCH_SECONDS", "0")
    deploy.stages.deploy("ingest", batched)
    headers = {"X-Telegram-Bot-Api-Secret-Token": batched.webhook_secrets[0]}
    told = p.raw(p.text(7, chat=p.CHAT | {"id": batched.chat_ids[0]}))
    url = deploy.webhook.deployed(batched).url
    assert requests.post(url, data=told, headers=headers, timeout=60).status_code == 200
    raw = stores.open_store(batched.raw_bucket, batched)
    assert obstore.get(raw, keys.update_key(7, DAY)).bytes().to_bytes() == told


WRITER = """
import json, sys
from tgpipeline import batch
print(json.dumps(batch.lambda_handler(json.load(sys.stdin), None)))
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_writer_that_is_killed_loses_nothing_and_its_batch_again_doubles_nothing(
    zones: Zones, when: str
) -> None:
    """Of three days' objects the second is being written when the function's process dies."""
    days = [DAY + timedelta(n) for n in range(3)]
    records = [
        {
            "messageId": f"m-{number}",
            "body": p.raw(p.text(number, date=p.NOON + 86_400 * (number % 3))).decode(),
            "attributes": {"SentTimestamp": str(p.NOON * 1000)},
        }
        for number in range(300)
    ]

    def write(given: list[dict[str, Any]], fault: Fault | None) -> list[str] | None:
        """What a process of its own answers to Lambda; None where it died."""
        with Proxy(zones.settings.endpoint_url, *([fault] if fault else [])) as proxy:
            told = {"AWS_ENDPOINT_URL": proxy.url, "AWS_S3_BUCKET": zones.settings.raw_bucket}
            process = subprocess.Popen(
                [sys.executable, "-c", WRITER], env=os.environ | told, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            proxy.client = process.pid
            answer, _ = process.communicate(json.dumps({"Records": given}), timeout=60)
        if process.returncode:
            return None
        failed = json.loads(answer.splitlines()[-1])["batchItemFailures"]
        return [one["itemIdentifier"] for one in failed]

    assert write(records, Fault("PUT", skip=1, count=1, kill=when)) is None
    stored = [o for page in zones.raw.list(f"{keys.RAW}/") for o in page]
    assert len(stored) == {"before": 1, "after": 2}[when]
    # SQS brings all of it again, in other batches; some of it twice.
    assert write(records[:200], None) == []
    assert write(records[150:], None) == []
    made = zones.run(*days)
    assert {day: ledger.messages for day, ledger in made.items()} == {
        day.isoformat(): 100 for day in days
    }
    assert sorted(row["message_id"] for day in days for row in zones.rows(day)) == [*range(300)]
    before = {o["path"] for page in zones.raw.list(f"{keys.RAW}/") for o in page}
    assert write(records[150:], None) == []  # the very same batch: the very same objects
    assert {o["path"] for page in zones.raw.list(f"{keys.RAW}/") for o in page} == before
