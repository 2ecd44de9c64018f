"""Attacks on the deployed webhook: nothing is stored that should not be, and nothing breaks."""

import dataclasses
import gzip
import json
import statistics
import time
import uuid

import boto3
import pytest
import requests

from tests import payloads as p
from tgpipeline import deploy

HEADER = "X-Telegram-Bot-Api-Secret-Token"
WORDS = "palavras que ninguém mais deve ler"


@pytest.fixture(scope="module")
def webhook(stack):
    """The deployed webhook; `post` sends what it is given, `kept` says what is in the bucket."""
    name = f"attacks-{uuid.uuid4().hex[:8]}"
    settings = dataclasses.replace(
        stack.settings,
        name=name,
        raw_bucket=f"{name}-raw",
        enriched_bucket=f"{name}-enriched",
        chat_ids=(p.SUPERGROUP,),
    )
    deploy.up(settings)
    yield Webhook(deploy.webhook.deployed(settings).url, settings)
    deploy.down(settings, delete_data=True)


class Webhook:
    def __init__(self, url, settings):
        self.url, self.settings = url, settings
        self.secret = settings.webhook_secrets[0]
        self.s3 = boto3.client("s3")

    def post(self, body, secret=None, **headers):
        named = {HEADER: self.secret if secret is None else secret} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return requests.post(self.url, data=body, headers=named, timeout=60)

    def kept(self):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.settings.raw_bucket)
        return {o["Key"] for page in pages for o in page.get("Contents", ())}


@pytest.fixture
def unchanged(webhook):
    """Holds that the attack stored nothing in the raw zone, and that the webhook works after it."""
    before = {key for key in webhook.kept() if not key.startswith("quarantine/")}
    yield
    after = {key for key in webhook.kept() if not key.startswith("quarantine/")}
    assert after == before
    number = time.time_ns() // 1_000
    assert webhook.post(p.raw(p.text(number))).status_code == 200
    assert f"telegram/context_date={p.DAY}/{number}.json" in webhook.kept()


@pytest.mark.parametrize("secret", ["", "wrong", "LOCAL-WEBHOOK-SECRET", "local-webhook-secret ,x"])
def test_without_the_secret_nothing_gets_in(webhook, unchanged, secret):
    before = webhook.kept()
    assert webhook.post(p.raw(p.text(1)), secret).status_code == 403
    assert webhook.post(b"nonsense", secret).status_code == 403
    assert webhook.kept() == before


def test_without_the_header_nothing_gets_in(webhook, unchanged):
    answer = requests.post(webhook.url, data=p.raw(p.text(1)), timeout=60)
    assert answer.status_code == 403


@pytest.mark.parametrize("header", [HEADER.lower(), HEADER.upper()])
def test_the_header_in_any_case_gets_in(webhook, header):
    number = time.time_ns() // 1_000
    body = p.raw(p.text(number))
    answer = requests.post(webhook.url, data=body, headers={header: webhook.secret}, timeout=60)
    assert answer.status_code == 200
    assert f"telegram/context_date={p.DAY}/{number}.json" in webhook.kept()


def test_another_chat_is_answered_and_not_stored(webhook, unchanged):
    before = webhook.kept()
    assert webhook.post(p.raw(p.text(1, chat={"id": -999, "type": "group"}))).status_code == 200
    assert webhook.kept() == before


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD"])
def test_other_methods_are_refused(webhook, unchanged, method):
    answer = requests.request(
        method, webhook.url, data=p.raw(p.text(1)), headers={HEADER: webhook.secret}, timeout=60
    )
    assert answer.status_code in (403, 404, 405)


def test_paths_cannot_be_guessed(webhook, unchanged):
    base, path = webhook.url.rsplit("/", 1)
    assert len(path) >= 22
    for guess in ("", "webhook", "telegram", path[:-1], path + "x", path.swapcase(), "../" + path):
        answer = requests.post(
            f"{base}/{guess}", data=p.raw(p.text(1)), headers={HEADER: webhook.secret}, timeout=60
        )
        assert answer.status_code in (403, 404), guess


BODIES = {
    "empty": b"",
    "no JSON": b"nonsense",
    "a form": b"update_id=1&message=x",
    "cut off": b'{"update_id": 1, "message": {"te',
    "deep list": b"[" * 300_000,
    "deep object": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "100,000 digits": b'{"update_id": ' + b"9" * 100_000 + b', "message": {}}',
    "NUL": b'{"update_id": 1, "message": {"text": "\x00"}}',
    "half a surrogate in UTF-8": b'{"update_id": 1, "message": {"text": "\xed\xa0\x80"}}',
    "not UTF-8": b'{"update_id": 1, "message": {"text": "\xff\xfe"}}',
    "UTF-16": json.dumps({"update_id": 1, "message": {}}).encode("utf-16"),
    "BOM": b"\xef\xbb\xbf{}",
    "gzip": gzip.compress(p.raw(p.text(1))),
    "no update_id": b'{"message": {"chat": {"id": -1004111222333}}}',
    "an id that is a path": b'{"update_id": "../1", "message": {"chat": {"id": -1004111222333}}}',
    "over 64 bits": b'{"update_id": 9223372036854775808, "message": {}}',
    "NaN": b'{"update_id": 1, "message": {"chat": {"id": NaN}}}',
    "words in broken JSON": ('{"update_id": 1, "message": {"text": "' + WORDS).encode(),
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "image/png"])
def test_hostile_bodies_go_to_quarantine(webhook, unchanged, name, content_type):
    answer = webhook.post(BODIES[name], Content_Type=content_type)
    assert answer.status_code == 200
    assert answer.json() == {"ok": True}


def test_what_is_in_quarantine_is_what_was_sent(webhook):
    webhook.post(BODIES["no update_id"])
    quarantined = [key for key in webhook.kept() if key.startswith("quarantine/")]
    bodies = {
        webhook.s3.get_object(Bucket=webhook.settings.raw_bucket, Key=key)["Body"].read()
        for key in quarantined
    }
    assert BODIES["no update_id"] in bodies


def test_an_oversized_body_is_refused_or_quarantined(webhook, unchanged):
    body = b'{"update_id": 1, "message": {"text": "' + b"x" * 4_000_000 + b'"}}'
    assert webhook.post(body).status_code in (200, 413)


def test_a_body_declared_as_gzip_stores_nothing(webhook, unchanged):
    body = gzip.compress(p.raw(p.text(1)))
    assert webhook.post(body, Content_Encoding="gzip").status_code in (200, 400, 415)


def test_strange_but_valid_updates_are_kept_as_they_came(webhook):
    number = time.time_ns() // 1_000
    chat = b'"chat": {"id": -1004111222333}, "date": 1764342000'
    strange = [
        b'{"update_id": %d, "message": {%s, "text": "\\ud83d"}}',
        b'{"update_id": 1, "update_id": %d, "message": {%s, "text": "a", "text": "b"}}',
        b'{"update_id": %d, "message": {%s, "message_id": ' + b"9" * 5_000 + b"}}",
        b'{"update_id": %d, "message": {%s, "text": "\\u0000\\u202e"}}',
        b'\n\t {"update_id": %d, "message": {%s}} \r\n',
    ]
    for offset, template in enumerate(strange):
        body = template % (number + offset, chat)
        assert webhook.post(body).status_code == 200
        found = webhook.s3.get_object(
            Bucket=webhook.settings.raw_bucket,
            Key=f"telegram/context_date={p.DAY}/{number + offset}.json",
        )
        assert found["Body"].read() == body
    made = deploy.invoke("etl", {"date": p.DAY}, webhook.settings)
    assert made["totals"]["quarantined"] == 0


def test_latency_stays_flat(webhook):
    def median(body):
        times = []
        for _ in range(5):
            started = time.perf_counter()
            webhook.post(body)
            times.append(time.perf_counter() - started)
        return statistics.median(times)

    usual = median(p.raw(p.text(77)))
    for name, body in BODIES.items():
        assert median(body) < usual + 0.5, name


def test_no_log_says_what_was_written(webhook):
    webhook.post(p.raw(p.text(78, WORDS)))
    webhook.post(BODIES["words in broken JSON"])
    logs = boto3.client("logs")
    found = []
    for group in logs.describe_log_groups()["logGroups"]:
        if webhook.settings.name in group["logGroupName"]:
            events = logs.filter_log_events(logGroupName=group["logGroupName"])["events"]
            found += [event["message"] for event in events]
    text = "\n".join(found)
    assert '"outcome"' in text
    for word in (WORDS, "ninguém", "Bia", "Nunes", "Clientes", webhook.secret):
        assert word not in text
