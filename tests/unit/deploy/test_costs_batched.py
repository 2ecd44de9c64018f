"""What batches cost: worked out by hand, and where they begin to pay."""

import pytest

from tgpipeline.deploy import costs


def test_a_bill_with_batches_worked_out_by_hand() -> None:
    bill, single = costs.monthly(10_000_000, batched=True), costs.monthly(10_000_000)
    objects = 2 * 43_200 + 10_000_000 * 1_800 / 6e6
    queue = 1.2 * 10_000_000 + 10 * 129_600
    batches = objects * (0.20 / 1e6 + 0.25 * 0.0000133334)
    assert bill["SQS and batches"] == pytest.approx(queue * 0.40 / 1e6 + batches)
    assert bill["S3 requests"] < single["S3 requests"] / 50
    assert bill["API Gateway"] == single["API Gateway"]
    assert "SQS and batches" not in single


def test_batches_pay_for_many_messages_and_not_for_few() -> None:
    totals = {
        n: [sum(costs.monthly(n, batched=batched).values()) for batched in (False, True)]
        for n in (300, 100_000, 10_000_000, 3_000_000_000)
    }
    assert totals[300][0] < totals[300][1]
    assert totals[10_000_000][1] < 0.6 * totals[10_000_000][0]
    assert totals[3_000_000_000][1] < 0.6 * totals[3_000_000_000][0]
