"""Intervals, pseudonyms, office hours."""

import math

import pandas as pd
import pytest

from tgpipeline.analytics.support import metrics, statistics
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
    assert statistics.Rate(k, n).interval == pytest.approx((low, high), abs=5e-7)


def test_a_rate_of_nothing_is_unknown() -> None:
    rate = statistics.Rate(0, 0)
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
    office = metrics.Office("Mon-Fri 9-18, sat 9:30-13")
    times = pd.Series(
        pd.to_datetime(["2025-11-28 09:00", "2025-11-28 18:00", "2025-11-29 09:15",
                        "2025-11-29 12:59", "2025-11-30 12:00"])
    )  # fmt: skip
    assert office.open(times).tolist() == [True, False, False, True, False]


def test_office_hours_go_past_midnight_and_over_the_weekend() -> None:
    night = metrics.Office("fri-mon 22-6:30")
    times = pd.Series(
        pd.to_datetime(
            ["2025-11-28 22:00", "2025-11-29 06:29", "2025-11-29 06:30", "2025-12-01 23:00",
             "2025-12-02 06:00", "2025-12-02 22:00"]
        )
    )  # fmt: skip
    assert night.open(times).tolist() == [True, True, False, True, True, False]


def test_a_day_may_have_two_spans() -> None:
    office = metrics.Office("mon-fri 9-12, mon-fri 13-24")
    noon = pd.Series(pd.to_datetime(["2025-11-28 11:59", "2025-11-28 12:30", "2025-11-28 23:59"]))
    assert office.open(noon).tolist() == [True, False, True]


@pytest.mark.parametrize(
    "text",
    ["", "9-18", "mon-fri", "seg-sex 9-18", "mon 9-18;", "mon 9-25", "mon 9:60-18", "mon 9-9",
     "mon 24-6", "mon 9-18,", "mon 9-24:30"],
)  # fmt: skip
def test_office_hours_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="mon-fri 9-18"):
        metrics.Office(text)


def questions(**columns: object) -> pd.DataFrame:
    n = len(next(c for c in columns.values() if isinstance(c, list)))
    frame = pd.DataFrame(
        {
            "asked": pd.Series(range(n), dtype="Int64"),
            "local_time": pd.Timestamp("2025-11-28 10:00"),
            "customer": range(n),
            "bot_after": pd.Series([None] * n, dtype="Int64"),
            "person_after": pd.Series([None] * n, dtype="Int64"),
            "handed": False,
        }
    )
    frame = frame.assign(**{k: pd.Series(v, dtype="Int64") for k, v in columns.items()})
    frame.attrs = {"until": 10**9}
    return frame


ANY = metrics.Office("mon-sun 0-24")


def test_who_never_got_an_answer_counts_in_the_wait() -> None:
    waits = metrics.response_times(questions(bot_after=[10, 20, None, None, None]), ANY)
    anyone = waits.iloc[0]
    assert anyone[["conversations", "answered"]].tolist() == [5, 2]
    assert anyone["median"] == float("inf")


def test_nobody_waits_longer_than_72_hours() -> None:
    late = questions(person_after=[72 * 3600, 72 * 3600 + 1])
    assert metrics.response_times(late, ANY).iloc[0]["answered"] == 1


def test_what_is_not_over_counts_for_as_long_as_it_is_known() -> None:
    young = questions(bot_after=[5, None, None], asked=[0, 997, 998])
    young.attrs = {"until": 1000}
    assert metrics.response_times(young, ANY).iloc[0]["median"] == 5


def test_whom_the_bot_served_does_not_wait_for_a_person() -> None:
    waits = metrics.response_times(
        questions(bot_after=[1, 1, None], person_after=[None, 60, None]), ANY
    ).set_index(["who", "asked"])
    assert waits.loc[("person", "any time"), "conversations"] == 2
    assert waits.loc[("bot", "any time"), "conversations"] == 3
    assert waits.loc[("anyone", "outside"), "conversations"] == 0
