"""The drawings of the series, made by code: one per idea, embedded in a Markdown cell as PNG.

    python -m tools.drawings          # draws all of them again, in the English notebooks

A cell that is `![…][name]` holds the drawing of that name. Each module here draws for one notebook
and declares its drawings with `@drawing`. Labels go through `say`, so that the Portuguese series
has the same drawings with its own words. Numbers on a drawing come from the sample, never from
the hand.
"""

import base64
import importlib
import io
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from PIL import Image

Say = Callable[[str], str]
INK, GREY, PALE, CARD = "#1B1F24", "#6E7781", "#F6F8FA", "#FFFFFF"
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
MAX_SIZE = 30_000  # bytes of one picture


@dataclass
class Card:
    """A white card to draw on, readable on light and dark pages; 10 units wide.

    Attributes:
        say: translates a label.
        axes: of matplotlib, for what the methods here do not do; y grows upwards from 0.
    """

    say: Say
    axes: Any = field(repr=False)

    def text(self, x: float, y: float, text: str, **options: Any) -> None:
        """A label, centred by default."""
        options = {"ha": "center", "va": "center", "color": INK, "size": 10, **options}
        self.axes.text(x, y, self.say(text), **options)

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        text: str = "",
        *,
        color: str = GREY,
        fill: str = PALE,
        **options: Any,
    ) -> None:
        """A box by its lower left corner, with a label in its middle."""
        self.axes.add_patch(
            FancyBboxPatch(
                (x, y),
                width,
                height,
                boxstyle="round,pad=0,rounding_size=0.08",
                facecolor=fill,
                edgecolor=color,
                lw=1.2,
            )
        )
        if text:
            ink = "white" if fill in (BLUE, GREEN, RED, INK) else INK
            self.text(x + width / 2, y + height / 2, text, **{"color": ink, **options})

    def arrow(
        self, start: tuple[float, float], end: tuple[float, float], text: str = "", **options: Any
    ) -> None:
        """An arrow, with a label above its middle."""
        style = {"arrowstyle": "-|>", "color": options.pop("color", GREY), "lw": 1.3}
        self.axes.annotate("", end, start, arrowprops=style)
        if text:
            middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2 + 0.16)
            self.text(*middle, text, **{"size": 9, "color": GREY, **options})


@dataclass(frozen=True)
class Drawing:
    """A drawing: how it is drawn, how high, and what it shows in words."""

    draw: Callable[[Card], None]
    height: float
    alternative: str


DRAWINGS: dict[str, Drawing] = {}


def drawing(name: str, height: float, alternative: str) -> Callable[[Any], Any]:
    """Declare a drawing.

    Args:
        name: by which a cell names it.
        height: of the card, which is 10 wide.
        alternative: what it shows, in words, for those who cannot see it.
    """

    def declare(draw: Callable[[Card], None]) -> Callable[[Card], None]:
        DRAWINGS[name] = Drawing(draw, height, alternative)
        return draw

    return declare


def _find(name: str) -> Drawing:
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    if name not in DRAWINGS:
        raise KeyError(f"no drawing {name!r}: there are {', '.join(sorted(DRAWINGS))}")
    return DRAWINGS[name]


def png(name: str, say: Say = str) -> bytes:
    """The picture."""
    found = _find(name)
    with mpl.rc_context({"font.family": "DejaVu Sans"}):
        figure = Figure(figsize=(10, found.height), dpi=90, facecolor=CARD)
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, 10), ylim=(0, found.height))
        axes.set_axis_off()
        found.draw(Card(say, axes))
    drawn, image = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", facecolor=CARD)
    Image.open(drawn).convert("RGB").quantize(64).save(image, format="png", optimize=True)
    return image.getvalue()


def texts(name: str) -> Iterator[str]:
    """The words of a drawing, its alternative first, each once."""
    said: dict[str, None] = {_find(name).alternative: None}

    def keep(text: str) -> str:
        if any(letter.isalpha() for letter in text):
            said[text] = None
        return text

    png(name, keep)
    yield from said


def markdown(name: str, say: Say = str) -> str:
    """The Markdown of the cell that holds a drawing."""
    data = base64.b64encode(png(name, say)).decode()
    return f"![{say(_find(name).alternative)}][{name}]\n\n[{name}]: data:image/png;base64,{data}"
