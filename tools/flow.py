"""Draw the flow, with the place highlighted where a notebook is in it.

The picture goes into each notebook as an image inside its Markdown, the one form that Jupyter,
Colab, GitHub and exports all show without anything installed; and into docs/img for the README.
"""

import base64
import io
from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from PIL import Image

# Name on the picture, what it holds or does, the notebooks that are about it.
STAGES = (
    ("Telegram", "group → bot", (1,)),
    ("JSON", "one update", (2,)),
    ("API Gateway", "webhook URL", (3, 4)),
    ("Lambda", "ingest", (3, 4)),
    ("S3 raw", "as received", (3, 4)),
    ("Lambda", "daily ETL", (5,)),
    ("S3 enriched", "Parquet", (5,)),
    ("Athena", "SQL → charts", (6,)),
)
GROUPS = ((0, 2, "Telegram"), (2, 5, "AWS · ingest"), (5, 7, "AWS · ETL"), (7, 8, "AWS · answers"))
BLUE, GREY, PALE, INK = "#0072B2", "#8C959F", "#F6F8FA", "#1B1F24"


def describe(number: int) -> str:
    """The same in words, for those who cannot see it."""
    here = [f"{name} ({what})" for name, what, numbers in STAGES if number in numbers]
    way = ", ".join(name for name, _, _ in STAGES)
    return f"The flow: {way}. You are at: {', '.join(here)}." if here else f"The flow: {way}."


def draw(number: int = 0, *, scale: float = 1.0) -> bytes:
    """The picture as PNG.

    Args:
        number: of the notebook whose place is highlighted; 0 highlights everything.
        scale: pixels for each of 1,000.
    """
    with mpl.rc_context({"font.family": "DejaVu Sans"}):
        figure = Figure(figsize=(10, 1.55), dpi=100 * scale)
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, 8), ylim=(0, 1.24))
        axes.set_axis_off()
        for start, end, name in GROUPS:
            axes.text((start + end) / 2, 1.11, name, ha="center", color=GREY, size=9)
            axes.plot([start + 0.08, end - 0.08], [1.03, 1.03], color=GREY, lw=0.8)
        for n, (name, what, numbers) in enumerate(STAGES):
            _box(axes, n, name, what, here=number in numbers or number == 0, numbers=numbers)
    drawn, image = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png")
    Image.open(drawn).convert("RGB").quantize(16).save(image, format="png", optimize=True)
    return image.getvalue()


def markdown(number: int) -> str:
    """The Markdown of a notebook's second cell."""
    data = base64.b64encode(draw(number)).decode()
    return f"![{describe(number)}][flow]\n\n[flow]: data:image/png;base64,{data}"


def _box(
    axes: mpl.axes.Axes, n: int, name: str, what: str, *, here: bool, numbers: Sequence[int]
) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (n + 0.09, 0.3),
            0.82,
            0.6,
            boxstyle="round,pad=0,rounding_size=0.06",
            facecolor=BLUE if here else PALE,
            edgecolor=BLUE if here else GREY,
            lw=1.2,
        )
    )
    color = "white" if here else INK
    axes.text(n + 0.5, 0.68, name, ha="center", va="center", color=color, size=9.5, weight="bold")
    axes.text(n + 0.5, 0.47, what, ha="center", va="center", color=color, size=8.5)
    label = " · ".join(f"{number:02d}" for number in numbers)
    axes.text(n + 0.5, 0.12, label, ha="center", va="center", color=GREY, size=8.5)
    if n < len(STAGES) - 1:
        axes.annotate(
            "", (n + 1.09, 0.6), (n + 0.91, 0.6), arrowprops={"arrowstyle": "-|>", "color": GREY}
        )
