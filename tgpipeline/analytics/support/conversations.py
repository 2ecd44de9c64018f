"""Conversations with their outcomes: a customer's question and everything that belongs to it.

Who belongs to which is told in `grouping`, what became of them in `outcomes`. Kept are those in
which the customer asks something or names a problem, and those that the bot or an agent answered.
"""

import time
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any

import pandas as pd

from tgpipeline.analytics.support import outcomes, signals
from tgpipeline.analytics.support.grouping import Conversation, Grouping
from tgpipeline.analytics.topics import Topics
from tgpipeline.analytics.topics.text import normalise

SPENT = 5 * 60  # seconds that one message counts for, at most
_NOBODY = -(2**62)  # whom nobody knows is somebody else each time
_COLUMNS = dict.fromkeys(
    (
        "group_id chat_id thread_id message_id customer asked local_time problem messages rows "
        "question_row minutes ended"
    ).split(),
    "Int64",
) | {"local_time": "datetime64[ms]", "problem": "string", "rows": "object", "minutes": "float64"}


def find_conversations(
    messages: pd.DataFrame,
    events: pd.DataFrame,
    topics: Topics,
    agents: Collection[int] = (),
    *,
    horizon: float = 72,
) -> pd.DataFrame:
    """Put messages together into conversations, and tell what became of each.

    Args:
        messages: answer of `conversation_messages`, in order.
        events: answer of `conversation_events` of the same period.
        topics: labels problems.
        agents: user ids of who answers for the groups: see the question `agents`. Where there is
            none, members answer each other.
        horizon: hours of silence after which it is settled what became of a conversation.

    Returns:
        One row for each conversation whose question lies in the period: `group_id`, `chat_id`,
        `thread_id`, `message_id` (of the question), `customer`, `asked` (Unix seconds),
        `local_time`, `problem` (or null), `messages`, `rows` (positions in `messages`),
        `question_row` (that of the question), `minutes` (of agents), `ended` (Unix seconds), and
        the columns of `outcomes.COLUMNS`.
        `attrs["agents"]` names the agents, `attrs["until"]` is the last moment that is known, and
        `attrs["end"]` the last of the period.
    """
    grouping = Grouping(read_messages(messages, events, topics, agents))
    seconds, last = round(horizon * 3600), max(messages["date"], default=0)
    asked = [c for c in grouping.conversations if c.question is not None]
    rows = [_row(c, grouping) | outcomes.judge(c, last, seconds) for c in asked]
    copied = messages.iloc[[c.question.row for c in asked]].reset_index(drop=True)
    copied = copied.rename(columns={"message_thread_id": "thread_id"})
    columns = _COLUMNS | outcomes.COLUMNS
    frame = copied.assign(**pd.DataFrame(rows)).reindex(columns=list(columns)).astype(columns)
    frame = outcomes.taken_back(frame, seconds)
    period = messages.attrs.get("parameters", {})
    if "start" in period and len(frame):
        is_inside = frame["local_time"].dt.normalize().between(period["start"], period["end"])
        frame = frame[is_inside].reset_index(drop=True)
    until, end = _last_moments(messages)
    told = {"agents": sorted(agents), "until": until, "end": end, "horizon": horizon}
    frame.attrs = messages.attrs | told
    return frame


def number_conversations(
    messages: pd.DataFrame, events: pd.DataFrame, topics: Topics, agents: Collection[int] = ()
) -> "pd.Series[int]":
    """The number of the conversation of each message, whether or not anything is asked in it.

    Args:
        messages, events, topics, agents: as for `find_conversations`.

    Returns:
        Numbers with the index of `messages`; a message that belongs to none has one of its own.
    """
    put = Grouping(read_messages(messages, events, topics, agents))
    numbers = [-i - 1 if c is None else c.number for i, c in enumerate(put.of)]
    return pd.Series(numbers, messages.index, dtype=int)


def read_messages(
    messages: pd.DataFrame, events: pd.DataFrame, topics: Topics, agents: Collection[int] = ()
) -> list[Any]:
    """The messages in order, with what the rules of `signals` make of each.

    Args:
        messages, events, topics, agents: as for `find_conversations`.

    Returns:
        Named tuples: `row`, `date`, `text`, `kind` (of content), `author`, `role` (bot, agent or
        customer), `names` (what the author is called), `place` (a group and its topic), `is_reply`
        and `to` (the row of what it replies to, or None), `spent` (seconds since its author's
        message before it, at most `SPENT`), `is_question`, `wants` (a person), `problem` (or None),
        `to_all` (whether it is a text of the bot that answers nothing, for it goes to all
        questions), `has_agents` (whether somebody answers for its group; else its members do),
        `is_judged` (whether the rules know its group's language; where they do not, only a question
        mark asks) and `events` (rows of `events`).
    """
    m = messages.reset_index(drop=True)
    group, text = m["group_id"], m["text"].fillna("").tolist()
    role = m["user_id"].isin(list(agents)).map({True: "agent", False: "customer"})
    # Imported history does not know bots as such.
    role = role.mask(m["user_id"].isin(m.loc[m["is_bot"], "user_id"].unique()), "bot")
    said = m["text"].where(role == "customer")
    judged = {g: signals.is_judged(texts.dropna()) for g, texts in said.groupby(group)}
    is_known = group.map(judged).astype(bool)
    marks = topics.table(said.where(is_known))
    has_mark = said.fillna("").map(normalise).str.contains("?", regex=False)
    names = [*map(_names, m["first_name"], m["username"])]
    rows = {key: i for i, key in enumerate(zip(m["chat_id"], m["message_id"], strict=True))}
    replied = map(rows.get, zip(m["chat_id"], m["reply_to_message_id"], strict=True))
    to = [r if r is not None and r < i else None for i, r in enumerate(replied)]
    happened: dict[Any, list[Any]] = defaultdict(list)
    for e in events[events["event_type"] != "chat_member"].itertuples():
        happened[rows.get((e.chat_id, e.message_id))].append(e)
    read = {
        "row": range(len(m)),
        "date": m["date"],
        "text": text,
        "kind": m["content_type"],
        "author": [_NOBODY - i if pd.isna(a) else int(a) for i, a in enumerate(m["user_id"])],
        "role": role,
        "names": names,
        "place": list(zip(group, m["message_thread_id"].fillna(0), strict=True)),
        "is_reply": m["reply_to_message_id"].notna(),
        "to": to,
        "spent": m["date"].groupby(m["user_id"]).diff().fillna(SPENT).clip(upper=SPENT),
        "is_question": marks["is_question"] | (has_mark & ~is_known),
        "wants": marks["wants_person"],
        "problem": marks["problem"],
        "to_all": _to_all(text, names, role, to),
        "has_agents": group.isin(group[role == "agent"]),
        "is_judged": is_known,
        "events": [happened.get(i, []) for i in range(len(m))],
    }
    return [*pd.DataFrame(read, dtype=object).itertuples(index=False, name="Message")]


def _names(*called: Any) -> set[str]:
    """What somebody is called: the first words of their names."""
    first = [signals.name_words(name)[:1] for name in called if isinstance(name, str)]
    return {name for names in first for name in names if len(name) > 2}


def _to_all(
    text: list[str], names: list[set[str]], role: Iterable[str], to: list[int | None]
) -> list[bool]:
    """Which messages are texts of the bot that answer nothing: see `signals.said_to_all`."""
    shapes = []  # what the bot said, without whom it is for
    for said, who, whom in zip(text, role, to, strict=True):
        left_out = set() if whom is None else names[whom]
        words = normalise(said).split() if who == "bot" else ()
        shapes.append(" ".join(w for w in words if w.strip(",.!?") not in left_out))
    pairs = zip(shapes, to, strict=True)
    asked = {(shape, normalise(text[i])) for shape, i in pairs if shape and i is not None}
    found = signals.said_to_all((shape, question) for shape, question in asked if question)
    return [shape in found for shape in shapes]


def _last_moments(messages: pd.DataFrame) -> tuple[int, int]:
    """Until when the lake knows, and until when in the period: Unix seconds, 0 of nothing.

    That is until the last message; but silence is known too, so if the period is over, until its
    end at least.
    """
    period = messages.attrs.get("parameters", {})
    spoken = max(messages["date"], default=0)
    if messages.empty or "end" not in period:
        return spoken, spoken
    last = messages.iloc[-1]
    midnight = datetime.combine(date.fromisoformat(period["end"]), datetime.max.time())
    to_come = midnight - last["local_time"].to_pydatetime()  # pandas 2.2 knows no far years
    end = int(last["date"]) + round(to_come.total_seconds())
    until = max(spoken, min(end, int(time.time())))
    return until, min(until, end)


def _row(c: Conversation, grouping: Grouping) -> dict[str, Any]:
    """What is known of a conversation without its outcome."""
    spent = [m.spent for m in c.messages if m.role == "agent" and grouping.of[m.row] is c]
    return {
        "customer": c.customer,
        "asked": c.question.date,
        "problem": next((m.problem for m in c.messages if m.problem is not None), None),
        "messages": len(c.messages),
        "rows": [m.row for m in c.messages],
        "question_row": c.question.row,
        "minutes": sum(spent) / 60,
        "ended": c.messages[-1].date,
    }
