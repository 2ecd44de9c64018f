"""Rates with their intervals, and what each measure means.

Every rate is a `Rate`: numerator, denominator, 95 % interval. What the lake cannot know is a rate
of nothing with a note that says why, never 0 %. `definitions` says what each measure means.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

from tgpipeline.analytics.language import say

NO_BOT = (
    "the lake holds no message of a bot: a bot gets no updates for what it says itself, so archive "
    "it, with Bot.send_message(…, archive=lake.archive(settings))"
)
NO_SIGNALS = (
    "only thanks in words count: no reaction and no pressed button came in this period (they need "
    "message_reaction and callback_query in allowed_updates, reactions also an admin bot)"
)
NO_AUTHORS = "imported history does not say who is a bot: all of its authors count as people"
NOT_JUDGED = (
    "groups that write in a language without rules (Portuguese, English and Spanish have them) are "
    "left out: what became of a question is not judged there, only who wrote when"
)


TOO_FEW = "too few to tell shares: look at the cases"
ENOUGH = 30  # conversations; of fewer no share is told, they are shown one by one


@cache
def definitions() -> dict[str, str]:
    """What each measure means, by its name."""
    return tomllib.loads(Path(__file__).with_name("measures.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Rate:
    """A share with what it is made of.

    Attributes:
        numerator: how many.
        denominator: of how many.
        design: by how much cases that are alike widen the variance: see `statistics.clustered`.
    """

    numerator: int
    denominator: int
    design: float = 1.0

    @property
    def share(self) -> float:
        """The share; NaN of nothing."""
        return self.numerator / self.denominator if self.denominator else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson score interval of as many independent cases as these are worth.

        All of 0 to 1 where nothing is known.

        Source: https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval

        >>> [round(bound, 3) for bound in Rate(8, 10).interval]
        [0.49, 0.943]
        """
        n, z = self.denominator / self.design, 1.959963984540054
        if not n:
            return 0.0, 1.0
        p = self.share
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, centre - half), min(1.0, centre + half)

    def __str__(self) -> str:
        """The share with its interval and its counts, in the language that is set.

        >>> print(Rate(8, 10))
        80% (8 of 10; 95% interval 49% to 94%)
        """
        return in_words(self.numerator, self.denominator, *self.interval)


def in_words(n: int, of: int, low: float, high: float) -> str:
    """A share with its counts and its interval, in the language that is set."""
    if not of:
        return say("unknown (0 of 0)")
    return say(
        "{share:.0%} ({n:,} of {of:,}; 95% interval {low:.0%} to {high:.0%})",
        share=n / of, n=n, of=of, low=low, high=high,
    )  # fmt: skip


def rates(found: Mapping[str, tuple[Rate, str]]) -> pd.DataFrame:
    """Rates as a table: measure, numerator, denominator, share, low, high, note, definition.

    Shares and intervals of fewer than `ENOUGH` are missing, and the note says so.
    """
    rows = []
    for measure, (rate, note) in found.items():
        n, of = rate.numerator, rate.denominator
        shares = (rate.share, *rate.interval) if of >= ENOUGH else (math.nan,) * 3
        why = note or (TOO_FEW if 0 < of < ENOUGH else "")
        rows.append((measure, n, of, *shares, why, definitions().get(measure, "")))
    names = "measure numerator denominator share low high note definition".split()
    return pd.DataFrame(rows, columns=names)
