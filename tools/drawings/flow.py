"""The flow, with the place highlighted where a notebook is in it: the second cell of each."""

from collections.abc import Callable

from tools.drawings import BLUE, GREY, INK, PALE, Card, drawing

# Name on the picture, what it holds or does, the notebooks that are about it.
STAGES = (
    ("Telegram", "group → bot", (1,)),
    ("JSON", "one update", (2,)),
    ("API Gateway", "webhook URL", (3, 4)),
    ("Lambda", "ingest", (3, 4)),
    ("S3 raw", "as received", (3, 4)),
    ("Lambda", "daily ETL", (5,)),
    ("S3 enriched", "Parquet", (5,)),
    ("Athena", "SQL", (6,)),
    ("Answers", "charts, report", (7,)),
)
GROUPS = (
    (0, 2, "Telegram"),
    (2, 5, "AWS · ingest"),
    (5, 7, "AWS · ETL"),
    (7, 9, "AWS · presentation"),
)
NOTEBOOKS = range(1, 8)
_STEP = 10 / len(STAGES)


def name(number: int) -> str:
    """The name of the flow's drawing in a notebook; 0 is the one that highlights everything."""
    return f"flow-{number}"


def describe(number: int) -> str:
    """The same in words, for those who cannot see it."""
    here = [f"{stage} ({what})" for stage, what, numbers in STAGES if number in numbers]
    way = ", ".join(stage for stage, _, _ in STAGES)
    return f"The flow: {way}. You are at: {', '.join(here)}." if here else f"The flow: {way}."


def _draw(number: int) -> Callable[[Card], None]:
    def draw(card: Card) -> None:
        for start, end, text in GROUPS:
            card.text((start + end) / 2 * _STEP, 1.4, text, color=GREY, size=9)
            card.axes.plot(
                [start * _STEP + 0.1, end * _STEP - 0.1], [1.27, 1.27], color=GREY, lw=0.8
            )
        for n, (stage, what, numbers) in enumerate(STAGES):
            here = number in numbers or number == 0
            left, middle = n * _STEP + 0.09, (n + 0.5) * _STEP
            card.box(
                left,
                0.4,
                _STEP - 0.18,
                0.72,
                fill=BLUE if here else PALE,
                color=BLUE if here else GREY,
            )
            ink = "white" if here else INK
            card.text(middle, 0.87, stage, color=ink, size=8.5, weight="bold")
            card.text(middle, 0.62, what, color=ink, size=8)
            label = " · ".join(f"{of:02d}" for of in numbers)
            card.text(middle, 0.18, label, color=GREY, size=8)
            if n < len(STAGES) - 1:
                card.arrow((left + _STEP - 0.18, 0.76), (left + _STEP, 0.76))

    return draw


for _number in (0, *NOTEBOOKS):
    drawing(name(_number), 1.55, describe(_number))(_draw(_number))
