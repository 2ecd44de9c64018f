"""The commands against the local stack, as someone types them."""

import dataclasses
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest

from tgpipeline import ingest, lake, updates
from tgpipeline.deploy import storage
from tgpipeline.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tgpipeline(settings: Settings):
    """Runs a command in a process of its own, with these settings in its environment."""
    storage.ensure_bucket(settings.raw_bucket, settings)
    storage.ensure_bucket(settings.enriched_bucket, settings)
    environment = os.environ | {
        "AWS_S3_BUCKET": settings.raw_bucket,
        "AWS_S3_ENRICHED": settings.enriched_bucket,
        "TGPIPELINE_NAME": settings.name,
        "TELEGRAM_CHAT_ID": "-1009876543210",
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tgpipeline", *arguments]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, cwd=ROOT
        )

    return run


def message(message_id: int, text: str) -> dict:
    chat = {"id": -1009876543210, "type": "supergroup", "title": "Loja"}
    return {"message_id": message_id, "date": 1764340200, "chat": chat, "text": text}


def test_etl_verify_and_quarantine(settings, tgpipeline):
    s3 = boto3.client("s3")
    ours = dataclasses.replace(settings, chat_ids=(-1009876543210,))
    received = datetime(2025, 11, 28, 15, tzinfo=UTC)
    for number in range(3):
        body = json.dumps({"update_id": number, "message": message(number + 1, "oi")}).encode()
        assert ingest.store(body, ours, s3, received)["outcome"] == "stored"
    assert ingest.store(b"{", ours, s3, received)["outcome"] == "quarantined"
    bad = lake.partition(lake.RAW, updates.context_date(message(1, ""), settings.tz, received))
    s3.put_object(Bucket=settings.raw_bucket, Key=f"{bad}9.json", Body=b"[]")

    before = tgpipeline("etl", "--date", "2025-11-28", "--verify")
    assert before.returncode == 3, before.stderr
    assert "missing, with 4 raw objects" in before.stdout
    done = tgpipeline("etl", "--date", "2025-11-28")
    assert done.returncode == 0, done.stderr
    assert "4 documents → 3 messages, 0 events" in done.stdout
    assert "1 quarantined" in done.stdout
    after = tgpipeline("etl", "--date", "2025-11-28", "--verify")
    assert after.stdout == "2025-11-28 ok\n", after.stderr

    listed = tgpipeline("quarantine", "list")
    assert "not an object but list" in listed.stdout
    assert "2 in quarantine" in listed.stdout
    again = tgpipeline("quarantine", "retry")
    assert again.returncode == 3
    assert "2 in quarantine" in again.stdout


def test_up_status_down(tgpipeline):
    plan = tgpipeline("up", "--dry-run")
    assert plan.returncode == 0, plan.stderr
    assert "would " in plan.stdout
    done = tgpipeline("up")
    assert done.returncode == 0, done.stderr
    assert "/_user_request_/" in done.stdout
    assert "Nothing to change" in tgpipeline("up").stdout
    status = tgpipeline("status")
    assert status.returncode in (0, 3), status.stderr
    assert "ingest" in status.stdout
    refused = tgpipeline("down", "--delete-data")
    assert refused.returncode == 1
    assert "--yes" in refused.stderr
    gone = tgpipeline("down", "--delete-data", "--yes")
    assert gone.returncode == 0, gone.stderr


def test_import_then_etl(tmp_path, tgpipeline):
    said = {
        "id": 7,
        "type": "message",
        "date": "2025-11-28T11:30:00",
        "date_unixtime": "1764340200",
        "from": "Ana",
        "from_id": "user5",
        "text": "bom dia",
    }
    export = {"name": "Loja", "type": "private_supergroup", "id": 9876543210, "messages": [said]}
    (tmp_path / "result.json").write_text(json.dumps(export), encoding="utf-8")
    done = tgpipeline("import", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "2025-11-28" in done.stdout
    assert "→ 1 messages" in tgpipeline("etl", "--date", "2025-11-28").stdout
    wrong = tgpipeline("import", str(tmp_path / "nothing.json"))
    assert wrong.returncode == 1
    assert "nothing.json" in wrong.stderr
