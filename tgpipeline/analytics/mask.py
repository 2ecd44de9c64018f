"""Hiding who people are in tables and quotes."""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import pandas as pd

from tgpipeline.analytics.language import say
from tgpipeline.analytics.topics.text import fold
from tgpipeline.lake.revealing import mask

IDS = ("user_id", "from_id", "customer", "target_user_id")
NAMES = ("name", "first_name", "username")
QUOTES = ("questions", "answer")


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
        self.names, self.labels, self._said = names, labels, said
        people = said[~said["is_bot"].fillna(False).astype(bool)]
        called = pd.concat([people["first_name"], people["username"]]).dropna().unique()
        self._names = {word for name in called for word in _words(name) if len(word) > 2}
        self._misspelt = {key for name in self._names for key in _one_letter_less(name)}

    def table(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A table with pseudonyms for ids, without names, its quotes without what identifies."""
        safe = frame.copy()
        for column in safe.columns.intersection(IDS):
            unknown = safe[column].isna()
            named = safe[column].map(self.labels).fillna(say("someone"))
            safe[column] = named.astype(object).mask(unknown, None)
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
        is_near = not self._misspelt.isdisjoint(_one_letter_less(said)) and said not in self._usual
        return "…" if said in self._names or is_near else word[0]

    @cached_property
    def _usual(self) -> set[str]:
        """Words of the last messages that at least three people write."""
        last = self._said.dropna(subset=["text", "user_id"]).tail(20_000)
        said = last.assign(word=last["text"].map(_words)).explode("word")
        writers = said.groupby("word")["user_id"].nunique()
        return set(writers.index[writers > 2])


def _words(text: str) -> list[str]:
    """Its words without case and accents."""
    return re.findall(r"\w+", fold(text))


def _one_letter_less(word: str) -> set[str]:
    """The word, and it without any one letter; two that share one of these differ by a letter."""
    if len(word) < 5:
        return set()
    return {word} | {word[:place] + word[place + 1 :] for place in range(len(word))}
