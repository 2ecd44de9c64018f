"""What the ETL makes of exports: one import or several, then the rows of the two tables."""

import json
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from obstore.store import LocalStore

from tgpipeline import history
from tgpipeline.etl import handler
from tgpipeline.history import lines
from tgpipeline.lake import keys, stores
from tgpipeline.settings import Settings

START = 1790000000
Rows = list[dict[str, Any]]


class Lake:
    """A raw and an enriched zone in folders."""

    def __init__(self, folder: Path, timezone: str = "America/Sao_Paulo") -> None:
        self.folder, self.settings = folder, Settings(timezone=timezone)
        self.raw, self.enriched = (
            LocalStore(folder / name, mkdir=True) for name in ("raw", "enriched")
        )

    def load(self, messages: Rows, **chat: Any) -> history.Summary:
        told = {"name": "Grupo", "type": "private_supergroup", "id": 77} | chat
        path = self.folder / "result.json"
        path.write_text(json.dumps(told | {"messages": messages}))
        return history.import_export(path, self.settings, store=self.raw)

    def rows(self, table: str = "messages") -> Rows:
        days = list(stores.list_days(self.raw))
        found: dict[str, Rows] = {}
        for ledger in handler.run(self.settings, days, raw=self.raw, enriched=self.enriched):
            assert ledger.balanced
            assert not ledger.quarantined
            key = keys.enriched_key(table, date.fromisoformat(ledger.date))
            made = pq.ParquetFile(self.folder / "enriched" / key).read().to_pylist()
            found[ledger.date] = made  # a day is made again where a bot is met on a later one
        return sorted(
            chain.from_iterable(found.values()), key=lambda row: (row["date"], row["message_id"])
        )


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def message(number: int, **fields: Any) -> dict[str, Any]:
    told = {"id": number, "type": "message", "from": "Rui", "from_id": "user5", "text": "oi"}
    return told | {"date_unixtime": str(START + 60 * number)} | fields


def test_the_words_of_a_rich_message_are_its_text(lake: Lake) -> None:
    blocks = [
        {"type": "heading", "text": "Troca"},
        {"type": "paragraph", "text": ["mande a ", {"type": "italic", "text": "nota"}, " fiscal"]},
        {"type": "list", "items": [{"blocks": [{"type": "paragraph", "text": "até sexta"}]}]},
    ]
    lake.load([message(1, text="", rich_message={"blocks": blocks})])
    (row,) = lake.rows()
    assert row["content_type"] == "rich_message"
    assert row["text"] == "Troca\nmande a nota fiscal\naté sexta"


@pytest.mark.parametrize("action", ["phone_call", "game_of_2030", "topic_created", "pin_message"])
def test_every_service_record_is_a_service_message(lake: Lake, action: str) -> None:
    told = {"type": "service", "actor": "Rui", "actor_id": "user5", "action": action}
    lake.load([message(1) | told, message(2)])
    rows = lake.rows()
    assert [row["is_service"] for row in rows] == [True, False]
    assert rows[0]["author_kind"] == "telegram"


@pytest.mark.parametrize(
    ("dated", "ids"),
    [
        ("2026-01-05T10:00:00", [6123456789, 4294967338, 12]),
        ("2019-01-05T10:00:00", [1828489493, 42, 12]),  # the bits above 32 tell the kind there
    ],
)
def test_ids_above_32_bits_are_people_unless_the_export_is_from_before_2021(
    lake: Lake, dated: str, ids: list[int]
) -> None:
    numbers = (6123456789, 4294967338, 12)
    told = [message(n + 1, from_id=ident, date=dated) for n, ident in enumerate(numbers)]
    for record in told:
        record.pop("date_unixtime")
    summary = lake.load(told)
    assert [row["from_id"] for row in lake.rows()] == ids
    assert ("masked" in str(summary)) is (ids[0] != numbers[0])


def test_a_group_id_above_32_bits_stays(lake: Lake) -> None:
    lake.load([message(1, from_id=8123456789)], type="private_group", id=5123456789)
    assert [row["chat_id"] for row in lake.rows()] == [-5123456789]


@pytest.mark.parametrize("told", [{}, {"forwarded_from_id": "channel9"}])
def test_a_linked_channels_post_is_telegrams_copy_and_comments_are_no_replies(
    lake: Lake, told: dict[str, Any]
) -> None:
    post = {"from": "Canal", "from_id": "channel9", "forwarded_from": "Canal", "text": "Frete?"}
    lake.load(
        [
            message(10) | post | told,
            message(11, reply_to_message_id=10),
            message(12, reply_to_message_id=11),
            message(13),
            message(14, **{"from": "Canal", "from_id": "channel9"}),  # a person, as the channel
        ]
    )
    rows = lake.rows()
    assert [row["from_id"] for row in rows] == [777000, 5, 5, 5, None]
    assert [row["sender_chat_id"] for row in rows] == [-1000000000009, *[None] * 3, -1000000000009]
    assert [row["message_thread_id"] for row in rows] == [None, 10, 10, None, None]
    assert [row["is_topic_message"] for row in rows] == [None] * 5
    assert [row["reply_to_message_id"] for row in rows] == [None, None, 11, None, None]
    assert [row["is_comment"] for row in rows] == [None, True, None, None, None]
    assert [row["author_kind"] for row in rows] == ["telegram", None, None, None, "chat"]


def test_a_topic_has_its_thread_and_its_name(lake: Lake) -> None:
    opened = {"type": "service", "actor_id": "user5", "action": "topic_created", "title": "Trocas"}
    lake.load(
        [
            message(40) | opened,
            message(41, reply_to_message_id=40),
            message(42, reply_to_message_id=41),
            message(43),
        ]
    )
    rows = lake.rows()
    assert [row["message_thread_id"] for row in rows] == [40, 40, 40, None]
    assert [row["is_topic_message"] for row in rows] == [True, True, True, None]
    assert [row["reply_to_message_id"] for row in rows] == [None, None, 41, None]
    assert [row["topic_name"] for row in rows] == ["Trocas", "Trocas", None, None]


def test_in_an_hour_that_comes_twice_ids_go_up_and_so_does_time(tmp_path: Path) -> None:
    lake = Lake(tmp_path, "Europe/Madrid")  # 2022-10-30: from 3:00 back to 2:00
    clock = ["01:30", "02:20", "02:50", "02:05", "02:40", "03:10"]
    told = [message(n, date=f"2022-10-30T{at}:00") for n, at in enumerate(clock, 1)]
    told[4] |= {"edited": "2022-10-30T02:55:00"}
    for record in told:
        record.pop("date_unixtime")
    lake.load(told)
    rows = lake.rows()
    assert [row["message_id"] for row in rows] == [1, 2, 3, 4, 5, 6]
    minutes = [(row["date"] - rows[0]["date"]) // 60 for row in rows]
    assert minutes == [0, 50, 80, 95, 130, 160]
    assert rows[4]["edit_date"] - rows[4]["date"] == 15 * 60


def reacted(*counts: int) -> list[dict[str, Any]]:
    return [{"type": "emoji", "emoji": "🔥", "count": count} for count in counts]


def test_reactions_taken_back_between_imports_are_gone(lake: Lake) -> None:
    said = []
    for counts in ((3,), (), (), (2,), (2,), (1,)):
        summary = lake.load([message(1, reactions=reacted(*counts)), message(2)])
        (row,) = lake.rows("events")
        said.append((row["new_value"], summary.new))
    assert said == [("🔥=3", 3), (None, 1), (None, 0), ("🔥=2", 1), ("🔥=2", 0), ("🔥=1", 1)]
    assert len(lake.rows()) == 2


def test_a_newer_converter_replaces_what_an_older_one_imported(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(version: int, text: str) -> tuple[int, Any, Any]:
        monkeypatch.setattr(lines, "VERSION", version)
        summary = lake.load([message(1, text=text, reactions=reacted(len(text)))])
        (row,), (event,) = lake.rows(), lake.rows("events")
        return summary.new, row["text"], event["new_value"]

    assert load(1, "aa") == (2, "aa", "🔥=2")
    assert load(1, "bbb") == (1, "aa", "🔥=3")
    assert load(2, "c") == (2, "c", "🔥=1")
    assert load(2, "dddd") == (1, "c", "🔥=4")
    assert load(1, "ee")[1] == "c", "an older converter does not come back"


def test_lines_from_before_converters_had_a_version_are_replaced(lake: Lake) -> None:
    about = {"chat": {"id": -1000000000077}, "message_id": 1, "date": START + 60}
    key = keys.history_key(b"", date(2026, 9, 21))
    old = [{"message": about | {"text": "antes"}}]
    counts = [{"type": {"type": "emoji", "emoji": "🔥"}, "total_count": 9}]
    old.append({"message_reaction_count": about | {"reactions": counts}})
    lake.raw.put(key, b"".join(json.dumps(line).encode() + b"\n" for line in old))
    assert lake.rows()[0]["text"] == "antes"
    assert lake.load([message(1, text="depois")]).new == 2
    assert [row["text"] for row in lake.rows()] == ["depois"]
    assert [row["new_value"] for row in lake.rows("events")] == [None]


def test_halves_of_surrogate_pairs_and_numbers_over_64_bits_do_not_stop_an_import(
    lake: Lake,
) -> None:
    pieces = [{"type": "plain", "text": "a\ud83d"}, {"type": "bold", "text": "b\ude00"}]
    lake.load([message(1, text=pieces), message(2, file_size=2**70, file="x"), message(3)])
    assert [row["text"] for row in lake.rows()] == ["a\ufffdb\ufffd", None, "oi"]


def test_buttons_without_a_bot_that_made_them_tell_a_bot(lake: Lake) -> None:
    buttons = {"inline_bot_buttons": [[{"type": "url", "text": "Abrir"}]]}
    lake.load([message(1, **buttons), message(2, via_bot="@gif", **buttons), message(3)])
    assert [row["from_is_bot"] for row in lake.rows()] == [True, None, None]
    assert [row["author_kind"] for row in lake.rows()] == ["bot"] * 3, "one author, met as a bot"


def test_a_bot_that_the_webhook_brought_is_a_bot_in_history(lake: Lake) -> None:
    lake.load(
        [message(1), message(2, from_id="user900"), message(3), message(4, from_id="user900")]
    )
    assert [row["author_kind"] for row in lake.rows()] == [None] * 4
    told = {"message_id": 2000, "date": START + 10**6, "chat": {"id": -1000000000077}, "text": "a"}
    told |= {"from": {"id": 900, "is_bot": True, "first_name": "Loja"}}
    key = keys.update_key(1, date(2026, 10, 3))
    lake.raw.put(key, json.dumps({"update_id": 1, "message": told}).encode())
    assert [row["author_kind"] for row in lake.rows()] == [None, "bot", None, "bot", "bot"]
