"""Tables for the page, and what they call things."""

import re
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tgpipeline.analytics.charts.support import duration
from tgpipeline.analytics.language import date_text, number, say, words
from tgpipeline.analytics.mask import QUOTES

WORDS = ("trend", "who", "asked", "reason", "measure", "outcome")  # columns of words to translate


@dataclass(frozen=True)
class Table:
    """A table of texts.

    Attributes:
        heads: of its columns, in the language that was set.
        rows: as many texts each; a link is a text that begins with https://t.me/.
        more: rows that are left out.
        caption: what it shows.
    """

    heads: list[str]
    rows: list[list[str]]
    more: int = 0
    caption: str = ""

    @classmethod
    def of(cls, frame: pd.DataFrame, *columns: str, caption: str = "", most: int = 400) -> "Table":
        """A DataFrame's columns, all if none is named: shares in percent, intervals in one column.

        A column in which nothing stands is left out.

        >>> Table.of(pd.DataFrame({"low": [0.25], "high": [0.75]}))
        Table(heads=['95% interval'], rows=[['25% to 75%']], more=0, caption='')
        """
        shown = frame[[*columns] if columns else frame.columns].head(most)
        shown = shown.set_axis([str(name) for name in shown.columns], axis=1)
        waits = {"median", "low", "high", "p90"} if "median" in shown else set()
        text = {n: [cell("wait" if n in waits else n, v) for v in shown[n]] for n in shown}
        if "low" in text and "high" in text:
            text["low"] = list(map(_interval, text["low"], text.pop("high")))
        text = {name: said for name, said in text.items() if any(said) or shown.empty}
        rows = [list(values) for values in zip(*text.values(), strict=True)]
        heads = [words()["heads"].get(name, name.replace("_", " ")) for name in text]
        return cls([say(head) for head in heads], rows, max(0, len(frame) - most), caption)


def _interval(low: str, high: str) -> str:
    if low == high:
        return low or say("not known")
    return say("{low} to {high}", low=low, high=high)


def cell(name: str, value: Any) -> str:
    """A value as people write it.

    Args:
        name: of its column.
        value: of any type that answers have.
    """
    if isinstance(value, list):
        return " · ".join(cell(name, item) for item in value)
    if name in QUOTES and isinstance(value, str):
        return re.sub(r"\(message (\d+)\)$", lambda m: say("(message {id})", id=m[1]), value)
    if value is None or pd.isna(value):
        return ""
    if name == "wait":
        return duration(float(value))
    if name in ("share", "low", "high"):
        return number(value, ".0%")
    if isinstance(value, pd.Timestamp):
        day = date_text(value)
        return day if value == value.normalize() else f"{day}, {value:%H:%M}"
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    if name in WORDS:
        return say(str(value).replace("_", " "))
    if isinstance(value, float):
        return number(value, ",.1f" if value % 1 else ",.0f")
    return str(value)
