"""Intervals, waits, tests and bands: against known figures, and against what chance does."""

import math

import numpy as np
import pandas as pd
import pytest

from tgpipeline.analytics.support import busiest, statistics
from tgpipeline.analytics.support.statistics import Rate

DAYS = pd.date_range("2025-11-10", periods=28)


def test_independent_cases_have_the_interval_of_wilson() -> None:
    cases = [True] * 40 + [False] * 60
    assert statistics.clustered(cases) == Rate(40, 100)
    mixed = np.random.default_rng(0).permutation(cases)
    apart = statistics.clustered(mixed, range(100), np.arange(100) % 25)
    assert apart.design == pytest.approx(1, abs=0.35)


def test_cases_that_are_copies_of_each_other_count_once() -> None:
    cases = np.random.default_rng(1).random(80) < 0.4
    once = statistics.clustered(cases, range(80))
    four_times = statistics.clustered(np.repeat(cases, 4), np.repeat(range(80), 4))
    assert four_times.interval == pytest.approx(once.interval, abs=0.003)


def test_clusters_of_two_kinds_add_up() -> None:
    rng = np.random.default_rng(2)
    person, day = rng.integers(0, 60, 600), rng.integers(0, 30, 600)
    cases = (rng.random(60)[person] + rng.random(30)[day]) < 1
    both = statistics.clustered(cases, person, day).design
    one = [statistics.clustered(cases, c).design for c in (person, day)]
    assert both > max(one)
    # U(1 to 30 days) is known: https://en.wikipedia.org/wiki/Student%27s_t-distribution
    assert statistics._few(30) == pytest.approx((2.045230 / 1.959964) ** 2, abs=1e-4)


def test_waits_are_nearest_ranks_where_everybody_was_answered() -> None:
    found = statistics.wait([30, 10, 20, 40], [99] * 4)
    assert (found["median"], found["p90"], found["answered"]) == (20, 40, 4)
    ten = statistics.wait(list(range(1, 11)), [99] * 10)
    assert (ten["median"], ten["p90"]) == (5, 9)


def test_waits_are_those_of_kaplan_and_meier() -> None:
    """Freireich 1963, weeks of remission under 6-MP, as R's survfit has it."""
    weeks = [6, 6, 6, 7, 10, 13, 16, 22, 23]
    left = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    found = statistics.wait([*weeks, *[None] * 12], [*[99] * 9, *left])
    assert (found["conversations"], found["answered"], found["median"]) == (21, 9, 23)
    assert (found["low"], found["high"], found["p90"]) == (13, math.inf, math.inf)


def test_a_wait_of_nobody_is_not_known() -> None:
    assert math.isnan(statistics.wait([], [])["median"])
    assert statistics.wait([None], [50])["median"] == math.inf


def test_a_week_of_more_is_rising_and_one_of_chance_is_not() -> None:
    base = np.array([3, 2, 4, 3, 2, 3, 4] * 2)
    more = base + np.repeat([0, 5], 7)
    new = np.repeat([0, 1], 7)
    counts = pd.DataFrame({"a": base, "up": more, "down": more[::-1], "new": new})
    assert statistics.changed(counts) == ["", "rising", "falling", "new"]
    one_bad_day = np.array([0] * 10 + [30] + [0] * 3)
    assert statistics.changed(pd.DataFrame({"a": one_bad_day})) == [""]


def test_quiet_fortnights_find_nothing() -> None:
    """Volume differs from day to day, people ask in bursts; nothing changes between weeks."""
    rng = np.random.default_rng(3)
    false = 0
    for _ in range(300):
        volume = rng.gamma(5, 0.2, (14, 1)) * rng.uniform(0.2, 6, 12)
        bursts = rng.geometric(0.7, (14, 12))
        false += any(statistics.changed(pd.DataFrame(rng.poisson(volume) * bursts)))
    assert false <= 0.05 * 300


def test_what_may_be_as_frequent_as_the_first() -> None:
    clear = ["a"] * 60 + ["b"] * 20 + [None] * 90
    assert statistics.as_frequent(clear) == []
    assert statistics.as_frequent(["a"] * 30 + ["b"] * 25 + ["c"] * 3) == ["b"]
    assert statistics.as_frequent(["a"] * 40) == []
    many = ["a"] * 40 + ["b"] * 22  # clear of one, not of one in twelve
    assert statistics.as_frequent(many) == []
    rest = [x for n in range(11) for x in [str(n)] * 3]
    assert statistics.as_frequent(many + rest) == ["b"]


def asked(share: float, size: int, seed: int) -> "pd.Series[pd.Timestamp]":
    rng = np.random.default_rng(seed)
    busy = rng.choice([9, 10, 11, 14, 15, 16, 19, 20, 21], size)
    hours = np.where(rng.random(size) < share, busy, rng.choice([2, 6, 13, 23], size))
    return pd.Series(DAYS[rng.integers(0, 28, size)] + pd.to_timedelta(hours, unit="h"))


def test_bands_are_those_that_were_made_and_their_share_is_counted_on_other_days() -> None:
    times = asked(0.8, 2000, 0)
    bands = busiest.busiest_bands(times, range(2000), DAYS)
    assert bands is not None
    assert str(bands) == "9 to 12, 14 to 17 and 19 to 22 h"
    other = times[~times.dt.normalize().isin(DAYS[::2])]
    inside = other.dt.hour.isin([9, 10, 11, 14, 15, 16, 19, 20, 21])
    assert (bands.rate.numerator, bands.rate.denominator) == (inside.sum(), len(other))


def test_bands_that_touch_are_one() -> None:
    times = pd.Series([day + pd.Timedelta(hours=h) for day in DAYS for h in range(9, 18)])
    assert str(busiest.busiest_bands(times, range(len(times)), DAYS)) == "9 to 18 h"


def test_hours_in_which_nobody_asks_are_in_no_band() -> None:
    times = pd.Series([day + pd.Timedelta(hours=h) for day in DAYS for h in (9, 10, 11)])
    assert str(busiest.busiest_bands(times, range(len(times)), DAYS)) == "9 to 12 h"


def test_too_few_questions_or_days_have_no_bands() -> None:
    times = asked(0.8, 200, 0)
    assert busiest.busiest_bands(times[:29], range(29), DAYS) is None
    assert busiest.busiest_bands(times[:30], range(30), DAYS) is not None
    early = times[times < DAYS[9]]
    assert busiest.busiest_bands(early, range(len(early)), DAYS[:9]) is None
    assert busiest.busiest_bands(early, range(len(early)), DAYS[:10]) is not None


def test_the_share_of_flat_hours_is_not_flattered() -> None:
    rng, held = np.random.default_rng(4), 0
    for _ in range(200):
        times = pd.Series(
            DAYS[rng.integers(0, 28, 150)] + pd.to_timedelta(rng.integers(0, 24, 150), "h")
        )
        bands = busiest.busiest_bands(times, range(150), DAYS)
        assert bands is not None
        low, high = bands.rate.interval
        held += low <= 9 / 24 <= high
    assert held >= 0.92 * 200
