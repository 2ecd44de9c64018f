"""A day of several parts, as Spark makes large ones: complete, or made again."""

import json
from dataclasses import asdict, replace
from datetime import date

import obstore
import pytest
from obstore.store import MemoryStore

from tests import edge
from tests import payloads as p
from tgpipeline.lake import columns, keys
from tgpipeline.lake.ledger import Ledger, stored

DAY = date.fromisoformat(p.DAY)


@pytest.fixture
def zones() -> tuple[MemoryStore, MemoryStore]:
    """A day whose tables have two parts each, all of one run."""
    raw, enriched = MemoryStore(), MemoryStore()
    for number in range(3):
        raw.put(keys.update_key(number, DAY), p.raw(p.text(number)))
    edge.run(raw, enriched, [DAY])
    ledger = stored(enriched, "messages", DAY)
    assert ledger is not None
    for part in (0, 1):
        put(enriched, part, replace(ledger, parts=2))
    return raw, enriched


def put(enriched: MemoryStore, part: int, ledger: Ledger) -> None:
    """Put a part that holds what part 0 does, with that ledger."""
    for table in columns.TABLES:
        body = enriched.get(keys.enriched_key(table, DAY)).bytes().to_bytes()
        told = {"ledger": json.dumps(asdict(ledger))}
        obstore.put(enriched, keys.enriched_key(table, DAY, part), body, attributes=told)


def test_a_day_whose_parts_are_of_one_run_is_left_alone(zones) -> None:
    assert edge.run(*zones, [DAY])[p.DAY].status == "unchanged"


@pytest.mark.parametrize("broken", ["missing", "of another run"])
def test_a_run_that_broke_off_between_parts_is_made_again(zones, broken: str) -> None:
    raw, enriched = zones
    ledger = stored(enriched, "messages", DAY)
    if broken == "missing":
        enriched.delete(keys.enriched_key("events", DAY, 1))
    else:
        put(enriched, 1, replace(ledger, parts=3))
    made = edge.run(raw, enriched, [DAY])[p.DAY]
    assert (made.status, made.parts, made.messages) == ("written", 1, 3)
    ids = []
    for part in (0, 1):
        body = enriched.get(keys.enriched_key("messages", DAY, part)).bytes()
        ids += edge.pq.ParquetFile(edge.pa.BufferReader(body)).read()["message_id"].to_pylist()
    assert sorted(ids) == [0, 1, 2]
    assert edge.run(raw, enriched, [DAY])[p.DAY].status == "unchanged"


def test_the_function_empties_parts_before_it_writes_its_own(zones) -> None:
    """Where it dies in between, the parts bear different ledgers."""
    raw, enriched = zones

    class Died(Exception):
        pass

    real, calls = obstore.put, []

    def dies(store, key, *given, **how):
        calls.append(key)
        if key.endswith("part-0.parquet"):
            raise Died
        return real(store, key, *given, **how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(obstore, "put", dies)
        with pytest.raises(Died):
            edge.run(raw, enriched, [DAY], rebuild=True)
    assert [key.rpartition("/")[2] for key in calls][:2] == ["part-1.parquet"] * 2
    made = edge.run(raw, enriched, [DAY])[p.DAY]
    assert (made.status, made.messages) == ("written", 3)
