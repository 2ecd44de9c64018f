"""Groups of like messages with names that can be read, made without knowing anything of them.

Works on any chat and size, from no message to hundreds of thousands, and gives the same answer for
the same texts. scikit-learn is imported when it is needed, for that takes a second.
"""

import warnings
from collections.abc import Iterable, Sequence
from math import sqrt
from typing import TYPE_CHECKING, Any

from tgpipeline.terms import COMMON, Surfaces, keys, prepare

if TYPE_CHECKING:
    import pandas as pd

FAINT = 0.05  # a message that has so little of every group is of none
_SAMPLE = 20_000  # texts that groups are made from; the others join them


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
        groups: how many to make at most; by default more for more messages, 3 to 20.
        ignore: words to leave out, such as members' names.

    Returns:
        A row a group, the largest first, and last what fits no group: `name` (its heaviest terms;
        None for the last), `messages`, `share` (of those that say anything), `terms` (list),
        `examples` (list of up to three (id, text), the most typical first).
    """
    import numpy as np
    import pandas as pd

    said = [row for row in prepare(texts, ignore) if keys(row[2])]
    known = None if ids is None else list(ids)
    columns = ["name", "messages", "share", "terms", "examples"]
    if not said:
        return pd.DataFrame(columns=columns)
    unique = list(dict.fromkeys(text for _, _, text in said))
    matrix, names = _vectors(unique)
    number = groups or int(min(20, max(3, sqrt(len(unique) / 10))))
    group_of, near, heavy = _factor(matrix, min(number, len(unique)))
    surfaces = Surfaces((text for _, text, _ in said), unique)
    place = {text: n for n, text in enumerate(unique)}
    where = np.array([place[text] for _, _, text in said])
    rows = []
    for group in sorted(set(group_of)):
        heaviest = [names[i] for i in heavy[group]] if group >= 0 else []
        kept = [k for k in heaviest if not any(k != o and f" {k} " in f" {o} " for o in heaviest)]
        members = np.flatnonzero(group_of[where] == group)
        typical = members[np.argsort(-near[where[members]], kind="stable")]
        quoted = {said[m][2]: said[m][:2] for m in typical[::-1]}
        shown = [surfaces[key] for key in kept[:6]]
        first = list(quoted.values())[::-1][:3]
        examples = [(i if known is None else known[i], text) for i, text in first]
        name = ", ".join(shown[:3]) or None
        rows.append((name, len(members), len(members) / len(said), shown, examples))
    frame = pd.DataFrame(rows, columns=columns)
    order = frame["name"].isna().to_numpy() * len(said) - frame["messages"]
    return frame.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)


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
    heavy = [np.argsort(-row, kind="stable")[:12] for row in own]
    return group, best / (weights.sum(axis=1) + FAINT), heavy
