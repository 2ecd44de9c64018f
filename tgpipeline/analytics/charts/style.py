"""What all charts have in common: colours, axes, dates, and how they are shown.

Colours are those of Okabe and Ito, which colour-blind people tell apart.
"""

import io
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from textwrap import fill
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tgpipeline.analytics.support.metrics import Rate

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


Options = ParamSpec("Options")
Drawn = Callable[Concatenate[pd.DataFrame, Options], Axes]


def chart(
    what: str = "messages",
) -> Callable[[Callable[Concatenate[pd.DataFrame, Options], Any]], Drawn[Options]]:
    """Makes a chart of what draws one; without rows, it says that there are none of these."""

    def made(draw: Callable[Concatenate[pd.DataFrame, Options], Any]) -> Drawn[Options]:
        @wraps(draw)
        def drawn(frame: pd.DataFrame, /, *args: Options.args, **more: Options.kwargs) -> Axes:
            on = nothing(frame, what) if frame.empty else draw(frame, *args, **more)
            assert isinstance(on, Axes)
            return on

        return drawn

    return made


def intervals(rates: Sequence[Rate]) -> tuple[list[float], list[list[float]]]:
    """Shares in percent, and how far their 95 % intervals reach below and above them."""
    shares = [100 * rate.share for rate in rates]
    low, high = ([100 * rate.interval[end] for rate in rates] for end in (0, 1))
    below = [max(0.0, share - bound) for share, bound in zip(shares, low, strict=True)]
    above = [max(0.0, bound - share) for share, bound in zip(shares, high, strict=True)]
    return shares, [below, above]


def heat(
    on: Any, columns: Any, rows: Sequence[Any], values: Any, label: str, **limits: Any
) -> None:
    """A heat map, its rows from the top down, with a scale that says what is counted."""
    image = on.pcolormesh(columns, range(len(rows) + 1), values, cmap=HEAT, **limits)
    step = -(-len(rows) // 12)
    on.set_yticks([i + 0.5 for i in range(0, len(rows), step)], rows[::step])
    on.invert_yaxis()
    on.get_figure().colorbar(image, ax=on, label=label)


UNIT_DAYS = {"day": 1, "week": 7, "month": 31}


def axes(title: str, xlabel: str, ylabel: str, height: float = 3.6) -> Any:
    """Axes on a figure of their own, with the finding as title."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    figure.suptitle(fill(title, 76), x=0.01, ha="left", fontsize=10, fontweight="bold")
    on = figure.add_subplot()
    on.set_label(title)
    on.set_xlabel(xlabel)
    on.set_ylabel(ylabel)
    on.spines[["top", "right"]].set_visible(False)
    on.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    return on


def nothing(frame: pd.DataFrame, what: str = "messages") -> Axes:
    """A chart that says that there is nothing to show, and for which period."""
    period = frame.attrs.get("parameters", {})
    between = f" from {period['start']} to {period['end']}" if "start" in period else ""
    on = axes(f"No {what}{between}", "", "")
    on.set_xticks([])
    on.set_yticks([])
    return on  # type: ignore[no-any-return]


def dated(on: Any, label: str, *, grid: bool = True) -> Any:
    """Give the horizontal axis readable dates and this label."""
    locator = AutoDateLocator(minticks=3, maxticks=9)  # type: ignore[no-untyped-call]
    on.xaxis.set_major_locator(locator)
    on.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    on.set_xlabel(label)
    if grid:
        on.grid(axis="y", alpha=0.25)
        on.set_axisbelow(True)
    return on


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
