"""Time in charts: every day of a period, weeks and months where days are too thin, dated axes."""

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

from tgpipeline.analytics.charts.style import NARROW, Place
from tgpipeline.analytics.language import MONTHS, mark, say

UNIT_DAYS = {"day": 1, "week": 7, "month": 31}
BAR_DAYS = {"day": 0.85, "week": 6.0, "month": 25.0}  # how wide a bar is
LOCAL_TIME = {
    "day": mark("day, local time"), "week": mark("week, local time"),
    "month": mark("month, local time"),
}  # fmt: skip


def every_day(
    frame: pd.DataFrame, columns: list[Any], attrs: Mapping[str, Any] | None = None
) -> pd.DataFrame:
    """The columns with a row for each day of the period, 0 where there is none."""
    period = (frame.attrs if attrs is None else attrs).get("parameters", {})
    first, last = frame["day"].min(), frame["day"].max()
    start, end = pd.Timestamp(period.get("start", first)), pd.Timestamp(period.get("end", last))
    days = pd.date_range(min(start, first), max(end, last), freq="D")
    series = {
        c: pd.Series(frame[c].to_numpy(dtype=float, na_value=0), frame["day"]) for c in columns
    }
    full = pd.DataFrame(series).reindex(days.astype(frame["day"].dtype)).fillna(0)
    return full.set_index(days)


def by_unit(days: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """By day, or by week or month where days would be too thin to see."""
    if len(days) <= 120:
        return "day", days
    unit, period = ("week", "W") if len(days) <= 730 else ("month", "M")
    starts = pd.DatetimeIndex(days.index).to_period(period).start_time
    return unit, days.groupby(starts).sum()


def dated(on: Any, label: str, *, grid: bool = True) -> Any:
    """Give the horizontal axis readable dates and this label."""
    locator = AutoDateLocator(minticks=3, maxticks=9 if Place.width > NARROW else 5)  # type: ignore[no-untyped-call]
    on.xaxis.set_major_locator(locator)
    on.xaxis.set_major_formatter(_Dates(locator))  # type: ignore[no-untyped-call]
    on.set_xlabel(label)
    if grid:
        on.grid(axis="y", alpha=0.25)
        on.set_axisbelow(True)
    return on


class _Dates(ConciseDateFormatter):
    """Dates with months in the language that is set."""

    def format_ticks(self, values: Any) -> list[str]:
        return [_months(tick) for tick in super().format_ticks(values)]  # type: ignore[no-untyped-call]

    def get_offset(self) -> str:
        return _months(super().get_offset())  # type: ignore[no-untyped-call]


def _months(text: str) -> str:
    return re.sub("[A-Z][a-z]{2}", lambda m: say(m[0]) if m[0] in MONTHS else m[0], text)
