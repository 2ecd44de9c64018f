"""Which problem a message is about, by an editable file of definitions. Portuguese and English.

`load` reads the definitions and gives `Topics`, which weighs two kinds of evidence in one logistic
regression: the phrases of `definitions.py`, and likeness to their examples (TF-IDF of stems and of
letters). It learns from nothing else; the same texts and file give the same answers.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache, cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tgpipeline.analytics.topics.definitions import (
    KINDS,
    Matcher,
    Phrase,
    Problem,
    read_definitions,
)
from tgpipeline.analytics.topics.text import is_question, normalise, stems, words

HANDOVER = "handover"  # the flag that says who wants a person
SURE = 0.25  # how sure one must be of a problem in a message
SURE_WITH_PHRASES = 0.05  # ... of one of which several words or phrases are there
LONG = 200  # letters from which on a text is read by its sentences
EVIDENCE = 0.7  # what a definition's phrase weighs beside a text's TF-IDF vectors of length 1
_SENTENCE_END = re.compile(r"(?<=[.!?]) ")
_CHUNK = 20_000  # texts at a time: bounds memory


class Topics:
    """Tells which of the defined problems messages are about. Made by `load`.

    Attributes:
        problems: the problems by name, in the file's order, without flags.
    """

    def __init__(self, definitions: Sequence[Problem], spelled: frozenset[str]) -> None:
        self._definitions, self._spelled = definitions, spelled  # flags last
        self.problems = {d.name: d for d in definitions if not d.flag}

    def label(self, texts: Iterable[str | None]) -> list[list[str]]:
        """Returns the problems of each message, the surest first; none is an empty list.

        >>> load().label(["quero meu dinheiro de volta", "bom dia!", "where is my order"])
        [['refund'], [], ['order_status']]
        """
        return list(self.table(pd.Series(list(texts), dtype=object))["problems"])

    def table(self, texts: "pd.Series[str]") -> pd.DataFrame:
        """Reads messages into columns, with the index of `texts`; what is no text is empty.

        Returns:
            `is_question`, `wants_person` (bool; the latter by the flag `handover`), `problem` (the
            surest, or None) and `problems` (a list, the surest first).
        """
        rows = [normalise(text) if isinstance(text, str) else "" for text in texts]
        unique = list(dict.fromkeys(["", *rows]))
        parts = [self.judge(unique[n : n + _CHUNK]) for n in range(0, len(unique), _CHUNK)]
        labels = [self._labels(row) for scores, _ in parts for row in scores]
        columns = {
            "is_question": pd.Series([is_question(text) for text in unique], dtype=bool),
            "wants_person": np.concatenate([persons for _, persons in parts]),
            "problem": pd.Series([next(iter(names), None) for names in labels], dtype=object),
            "problems": pd.Series(labels, dtype=object),
        }
        return pd.DataFrame(columns).set_axis(unique).loc[rows].set_axis(texts.index)

    def _labels(self, scores: Any) -> list[str]:
        names = list(self.problems)
        found = [names[i] for i in (-scores).argsort(kind="stable") if scores[i] >= SURE]
        return [n for n in found if set(found).isdisjoint(self.problems[n].yields_to)]

    def judge(self, texts: Sequence[str]) -> tuple[Any, Any]:
        """Returns how sure each problem is, 0 to 1, and whether a person is wanted.

        A problem with several words or phrases in a text is sure enough: so the second one of a
        message counts although the first one is louder. In a long text each sentence counts.

        Args:
            texts: normalised, at least one.
        """
        split = [_SENTENCE_END.split(text) if len(text) > LONG else [text] for text in texts]
        parts = list(chain.from_iterable(split))
        words, hints = self._counts(parts)
        sure = self._model.predict_proba(self._features(parts, words, hints))[:, :-1]
        is_bare = np.array([part.count(" ") < 2 for part in parts]) & ~(words + hints).any(axis=1)
        sure[is_bare] = 0.0  # one or two words alone are like anything
        is_said = (words[:, : sure.shape[1]] > 1) & (sure >= SURE_WITH_PHRASES)
        sure[is_said & (sure < SURE)] = SURE
        persons = words[:, [d.name == HANDOVER for d in self._definitions]].any(axis=1)
        starts = np.cumsum([0, *map(len, split[:-1])])
        return np.maximum.reduceat(sure, starts), np.maximum.reduceat(persons, starts)

    def _counts(self, texts: Sequence[str]) -> tuple[Any, Any]:
        """Returns how many words and hints of each definition are in texts.

        What a definition's `unless` is in has none.
        """
        counts = np.zeros((len(KINDS), len(texts), len(self._definitions)))
        matcher, owners = self._matcher
        for row, text in enumerate(texts):
            for number in matcher.find(text):
                kind, definition = owners[number]
                counts[kind, row, definition] += 1
        words, hints, unless = counts
        return words * (unless == 0), hints * (unless == 0)

    def _features(self, texts: Sequence[str], words: Any, hints: Any) -> Any:
        from scipy.sparse import csr_matrix, hstack

        weights = np.hstack([words > 0, 0.6 * np.clip(words - 1, 0, 2), 0.4 * np.minimum(hints, 2)])
        likeness = [vectorizer.transform(texts) for vectorizer in self._likeness]
        return hstack([*likeness, csr_matrix(EVIDENCE * weights)]).tocsr()

    @cached_property
    def _matcher(self) -> tuple[Matcher, list[tuple[int, int]]]:
        """The matcher of all phrases, and for each phrase of which kind it is and whose."""
        owners, phrases = [], list[Phrase]()
        for number, definition in enumerate(self._definitions):
            for kind, name in enumerate(KINDS):
                owners += [(kind, number)] * len(definition.phrases[name])
                phrases += definition.phrases[name]
        spelled = {word for text, _ in self._examples for _, word in words(text)}
        return Matcher(phrases, self._spelled | spelled), owners

    @cached_property
    def _examples(self) -> list[tuple[str, int]]:
        """Texts to compare with, and the number of each one's problem; the last is none."""
        pairs = []
        for number, d in enumerate(self._definitions):
            # A new problem may be no more than a few words.
            alone = d.phrases["words"] if len(d.examples) < 5 else ()
            texts = [" ".join(terms[0].strip("=*") for terms, _ in phrase) for phrase in alone]
            texts += [normalise(example) for example in d.examples]
            pairs += [(text, min(number, len(self.problems))) for text in texts if text]
        return pairs

    @cached_property
    def _likeness(self) -> list[Any]:
        """TF-IDF of stems, alone and in pairs, and of four letters: fitted on the examples."""
        from sklearn.feature_extraction.text import CountVectorizer

        texts = [text for text, _ in self._examples]
        pairs = CountVectorizer(tokenizer=stemmed, token_pattern=None, ngram_range=(1, 2))
        letters = CountVectorizer(analyzer="char_wb", ngram_range=(4, 4))
        return [_vectorizer(texts, grams.build_analyzer()) for grams in (pairs, letters)]

    @cached_property
    def _model(self) -> Any:
        from scipy.sparse import vstack
        from sklearn.linear_model import LogisticRegression

        texts, numbers = zip(*self._examples, strict=True)
        words, hints = self._counts(texts)
        # The words were written with the examples at hand, and match them more often than they
        # match what people write: so each example is also learned from without its words.
        features = [self._features(texts, n * words, n * hints) for n in (1, 0)]
        model = LogisticRegression(C=2, max_iter=1000, class_weight="balanced")
        return model.fit(vstack(features), numbers * 2)


def _vectorizer(examples: Sequence[str], split: Callable[[str], list[str]]) -> Any:
    """TF-IDF of grams, with one feature for all grams that no example has.

    So those count in a text's length: else a text of which the examples know two words would be
    those two words.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    known = {"", *chain.from_iterable(map(split, examples))}

    def grams(text: str) -> list[str]:
        return [gram if gram in known else "" for gram in split(text)]

    vectorizer = TfidfVectorizer(analyzer=grams, vocabulary=sorted(known), sublinear_tf=True)
    return vectorizer.fit(examples)


def stemmed(text: str) -> list[str]:
    """Returns the words of a normalised text by their stems.

    >>> stemmed("pedidos atrasados <data>")
    ['ped', 'atras', '<data>']
    """
    return [word if word[0] == "<" else stems(word)[0] for _, word in words(text)]


def load(path: str | Path | None = None) -> Topics:
    """Reads definitions of problems; without a path, those that the package brings along.

    Raises:
        SettingsError: the file cannot be read, or a definition in it is wrong; says which.
    """
    return Topics(*read_definitions(path)) if path else _own()


@cache
def _own() -> Topics:  # once: its model takes seconds to fit
    return Topics(*read_definitions(None))
