"""The commands against the local stack, as someone types them."""

import dataclasses
import json
import os
import re
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import boto3
import pytest
import requests

from tgpipeline import deploy, ingest
from tgpipeline.lake import keys, stores
from tgpipeline.settings import Settings
from tgpipeline.telegram import updates

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tgpipeline(settings: Settings):
    """Runs a command in a process of its own, with these settings in its environment."""
    deploy.stages.deploy("lake", settings)
    environment = os.environ | {
        "AWS_S3_BUCKET": settings.raw_bucket,
        "AWS_S3_ENRICHED": settings.enriched_bucket,
        "TGPIPELINE_NAME": settings.name,
        "TELEGRAM_CHAT_ID": "-1009876543210",
    }

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tgpipeline", *arguments],
            env=environment | variables,
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )

    return run


def message(message_id: int, text: str) -> dict:
    chat = {"id": -1009876543210, "type": "supergroup", "title": "Loja"}
    return {"message_id": message_id, "date": 1764340200, "chat": chat, "text": text}


def test_etl_and_quarantine(settings, tgpipeline):
    s3 = boto3.client("s3")
    ours = dataclasses.replace(settings, chat_ids=(-1009876543210,))
    received = datetime(2025, 11, 28, 15, tzinfo=UTC)
    for number in range(3):
        body = json.dumps({"update_id": number, "message": message(number + 1, "oi")}).encode()
        assert ingest.store(body, ours, s3, received)["outcome"] == "stored"
    assert ingest.store(b"{", ours, s3, received)["outcome"] == "quarantined"
    bad = keys.partition(keys.RAW, updates.context_date(message(1, ""), settings.tz, received))
    s3.put_object(Bucket=settings.raw_bucket, Key=f"{bad}9.json", Body=b"[]")

    done = tgpipeline("etl", "--date", "2025-11-28")
    assert done.returncode == 0, done.stderr
    assert "4 documents → 3 messages, 0 events" in done.stdout
    assert "1 quarantined" in done.stdout
    after = tgpipeline("etl", "--date", "2025-11-28")
    assert "2025-11-28 unchanged" in after.stdout, after.stderr

    listed = tgpipeline("quarantine", "list")
    assert "not an object but list" in listed.stdout
    assert "2 in quarantine" in listed.stdout
    again = tgpipeline("quarantine", "retry")
    assert again.returncode == 3
    assert "2 in quarantine" in again.stdout


def test_up_status_package_down(settings, stack, tgpipeline):
    secret = {"TELEGRAM_WEBHOOK_SECRET": "kept-out-of-sight"}
    alone = secret | {"TELEGRAM_BOT_TOKEN": ""}
    planned = tgpipeline("up", "--dry-run", **alone)
    assert planned.returncode == 0, planned.stderr
    assert f"would {settings.name}-etl: add AWS::Lambda::Function Function" in planned.stdout
    made = tgpipeline("up", **alone)
    assert made.returncode == 0, made.stderr
    assert "CREATE_COMPLETE" in made.stdout
    assert "Athena answers" in made.stdout
    assert "/_user_request_/" in made.stdout
    again = tgpipeline("up", **secret)
    assert again.returncode == 0, again.stderr  # there is nothing to mend, but one step to take
    assert "Nothing to change" in again.stdout
    assert "Next: `tgpipeline check --set-webhook`" in again.stdout
    unknown = tgpipeline("up", **secret, TELEGRAM_BOT_TOKEN="1:wrong")
    assert unknown.returncode == 3, unknown.stderr  # with a bot's token it examines the bot, too
    assert "Copy the token again" in unknown.stdout
    stack.bot.set_webhook("https://shop.example/half-a-secret")
    try:
        other = tgpipeline("up", **secret)
    finally:
        stack.bot.delete_webhook()
    assert other.returncode == 3, other.stderr
    assert "another one is set: shop.example" in other.stdout
    status = tgpipeline("status", **secret)
    assert status.returncode == 0, status.stdout + status.stderr
    commands = tgpipeline("package", **secret)
    assert commands.stdout.count("aws cloudformation deploy --stack-name") == 4
    refused = tgpipeline("down", "--delete-data", **secret)
    assert refused.returncode == 1
    assert "say --yes where nobody can be asked" in refused.stderr
    gone = tgpipeline("down", "--delete-data", "--yes", **secret)
    assert gone.returncode == 0, gone.stderr
    assert deploy.resources(settings) == []
    for done in (planned, made, again, unknown, other, status, commands, refused, gone):
        assert "kept-out-of-sight" not in done.stdout + done.stderr


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


def test_a_retry_without_our_chats_deletes_nothing(settings, tgpipeline):
    s3 = boto3.client("s3")
    body = json.dumps({"update_id": 7, "message": message(7, "a única cópia")}).encode()
    key = keys.quarantine_key(body, date(2025, 11, 28))
    s3.put_object(Bucket=settings.raw_bucket, Key=key, Body=body, Metadata={"reason": "of old"})
    refused = tgpipeline("quarantine", "retry", TELEGRAM_CHAT_ID="")
    assert refused.returncode == 1
    assert "TELEGRAM_CHAT_ID not set" in refused.stderr
    strange = tgpipeline("quarantine", "retry", TELEGRAM_CHAT_ID="-5")
    assert strange.returncode == 3
    assert f"{key}  other_chat" in strange.stdout
    assert s3.get_object(Bucket=settings.raw_bucket, Key=key)["Body"].read() == body
    s3.put_object(Bucket=settings.raw_bucket, Key=key + "x", Body=body, Metadata={"reason": "x"})
    done = tgpipeline("quarantine", "retry", key)
    assert done.stdout == f"{key}  stored\n0 in quarantine\n"
    assert s3.head_object(Bucket=settings.raw_bucket, Key=key + "x"), "the one that was named alone"
    stored = f"{keys.partition(keys.RAW, date(2025, 11, 28))}7.json"
    assert s3.get_object(Bucket=settings.raw_bucket, Key=stored)["Body"].read() == body


def test_what_can_be_read_now_has_its_day_named(settings, tgpipeline):
    s3, day = boto3.client("s3"), date(2025, 11, 28)
    for number, body in ((8, b"{"), (9, json.dumps({"update_id": 9, "poll": {}}).encode())):
        s3.put_object(
            Bucket=settings.raw_bucket,
            Key=keys.quarantine_key(body, day),
            Body=body,
            Metadata={"reason": "not JSON", "origin": f"{number}.json"},
        )
    done = tgpipeline("quarantine", "retry")
    assert done.returncode == 3
    assert "1 readable now: tgpipeline etl --date 2025-11-28 --rebuild" in done.stdout
    assert "1 in quarantine" in done.stdout
    assert tgpipeline("quarantine", "list", "--from", "2025-11-29").stdout == "0 in quarantine\n"
    assert tgpipeline("quarantine", "list", "--to", "2025-11-28").stdout.endswith(
        "1 in quarantine\n"
    )


def test_quarantine_show_tells_what_an_operator_needs(settings, tgpipeline):
    s3 = boto3.client("s3")
    day = date(2025, 11, 28)
    body = "{não\x1b[2J".encode() + b"\xff" + b"x" * 5_000
    posted, found = (keys.quarantine_key(b, day) for b in (body, b""))
    notes = {"reason": "not JSON", "origin": "history-ab.ndjson:17"}
    put = {"Bucket": settings.raw_bucket}
    s3.put_object(**put, Key=posted, Body=body, Metadata={"reason": "not UTF-8"})
    s3.put_object(**put, Key=found, Body=b"", Metadata=notes)
    told = tgpipeline("quarantine", "show", posted).stdout
    assert re.search(r"^reason +not UTF-8$", told, re.MULTILINE)
    assert re.search(r"^origin +the webhook; there is no other copy$", told, re.MULTILINE)
    assert re.search(r"^size +5,010 bytes$", told, re.MULTILINE)
    shown = re.search(r"^begins +\{não\\x1b\[2J\\xff(x+) …$", told, re.MULTILINE)
    assert len(shown[1]) == 600 - 10, "600 bytes, of which ten come before"
    told = tgpipeline("quarantine", "show", found).stdout
    assert f"{keys.partition(keys.RAW, day)}history-ab.ndjson:17, where the ETL found it" in told
    assert re.search(r"^size +0 bytes$", told, re.MULTILINE)
    missing = tgpipeline("quarantine", "show", "quarantine/context_date=2025-11-28/no.bin")
    assert missing.returncode == 1
    assert "quarantine list" in missing.stderr
    assert "Traceback" not in missing.stderr


@pytest.mark.parametrize("command", [("etl", "--date", "2025-11-28"), ("quarantine", "list")])
def test_a_bucket_that_is_not_there_is_told_without_a_traceback(tgpipeline, command):
    failed = tgpipeline(*command, AWS_S3_BUCKET="nowhere-at-all-1")
    assert failed.returncode == 1
    assert "s3://nowhere-at-all-1" in failed.stderr
    assert "Check " in failed.stderr
    assert "Traceback" not in failed.stderr


def test_check_and_rotate_secret_on_a_deployed_bot(settings, stack, tgpipeline):
    ours = dataclasses.replace(settings, chat_ids=(stack.telegram.group_id,))
    chat = {"TELEGRAM_CHAT_ID": str(stack.telegram.group_id), "TELEGRAM_WEBHOOK_SECRET": ""}
    before = tgpipeline("check", **chat)
    assert re.search(r"^ok +webhook +none set", before.stdout, re.MULTILINE), before.stderr
    nothing = tgpipeline("rotate-secret", **chat)
    assert nothing.returncode == 1
    assert "none to replace" in nothing.stderr
    deploy.up(ours)
    url = deploy.webhook.deployed(ours).url
    with_secret = {**chat, "TELEGRAM_WEBHOOK_SECRET": ours.webhook_secret}
    stack.bot.set_webhook("https://shop.example/half-a-secret")
    try:
        kept = tgpipeline("check", "--set-webhook", **with_secret)
        assert kept.returncode == 1
        assert "a webhook is set at shop.example" in kept.stderr, "and nobody is there to ask"
        assert "half-a-secret" not in kept.stdout + kept.stderr
        stack.bot.delete_webhook()
        made = tgpipeline("check", "--set-webhook", **with_secret)
        assert made.returncode == 0, made.stdout + made.stderr
        checked = tgpipeline("check", **chat)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert re.search(r"^ok +webhook +ours$", checked.stdout, re.MULTILINE)
        assert url not in checked.stdout + checked.stderr
        alone = tgpipeline("check", **chat, AWS_ACCESS_KEY_ID="")
        assert alone.returncode == 3
        assert "another one is set" in alone.stdout
        assert "--url says it" in alone.stderr
        other = tgpipeline("check", "--url", "https://elsewhere.example/hook", **chat)
        assert other.returncode == 3
        former = {"TELEGRAM_WEBHOOK_SECRET": ours.webhook_secret}
        rotated = tgpipeline("rotate-secret", **chat | former)
        assert rotated.returncode == 0, rotated.stderr
        assert "Unset TELEGRAM_WEBHOOK_SECRET" in rotated.stdout
        old = requests.post(url, b"{}", headers={ingest.SECRET_HEADER: ours.webhook_secret})
        assert old.status_code == 403
        stack.telegram.say({"id": 9, "is_bot": False, "first_name": "Ana"}, "ainda me ouvem?")
        stack.telegram.wait_delivered()
        assert tgpipeline("check", **chat).returncode == 0
        assert list(stores.list_days(stores.open_store(settings.raw_bucket, settings)))
    finally:
        stack.bot.delete_webhook()
