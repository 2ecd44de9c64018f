"""Every question asked of Athena's stand-in through PyAthena, of a lake that the ETL made."""

import io
import json
from collections.abc import Iterator
from datetime import date, timedelta

import boto3
import pyarrow.parquet as pq
import pytest

from tgpipeline.analytics import athena, questions, topics
from tgpipeline.analytics.engine import to_frame
from tgpipeline.analytics.support import conversations
from tgpipeline.deploy import stages
from tgpipeline.errors import QueryError
from tgpipeline.etl import handler
from tgpipeline.lake import keys, stores
from tgpipeline.local import ministack
from tgpipeline.settings import Settings

pytestmark = pytest.mark.functional
OLD, NEW = -4100, -1000000004100
START = 1764331200  # 2025-11-28 09:00 in São Paulo
PERIOD = {"start": "2025-11-27", "end": "2025-11-29"}


@pytest.fixture(scope="module")
def settings() -> Iterator[Settings]:
    with ministack.start_aws() as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment.items():
            patch.setenv(name, value)
        found = Settings.from_env(name="asked", raw_bucket="a-raw", enriched_bucket="a-enriched")
        s3 = boto3.client("s3")
        for bucket in (found.raw_bucket, found.enriched_bucket):
            s3.create_bucket(Bucket=bucket)
        stages.deploy("analytics", found)
        yield found
        athena.connect.cache_clear()


@pytest.fixture(scope="module")
def filled(settings: Settings) -> Settings:
    """Two messages of a group a day for three days; it became a supergroup on the second."""
    s3 = boto3.client("s3")
    marker = json.dumps({"from": OLD, "to": NEW}).encode()
    stores.put_new(s3, settings.raw_bucket, keys.marker_key(keys.MIGRATIONS, NEW), marker)
    days = [date(2025, 11, 27) + timedelta(n) for n in range(3)]
    for n, day in enumerate(days):
        for k, text in enumerate(("cadê meu pedido?", "obrigado d'água")):
            message = {
                "message_id": 10 * n + k,
                "from": {"id": 2**40 + k, "is_bot": False, "first_name": "Ana"},
                "chat": {"id": NEW if n else OLD, "type": "group", "title": "Loja"},
                "date": START + 86_400 * (n - 1) + 60 * k,
                "text": text,
            }
            body = json.dumps({"update_id": 10 * n + k, "message": message}).encode()
            stores.put_new(s3, settings.raw_bucket, keys.update_key(10 * n + k, day), body)
    assert sum(ledger.messages for ledger in handler.run(settings, days)) == 6
    return settings


@pytest.mark.parametrize("name", sorted(questions.names()))
def test_every_question_is_answered_before_there_is_any_message(settings, name: str) -> None:
    frame = athena.query(name, settings, **({} if name in ("groups", "agents") else PERIOD))
    assert frame.attrs["question"].endswith("?")
    assert len(frame.columns) > 2


@pytest.mark.parametrize("name", sorted(questions.names()))
def test_every_question_is_answered(filled, name: str) -> None:
    frame = athena.query(name, filled, **({} if name in ("groups", "agents") else PERIOD))
    nothing_to_tell = {"reactions", "joins_and_leaves", "conversation_events"}
    nothing_to_tell |= {"agents", "fallen_silent", "reply_pairs", "shared_domains"}
    assert len(frame) or name in nothing_to_tell


def test_answers_have_types_and_say_what_they_cost(filled) -> None:
    frame = athena.query("messages_per_user_per_day", filled, **PERIOD)
    assert frame["user_id"].tolist() == [2**40, 2**40 + 1] * 3
    assert [str(frame.dtypes[c]) for c in ("user_id", "is_bot")] == ["Int64", "boolean"]
    assert frame["day"].dt.day.tolist() == [27, 27, 28, 28, 29, 29]
    assert frame.attrs["usd"] == 0.00005
    assert frame.attrs["bytes_scanned"] > 0
    assert frame.attrs["query_id"]


def test_a_group_is_found_under_each_id_it_has_had(filled) -> None:
    for chat in (OLD, NEW):
        frame = athena.query("messages_per_day", filled, chat=chat, **PERIOD)
        assert frame["messages"].tolist() == [2, 2, 2]
    with pytest.raises(QueryError, match=rf"-999 is not in the lake\. Chats in it: {NEW}, {OLD}"):
        athena.query("messages_per_day", filled, chat=-999, **PERIOD)


def test_days_made_before_there_were_authors_are_answered_from_what_they_have(filled) -> None:
    store = stores.open_store(filled.enriched_bucket, filled)
    before = athena.query("messages_per_day", filled, **PERIOD)
    key = keys.enriched_key("messages", date(2025, 11, 28))
    body = store.get(key).bytes().to_bytes()
    older, new = io.BytesIO(), ["author_id", "author_kind", "topic_name", "is_comment"]
    pq.write_table(pq.ParquetFile(io.BytesIO(body)).read().drop_columns(new), older)
    store.put(key, older.getvalue())
    try:
        assert athena.query("messages_per_day", filled, **PERIOD).equals(before)
    finally:
        store.put(key, body)


def test_own_sql_takes_parameters_too(filled) -> None:
    sql = "SELECT count(*) AS n FROM messages WHERE text = 'x' /* :word */"
    assert athena.query(sql, filled, word="obrigado d'água")["n"][0] == 3


def test_a_failure_names_the_query_and_the_reason(filled) -> None:
    with pytest.raises(QueryError, match=r"SQL failed: .*no_such_column"):
        athena.query("SELECT no_such_column FROM messages", filled)


def test_an_answer_says_what_was_scanned(filled) -> None:
    run = athena.query("messages_per_day", filled, **PERIOD).attrs
    assert run["bytes_scanned"] > 0
    assert run["usd"] == athena.price(run["bytes_scanned"])
    assert run["query_id"]


def test_types_are_right_where_the_local_stack_calls_them_all_text(filled) -> None:
    sql = "SELECT CAST(7 AS bigint) AS n, true AS ok, DATE '2025-11-28' AS d, 'x' AS t"
    engine = athena.connect(filled)
    cursor = engine._connection.cursor()
    described = cursor.execute(f"DESCRIBE {sql}").fetchall()
    frame = to_frame(described, [("7", "true", "2025-11-28", "x")])
    assert frame.equals(engine.query(sql)), "as DuckDB 1.3 under MiniStack gives them"
    texts = engine.query("SELECT 'a' AS t, date_format(TIMESTAMP '2025-11-28 01:02:03', '%H') AS h")
    assert texts.iloc[0].tolist() == ["a", "01"]


def test_conversations_come_out_of_the_lake(filled) -> None:
    talk = athena.query("conversation_messages", filled, **PERIOD)
    events = athena.query("conversation_events", filled, **PERIOD)
    found = conversations.find_conversations(talk, events, topics.load())
    assert found["rows"].tolist() == [[0, 1, 2, 3, 4, 5]], "one matter, asked again"
    assert found["person_after"].tolist() == [60], "where nobody is an agent, members answer"
