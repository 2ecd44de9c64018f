"""What charts are made of: bars in parts, heat maps, and the time below them.

Bars and cells stand at 0, 1, 2 …; what these are called is written below or beside them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.ticker import MaxNLocator

from tgpipeline.analytics.charts.style import BOT, NARROW, OTHER, PEOPLE, SOFT, Place, axes
from tgpipeline.analytics.language import MONTHS, mark, number, say

Parts = Mapping[str, tuple[str, str]]  # column → what it is called, in English; its colour
SAID = {"by_people": (mark("people"), PEOPLE), "by_bots": (mark("bots"), BOT)}
GIVEN = {"to_people": (mark("to people"), PEOPLE), "to_bots": (mark("to bots"), BOT),
         "to_unknown": (mark("to unknown"), OTHER)}  # fmt: skip
LOCAL_TIME = {
    "day": mark("day, local time"), "week": mark("week, local time"),
    "month": mark("month, local time"),
}  # fmt: skip
PER_UNIT = {
    "day": mark("messages a day"), "week": mark("messages a week"),
    "month": mark("messages a month"),
}  # fmt: skip
WEEKS = 104  # of charts by week: two years at most


def every_day(frame: pd.DataFrame, columns: list[Any], attrs: Any = None) -> pd.DataFrame:
    """The columns with a row for each day of the period, 0 where there is none."""
    period = (attrs or frame.attrs).get("parameters", {})
    first, last = frame["day"].min(), frame["day"].max()
    start, end = pd.Timestamp(period.get("start", first)), pd.Timestamp(period.get("end", last))
    days = pd.date_range(min(start, first), max(end, last), freq="D")
    filled = frame.set_index("day")[columns].astype(float)
    return filled.reindex(days.astype(frame["day"].dtype)).fillna(0).set_axis(days)


def by_unit(days: pd.DataFrame, how: str = "sum") -> tuple[str, pd.DataFrame]:
    """By day, or by week or month where days would be too thin to see."""
    if len(days) <= 120:
        return "day", days
    unit, period = ("week", "W") if len(days) <= 7 * WEEKS else ("month", "M")
    starts = pd.DatetimeIndex(days.index).to_period(period).start_time
    return unit, days.groupby(starts).agg(how)


def tell_time(ax: Any, starts: Any, unit: str) -> None:
    """Say below some of the bars which day, week or month they are; the year where it is new."""
    step = -(-len(starts) // (9 if Place.width > NARROW else 5))
    names: list[str] = []
    for here, before in zip(starts[::step], [None, *starts[::step]], strict=False):
        month = say(MONTHS[here.month - 1])
        name = month if unit == "month" else say("{day} {month}", day=here.day, month=month)
        is_new = before is None or before.year != here.year
        names.append(f"{name}\n{here.year}" if is_new else name)
    ax.set_xticks(range(0, len(starts), step), names)
    ax.set_xlabel(say(LOCAL_TIME[unit]))


def from_zero(ax: Any, lines: pd.DataFrame, unit: str) -> tuple[Any, pd.DataFrame]:
    """Lines over time that begin at 0, drawn already: what is around them, and their numbers."""
    ax.set_ylim(bottom=0)
    ax.grid(axis="y", alpha=0.25)
    tell_time(ax, lines.index, unit)
    return ax, lines.round(1).rename_axis(unit).reset_index()


def row_axes(title: str, xlabel: str, names: Sequence[str]) -> Any:
    """Axes for bars that go across, the first on top: names beside them, above them on a phone."""
    is_wide, count = Place.width > NARROW, len(names)
    ax = axes(title, xlabel, "", height=(0.32 if is_wide else 0.5) * count + 1.3)
    ax.set_ylim(count - 0.4, -0.6)
    if is_wide:
        ax.set_yticks(range(count), names)
        return ax
    ax.set_yticks([])
    for place, name in enumerate(names):
        ax.annotate(" ".join(name.split()), (0, place - 0.2), (3, 2), fontsize=9,
                    xycoords=("axes fraction", "data"), textcoords="offset points")  # fmt: skip
    return ax


def thickness() -> float:
    """Of a bar that goes across, in rows: above it there may be its name."""
    return 0.8 if Place.width > NARROW else 0.4


def stack(ax: Any, table: pd.DataFrame, parts: Parts, *, across: bool = False) -> None:
    """A bar for each row, made of one part for each column that is not all 0.

    Args:
        ax: to draw on; from `row_axes` if bars go across.
        table: the lengths; what is negative goes down.
        parts: the columns to draw.
        across: whether bars go to the right, with their sums behind them.
    """
    places, draw = range(len(table)), ax.barh if across else ax.bar
    thick = thickness() if across else 0.85
    so_far = pd.Series(0.0, table.index)
    for column, (name, colour) in parts.items():
        values = table[column].astype(float)
        if values.any():
            draw(places, values, thick, so_far.where(values >= 0, 0), color=colour, label=say(name))
            so_far = so_far + values.clip(lower=0)
    if across:
        ax.set_xlim(0, 1.15 * max(1.0, so_far.max()))
        ax.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        for place, total in enumerate(so_far):
            ax.annotate(number(total, ",.0f"), (total, place), (5, -3), fontsize=8, color=SOFT,
                        textcoords="offset points")  # fmt: skip
    else:
        ax.grid(axis="y", alpha=0.25)
        ax.set_axisbelow(True)


def heat(ax: Any, values: Any, rows: Sequence[str], label: str, **limits: Any) -> None:
    """A heat map, its rows from the top down, with a scale that says what is counted."""
    image = ax.imshow(values, cmap="cividis", aspect="auto", interpolation="none", **limits)
    step = -(-len(rows) // 13)
    ax.set_yticks(range(0, len(rows), step), rows[::step])
    ticks = MaxNLocator(nbins=5, integer=bool(image.get_clim()[1] >= 2))
    ax.get_figure().colorbar(image, ax=ax, label=label, ticks=ticks)
