"""Imports into a raw zone, and the one table that the ETL makes of them and of the webhook's."""

import io
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import boto3
import pyarrow.parquet as pq
import pytest

from tgpipeline import history
from tgpipeline.errors import HistoryError, LakeError
from tgpipeline.etl import handler
from tgpipeline.history import lines
from tgpipeline.lake import keys, stores
from tgpipeline.local import ministack
from tgpipeline.settings import Settings

pytestmark = pytest.mark.functional
GROUP = -1002198765432
START = 1764331200  # 2025-11-28 09:00 in São Paulo


@pytest.fixture(scope="module")
def stack() -> Iterator[ministack.AwsStack]:
    with ministack.start_aws() as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment.items():
            patch.setenv(name, value)
        yield running


@pytest.fixture
def settings(stack: ministack.AwsStack, request: pytest.FixtureRequest) -> Settings:
    name = f"t{abs(hash(request.node.nodeid)):x}"
    for bucket in (f"{name}-raw", f"{name}-enriched"):
        boto3.client("s3").create_bucket(Bucket=bucket)
    return Settings.from_env(
        raw_bucket=f"{name}-raw", enriched_bucket=f"{name}-enriched", chat_ids=(GROUP,)
    )


def message(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "type": "message",
        "date_unixtime": str(START + 3600 * number),
        "from": f"Pessoa {number % 3}",
        "from_id": f"user{100 + number % 3}",
        "text": f"mensagem {number}",
    } | fields


def export(folder: Path, messages: list[dict[str, Any]], **fields: Any) -> Path:
    told = {"name": "Loja", "type": "private_supergroup", "id": 2198765432} | fields
    path = folder / "result.json"
    path.write_text(json.dumps(told | {"messages": messages}, ensure_ascii=False))
    return path


def webhook(settings: Settings, update_id: int, kind: str, number: int, **fields: Any) -> None:
    told = {
        "message_id": number,
        "date": START + 3600 * number,
        "chat": {"id": GROUP, "type": "supergroup", "title": "Loja"},
        "from": {"id": 100 + number % 3, "is_bot": False, "first_name": "Pessoa"},
        "text": f"webhook {number}",
    } | fields
    day = datetime.fromtimestamp(START + 3600 * number, UTC).astimezone(settings.tz).date()
    body = json.dumps({"update_id": update_id, kind: told}).encode()
    stores.put_new(boto3.client("s3"), settings.raw_bucket, keys.update_key(update_id, day), body)


def table(settings: Settings, name: str = "messages") -> list[dict[str, Any]]:
    days = list(stores.list_days(stores.open_store(settings.raw_bucket, settings)))
    store, rows = stores.open_store(settings.enriched_bucket, settings), []
    for ledger in handler.run(settings, days):
        assert ledger.balanced
        assert not ledger.quarantined
        found = store.get(keys.enriched_key(name, date.fromisoformat(ledger.date)))
        rows += pq.ParquetFile(io.BytesIO(found.bytes().to_bytes())).read().to_pylist()
    return sorted(rows, key=lambda row: row["message_id"])


def names(settings: Settings) -> set[str]:
    listing = stores.open_store(settings.raw_bucket, settings).list().collect()
    return {item["path"] for item in listing}


def test_every_message_becomes_its_row(settings: Settings, tmp_path: Path) -> None:
    messages = [message(n) for n in range(1, 60)]
    messages[9] |= {"photo": "a.jpg", "width": 5, "height": 5, "text": "legenda"}
    messages[19] |= {"reply_to_message_id": 4, "edited_unixtime": str(START + 10**6)}
    messages[29] |= {"type": "service", "action": "phone_call", "actor_id": "user100", "text": ""}
    messages[39] |= {"reactions": [{"type": "emoji", "emoji": "❤", "count": 2}]}
    messages.append({"id": 60, "type": "unsupported"})
    summary = history.import_export(export(tmp_path, messages), settings)
    assert (summary.messages, summary.new, summary.present) == (59, 60, 0)
    assert summary.chats == {GROUP: 59}
    assert summary.kinds == {"text": 57, "photo": 1, "unknown (phone_call)": 1}
    assert sum(summary.skipped.values()) == 1
    assert "59 messages, 2025-11-28 to 2025-11-30" in str(summary)
    rows = table(settings)
    assert [row["message_id"] for row in rows] == list(range(1, 60))
    assert [row["date"] for row in rows] == [START + 3600 * n for n in range(1, 60)]
    assert {row["source"] for row in rows} == {"history"}
    assert (rows[9]["content_type"], rows[9]["caption"]) == ("photo", "legenda")
    assert (rows[19]["reply_to_message_id"], rows[19]["reply_to_from_id"]) == (4, 101)
    assert rows[19]["edit_date"] == START + 10**6
    assert Counter(row["text"] is None for row in rows) == {False: 57, True: 2}
    (event,) = table(settings, "events")
    assert (event["message_id"], event["new_value"]) == (40, "❤=2")


def test_the_same_export_again_adds_nothing_and_a_newer_one_what_is_new(
    settings: Settings, tmp_path: Path
) -> None:
    messages = [message(n) for n in range(1, 41)]
    first = history.import_export(export(tmp_path, messages), settings)
    before = names(settings)
    again = history.import_export(export(tmp_path, messages), settings)
    assert (first.new, again.new, again.objects, again.present) == (40, 0, 0, 40)
    assert names(settings) == before

    renamed = [m | {"from": "Outro nome"} for m in messages]
    renamed[4] |= {"text": "corrigida", "edited_unixtime": str(START + 10**6)}
    newer = [*renamed, *(message(n) for n in range(41, 51))]
    summary = history.import_export(export(tmp_path, newer, name="Loja nova"), settings)
    assert (summary.new, summary.present) == (11, 39)
    rows = table(settings)
    assert len(rows) == 50
    assert rows[4]["text"] == "corrigida"


def test_webhook_and_export_are_one_row_and_the_webhook_wins_unless_the_edit_is_later(
    settings: Settings, tmp_path: Path
) -> None:
    for number in range(5, 10):
        webhook(settings, number, "message", number)
    webhook(settings, 20, "edited_message", 6, text="webhook 6 b", edit_date=START + 10**6)
    messages = [message(n) for n in range(1, 8)]
    messages[5] |= {"edited_unixtime": str(START + 10**5)}  # an older edit of 6 than the webhook's
    messages[6] |= {"edited_unixtime": str(START + 10**5), "text": "export 7 b"}
    history.import_export(export(tmp_path, messages), settings)
    rows = table(settings)
    assert [(row["message_id"], row["source"], row["text"]) for row in rows] == [
        (1, "history", "mensagem 1"),
        (2, "history", "mensagem 2"),
        (3, "history", "mensagem 3"),
        (4, "history", "mensagem 4"),
        (5, "webhook", "webhook 5"),
        (6, "webhook", "webhook 6 b"),
        (7, "history", "export 7 b"),
        (8, "webhook", "webhook 8"),
        (9, "webhook", "webhook 9"),
    ]


def test_what_stands_before_a_break_is_kept_and_the_rest_comes_with_the_whole_file(
    settings: Settings, tmp_path: Path
) -> None:
    path = export(tmp_path, [message(n) for n in range(1, 31)])
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index(b'"id": 21,') + 40])
    with pytest.raises(HistoryError, match=r"breaks off at byte .* The 20 messages before"):
        history.import_export(path, settings)
    assert [row["message_id"] for row in table(settings)] == list(range(1, 21))
    path.write_bytes(whole)
    assert history.import_export(path, settings).new == 10
    assert len(table(settings)) == 30


def test_an_account_gives_only_the_chats_that_are_ours(settings: Settings, tmp_path: Path) -> None:
    chats = [
        {"type": "saved_messages", "id": 7, "messages": [message(1)]},
        {"name": "L", "type": "private_supergroup", "id": 2198765432, "messages": [message(2)]},
        {"name": "L", "type": "private_group", "id": 4123456789, "messages": [message(3)]},
        {"name": "Ana", "type": "personal_chat", "id": 8, "messages": [message(4)]},
    ]
    path = tmp_path / "result.json"
    path.write_text(json.dumps({"chats": {"list": chats}, "left_chats": {"list": []}}))
    summary = history.import_export(path, settings)
    assert summary.chats == {GROUP: 1}
    assert summary.other_chats == {
        "7 (saved_messages)": 1,
        "-4123456789 (private_group)": 1,
        "8 (personal_chat)": 1,
    }
    for asked, expected in ((-4123456789, -4123456789), ("4123456789", -4123456789), ("Ana", 8)):
        assert history.import_export(path, settings, chat=asked).chats == {expected: 1}
    with pytest.raises(HistoryError, match=r"has no chat -5; it has .*: 7 \(saved_messages\) 1 · "):
        history.import_export(path, settings, chat=-5)

    marker = json.dumps({"from": -4123456789, "to": GROUP}).encode()
    stores.put_new(
        boto3.client("s3"), settings.raw_bucket, keys.marker_key(keys.MIGRATIONS, GROUP), marker
    )
    assert history.import_export(path, settings).chats == {GROUP: 1, -4123456789: 1}


def test_a_chat_that_is_not_ours_or_not_told_is_refused(settings: Settings, tmp_path: Path) -> None:
    before = names(settings)
    with pytest.raises(HistoryError, match=r"none of the chats in TELEGRAM_CHAT_ID; .* -42 \("):
        history.import_export(export(tmp_path, [message(1)], type="private_group", id=42), settings)
    bare = tmp_path / "bare.json"
    bare.write_text(json.dumps({"messages": [message(1)]}))
    with pytest.raises(HistoryError, match="its id as the bot sees it"):
        history.import_export(bare, settings)
    assert names(settings) == before
    assert history.import_export(bare, settings, chat=GROUP).chats == {GROUP: 1}


def test_messages_out_of_order_and_in_many_objects(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "WAITING", 5000)
    numbers = [(n * 37) % 200 + 1 for n in range(200)]
    path = export(tmp_path, [message(n) for n in numbers])
    summary = history.import_export(path, settings)
    assert summary.new == 200
    assert summary.objects > 9
    assert history.import_export(path, settings).new == 0
    assert [row["message_id"] for row in table(settings)] == list(range(1, 201))


def test_a_bucket_that_is_not_there_is_named(settings: Settings, tmp_path: Path) -> None:
    elsewhere = Settings.from_env(raw_bucket="not-there", chat_ids=(GROUP,))
    with pytest.raises(LakeError, match="s3://not-there"):
        history.import_export(export(tmp_path, [message(1)]), elsewhere)


MEASURE = """
import resource, sys
from tgpipeline import history
from tgpipeline.settings import Settings
history.import_export(sys.argv[1], Settings.from_env(raw_bucket=sys.argv[2]), chat=sys.argv[3])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_memory_does_not_grow_with_the_file(settings: Settings, tmp_path: Path) -> None:
    peaks = []
    for count in (30_000, 120_000):
        path = tmp_path / f"{count}.json"
        with path.open("w") as file:
            file.write('{"type": "private_supergroup", "id": 2198765432, "messages": [')
            for number in range(1, count + 1):
                told = message(number, date_unixtime=str(START + 30 * number), text="x" * 200)
                file.write(("," if number > 1 else "") + json.dumps(told, indent=1))
            file.write("]}")
        run = subprocess.run(
            [sys.executable, "-c", MEASURE, str(path), settings.raw_bucket, str(GROUP)],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ.copy(),
        )
        peaks.append(int(run.stdout))
        path.unlink()
    assert peaks[1] - peaks[0] < 30, f"MB at their peak: {peaks}"
