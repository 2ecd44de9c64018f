"""Conversations with their outcomes: a customer's question and everything that belongs to it.

Who belongs to which is told in `threads`, what became of them in `outcomes`. Kept are those in
which the customer asks something or names a problem, and those that the bot or an agent answered.
"""

import time
from collections.abc import Collection
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from tgpipeline.analytics.support import outcomes, signals
from tgpipeline.analytics.support.talk import Talk
from tgpipeline.analytics.support.threads import Conversation, Threads

if TYPE_CHECKING:
    from tgpipeline.analytics.topics import Topics


def build(
    messages: pd.DataFrame,
    events: pd.DataFrame,
    topics: "Topics",
    agents: Collection[int] = (),
    *,
    horizon: float = 72,
    rules: signals.Signals | None = None,
) -> pd.DataFrame:
    """Put messages together into conversations, and tell what became of each.

    Args:
        messages: answer of `conversation_messages`, in order.
        events: answer of `conversation_events` of the same period.
        topics: labels problems.
        agents: user ids of who answers for the group; found by `find_agents` if none is given.
        horizon: hours of silence after which it is settled what became of a conversation.
        rules: what people say of an answer; the packaged ones if not given.

    Returns:
        One row for each conversation whose question lies in the period: `group_id`, `chat_id`,
        `thread_id`, `message_id` (of the question), `customer`, `asked` (Unix seconds),
        `local_time`, `problem` (or null), `messages`, `rows` (positions in `messages`), `minutes`
        (of agents), `ended` (Unix seconds), and the columns of `outcomes.COLUMNS`.
        `attrs["agents"]` names who was identified as an agent, `attrs["until"]` is the last moment
        that is known, and `attrs["end"]` the last of the period.
    """
    talk = _talk(messages, events, topics, agents, rules)
    put = Threads(talk)
    found = [c for c in put.conversations if c.question is not None]
    rows = [_row(c, talk, put) | outcomes.judge(c, talk, round(horizon * 3600)) for c in found]
    columns = _COLUMNS | outcomes.COLUMNS
    names = {"message_thread_id": "thread_id"}
    asked = messages.iloc[[c.question for c in found]].rename(columns=names)
    copied = asked[["group_id", "chat_id", "message_id", "local_time", "thread_id"]]
    frame = pd.concat([copied.reset_index(drop=True), pd.DataFrame(rows)], axis=1)
    frame = frame.reindex(columns=list(columns)).astype(columns)
    frame = outcomes.taken_back(frame, round(horizon * 3600))
    period = messages.attrs.get("parameters", {})
    if "start" in period and len(frame):
        day = frame["local_time"].dt.normalize()
        frame = frame[(day >= period["start"]) & (day <= period["end"])].reset_index(drop=True)
    until, end = _last_moments(messages)
    frame.attrs = {**messages.attrs, "agents": sorted(talk.agents), "until": until, "end": end}
    frame.attrs |= {"horizon": horizon, "judged": talk.judged}
    return frame


def threads(
    messages: pd.DataFrame,
    events: pd.DataFrame,
    topics: "Topics",
    agents: Collection[int] = (),
    rules: signals.Signals | None = None,
) -> "pd.Series[int]":
    """The number of the conversation of each message, whether or not anything is asked in it.

    Args:
        messages, events, topics, agents, rules: as for `build`.

    Returns:
        Numbers with the index of `messages`; a message that belongs to none has one of its own.
    """
    put = Threads(_talk(messages, events, topics, agents, rules))
    numbers = [-i - 1 if c is None else c.number for i, c in enumerate(put.of)]
    return pd.Series(numbers, messages.index, dtype=int)


def _talk(
    messages: pd.DataFrame,
    events: pd.DataFrame,
    topics: "Topics",
    agents: Collection[int],
    rules: signals.Signals | None,
) -> Talk:
    # Imported history does not know bots as such.
    bots = messages.loc[messages["is_bot"], "user_id"].unique()
    messages = messages.assign(is_bot=messages["user_id"].isin(bots))
    helpers = signals.find_agents(messages, events, agents)
    role = messages["user_id"].isin(helpers).map({True: "agent", False: "customer"})
    role = role.mask(messages["is_bot"], "bot")
    marks = topics.table(messages["text"].where(role == "customer"))
    return Talk(messages, role, marks, events, rules or signals.load(), helpers)


def _last_moments(messages: pd.DataFrame) -> tuple[int, int]:
    """Until when the lake knows, and until when in the period: Unix seconds, 0 of nothing.

    That is until the last message; but silence is known too, so if the period is over, until its
    end at least.
    """
    period = messages.attrs.get("parameters", {})
    if messages.empty:
        return 0, 0
    last = messages.iloc[-1]
    spoken = int(messages["date"].max())
    if "end" not in period:
        return spoken, spoken
    midnight = datetime.combine(date.fromisoformat(period["end"]), datetime.max.time())
    to_come = midnight - last["local_time"].to_pydatetime()  # pandas 2.2 knows no far years
    end = int(last["date"]) + round(to_come.total_seconds())
    until = max(spoken, min(end, int(time.time())))
    return until, min(until, end)


_COLUMNS = {
    "group_id": "Int64", "chat_id": "Int64", "thread_id": "Int64", "message_id": "Int64",
    "customer": "Int64", "asked": "Int64", "local_time": "datetime64[ms]", "problem": "string",
    "messages": "Int64", "rows": "object", "minutes": "float64", "ended": "Int64",
}  # fmt: skip


def _row(c: Conversation, talk: Talk, put: Threads) -> dict[str, Any]:
    """What is known of a conversation without its outcome."""
    assert c.question is not None
    problems = [p for i in c.rows if (p := talk.problem[i]) is not None]
    return {
        "customer": c.customer,
        "asked": talk.date[c.question],
        "problem": problems[0] if problems else None,
        "messages": len(c.rows),
        "rows": c.rows,
        "minutes": put.minutes[c.number] / 60,
        "ended": c.last,
    }
