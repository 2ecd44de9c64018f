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
from tgpipeline.analytics.topics.terms import COMMON, Surfaces, keys, prepare

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

    pairs = [(n, part) for n, text in enumerate(texts) for part in _END.split(text or "")]
    said = [row for row in prepare((part for _, part in pairs), ignore) if keys(row[2])]
    known = None if ids is None else list(ids)
    columns = ["name", "messages", "share", "terms", "examples"]
    if not said:
        return pd.DataFrame(columns=columns)
    unique = list(dict.fromkeys(text for _, _, text in said))
    matrix, names = _vectors(unique)
    number = groups or int(min(20, max(3, sqrt(len(unique) / 5))))
    group_of, near, heavy = _factor(matrix, min(number, len(unique)))
    surfaces = Surfaces((text for _, text, _ in said), unique)
    place = {text: n for n, text in enumerate(unique)}
    where = np.array([place[text] for _, _, text in said])
    message = np.array([pairs[n][0] for n, _, _ in said])
    placed = set(message[group_of[where] >= 0])
    total = len(set(message))
    rows = []
    for group in sorted(set(group_of)):
        heaviest = [names[i] for i in heavy[group]] if group >= 0 else []
        kept = [k for k in heaviest if not any(k != o and f" {k} " in f" {o} " for o in heaviest)]
        members = np.flatnonzero(group_of[where] == group)
        if group < 0:
            members = members[[m not in placed for m in message[members]]]
        typical = members[np.argsort(-near[where[members]], kind="stable")]
        quoted = {said[m][2]: (message[m], said[m][1]) for m in typical[::-1]}
        shown = [surfaces[key] for key in kept[:6]]
        first = list(quoted.values())[::-1][:3]
        examples = [(int(i) if known is None else known[i], text) for i, text in first]
        count = len(set(message[members]))
        rows.append((", ".join(shown[:3]) or None, count, count / total, shown, examples))
    frame = pd.DataFrame([row for row in rows if row[1]], columns=columns)
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

    least = 2 if len(texts) >= 50 else 1
    vectorizer = TfidfVectorizer(
        analyzer=keys, sublinear_tf=True, min_df=least, max_features=20_000,
        max_df=COMMON if len(texts) >= 50 else 1.0,
    )  # fmt: skip
    try:
        return vectorizer.fit_transform(texts), list(vectorizer.get_feature_names_out())
    except ValueError:  # no term is in two messages
        vectorizer.set_params(min_df=1, max_df=1.0)
        return vectorizer.fit_transform(texts), list(vectorizer.get_feature_names_out())


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
