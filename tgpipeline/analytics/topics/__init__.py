"""Which problem a message is about, by an editable file of definitions. Portuguese and English.

`load` reads the definitions and gives `Topics`, which weighs two kinds of evidence in one logistic
regression: the definitions' phrases (`phrases.py`), and likeness to their examples (TF-IDF of stems
and of letters). It learns from nothing else; the same texts and file give the same answers.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tgpipeline.analytics.topics.asking import asks
from tgpipeline.analytics.topics.definitions import HANDOVER, KINDS, Problem, read_definitions
from tgpipeline.analytics.topics.phrases import Matcher, Phrase, stems, words
from tgpipeline.analytics.topics.text import WORD, normalise

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

SURE = 0.35  # how sure one must be of a problem in a message
SURE_OF_LIKELIEST = 0.2  # ... of the likeliest one, where it is likelier than no problem
SURE_IN_CLAUSE = 0.7  # ... of one in a clause, if its words are there too
SURE_WITH_PHRASES = 0.05  # ... of one of which several words or phrases are there
SURE_WITHOUT_PHRASE = 0.45  # ... of one without words and hints: only alike its examples
EVIDENCE = 0.7  # what a definition's phrase weighs beside a text's TF-IDF vectors of length 1
WITHOUT_PHRASES = 0.5  # how much an example teaches again, as if the file had no words for it

_CHUNK = 20_000  # texts at a time: bounds memory

_Counts = list[int]  # of words and of hints, for each definition
_Split = Callable[[str], list[str]]


@dataclass(frozen=True)
class Topics:
    """Tells which of the defined problems messages are about. Made by `load`."""

    definitions: Sequence[Problem] = field(repr=False)
    spelled: frozenset[str] = field(default=frozenset(), repr=False)

    @cached_property
    def problems(self) -> dict[str, Problem]:
        """The problems by name, in the file's order, without flags."""
        return {d.name: d for d in self.definitions if not d.flag}

    def label(self, texts: Iterable[str | None]) -> list[list[str]]:
        """Returns the problems of each message, the surest first; none is an empty list.

        >>> load().label(["quero meu dinheiro de volta", "bom dia!", "where is my order"])
        [['refund'], [], ['order_status']]
        """
        return self._labels(self.scores(texts).to_numpy())

    def scores(self, texts: Iterable[str | None]) -> "pd.DataFrame":
        """Returns how sure each problem is, 0 to 1: a row a message, a column a problem.

        A problem's score is that of the whole message, or of a clause that has its words: so the
        second problem of a message counts although the first one is louder.
        """
        import pandas as pd

        scores, _ = self._judge([normalise(text or "") for text in texts])
        return pd.DataFrame(scores, columns=list(self.problems))

    def table(self, texts: "pd.Series[str]") -> "pd.DataFrame":
        """Reads messages into columns, with the index of `texts`; what is no text is empty.

        Returns:
            `is_question`, `wants_person` (bool; the latter by the flag `handover`), `problem` (the
            surest, or None) and `problems` (a list, the surest first).
        """
        import pandas as pd

        rows = [normalise(text) if isinstance(text, str) else "" for text in texts]
        unique = list(dict.fromkeys(rows))
        scores, persons = self._judge(unique)
        labels = self._labels(scores)
        columns = {
            "is_question": [asks(text) for text in unique],
            "wants_person": persons,
            "problem": pd.Series([next(iter(names), None) for names in labels], dtype=object),
            "problems": pd.Series(labels, dtype=object),
        }
        found = pd.DataFrame(columns).astype({"is_question": bool})
        place = {text: number for number, text in enumerate(unique)}
        return found.iloc[[place[row] for row in rows]].set_axis(texts.index)

    def _labels(self, scores: "NDArray[np.float64]") -> list[list[str]]:
        names, labels = list(self.problems), []
        for row in scores:
            found = [names[i] for i in (-row).argsort(kind="stable") if row[i] >= SURE]
            yields = {n for n in found if not set(found).isdisjoint(self.problems[n].yields_to)}
            labels.append([name for name in found if name not in yields])
        return labels

    def _judge(self, texts: Sequence[str]) -> "tuple[NDArray[np.float64], NDArray[np.bool_]]":
        """Returns each problem's score and whether a person is wanted, for normalised texts."""
        import numpy as np

        scores = np.zeros((len(texts), len(self.problems)))
        persons = np.zeros(len(texts), dtype=bool)
        for start in range(0, len(texts), _CHUNK):
            part = slice(start, start + _CHUNK)
            scores[part], persons[part] = self._judge_chunk(texts[part])
        return scores, persons

    def _judge_chunk(self, texts: Sequence[str]) -> "tuple[NDArray[np.float64], NDArray[np.bool_]]":
        import numpy as np

        readings = [self._read(text) for text in texts]
        counts = self._counts([whole for whole, _ in readings])
        mine = [i for i, d in enumerate(self.definitions) if not d.flag]
        scores, none = self._probable(texts, counts)
        top = scores.max(axis=1)
        likeliest = (scores == top[:, None]) & ((top >= SURE_OF_LIKELIEST) & (top > none))[:, None]
        scores[likeliest & (scores < SURE)] = SURE
        scores[(counts[:, mine].sum(axis=2) == 0) & (scores < SURE_WITHOUT_PHRASE)] = 0.0
        scores[(counts[:, mine, 0] > 1) & (scores >= SURE_WITH_PHRASES) & (scores < SURE)] = SURE
        scores[[not any(map(str.isalpha, text)) for text in texts]] = 0.0
        clauses = [
            (row, text, found)
            for row, (_, parts) in enumerate(readings)
            for text, found in parts
            if any(found[2 * i] and scores[row, j] < SURE for j, i in enumerate(mine))
        ]
        if clauses:
            owners, parts, found = zip(*clauses, strict=True)
            counts_ = self._counts(found)
            sure, _ = self._probable(parts, counts_)
            sure[(sure < SURE_IN_CLAUSE) | (counts_[:, mine, 0] == 0)] = 0.0
            np.maximum.at(scores, np.array(owners), sure)
        wishes = [i for i, d in enumerate(self.definitions) if d.name == HANDOVER]
        return scores, np.asarray((counts[:, wishes, 0] > 0).any(axis=1))

    def _counts(self, found: Sequence[_Counts]) -> "NDArray[np.float64]":
        """Texts by definitions by words and hints."""
        import numpy as np

        return np.array(found, dtype=float).reshape(len(found), len(self.definitions), 2)

    def _probable(self, texts: Sequence[str], counts: "NDArray[np.float64]") -> tuple[Any, Any]:
        """Returns the probability of each problem, and of none."""
        classes = list(self._model.classes_)
        found = self._model.predict_proba(self._features(texts, counts))
        problems = [classes.index(name) for name in self.problems]
        return found[:, problems], found[:, classes.index("")]

    def _features(self, texts: Sequence[str], counts: "NDArray[np.float64]") -> Any:
        import numpy as np
        from scipy.sparse import csr_matrix, hstack

        words, hints = counts[:, :, 0], counts[:, :, 1]
        weights = np.hstack([words > 0, 0.6 * np.clip(words - 1, 0, 2), 0.4 * np.minimum(hints, 2)])
        likeness = [weigh.transform(grams.count(texts)) for weigh, grams in self._likeness]
        return hstack([*likeness, csr_matrix(EVIDENCE * weights)]).tocsr()

    def _read(self, text: str) -> tuple[_Counts, list[tuple[str, _Counts]]]:
        """Counts each definition's words and hints, in a text and in each of its clauses.

        What a definition's `unless` matches does not count for it.
        """
        matcher, owners = self._matcher
        read = words(text)
        found = [(*owners[number], ways) for number, ways in matcher.find(read).items()]
        void: dict[int, set[int]] = defaultdict(set)
        for owner, kind, ways in found:
            if kind == "unless":
                void[owner].update(*ways)
        size = 2 * len(self.definitions)  # words and hints of each definition, in turn
        whole: _Counts = [0] * size
        clauses: dict[int, _Counts] = defaultdict(lambda: [0] * size)
        clause_of = {position: clause for position, clause, _ in read}
        for owner, kind, ways in found:
            valid = [way for way in ways if void[owner].isdisjoint(way)] if void else ways
            if kind == "unless" or not valid:
                continue
            slot = 2 * owner + (kind == "hints")
            whole[slot] += 1
            ends = {(clause_of[way[0]], clause_of[way[-1]]) for way in valid}
            for clause in {first for first, last in ends if first == last}:
                clauses[clause][slot] += 1
        if not clauses or read[0][1] == read[-1][1]:  # nothing said, or one clause
            return whole, []
        said: dict[int, list[str]] = defaultdict(list)
        for _, clause, word in read:
            said[clause].append(word)
        return whole, [(" ".join(said[c]), n) for c, n in clauses.items() if len(said[c]) > 1]

    @cached_property
    def _matcher(self) -> tuple[Matcher, list[tuple[int, str]]]:
        """The matcher of all phrases, and for each phrase whose it is and of which kind."""
        owners: list[tuple[int, str]] = []
        phrases: list[Phrase] = []
        for number, definition in enumerate(self.definitions):
            for kind in KINDS:
                phrases += definition.phrases[kind]
                owners += [(number, kind)] * len(definition.phrases[kind])
        return Matcher(phrases, [text for text, _ in self._examples], self.spelled), owners

    @cached_property
    def _examples(self) -> list[tuple[str, str]]:
        """Texts to compare with, and the problem of each; "" is anything else."""
        pairs = []
        for d in self.definitions:
            texts = [normalise(example) for example in d.examples]
            if len(texts) < 5:  # a new problem may be no more than a few words
                texts += [
                    " ".join(terms[0].strip("=*") for terms, _ in p) for p in d.phrases["words"]
                ]
            pairs += [(text, "" if d.flag else d.name) for text in texts if text]
        return pairs

    @cached_property
    def _likeness(self) -> "list[tuple[Any, _Grams]]":
        """For stems and for letters: how much each gram weighs, and which the examples have."""
        from sklearn.feature_extraction.text import TfidfTransformer

        texts = [text for text, _ in self._examples]
        each = [_Grams(texts, stem_pairs, lambda text: [text]), _Grams(texts, letters, str.split)]
        return [(TfidfTransformer(sublinear_tf=True).fit(g.count(texts)), g) for g in each]

    @cached_property
    def _model(self) -> Any:
        import numpy as np
        from scipy.sparse import vstack
        from sklearn.linear_model import LogisticRegression

        texts, names = zip(*self._examples, strict=True)
        counts = self._counts([self._read(text)[0] for text in texts])
        # The words were written with the examples at hand, and match them more often than they
        # match what people write: so each example is also learned from without its words.
        features = vstack([self._features(texts, counts), self._features(texts, 0 * counts)])
        weights = np.repeat([1.0, WITHOUT_PHRASES], len(texts))
        model = LogisticRegression(C=2, max_iter=1000, class_weight="balanced")
        return model.fit(features, names * 2, sample_weight=weights)


class _Grams:
    """Counts the grams of texts that examples have, and the others together.

    So those count in a text's length: else a text of which the examples know two words would be
    those two words.

    Args:
        examples: normalised texts.
        split: gives the grams of a part.
        parts: splits a text into what has its own grams, and comes again and again.
    """

    def __init__(self, examples: Sequence[str], split: _Split, parts: _Split) -> None:
        found = {gram for text in examples for part in parts(text) for gram in split(part)}
        numbers = {gram: number for number, gram in enumerate(sorted(found))}
        self.size, self._parts = len(numbers) + 1, parts
        self._numbers = lru_cache(1 << 16)(
            lambda part: [numbers.get(gram, len(numbers)) for gram in split(part)]
        )

    def count(self, texts: Sequence[str]) -> Any:
        """Texts by grams, a sparse matrix."""
        import numpy as np
        from scipy.sparse import csr_matrix

        rows = [[*chain.from_iterable(map(self._numbers, self._parts(text)))] for text in texts]
        ends = np.cumsum([0, *map(len, rows)])
        places = np.fromiter(chain.from_iterable(rows), int, ends[-1])
        counts = csr_matrix((np.ones(len(places)), places, ends), (len(texts), self.size))
        counts.sum_duplicates()
        return counts


def stem_pairs(text: str) -> list[str]:
    """Returns the stems of a normalised text, and each pair of neighbours.

    >>> stem_pairs("pedidos atrasados")
    ['ped', 'atras', 'ped atras']
    """
    found = [w if w[0] == "<" else stems(w)[0] for w in re.findall(rf"<[a-z]+>|{WORD}", text)]
    return found + [f"{first} {second}" for first, second in pairwise(found)]


def letters(word: str) -> list[str]:
    """Returns the runs of four letters of a word, with a space at either end.

    >>> letters("pix")
    [' pix', 'pix ']
    """
    padded = f" {word} "
    return [padded[start : start + 4] for start in range(max(1, len(padded) - 3))]


def load(path: str | Path | None = None) -> Topics:
    """Reads definitions of problems; without a path, those that the package brings along.

    Raises:
        SettingsError: the file cannot be read, or a definition in it is wrong; says which.
    """
    return Topics(*read_definitions(path)) if path else _own()


@cache
def _own() -> Topics:  # once: its model takes seconds to fit
    return Topics(*read_definitions(None))
