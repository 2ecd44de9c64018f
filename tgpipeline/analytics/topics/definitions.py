"""The file of problem definitions: read, checked, and its phrases found in messages.

The head of `topics.toml` explains the file and the little language of its phrases: words are found
by stem, through typos, over small gaps. A `Matcher` compiles all phrases of all problems once; a
message is then read word by word, and each distinct word is resolved once, so that 200,000 messages
cost seconds.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from tgpipeline import resources
from tgpipeline.analytics.topics.text import fold, stems, words, written_out
from tgpipeline.errors import SettingsError

OTHER = "other"  # the flag of what is no problem
KINDS = ("words", "hints", "unless")
GAP, LONG_GAP = 4, 13  # how far the next word of a phrase may be: three words between, or twelve
SLIP_LETTERS = 6  # words of so many letters are recognised in spite of one slip

Terms = tuple[str, ...]  # any of these words
Phrase = tuple[tuple[Terms, int], ...]  # ... and how far from the words before they may be


class Problem(NamedTuple):
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
    examples: Sequence[str]
    yields_to: Sequence[str]
    flag: bool


def read_definitions(path: str | Path | None = None) -> tuple[list[Problem], frozenset[str]]:
    """Reads a definition file; without a path, the one that the package brings along.

    A file without `[other]` gets the packaged one, for what is no problem has to be known too.

    Returns:
        The definitions in the file's order, flags last, and the words that are never taken for a
        misspelling.

    Raises:
        SettingsError: the file cannot be read, or a definition in it is wrong; says which.
    """
    default = resources.data("analytics/topics/topics.toml")
    try:
        data = default if path is None else tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read as topic definitions: {error}") from error
    sets = default["sets"] | data.get("sets", {})
    tables = data | {OTHER: data.get(OTHER, default[OTHER])}
    definitions = [_problem(name, tables[name], sets) for name in tables if name != "sets"]
    definitions.sort(key=lambda d: d.flag)
    names = [d.name for d in definitions if not d.flag]
    if not names:
        raise SettingsError(f"{path} defines no problem: add a [name] with words and examples.")
    for definition in definitions:
        if unknown := set(definition.yields_to) - set(names):
            raise SettingsError(f"[{definition.name}] yields_to unknown {sorted(unknown)}.")
    return definitions, frozenset(fold(sets["spelled"]).split("|"))


def _problem(name: str, table: Any, sets: Mapping[str, str]) -> Problem:
    allowed = {"title", "examples", "yields_to", "flag", *KINDS}
    if not isinstance(table, dict) or not table.keys() <= allowed:
        raise SettingsError(f"[{name}] may have {', '.join(sorted(allowed))}, and nothing else.")
    lists = {key: table.get(key, []) for key in (*KINDS, "examples", "yields_to")}
    for key, value in lists.items():
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise SettingsError(f"[{name}] {key} has to be a list of texts.")
    if not lists["words"] and not lists["examples"]:
        raise SettingsError(f"[{name}] needs words or examples to be recognised by.")
    title = table.get("title", {"pt": name, "en": name})
    phrases = {kind: [parse(phrase, sets) for phrase in lists[kind]] for kind in KINDS}
    flag = bool(table.get("flag", False))
    return Problem(name, title, phrases, lists["examples"], lists["yields_to"], flag)


def parse(phrase: str, sets: Mapping[str, str]) -> Phrase:
    """Compiles one phrase of the file; raises SettingsError for an unknown `$set` or no word."""
    try:
        whole = re.sub(r"\$(\w+)", lambda name: sets[name[1]], phrase)
    except KeyError as error:
        raise SettingsError(f"Phrase {phrase!r} uses ${error.args[0]}: add it to [sets].") from None
    steps: list[tuple[Terms, int]] = []
    distance = GAP
    for part in fold(whole).replace("+", " + ").split():
        if part in ("...", "+"):
            distance = LONG_GAP if part == "..." else 1
            continue
        terms = tuple(written_out(term) for term in part.split("|") if term.strip("*="))
        steps.append((terms, distance))
        distance = GAP
    if not steps or not all(terms for terms, _ in steps):
        raise SettingsError(f"Phrase {phrase!r} has no word to look for: write one or delete it.")
    return tuple(steps)


def _term_keys(term: str) -> list[tuple[str, str]]:
    """Under what a term of a phrase is found, and likewise a word that may be it."""
    if term[0] in "=<":
        return [("=", term.lstrip("="))]
    if term.endswith("*"):
        return [("*", term[:-1])]
    long = zip(("pt", "en"), stems(term), strict=True)  # a short stem means nothing
    return [*((kind, stem) for kind, stem in long if len(stem) >= 4), ("s", term.removesuffix("s"))]


def _slip_keys(word: str) -> list[tuple[str, str]]:
    """All that are one letter shorter, and the word: equal ones are at most one slip apart."""
    if len(word) < SLIP_LETTERS or not word.isalpha():
        return []
    return [("~", word), *(("~", word[:i] + word[i + 1 :]) for i in range(1, len(word)))]


class Matcher:
    """Finds many phrases in many messages at once.

    Args:
        phrases: all phrases that are looked for.
        spelled: words, folded, that are never taken for a slip of another.
    """

    def __init__(self, phrases: Iterable[Phrase], spelled: Iterable[str] = ()) -> None:
        self._spelled = frozenset(spelled)
        numbers: dict[Terms, int] = {}  # of each distinct step of a phrase
        self._phrases = [
            [(numbers.setdefault(terms, len(numbers)), distance) for terms, distance in phrase]
            for phrase in phrases
        ]
        self._steps: dict[tuple[str, str], set[int]] = defaultdict(set)
        for terms, step in numbers.items():
            for term in terms:
                for key in _term_keys(term) + _slip_keys(term):
                    self._steps[key].add(step)
        lengths = [len(terms) for terms in numbers]
        self._needs = [{step for step, _ in phrase} for phrase in self._phrases]
        self._starts: dict[int, list[int]] = defaultdict(list)  # tried where its rarest step is
        for number, needed in enumerate(self._needs):
            self._starts[min(needed, key=lambda step: lengths[step])].append(number)
        self._steps_of = lru_cache(1 << 18)(self._find_steps)

    def _find_steps(self, word: str) -> frozenset[int]:
        """The steps of phrases that a word can be."""
        keys = [("=", word), *(("*", word[:length]) for length in range(1, len(word) + 1))]
        keys += _term_keys(word) if word[0].isalpha() else []
        found = frozenset().union(*(self._steps.get(key, ()) for key in keys))
        if found or word in self._spelled:
            return found
        return frozenset().union(*(self._steps.get(key, ()) for key in _slip_keys(word)))

    def find(self, text: str) -> list[int]:
        """Returns the numbers of the phrases that a normalised text has."""
        at: dict[int, list[int]] = defaultdict(list)  # where each step of a phrase is
        for position, word in words(text):
            for step in self._steps_of(word):
                at[step].append(position)
        tried = [n for step in at.keys() & self._starts.keys() for n in self._starts[step]]
        return [n for n in tried if at.keys() >= self._needs[n] and _stands(self._phrases[n], at)]


def _stands(phrase: Sequence[tuple[int, int]], at: Mapping[int, list[int]]) -> bool:
    """Whether the words of a phrase stand in their order, near enough."""
    reached = at[phrase[0][0]]
    for step, distance in phrase[1:]:
        reached = [p for p in at[step] if any(0 < p - q <= distance for q in reached)]
    return bool(reached)
