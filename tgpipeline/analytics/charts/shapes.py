"""What charts are made of: bars in parts, rates, heat maps and lines, and the time below them.

A table's columns are what is drawn: each has the same colour and the same name in all charts. Bars
and cells stand at 0, 1, 2 …; what these are called is written below or beside them.
"""

from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd
from matplotlib.ticker import MaxNLocator

from tgpipeline.analytics.charts.style import INK, SOFT, Chart, broken, colour, is_wide, looks
from tgpipeline.analytics.language import MONTHS, number, say, words

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


def stack(ax: Any, table: pd.DataFrame, *, across: bool = False) -> None:
    """A bar for each row, made of one part for each column that is not all 0.

    Args:
        ax: to draw on.
        table: the lengths; what is negative goes down.
        across: whether bars go to the right, with their sums behind them.
    """
    places, draw = range(len(table)), ax.barh if across else ax.bar
    thick = thickness() if across else 0.85
    so_far = pd.Series(0.0, table.index)
    for column in table:
        values = table[column].astype(float)
        if values.any():
            start = so_far.where(values >= 0, 0)
            draw(places, values, thick, start, color=colour(column), label=label(column))
            so_far = so_far + values.clip(lower=0)
    if across:
        ax.set_xlim(0, 1.15 * max(1.0, so_far.max()))
        ax.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        for place, total in enumerate(so_far):
            behind(ax, total, place, number(total, ",.0f"), colour=SOFT)
    else:
        ax.grid(axis="y", alpha=0.25)
        ax.set_axisbelow(True)


def lines(ax: Any, table: pd.DataFrame) -> None:
    """A line for each column that `looks.toml` has a line of, from 0 on."""
    for column, line in looks()["lines"].items():
        if column in table:
            how = {"color": colour(column), "label": label(column)}
            ax.plot(range(len(table)), table[column], line, **how)
    ax.set_ylim(bottom=0)
    ax.grid(axis="y", alpha=0.25)


def heat(ax: Any, table: pd.DataFrame, scale: str, **limits: Any) -> None:
    """A heat map, the table's rows from the top down, with a scale that says what is counted."""
    image = ax.imshow(table, cmap="cividis", aspect="auto", interpolation="none", **limits)
    names, step = [say(str(name)) for name in table.index], -(-len(table) // 13)
    ax.set_yticks(range(0, len(names), step), [broken(name, 4.5) for name in names[::step]])
    ticks = MaxNLocator(nbins=5, integer=bool(image.get_clim()[1] >= 2))
    ax.get_figure().colorbar(image, ax=ax, label=scale, ticks=ticks)


def over_time(
    title: str,
    table: pd.DataFrame,
    unit: str,
    ylabel: str,
    draw: Callable[[Any, pd.DataFrame], object] = stack,
) -> Chart:
    """A chart of a table with one row per day, week or month: says below some which they are."""

    def with_time(ax: Any) -> None:
        draw(ax, table)
        step = -(-len(table) // (9 if is_wide() else 5))
        names, year = list[str](), 0
        for start in pd.DatetimeIndex(table.index[::step]):
            month = say(MONTHS[start.month - 1])
            name = month if unit == "month" else say("{day} {month}", day=start.day, month=month)
            names.append(f"{name}\n{start.year}" if start.year != year else name)
            year = start.year
        ax.set_xticks(range(0, len(table), step), names)

    data = table.round(1).rename_axis(unit).reset_index()
    return Chart(title, data, say(f"{unit}, local time"), ylabel, with_time)


def across(title: str, xlabel: str, table: pd.DataFrame, data: pd.DataFrame | None = None) -> Chart:
    """A chart of bars in parts that go across, each with the name that the table's index has."""

    def draw(ax: Any) -> None:
        rows(ax, table.index)
        stack(ax, table, across=True)

    return Chart(title, table.reset_index() if data is None else data, xlabel, "", draw)


def shares(
    title: str, xlabel: str, rates: pd.DataFrame, colours: list[str], data: pd.DataFrame
) -> Chart:
    """A chart of rates with their intervals: `n`, `of`, `share`, `low`, `high`."""
    low, share, high = (100 * rates[c].astype(float) for c in ("low", "share", "high"))

    def draw(ax: Any) -> None:
        rows(ax, rates.index)
        reach = [(share - low).clip(lower=0), (high - share).clip(lower=0)]
        ax.barh(range(len(rates)), share, thickness(), color=colours, xerr=reach,
                ecolor=SOFT, capsize=2)  # fmt: skip
        for place, row in enumerate(rates.itertuples()):
            counts = say("{share:.0%} ({n} of {of})", share=row.share, n=row.n, of=row.of)
            behind(ax, high.iloc[place], place, counts)
        ax.set_xlim(0, (1.3 if is_wide() else 1.6) * max([*high, 1.0]))
        ax.set_xticks([tick for tick in ax.get_xticks() if 0 <= tick <= 100])  # beyond are words

    return Chart(title, data, xlabel, "", draw)


def rows(ax: Any, names: Iterable[str]) -> None:
    """Axes for bars that go across, the first on top: names beside them, above them on a phone."""
    names = list(names)
    ax.get_figure().set_figheight((0.32 if is_wide() else 0.5) * len(names) + 1.3)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set_yticks(range(len(names)), [broken(name, 4.5) for name in names])
    if is_wide():
        ax.set_xlabel(broken(ax.get_xlabel(), 7))
    else:
        ax.set_yticks([])
        for place, name in enumerate(names):
            ax.annotate(" ".join(name.split()), (0, place - 0.2), (3, 2), fontsize=9,
                        xycoords=("axes fraction", "data"), textcoords="offset points")  # fmt: skip


def behind(ax: Any, x: float, place: int, text: str, gap: int = 5, colour: str = INK) -> None:
    """Small words behind the end of a bar."""
    offset = {"xytext": (gap, -3), "textcoords": "offset points"}
    ax.annotate(text, (x, place), fontsize=8, color=colour, **offset)


def thickness() -> float:
    """Of a bar that goes across, in rows: above it there may be its name."""
    return 0.8 if is_wide() else 0.4


def label(column: str) -> str:
    """What a legend calls a column."""
    named = words()["parts"].get(column, column.replace("_", " "))
    return say(named)
