"""How sure an answer is: intervals, tests and waits that hold for messages as they are.

Every rate is a `Rate`: numerator, denominator, 95 % interval. Questions are not independent of each
other: a person asks several times, and on a bad day everybody asks the same. So intervals are
clustered by person and by day, what is chosen on some days is counted on others, and what is looked
for in many places is tested more strictly.
"""

import math
import warnings
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tgpipeline.analytics.language import mark, say

ENOUGH = 30  # conversations; of fewer no share is told, they are shown one by one
LEVEL = 0.025  # chance of a false finding: of the problems together, and of the words together
_Z = 1.959963984540054


class Rate(NamedTuple):
    """A share with what it is made of.

    Attributes:
        numerator: how many.
        denominator: of how many.
        design: by how much cases that are alike widen the variance: see `clustered`.
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
        n, p = self.denominator / self.design, self.share
        if not n:
            return 0.0, 1.0
        centre = (p + _Z * _Z / (2 * n)) / (1 + _Z * _Z / n)
        half = _Z / (1 + _Z * _Z / n) * math.sqrt(p * (1 - p) / n + _Z * _Z / (4 * n * n))
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
    text = mark("{share:.0%} ({n:,} of {of:,}; 95% interval {low:.0%} to {high:.0%})")
    return say(text, share=n / of, n=n, of=of, low=low, high=high)


def clustered(cases: Any, *clusters: Any) -> Rate:
    """The rate of some cases, with its interval widened by how alike cases of one cluster are.

    The variance is that of Cameron, Gelbach and Miller for clusters of two kinds; its ratio to the
    variance of independent cases, at least 1, is the rate's design effect. Few clusters count for
    less, as Student's t does (Korn and Graubard).

    Source: https://doi.org/10.1198/jbes.2010.07136

    Args:
        cases: whether each is one, bool.
        *clusters: up to two labels of each case, such as its person and its day.

    >>> clustered([True, True, False, False], [1, 1, 2, 2]).design > 1
    True
    """
    hit = np.asarray(cases, dtype=float)
    n, hits = len(hit), int(hit.sum())
    codes = [pd.factorize(np.asarray(labels))[0] for labels in clusters]
    codes = [code for code in codes if code.any()]  # one cluster tells nothing of others
    if hits in (0, n) or not codes:
        return Rate(hits, n)
    rest = hit - hits / n
    variance = sum(_between(rest, code) for code in codes)
    if len(codes) == 2:
        variance -= _between(rest, codes[0] * n + codes[1])
    groups = min(len(set(code)) for code in codes)
    design = n**3 * variance / (hits * (n - hits))
    return Rate(hits, n, max(1.0, design * _few(groups)))


def _between(rest: Any, code: Any) -> float:
    """The variance of a mean, from the sums of what its clusters deviate by."""
    sums = np.bincount(pd.factorize(code)[0], rest)
    return float((sums**2).sum()) / len(rest) ** 2 * len(sums) / max(1, len(sums) - 1)


def _few(groups: int) -> float:
    from scipy.stats import t

    return float((t.ppf(0.975, max(1, groups - 1)) / _Z) ** 2)


def wait(seconds: Any, known: Any, *clusters: Any) -> dict[str, float]:
    """Waiting times by Kaplan and Meier: who has no answer yet counts for as long as is known.

    The median's interval is that of Brookmeyer and Crowley on the log-log scale, widened by the
    design effect of its clusters. Without censoring the quantiles are nearest ranks.

    Source: https://en.wikipedia.org/wiki/Kaplan%E2%80%93Meier_estimator

    Args:
        seconds: until the answer; missing where none came.
        known: seconds for which each was watched; an answer after them has not come yet.
        *clusters: as for `clustered`.

    Returns:
        `conversations` (how many wait), `answered` (of them), `median` (seconds until half were;
        infinite if they never are), its 95 % interval `low` and `high` (infinite where too few were
        answered to know), and `p90` (seconds until nine in ten were). Of nobody all is NaN.

    >>> wait([10, 20, None, 40], [90, 90, 30, 90])["median"]
    20.0
    """
    from scipy.stats import CensoredData, ecdf, norm

    waited = pd.Series(seconds, dtype="Float64").to_numpy(float, na_value=math.inf)
    limit = np.asarray(known, dtype=float)
    seen = waited <= limit
    found: dict[str, float] = {"conversations": len(seen), "answered": int(seen.sum())}
    if not len(seen):
        return found | dict.fromkeys(("median", "low", "high", "p90"), math.nan)
    left = ecdf(CensoredData(waited[seen], right=limit[~seen])).sf

    def reached(shares: Any, share: float) -> float:
        """The first moment at which no more than a share is left; infinite if there is none."""
        return float(next(iter(left.quantiles[shares <= share + 1e-9]), math.inf))

    found["median"] = median = reached(left.probabilities, 0.5)
    until = np.where(seen, waited, limit)
    design = clustered(until <= median, *clusters).design if math.isfinite(median) else 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of all or none left nothing is in doubt
        bounds = left.confidence_interval(1 - 2 * norm.sf(_Z * math.sqrt(design)), method="log-log")
    for name, bound in (("low", bounds.low.probabilities), ("high", bounds.high.probabilities)):
        found[name] = reached(np.where(np.isnan(bound), left.probabilities, bound), 0.5)
    return found | {"p90": reached(left.probabilities, 0.1)}


def changed(days: pd.DataFrame) -> list[str]:
    """What came more often or less often in the last seven of fourteen days, beyond chance.

    Each count is held against all ways to deal its fourteen days into two weeks, which asks nothing
    of how days differ; of all tested, `LEVEL` bounds the share that is found falsely (Benjamini and
    Hochberg).

    Args:
        days: one row per day, fourteen, in order; one column of counts for each thing tested.

    Returns:
        For each column `new` (none in the week before), `rising`, `falling` or empty.
    """
    from scipy.stats import false_discovery_control, permutation_test

    def more(now: Any, before: Any, axis: int) -> Any:
        return now.sum(axis=axis) - before.sum(axis=axis)

    weeks = days.to_numpy(float)[7:], days.to_numpy(float)[:7]
    if not days.size:
        return []
    dealt = permutation_test(weeks, more, n_resamples=math.inf, vectorized=True)
    sure = false_discovery_control(dealt.pvalue) <= LEVEL
    ups = np.where(weeks[1].any(axis=0), "rising", "new")
    return [str(w) for w in np.where(~sure, "", np.where(dealt.statistic > 0, ups, "falling"))]


def as_frequent(labels: Any, *clusters: Any) -> list[Any]:
    """Which labels may be as frequent as the most frequent one (95 %, of all comparisons together).

    Args:
        labels: one for each case; None is none and is not compared.
        *clusters: as for `clustered`.
    """
    from scipy.stats import norm

    named = pd.Series(labels, dtype=object)
    counts = named.value_counts()
    found = []
    for other in counts.index[1:]:
        either = named.isin([counts.index[0], other]).to_numpy()
        parts = (np.asarray(labels)[either] for labels in clusters)
        rate = clustered(named[either] != other, *parts)
        needed = norm.ppf(1 - 0.05 / (len(counts) - 1)) * math.sqrt(rate.design * rate.denominator)
        if counts.iloc[0] - counts[other] <= needed:
            found.append(other)
    return found
