"""Finding phrases of a definition file in messages: by stem, through typos, over small gaps.

The little language is described at the head of `topics.toml`. A `Matcher` compiles all phrases of
all problems once; a message is then read word by word, and each distinct word is resolved once, so
that 200,000 messages cost seconds.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import chain

import snowballstemmer

from tgpipeline.errors import SettingsError
from tgpipeline.text import fold, short

NEAR, FAR = 4, 13  # how far the next word of a phrase may be: three words between, or twelve
LONG = 6  # words of so many letters are recognised in spite of one slip
_WAYS = 50  # of matching one phrase in one text that are looked at: enough, and bounded
_SENTENCE = 100  # added to positions at a sentence's end: further than any gap reaches
_TOKEN = re.compile(r"<[a-z]+>|[a-z0-9]+|[.!?]")
_PORTUGUESE, _ENGLISH = snowballstemmer.stemmer("portuguese"), snowballstemmer.stemmer("english")

Phrase = tuple[tuple[tuple[str, ...], int], ...]  # (any of these terms, distance it may lie ahead)


@lru_cache(maxsize=1 << 18)
def stems(word: str) -> tuple[str, str]:
    """Returns a folded word's Portuguese and English stem.

    >>> stems("entregaram")[0] == stems("entrega")[0], stems("refunded")[1] == stems("refunds")[1]
    (True, True)
    """
    return _PORTUGUESE.stemWord(word), _ENGLISH.stemWord(word)


def parse(phrase: str, sets: Mapping[str, str]) -> Phrase:
    """Compiles one phrase of the definition file; an unknown `$set` or no word at all is an error."""
    steps: list[tuple[tuple[str, ...], int]] = []
    distance = NEAR
    for part in fold(phrase).replace("+", " + ").split():
        if part in ("...", "+"):
            distance = FAR if part == "..." else 1
            continue
        terms: list[str] = []
        for term in part.split("|"):
            if term.startswith("$"):
                if term[1:] not in sets:
                    raise SettingsError(f"Phrase {phrase!r} uses {term}: add it to [sets].")
                terms += fold(sets[term[1:]]).split("|")
            else:
                terms.append(term)
        steps.append((tuple(short(term) for term in terms if term.strip("*=")), distance))
        distance = NEAR
    if not steps or not all(terms for terms, _ in steps):
        raise SettingsError(f"Phrase {phrase!r} has no word to look for: write one or delete it.")
    return tuple(steps)


def _shortened(word: str) -> set[str]:
    """The word and all that are one letter shorter: equal ones are at most one slip apart."""
    return {word, *(word[:i] + word[i + 1 :] for i in range(1, len(word)))}


def _stem_keys(word: str) -> list[tuple[int, str]]:
    """Under what a word is found: itself and its plural, and stems long enough to mean something."""
    keys = [(lang, stem) for lang, stem in enumerate(stems(word)) if len(stem) >= 4]
    return [*keys, (2, word.removesuffix("s"))]


class Matcher:
    """Finds many phrases in many messages at once.

    Args:
        phrases: all phrases that are looked for.
        spelled: words, folded, that are never taken for a slip of another.
    """

    def __init__(self, phrases: Iterable[Phrase], spelled: Iterable[str] = ()) -> None:
        self.phrases = list(phrases)
        terms = {t for phrase in self.phrases for alternatives, _ in phrase for t in alternatives}
        self._exact = {t.lstrip("="): t for t in terms if t[0] in "=<"}
        self._prefix = [(t[:-1], t) for t in sorted(terms) if t.endswith("*")]
        self._stem: dict[tuple[int, str], set[str]] = {}
        self._slips: dict[str, set[str]] = {}
        self._spelled = set(spelled)
        for term in terms:
            if term[0] in "=<":
                continue
            for key in [] if term.endswith("*") else _stem_keys(term):
                self._stem.setdefault(key, set()).add(term)
            if len(term) >= LONG and not term.endswith("*"):
                for shorter in _shortened(term):
                    self._slips.setdefault(shorter, set()).add(term)
        self._starts: dict[str, list[int]] = {}  # by the step with the fewest alternatives
        for number, phrase in enumerate(self.phrases):
            for term in min(phrase, key=lambda step: (len(step[0]), -min(map(len, step[0]))))[0]:
                self._starts.setdefault(term, []).append(number)
        self._seen: dict[str, frozenset[str]] = {}

    def _terms(self, word: str) -> frozenset[str]:
        found = self._seen.get(word)
        if found is None:
            hits = {self._exact[word]} if word in self._exact else set()
            hits |= {term for prefix, term in self._prefix if word.startswith(prefix)}
            for key in _stem_keys(word):
                hits |= self._stem.get(key, set())
            if not hits and len(word) >= LONG and word not in self._spelled and word[0] != "<":
                hits = set(chain.from_iterable(self._slips.get(k, ()) for k in _shortened(word)))
            found = self._seen[word] = frozenset(hits)
        return found

    def read(self, text: str) -> dict[int, list[tuple[int, ...]]]:
        """Returns which phrases a normalised text has: their number -> positions of their words."""
        places: dict[str, list[int]] = {}
        position = 0
        for token in _TOKEN.findall(text):
            if token in ".!?":
                position += _SENTENCE
                continue
            position += 1
            for term in self._terms(token):
                places.setdefault(term, []).append(position)
        candidates = {number for term in places for number in self._starts.get(term, ())}
        found = ((number, _find(self.phrases[number], places)) for number in sorted(candidates))
        return {number: matches for number, matches in found if matches}


def _find(phrase: Phrase, places: Mapping[str, list[int]]) -> list[tuple[int, ...]]:
    """Returns each way in which the words of a phrase stand in their order, near enough."""
    paths: list[tuple[int, ...]] = [()]
    for terms, distance in phrase:
        here = sorted({p for term in terms for p in places.get(term, ())})
        paths = [
            (*path, p) for p in here for path in paths if not path or 0 < p - path[-1] <= distance
        ][:_WAYS]
        if not paths:
            break
    return paths
