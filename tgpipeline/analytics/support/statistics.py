"""How sure an answer is: intervals, tests and waits that hold for messages as they are.

Questions are not independent of each other: a person asks several times, and on a bad day everybody
asks the same. So intervals are clustered by person and by day, what is chosen on some days is
counted on others, and what is looked for in many places is tested more strictly.
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tgpipeline.analytics.support.rates import ENOUGH as ENOUGH
from tgpipeline.analytics.support.rates import Rate

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVEL = 0.025  # chance of a false finding: of the problems together, and of the words together
_Z = 1.959963984540054


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
    if hits in (0, n):
        return Rate(hits, n)
    codes = [pd.factorize(np.asarray(labels))[0] for labels in clusters]
    codes = [code for code in codes if code.any()]  # one cluster tells nothing of others
    if not codes:
        return Rate(hits, n)
    rest = hit - hits / n
    variance = sum(_between(rest, code) for code in codes)
    if len(codes) == 2:
        variance -= _between(rest, codes[0] * n + codes[1])
    groups = min(len(set(code)) for code in codes)
    design = n**3 * variance / (hits * (n - hits))
    return Rate(hits, n, max(1.0, design * _few(groups)))


def _between(rest: "NDArray[np.float64]", code: "NDArray[np.int64]") -> float:
    """The variance of a mean, from the sums of what its clusters deviate by."""
    _, code = np.unique(code, return_inverse=True)
    sums = np.bincount(code, rest)
    return float((sums**2).sum()) / len(rest) ** 2 * len(sums) / max(1, len(sums) - 1)


def _few(groups: int) -> float:
    from scipy.stats import t

    return float((t.ppf(0.975, max(1, groups - 1)) / _Z) ** 2)


@dataclass(frozen=True)
class Wait:
    """How long until something happens, where some have not seen it happen.

    Attributes:
        cases: how many wait.
        answered: for how many of them it happened.
        median: seconds until it has happened for half of all; infinite if it never does.
        low: of the median's 95 % interval.
        high: of the same; infinite where too few were answered to know.
        p90: seconds until it has happened for nine in ten.
    """

    cases: int
    answered: int
    median: float
    low: float
    high: float
    p90: float


def wait(seconds: Any, known: Any, *clusters: Any) -> Wait:
    """Waiting times by Kaplan and Meier: who has no answer yet counts for as long as is known.

    The median's interval is that of Brookmeyer and Crowley on the log-log scale, widened by the
    design effect of its clusters. Without censoring the quantiles are nearest ranks.

    Source: https://en.wikipedia.org/wiki/Kaplan%E2%80%93Meier_estimator

    Args:
        seconds: until the answer; missing where none came.
        known: seconds for which each was watched; an answer after them has not come yet.
        *clusters: as for `clustered`.

    >>> wait([10, 20, None, 40], [90, 90, 30, 90]).median
    20.0
    """
    from scipy.stats import CensoredData, ecdf, norm

    waited = pd.Series(seconds, dtype="Float64").to_numpy(float, na_value=math.inf)
    limit = np.asarray(known, dtype=float)
    seen = waited <= limit
    if not len(seen):
        return Wait(0, 0, *[math.nan] * 4)
    left = ecdf(CensoredData(waited[seen], right=limit[~seen])).sf
    at, share = left.quantiles, left.probabilities
    median = _reached(at, share, 0.5)
    until = np.where(seen, waited, limit)
    design = clustered(until <= median, *clusters).design if math.isfinite(median) else 1.0
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of all or none left nothing is in doubt
        bounds = left.confidence_interval(1 - 2 * norm.sf(_Z * math.sqrt(design)), method="log-log")
    known_bounds = [b.probabilities for b in (bounds.low, bounds.high)]
    low, high = (_reached(at, np.where(np.isnan(b), share, b), 0.5) for b in known_bounds)
    return Wait(len(seen), int(seen.sum()), median, low, high, _reached(at, share, 0.1))


def _reached(moments: "NDArray[np.float64]", left: "NDArray[np.float64]", share: float) -> float:
    """The first moment at which no more than a share is left; infinite if there is none."""
    below = np.flatnonzero(left <= share + 1e-9)
    return float(moments[below[0]]) if len(below) else math.inf


def changed(days: "pd.DataFrame") -> list[str]:
    """What came more often or less often in the last seven of fourteen days, beyond chance.

    Each count is held against all ways to deal its fourteen days into two weeks, which asks nothing
    of how days differ; of all tested, `LEVEL` bounds the share that is found falsely (Benjamini and
    Hochberg).

    Args:
        days: one row per day, fourteen, in order; one column of counts for each thing tested.

    Returns:
        For each column `new` (none in the week before), `rising`, `falling` or empty.
    """
    from scipy.stats import false_discovery_control

    counts = days.to_numpy(float)
    if not counts.size:
        return [""] * counts.shape[1]
    more = counts[7:].sum(axis=0) - counts[:7].sum(axis=0)
    every = 2 * _deals() @ counts - counts.sum(axis=0)
    chance = (np.abs(every) >= np.abs(more) - 1e-9).mean(axis=0)
    sure = false_discovery_control(chance) <= LEVEL
    ups = np.where(counts[:7].sum(axis=0) > 0, "rising", "new")
    return [str(w) for w in np.where(~sure, "", np.where(more > 0, ups, "falling"))]


@cache
def _deals() -> Any:
    """All ways to choose seven of fourteen days: one row per way, 1 for the days chosen."""
    chosen = np.array(list(combinations(range(14), 7)))
    return (chosen[:, :, None] == np.arange(14)).any(axis=1).astype(float)


def as_frequent(labels: "Sequence[Any]", *clusters: Any) -> list[Any]:
    """Which labels may be as frequent as the most frequent one (95 %, of all comparisons together).

    Args:
        labels: one for each case; None is none and is not compared.
        *clusters: as for `clustered`.
    """
    from scipy.stats import norm

    named = pd.Series(labels, dtype=object)
    counts = named.value_counts()
    if len(counts) < 2:
        return []
    top, needed = counts.index[0], norm.ppf(1 - 0.05 / (len(counts) - 1))
    found = []
    for other in counts.index[1:]:
        either = named.isin([top, other]).to_numpy()
        design = clustered(
            (named == top)[either], *(np.asarray(c)[either] for c in clusters)
        ).design
        if counts[top] - counts[other] <= needed * math.sqrt(design * either.sum()):
            found.append(other)
    return found
