"""A ledger adds up or says that it does not, and fits where it is kept."""

import json
from dataclasses import replace
from datetime import date
from functools import partial

import pytest
from obstore.store import MemoryStore

from tgpipeline.lake import columns, keys, ledger, rows
from tgpipeline.lake.ledger import Ledger
from tgpipeline.settings import Settings, zone
from tgpipeline.telegram.updates import LAST_DATE

WHOLE = Ledger(
    "2025-11-28",
    documents=16,
    message_versions=9,
    messages=7,
    superseded=2,
    event_versions=4,
    events=3,
    repeated=1,
    quarantined=3,
)


def test_a_ledger_that_adds_up_is_balanced():
    assert WHOLE.balanced
    assert Ledger("2025-11-28").balanced


@pytest.mark.parametrize(
    "counts",
    [
        {"documents": 17},
        {"quarantined": 2},
        {"documents": 17, "message_versions": 10},
        {"messages": 6},
        {"superseded": 3},
        {"documents": 17, "event_versions": 5},
        {"events": 4},
        {"repeated": 0},
    ],
)
def test_each_equation_of_a_ledger_counts(counts):
    assert not replace(WHOLE, **counts).balanced


def test_the_most_common_names_are_kept_and_the_rest_is_counted():
    names = {f"n{n:02}": 60 - n for n in range(ledger.NAMES_KEPT)}
    assert ledger.most_common(names) == names
    assert next(iter(ledger.most_common(names))) == "n00"
    more = ledger.most_common(names | {"a": 1, "b": 2})
    assert len(more) == 51
    assert more["…"] == 3
    assert list(ledger.most_common({"x" * 64: 1, "y" * 65: 1})) == ["x" * 64, "y" * 64]


def test_names_are_left_out_of_metadata_which_have_little_room():
    names = {f"n{n}": 1 for n in range(ledger.NAMES_KEPT)}
    text = replace(WHOLE, unknown=names, misfits=names).attributes()["ledger"]
    assert len(text) < 1_800
    assert Ledger(**json.loads(text)) == WHOLE


def test_what_is_no_ledger_has_no_date():
    store, day = MemoryStore(), date(2025, 11, 28)

    def read(**attributes: str) -> Ledger | None:
        store.put(keys.enriched_key("messages", day), b"x", attributes=attributes)
        return ledger.stored(store, "messages", day)

    assert ledger.stored(store, "messages", day) is None
    assert read() == Ledger("")
    for text in ("", "[]", "5", '{"day": 1}', "{"):
        assert read(ledger=text) == Ledger("")
    assert read(**WHOLE.attributes()) == WHOLE


def test_days_with_other_columns():
    store = MemoryStore()
    for number, digest in enumerate((columns.digest(), "older", None), 1):
        made = replace(WHOLE, made_from={"columns": digest} if digest else {})
        key = keys.enriched_key("messages", date(2025, 11, number))
        store.put(key, b"x", attributes=made.attributes())
    days = ledger.days_with_other_columns(Settings(enriched_bucket="e"), store)
    assert days == [date(2025, 11, 2), date(2025, 11, 3)]


def test_dates_end_where_2100_begins():
    convert = partial(rows.wall_clock, tz=zone("UTC"))
    assert convert(LAST_DATE) is None
    assert convert(LAST_DATE - 1) == (LAST_DATE - 1) * 1000
    assert (convert(0), convert(-1), convert(1)) == (None, None, 1000)
