"""Conversations: a customer's question and everything that belongs to it.

The lake holds messages; who talks with whom about what is not written anywhere. This is the rule by
which it is told, first what is sure, then what is near, always in the same chat and topic:

1. A message that replies to a message of a conversation belongs to that conversation, also if
   another customer writes it: advice, a "me too". Only a question, or a wish for a person, of
   another customer opens a conversation of its own.
2. A customer's other messages go on with their latest conversation while it is open; else they open
   a new one. It is open for `PATIENCE` while it waits for an answer, for `SILENCE` after one.
3. Another message of the bot belongs to the conversation that was active in the last minute.
4. Another message of an agent belongs to the open conversation whose customer it names; else to the
   one in which that agent last spoke, within `NEAR`; else to the latest that waits, within `NEAR`.

Kept are conversations in which the customer asks something or names a problem. Agents are those who
are given, administrators, and who replied to many different people (see `find_agents`); where there
are none, whoever replies to another's question answers it.
"""

import re
import time
from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from tgpipeline.analytics.support.signals import HAPPY, NO, THANKS, UNHAPPY, UPSET, YES, find_agents
from tgpipeline.analytics.topics.text import fold, normalise

if TYPE_CHECKING:
    from tgpipeline.analytics.topics import Topics

PATIENCE, SILENCE, NEAR = 72 * 3600, 6 * 3600, 15 * 60  # seconds


@dataclass(eq=False)
class Conversation:
    """One conversation while it is put together. Times are Unix seconds."""

    customer: int
    last: int
    rows: list[int] = field(default_factory=list)
    question: int | None = None
    state: str = "open"  # then: waiting, wants_person, answered, confirmed
    signal: str | None = None
    handed: bool = False
    members: int = 0
    first: dict[str, int] = field(default_factory=dict)

    def is_open(self, now: int) -> bool:
        """Whether a message without a reply may still belong here."""
        answered = self.state in ("answered", "confirmed")
        return now - self.last <= (SILENCE if answered else PATIENCE)


def build(
    messages: pd.DataFrame, events: pd.DataFrame, topics: "Topics", agents: Collection[int] = ()
) -> pd.DataFrame:
    """Put messages together into conversations.

    Args:
        messages: answer of `conversation_messages`, in order.
        events: answer of `conversation_events` of the same period.
        topics: labels problems.
        agents: user ids of who answers for the group; found by `find_agents` if none is given.

    Returns:
        A row for each conversation whose question lies in the period: `group_id`, `chat_id`,
        `thread_id`, `message_id` (of the question), `customer`, `asked` (Unix seconds),
        `local_time`, `problem` (or null), `messages`, `rows` (positions in `messages`), `bot_after`
        and `person_after` (seconds until the bot, a person answered first; null if never),
        `members` (replies of other customers), `handed` (to a person, or a person was asked for),
        `state` (waiting, wants_person, answered, confirmed), `signal` (thanks, reaction, button,
        complaint; null), `minutes` (of agents), `ended` (Unix seconds). `attrs["agents"]` names
        who was held for an agent, `attrs["until"]` is the last moment that is known, and
        `attrs["end"]` the last of the period.
    """
    # Imported history does not know bots as such.
    bots = messages.loc[messages["is_bot"], "user_id"].unique()
    messages = messages.assign(is_bot=messages["user_id"].isin(bots))
    helpers = find_agents(messages, events, agents)
    role = messages["user_id"].isin(helpers).map({True: "agent", False: "customer"})
    role = role.mask(messages["is_bot"], "bot")
    marks = topics.table(messages["text"].where(role == "customer"))
    talk = _Talk(messages.assign(role=role), marks, events)
    rows = [talk.summary(c) for c in talk.conversations if c.question is not None]
    frame = pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)
    period = messages.attrs.get("parameters", {})
    if "start" in period and len(frame):
        day = frame["local_time"].dt.normalize()
        frame = frame[(day >= period["start"]) & (day <= period["end"])].reset_index(drop=True)
    until, end = _last_moments(messages)
    frame.attrs = {**messages.attrs, "agents": sorted(helpers), "until": until, "end": end}
    return frame


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
    "messages": "Int64", "rows": "object", "bot_after": "Int64", "person_after": "Int64",
    "members": "Int64", "handed": "boolean", "state": "string", "signal": "string",
    "minutes": "float64", "ended": "Int64",
}  # fmt: skip


class _Talk:
    """Goes through the messages once, in order."""

    def __init__(self, messages: pd.DataFrame, marks: pd.DataFrame, events: pd.DataFrame) -> None:
        self.messages, self.marks = messages, marks
        self.has_agents = bool(messages["role"].eq("agent").any())
        self.conversations: list[Conversation] = []
        self.home: dict[tuple[Any, Any], Conversation] = {}
        self.latest: dict[tuple[Any, ...], Conversation] = {}
        self.active: dict[tuple[Any, Any], list[Conversation]] = defaultdict(list)
        self.spoke: dict[int, int] = {}  # when each agent last wrote anything
        self.minutes: Counter[int] = Counter()  # seconds of agents, by id() of the conversation
        self.names: dict[int, set[str]] = defaultdict(set)
        asks = marks["is_question"] | marks["problem"].notna() | marks["wants_person"]
        self.asks, self.questions = asks.tolist(), marks["is_question"].tolist()
        self.wants = marks["wants_person"].tolist()
        after = defaultdict(list)
        for e in events.itertuples():
            if e.event_type != "chat_member":
                after[e.chat_id, e.message_id].append(e)

        for i, m in enumerate(messages.itertuples()):
            self._step(i, m)

        for key, found in after.items():
            if key in self.home:
                for e in found:
                    self._event(self.home[key], e)

    def _step(self, i: int, m: Any) -> None:
        place = (m.group_id, None if pd.isna(m.message_thread_id) else m.message_thread_id)
        replied = None if pd.isna(m.reply_to_message_id) else m.reply_to_message_id
        target = self.home.get((m.chat_id, replied)) if replied is not None else None
        found = getattr(self, f"_{m.role}")(i, m, place, target, replied is not None)
        if m.role == "agent":
            gap = m.date - self.spoke.get(m.user_id, 0)
            self.spoke[m.user_id] = m.date
            if found is not None:
                self.minutes[id(found)] += min(gap, 300)
        if found is None:
            return
        found.rows.append(i)
        found.last = m.date
        self.home[m.chat_id, m.message_id] = found
        near = self.active[place]
        if not near or near[-1] is not found:
            if found in near:
                near.remove(found)
            near.append(found)
            del near[:-60]

    def _customer(
        self, i: int, m: Any, place: Any, target: Conversation | None, _: bool
    ) -> Conversation:
        called = (m.first_name, m.username)
        self.names[m.user_id] |= {fold(n) for n in called if isinstance(n, str) and n}
        own = self.latest.get((*place, m.user_id))
        asks = self.questions[i] or (self.has_agents and self.wants[i])
        if target is not None and target.customer != m.user_id:
            target.members += target.question is not None
            if not asks:
                if not self.has_agents:
                    self._answers(target, m)
                return target
        if target is not None and target.customer == m.user_id and m.date - target.last <= PATIENCE:
            own = target
        elif own is None or not own.is_open(m.date):
            own = Conversation(m.user_id, m.date)
            self.conversations.append(own)
        self.latest[*place, m.user_id] = own
        self._hear(own, i, m)
        return own

    def _hear(self, c: Conversation, i: int, m: Any) -> None:
        """What a message of its customer does to a conversation."""
        if c.question is None and self.asks[i]:
            c.question, c.state = i, "waiting"
        said = normalise(m.text) if isinstance(m.text, str) else ""
        if self.wants[i]:
            c.handed, c.state = c.handed or "bot" in c.first, "wants_person"
        elif not c.first:
            return
        elif UPSET.search(said):
            c.state, c.signal = "waiting", "complaint"
        elif THANKS.search(said) and "?" not in said:
            c.state, c.signal = "confirmed", "thanks"
        elif self.asks[i] and c.state != "waiting":
            c.state = "waiting"

    def _bot(
        self, i: int, m: Any, place: Any, target: Conversation | None, replies: bool
    ) -> Conversation | None:
        if target is None and not replies:
            near = self.active[place]
            target = near[-1] if near and m.date - near[-1].last <= 60 else None
        if target is not None and target.question is not None:
            target.first.setdefault("bot", m.date)
            if target.state == "waiting":  # what it says to who wants a person is no answer
                target.state = "answered"
        return target

    def _agent(
        self, i: int, m: Any, place: Any, target: Conversation | None, replies: bool
    ) -> Conversation | None:
        if target is None:
            target = self._addressed(m, place)
        if target is not None:
            self._answers(target, m)
            self.latest[(*place, m.user_id)] = target
        return target

    def _answers(self, c: Conversation, m: Any) -> None:
        """What a person's answer does to a conversation."""
        if c.question is not None:
            c.handed = c.handed or "bot" in c.first
            c.first.setdefault("person", m.date)
            c.state = "answered"

    def _addressed(self, m: Any, place: Any) -> Conversation | None:
        near = [c for c in reversed(self.active[place]) if c.is_open(m.date)]
        words = set(re.findall(r"\w+", fold(m.text))) if isinstance(m.text, str) else set()
        named = [c for c in near if self.names[c.customer] & words]
        own = self.latest.get((*place, m.user_id))
        if named:
            return own if own in named else named[0]
        if own is not None and m.date - self.spoke.get(m.user_id, 0) <= NEAR:
            return own
        waits = ("waiting", "wants_person")
        return next((c for c in near if c.state in waits and m.date - c.last <= NEAR), None)

    def _event(self, c: Conversation, e: Any) -> None:
        """A reaction of its customer, or a button that they pressed."""
        if e.from_id != c.customer or pd.isna(e.new_value) or not c.first:
            return
        words = set(str(e.new_value).replace(":", " ").replace("_", " ").casefold().split())
        button = e.event_type == "callback_query"
        late = button or e.date >= c.last  # a button press bears no date
        if words & (YES if button else HAPPY) and not words & NO:
            c.signal = c.signal or ("button" if button else "reaction")
            c.state = "confirmed" if c.state == "answered" else c.state
        elif words & (NO if button else UNHAPPY):
            c.signal = "complaint" if c.state != "confirmed" else c.signal
            if late and c.state == "answered" and not (button and "person" in c.first):
                c.state = "wants_person" if button else "waiting"

    def summary(self, c: Conversation) -> dict[str, Any]:
        """The row of a conversation."""
        assert c.question is not None
        m = self.messages.iloc[c.question]
        asked = int(m["date"])
        problems = [p for i in c.rows if (p := self.marks["problem"].iloc[i]) is not None]
        return {
            "group_id": m["group_id"],
            "chat_id": m["chat_id"],
            "thread_id": m["message_thread_id"],
            "message_id": m["message_id"],
            "customer": c.customer,
            "asked": asked,
            "local_time": m["local_time"],
            "problem": problems[0] if problems else None,
            "messages": len(c.rows),
            "rows": c.rows,
            "bot_after": c.first["bot"] - asked if "bot" in c.first else None,
            "person_after": c.first["person"] - asked if "person" in c.first else None,
            "members": c.members,
            "handed": c.handed,
            "state": c.state,
            "signal": c.signal,
            "minutes": self.minutes[id(c)] / 60,
            "ended": c.last,
        }
