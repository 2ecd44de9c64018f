"""Finding phrases of a definition file in messages: by stem, through typos, over small gaps.

The little language is described at the head of `topics.toml`. A `Matcher` compiles all phrases of
all problems once; a message is then read word by word, and each distinct word is resolved once, so
that 200,000 messages cost seconds.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import chain

import snowballstemmer

from tgpipeline.analytics.topics.text import WORD, fold, short
from tgpipeline.errors import SettingsError

NEAR, FAR = 4, 13  # how far the next word of a phrase may be: three words between, or twelve
LONG = 6  # words of so many letters are recognised in spite of one slip
_MOST = 50  # of matching one phrase in one text that are looked at: enough, and bounded
_SENTENCE = 100  # added to positions at a sentence's end: further than any gap reaches
_WORD = re.compile(rf"<[a-z]+>|{WORD}|[.,!?]")
_JOINS = frozenset("e mas porem tambem pois porque and but also because".split())
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
    """Compiles one phrase of the file; raises SettingsError for an unknown `$set` or no word."""
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
    """Under what a word is found: stems long enough to mean something, and without a plural s."""
    keys = [(lang, stem) for lang, stem in enumerate(stems(word)) if len(stem) >= 4]
    return [*keys, (2, word.removesuffix("s"))]


def words(text: str) -> list[tuple[int, int, str]]:
    """Returns the words of a normalised text: position, number of the clause, word.

    Positions jump at a sentence's end, further than any phrase reaches. A clause ends at any mark
    and before words such as "e" and "but".
    """
    found, position, clause = [], 0, 0
    for word in _WORD.findall(text):
        if word in ",.!?":
            clause += 1
            position += 0 if word == "," else _SENTENCE
            continue
        position += 1
        clause += word in _JOINS
        found.append((position, clause, word))
    return found


class Matcher:
    """Finds many phrases in many messages at once.

    Args:
        phrases: all phrases that are looked for.
        samples: normalised texts; their words are taken for spelled right, their frequent ones
            for frequent.
        spelled: further words, folded, that are never taken for a slip of another.
    """

    def __init__(
        self, phrases: Iterable[Phrase], samples: Iterable[str] = (), spelled: Iterable[str] = ()
    ) -> None:
        self.phrases = list(phrases)
        self._seen: dict[str, frozenset[str]] = {}
        terms = {t for phrase in self.phrases for alternatives, _ in phrase for t in alternatives}
        self._exact = {t.lstrip("="): t for t in terms if t[0] in "=<"}
        self._prefix = {t[:-1]: t for t in terms if t.endswith("*")}
        self._stem: dict[tuple[int, str], set[str]] = {}
        self._slips: dict[str, set[str]] = {}
        for term in terms:
            if term[0] in "=<" or term.endswith("*"):
                continue
            for key in _stem_keys(term):
                self._stem.setdefault(key, set()).add(term)
            for shorter in _shortened(term) if len(term) >= LONG else ():
                self._slips.setdefault(shorter, set()).add(term)
        frequent = Counter(word for text in samples for _, _, word in words(text))
        self._spelled = {*spelled, *frequent}
        often: Counter[str] = Counter()
        for word, times in frequent.items():
            often.update(dict.fromkeys(self._terms(word), times))
        self._steps = [[frozenset(step) for step, _ in phrase] for phrase in self.phrases]
        self._starts: dict[str, list[int]] = {}  # a phrase is tried where its rarest step is found
        for number, steps in enumerate(self._steps):
            for term in min(steps, key=lambda step: sum(often[term] + 1 for term in step)):
                self._starts.setdefault(term, []).append(number)

    def _terms(self, word: str) -> frozenset[str]:
        found = self._seen.get(word)
        if found is None:
            hits = {self._exact[word]} if word in self._exact else set()
            starts = (word[:length] for length in range(1, len(word) + 1))
            hits |= {self._prefix[start] for start in starts if start in self._prefix}
            for key in _stem_keys(word) if word[0].isalpha() else ():
                hits |= self._stem.get(key, set())
            if not hits and len(word) >= LONG and word[0].isalpha() and word not in self._spelled:
                hits = set(chain.from_iterable(self._slips.get(k, ()) for k in _shortened(word)))
            found = self._seen[word] = frozenset(hits)
        return found

    def find(self, read: Iterable[tuple[int, int, str]]) -> dict[int, list[tuple[int, ...]]]:
        """Returns which phrases `words` has: their number -> positions of each way they match."""
        places: dict[str, list[int]] = {}
        for position, _, word in read:
            for term in self._terms(word):
                places.setdefault(term, []).append(position)
        present = places.keys()
        matches: dict[int, list[tuple[int, ...]]] = {}
        for number in sorted({n for term in present for n in self._starts.get(term, ())}):
            phrase = self.phrases[number]
            if len(phrase) == 1:
                here = {p for term in phrase[0][0] for p in places.get(term, ())}
                matches[number] = [(p,) for p in sorted(here)]
            elif any(step.isdisjoint(present) for step in self._steps[number]):
                continue
            elif ways := _ways(phrase, places):
                matches[number] = ways
        return matches


def _ways(phrase: Phrase, places: Mapping[str, list[int]]) -> list[tuple[int, ...]]:
    """Returns each way in which the words of a phrase stand in their order, near enough."""
    paths: list[tuple[int, ...]] = [()]
    for terms, distance in phrase:
        here = sorted({p for term in terms if term in places for p in places[term]})
        paths = [
            (*path, p) for p in here for path in paths if not path or 0 < p - path[-1] <= distance
        ][:_MOST]
        if not paths:
            break
    return paths
