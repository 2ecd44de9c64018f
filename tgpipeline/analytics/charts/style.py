"""What all charts have in common: axes, and how they are shown.

A chart is drawn by a function that gives axes and the numbers drawn; `chart` makes a `Chart` of it,
which any IPython from 7.34 on shows.
"""

import base64
import hashlib
import io
import re
import unicodedata
import warnings
from collections.abc import Callable
from functools import cache, wraps
from textwrap import fill
from typing import Any, Concatenate, ParamSpec

import numpy as np
import pandas as pd
from matplotlib import font_manager, rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, ScalarFormatter
from matplotlib.transforms import blended_transform_factory

from tgpipeline.analytics.language import mark, number, say

# Of all charts: Okabe and Ito's, which colour-blind people tell apart; https://jfly.uni-koeln.de/color/
PEOPLE, BOT, AGENTS = "#0072B2", "#E69F00", "#009E73"
OPEN, OTHER, MARK = "#D55E00", "#999999", "#CC79A7"
INK, SOFT = "#1b1f24", "#444444"  # of text and lines; a page puts its own in their place
FEWEST = 3  # marks of a chart that says more than its title
NARROW = 5.0  # inches; a chart that is not wider has half of the marks on its axis
WIDTH, DPI = 6.4, 115  # inches: letters stay legible where a phone shrinks the picture
# What a font lacks comes from the next that is installed: Linux, Windows, macOS.
FONTS = ("DejaVu Sans", "Noto Sans CJK JP", "Noto Sans Arabic", "Noto Sans Hebrew",
         "Noto Sans Devanagari", "Noto Sans Thai", "Noto Emoji", "Segoe UI", "Segoe UI Emoji",
         "Microsoft YaHei", "Malgun Gothic", "Arial Unicode MS", "Apple Symbols")  # fmt: skip
_NO_DATE = {"Date": None}


@cache
def _style() -> dict[Any, Any]:
    inked = "text.color axes.labelcolor axes.edgecolor xtick.color ytick.color".split()
    have = set(font_manager.get_font_names())
    return {
        "text.parse_math": False,  # a dollar in a name is a dollar
        "svg.fonttype": "none",
        "font.family": [font for font in FONTS if font in have],
        **dict.fromkeys(inked, INK),
    }


class Chart:
    """A finding, its picture and the numbers in it, as any notebook or page can show them.

    Attributes:
        axes: matplotlib's, as drawn for a notebook.
        data: what is drawn, one row for each mark or group of marks; empty where there is nothing.
    """

    def __init__(self, draw: Callable[[], "Drawn"]) -> None:
        self._draw = draw
        self.axes: Any
        with rc_context(_style()):
            self.axes, self.data = draw()
            _finish(self.axes)

    @property
    def title(self) -> str:
        """What the chart shows, in numbers."""
        return str(self.axes.get_label())

    @property
    def is_telling(self) -> bool:
        """Whether there are enough marks for a picture; of fewer, the title says it all."""
        numbers = self.data.iloc[:, 1:].select_dtypes("number").fillna(0)
        return bool((numbers != 0).any(axis=1).sum() >= FEWEST)

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

    @property
    def drawn(self) -> str:
        """A digest of the marks on the axes: another bar, line, point or label makes another."""
        ax, found, said = self.axes, [], [one.get_text() for one in self.axes.texts]
        for one in ax.patches:
            found.append(one.get_path().get_extents(one.get_patch_transform()).bounds)
        for one in ax.lines:
            found.append(one.get_xydata().ravel())
        for one in ax.collections:
            found.append(one.get_offsets().ravel())
            found += [path.get_extents().bounds for path in one.get_paths()]
        for one in (*ax.collections, *ax.images):
            found.append([] if one.get_array() is None else one.get_array().ravel())
        for numbers in found:
            plain: Any = np.ma.array(numbers, dtype=float).filled(np.nan)
            said.append(" ".join(f"{number:.4g}" for number in plain))
        return hashlib.sha256("\n".join(said).encode()).hexdigest()[:12]

    def png(self) -> bytes:
        """The picture for a notebook: finding and chart on white."""
        import PIL.Image

        figure, drawn, buffer = self.axes.get_figure(), io.BytesIO(), io.BytesIO()
        with rc_context(_style()), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a letter that no font here has
            figure.suptitle(fill(self.title, 68), x=0.01, ha="left", fontsize=10, weight="bold")
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
        with rc_context({**_style(), "svg.hashsalt": name}), place, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the reader's fonts have what ours lack
            axes, _ = self._draw()
            _finish(axes)
            axes.get_figure().savefig(buffer, format="svg", transparent=True, metadata=_NO_DATE)
        drawn = buffer.getvalue()
        drawn = re.sub(r' id="[A-Za-z][\w.]*_\d+"|<metadata>.*?</metadata>', "", drawn, flags=re.S)
        drawn = re.sub(r"'DejaVu Sans'[^;\"]*", "inherit", drawn)
        drawn = re.sub(f"{INK}|{SOFT}|#000000", "currentColor", drawn)
        drawn = drawn[drawn.index("<svg") :]
        return re.sub(r' (?:width|height)="[\d.]+pt"', "", drawn, count=2)

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, Any]]:
        picture = base64.b64encode(self.png()).decode()
        about = {"alt": self.alt, "drawn": self.drawn}
        return {"image/png": picture, "text/plain": self.text}, {"image/png": about}


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


def axes(title: str, xlabel: str, ylabel: str, height: float = 3.6) -> Any:
    """Axes on a figure of their own; their label is the finding."""
    figure = Figure(figsize=(Place.width, height), layout="constrained")
    ax = figure.add_subplot()
    ax.set_label(title)
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    ax.spines[["top", "right"]].set_visible(False)
    ax.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    return ax


def nothing(frame: pd.DataFrame, what: str = mark("messages")) -> Drawn:
    """A chart that says that there is nothing to show, and for which period."""
    period = frame.attrs.get("parameters", {})
    title = say("No {what}", what=say(what))
    if "start" in period:
        start, end = period["start"], period["end"]
        title = say("No {what} from {start} to {end}", what=say(what), start=start, end=end)
    ax = axes(title, "", "")
    ax.set_xticks([])
    ax.set_yticks([])
    return ax, pd.DataFrame()


def emoji(text: str) -> str:
    """An emoji as itself where the reader's fonts draw it; else its name, for fonts lack it.

    >>> emoji("👍")
    'thumbs up sign'
    """
    if Place.svg:
        return text
    return " ".join(
        say(unicodedata.name(c, c).lower()) for c in text if c != "\N{VARIATION SELECTOR-16}"
    )


def _finish(ax: Any) -> None:
    """Numbers as the language writes them, a legend where there are several, long names broken."""
    handles, labels = ax.get_legend_handles_labels()
    if len(labels) > 1:
        ncols = 4 if Place.width > NARROW else 2 if len("".join(labels)) < 36 else 1
        # From the picture's left edge on: names beside bars leave little room above the bars.
        left = blended_transform_factory(ax.get_figure().transFigure, ax.transAxes)
        ax.legend(handles, labels, frameon=False, ncols=ncols, loc="lower left", fontsize=9,
                  columnspacing=1.2, borderpad=0, bbox_to_anchor=(0.01, 1),
                  bbox_transform=left)  # fmt: skip
    for axis in (ax.xaxis, ax.yaxis):
        if isinstance(axis.get_major_formatter(), ScalarFormatter):
            axis.set_major_formatter(FuncFormatter(lambda x, _: number(x, ",.10g")))
    room = 10  # letters of an inch
    if isinstance(ax.yaxis.get_major_locator(), FixedLocator):
        room = 7 if Place.width > NARROW else room  # the names have the rest
        length = max(12, int(4.5 * Place.width))
        names = [tick.get_text() for tick in ax.get_yticklabels()]
        texts = [name if "\n" in name else fill(name, length) for name in names]
        ax.set_yticks(ax.get_yticks(), texts)
    ax.set_xlabel(fill(ax.get_xlabel(), int(room * Place.width)))
    if Place.width <= NARROW:
        ax.tick_params(axis="x", labelsize=8)
