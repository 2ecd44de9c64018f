"""The words and phrases of a group, without knowing anything of it, and which of them rise.

Portuguese and English lose their stop-words and endings; other languages their most frequent words.
`discover.py` makes groups of messages from them.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache

import pandas as pd

from tgpipeline.analytics.topics.phrases import stems, words
from tgpipeline.analytics.topics.text import fold, language_data, normalise

PHRASE_WORDS = 3  # in a phrase, at most
_LEVEL, _LEAST = 0.025, 5  # of `rising`: false discoveries, messages of both weeks
EVERYWHERE = 0.5  # what is said in more of the messages says nothing


@cache
def _stop_words() -> frozenset[str]:
    from stop_words import get_stop_words

    listed = [*get_stop_words("pt"), *get_stop_words("en"), language_data()["chat"]]
    return frozenset(normalise(" ".join(listed)).split())


def _phrases(text: str) -> Iterator[tuple[str, ...]]:
    """Yields the words and phrases of a normalised text that may mean something."""
    stop, read = _stop_words(), words(text)
    for start, (position, _) in enumerate(read):
        for end in range(start + 1, min(start + PHRASE_WORDS, len(read)) + 1):
            found = tuple(word for _, word in read[start:end])
            if read[end - 1][0] - position >= PHRASE_WORDS:  # a sentence ends in between
                break
            edges = (found[0], found[-1])
            means = not any(w in stop or len(w) < 2 or w[0] in "<0123456789" for w in edges)
            if means and not any(map(str.isdigit, found)):  # a number is of one message alone
                yield found


def _key(phrase: tuple[str, ...]) -> str:
    return " ".join(stems(word)[0] for word in phrase)


def term_keys(text: str) -> list[str]:
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


def spellings(texts: Iterable[str], normalised: Iterable[str]) -> dict[str, str]:
    """How the group itself writes each term: its most frequent spelling, accents included."""
    accents = Counter(
        (fold(word), word) for text in texts for word in re.findall(r"[^\W\d_]+", text.lower())
    )
    accented = dict(sorted(accents, key=lambda pair: (accents[pair], pair)))  # the last one stays
    counts = Counter((_key(phrase), phrase) for text in normalised for phrase in _phrases(text))
    spelled = dict(sorted(counts, key=lambda pair: (counts[pair], pair)))
    return {key: " ".join(accented.get(w, w) for w in phrase) for key, phrase in spelled.items()}


def longest(keys: Iterable[str]) -> list[str]:
    """The terms that are not part of another one among them."""
    found = list(keys)
    return [k for k in found if not any(k != other and f" {k} " in f" {other} " for other in found)]


def rising(
    now: Iterable[str | None],
    before: Iterable[str | None],
    top: int = 15,
    *,
    ignore: Iterable[str] = (),
) -> pd.DataFrame:
    """Returns the terms that more of the messages have now than before, beyond chance.

    Each is tested as a draw without replacement, all together at a false discovery rate of 2.5 %
    (Benjamini and Hochberg).

    Returns:
        `term`, `now` and `before` (messages with it), most certain first.
    """
    from scipy.stats import false_discovery_control, hypergeom

    names = list(ignore)
    new, old = prepare(now, names), prepare(before, names)
    counts = {"now": _counts(new), "before": _counts(old)}
    found = pd.DataFrame(counts, dtype=float).fillna(0).astype(int)
    both, most = found.sum(axis=1), max(EVERYWHERE * len(new), 5)
    found = found[found["now"].between(1, most) & (both >= _LEAST)]
    if found.empty or not old:
        return pd.DataFrame(columns=["term", "now", "before"])
    drawn = len(new) + len(old), both[found.index], len(new)
    found["chance"] = hypergeom.sf(found["now"] - 1, *drawn)
    found = found[false_discovery_control(found["chance"]) <= _LEVEL]
    spelled = spellings((text for _, text, _ in new), [read for _, _, read in new])
    found = found.loc[longest(found.index)].assign(term=lambda f: f.index.map(spelled))
    found = found.sort_values(["chance", "term"], ignore_index=True)
    return found[["term", "now", "before"]].head(top)


def _counts(said: list[tuple[int, str, str]]) -> Counter[str]:
    return Counter(key for _, _, read in said for key in set(term_keys(read)))
