"""What people need: their problems, what a better bot would save, and who still waits."""

from typing import Any

import numpy as np
import pandas as pd

from tgpipeline.analytics.support import silence
from tgpipeline.analytics.support.outcomes import is_solved
from tgpipeline.analytics.support.statistics import ENOUGH, as_frequent, changed, clustered
from tgpipeline.analytics.topics import Topics
from tgpipeline.analytics.topics.text import normalise

COMPARED = 2_000  # so many answers of a problem are compared with each other, at most
SAME = 0.4  # cosine from which two answers are the same
QUOTED = 160  # letters of a quote, at most


def frequent(
    conversations: pd.DataFrame, messages: pd.DataFrame, topics: Topics, *, language: str = "en"
) -> pd.DataFrame:
    """The most frequent problems, what is new or rising, and how people put it.

    Args:
        conversations: from `find_conversations`.
        messages: what they were built from.
        topics: for the titles of problems.
        language: of the titles, `en` or `pt`.

    Returns:
        A row for each problem, most frequent first; the last one is of none that is known.
        `problem`, `title`, `conversations`, `of` (all), `share`, `low`, `high`, `as_frequent`
        (whether it may be as frequent as the first), `last_7_days` (of the period), `before` (the 7
        days before those; both null where the period does not hold them whole), `trend` (new,
        rising, falling or empty), `solved` (share), `questions` (quotes with message ids). Of fewer
        than `ENOUGH` conversations shares are null, and `questions` quotes each.
    """
    c = conversations[conversations["outcome"] != "not_judged"]
    named, day, few = c["problem"].fillna(""), c["local_time"].dt.normalize(), len(c) < ENOUGH
    groups = c.assign(solved=is_solved(c)).groupby(named)
    frame = groups.agg(conversations=("solved", "size"), solved=("solved", "mean"))
    frame = frame.assign(of=len(c), last_7_days=pd.NA, before=pd.NA, trend="")
    weeks = silence.last_weeks(c, messages)
    if len(weeks):
        daily = pd.crosstab(day, named).reindex(weeks, fill_value=0)
        frame = frame.assign(last_7_days=daily[7:].sum(), before=daily[:7].sum())
        frame["trend"] = changed(daily)
    rates = [clustered(named == name, c["customer"], day) for name in frame.index]
    shares = [(np.nan,) * 3 if few else (rate.share, *rate.interval) for rate in rates]
    frame[["share", "low", "high"]] = np.array(shares).reshape(-1, 3)
    frame["as_frequent"] = frame.index.isin(as_frequent(c["problem"], c["customer"], day))
    frame["title"] = [_title(topics, name, language) for name in frame.index]
    texts, ids = messages["text"].fillna("").tolist(), messages["message_id"].tolist()
    rows = [group["question_row"].tolist() for _, group in groups]
    best = rows if few else [_typical(some, texts) for some in rows]
    frame["questions"] = [[quote(texts[row], ids[row]) for row in some] for some in best]
    frame = frame.assign(is_known=frame.index != "", problem=[name or None for name in frame.index])
    frame = frame.sort_values(["is_known", "conversations"], ascending=False, ignore_index=True)
    names = (
        "problem title conversations of share low high as_frequent last_7_days before trend solved "
        "questions"
    )
    frame = frame[names.split()].astype({"last_7_days": "Int64", "before": "Int64"})
    frame.attrs = {"parameters": c.attrs.get("parameters", {})}
    return frame


def better_bot(
    conversations: pd.DataFrame, messages: pd.DataFrame, topics: Topics, *, language: str = "en"
) -> pd.DataFrame:
    """What to teach the bot next: problems by the minutes that agents spent on them.

    Returns:
        A row a problem: `problem`, `title`, `conversations`, `with_agent`, `minutes` (of agents),
        `same_answer` (near the most typical one, without itself), `of` (all but that one), `share`,
        `low`, `high`, `answer` (the most typical, quoted with its id) and `saves` (minutes, if the
        bot gave that answer: minutes × share).
    """
    agents = set(conversations.attrs.get("agents", ()))
    # Where there are no agents, whoever else writes answers: see conversations.
    answers = (messages["user_id"].isin(agents) if agents else ~messages["is_bot"]).to_numpy()
    author, ids = messages["user_id"].fillna(0).to_numpy(), messages["message_id"].tolist()
    texts, rows = messages["text"].fillna("").tolist(), []
    for name, group in conversations.dropna(subset=["problem"]).groupby("problem"):
        helped = group[group["person_after"].notna()][-COMPARED:]
        answered = [
            [i for i in c.rows if answers[i] and author[i] != c.customer]
            for c in helped.itertuples()
        ]
        longest = [max(some, key=lambda i: len(texts[i])) for some in answered]
        best, alike = typical([texts[i] for i in longest])
        others = np.arange(len(longest)) != best
        day = helped["local_time"].dt.normalize()
        rate = clustered(alike[others], helped["customer"][others], day[others])
        minutes = float(group["minutes"].sum())
        rows.append(
            (name, _title(topics, str(name), language), len(group), group["person_after"].count(),
             minutes, rate.numerator, rate.denominator, rate.share, *rate.interval,
             quote(texts[longest[best]], ids[longest[best]]) if longest else "",
             minutes * rate.share if rate.denominator else 0.0)
        )  # fmt: skip
    names = (
        "problem title conversations with_agent minutes same_answer of share low high answer saves"
    )
    frame = pd.DataFrame(rows, columns=names.split())
    return frame.sort_values("minutes", ascending=False, kind="stable", ignore_index=True)


def unanswered(conversations: pd.DataFrame, *, hours: float = 24) -> pd.DataFrame:
    """Questions and named problems that the bot and agents left alone for so long, oldest first.

    Who a question is meant for is not written anywhere: one that a member asks the others is here
    too, as is a remark that sounds like a problem.

    Args:
        conversations: from `find_conversations`.
        hours: how old they are at least, at the last moment that is known.

    Returns:
        `local_time`, `waiting_hours`, `problem`, `customer`, `message_id`, `reason` and `link`
        (null in a basic group, which has no links). `reason` is `no reply` (of anybody),
        `members only` (other members replied), `no answer` (fallbacks and promises) or
        `no person came` (though asked for).
    """
    c = conversations
    until = c.attrs.get("until", 0)
    silent = c["bot_after"].isna() & c["person_after"].isna()
    in_vain = c["outcome"].isin(["not_solved", "open"]) & c["handed"] & c["person_after"].isna()
    waits = (until - c["asked"]).ge(hours * 3600)
    found = c[(c["answer_after"].isna() | in_vain) & waits].sort_values("asked", kind="stable")
    reason = pd.Series("no reply", found.index).mask(found["members"] > 0, "members only")
    reason = reason.where(silent[found.index], "no answer").mask(found["handed"], "no person came")
    hours_waited = ((until - found["asked"]) / 3600).round(1)
    found = with_links(found).assign(waiting_hours=hours_waited, reason=reason)
    names = "local_time waiting_hours problem customer message_id reason link"
    return found[names.split()].reset_index(drop=True)


def with_links(conversations: pd.DataFrame) -> pd.DataFrame:
    """Conversations with the column `link`: to the question, null in a basic group."""
    where = conversations[["chat_id", "message_id", "thread_id"]].itertuples(index=False)
    links = pd.Series([link(*m) for m in where], conversations.index, dtype="string")
    return conversations.assign(link=links)


def link(chat_id: int, message_id: int, thread_id: Any = None) -> str | None:
    """Where a message of a supergroup is, for its members; None in other chats.

    Source: https://core.telegram.org/api/links#message-links

    >>> link(-1004123456789, 17), link(-4123456789, 17)
    ('https://t.me/c/4123456789/17', None)
    """
    if chat_id > -(10**12):
        return None
    topic = "" if thread_id is None or pd.isna(thread_id) else f"{thread_id}/"
    return f"https://t.me/c/{-chat_id - 10**12}/{topic}{message_id}"


def typical(texts: list[str]) -> tuple[int, Any]:
    """Which text is nearest to all, and which are nearly the same as it.

    >>> best, alike = typical(["a refund takes ten days", "refund takes ten days", "send a photo"])
    >>> best, alike.tolist()
    (0, [True, True, False])
    """
    if len(texts) < 2 or not any(normalise(t).strip() for t in texts):
        return 0, np.ones(len(texts), dtype=bool)
    from sklearn.feature_extraction.text import TfidfVectorizer

    weights = TfidfVectorizer(preprocessor=normalise, token_pattern=r"[^\s.,!?]+")  # noqa: S106
    matrix = weights.fit_transform(texts)
    near = (matrix @ matrix.T).toarray()
    is_close = near >= SAME
    best = int(np.lexsort((near.sum(axis=1), is_close.sum(axis=1)))[-1])
    return best, is_close[best]


def quote(text: str, message_id: int) -> str:
    """What a message says, or a part of it, with its id, cut to `QUOTED` letters."""
    text = " ".join(text.split())
    cut = text if len(text) <= QUOTED else text[: QUOTED - 1].rstrip() + "…"
    return f"“{cut}” (message {message_id})"


def _typical(rows: list[int], texts: list[str]) -> list[int]:
    """Rows of the two questions nearest to all of them, not nearly the same."""
    rows, found = rows[-400:], list[int]()
    while rows and len(found) < 2:
        best, alike = typical([texts[row] for row in rows])
        found.append(rows[best])
        rows = [row for row, is_same in zip(rows, alike, strict=True) if not is_same]
    return found


def _title(topics: Topics, name: str, language: str) -> str:
    known = topics.problems.get(name)
    if known is None:
        return {"pt": "Nenhum problema conhecido"}.get(language, "No known problem")
    return known.title.get(language) or name.replace("_", " ")
