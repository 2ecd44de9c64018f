"""The page and its findings reach a chat, and only the one that was meant."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from telegram_standin import Telegram
from tests.unit.analytics.test_from_export import chat, message, write
from tgpipeline import cli
from tgpipeline.analytics import report as pages
from tgpipeline.errors import BotApiError, QueryError
from tgpipeline.telegram.bot import Bot

ANA = {"id": 77, "type": "private", "first_name": "Ana", "username": "ana"}


@pytest.fixture
def telegram(monkeypatch: pytest.MonkeyPatch) -> Iterator[Telegram]:
    with Telegram() as running:
        running.open(ANA)
        monkeypatch.setenv("TELEGRAM_API_URL", running.url)
        monkeypatch.setenv("TELEGRAM_BOT_TOKEN", running.token)
        monkeypatch.setenv("TELEGRAM_CHAT_ID", str(running.group_id))
        monkeypatch.setattr("builtins.input", lambda _: "")
        yield running


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return write(tmp_path, chat([message(n) for n in range(1, 40)]))


def report(export: Path, *options: str) -> int:
    page = export.with_name("page.html")
    return cli.main(["report", str(export), "-o", str(page), "--language", "en", *options])


def sent(telegram: Telegram, chat_id: int | None = None) -> list[dict]:
    return list(telegram.chat(chat_id).messages.values())


def test_the_page_goes_as_a_file_and_the_findings_as_a_reply_to_it(
    telegram: Telegram, export: Path
) -> None:
    assert report(export, "--send", "--yes", "--days", "3") == 0
    page, text = sent(telegram)
    assert page["document"]["file_name"] == "page.html"
    content = telegram.files[page["document"]["file_id"]].content
    assert content == export.with_name("page.html").read_bytes()
    assert text["reply_to_message"]["message_id"] == page["message_id"]
    assert text["text"].startswith("Report, Sun 8 Mar 2026 to Tue 10 Mar 2026\n\n")
    assert text["text"].count("\n\n") >= 1


def test_nothing_is_sent_without_a_yes(
    telegram: Telegram,
    export: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert report(export, "--send") == 1
    assert "nothing is sent to group 'Suporte" in capsys.readouterr().err
    assert not export.with_name("page.html").exists(), "asked before anything is worked out"
    asked: list[str] = []
    monkeypatch.setattr("builtins.input", lambda text: asked.append(text) or "yes")
    assert report(export, "--send") == 0
    assert asked[0].startswith("Send the page and its findings to group 'Suporte")
    assert len(sent(telegram)) == 2


def test_names_go_to_one_person_alone(
    telegram: Telegram, export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(export, "--send", "--yes", "--names") == 1
    assert "is a group: a page with names goes to one person alone" in capsys.readouterr().err
    assert sent(telegram) == []
    assert report(export, "--send-to", "77", "--yes", "--names") == 0
    assert len(sent(telegram, 77)) == 2
    assert sent(telegram) == []


def test_the_chat_must_be_known_and_one(
    telegram: Telegram,
    export: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for text in ("", "-1001, -1002"):
        monkeypatch.setenv("TELEGRAM_CHAT_ID", text)
        assert report(export, "--send", "--yes") == 1
        assert "Name its id with --send-to" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        report(export, "--send-to", "Loja", "--yes")
    assert "--send-to: invalid 'whole number' value: 'Loja'" in capsys.readouterr().err
    assert report(export, "--send-to", "-9", "--yes") == 1
    told = capsys.readouterr().err
    assert "chat not found" in told
    assert telegram.token.partition(":")[2] not in told


def test_a_page_that_a_bot_may_not_send_is_refused(telegram: Telegram, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    with page.open("wb") as file:
        file.truncate(pages.MAX_FILE + 1)
    bot = Bot(telegram.token, telegram.url)
    with pytest.raises(QueryError, match="larger than the 50 MB"):
        pages.send(bot, telegram.group_id, page, "oi")
    page.write_text("<html>")
    with pytest.raises(BotApiError, match="chat not found"):
        pages.send(bot, -9, page, "oi")


def test_what_is_too_long_for_a_message_loses_its_last_findings(
    export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tgpipeline.analytics.findings import Finding
    from tgpipeline.analytics.from_export import read_export

    answers = read_export(export).answers(language="en")
    long = [Finding(1.0, f"{n} " + "👍" * 500, "do") for n in range(7)]
    monkeypatch.setattr(pages, "findings", lambda _: long)
    text = pages.text_of(answers)
    assert len(text.encode("utf-16-le")) // 2 <= pages.MAX_TEXT
    assert [line[2] for line in text.split("\n\n")[1:]] == list("0123")
    monkeypatch.undo()
    monkeypatch.setattr("tgpipeline.analytics.findings.CANDIDATES", ())
    assert pages.text_of(answers).endswith("at most 5 on a day"), "without findings, how much"
