"""What SQL is not the right place for: intervals, labels for people, conversations."""

import hashlib
import hmac
import math
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Rate:
    """A share with what it is made of.

    Attributes:
        numerator: how many.
        denominator: of how many.
    """

    numerator: int
    denominator: int

    @property
    def share(self) -> float:
        """The share; NaN of nothing."""
        return self.numerator / self.denominator if self.denominator else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson score interval; all of 0 to 1 where nothing is known.

        Source: https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval

        >>> [round(bound, 3) for bound in Rate(8, 10).interval]
        [0.49, 0.943]
        """
        n, z = self.denominator, 1.959963984540054
        if not n:
            return 0.0, 1.0
        p = self.numerator / n
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, centre - half), min(1.0, centre + half)

    def __str__(self) -> str:
        """The share with its interval and its counts.

        >>> print(Rate(8, 10))
        80% (8 of 10; 95% interval 49% to 94%)
        """
        if not self.denominator:
            return "unknown (0 of 0)"
        low, high = self.interval
        counts = f"{self.numerator:,} of {self.denominator:,}"
        return f"{self.share:.0%} ({counts}; 95% interval {low:.0%} to {high:.0%})"


def labels(people: pd.DataFrame, *, names: bool = False, salt: str = "") -> dict[int, str]:
    """What to call each person: a pseudonym, or their name.

    Args:
        people: answer of `people`.
        names: whether to show names.
        salt: with one, a person has the same pseudonym in every report with that salt, and who has
            not the salt cannot find the person behind it. Without one, people are numbered in the
            order in which they first wrote in the period, and other periods number them otherwise.

    Returns:
        For each user id, a label that no other has.
    """
    found: dict[int, str] = {}
    taken: set[str] = set()
    for number, row in enumerate(people.dropna(subset=["user_id"]).itertuples(), 1):
        user_id = int(row.user_id)
        kind = "bot" if row.is_bot else "person"
        if names and isinstance(row.name, str) and row.name.strip():
            label = row.name.strip()[:24]
        elif salt:
            digest = hmac.new(salt.encode(), str(user_id).encode(), hashlib.sha256).hexdigest()
            label = f"{kind} {digest[:6]}"
        else:
            label = f"{kind} {number}"
        while label in taken:
            label += "'"
        taken.add(label)
        found[user_id] = label
    return found
