"""What all charts have in common: colours, axes, dates, and how they are shown.

A chart is drawn by a function that gives axes and the numbers drawn; `chart` makes a `Chart` of it,
which any IPython from 7.34 on shows. Colours are those of Okabe and Ito, which colour-blind people
tell apart.
"""

import base64
import hashlib
import io
import re
import unicodedata
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from textwrap import fill
from typing import Any, Concatenate, ParamSpec

import pandas as pd
from matplotlib import rc_context
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter, LogFormatter, MaxNLocator

from tgpipeline.analytics.language import MONTHS, mark, say

# https://jfly.uni-koeln.de/color/
PEOPLE, BOT, AGENTS = "#0072B2", "#E69F00", "#009E73"
OPEN, OTHER, MARK = "#D55E00", "#999999", "#CC79A7"
HEAT = "cividis"
INK = "#1b1f24"  # of all text and lines; a page puts its own in its place
NARROW = 5.0  # inches; a chart that is not wider has half of the marks
WIDTH, DPI = 6.4, 115  # inches: letters stay legible where a phone shrinks the picture
_STYLE: dict[Any, Any] = {
    "text.parse_math": False,  # a dollar in a name is a dollar
    "svg.fonttype": "none",
    **dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK
    ),
}
_NO_DATE = {"Date": None}


class Chart:
    """A finding, its picture and the numbers in it, as any notebook or page can show them.

    Attributes:
        axes: matplotlib's, as drawn for a notebook.
        data: what is drawn, one row for each mark or group of marks; empty where there is nothing.
    """

    def __init__(self, draw: Callable[[], "Drawn"]) -> None:
        self._draw = draw
        self.axes: Any
        with rc_context(_STYLE):
            self.axes, self.data = draw()
            _plain(self.axes)

    @property
    def title(self) -> str:
        """What the chart shows, in numbers."""
        return str(self.axes.get_label())

    @property
    def alt(self) -> str:
        """What a chart says to who does not see it: its finding, and what is drawn over what."""
        axes = [text for text in (self.axes.get_ylabel(), self.axes.get_xlabel()) if text]
        if not axes:
            return f"{self.title}."
        return say("{title}. Chart: {axes}.", title=self.title, axes=say(" by ").join(axes))

    @property
    def text(self) -> str:
        """The finding and the numbers; the same for the same answer, whatever draws it."""
        return f"{self.title}\n{self.data.to_csv(index=False, float_format='%.6g')}"

    def png(self) -> bytes:
        """The picture for a notebook: finding and chart on white."""
        import PIL.Image

        figure, drawn, buffer = self.axes.get_figure(), io.BytesIO(), io.BytesIO()
        figure.suptitle(fill(self.title, 76), x=0.01, ha="left", fontsize=10, fontweight="bold")
        figure.savefig(drawn, format="png", dpi=DPI)
        # A third of the size: notebooks carry their charts, and a chart has few colours.
        pixels = PIL.Image.open(drawn).convert("RGB")
        pixels.quantize(32, PIL.Image.Quantize.MAXCOVERAGE).save(buffer, "png", optimize=True)
        return buffer.getvalue()

    def svg(self, width: float) -> str:
        """The picture for a page, drawn anew for this width (inches), without its finding.

        Text stays text in the page's own letters and colour, so that it is readable in the dark,
        and emoji and names of any script show as themselves.
        """
        name = hashlib.sha256(f"{self.title}{width}".encode()).hexdigest()[:8]
        place, buffer = Place(width, svg=True), io.StringIO()
        with rc_context({**_STYLE, "svg.hashsalt": name}), place, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the reader's fonts have what ours lack
            axes, _ = self._draw()
            _plain(axes)
            _fit(axes, width)
            axes.get_figure().savefig(buffer, format="svg", transparent=True, metadata=_NO_DATE)
        drawn = buffer.getvalue()
        drawn = re.sub(r' id="[A-Za-z][\w.]*_\d+"|<metadata>.*?</metadata>', "", drawn, flags=re.S)
        drawn = re.sub(r"'DejaVu Sans'[^;\"]*", "inherit", drawn)
        drawn = re.sub(f"{INK}|#444444|#000000", "currentColor", drawn)
        drawn = drawn[drawn.index("<svg") :]
        return re.sub(r' (?:width|height)="[\d.]+pt"', "", drawn, count=2)

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, Any]]:
        picture = base64.b64encode(self.png()).decode()
        return {"image/png": picture, "text/plain": self.text}, {"image/png": {"alt": self.alt}}


class Place:
    """Where a chart is drawn: how wide, and whether its text stays text. For a `with` block."""

    width, svg = WIDTH, False

    def __init__(self, width: float, *, svg: bool) -> None:
        self._new = width, svg

    def __enter__(self) -> None:
        self._before, (Place.width, Place.svg) = (Place.width, Place.svg), self._new

    def __exit__(self, *_: object) -> None:
        Place.width, Place.svg = self._before


Options = ParamSpec("Options")
Drawn = tuple[Any, pd.DataFrame]  # axes, and the numbers drawn on them


def chart(
    what: str = mark("messages"),
) -> Callable[
    [Callable[Concatenate[pd.DataFrame, Options], Drawn]],
    Callable[Concatenate[pd.DataFrame, Options], Chart],
]:
    """Makes a chart of what draws one; without rows, it says that there are none of these.

    Args:
        what: there is none of, in English, marked for the catalogue.
    """

    def made(
        draw: Callable[Concatenate[pd.DataFrame, Options], Drawn],
    ) -> Callable[Concatenate[pd.DataFrame, Options], Chart]:
        @wraps(draw)
        def drawn(frame: pd.DataFrame, /, *args: Options.args, **more: Options.kwargs) -> Chart:
            return Chart(
                lambda: nothing(frame, what) if frame.empty else draw(frame, *args, **more)
            )

        return drawn

    return made


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
    """Axes on a figure of their own; their label is the finding."""
    figure = Figure(figsize=(Place.width, height), layout="constrained")
    on = figure.add_subplot()
    on.set_label(title)
    on.set_xlabel(xlabel)
    on.set_ylabel(ylabel)
    on.spines[["top", "right"]].set_visible(False)
    on.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    return on


def nothing(frame: pd.DataFrame, what: str = mark("messages")) -> Drawn:
    """A chart that says that there is nothing to show, and for which period."""
    period = frame.attrs.get("parameters", {})
    title = say("No {what}", what=say(what))
    if "start" in period:
        start, end = period["start"], period["end"]
        title = say("No {what} from {start} to {end}", what=say(what), start=start, end=end)
    on = axes(title, "", "")
    on.set_xticks([])
    on.set_yticks([])
    return on, pd.DataFrame()


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


def emoji(text: str) -> str:
    """An emoji as itself where the reader's fonts draw it; else its name, for fonts lack it.

    >>> emoji("👍")
    'thumbs up sign'
    """
    if Place.svg:
        return text
    return " ".join(
        unicodedata.name(c, c).lower() for c in text if c != "\N{VARIATION SELECTOR-16}"
    )


class _Dates(ConciseDateFormatter):
    """Dates with months in the language that is set."""

    def format_ticks(self, values: Any) -> list[str]:
        return [_months(tick) for tick in super().format_ticks(values)]  # type: ignore[no-untyped-call]

    def get_offset(self) -> str:
        return _months(super().get_offset())  # type: ignore[no-untyped-call]


def _months(text: str) -> str:
    return re.sub("[A-Z][a-z]{2}", lambda m: say(m[0]) if m[0] in MONTHS else m[0], text)


def _plain(on: Any) -> None:
    """Powers of ten as plain numbers: no mathematics is set in charts."""
    for axis in (on.xaxis, on.yaxis):
        if isinstance(axis.get_major_formatter(), LogFormatter):
            axis.set_major_formatter(FuncFormatter(lambda x, _: say("{x:,.0f}", x=x)))


def _fit(on: Any, width: float) -> None:
    """What a page needs: legends above the bars, long names broken, fewer marks where narrow."""
    narrow = width <= NARROW
    handles, labels = on.get_legend_handles_labels()
    if on.get_legend():
        ncols = 4 if not narrow else 2 if len("".join(labels)) < 36 else 1
        on.legend(handles, labels, frameon=False, ncols=ncols, loc="lower left",
                  bbox_to_anchor=(0, 1), fontsize=9, borderpad=0)  # fmt: skip
    if isinstance(on.yaxis.get_major_formatter(), FixedFormatter):
        texts = [fill(t.get_text(), max(12, int(4.5 * width))) for t in on.get_yticklabels()]
        on.set_yticks(on.get_yticks(), texts)
    on.set_xlabel(fill(on.get_xlabel(), int(10 * width)))
    if narrow:
        on.tick_params(axis="x", labelsize=8)
        fixed = isinstance(on.xaxis.get_major_formatter(), FixedFormatter)
        if isinstance(on.xaxis.get_major_locator(), FixedLocator) and len(on.get_xticks()) > 4:
            labels = [t.get_text() for t in on.get_xticklabels()][::2]
            on.set_xticks(on.get_xticks()[::2], labels if fixed else None)
