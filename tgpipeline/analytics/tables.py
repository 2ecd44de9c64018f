"""Tables for the page and as CSV: what they call things, and what of people they hide."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tgpipeline.analytics.answers import Answers
from tgpipeline.analytics.language import date_text, mark, say

RAW = {"conversation_messages", "conversation_events", "first_rows"}  # texts: never as CSV
IDS = ("user_id", "from_id", "customer", "target_user_id")
NAMES = ("name", "first_name", "username")
QUOTES = ("questions", "answer")
MOST = 40  # rows of a table on the page
# What tells who somebody is: addresses, mentions, long numbers (orders, documents, telephones).
_REVEALING = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|@\w{3,}|\+?\d[\d .()-]{3,}\d")
_HEADS = {
    "title": mark("problem"), "with_agent": mark("answered by agents"), "of": mark("of"),
    "same_answer": mark("same answer"), "local_time": mark("asked"), "numerator": mark("cases"),
    "low": mark("95% interval"),
}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """A table of texts.

    Attributes:
        heads: of its columns, in the language that was set.
        rows: as many texts each; a link is a text that begins with https://t.me/.
        more: rows that are left out.
    """

    heads: list[str]
    rows: list[list[str]]
    more: int = 0

    @classmethod
    def of(cls, frame: pd.DataFrame, *columns: str) -> "Table":
        """A DataFrame's columns, all if none is named: shares in percent, intervals in one column.

        >>> Table.of(pd.DataFrame({"low": [0.25], "high": [0.75]}))
        Table(heads=['95% interval'], rows=[['25% to 75%']], more=0)
        """
        shown = frame[[*columns] if columns else frame.columns].head(MOST)
        text = {name: [cell(str(name), v) for v in shown[name]] for name in shown.columns}
        if "low" in text and "high" in text:
            both = zip(text["low"], text.pop("high"), strict=True)
            unknown = say("not known")
            text["low"] = [say("{low} to {high}", low=a, high=b) if a else unknown for a, b in both]
        rows = [list(values) for values in zip(*text.values(), strict=True)]
        heads = [say(_HEADS.get(str(name), str(name).replace("_", " "))) for name in text]
        return cls(heads, rows, max(0, len(frame) - MOST))


def cell(name: str, value: Any) -> str:
    """A value as people write it.

    Args:
        name: of its column.
        value: of any type that answers have.
    """
    if isinstance(value, list):
        return " · ".join(cell(name, item) for item in value)
    if value is None or pd.isna(value):
        return ""
    if name in ("share", "low", "high"):
        return say("{share:.0%}", share=value)
    if isinstance(value, pd.Timestamp):
        day = date_text(value)
        return day if value == value.normalize() else f"{day}, {value:%H:%M}"
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    if isinstance(value, float):
        return say("{n:,.1f}", n=value) if value % 1 else say("{n:,.0f}", n=value)
    return str(value)


class Mask:
    """Hides who people are, unless their names are to be shown.

    Args:
        answers: whose people.
    """

    def __init__(self, answers: Answers) -> None:
        self.names, self.labels = answers.names, answers.labels
        said = answers.messages
        called = pd.concat([said["first_name"], said["username"]]).dropna().unique()
        self._hidden = _pattern([] if self.names else list(called))

    def table(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A table with pseudonyms for ids, without names, its quotes without what identifies."""
        safe = frame.copy()
        for column in safe.columns.intersection(IDS):
            safe[column] = [
                self.labels.get(v, "someone") if pd.notna(v) else None for v in safe[column]
            ]
        if self.names:
            return safe
        safe = safe.drop(columns=safe.columns.intersection(NAMES))
        for column in safe.columns.intersection(QUOTES):
            safe[column] = [self._quote(value) for value in safe[column]]
        return safe

    def _quote(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._quote(item) for item in value]
        if not isinstance(value, str):
            return value
        text, mark_, number = value.rpartition(" (message ")  # the id at the end stays
        text = _REVEALING.sub("…", text)
        return (self._hidden.sub("…", text) if self._hidden else text) + mark_ + number


def _pattern(called: list[str]) -> "re.Pattern[str] | None":
    words = {word for name in called for word in name.split() if len(word) > 2}
    longest = sorted(map(re.escape, words), key=lambda word: (-len(word), word))
    return re.compile(rf"\b(?:{'|'.join(longest)})\b", re.I) if longest else None


def write_csv(answers: Answers, folder: Path) -> None:
    """Write all tables there are, each as a CSV file of its name; people's texts only as quotes."""
    folder.mkdir(parents=True, exist_ok=True)
    asked = {a.attrs["query"]: a for a in answers.asked if a.attrs["query"] not in RAW}
    frames: Mapping[str, pd.DataFrame] = asked | answers.derived()
    mask = Mask(answers)
    for name, frame in frames.items():
        mask.table(frame).to_csv(folder / f"{name}.csv", index=False)
