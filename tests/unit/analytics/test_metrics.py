"""Intervals, pseudonyms, office hours."""

import math

import pandas as pd
import pytest

from tgpipeline.analytics.support import metrics
from tgpipeline.errors import SettingsError


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [  # R: binom::binom.wilson(k, n)
        (0, 10, 0.0, 0.2775328),
        (10, 10, 0.7224672, 1.0),
        (8, 10, 0.4901625, 0.9433178),
        (50, 100, 0.4038315, 0.5961685),
        (1, 1000, 0.0001765, 0.0056424),
    ],
)
def test_wilson_intervals_are_those_of_r(k: int, n: int, low: float, high: float) -> None:
    assert metrics.Rate(k, n).interval == pytest.approx((low, high), abs=5e-7)


def test_a_rate_of_nothing_is_unknown() -> None:
    rate = metrics.Rate(0, 0)
    assert math.isnan(rate.share)
    assert rate.interval == (0.0, 1.0)
    assert str(rate) == "unknown (0 of 0)"


def people(*rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["user_id", "is_bot", "name"])


def test_people_have_pseudonyms_unless_names_are_asked_for() -> None:
    found = people(
        (7, False, "Ana Lima"), (8, True, "Bot"), (9, False, " "), (10, False, "Ana Lima")
    )
    assert metrics.labels(found) == {7: "person 1", 8: "bot 2", 9: "person 3", 10: "person 4"}
    named = metrics.labels(found, names=True)
    assert named == {7: "Ana Lima", 8: "Bot", 9: "person 3", 10: "Ana Lima'"}


def test_a_salt_makes_pseudonyms_the_same_in_every_report() -> None:
    first = metrics.labels(people((7, False, "A"), (8, False, "B")), salt="s")
    second = metrics.labels(people((8, False, "B"), (7, False, "A")), salt="s")
    assert first == second
    assert first != metrics.labels(people((7, False, "A"), (8, False, "B")), salt="t")
    assert not any(label.split()[-1] == "7" for label in first.values())


def test_office_hours_are_read_and_applied() -> None:
    office = metrics.Office.parse("Mon-Fri 9-18, sat 9:30-13")
    times = pd.Series(
        pd.to_datetime(["2025-11-28 09:00", "2025-11-28 18:00", "2025-11-29 09:15",
                        "2025-11-29 12:59", "2025-11-30 12:00"])
    )  # fmt: skip
    assert office.open(times).tolist() == [True, False, False, True, False]


@pytest.mark.parametrize("text", ["", "9-18", "mon-fri", "seg-sex 9-18", "mon 9-18;"])
def test_office_hours_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="mon-fri 9-18"):
        metrics.Office.parse(text)


def test_the_busiest_hour_names_those_that_may_be_as_busy() -> None:
    clear = pd.DataFrame({"hour": [9, 10, 20], "visits": [500, 300, 200]})
    assert metrics.busiest_hour(clear)[0::2] == (9, [])
    close = pd.DataFrame({"hour": [9, 10, 20], "visits": [50, 45, 5]})
    assert metrics.busiest_hour(close)[0::2] == (9, [10])
