"""Finding phrases of a definition file in messages: by stem, through typos, over small gaps.

The little language is described at the head of `topics.toml`. A `Matcher` compiles all phrases of
all problems once; a message is then read word by word, and each distinct word is resolved once, so
that 200,000 messages cost seconds.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain

import snowballstemmer

from tgpipeline.analytics.topics.text import WORD, fold, written_out
from tgpipeline.errors import SettingsError

GAP, LONG_GAP = 4, 13  # how far the next word of a phrase may be: three words between, or twelve
SLIP_LETTERS = 6  # words of so many letters are recognised in spite of one slip
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
    distance = GAP
    for part in fold(phrase).replace("+", " + ").split():
        if part in ("...", "+"):
            distance = LONG_GAP if part == "..." else 1
            continue
        terms: list[str] = []
        for term in part.split("|"):
            if term.startswith("$"):
                if term[1:] not in sets:
                    raise SettingsError(f"Phrase {phrase!r} uses {term}: add it to [sets].")
                terms += fold(sets[term[1:]]).split("|")
            else:
                terms.append(term)
        steps.append((tuple(written_out(term) for term in terms if term.strip("*=")), distance))
        distance = GAP
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
        steps: dict[tuple[str, ...], int] = {}  # each distinct step of a phrase, by number
        self._phrases = [
            [(steps.setdefault(terms, len(steps)), distance) for terms, distance in phrase]
            for phrase in phrases
        ]
        self._with_term: dict[str, set[int]] = defaultdict(set)
        for terms, step in steps.items():
            for term in terms:
                self._with_term[term].add(step)
        self._seen: dict[str, frozenset[int]] = {}
        self._exact = {t.lstrip("="): t for t in self._with_term if t[0] in "=<"}
        self._prefix = {t[:-1]: t for t in self._with_term if t.endswith("*")}
        self._stem: dict[tuple[int, str], set[str]] = defaultdict(set)
        self._slips: dict[str, set[str]] = defaultdict(set)
        for term in self._with_term:
            if term[0] in "=<" or term.endswith("*"):
                continue
            for key in _stem_keys(term):
                self._stem[key].add(term)
            for shorter in _shortened(term) if len(term) >= SLIP_LETTERS else ():
                self._slips[shorter].add(term)
        frequent = Counter(word for text in samples for _, _, word in words(text))
        self._spelled = {*spelled, *frequent}
        often: Counter[int] = Counter()
        for word, times in frequent.items():
            often.update(dict.fromkeys(self._steps(word), times))
        self._needs = [frozenset(step for step, _ in phrase) for phrase in self._phrases]
        self._starts: dict[int, list[int]] = defaultdict(list)  # tried where the rarest step is
        for number, needed in enumerate(self._needs):
            self._starts[min(needed, key=lambda step: (often[step], step))].append(number)

    def _steps(self, word: str) -> frozenset[int]:
        """The steps that a word can be."""
        found = self._seen.get(word)
        if found is None:
            terms = [self._exact[word]] if word in self._exact else []
            starts = (word[:length] for length in range(1, len(word) + 1))
            terms += [self._prefix[start] for start in starts if start in self._prefix]
            for key in _stem_keys(word) if word[0].isalpha() else ():
                terms += self._stem.get(key, ())
            is_rare = word[0].isalpha() and word not in self._spelled
            if not terms and is_rare and len(word) >= SLIP_LETTERS:
                terms = [t for key in _shortened(word) for t in self._slips.get(key, ())]
            found = frozenset(chain.from_iterable(self._with_term[term] for term in terms))
            self._seen[word] = found
        return found

    def find(self, read: Iterable[tuple[int, int, str]]) -> dict[int, list[tuple[int, ...]]]:
        """Returns which phrases `words` has: their number -> positions of each way they match."""
        places = [(position, self._steps(word)) for position, _, word in read]
        present = frozenset().union(*(steps for _, steps in places))
        starts = present & self._starts.keys()
        tried = [n for start in starts for n in self._starts[start] if self._needs[n] <= present]
        needed = frozenset().union(*(self._needs[number] for number in tried))
        at: dict[int, list[int]] = defaultdict(list)  # where each step of a phrase is
        for position, steps in places:
            for step in steps & needed:
                at[step].append(position)
        matches = {number: _ways(self._phrases[number], at) for number in tried}
        return {number: ways for number, ways in matches.items() if ways}


def _ways(phrase: Sequence[tuple[int, int]], at: Mapping[int, list[int]]) -> list[tuple[int, ...]]:
    """Returns each way in which the words of a phrase stand in their order, near enough."""
    paths: list[tuple[int, ...]] = [(position,) for position in at[phrase[0][0]]]
    for step, distance in phrase[1:]:
        paths = [
            (*path, position)
            for position in at[step]
            for path in paths[:_MOST]
            if 0 < position - path[-1] <= distance
        ]
    return paths
