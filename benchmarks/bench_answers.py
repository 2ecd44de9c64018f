"""Do the intervals of answers hold? Simulated conversations whose truth is known, many groups.

    python benchmarks/bench_answers.py [--groups 1000] [--seed 0] [--shapes office,small]

A conversation has a person, a day, an hour, a problem, an outcome and a wait; there are no texts.
People repeat themselves and days are alike, as in real groups: with a chance of its shape's, a
conversation takes what is its person's, or its day's. Printed is how often the 95 % intervals hold
the truth; 93 to 97 % is right.
"""

import argparse
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tgpipeline.analytics.support import metrics, statistics

MONDAY = pd.Timestamp("2025-01-06")
HOURS = np.arange(24)
PROBLEMS, OUTCOMES = 8, ("confirmed", "assumed", "not_solved", "unanswered")


@dataclass(frozen=True)
class Shape:
    """What kind of group it is.

    Attributes:
        days: of the period.
        questions: a day, on average.
        person: the part of what is asked that is its person's own.
        day: the part that is its day's.
        hours: how likely each hour is, up to a factor.
    """

    days: int
    questions: float
    person: float
    day: float
    hours: Any


def peaks(*hours: float, width: float = 1.5, rest: float = 0.1) -> Any:
    """Hours with some peaks."""
    return rest + sum(np.exp(-0.5 * ((HOURS - hour) / width) ** 2) for hour in hours)


SHAPES = {
    "office": Shape(30, 12, 0.2, 0.1, peaks(13, width=3, rest=0.02)),
    "evening": Shape(30, 5, 0.1, 0.0, peaks(20, width=4, rest=0.3)),
    "busy": Shape(60, 30, 0.3, 0.15, peaks(10, 15, 20.5)),
    "small": Shape(21, 3, 0.2, 0.05, peaks(13, width=3)),
    "flat": Shape(28, 10, 0.0, 0.0, np.ones(24)),
    "bursty": Shape(45, 8, 0.3, 0.25, peaks(9, width=0.5, rest=0.1)),
}


def group(rng: np.random.Generator, shape: Shape) -> tuple[pd.DataFrame, dict[str, Any]]:
    """One group's conversations, as `find_conversations` gives them, and what is true of it."""
    from scipy.stats import norm

    daily = rng.poisson(rng.gamma(6, 1 / 6, shape.days) * shape.questions)
    day = np.repeat(np.arange(shape.days), daily)
    size, people = len(day), max(5, len(day) // 2)
    weights = rng.gamma(1.5, 1, people)
    who = rng.choice(people, size, p=weights / weights.sum())

    def draw(chances: Any) -> Any:
        own, days, fresh = (
            rng.choice(len(chances), n, p=chances) for n in (people, shape.days, size)
        )
        by = rng.random(size)
        return np.where(
            by < shape.person, own[who], np.where(by < shape.person + shape.day, days[day], fresh)
        )

    truth = {
        "hours": shape.hours / shape.hours.sum(),
        "problem": rng.dirichlet(np.full(PROBLEMS, 1.2)),
        "outcome": rng.dirichlet([4, 3, 2, 1]),
    }
    answered, scale, spread = rng.uniform(0.6, 0.98), np.exp(rng.uniform(4, 9)), 1.2
    rest = 1 - shape.person - shape.day
    mixed = sum(
        np.sqrt(part) * rng.normal(size=n)[index]
        for part, n, index in ((shape.person, people, who), (shape.day, shape.days, day),
                               (rest, size, np.arange(size)))
    )  # fmt: skip
    place = norm.cdf(mixed) / answered
    wait = scale * np.exp(spread * norm.ppf(np.minimum(place, 1 - 1e-12)))
    truth["median"] = scale * np.exp(spread * norm.ppf(0.5 / answered))
    seconds = day * 86_400 + draw(truth["hours"]) * 3600 + rng.integers(0, 3600, size)
    start = int(MONDAY.timestamp())
    frame = pd.DataFrame(
        {
            "asked": pd.Series(start + seconds, dtype="Int64"),
            "local_time": MONDAY + pd.to_timedelta(seconds, unit="s"),
            "customer": who,
            "problem": draw(truth["problem"]),
            "outcome": np.array(OUTCOMES)[draw(truth["outcome"])],
            "bot_after": pd.Series(np.where(place < 1, wait, np.nan)).round().astype("Int64"),
            "person_after": pd.Series([None] * size, dtype="Int64"),
            "handed": False,
        }
    )
    rest_of_columns = ("by", "signal", "settled", "back_after", "answer_after")
    frame = frame.assign(**dict.fromkeys(rest_of_columns, pd.Series([None] * size, dtype="Int64")))
    end = start + shape.days * 86_400
    frame.attrs = {"parameters": {"start": str(MONDAY.date())}, "end": end, "until": end}
    return frame, truth


def held(frame: pd.DataFrame, truth: dict[str, Any]) -> dict[str, list[bool]]:
    """Which intervals of a group's answers hold what is true."""
    found = defaultdict(list)
    day = frame["local_time"].dt.normalize()
    bands = metrics.questions_by_hour(frame).attrs["bands"]
    if bands:
        low, high = bands.rate.interval
        inside = sum(truth["hours"][first:last].sum() for first, last in bands.hours)
        found["bands"].append(low <= inside <= high)
    for number, share in enumerate(truth["problem"]):
        rate = statistics.clustered(frame["problem"] == number, frame["customer"], day)
        found["problem"].append(rate.interval[0] <= share <= rate.interval[1])
    rates = metrics.outcomes(frame, pd.DataFrame()).set_index("measure")
    shares = dict(zip(OUTCOMES, truth["outcome"], strict=True))
    shares["solved_at_most"] = shares["confirmed"] + shares["assumed"]
    for name, share in shares.items():
        found["outcome"].append(rates.loc[name, "low"] <= share <= rates.loc[name, "high"])
    always = metrics.Office("mon-sun 0-24")
    waits = metrics.response_times(frame, always).iloc[0]
    if truth["median"] < metrics.WATCHED:
        found["waits"].append(waits["low"] <= truth["median"] <= waits["high"])
    return found


def main() -> None:
    """Prints how often the intervals hold, for each shape and over all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--groups", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shapes", default=",".join(SHAPES), help="which, separated by commas")
    options = parser.parse_args()
    started, names = time.perf_counter(), options.shapes.split(",")
    columns = ("bands", "problem", "outcome", "waits")
    print(f"{'':10}" + "".join(f"{name:>10}" for name in columns))
    total = defaultdict(list)
    for place, name in enumerate(names):
        rng = np.random.default_rng([options.seed, place])
        found = defaultdict(list)
        for _ in range(-(-options.groups // len(names))):
            frame, truth = group(rng, SHAPES[name])
            if len(frame) >= statistics.ENOUGH:
                for what, hits in held(frame, truth).items():
                    found[what] += hits
                    total[what] += hits
        print(f"{name:10}" + "".join(f"{np.mean(found[c]):10.1%}" for c in columns), flush=True)
    print(f"{'all':10}" + "".join(f"{np.mean(total[c]):10.1%}" for c in columns))
    print(f"{options.groups} groups in {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
