"""Groups of like messages with names that can be read, made without knowing anything of them.

Works on any chat and size, from no message to hundreds of thousands, and gives the same answer for
the same texts. What is sorted are sentences: a message says several things, a sentence mostly one.
scikit-learn is imported when it is needed, for that takes a second.
"""

import re
import warnings
from collections.abc import Iterable, Sequence
from math import sqrt
from typing import TYPE_CHECKING, Any

from tgpipeline.analytics.support import silence
from tgpipeline.analytics.support.problems import quote
from tgpipeline.analytics.topics import terms
from tgpipeline.analytics.topics.asking import is_question
from tgpipeline.analytics.topics.terms import EVERYWHERE, longest, prepare, spellings, term_keys

if TYPE_CHECKING:
    import pandas as pd

FAINT = 0.05  # a message that has so little of every group is of none
_SAMPLE = 20_000  # sentences that groups are made from; the others join them
_END = re.compile(r"(?<=[.!?…])\s+|\n+")


def discover(
    texts: Iterable[str | None],
    ids: Iterable[Any] | None = None,
    *,
    groups: int | None = None,
    ignore: Iterable[str] = (),
) -> "pd.DataFrame":
    """Sorts messages into groups of like ones, without definitions.

    Args:
        texts: the messages.
        ids: of the messages, to quote them by; their number in `texts` without.
        groups: how many to make at most; by default more for more sentences, 3 to 20.
        ignore: words to leave out, such as members' names.

    Returns:
        A row a group, the largest first, and last what fits no group: `name` (its heaviest terms;
        None for the last), `messages` (with a sentence in it; a message may be in several groups),
        `share` (of messages that say anything), `terms` (list), `examples` (list of up to three
        (id, sentence), the most typical first).
    """
    import numpy as np
    import pandas as pd

    parts = [(n, part) for n, text in enumerate(texts) for part in _END.split(text or "")]
    said = prepare((part for _, part in parts), ignore)
    rows = [(parts[n][0], text, read) for n, text, read in said if term_keys(read)]
    known = None if ids is None else list(ids)
    columns = ["name", "messages", "share", "terms", "examples"]
    if not rows:
        return pd.DataFrame(columns=columns)
    s = pd.DataFrame(rows, columns=["message", "text", "read"])
    total, (place, unique) = s["message"].nunique(), pd.factorize(s["read"])
    matrix, names = _vectors(unique)
    number = groups or int(min(20, max(3, sqrt(len(unique) / 5))))
    group_of, near, heavy = _factor(matrix, min(number, len(unique)))
    spelled = spellings(s["text"], unique)
    s = s.assign(group=group_of[place], near=near[place])
    s = s[(s["group"] >= 0) | ~s["message"].isin(s.loc[s["group"] >= 0, "message"])]
    found = []
    for group, members in s.sort_values("near", ascending=False, kind="stable").groupby("group"):
        heaviest = longest(names[i] for i in heavy[group]) if group >= 0 else []
        terms = [spelled[key] for key in heaviest[:6]]
        typical = members.drop_duplicates("read")[:3]
        examples = [
            (int(n) if known is None else known[n], text)
            for n, text in zip(typical["message"], typical["text"], strict=True)
        ]
        count = members["message"].nunique()
        found.append((", ".join(terms[:3]) or None, count, count / total, terms, examples))
    frame = pd.DataFrame(found, columns=columns)
    order = frame["name"].isna().to_numpy() * total - frame["messages"]
    return frame.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)


def clusters(conversations: "pd.DataFrame", messages: "pd.DataFrame") -> "pd.DataFrame":
    """What questions are about, found without definitions: where one's own `topics.toml` begins.

    Args:
        conversations: from `find_conversations`.
        messages: what they were built from.

    Returns:
        As `discover`, without what fits no group: `about` (the name), `messages`, `share`, and
        `questions` (a list of one typical sentence, quoted with its message's id).
    """
    import pandas as pd

    rows = conversations["question_row"].tolist()
    texts = messages["text"].iloc[rows].astype(object)
    found = discover(texts.where(texts.notna(), None), rows, ignore=_names(messages))
    found = found[found["name"].notna()].rename(columns={"name": "about"})
    best = [next((e for e in es if is_question(e[1])), es[0]) for es in found["examples"]]
    quoted = [[quote(messages, row, text=text)] for row, text in best]
    found["questions"] = pd.Series(quoted, found.index, dtype=object)
    return found[["about", "messages", "share", "questions"]]


def rising(conversations: "pd.DataFrame", messages: "pd.DataFrame") -> "pd.DataFrame":
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


def _names(messages: "pd.DataFrame") -> set[str]:
    """Names of who writes: people address each other."""
    return {*messages["first_name"].dropna(), *messages["username"].dropna()}


def _vectors(texts: Sequence[str]) -> tuple[Any, list[str]]:
    from sklearn.feature_extraction.text import TfidfVectorizer

    many = len(texts) >= 50
    vectorizer = TfidfVectorizer(
        analyzer=term_keys, sublinear_tf=True, min_df=2 if many else 1, max_features=20_000,
        max_df=EVERYWHERE if many else 1.0,
    )  # fmt: skip
    try:
        matrix = vectorizer.fit_transform(texts)
    except ValueError:  # no term is in two messages
        matrix = vectorizer.set_params(min_df=1, max_df=1.0).fit_transform(texts)
    return matrix, list(vectorizer.get_feature_names_out())


def _factor(matrix: Any, number: int) -> tuple[Any, Any, list[Any]]:
    """Returns each row's group (-1: of none), how typical it is of it, and each group's terms."""
    import numpy as np
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    if number < 2 or min(matrix.shape) < 3:
        total = np.asarray(matrix.sum(axis=0)).ravel()
        group = np.zeros(matrix.shape[0], dtype=int)
        return group, np.ones(matrix.shape[0]), [np.argsort(-total, kind="stable")[:12]]
    step = -(-matrix.shape[0] // _SAMPLE)
    number = min(number, min(matrix.shape) - 1)
    with warnings.catch_warnings():  # that it could go on refining is no news to anyone
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", RuntimeWarning)  # a perfect fit's rest may round below 0
        model = NMF(number, init="nndsvd", random_state=0, tol=1e-3).fit(matrix[::step])
    size = np.sqrt((model.components_**2).sum(axis=1)) + 1e-12
    weights = np.asarray(model.transform(matrix)) * size
    best = weights.max(axis=1)
    group = np.where(best > FAINT, weights.argmax(axis=1), -1)
    parts = model.components_ / size[:, None]
    own = parts**2 / (parts.sum(axis=0) + 1e-12)  # what is said in every group names none
    heavy = [
        [i for i in np.argsort(-row, kind="stable")[:12] if row[i] > FAINT * row.max()]
        for row in own
    ]
    return group, best / (weights.sum(axis=1) + FAINT), heavy
