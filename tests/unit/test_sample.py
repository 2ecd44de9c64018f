"""The sample: made the same way every time, shaped as Telegram shapes it, near to real groups."""

import doctest
import gzip
import importlib
import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tgpipeline.errors import UpdateError
from tgpipeline.telegram import updates

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "sample"
sys.path.insert(0, str(SAMPLE))

import describe  # noqa: E402
import generate  # noqa: E402

GROUP, SUPERGROUP, BOT = -4123456789, -1004123456789, 7000000001


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    return describe.read()


@pytest.fixture(scope="module")
def bodies(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line["body"] for line in lines if "body" in line]


@pytest.fixture(scope="module")
def messages(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return describe.versions(lines)


@pytest.fixture(scope="module")
def truth() -> list[dict[str, Any]]:
    with gzip.open(SAMPLE / "truth.ndjson.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def test_committed_files_are_what_the_generator_makes() -> None:
    for name, made in generate.make().items():
        stored = (SAMPLE / name).read_bytes()
        stored = gzip.decompress(stored) if name.endswith(".gz") else stored
        assert stored == made, f"{name} is not what generate.py makes: run it and commit the result"


@pytest.mark.parametrize("name", ["clock", "language", "people", "shop", "telegram"])
def test_examples_in_the_generator_hold(name: str) -> None:
    assert doctest.testmod(importlib.import_module(f"aurora.{name}")).failed == 0


def test_figures_are_near_those_of_real_groups(lines: list[dict[str, Any]]) -> None:
    figures = describe.figures(lines)
    for name, (real, tolerance) in describe.REAL.items():
        assert figures[name] == pytest.approx(real, abs=tolerance), name
    assert figures["distinct texts"] > 0.85


def test_size(lines: list[dict[str, Any]], messages: list[dict[str, Any]]) -> None:
    assert len(messages) > 2500
    assert sum("body" in line for line in lines) <= 3300, "too many for a demo of four minutes"
    assert (SAMPLE / "updates.ndjson.gz").stat().st_size < 600_000
    customers = {m["from"]["id"] for m in messages if not m["from"]["is_bot"]}
    assert len(customers) > 300
    assert len({m["date"] // 86_400 for m in messages}) >= 30


def test_lines_come_in_order_of_delivery(lines: list[dict[str, Any]]) -> None:
    assert all(set(line) - {"at"} <= {"body", "sent", "raw"} and len(line) == 2 for line in lines)
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)


def test_every_kind_of_update_and_content_is_there(bodies: list[dict[str, Any]]) -> None:
    kinds = {updates.kind(body) for body in bodies}
    assert kinds == set(
        "message edited_message message_reaction callback_query chat_member my_chat_member poll "
        "poll_answer chat_mood_changed".split()
    )
    keys = {key for body in bodies for key in body.get("message", {})}
    assert keys >= set(
        "text photo caption media_group_id sticker voice video video_note animation document poll "
        "location contact dice hologram new_chat_members left_chat_member pinned_message "
        "new_chat_title migrate_to_chat_id migrate_from_chat_id forward_origin via_bot sender_chat "
        "is_automatic_forward quote reply_to_message entities caption_entities".split()
    )
    marks = [e["type"] for b in bodies for e in b.get("message", {}).get("entities", [])]
    assert set(marks) >= set("url mention text_mention bot_command email phone_number bold".split())


def test_both_libraries_read_every_update(lines: list[dict[str, Any]]) -> None:
    aiogram = pytest.importorskip("aiogram.types")
    telegram = pytest.importorskip("telegram")
    for line in lines:
        if "raw" not in line:
            update = line.get("body") or {"update_id": 1, "message": line["sent"]}
            aiogram.Update.model_validate(update)
            telegram.Update.de_json(update, bot=None)


def test_broken_bodies_are_no_updates(lines: list[dict[str, Any]]) -> None:
    broken = [line["raw"].encode("utf-8", "surrogateescape") for line in lines if "raw" in line]
    assert len(set(broken)) == 9
    for body in broken:
        with pytest.raises(UpdateError):
            updates.parse(body)


def test_some_updates_come_twice_and_one_comes_late(lines: list[dict[str, Any]]) -> None:
    seen = [
        (line["body"]["update_id"], line["at"], line["body"]) for line in lines if "body" in line
    ]
    twice = [number for number, times in Counter(s[0] for s in seen).items() if times > 1]
    assert len(twice) == 5
    days = [{(at - 3 * 3600) // 86_400 for n, at, _ in seen if n == number} for number in twice]
    assert sum(len(of_update) == 2 for of_update in days) == 1, "one repeat comes after midnight"
    late = [b for _, at, b in seen if at - b.get("message", {}).get("date", at) > 20 * 3600]
    assert len(late) == 1


def test_the_group_becomes_a_supergroup(bodies: list[dict[str, Any]]) -> None:
    said = [body["message"] for body in bodies if "message" in body]
    chats = Counter(message["chat"]["id"] for message in said)
    assert chats[GROUP] > 100
    assert chats[SUPERGROUP] > 1000
    assert sum(n for chat, n in chats.items() if chat not in (GROUP, SUPERGROUP)) == 12
    (to,) = [m for m in said if "migrate_to_chat_id" in m]
    (origin,) = [m for m in said if "migrate_from_chat_id" in m]
    assert (to["chat"]["id"], to["migrate_to_chat_id"]) == (GROUP, SUPERGROUP)
    assert (origin["chat"]["id"], origin["message_id"]) == (SUPERGROUP, 1)
    assert all(m["date"] <= to["date"] for m in said if m["chat"]["id"] == GROUP)


def test_the_bot_gets_no_update_for_its_own_messages(lines: list[dict[str, Any]]) -> None:
    for line in lines:
        if "sent" in line:
            assert line["sent"]["from"]["id"] == BOT
        elif "message" in line.get("body", {}):
            assert line["body"]["message"]["from"]["id"] != BOT


def test_offsets_count_utf16(messages: list[dict[str, Any]]) -> None:
    starts = {"mention": "@", "bot_command": "/", "url": "https://", "hashtag": "#"}
    after_emoji = 0
    for message in messages:
        text = (message.get("text") or message.get("caption") or "").encode("utf-16-le")
        for mark in message.get("entities", []) + message.get("caption_entities", []):
            start, end = mark["offset"] * 2, (mark["offset"] + mark["length"]) * 2
            part = text[start:end].decode("utf-16-le")
            after_emoji += len(text[:start].decode("utf-16-le")) != mark["offset"]
            assert part.startswith(starts.get(mark["type"], "")), mark
            if mark["type"] == "text_mention":
                assert part == mark["user"]["first_name"]
    assert after_emoji, "no entity stands after an emoji: offsets would be right by chance"


def test_replies_stay_in_their_chat(messages: list[dict[str, Any]]) -> None:
    ids = {(m["chat"]["id"], m["message_id"]) for m in messages}
    assert len(ids) == len(messages)
    for message in messages:
        if reply := message.get("reply_to_message"):
            assert reply["chat"]["id"] == message["chat"]["id"]
            assert (reply["chat"]["id"], reply["message_id"]) in ids
            assert reply["date"] <= message["date"]


def test_truth_is_about_messages_that_exist(
    messages: list[dict[str, Any]], truth: list[dict[str, Any]]
) -> None:
    by_id = {(m["chat"]["id"], m["message_id"]): m for m in messages}
    told: list[tuple[int, int]] = []
    for conversation in truth:
        told += [(chat, number) for chat, number in conversation["messages"]]
        question = by_id[tuple(conversation["question"])]
        assert question["from"]["id"] == conversation["customer_id"]
        assert conversation["solved_by"] in ("bot", "agent", "nobody")
    assert len(told) == len(set(told)), "a message is in two conversations"
    assert set(told) <= by_id.keys()
    assert sum(c["reopened"] for c in truth) > 15
    assert len({c["problem"] for c in truth}) == 12
    assert {c["first_response_by"] for c in truth} == {"bot", "agent", None}


def test_nothing_in_the_package_reads_the_truth() -> None:
    for path in (ROOT / "tgpipeline").rglob("*"):
        if path.suffix in (".py", ".sql", ".toml"):
            assert "truth.ndjson" not in path.read_text(encoding="utf-8"), path


def test_nothing_in_it_is_anybodys(lines: list[dict[str, Any]]) -> None:
    text = json.dumps(lines, ensure_ascii=True)
    cpfs = set(re.findall(r"\b\d{3}\.\d{3}\.\d{3}-\d\d\b", text))
    assert cpfs <= set(generate.life.phrases("names")["cpfs"])
    assert all(f.startswith("+55 11 90000-") for f in re.findall(r"\+55 [\d -]+", text))
    mails = re.findall(r"[\w.+-]+@[\w-]+\.[\w.]*\w", text)
    assert {m.split("@")[1] for m in mails} <= {"example.com", "aurora.example"}
    assert all(".example/" in url for url in re.findall(r"https?://[^\s\"\\]+/", text))
