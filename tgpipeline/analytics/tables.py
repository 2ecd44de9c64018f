"""Tables for the page and as CSV: what they call things, and what of people they hide."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from tgpipeline.analytics.answers import Answers
from tgpipeline.analytics.charts.support import duration
from tgpipeline.analytics.language import date_text, say, words
from tgpipeline.lake.revealing import mask

RAW = {"conversation_messages", "conversation_events", "first_rows"}  # texts: never as CSV
IDS = ("user_id", "from_id", "customer", "target_user_id")
NAMES = ("name", "first_name", "username")
QUOTES = ("questions", "answer")
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
        waits = {"median", "low", "high", "p90"} if "median" in shown else set()
        text = {
            name: [cell("wait" if name in waits else str(name), v) for v in shown[name]]
            for name in shown.columns
        }
        if "low" in text and "high" in text:
            both = zip(text["low"], text.pop("high"), strict=True)
            unknown = say("not known")
            text["low"] = [_interval(a, b) if a else unknown for a, b in both]
        text = {name: said for name, said in text.items() if any(said) or shown.empty}
        rows = [list(values) for values in zip(*text.values(), strict=True)]
        named = words()["heads"]
        heads = [say(named.get(str(name), str(name).replace("_", " "))) for name in text]
        return cls(heads, rows, max(0, len(frame) - most), caption)


def _interval(low: str, high: str) -> str:
    return low if low == high else say("{low} to {high}", low=low, high=high)


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
        return say("{share:.0%}", share=value)
    if isinstance(value, pd.Timestamp):
        day = date_text(value)
        return day if value == value.normalize() else f"{day}, {value:%H:%M}"
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    if name in WORDS:
        return say(str(value).replace("_", " "))
    if isinstance(value, float):
        return say("{n:,.1f}", n=value) if value % 1 else say("{n:,.0f}", n=value)
    return str(value)


class Mask:
    """Hides who people are, unless their names are to be shown.

    A word that is a name, or a name with one letter wrong, missing or too much, is hidden in
    quotes; but for short ones, and those that several people write, only the name itself.

    Args:
        answers: whose people.
    """

    def __init__(self, answers: Answers) -> None:
        self.names, self.labels, self._said = answers.names, answers.labels, answers.messages
        people = self._said[~self._said["is_bot"].fillna(False).astype(bool)]
        called = pd.concat([people["first_name"], people["username"]]).dropna().unique()
        self._names = {word for name in called for word in _words(name) if len(word) > 2}
        self._misspelt = {key for name in self._names for key in _one_letter_less(name)}

    def table(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A table with pseudonyms for ids, without names, its quotes without what identifies."""
        safe = frame.copy()
        for column in safe.columns.intersection(IDS):
            safe[column] = [
                self.labels.get(v, say("someone")) if pd.notna(v) else None for v in safe[column]
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
        return re.sub(r"\w+", self._hidden, mask(text)) + mark_ + number

    def _hidden(self, word: "re.Match[str]") -> str:
        said = "".join(_words(word[0]))
        is_name = said in self._names or (
            not self._misspelt.isdisjoint(_one_letter_less(said)) and said not in self._usual
        )
        return "…" if is_name else word[0]

    @cached_property
    def _usual(self) -> set[str]:
        """Words of the last messages that at least three people write."""
        writers: dict[str, set[Any]] = defaultdict(set)
        last = self._said.dropna(subset=["text", "user_id"]).tail(20_000)
        for user_id, text in zip(last["user_id"], last["text"], strict=True):
            for word in _words(text):
                writers[word].add(user_id)
        return {word for word, people in writers.items() if len(people) > 2}


def _words(text: str) -> list[str]:
    """Its words without case and accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return re.findall(r"\w+", "".join(c for c in plain if not unicodedata.combining(c)))


def _one_letter_less(word: str) -> set[str]:
    """The word, and it without any one letter; two that share one of these differ by a letter."""
    if len(word) < 5:
        return set()
    return {word} | {word[:place] + word[place + 1 :] for place in range(len(word))}


def write_csv(answers: Answers, folder: Path) -> None:
    """Write all tables there are, each as a CSV file of its name; people's texts only as quotes."""
    folder.mkdir(parents=True, exist_ok=True)
    asked = {a.attrs["query"]: a for a in answers.asked if a.attrs["query"] not in RAW}
    frames: Mapping[str, pd.DataFrame] = asked | answers.derived()
    mask = Mask(answers)
    for name, frame in frames.items():
        mask.table(frame).to_csv(folder / f"{name}.csv", index=False)
