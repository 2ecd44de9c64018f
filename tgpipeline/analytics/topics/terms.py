"""The words and phrases of a group, without knowing anything of it: the heaviest, and what rises.

Portuguese and English lose their stop-words and endings; other languages their most frequent words.
`discover.py` makes groups of messages from them.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from math import log
from typing import TYPE_CHECKING

from tgpipeline.analytics.topics.phrases import stems, words
from tgpipeline.analytics.topics.text import fold, known, normalise

if TYPE_CHECKING:
    import pandas as pd

LONGEST = 3  # words in a phrase
_LEVEL, _LEAST = 0.025, 5  # of `rising`: false discoveries, messages of both weeks
COMMON = 0.5  # what is said in more of the messages says nothing


@cache
def _stop_words() -> frozenset[str]:
    from stop_words import get_stop_words

    listed = [word for language in ("pt", "en") for word in get_stop_words(language)]
    return frozenset(
        w for word in [*listed, *known()["chat"].split()] for w in normalise(word).split()
    )


def _phrases(text: str) -> Iterator[tuple[str, ...]]:
    """Yields the words and phrases of a normalised text that may mean something."""
    stop = _stop_words()
    read = words(text)
    for start in range(len(read)):
        for end in range(start + 1, min(start + LONGEST, len(read)) + 1):
            found = tuple(word for _, _, word in read[start:end])
            if read[end - 1][0] - read[start][0] >= LONGEST:  # a sentence ends in between
                break
            edges = (found[0], found[-1])
            if any(w in stop or len(w) < 2 or w[0] in "<0123456789" for w in edges):
                continue
            if any(map(str.isdigit, found)):  # of one message alone
                continue
            yield found


def _key(phrase: tuple[str, ...]) -> str:
    return " ".join(stems(word)[0] for word in phrase)


def keys(text: str) -> list[str]:
    """Returns the stems of each word and phrase of a normalised text that may mean something."""
    return [_key(phrase) for phrase in _phrases(text)]


def prepare(texts: Iterable[str | None], ignore: Iterable[str]) -> list[tuple[int, str, str]]:
    """Returns place, text and normalised text of all that say something, without ignored words."""
    left_out = {word for name in ignore for word in normalise(name).split()}
    found = []
    for place, text in enumerate(texts):
        read = normalise(text) if text else ""
        if left_out:
            read = " ".join("" if w.strip(".,!?") in left_out else w for w in read.split())
        found.append((place, text or "", read))
    return [row for row in found if row[2]]


class Surfaces:
    """How the group itself writes each term: its most frequent spelling, accents included."""

    def __init__(self, texts: Iterable[str], normalised: Iterable[str]) -> None:
        accents: Counter[tuple[str, str]] = Counter()
        for text in texts:
            accents.update((fold(word), word) for word in re.findall(r"[^\W\d_]+", text.lower()))
        self._accented: dict[str, str] = {}
        for (plain, word), _ in sorted(accents.items(), key=lambda item: (item[1], item[0])):
            self._accented[plain] = word
        spelled: Counter[tuple[str, tuple[str, ...]]] = Counter()
        for text in normalised:
            spelled.update((_key(phrase), phrase) for phrase in _phrases(text))
        self._phrase: dict[str, tuple[str, ...]] = {}
        for (key, phrase), _ in sorted(spelled.items(), key=lambda item: (item[1], item[0])):
            self._phrase[key] = phrase

    def __getitem__(self, key: str) -> str:
        return " ".join(self._accented.get(word, word) for word in self._phrase[key])


def _ranked(normalised: Sequence[str]) -> list[str]:
    """Ranks terms: frequent, but not everywhere."""
    counts: Counter[str] = Counter()
    for text in normalised:
        counts.update(set(keys(text)))
    total = len(normalised)
    inside: Counter[str] = Counter()  # the most frequent longer term that a term is part of
    for key, times in counts.items():
        parts = key.split()
        for part in {" ".join(parts[i:j]) for i in range(len(parts)) for j in range(i + 1, 4)}:
            if part != key and times > inside[part]:
                inside[part] = times
    ranked = [
        (times * log(1 + total / times) * (1 + 0.5 * key.count(" ")), key)
        for key, times in counts.items()
        if inside[key] < 0.7 * times and (times <= COMMON * total or total < 10)
    ]
    return [key for _, key in sorted(ranked, key=lambda item: (-item[0], item[1]))]


def rising(
    now: Iterable[str | None],
    before: Iterable[str | None],
    top: int = 15,
    *,
    ignore: Iterable[str] = (),
) -> "pd.DataFrame":
    """Returns the terms that more of the messages have now than before, beyond chance.

    Each is tested as a draw without replacement, all together at a false discovery rate of 2.5 %
    (Benjamini and Hochberg).

    Returns:
        `term`, `now` and `before` (messages with it), `share_now`, `share_before`, `times` (the
        ratio of shares, half a message added to both), most certain first.
    """
    import pandas as pd
    from scipy.stats import false_discovery_control, hypergeom

    names = list(ignore)
    new, old = prepare(now, names), prepare(before, names)
    ranked = _ranked([read for _, _, read in new])
    (counts, past), (n, m) = (_counts(new), _counts(old)), (len(new), len(old))
    tested = [key for key in ranked if counts[key] + past[key] >= _LEAST] if old else []
    columns = ["term", "now", "before", "share_now", "share_before", "times"]
    if not tested:
        return pd.DataFrame(columns=columns)
    chance = [hypergeom.sf(counts[k] - 1, n + m, counts[k] + past[k], n) for k in tested]
    surfaces = Surfaces((text for _, text, _ in new), [read for _, _, read in new])
    rows = [
        (p, surfaces[k], counts[k], past[k], counts[k] / n, past[k] / m,
         ((counts[k] + 0.5) / n) / ((past[k] + 0.5) / m))
        for p, k, sure in zip(chance, tested, false_discovery_control(chance), strict=True)
        if sure <= _LEVEL
    ]  # fmt: skip
    rows.sort(key=lambda row: row[:2])
    return pd.DataFrame([row[1:] for row in rows[:top]], columns=columns)


def _counts(said: list[tuple[int, str, str]]) -> Counter[str]:
    return Counter(key for _, _, read in said for key in set(keys(read)))
