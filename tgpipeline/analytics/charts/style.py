"""What all charts have in common: what one is, its axes, and how it is shown.

A chart is its finding, the numbers in it, and a function that draws these on axes; it is drawn when
it is shown, so that a page can have it in other widths. Any IPython from 7.34 on shows it.
"""

import hashlib
import io
import re
import unicodedata
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, cached_property, wraps
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
import PIL.Image
from matplotlib import font_manager, rc_context, rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import blended_transform_factory

from tgpipeline import resources
from tgpipeline.analytics.language import mark, number, say, sentence

INK = "#1b1f24"  # of text and lines; a page puts its own in its place
FEWEST = 3  # marks of a chart that says more than its title
NARROW = 5.0  # inches; a chart that is not wider has half of the marks on its axis
HEIGHT = 3.6  # inches


def looks() -> dict[str, Any]:
    """What things look like in all charts: colours, lines, fonts, Matplotlib's settings."""
    return resources.data("analytics/charts/looks.toml")


def colour(name: str) -> str:
    """A colour by its name, or that of a column."""
    found = (known for known, columns in looks()["columns"].items() if name in columns)
    return str(looks()["colours"].get(name) or looks()["colours"][next(found, "people")])


@cache
def _style() -> Any:
    have = set(font_manager.get_font_names())
    fonts = [font for font in looks()["fonts"] if font in have]
    return looks()["matplotlib"] | {"font.family": fonts}


def page(width: float) -> Any:
    """A block in which charts are made for a page: so wide (inches), and their text stays text."""
    return rc_context({"figure.figsize": (width, HEIGHT), "svg.fonttype": "none"})


def is_wide() -> bool:
    """Whether what is drawn now is as wide as a desk's screen has it."""
    return bool(rcParams["figure.figsize"][0] > NARROW)


def broken(text: str, letters: float) -> str:
    """A text in lines with so many letters for each inch of the picture."""
    return fill(text, max(12, int(letters * rcParams["figure.figsize"][0])))


@dataclass
class Chart:
    """A finding, its picture and the numbers in it, as any notebook or page can show them.

    Attributes:
        title: what the chart shows, in numbers.
        data: what is drawn, one row for each mark or group of marks; empty where there is nothing.
        xlabel: what is told below.
        ylabel: what is told beside.
        draw: draws on the axes that it is given.
    """

    title: str
    data: pd.DataFrame
    xlabel: str = ""
    ylabel: str = ""
    draw: Callable[[Any], object] = Axes.set_axis_off

    @cached_property
    def axes(self) -> Any:
        """Matplotlib's, as drawn for a notebook, on a figure of their own; pyplot knows nothing."""
        with rc_context(_style()):
            figure = Figure(figsize=(rcParams["figure.figsize"][0], HEIGHT), layout="constrained")
            ax = figure.add_subplot()
            ax.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
            for axis in (ax.xaxis, ax.yaxis):
                axis.set_major_formatter(lambda x, _: number(x, ",.10g"))
            self.draw(ax)
            ax.set(xlabel=broken(self.xlabel, 8), ylabel=self.ylabel)
            _add_legend(ax)
        return ax

    @property
    def is_telling(self) -> bool:
        """Whether there are enough marks for a picture; of fewer, the title says it all."""
        return bool(self.data.iloc[:, 1:].select_dtypes("number").any(axis=1).sum() >= FEWEST)

    @property
    def alt(self) -> str:
        """What a chart says to who does not see it: its finding, and what is drawn over what."""
        axes = say(" by ").join(filter(None, [self.ylabel, self.xlabel]))
        known = {"title": self.title, "axes": axes}
        return say("{title}. Chart: {axes}.", **known) if axes else f"{self.title}."

    def __repr__(self) -> str:
        """The finding and the numbers; the same for the same answer, whatever draws it."""
        return f"{self.title}\n{self.data.to_csv(index=False, float_format='%.6g')}"

    @property
    def drawn(self) -> str:
        """A digest of the marks on the axes: another bar, line, point or label makes another."""
        ax, said = self.axes, [text.get_text() for text in self.axes.texts]
        marks = [bar.get_bbox().get_points() for bar in ax.patches]
        marks += [line.get_xydata() for line in ax.lines]
        for one in ax.collections:
            marks += [one.get_offsets(), *(path.vertices for path in one.get_paths())]
        marks += [image.get_array().filled(np.nan) for image in ax.images]
        said += [str(np.round(numbers, 4).tolist()) for numbers in marks]
        return hashlib.sha256("\n".join(said).encode()).hexdigest()[:12]

    def png(self) -> bytes:
        """The picture for a notebook: finding and chart on white."""
        figure, drawn, buffer = self.axes.get_figure(), io.BytesIO(), io.BytesIO()
        with rc_context(_style()), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a letter that no font here has
            figure.suptitle(fill(self.title, 68), x=0.01, ha="left")
            figure.savefig(drawn, format="png")
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
        buffer = io.StringIO()
        with page(width), rc_context({"svg.hashsalt": name}), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the reader's fonts have what ours lack
            figure = replace(self).axes.get_figure()
            figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
        drawn = re.sub(_NOT_OF_A_PAGE, "", buffer.getvalue())
        drawn = re.sub(r"'DejaVu Sans'[^;\"]*", "inherit", drawn)
        return re.sub(f"{INK}|#000000", "currentColor", drawn)

    def _repr_png_(self) -> tuple[bytes, dict[str, str]]:
        return self.png(), {"alt": self.alt, "drawn": self.drawn}


# The prolog, what tells of Matplotlib, names that a page has already, and a fixed size.
_NOT_OF_A_PAGE = r'(?s)\A.*?(?=<svg)|<metadata>.*?</metadata>| id="[\w.]+_\d+"| \w+="[\d.]+pt"'
Maker = Callable[..., Chart]


def chart(what: str = mark("messages"), counted: str = "") -> Callable[[Maker], Maker]:
    """For a function that makes a chart of a DataFrame; of one that counts nothing, it says so.

    Args:
        what: there is none of, in English, marked for the catalogue.
        counted: the column that says how many there are; the rows are, if none is named.
    """

    def decorate(make: Maker) -> Maker:
        @wraps(make)
        def made(frame: pd.DataFrame, /, *args: Any) -> Chart:
            some = frame[counted].sum() if counted else len(frame)
            return make(frame, *args) if some else nothing(frame, what)

        return made

    return decorate


def nothing(frame: pd.DataFrame, what: str = mark("messages")) -> Chart:
    """A chart that says that there is nothing to show, and for which period."""
    period = frame.attrs.get("parameters", {})
    name = "nothing_from" if "start" in period else "nothing"
    return Chart(sentence(name, what=say(what), **period), pd.DataFrame())


def emoji(text: str) -> str:
    """An emoji as itself where the reader's fonts draw it; else its name, for fonts lack it.

    >>> emoji("👍")
    'thumbs up sign'
    """
    names = (unicodedata.name(c, c).lower() for c in text if c != "\N{VARIATION SELECTOR-16}")
    return text if rcParams["svg.fonttype"] == "none" else " ".join(map(say, names))


def _add_legend(ax: Any) -> None:
    """A legend above the axes, where there are several things to tell apart."""
    handles, labels = ax.get_legend_handles_labels()
    if len(labels) > 1:
        ncols = 4 if is_wide() else 2 if len("".join(labels)) < 36 else 1
        # From the picture's left edge on: names beside bars leave little room above the bars.
        left = blended_transform_factory(ax.get_figure().transFigure, ax.transAxes)
        ax.legend(handles, labels, ncols=ncols, bbox_to_anchor=(0.01, 1), bbox_transform=left)
