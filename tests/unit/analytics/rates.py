"""Tables as `metrics.outcomes` makes them, of any rates."""

from collections.abc import Mapping

import pandas as pd

from tgpipeline.analytics.support.statistics import ENOUGH, Rate


def table(rates: Mapping[str, Rate]) -> pd.DataFrame:
    """One row per measure; of fewer than `ENOUGH` no shares."""
    rows = [
        (
            name,
            *rate[:2],
            *((rate.share, *rate.interval) if rate.denominator >= ENOUGH else [None] * 3),
        )
        for name, rate in rates.items()
    ]
    names = ["measure", "numerator", "denominator", "share", "low", "high"]
    shares = dict.fromkeys(names[3:], float)
    return pd.DataFrame(rows, columns=names).astype(shares).assign(note="", definition="")
