"""Groups of like messages with names that can be read, made without knowing anything of them.

Works on any chat of some size, and gives the same answer for the same texts. What is sorted are
sentences: a message says several things, a sentence mostly one.
"""

import re
import warnings
from collections.abc import Iterable, Sequence
from math import sqrt
from typing import Any

import numpy as np
import pandas as pd

from tgpipeline.analytics.support import silence
from tgpipeline.analytics.support.problems import quote
from tgpipeline.analytics.topics import terms
from tgpipeline.analytics.topics.asking import is_question
from tgpipeline.analytics.topics.terms import EVERYWHERE, longest, prepare, spellings, term_keys

LEAST_SAID = 30  # sentences; fewer are read faster than any groups of them
FAINT = 0.05  # a message that has so little of every group is of none
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
    said = prepare((part for _, part in parts), ignore)
    rows = [(parts[n][0], text, read) for n, text, read in said if term_keys(read)]
    s = pd.DataFrame(rows, columns=["message", "text", "read"])
    place, unique = pd.factorize(s["read"])
    found, total = [], s["message"].nunique()
    if len(unique) >= LEAST_SAID:
        spelled = spellings(s["text"], unique)
        weights, heavy = _factor(unique)
        best = weights.max(axis=1)
        near = best / (weights.sum(axis=1) + FAINT)
        s = s.assign(group=np.where(best > FAINT, weights.argmax(axis=1), -1)[place])
        s = s.assign(near=near[place]).sort_values("near", ascending=False, kind="stable")
        for group, members in s[s["group"] >= 0].groupby("group"):
            name = ", ".join(spelled[key] for key in longest(heavy[group])[:3])
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
    best = [next((e for e in es if is_question(e[1])), es[0]) for es in found["examples"]]
    quoted = [[quote(messages, rows[place], text=text)] for place, text in best]
    found["questions"] = pd.Series(quoted, found.index, dtype=object)
    return found.rename(columns={"name": "about"})[["about", "messages", "share", "questions"]]


def rising(conversations: pd.DataFrame, messages: pd.DataFrame) -> pd.DataFrame:
    """Which words and phrases more questions have in the last 7 days than in the 7 before.

    Returns:
        As `terms.rising`; empty where the period does not hold both weeks whole.
    """
    days = silence.last_weeks(conversations, messages)
    day = conversations["local_time"].dt.normalize()
    texts = []
    for week in (days[7:], days[:7]) if days is not None else ((), ()):
        rows = conversations.loc[day.isin(week), "question_row"]
        texts.append(messages["text"].iloc[rows.tolist()].dropna())
    return terms.rising(*texts, ignore=_names(messages))


def _names(messages: pd.DataFrame) -> set[str]:
    """Names of who writes: people address each other."""
    return {*messages["first_name"].dropna(), *messages["username"].dropna()}


def _factor(texts: Sequence[str]) -> tuple[Any, list[list[str]]]:
    """How much each text has of each group (a row for each text), and each group's terms."""
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(
        analyzer=term_keys, sublinear_tf=True, max_features=20_000, max_df=EVERYWHERE
    )
    matrix = vectorizer.fit_transform(texts)
    number = int(min(20, max(3, sqrt(len(texts) / 5))))
    with warnings.catch_warnings():  # that it could go on refining is no news to anyone
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", RuntimeWarning)  # a perfect fit's rest may round below 0
        model = NMF(number, init="nndsvd", random_state=0, tol=1e-3)
        model.fit(matrix[:: -(-len(texts) // _SAMPLE)])
    size = np.sqrt((model.components_**2).sum(axis=1)) + 1e-12
    parts = model.components_ / size[:, None]
    own = parts**2 / (parts.sum(axis=0) + 1e-12)  # what is said in every group names none
    terms = vectorizer.get_feature_names_out()
    heavy = [[*terms[np.argsort(-row, kind="stable")[:12]]] for row in own]
    return np.asarray(model.transform(matrix)) * size, heavy
