"""Costs: figures that add up."""

import pytest

from tgpipeline.deploy import costs


def test_a_bill_worked_out_by_hand() -> None:
    bill = costs.monthly(1_000_000)
    assert bill["API Gateway"] == pytest.approx(3.50)
    assert bill["Lambda ingest"] == pytest.approx(0.20 + 1e6 * 0.0125 * 0.0000133334)
    # A PUT and a GET per message, a third of them once more for late edits; each night four days
    # are listed, 34 pages each, and four HEADs; each of 300 queries lists the folders of 30 days.
    lists = (30 * (4 * (1e6 / 30 / 1000 + 1) + 4) + 300 * 30) * 0.000005
    assert bill["S3 requests"] == pytest.approx(5.0 + 0.4 * 4 / 3 + lists)
    assert bill["Athena"] == pytest.approx(300 * 80e6 / 1e12 * 5)


def test_more_messages_never_cost_less_and_the_total_is_the_sum() -> None:
    rows = costs.table()
    names = [name for name in rows[0] if name != "service"]
    for row in rows:
        values = [float(str(row[name])) for name in names]
        assert values == sorted(values)
    for name, volume in zip(names, costs.MESSAGES, strict=True):
        assert rows[-1][name] == round(sum(costs.monthly(volume).values()), 2)
    assert sum(costs.monthly(1_000).values()) < 1 < sum(costs.monthly(100_000).values())


def test_another_region_has_its_own_prices() -> None:
    here, there = costs.monthly(1_000_000), costs.monthly(1_000_000, region="sa-east-1")
    assert there["API Gateway"] == pytest.approx(4.25)
    assert there["S3 storage"] == pytest.approx(1e6 * 880 / 1e9 * 0.0405)
    assert there["Lambda ingest"] == here["Lambda ingest"]
    total = costs.table((1_000_000,), region="sa-east-1")[-1]
    assert total["1,000,000 messages"] == round(sum(there.values()), 2)


def test_what_each_uses_can_be_said() -> None:
    assert costs.monthly(1_000, queries=3_000)["Athena"] == pytest.approx(0.15)
