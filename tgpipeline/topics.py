"""Which problem a message is about, by an editable file of definitions. Portuguese and English.

`load` reads the definitions and gives `Topics`, which weighs two kinds of evidence in one logistic
regression: the definitions' phrases (`phrases.py`), and likeness to their examples (TF-IDF of stems
and of letters). It learns from nothing else and downloads nothing, and the same texts and file give
the same answers everywhere. What a group talks about without definitions: `discover.py`.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tgpipeline.errors import SettingsError
from tgpipeline.phrases import Matcher, Phrase, parse, stems
from tgpipeline.text import fold, is_question, normalise

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

MESSAGE, CLAUSE = 0.4, 0.9  # how sure one must be of a whole message, and of a clause of it
EVIDENCE = 0.4  # what a definition's phrase weighs beside a text's TF-IDF vector of length 1
HANDOVER, OTHER = "handover", "other"
_CLAUSE = re.compile(r"[.!?]+\s*|,\s+|\s(?:e|mas|porem|so que|tambem|and|but|also)\s")
_KINDS = ("words", "hints", "unless")
_CHUNK = 20_000  # texts at a time: bounds memory


@dataclass(frozen=True)
class Problem:
    """One definition of the file.

    Attributes:
        name: its key, as `Topics.label` returns it.
        title: for people, by language ("pt", "en").
        phrases: `words`, `hints` and `unless`, compiled.
        examples: whole messages.
        yields_to: problems beside which this one goes without saying.
        flag: told apart from problems and never a label (`handover`, `other`).
    """

    name: str
    title: Mapping[str, str]
    phrases: Mapping[str, Sequence[Phrase]]
    examples: Sequence[str] = ()
    yields_to: Sequence[str] = ()
    flag: bool = False


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
        scores = self.scores(texts)
        names = list(scores.columns)
        labels = []
        for row in scores.to_numpy():
            found = [names[i] for i in (-row).argsort(kind="stable") if row[i] >= MESSAGE]
            yields = {n for n in found if not set(found).isdisjoint(self.problems[n].yields_to)}
            labels.append([name for name in found if name not in yields])
        return labels

    def wants_person(self, texts: Iterable[str | None]) -> list[bool]:
        """Tells of each message whether it asks for a person, by the `handover` flag's words."""
        number = next((i for i, d in enumerate(self.definitions) if d.name == HANDOVER), None)
        if number is None:
            return [False for _ in texts]
        return [self._evidence(normalise(text or ""))[number][0] > 0 for text in texts]

    def scores(self, texts: Iterable[str | None]) -> "pd.DataFrame":
        """Returns how sure each problem is, 0 to 1: a row a message, a column a problem.

        A problem's score is that of the whole message, or that of a clause which is nearly certain:
        so the second problem of a message counts although the first one is louder.
        """
        import numpy as np
        import pandas as pd

        rows = [normalise(text or "") for text in texts]
        unique = {text: number for number, text in enumerate(dict.fromkeys(rows))}
        sure = self._sure(list(unique))
        parts = [(number, part) for text, number in unique.items() for part in _clauses(text)]
        if parts:
            clause = self._sure([part for _, part in parts])
            owners = np.array([number for number, _ in parts])
            np.maximum.at(sure, owners, np.where(clause >= CLAUSE, clause, 0.0))
        return pd.DataFrame(sure[[unique[row] for row in rows]], columns=list(self.problems))

    def table(self, texts: "pd.Series[str]") -> "pd.DataFrame":
        """Reads messages into columns, with the index of `texts`.

        Returns:
            `is_question`, `wants_person` (bool), `problem` (the surest, or None) and `problems`
            (a list, the surest first).
        """
        import pandas as pd

        given = [text if isinstance(text, str) else "" for text in texts]
        labels = self.label(given)
        return pd.DataFrame(
            {
                "is_question": [is_question(text) for text in given],
                "wants_person": self.wants_person(given),
                "problem": pd.Series([names[0] if names else None for names in labels], dtype=object).to_numpy(),
                "problems": pd.Series(labels, dtype=object).to_numpy(),
            },
            index=texts.index,
        )

    def _sure(self, texts: Sequence[str]) -> "NDArray[np.float64]":
        import numpy as np

        sure = np.zeros((len(texts), len(self.problems)))
        columns = [list(self._model.classes_).index(name) for name in self.problems]
        for start in range(0, len(texts), _CHUNK):
            chunk = texts[start : start + _CHUNK]
            sure[start : start + _CHUNK] = self._model.predict_proba(self._features(chunk))[:, columns]
        sure[[not any(map(str.isalpha, text)) for text in texts]] = 0.0
        return sure

    def _features(self, texts: Sequence[str]) -> Any:
        import numpy as np
        from scipy.sparse import csr_matrix, hstack

        counts = np.array([self._evidence(text) for text in texts], dtype=float)
        words, hints = counts[:, :, 0], counts[:, :, 1]
        weights = np.hstack([words > 0, 0.3 * np.clip(words - 1, 0, 2), 0.4 * np.minimum(hints, 2)])
        likeness = [vectorizer.transform(texts) for vectorizer in self._vectorizers]
        return hstack([*likeness, csr_matrix(EVIDENCE * weights)]).tocsr()

    def _evidence(self, text: str) -> list[tuple[int, int]]:
        """Counts words and hints found for each definition, save where its `unless` matches."""
        matcher, owners = self._matcher
        found = [(*owners[number], ways) for number, ways in matcher.read(text).items()]
        void: dict[int, set[int]] = {}
        for owner, kind, ways in found:
            if kind == "unless":
                void.setdefault(owner, set()).update(place for way in ways for place in way)
        counts = [[0, 0] for _ in self.definitions]
        for owner, kind, ways in found:
            if kind != "unless" and any(void.get(owner, set()).isdisjoint(way) for way in ways):
                counts[owner][kind == "hints"] += 1
        return [(words, hints) for words, hints in counts]

    @cached_property
    def _matcher(self) -> tuple[Matcher, list[tuple[int, str]]]:
        """The matcher of all phrases, and for each phrase whose it is and of which kind."""
        owners, phrases = [], []
        for number, definition in enumerate(self.definitions):
            for kind in _KINDS:
                phrases += definition.phrases[kind]
                owners += [(number, kind)] * len(definition.phrases[kind])
        words = {w for d in self.definitions for e in d.examples for w in normalise(e).split()}
        return Matcher(phrases, self.spelled | words), owners

    @cached_property
    def _examples(self) -> list[tuple[str, str]]:
        """Texts to compare with, and the problem of each; "" is anything else."""
        pairs = []
        for d in self.definitions:
            texts = [normalise(example) for example in d.examples]
            if len(texts) < 5:  # a new problem may be no more than a few words
                texts += [" ".join(terms[0].strip("=*") for terms, _ in p) for p in d.phrases["words"]]
            pairs += [(text, "" if d.flag else d.name) for text in texts if text]
        return pairs

    @cached_property
    def _vectorizers(self) -> list[Any]:
        from sklearn.feature_extraction.text import TfidfVectorizer

        texts = [text for text, _ in self._examples]
        letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
        return [v.fit(texts) for v in (TfidfVectorizer(analyzer=grams, sublinear_tf=True), letters)]

    @cached_property
    def _model(self) -> Any:
        from sklearn.linear_model import LogisticRegression

        texts, names = zip(*self._examples, strict=True)
        return LogisticRegression(C=5, max_iter=1000, class_weight="balanced").fit(self._features(texts), names)


def grams(text: str) -> list[str]:
    """Returns the stems of a normalised text, and each pair of neighbours.

    >>> grams("pedidos atrasados")
    ['ped', 'atras', 'ped atras']
    """
    found = [w if w[0] == "<" else stems(w)[0] for w in re.findall(r"<[a-z]+>|[a-z0-9]+", text)]
    return found + [f"{first} {second}" for first, second in pairwise(found)]


def _clauses(text: str) -> list[str]:
    parts = [part for part in _CLAUSE.split(text) if part and " " in part.strip()]
    return parts if len(parts) > 1 else []


def load(path: str | Path | None = None) -> Topics:
    """Reads definitions of problems; without a path, those that the package brings along.

    A file without `[other]` gets the packaged one: what is none of the problems has to be known too.

    Raises:
        SettingsError: the file cannot be read, or a definition in it is wrong; says which.
    """
    packaged = files("tgpipeline").joinpath("topics.toml").read_text(encoding="utf-8")
    try:
        data = tomllib.loads(packaged if path is None else Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} cannot be read as topic definitions: {error}") from error
    default = tomllib.loads(packaged)
    sets = {**default["sets"], **data.pop("sets", {})}
    definitions = [_problem(name, data[name], sets) for name in data]
    if OTHER not in data:
        definitions.append(_problem(OTHER, default[OTHER], sets))
    topics = Topics(definitions, frozenset(fold(sets["spelled"]).split("|")))
    if not topics.problems:
        raise SettingsError(f"{path} defines no problem: add a [name] with words and examples.")
    return topics


def _problem(name: str, table: Any, sets: Mapping[str, str]) -> Problem:
    allowed = {"title", "examples", "yields_to", "flag", *_KINDS}
    if not isinstance(table, dict) or not table.keys() <= allowed:
        raise SettingsError(f"[{name}] may have {', '.join(sorted(allowed))}, and nothing else.")
    for key in (*_KINDS, "examples", "yields_to"):
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise SettingsError(f"[{name}] {key} has to be a list of texts.")
    if not table.get("words") and not table.get("examples"):
        raise SettingsError(f"[{name}] needs words or examples to be recognised by.")
    return Problem(
        name=name,
        title=table.get("title", {"pt": name, "en": name}),
        phrases={kind: [parse(p, sets) for p in table.get(kind, [])] for kind in _KINDS},
        examples=table.get("examples", []),
        yields_to=table.get("yields_to", []),
        flag=bool(table.get("flag", False)),
    )
