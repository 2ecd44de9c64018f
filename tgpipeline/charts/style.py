"""What all charts have in common: colours, axes, dates, and how they are shown.

Colours are those of Okabe and Ito, which colour-blind people tell apart.
"""

import io
import unicodedata
from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tgpipeline.metrics import Rate

if TYPE_CHECKING:
    from IPython.display import Image

# https://jfly.uni-koeln.de/color/
PEOPLE, BOT, AGENTS = "#0072B2", "#E69F00", "#009E73"
OPEN, OTHER, MARK = "#D55E00", "#999999", "#CC79A7"
HEAT = "cividis"
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WIDTH, DPI = 6.4, 115  # inches: letters stay legible where a phone shrinks the picture


def show(ax: Axes) -> "Image":
    """The chart as a PNG with its text alternative, for the end of a notebook's cell."""
    import PIL.Image
    from IPython.display import Image

    figure = ax.get_figure()
    assert isinstance(figure, Figure)
    drawn, buffer = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI)
    # A third of the size: notebooks carry their charts, and a chart has few colours.
    pixels = PIL.Image.open(drawn).convert("RGB")
    pixels.quantize(32, PIL.Image.Quantize.MAXCOVERAGE).save(buffer, "png", optimize=True)
    return Image(data=buffer.getvalue(), format="png", alt=alternative(ax))  # type: ignore[no-untyped-call]


def alternative(ax: Axes) -> str:
    """What a chart says to who does not see it: its finding, and what is drawn over what."""
    title = str(ax.get_label())
    axes = [text for text in (ax.get_ylabel(), ax.get_xlabel()) if text]
    return f"{title}. Chart: {' by '.join(axes)}." if axes else f"{title}."


def with_intervals(on: Any, places: Any, rates: Sequence[Rate], colours: Any) -> None:
    """Bars of shares in percent with their 95 % intervals."""
    shares = [100 * rate.share for rate in rates]
    bounds = [[100 * bound for bound in rate.interval] for rate in rates]
    below = [max(0.0, share - low) for share, (low, _) in zip(shares, bounds, strict=True)]
    above = [max(0.0, high - share) for share, (_, high) in zip(shares, bounds, strict=True)]
    on.bar(places, shares, 0.8, color=colours, yerr=[below, above], ecolor="#444444", capsize=2)


UNIT_DAYS = {"day": 1, "week": 7, "month": 31}


def axes(ax: Axes | None, title: str, xlabel: str, ylabel: str, height: float = 3.6) -> Any:
    """Axes with the finding as title, on a figure of their own unless some are given."""
    if ax is None:
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        figure.suptitle(fill(title, 76), x=0.01, ha="left", fontsize=10, fontweight="bold")
        ax = figure.add_subplot()
    else:
        ax.set_title(title, loc="left", fontsize=10, fontweight="bold", wrap=True)
    ax.set_label(title)
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    ax.spines[["top", "right"]].set_visible(False)
    ax.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    return ax


def nothing(frame: pd.DataFrame, ax: Axes | None, what: str = "messages") -> Axes:
    """A chart that says that there is nothing to show, and for which period."""
    period = frame.attrs.get("parameters", {})
    between = f" from {period['start']} to {period['end']}" if "start" in period else ""
    on = axes(ax, f"No {what}{between}", "", "")
    on.set_xticks([])
    on.set_yticks([])
    return done(on)


def dated(ax: Any, label: str, *, grid: bool = True) -> Axes:
    """Give the horizontal axis readable dates and this label."""
    locator = AutoDateLocator(minticks=3, maxticks=9)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    ax.set_xlabel(label)
    if grid:
        ax.grid(axis="y", alpha=0.25)
        ax.set_axisbelow(True)
    return done(ax)


def done(ax: Any) -> Axes:
    """The axes, of the type that matplotlib does not declare."""
    assert isinstance(ax, Axes)
    return ax


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


def date_text(day: Any) -> str:
    """A day as in `Fri 28 Nov 2025`."""
    stamp = pd.Timestamp(day)
    return f"{WEEKDAYS[stamp.weekday()]} {stamp.day} {stamp:%b %Y}"


def emoji_name(text: str) -> str:
    """What an emoji is called, for fonts that lack it.

    >>> emoji_name("👍")
    'thumbs up sign'
    """
    return " ".join(
        unicodedata.name(c, c).lower() for c in text if c != "\N{VARIATION SELECTOR-16}"
    )
