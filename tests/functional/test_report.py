"""The report, from a lake on the local stack to a page that stands alone."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import boto3
import pandas as pd
import pytest

from tests.unit.analytics.test_numbers import invented
from tgpipeline import history
from tgpipeline.analytics import athena, report
from tgpipeline.analytics.answers import Answers
from tgpipeline.analytics.from_export import read_export
from tgpipeline.deploy import stages
from tgpipeline.errors import QueryError
from tgpipeline.etl import handler
from tgpipeline.lake import keys, stores
from tgpipeline.local import ministack
from tgpipeline.settings import Settings

pytestmark = pytest.mark.functional
START = 1764331200  # 2025-11-28 09:00 in São Paulo


@pytest.fixture(scope="module")
def settings() -> Iterator[Settings]:
    with ministack.start_aws() as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment.items():
            patch.setenv(name, value)
        found = Settings.from_env(name="told", raw_bucket="r-raw", enriched_bucket="r-enriched")
        s3 = boto3.client("s3")
        for bucket in (found.raw_bucket, found.enriched_bucket):
            s3.create_bucket(Bucket=bucket)
        stages.deploy("analytics", found)
        said = [(1, "Josefa", "cadê meu pedido 48113, sou a Josefa?"), (2, "Zuleica", "bom dia")]
        for number, (who, name, text) in enumerate(said):
            message = {
                "message_id": number,
                "from": {"id": who, "is_bot": False, "first_name": name},
                "chat": {"id": -100123, "type": "supergroup", "title": "Loja"},
                "date": START + 60 * number,
                "text": text,
            }
            if number:
                message |= {"message_thread_id": 90, "is_topic_message": True}
            body = json.dumps({"update_id": number, "message": message}).encode()
            key = keys.update_key(number, date(2025, 11, 28))
            stores.put_new(s3, found.raw_bucket, key, body)
        list(handler.run(found, [date(2025, 11, 28)]))
        yield found
        athena.connect.cache_clear()


def test_a_page_of_what_athena_answers_names_nobody(settings: Settings, tmp_path: Path) -> None:
    answers = Answers(athena.connect(settings), start="2025-11-27", end="2025-11-29", language="en")
    made = report.write(answers, tmp_path / "out" / "report.html", tmp_path / "csv")
    page = made.read_text("utf-8")
    assert "2 messages" in page
    assert "2 topics; most is written in" in page
    assert "archive it" in page, "what the bot solved is not known, and why"
    tables = {file.stem: file.read_text("utf-8") for file in (tmp_path / "csv").iterdir()}
    assert pd.read_csv(tmp_path / "csv" / "messages_per_day.csv")["messages"].tolist() == [2]
    assert "conversation_messages" not in tables
    for text in (page, *tables.values()):
        assert not re.search("Josefa|Zuleica|48113", text)


def test_a_page_with_names_of_an_empty_period(settings: Settings, tmp_path: Path) -> None:
    answers = Answers(
        athena.connect(settings), start="2024-01-01", end="2024-01-02", names=True, chat=-100123
    )
    made = report.write(answers, tmp_path / "report.html")
    page = made.read_text("utf-8")
    assert "No messages from 2024-01-01 to 2024-01-02" in page
    assert "Names are shown" in page


def test_a_chat_that_is_not_there_is_refused(settings: Settings) -> None:
    with pytest.raises(QueryError, match="not in the lake"):
        Answers(athena.connect(settings), start="2025-11-28", end="2025-11-28", chat=-5)


def test_athena_and_duckdb_make_the_same_page_of_the_same_export(
    settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "result.json"
    path.write_text(json.dumps(invented(300)))
    s3 = boto3.client("s3")
    lake = replace(settings, raw_bucket="both-raw", chat_ids=())
    s3.create_bucket(Bucket="both-raw")
    summary = history.import_export(path, lake)
    days = [summary.first + timedelta(n) for n in range((summary.last - summary.first).days + 1)]
    list(handler.run(lake, days))
    stages.deploy("analytics", settings)
    athena.connect.cache_clear()

    by_files = read_export(path, timezone="America/Sao_Paulo")
    how = {**by_files.period(), "chat": -1000000004321, "timezone": "America/Sao_Paulo"}
    pages = {}
    for engine in (by_files, athena.connect(settings)):
        answers = Answers(engine, language="pt", **how)
        pages[type(engine).__name__] = report.render(answers)
        tables = answers.derived()
        pages[f"{type(engine).__name__} tables"] = {
            name: frame.to_csv(index=False) for name, frame in (tables | answers.asked).items()
        }
    assert len(pages["DuckDB tables"]) > 20
    assert pages["DuckDB tables"] == pages["Athena tables"]
    assert pages["DuckDB"] == pages["Athena"]
