"""Groups of like messages with names that can be read, made without knowing anything of them.

Works on any chat of some size, and gives the same answer for the same texts. What is sorted are
sentences: a message says several things, a sentence mostly one. Portuguese and English lose their
stop-words and endings; other languages their most frequent words.
"""

import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from math import sqrt
from typing import Any

import numpy as np
import pandas as pd

from tgpipeline import resources
from tgpipeline.analytics.support import silence
from tgpipeline.analytics.support.problems import quote
from tgpipeline.analytics.topics.text import CHATS, fold, is_question, normalise, stems, words

LEAST_SAID = 30  # sentences; fewer are read faster than any groups of them
FAINT = 0.05  # a message that has so little of every group is of none
EVERYWHERE = 0.5  # what is said in more of the messages says nothing
PHRASE_WORDS = 3  # in a phrase, at most
_LEVEL, _LEAST, _TOP = 0.025, 5, 15  # of what rises: false discoveries, messages, terms
_SAMPLE = 20_000  # sentences that groups are made from; the others join them
_END = re.compile(r"(?<=[.!?…])\s+|\n+")


def discover(texts: Iterable[str | None], *, ignore: Iterable[str] = ()) -> pd.DataFrame:
    """Sorts messages into groups of like ones, without definitions.

    Args:
        texts: the messages.
        ignore: words to leave out, such as members' names.

    Returns:
        One row for each group, the largest first, 20 at most: `name` (its heaviest terms),
        `messages` (with a sentence in it; a message may be in several groups), `share` (of messages
        that say anything) and `examples` (up to three pairs of a message's place in `texts` and the
        sentence, the most typical first). No rows for fewer than `LEAST_SAID` different sentences.
    """
    parts = [(n, part) for n, text in enumerate(texts) for part in _END.split(text or "")]
    s = _read((part for _, part in parts), ignore)
    s = s[s["read"].map(term_keys).astype(bool)]
    s = s.assign(message=[parts[n][0] for n in s.index])
    place, unique = pd.factorize(s["read"])
    found, total = [], s["message"].nunique()
    if len(unique) >= LEAST_SAID:
        spelled = _spellings(s["text"], unique)
        weights, heavy = _factor(unique)
        best = weights.max(axis=1)
        near = best / (weights.sum(axis=1) + FAINT)
        group = np.where(best > FAINT, weights.argmax(axis=1), -1)
        s = s.assign(group=group[place], near=near[place])
        s = s[s["group"] >= 0].sort_values("near", ascending=False, kind="stable")
        for number, members in s.groupby("group"):
            name = ", ".join(spelled[key] for key in _longest(heavy[number])[:3])
            typical = members.drop_duplicates("read")[:3]
            examples = list(zip(typical["message"], typical["text"], strict=True))
            count = members["message"].nunique()
            found.append((name, count, count / total, examples))
    frame = pd.DataFrame(found, columns=["name", "messages", "share", "examples"])
    return frame.sort_values("messages", ascending=False, kind="stable", ignore_index=True)


def clusters(conversations: pd.DataFrame, messages: pd.DataFrame) -> pd.DataFrame:
    """What questions are about, found without definitions: where one's own `topics.toml` begins.

    Args:
        conversations: from `find_conversations`.
        messages: what they were built from.

    Returns:
        As `discover`: `about` (the name), `messages`, `share`, and `questions` (a list of one
        typical sentence, quoted with its message's id).
    """
    rows = conversations["question_row"].tolist()
    texts = messages["text"].iloc[rows].astype(object)
    found = discover(texts.where(texts.notna(), None), ignore=_names(messages))
    asks = [[e for e in es if is_question(normalise(e[1]))] or es for es in found["examples"]]
    ids = messages["message_id"].iloc[rows].tolist()
    quoted = [[quote(text, ids[place])] for (place, text), *_ in asks]
    found["questions"] = pd.Series(quoted, found.index, dtype=object)
    return found.rename(columns={"name": "about"})[["about", "messages", "share", "questions"]]


def rising(conversations: pd.DataFrame, messages: pd.DataFrame) -> pd.DataFrame:
    """Which words and phrases more questions have in the last 7 days than in the 7 before.

    Returns:
        As `rising_terms`; empty where the period does not hold both weeks whole.
    """
    days = silence.last_weeks(conversations, messages)
    day = conversations["local_time"].dt.normalize().to_numpy()
    asked = messages["text"].iloc[conversations["question_row"].tolist()].fillna("")
    now, before = (asked[np.isin(day, week)] for week in (days[7:], days[:7]))
    return rising_terms(now, before, ignore=_names(messages))


def _names(messages: pd.DataFrame) -> set[str]:
    """Names of who writes: people address each other."""
    return {*messages["first_name"].dropna(), *messages["username"].dropna()}


def rising_terms(
    now: Iterable[str | None], before: Iterable[str | None], *, ignore: Iterable[str] = ()
) -> pd.DataFrame:
    """Returns the terms that more of the messages have now than before, beyond chance.

    Each is tested as a draw without replacement, all together at a false discovery rate of 2.5 %
    (Benjamini and Hochberg).

    Returns:
        `term`, `now` and `before` (messages with it), most certain first, 15 at most.
    """
    from scipy.stats import false_discovery_control, hypergeom

    new, old = (_read(texts, ignore) for texts in (now, before))
    counts = {"now": _counts(new), "before": _counts(old)}
    found = pd.DataFrame(counts, dtype=float).fillna(0).astype(int)
    both, most = found.sum(axis=1), max(EVERYWHERE * len(new), 5)
    found = found[found["now"].between(1, most) & (both >= _LEAST)]
    if found.empty or old.empty:
        return pd.DataFrame(columns=["term", "now", "before"])
    drawn = len(new) + len(old), both[found.index], len(new)
    found["chance"] = hypergeom.sf(found["now"] - 1, *drawn)
    found = found[false_discovery_control(found["chance"]) <= _LEVEL]
    spelled = _spellings(new["text"], new["read"])
    found = found.loc[_longest(found.index)].assign(term=lambda f: f.index.map(spelled))
    found = found.sort_values(["chance", "term"], ignore_index=True)
    return found[["term", "now", "before"]].head(_TOP)


def _counts(said: pd.DataFrame) -> Counter[str]:
    return Counter(key for text in said["read"] for key in set(term_keys(text)))


@cache
def _stop_words() -> frozenset[str]:
    from stop_words import get_stop_words

    listed = [*get_stop_words("pt"), *get_stop_words("en"), resources.data(CHATS)["chat"]]
    return frozenset(normalise(" ".join(listed)).split())


def _phrases(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yields the stems and the words of what may mean something in a normalised text."""
    stop, read = _stop_words(), words(text)
    for start, (position, _) in enumerate(read):
        for end in range(start + 1, min(start + PHRASE_WORDS, len(read)) + 1):
            found = tuple(word for _, word in read[start:end])
            if read[end - 1][0] - position >= PHRASE_WORDS:  # a sentence ends in between
                break
            edges = (found[0], found[-1])
            means = not any(w in stop or len(w) < 2 or w[0] in "<0123456789" for w in edges)
            if means and not any(map(str.isdigit, found)):  # a number is of one message alone
                yield " ".join(stems(word)[0] for word in found), found


def term_keys(text: str) -> list[str]:
    """Returns the stems of each word and phrase of a normalised text that may mean something."""
    return [key for key, _ in _phrases(text)]


def _read(texts: Iterable[str | None], ignore: Iterable[str]) -> pd.DataFrame:
    """`text` and, normalised and without ignored words, `read` of all that say something.

    The index is their place among the texts.
    """
    left_out = {word for name in ignore for word in normalise(name).split()}
    s = pd.DataFrame({"text": [text or "" for text in texts]}, dtype=object)
    said = s["text"].map(normalise).map(str.split)
    s["read"] = [" ".join(w for w in ws if w.strip(".,!?") not in left_out) for ws in said]
    return s[s["read"] != ""]


def _spellings(texts: Iterable[str], normalised: Iterable[str]) -> dict[str, str]:
    """How the group itself writes each term: its most frequent spelling, accents included."""
    accents = Counter(
        (fold(word), word) for text in texts for word in re.findall(r"[^\W\d_]+", text.lower())
    )
    accented = dict(sorted(accents, key=lambda pair: (accents[pair], pair)))  # the last one stays
    counts = Counter(pair for text in normalised for pair in _phrases(text))
    spelled = dict(sorted(counts, key=lambda pair: (counts[pair], pair)))
    return {key: " ".join(accented.get(w, w) for w in phrase) for key, phrase in spelled.items()}


def _longest(keys: Iterable[str]) -> list[str]:
    """The terms that are not part of another one among them."""
    found = list(keys)
    return [k for k in found if not any(k != other and f" {k} " in f" {other} " for other in found)]


def _factor(texts: Sequence[str]) -> tuple[Any, list[list[str]]]:
    """How much each text has of each group (a row for each text), and each group's terms."""
    from sklearn.decomposition import NMF
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(
        analyzer=term_keys, sublinear_tf=True, max_features=20_000, max_df=EVERYWHERE
    )
    matrix = vectorizer.fit_transform(texts)
    number = int(min(20, max(3, sqrt(len(texts) / 5))))
    with warnings.catch_warnings():  # that it could go on refining is no news to anyone
        warnings.simplefilter("ignore")
        model = NMF(number, init="nndsvd", random_state=0, tol=1e-3)
        model.fit(matrix[:: -(-len(texts) // _SAMPLE)])
    size = np.sqrt((model.components_**2).sum(axis=1)) + 1e-12
    parts = model.components_ / size[:, None]
    own = parts**2 / (parts.sum(axis=0) + 1e-12)  # what is said in every group names none
    terms = vectorizer.get_feature_names_out()
    heavy = [[*terms[np.argsort(-row, kind="stable")[:12]]] for row in own]
    return np.asarray(model.transform(matrix)) * size, heavy
