"""The busiest hours, as bands that can be staffed, with an interval that holds after choosing."""

from itertools import combinations, pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tgpipeline.analytics.language import say
from tgpipeline.analytics.support.statistics import ENOUGH, Rate, clustered

BANDS, BAND = 3, 3  # so many bands of so many hours can be staffed
BAND_DAYS = 10  # so many days a period needs: bands are chosen on half of them


class Bands(NamedTuple):
    """Hours in which most questions come.

    Attributes:
        hours: (first, one past the last) of each band, in order.
        rate: the share of questions in them, on days that did not choose them.
    """

    hours: tuple[tuple[int, int], ...]
    rate: Rate

    def __str__(self) -> str:
        """The hours as they are put on a duty roster.

        >>> print(Bands(((9, 12), (14, 17), (19, 22)), Rate(61, 100)))
        9 to 12, 14 to 17 and 19 to 22 h
        """
        spans = [say("{low} to {high}", low=first, high=last) for first, last in self.hours]
        return say(" and ").join(filter(None, [", ".join(spans[:-1]), spans[-1]])) + " h"


def busiest_bands(times: "pd.Series[Any]", people: Any, period: "pd.DatetimeIndex") -> Bands | None:
    """The `BANDS` bands of `BAND` hours with most questions; None where there are too few to tell.

    They are chosen on every other day of the period, and their share is counted on the days
    between: so the interval holds although they were chosen for being the busiest.

    Args:
        times: when each question was asked, local time.
        people: who asked each.
        period: its whole days.
    """
    if len(period) < BAND_DAYS or len(times) < ENOUGH:
        return None
    day, hour = times.dt.normalize(), times.dt.hour.to_numpy()
    chosen, other = (day.isin(period[n::2]).to_numpy() for n in (0, 1))
    counts = np.bincount(hour[chosen], minlength=24)
    load = np.convolve(counts, np.ones(BAND), "valid")
    starts = [s for s in combinations(range(len(load)), BANDS)
              if all(b - a >= BAND for a, b in pairwise(s))]  # fmt: skip
    best = max(starts, key=lambda s: sum(load[list(s)]))
    # Nobody need sit where nobody asks; bands that touch are one.
    busy = np.unique([s + n for s in best if load[s] for n in range(BAND)])
    runs = np.split(busy, np.flatnonzero(np.diff(busy) > 1) + 1)
    spans = tuple((int(run[0]), int(run[-1]) + 1) for run in runs)
    inside = np.isin(hour, busy)[other]
    return Bands(spans, clustered(inside, np.asarray(people)[other], day[other]))
