"""What charts are made of: bars in parts, rates, heat maps and lines, and the time below them.

A table's columns are what is drawn: each has the same colour and the same name in all charts. Bars
and cells stand at 0, 1, 2 …; what these are called is written below or beside them.
"""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import pandas as pd
from matplotlib.ticker import MaxNLocator

from tgpipeline.analytics.charts.style import Chart, broken, colour, is_wide, looks
from tgpipeline.analytics.language import MONTHS, number, say, words

Draw = Callable[[Any, pd.DataFrame], object]  # of a table, on axes
WEEKS = 104  # of charts by week: two years at most
THICK = 0.5  # of a bar that goes across, in rows: above it there may be its name


def every_day(frame: pd.DataFrame, columns: list[Any], attrs: Any = None) -> pd.DataFrame:
    """The columns with a row for each day of the period, 0 where there is none."""
    period = (attrs or frame.attrs).get("parameters", {})
    ends = {period[name] for name in ("start", "end") if name in period}
    days = frame.set_index("day")[columns].astype(float)
    return days.reindex(days.index.union(pd.to_datetime([*ends]))).asfreq("D").fillna(0)


def by_unit(days: pd.DataFrame, how: str = "sum") -> tuple[str, pd.DataFrame]:
    """By day, or by week or month where days would be too thin to see."""
    if len(days) <= 120:
        return "day", days
    unit, period = ("week", "W") if len(days) <= 7 * WEEKS else ("month", "M")
    starts = pd.DatetimeIndex(days.index).to_period(period).start_time
    return unit, days.groupby(starts).agg(how)


def stack(ax: Any, table: pd.DataFrame, *, across: bool = False) -> None:
    """A bar for each row, made of one part for each column that is not all 0.

    Args:
        ax: to draw on.
        table: the lengths; what is negative goes down.
        across: whether bars go to the right.
    """
    table = table.astype(float)
    starts = table.clip(lower=0).cumsum(axis=1).shift(axis=1, fill_value=0).where(table >= 0, 0)
    draw, width = (ax.barh, THICK) if across else (ax.bar, 0.85)
    for column in table.columns[table.any()]:
        how = {"color": colour(column), "label": label(column)}
        draw(range(len(table)), table[column], width, starts[column], **how)


def lines(ax: Any, table: pd.DataFrame) -> None:
    """A line for each column that `looks.toml` has a line of, from 0 on."""
    for column, line in looks()["lines"].items():
        if column in table:
            ax.plot(range(len(table)), table[column], line, c=colour(column), label=label(column))
    ax.set_ylim(bottom=0)


def heat(ax: Any, table: pd.DataFrame, scale: str, most: float | None = None) -> None:
    """A heat map from 0 on, the rows from the top down, with a scale that says what is counted."""
    image = ax.imshow(table, zorder=1, vmin=0, vmax=most)
    step = -(-len(table) // 13)
    names = [broken(say(name), 4.5) for name in table.index[::step]]
    ax.set_yticks(range(0, len(table), step), names)
    ax.get_figure().colorbar(image, ax=ax, label=scale, ticks=MaxNLocator(nbins=5, integer=True))


def heat_over_time(scale: str) -> Draw:
    """Draws a table's columns as the rows of a heat map, over time."""
    return lambda ax, table: heat(ax, table.T, scale)


def over_time(title: str, table: pd.DataFrame, unit: str, ylabel: str, draw: Draw = stack) -> Chart:
    """A chart of a table with one row per day, week or month: says below some which they are."""

    def with_time(ax: Any) -> None:
        draw(ax, table)
        ax.grid(axis="y")
        step = -(-len(table) // (9 if is_wide() else 5))
        names = list[str]()
        for before, start in pairwise([pd.Timestamp(0), *table.index[::step]]):
            month = say(MONTHS[start.month - 1])
            name = month if unit == "month" else say("{day} {month}", day=start.day, month=month)
            names.append(f"{name}\n{start.year}" if start.year != before.year else name)
        ax.set_xticks(range(0, len(table), step), names)

    data = table.round(1).rename_axis(unit).reset_index()
    return Chart(title, data, say(f"{unit}, local time"), ylabel, with_time)


def across(title: str, xlabel: str, table: pd.DataFrame) -> Chart:
    """A chart of bars in parts that go across, each with the name that the table's index has."""
    sums = table.sum(axis=1)

    def draw(ax: Any) -> None:
        stack(ax, table, across=True)
        rows(ax, table.index)
        ax.bar_label(ax.containers[-1], [number(n, ",.0f") for n in sums], padding=5, fontsize=8)
        ax.set_xlim(0, 1.15 * max(1.0, sums.max()))
        ax.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))

    return Chart(title, table.reset_index(), xlabel, "", draw)


def shares(title: str, xlabel: str, rates: pd.DataFrame, colours: list[str]) -> Chart:
    """A chart of rates with their intervals: `n`, `of`, `share`, `low`, `high`."""
    low, share, high = (100 * rates[c].astype(float) for c in ("low", "share", "high"))
    reach = [(share - low).clip(lower=0), (high - share).clip(lower=0)]

    def draw(ax: Any) -> None:
        bars = ax.barh(range(len(rates)), share, THICK, color=colours, xerr=reach, capsize=2)
        rows(ax, rates.index)
        told = [say("{share:.0%} ({n} of {of})", **row) for row in rates.to_dict("records")]
        ax.bar_label(bars, told, padding=5, fontsize=8)
        ax.set_xlim(0, (1.3 if is_wide() else 1.6) * max([*high, 1.0]))
        ax.set_xticks([tick for tick in ax.get_xticks() if 0 <= tick <= 100])  # beyond are words

    return Chart(title, rates[["n", "of", "share", "low", "high"]].reset_index(), xlabel, "", draw)


def rows(ax: Any, names: Iterable[str]) -> None:
    """Axes for bars that go across, the first on top: names beside them, above them on a phone."""
    names, places = list(names), range(len(names))
    ax.get_figure().set_figheight((0.32 if is_wide() else 0.5) * len(names) + 1.3)
    ax.set_ylim(len(names) - 0.4, -0.6)
    if is_wide():
        ax.set_yticks(places, [broken(name, 5.5) for name in names])
    else:
        ax.set_yticks([place - 0.4 for place in places], names, ha="left", fontsize=9)
        ax.tick_params(axis="y", length=0, pad=-3)


def label(column: str) -> str:
    """What a legend calls a column."""
    named = words()["parts"].get(column, column.replace("_", " "))
    return say(named)
