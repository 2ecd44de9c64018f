"""Finding phrases of a definition file in messages: by stem, through typos, over small gaps.

The little language is described at the head of `topics.toml`. A `Matcher` compiles all phrases of
all problems once; a message is then read word by word, and each distinct word is resolved once, so
that 200,000 messages cost seconds.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain

import snowballstemmer

from tgpipeline.analytics.topics.text import WORD, fold, written_out
from tgpipeline.errors import SettingsError

GAP, LONG_GAP = 4, 13  # how far the next word of a phrase may be: three words between, or twelve
SLIP_LETTERS = 6  # words of so many letters are recognised in spite of one slip
_SENTENCE = 100  # added to positions at a sentence's end: further than any gap reaches
_WORD = re.compile(rf"<[a-z]+>|{WORD}|[.,!?]")
_PORTUGUESE, _ENGLISH = snowballstemmer.stemmer("portuguese"), snowballstemmer.stemmer("english")

Terms = tuple[str, ...]  # any of these words
Phrase = tuple[tuple[Terms, int], ...]  # ... and how far from the words before they may be


@lru_cache(maxsize=1 << 18)
def stems(word: str) -> tuple[str, str]:
    """Returns a folded word's Portuguese and English stem.

    >>> stems("entregaram")[0] == stems("entrega")[0], stems("refunded")[1] == stems("refunds")[1]
    (True, True)
    """
    return _PORTUGUESE.stemWord(word), _ENGLISH.stemWord(word)


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


def words(text: str) -> list[tuple[int, str]]:
    """Returns the words of a normalised text with their positions.

    Positions jump at a sentence's end, further than any phrase reaches.
    """
    found, position = [], 0
    for word in _WORD.findall(text):
        if word in ",.!?":
            position += 0 if word == "," else _SENTENCE
        else:
            position += 1
            found.append((position, word))
    return found


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
            for key in chain.from_iterable(_term_keys(term) + _slip_keys(term) for term in terms):
                self._steps[key].add(step)
        terms_of = list(numbers)
        self._needs = [frozenset(step for step, _ in phrase) for phrase in self._phrases]
        self._starts: dict[int, list[int]] = defaultdict(list)  # tried where its rarest step is
        for number, needed in enumerate(self._needs):
            rarest = min(sorted(needed), key=lambda step: len(terms_of[step]))
            self._starts[rarest].append(number)
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
        present = frozenset(at)
        tried = [n for step in present & self._starts.keys() for n in self._starts[step]]
        return [n for n in tried if self._needs[n] <= present and _stands(self._phrases[n], at)]


def _stands(phrase: Sequence[tuple[int, int]], at: Mapping[int, list[int]]) -> bool:
    """Whether the words of a phrase stand in their order, near enough."""
    reached = at[phrase[0][0]]
    for step, distance in phrase[1:]:
        reached = [p for p in at[step] if any(0 < p - q <= distance for q in reached)]
    return bool(reached)
