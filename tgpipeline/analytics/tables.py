"""Tables for the page: what they call things, and how they hide who people are."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from tgpipeline.analytics.charts.support import duration
from tgpipeline.analytics.language import date_text, number, say, words
from tgpipeline.analytics.topics.text import fold
from tgpipeline.lake.erasing import REVEALING

IDS = ("user_id", "from_id", "customer", "target_user_id")
NAMES = ("name", "first_name", "username")
QUOTES = ("questions", "answer")
WORDS = ("trend", "who", "asked", "reason", "measure", "definition", "outcome")  # to translate


class Table(NamedTuple):
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

        A column in which nothing stands is left out. The caption is given in English.

        >>> Table.of(pd.DataFrame({"low": [0.25], "high": [0.75]}))
        Table(heads=['95% interval'], rows=[['25% to 75%']], more=0, caption='')
        """
        shown = frame[[*(columns or frame.columns)]].head(most)
        waits = {"median", "low", "high", "p90"} if "median" in shown else set()
        text = {str(n): [cell("wait" if n in waits else n, v) for v in shown[n]] for n in shown}
        if "low" in text and "high" in text:
            text["low"] = list(map(_interval, text["low"], text.pop("high")))
        text = {name: said for name, said in text.items() if any(said) or shown.empty}
        rows = [list(values) for values in zip(*text.values(), strict=True)]
        heads = [words()["heads"].get(name, name.replace("_", " ")) for name in text]
        return cls([say(head) for head in heads], rows, max(0, len(frame) - most), say(caption))


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


class Mask:
    """Hides who people are, unless their names are to be shown.

    A word that is a name, or a name with one letter wrong, missing or too much, is hidden in
    quotes; but for short ones, and those that several people write, only the name itself.

    Args:
        said: what people wrote: answer of `conversation_messages`.
        labels: what to call them instead, by user id.
        names: whether names are shown.
    """

    def __init__(self, said: pd.DataFrame, labels: Mapping[int, str], names: bool) -> None:
        self.names, self.labels = names, labels
        people = said[~said["is_bot"].fillna(False).astype(bool)]
        called = pd.concat([people["first_name"], people["username"]]).dropna().unique()
        self._names = {word for name in called for word in _words(name) if len(word) > 2}
        self._misspelt = {key for name in self._names for key in _one_letter_less(name)}
        last = said.dropna(subset=["text", "user_id"]).tail(20_000)
        words = last.assign(word=last["text"].map(_words)).explode("word")
        writers = words.groupby("word")["user_id"].nunique()
        self._usual = set(writers.index[writers > 2])  # words that at least three people write

    def table(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A table with pseudonyms for ids, without names, its quotes without what identifies."""
        safe, someone = frame.copy(), say("someone")
        for column in safe.columns.intersection(IDS):
            called = [None if pd.isna(n) else self.labels.get(n, someone) for n in safe[column]]
            safe[column] = pd.Series(called, safe.index, dtype=object)
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
        text, mark, number = value.rpartition(" (message ")  # the id at the end stays
        return re.sub(r"\w+", self._hidden, REVEALING.sub("…", text)) + mark + number

    def _hidden(self, word: "re.Match[str]") -> str:
        said = "".join(_words(word[0]))
        is_near = not self._misspelt.isdisjoint(_one_letter_less(said)) and said not in self._usual
        return "…" if said in self._names or is_near else word[0]


def _words(text: str) -> list[str]:
    """Its words without case and accents."""
    return re.findall(r"\w+", fold(text))


def _one_letter_less(word: str) -> set[str]:
    """The word, and it without any one letter; two that share one of these differ by a letter."""
    shorter = {word[:place] + word[place + 1 :] for place in range(len(word))}
    return {word} | shorter if len(word) > 4 else set()
