"""From an export to answers in one call, without a server; bad files say what they are."""

import json
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from tgpipeline import cli
from tgpipeline.analytics import from_export, report
from tgpipeline.analytics.from_export import DuckDB, read_export
from tgpipeline.analytics.language import words
from tgpipeline.errors import HistoryError, QueryError

ZONE = ZoneInfo("America/Sao_Paulo")
BEGIN = datetime(2026, 3, 2, 9, 30, tzinfo=ZONE)


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_S3_BUCKET", "AWS_S3_ENRICHED", "TELEGRAM_CHAT_ID", "TIMEZONE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")


def message(number: int, text: str = "onde está meu pedido?", **fields: Any) -> dict[str, Any]:
    sent = BEGIN + timedelta(hours=5 * number)
    told = {"id": number, "type": "message", "from": f"Pessoa {number % 4}", "text": text}
    told |= {"from_id": f"user{10 + number % 4}", "date_unixtime": str(int(sent.timestamp()))}
    return told | {"date": sent.isoformat()[:19]} | fields


def chat(messages: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    told = {"name": "Loja", "type": "private_supergroup", "id": 1234}
    return told | fields | {"messages": messages}


def write(folder: Path, told: Any) -> Path:
    path = folder / "result.json"
    path.write_text(json.dumps(told, ensure_ascii=False), "utf-8")
    return path


def test_an_export_is_asked_as_a_lake_is(tmp_path: Path) -> None:
    messages = [message(n, reply_to_message_id=n - 1) for n in range(1, 60)]
    group = read_export(write(tmp_path, chat(messages)))
    per_day = group.query("messages_per_day")
    days = Counter(m["date"][:10] for m in messages)
    counted = {
        str(day.date()): n for day, n in zip(per_day["day"], per_day["messages"], strict=True) if n
    }
    assert counted == days
    total = group.query("SELECT count(*) AS n, sum(length(text)) AS letters FROM messages")
    assert total.to_dict("records") == [{"n": 59, "letters": 59 * 21}]
    assert group.query("people", start="2026-03-03", end="2026-03-03")["messages"].sum() == 5
    assert len(group.conversations())
    page = group.report(tmp_path / "page.html").read_text("utf-8")
    assert "59" in page
    assert "USD" not in page


def test_columns_have_the_types_that_athenas_answers_have(tmp_path: Path) -> None:
    group = read_export(write(tmp_path, chat([message(1)])))
    sql = """SELECT 1 AS a, sum(1) AS b, CAST(1.5 AS double) AS c, true AS d, 'x' AS e,
        DATE '2026-01-02' AS f, TIMESTAMP '2026-01-02 03:04:05' AS g, CAST(NULL AS bigint) AS h"""
    frame = group.query(sql)
    kinds = "Int64 Int64 float64 boolean string datetime64[s] datetime64[ms] Int64".split()
    assert [str(kind) for kind in frame.dtypes] == kinds
    assert frame["g"][0] == pd.Timestamp("2026-01-02 03:04:05")
    with pytest.raises(QueryError, match="SQL failed"):
        group.query("SELECT nothing FROM messages")


def test_a_period_is_what_the_data_holds_and_one_without_data_fails(tmp_path: Path) -> None:
    group = read_export(write(tmp_path, chat([message(n) for n in (1, 40)])))
    assert group.period() == {"start": date(2026, 3, 2), "end": date(2026, 3, 10)}
    assert group.period("2026-03-05") == {"start": date(2026, 3, 5), "end": date(2026, 3, 10)}
    for given in (("2026-03-03", "2026-03-09"), ("2027-01-01", None)):
        with pytest.raises(QueryError, match="messages on 2 days from 2026-03-02 to 2026-03-10"):
            group.report(tmp_path / "no.html", start=given[0], end=given[1])
    with pytest.raises(QueryError, match="start must be a date, as in 2025-11-28"):
        group.query("messages_per_day", start="yesterday")
    assert not (tmp_path / "no.html").exists()


def test_days_are_those_of_the_zone_that_is_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path, chat([message(1, date_unixtime="1772420400")]))  # 3:00 in London
    assert read_export(path, timezone="Europe/London").period()["start"] == date(2026, 3, 2)
    assert read_export(path, timezone="America/New_York").period()["start"] == date(2026, 3, 1)


def test_clocks_other_than_the_zones_are_told(tmp_path: Path) -> None:
    told = {"date": "2026-03-02T10:00:00", "date_unixtime": "1772420400"}  # 3:00 in London
    path = write(tmp_path, chat([message(1, **told)]))
    (note,) = read_export(path, timezone="America/Sao_Paulo").notes
    assert note.startswith("where it was exported, clocks showed 2026-03-02T10:00:00, which was ")
    assert "2026-03-02T00:00:00 in America/Sao_Paulo" in note
    assert read_export(path, timezone="Asia/Jakarta").notes == []
    path = write(tmp_path, chat([message(1, **{**told, "date": "2026-03-02 10:00:00.000"})]))
    assert read_export(path, timezone="Asia/Jakarta").notes == [], "the same clocks"
    for odd in ("2026-03-02", "2020-03-02T10:00:00", "soon", 7):
        path = write(tmp_path, chat([message(1, **{**told, "date": odd})]))
        assert len(read_export(path).notes) == 1, "whatever it says, the import goes on"


TWO = {"chats": {"list": [chat([message(1)]), chat([message(n) for n in (1, 2)], name="B", id=9)]}}


@pytest.mark.parametrize(
    ("told", "says"),
    [
        (TWO, r"of several chats; it has .*: -1000000000009 .* 2 · -1000000001234 .* 1\."),
        (TWO, r"\(on the command line --chat\): its title, or its id as the bot sees it"),
        (chat([]), "holds no message that can be read"),
        (chat([{"id": 1, "type": "unsupported"}]), "unsupported by Telegram Desktop"),
        ({"contacts": []}, "not an export"),
        ([1], "not an export"),
    ],
)
def test_what_cannot_be_reported_on_says_what_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], told: Any, says: str
) -> None:
    path = write(tmp_path, told)
    assert cli.main(["report", str(path), "-o", str(tmp_path / "page.html")]) == 1
    assert re.search(f"tgpipeline report: .*{says}", capsys.readouterr().err, re.DOTALL)
    assert not (tmp_path / "page.html").exists()


def test_a_file_that_was_cut_says_where(tmp_path: Path) -> None:
    path = write(tmp_path, chat([message(n) for n in range(1, 9)]))
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(HistoryError, match=r"breaks off at byte 900"):
        read_export(path)


@pytest.mark.parametrize(
    "messages",
    [
        [message(1)],
        [message(1, "")],
        [message(n, "", file="a.jpg", media_type="sticker") for n in range(1, 30)],
        [message(n, from_id="user5") for n in range(1, 30)],
        [message(n, "oi 👋🏽 ééé", **{"from": None}) for n in range(1, 5)],
        [message(1, type="service", action="create_group", actor_id="user5")],
    ],
    ids=["one message", "one without text", "stickers", "one person", "nameless", "service only"],
)
def test_every_chart_of_small_and_odd_groups_can_be_drawn(
    tmp_path: Path, messages: list[dict[str, Any]]
) -> None:
    answers = read_export(write(tmp_path, chat(messages))).answers()
    for known in words()["page"]:
        for shown in report.section(answers, known)["charts"]:
            assert len(shown.data), f"{shown.title!r} has empty axes"
            assert shown.svg(report.NARROW).startswith("<svg")


def test_the_command_takes_every_parameter_of_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, TWO)
    page, tables, kept = (tmp_path / name for name in ("page.html", "tables", "kept"))
    options = (
        f"--chat B --keep {kept} --from 2026-03-02 --to 2026-03-09 --timezone Europe/Lisbon "
        f"--agents 11,12 --names --salt s --cut 2026-03-03 --csv {tables} --language en"
    ).split()
    options += ["--office", "mon-fri 9-18", "--horizon", "24"]
    assert cli.main(["report", str(path), "-o", str(page), *options]) == 0
    assert capsys.readouterr().out.startswith(str(page))
    assert (tables / "messages_per_day.csv").exists()
    assert DuckDB(kept / "enriched", "UTC").query("SELECT 1 AS n FROM messages")["n"].sum() == 2
    assert len(read_export(kept).query("SELECT 1 FROM messages")) == 2, "to go on with it"
    with pytest.raises(SystemExit, match="2"):
        cli.main(["report", str(path), "--chat", "B", "--agents", "Ana"])
    assert "--agents: invalid 'ids' value: 'Ana'" in capsys.readouterr().err


def test_a_folder_of_updates_is_read_as_the_raw_zone_is(tmp_path: Path) -> None:
    sent = int(BEGIN.astimezone(UTC).timestamp())
    about = {"chat": {"id": -1, "type": "group"}, "text": "oi"}
    for number in range(1, 6):
        user = {"id": number, "is_bot": False, "first_name": "A"}
        told = about | {"message_id": number, "date": sent + number * 86400, "from": user}
        (tmp_path / f"{number}.json").write_text(
            json.dumps({"update_id": number, "message": told}, indent=1)
        )
    bot = about | {"message_id": 9, "date": sent, "from": {"id": 99, "is_bot": True}}
    (tmp_path / "sent--1-9.json").write_text(json.dumps(bot))
    (tmp_path / "notes.json").write_text("[1, 2")
    group = read_export(tmp_path)
    frame = group.query(
        "SELECT source, count(*) AS n FROM messages GROUP BY source ORDER BY source"
    )
    assert frame.to_dict("list") == {"source": ["sent", "webhook"], "n": [1, 5]}
    assert group.period()["end"] == date(2026, 3, 7)
    assert group.notes == ["1 files or lines are no update"]
    with pytest.raises(HistoryError, match="its id, not 'Loja'"):
        read_export(tmp_path, chat="Loja")
    with pytest.raises(HistoryError, match="no message"):
        read_export(tmp_path, chat=-2)


def test_lines_of_updates_are_read_from_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [
        {"message_id": n, "date": 1772454600 + n, "chat": {"id": -1001, "type": "supergroup"},
         "from": {"id": 9, "is_bot": False, "first_name": "Ana"}, "text": "oi"}
        for n in range(3)
    ]  # fmt: skip
    path = tmp_path / "updates.ndjson"
    path.write_text("\n".join(json.dumps({"update_id": 1, "message": m}) for m in told), "utf-8")
    assert read_export(path).query("people")["messages"].tolist() == [3]
    monkeypatch.setattr(from_export, "LINES", 2)  # of a long file no more waits in memory
    assert read_export(path, keep=tmp_path / "kept").query("people")["messages"].tolist() == [3]
    assert len(list((tmp_path / "kept" / "raw").rglob("*.ndjson"))) == 2
    path.write_text("\n".join(map(json.dumps, told)), "utf-8")
    with pytest.raises(HistoryError, match="no message that can be read; 3 files or lines are no"):
        read_export(path)


def test_updates_of_a_group_that_became_a_supergroup_are_of_one_group(tmp_path: Path) -> None:
    old, new = {"id": -4001, "type": "group"}, {"id": -1001000000001, "type": "supergroup"}
    about = [
        {"chat": old, "text": "oi"},
        {"chat": old, "migrate_to_chat_id": new["id"]},
        {"chat": new, "text": "oi"},
    ]
    who = {"id": 9, "is_bot": False, "first_name": "Ana"}
    updates = [
        {"update_id": n, "message": {"message_id": n, "date": 1772454600 + n, "from": who} | told}
        for n, told in enumerate(about, 1)
    ]
    path = tmp_path / "updates.ndjson"
    path.write_text("\n".join(map(json.dumps, updates)), "utf-8")
    assert read_export(path, new["id"]).query("messages_per_day")["messages"].sum() == 2
    assert read_export(path, old["id"]).query("messages_per_day")["messages"].sum() == 2


def test_a_page_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    group = read_export(write(tmp_path, chat([message(1)])))
    with pytest.raises(QueryError, match="cannot be written: Is a directory"):
        group.report(tmp_path)
