"""Rows become Parquet: sorted, the latest version of each, types declared however empty it is."""

import random
from collections import Counter
from datetime import UTC, datetime

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests import payloads as p
from tgpipeline.etl import writing
from tgpipeline.lake.columns import TABLES
from tgpipeline.lake.documents import document_of
from tgpipeline.lake.rows import Flattener
from tgpipeline.lake.versions import version
from tgpipeline.settings import zone

STAMP = datetime(2025, 11, 29, 3, 15, 0, 123_000, tzinfo=UTC)
FLATTENER = Flattener(zone("America/Sao_Paulo"))


def written(folder, updates, table="messages"):
    """The Parquet of these updates, and the misfits among their values."""
    misfits = Counter()
    sorter = writing.Sorter(table, folder, misfits)
    for update in updates:
        body = p.raw(update) if isinstance(update, dict) else update
        one = version(document_of("x.json", body), FLATTENER)
        assert one.table == table
        sorter.add(one.values, one.identity, one.rank, len(body))
    return finished(folder, sorter, table), misfits


def finished(folder, sorter, table="messages"):
    path = folder / f"{table}.parquet"
    made = writing.write_parquet(table, path, sorter.merged(), STAMP)
    made.writer.close()
    file = pq.ParquetFile(path)
    assert file.metadata.num_rows == made.rows
    return file


@pytest.fixture
def small(monkeypatch):
    """Sizes so small that a few rows make many chunks, runs, pieces and row groups."""
    monkeypatch.setattr(writing, "CHUNK", 3)
    monkeypatch.setattr(writing, "RUN", 7)
    monkeypatch.setattr(writing, "ROW_GROUP", 10)
    monkeypatch.setattr(writing, "BATCH_ROWS", 2)


@pytest.mark.parametrize("table", ["messages", "events"])
def test_a_table_without_rows_has_all_columns_with_their_types(tmp_path, table):
    file, _ = written(tmp_path, [], table)
    assert file.read().schema.equals(writing.schema(table))
    assert file.metadata.num_rows == 0


def test_columns_that_are_all_null_have_their_types(tmp_path):
    file, _ = written(tmp_path, [p.update(n, content=p.message(n, photo=[])) for n in range(3)])
    assert file.schema_arrow.equals(writing.schema("messages"))
    assert file.read()["text"].null_count == 3


def test_what_the_file_says_of_itself(tmp_path):
    file, _ = written(tmp_path, [p.text(1)])
    column = file.metadata.row_group(0).column(0)
    assert column.compression == "ZSTD"
    types = {name: str(file.schema.column(i).logical_type) for i, name in enumerate(_leaves(file))}
    assert "timeUnit=milliseconds" in types["sent_at"]
    assert "isAdjustedToUTC=false" in types["sent_at"]
    assert types["text"] == "String"


def _leaves(file):
    return [file.schema.column(i).path.split(".")[0] for i in range(len(file.schema))]


def test_any_reader_reads_it(tmp_path):
    body = p.raw(p.text(5, "até já 😀", entities=[{"type": "url"}, {"type": "bold"}]))
    written(tmp_path, [body])
    path = str(tmp_path / "messages.parquet")
    frame = pd.read_parquet(path)
    assert frame.loc[0, "text"] == "até já 😀"
    assert frame.loc[0, "sent_at"] == pd.Timestamp("2025-11-28 12:00:00")
    assert frame.loc[0, "context_timestamp"] == pd.Timestamp("2025-11-29 03:15:00.123")
    columns = "text, entity_types, sent_at, chat_id"
    (row,) = duckdb.sql(f"select {columns} from '{path}'").fetchall()
    assert row == ("até já 😀", ["url", "bold"], datetime(2025, 11, 28, 12), p.SUPERGROUP)
    types = dict(duckdb.sql(f"select column_name, column_type from (describe '{path}')").fetchall())
    expected = {"int64": "BIGINT", "bool": "BOOLEAN", "string": "VARCHAR"}
    expected |= {"list<string>": "VARCHAR[]", "timestamp[ms]": "TIMESTAMP"}
    assert {c.name: expected[c.type] for c in TABLES["messages"]} == {
        name: "TIMESTAMP" if kind.startswith("TIMESTAMP") else kind for name, kind in types.items()
    }


def test_misfits_are_null_counted_and_their_rows_stay(tmp_path):
    bodies = [
        b'{"update_id": 1, "message": {"message_id": 1, "text": 5, "chat": {"id": -5}}}',
        b'{"update_id": 2, "message": {"message_id": "x", "text": "\\ud800", "chat": {"id": -5}}}',
        b'{"update_id": 3, "message": {"message_id": "x", "text": "c", "chat": {"id": 1e30}}}',
        b'{"update_id": 4, "message": {"message_id": 9223372036854775808, "text": "d"}}',
        b'{"update_id": 5, "message": {"message_id": 2, "chat": {"id": -5}, "date": '
        + b"9" * 400
        + b', "entities": [{"type": 7}]}}',
    ]
    file, misfits = written(tmp_path, bodies)
    table = file.read().sort_by("update_id")
    assert table["update_id"].to_pylist() == [1, 2, 3, 4, 5]
    assert table["text"].to_pylist() == [None, "�", "c", "d", None]
    assert table["message_id"].to_pylist() == [1, None, None, None, 2]
    assert misfits == {
        "text": 2,
        "message_id": 3,
        "chat_id": 1,
        "date": 1,
        "entity_types": 1,
    }


def test_the_latest_version_wins_in_any_order(tmp_path):
    first = p.text(1, "um")
    second = p.update(2, "edited_message", p.message(1, text="dois", edit_date=p.NOON + 5))
    third = p.update(3, "edited_message", p.message(1, text="três", edit_date=p.NOON + 9))
    for order in ([first, second, third], [third, first, second], [second, third, first, third]):
        file, _ = written(tmp_path, order)
        assert file.read()["text"].to_pylist() == ["três"]


def test_two_edits_within_a_second_are_told_apart_by_their_update(tmp_path):
    edits = [
        p.update(n, "edited_message", p.message(1, text=f"v{n}", edit_date=p.NOON + 5))
        for n in (8, 9, 7)
    ]
    file, _ = written(tmp_path, edits)
    assert file.read()["text"].to_pylist() == ["v9"]


def test_many_runs_give_what_one_run_gives(tmp_path, small):
    numbers = list(range(1, 201)) * 2  # 0 would be no one message
    random.Random(5).shuffle(numbers)
    updates = [
        p.update(i, "edited_message", p.message(n, text=f"{n} v{i}", edit_date=p.NOON + i))
        for i, n in enumerate(numbers)
    ]
    last = {update["edited_message"]["message_id"]: i for i, update in enumerate(updates)}
    file, _ = written(tmp_path, updates)
    table = file.read()
    assert table["message_id"].to_pylist() == list(range(1, 201))
    assert table["text"].to_pylist() == [f"{n} v{last[n]}" for n in range(1, 201)]
    sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    assert sizes == [10] * 20
    assert len(list(tmp_path.glob("*.arrow"))) > 10


def test_one_message_edited_more_often_than_a_run_holds(tmp_path, small):
    edits = [
        p.update(n, "edited_message", p.message(1, text=f"v{n}", edit_date=p.NOON + n))
        for n in range(50)
    ]
    file, _ = written(tmp_path, edits)
    assert file.read()["text"].to_pylist() == ["v49"]


def test_large_rows_end_a_chunk_and_a_run_early(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "BYTES", 10_000)
    updates = [p.text(n, "x" * 3_000) for n in range(60)]
    file, _ = written(tmp_path, updates)
    assert file.metadata.num_rows == 60
    assert list(tmp_path.glob("*.arrow"))


EMPTY = (None,) * (len(TABLES["messages"]) - 1)
TEXT = [c.name for c in TABLES["messages"]].index("text")


def row(text=None):
    return (*EMPTY[:TEXT], text, *EMPTY[TEXT + 1 :])


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_a_run_and_a_row_group_hold_131072_rows(tmp_path, more):
    sorter = writing.Sorter("messages", tmp_path, Counter())
    for n in range(131_072 + more):
        sorter.add(EMPTY, (n, 0, 0), (0, 0, 0))
    meta = finished(tmp_path, sorter).metadata
    runs = sorted(map(str, tmp_path.glob("*.arrow")))
    assert len(runs) == (0, 1, 1)[more + 1], "what is left at the end needs no file"
    assert [len(batch) for run in runs for batch in writing.load_run(run)] in ([], [4_096] * 32)
    groups = [meta.row_group(i).num_rows for i in range(meta.num_row_groups)]
    assert groups == ([131_071], [131_072], [131_072, 1])[more + 1]


def test_a_chunk_ends_beyond_16_mib_of_json(tmp_path):
    sorter = writing.Sorter("messages", tmp_path, misfits := Counter())
    sorter.add(row(text=5), (1, 0, 0), (0, 0, 0), 16 * 2**20)
    assert misfits == {}, "it is not yet an Arrow table"
    sorter.add(EMPTY, (2, 0, 0), (0, 0, 0), 1)
    assert misfits == {"text": 1}


@pytest.mark.parametrize(("mib", "runs"), [(63, 0), (65, 1)])
def test_a_run_ends_beyond_64_mib_of_rows(tmp_path, mib, runs):
    sorter = writing.Sorter("messages", tmp_path, Counter())
    sorter.add(row(text="x" * (mib * 2**20)), (1, 0, 0), (0, 0, 0), mib * 2**20)
    assert len(list(tmp_path.glob("*.arrow"))) == runs


def test_rows_are_sorted_by_chat_then_message(tmp_path):
    other = {"id": -900, "type": "group"}
    updates = [p.text(3), p.text(1), p.text(2, chat=other), p.text(4, chat=other)]
    file, _ = written(tmp_path, updates)
    rows = file.read().select(["chat_id", "message_id"]).to_pylist()
    assert [(r["chat_id"], r["message_id"]) for r in rows] == [
        (p.SUPERGROUP, 1),
        (p.SUPERGROUP, 3),
        (-900, 2),
        (-900, 4),
    ]


def test_to_table_is_what_the_file_holds(tmp_path):
    rows = [version(document_of("x", p.raw(p.text(n))), FLATTENER).values for n in (1, 2)]
    table = writing.to_table("messages", rows, STAMP)
    file, _ = written(tmp_path, [p.text(1), p.text(2)])
    assert table.equals(file.read())
    assert writing.to_table("events", [], STAMP).schema.equals(writing.schema("events"))


def test_regrouping_keeps_every_row():
    tables = [pa.table({"n": list(range(i * 7, i * 7 + 7))}) for i in range(5)]
    groups = list(writing.regroup(tables, 10))
    assert [len(g) for g in groups] == [10, 10, 10, 5]
    assert pa.concat_tables(groups)["n"].to_pylist() == list(range(35))
