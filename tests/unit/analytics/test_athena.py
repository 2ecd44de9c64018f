"""Parameters that cannot become SQL, and answers with right types."""

from datetime import date, datetime
from decimal import Decimal

import pandas as pd
import pytest

from tgpipeline.analytics import athena, questions
from tgpipeline.analytics.engine import to_frame
from tgpipeline.errors import QueryError, SettingsError
from tgpipeline.settings import Settings

SQL = "SELECT DATE '2025-01-01' /* :start */, 'x' /* :word */, -5 /* :chat */, 'x' /* :word */"


def test_values_take_the_place_of_literals() -> None:
    filled = questions.fill(SQL, {"start": date(2025, 11, 28), "word": "pão", "chat": -(2**63)})
    assert filled == (
        "SELECT DATE '2025-11-28' /* :start */, 'pão' /* :word */, "
        f"{-(2**63)} /* :chat */, 'pão' /* :word */"
    )
    assert questions.fill(SQL, {"start": datetime(2025, 1, 2, 3), "chat": None}).count("-5") == 1


@pytest.mark.parametrize(
    "word", ["' OR 1=1 --", "'; DROP TABLE messages", "*/ ' /* :word */", "a''b", "\\'"]
)
def test_no_text_becomes_sql(word: str) -> None:
    import duckdb

    sql = questions.translate(questions.fill("SELECT 'x' /* :word */ AS w", {"word": word}))
    assert duckdb.sql(sql).fetchall() == [(word,)]


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({}, "start"),
        ({"start": "28/11/2025"}, "start"),
        ({"start": "2025-11-28' OR '1", "chat": 1}, "start"),
        ({"start": 20251128}, "start"),
        ({"start": "2025-11-28", "chat": "1"}, "chat"),
        ({"start": "2025-11-28", "chat": True}, "chat"),
        ({"start": "2025-11-28", "chat": 2**63}, "chat"),
        ({"start": "2025-11-28", "word": 7}, "word"),
        ({"start": "2025-11-28", "word": "a\nb"}, "word"),
        ({"start": "2025-11-28", "chta": 1}, "chta"),
    ],
)
def test_a_wrong_missing_or_unknown_parameter_is_refused_by_name(values, names) -> None:
    with pytest.raises(QueryError, match=names):
        questions.fill(SQL, values, "question")


def test_a_period_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(QueryError, match="ends before it starts"):
        questions.fill(
            questions.sql_of("messages_per_day"), {"start": "2025-11-28", "end": "2025-11-27"}
        )


def test_an_unknown_zone_or_question_is_refused() -> None:
    with pytest.raises(SettingsError, match="IANA"):
        questions.fill("SELECT 'UTC' /* :timezone */", {"timezone": "Sao Paulo"})
    with pytest.raises(QueryError, match="messages_per_day"):
        questions.sql_of("message_per_day")
    with pytest.raises(QueryError, match="no query"):
        questions.sql_of("../athena")


def test_a_marker_that_stands_behind_no_literal_is_no_parameter() -> None:
    sql = "SELECT a /* :chat */ FROM t"
    assert questions.parameter_types(sql) == {}
    with pytest.raises(QueryError, match="has no parameter chat"):
        questions.fill(sql, {"chat": 1})


def test_sql_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(QueryError, match="not SQL"):
        questions.translate("SELECT FROM WHERE (")


def test_columns_have_the_types_of_athena() -> None:
    types = ("bigint", "boolean", "varchar", "date", "timestamp", "double", "decimal(3,1)")
    big = 2**62 + 1
    rows = [
        (big, True, "é", date(2025, 11, 28), datetime(2025, 11, 28, 1, 2, 3), 0.5, Decimal("0.5")),
        (None,) * 7,
    ]
    frame = to_frame([(t, t) for t in types], rows)
    assert frame["bigint"][0] == big
    assert [str(t) for t in frame.dtypes][:2] == ["Int64", "boolean"]
    assert isinstance(frame["varchar"].dtype, pd.StringDtype)
    assert frame["date"][0] == pd.Timestamp("2025-11-28")
    assert frame["timestamp"].dt.hour[0] == 1
    assert [str(t) for t in frame.dtypes][5:] == ["float64", "float64"]
    assert frame.iloc[1].isna().all()


def test_two_columns_of_one_name_are_both_there() -> None:
    frame = to_frame([("n", "bigint"), ("n", "varchar")], [(2**60 + 1, "a"), (None, None)])
    assert list(frame.columns) == ["n", "n"]
    assert frame.iloc[0].tolist() == [2**60 + 1, "a"]


def test_no_rows_keep_their_columns_types() -> None:
    frame = to_frame([("n", "bigint"), ("d", "date"), ("s", "varchar")], [])
    assert list(frame.columns) == ["n", "d", "s"]
    assert str(frame["n"].dtype) == "Int64"
    assert frame["d"].dt.day.empty
    assert frame["s"].str.len().empty


def test_texts_get_the_types_that_are_described() -> None:
    """As MiniStack gives every value with DuckDB 1.3."""
    described = [("n", "BIGINT"), ("ok", "BOOLEAN"), ("d", "DATE"), ("at", "TIMESTAMP"),
                 ("x", "DOUBLE"), ("t", "VARCHAR")]  # fmt: skip
    texts = (str(2**62 + 1), "false", "2025-11-28", "2025-11-28 01:02:03.000", "0.5", "é")
    frame = to_frame(described, [texts, (None,) * 6])
    assert frame["n"][0] == 2**62 + 1
    assert frame["ok"].tolist() == [False, pd.NA]
    assert frame["d"][0] == pd.Timestamp("2025-11-28")
    assert frame["at"][0] == pd.Timestamp("2025-11-28 01:02:03")
    assert frame["x"][0] == 0.5
    assert frame.iloc[1].isna().all()


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("", False),
        ("http://127.0.0.1:4566", True),
        ("https://athena.us-east-1.amazonaws.com", False),
        ("https://vpce-1.athena.us-east-1.vpce.amazonaws.com", False),
    ],
)
def test_sql_is_translated_for_the_local_stack_only(url: str, local: bool) -> None:
    assert athena.is_local(Settings(endpoint_url=url)) is local


def test_a_small_query_costs_what_10_mb_cost() -> None:
    assert athena.price(0) == athena.price(10_000_000) == 0.00005
    assert athena.price(10**12) == 5
