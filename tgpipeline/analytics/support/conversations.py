"""Conversations with their outcomes: a customer's question and everything that belongs to it.

Who belongs to which is told in `grouping`, what became of them in `outcomes`. Kept are those in
which the customer asks something or names a problem, and those that the bot or an agent answered.
"""

import time
from collections.abc import Collection
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from tgpipeline.analytics.support import outcomes
from tgpipeline.analytics.support.grouping import Conversation, Grouping
from tgpipeline.analytics.support.signals import Signals
from tgpipeline.analytics.support.talk import Talk

if TYPE_CHECKING:
    from tgpipeline.analytics.topics import Topics


def find_conversations(
    messages: pd.DataFrame,
    events: pd.DataFrame,
    topics: "Topics",
    agents: Collection[int] = (),
    *,
    horizon: float = 72,
    rules: Signals | None = None,
) -> pd.DataFrame:
    """Put messages together into conversations, and tell what became of each.

    Args:
        messages: answer of `conversation_messages`, in order.
        events: answer of `conversation_events` of the same period.
        topics: labels problems.
        agents: user ids of who answers for the groups: see the question `agents`. Where there is
            none, members answer each other.
        horizon: hours of silence after which it is settled what became of a conversation.
        rules: what people say of an answer; the packaged ones if not given.

    Returns:
        One row for each conversation whose question lies in the period: `group_id`, `chat_id`,
        `thread_id`, `message_id` (of the question), `customer`, `asked` (Unix seconds),
        `local_time`, `problem` (or null), `messages`, `rows` (positions in `messages`),
        `question_row` (that of the question), `minutes` (of agents), `ended` (Unix seconds), and
        the columns of `outcomes.COLUMNS`.
        `attrs["agents"]` names the agents, `attrs["until"]` is the last moment that is known, and
        `attrs["end"]` the last of the period.
    """
    talk = Talk(messages, events, topics, agents, rules)
    grouping = Grouping(talk)
    seconds = round(horizon * 3600)
    asked = [c for c in grouping.conversations if c.question is not None]
    rows = [_row(c, talk, grouping) | outcomes.judge(c, talk, seconds) for c in asked]
    copied = messages.iloc[[c.question for c in asked]].reset_index(drop=True)
    copied = copied.rename(columns={"message_thread_id": "thread_id"})
    columns = _COLUMNS | outcomes.COLUMNS
    frame = copied.assign(**pd.DataFrame(rows)).reindex(columns=list(columns)).astype(columns)
    frame = outcomes.taken_back(frame, seconds)
    period = messages.attrs.get("parameters", {})
    if "start" in period and len(frame):
        is_inside = frame["local_time"].dt.normalize().between(period["start"], period["end"])
        frame = frame[is_inside].reset_index(drop=True)
    until, end = _last_moments(messages)
    frame.attrs = {**messages.attrs, "agents": sorted(agents), "until": until, "end": end}
    frame.attrs["horizon"] = horizon
    return frame


def number_conversations(
    messages: pd.DataFrame, events: pd.DataFrame, topics: "Topics", agents: Collection[int] = ()
) -> "pd.Series[int]":
    """The number of the conversation of each message, whether or not anything is asked in it.

    Args:
        messages, events, topics, agents: as for `find_conversations`.

    Returns:
        Numbers with the index of `messages`; a message that belongs to none has one of its own.
    """
    put = Grouping(Talk(messages, events, topics, agents))
    numbers = [-i - 1 if c is None else c.number for i, c in enumerate(put.of)]
    return pd.Series(numbers, messages.index, dtype=int)


def _last_moments(messages: pd.DataFrame) -> tuple[int, int]:
    """Until when the lake knows, and until when in the period: Unix seconds, 0 of nothing.

    That is until the last message; but silence is known too, so if the period is over, until its
    end at least.
    """
    period = messages.attrs.get("parameters", {})
    spoken = int(messages["date"].max()) if len(messages) else 0
    if messages.empty or "end" not in period:
        return spoken, spoken
    last = messages.iloc[-1]
    midnight = datetime.combine(date.fromisoformat(period["end"]), datetime.max.time())
    to_come = midnight - last["local_time"].to_pydatetime()  # pandas 2.2 knows no far years
    end = int(last["date"]) + round(to_come.total_seconds())
    until = max(spoken, min(end, int(time.time())))
    return until, min(until, end)


_COLUMNS = {
    "group_id": "Int64", "chat_id": "Int64", "thread_id": "Int64", "message_id": "Int64",
    "customer": "Int64", "asked": "Int64", "local_time": "datetime64[ms]", "problem": "string",
    "messages": "Int64", "rows": "object", "question_row": "Int64",
    "minutes": "float64", "ended": "Int64",
}  # fmt: skip


def _row(c: Conversation, talk: Talk, grouping: Grouping) -> dict[str, Any]:
    """What is known of a conversation without its outcome."""
    assert c.question is not None
    spent = [talk.spent[i] for i in c.rows if talk.role[i] == "agent" and grouping.of[i] is c]
    problems = [p for i in c.rows if (p := talk.problem[i]) is not None]
    return {
        "customer": c.customer,
        "asked": talk.date[c.question],
        "problem": problems[0] if problems else None,
        "messages": len(c.rows),
        "rows": c.rows,
        "question_row": c.question,
        "minutes": sum(spent) / 60,
        "ended": c.last,
    }
