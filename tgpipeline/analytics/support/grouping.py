"""Which messages belong together.

The lake holds messages; who talks with whom about what is not written anywhere. This is the rule by
which it is told, in the same chat and topic. A message belongs to

1. the conversation of the message that it replies to. A reply to somebody's latest message that
   opens with their name may be meant for what the two were talking about just before.
2. the conversation of the person whom it names: the one both took part in, else their latest.
3. the conversation its author wrote in within the last ten minutes. Where nearly everybody uses
   replies, a message without one stands for itself, and ten minutes become one.
4. its author's own question, while that is open: `PATIENCE` while it waits for an answer, and after
   one, for as long as the customer says whether it helped.
5. what is near: a bot's message to what was active in the last minute, an agent's to the latest
   question that waits, a member's to a question right before it.

What is left opens a conversation of its own. So does a customer who asks for themselves in a reply
to another customer, and who asks something new after having been answered.
"""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

from tgpipeline.analytics.support import signals
from tgpipeline.analytics.support.signals import name_words, says, tells_trouble, verdict
from tgpipeline.analytics.topics.text import normalise

OWN, OWN_AMONG_REPLIES = 10 * 60, 60  # seconds for which one's own conversation goes on
REPLIES = 2 / 3  # share of replies in the last messages from which nearly everybody uses them
TOGETHER, NAMED = 20 * 60, 30 * 60  # seconds since two wrote together; since the named one wrote
PATIENCE, SILENCE = 72 * 3600, 6 * 3600  # seconds: while waiting, and after an answer
BOT_NEAR, AGENT_NEAR, MEMBER_NEAR = 60, 15 * 60, 5 * 60  # seconds
KEPT = 60  # conversations that are looked back at


@dataclass(eq=False)
class Conversation:
    """One conversation while it is put together. Times are Unix seconds."""

    number: int
    customer: int
    messages: list[Any] = field(default_factory=list)
    wrote: dict[int, int] = field(default_factory=dict)  # when each person last wrote in it
    question: Any = None  # the message in which the customer asks
    answered: bool = False  # by the bot or an agent, since the customer asked
    thanked: bool = False

    @property
    def last(self) -> int:
        """When the last message of it was written."""
        return int(self.messages[-1].date)


class Grouping:
    """Goes through the messages once, in order.

    Args:
        messages: from `conversations.read_messages`.

    Attributes:
        conversations: all of them, also those in which nothing is asked.
        of: for each message its conversation, or None.
    """

    def __init__(self, messages: list[Any]) -> None:
        self.messages = messages
        self.conversations: list[Conversation] = []
        self.of: list[Conversation | None] = []
        self.own: dict[Any, tuple[Conversation, int]] = {}  # by place and person: where, and when
        self.latest: dict[Any, Any] = {}  # by place and person: their last message
        self.active: dict[Any, list[Conversation]] = defaultdict(list)  # by place, the last at last
        self.replies: dict[Any, deque[bool]] = defaultdict(lambda: deque(maxlen=50))
        self.named: dict[Any, dict[str, int]] = defaultdict(dict)  # by place: who has a name
        for m in messages:
            self.opens = opens(m)  # and is no aside
            c = self._of_bot(m) if m.role == "bot" else self._of_person(m)
            if c is None and m.role != "bot":
                c = Conversation(len(self.conversations), m.author)
                self.conversations.append(c)
            self.of.append(c)
            self.latest[m.place, m.author] = m
            self.named[m.place].update(dict.fromkeys(m.names, m.author))
            if c is not None:
                self._join(c, m)

    def _join(self, c: Conversation, m: Any) -> None:
        c.messages.append(m)
        c.wrote[m.author] = m.date
        self.own[m.place, m.author] = c, m.date
        active = self.active[m.place]
        if c in active:
            active.remove(c)
        self.active[m.place] = [*active[1 - KEPT :], c]
        target: Any = None if m.to is None else self.messages[m.to]
        to_customer = target is not None and target.author == c.customer
        is_asked = c.question is not None or tells_trouble(target.text if target else "")
        helps = m.role != "customer" or (not m.has_agents and is_asked)
        if helps and m.author != c.customer:
            real = signals.answers(m)
            if real and c.question is None and to_customer and target.role == "customer":
                c.question = target
            c.answered = c.answered or (real and c.question is not None)
            if to_customer and c.question is not None:
                self.own[m.place, c.customer] = c, m.date  # who is written to goes on there, too
        elif c.question is None and self.opens:
            c.customer, c.question = m.author, m
        elif m.author == c.customer and c.answered:
            if verdict(m.text) in ("good", "thanks"):
                c.thanked = True
            elif asks(m):
                c.answered = False

    def _of_bot(self, m: Any) -> Conversation | None:
        near = self.active[m.place]
        if m.is_reply:
            return None if m.to is None else self.of[m.to]
        return near[-1] if near and m.date - near[-1].last <= BOT_NEAR else None

    def _of_person(self, m: Any) -> Conversation | None:
        recent = self.replies[m.place]
        recent.append(m.is_reply)
        dense = len(recent) >= 20 and sum(recent) > REPLIES * len(recent)
        c = None if m.to is None else self.of[m.to]
        if c is not None:
            return self._of_reply(m, self.messages[m.to], c, dense)
        own, when = self.own.get((m.place, m.author), (None, 0))
        is_customer = own is not None and own.question is not None and own.customer == m.author
        is_thanks = is_customer and verdict(m.text) in ("good", "thanks")  # whomever it names
        if not dense and not is_thanks and (c := self._of_named(m)):
            return c
        goes_on = m.date - when <= (OWN_AMONG_REPLIES if dense else OWN)
        if own is not None and (goes_on or (not dense and self._is_open(own, m))):
            is_second = own.thanked and is_customer and m.is_question and self.opens
            return None if is_second else own
        return None if dense else self._near(m)

    def _of_reply(self, m: Any, target: Any, c: Conversation, dense: bool) -> Conversation | None:
        if m.role == "customer" and c.customer != m.author:
            is_new = self.opens and target.role == "customer" and m.author not in c.wrote
            if (m.wants and m.has_agents) or (is_new and says("remark", "own", m.text)):
                return None  # asks for themselves, and not back
        is_latest = self.latest.get((m.place, target.author)) is target
        if not dense and is_latest and not {*name_words(m.text)[:1]}.isdisjoint(target.names):
            return self._together(m, target.author) or c
        return c

    def _is_open(self, c: Conversation, m: Any) -> bool:
        """Whether a message without a reply still belongs to what its author wrote in last."""
        age = m.date - c.last
        if m.role == "agent":
            return bool(age <= AGENT_NEAR)
        if c.question is None or c.customer != m.author or age > PATIENCE:
            return False
        problems = m.problem, c.question.problem
        if age <= SILENCE or (None in problems and says("reply", "persists", m.text)):
            return True
        sign = verdict(m.text)
        if sign == "bad" and not (m.is_question or "<" in normalise(m.text)):
            return True
        if self.opens and (c.answered or problems[0] != problems[1]):
            return False
        return not c.answered or sign in ("good", "bad", "thanks")

    def _together(self, m: Any, other: Any) -> Conversation | None:
        """The conversation in which two people both wrote a short while ago."""
        both = [
            (max(c.wrote[m.author], c.wrote[other]), c.number, c)
            for c in self.active[m.place]
            if min(c.wrote.get(m.author, 0), c.wrote.get(other, 0)) >= m.date - TOGETHER
        ]
        return max(both)[2] if both else None

    def _of_named(self, m: Any) -> Conversation | None:
        """The conversation of the person whom a message names."""
        named = self.named[m.place]
        people = {named[word] for word in name_words(m.text) if word in named} - {m.author}
        if m.role == "agent" or not (m.has_agents or self.opens):
            latest = {c.customer: c for c in self.active[m.place] if c.question is not None}
            waits = [
                c for person, c in latest.items()
                if person in people and not c.answered and m.date - c.last <= PATIENCE
            ]  # fmt: skip
            for c in waits[1:]:  # one message may answer two
                self._join(c, m)
            if waits:
                return waits[0]
        for other in people:
            latest_of = self.latest[m.place, other]
            c = self.of[latest_of.row]
            if m.date - latest_of.date <= NAMED and c is not None and latest_of.role != "bot":
                return self._together(m, other) or c
        return None

    def _near(self, m: Any) -> Conversation | None:
        near = self.active[m.place]
        # Who reacts to it had asked for it; an agent answers the latest who waits.
        people = [(m.place, e.from_id) for e in m.events]
        waiting = [self.own[person][0] for person in people if person in self.own]
        waiting += reversed(near) if m.role == "agent" else ()
        for c in waiting:
            if c.question is not None and not c.answered and m.date - c.last <= AGENT_NEAR:
                return c
        is_said = m.text and m.role != "agent" and not signals.is_opening(m.text)
        if not near or m.date - near[-1].last > MEMBER_NEAR or not is_said:
            return None
        last, before = near[-1], near[-1].messages[-1]
        if last.question is None:  # put to who just spoke, if it is short
            is_talk = before.role == "customer" and m.problem is None
            is_aside = is_talk and len(name_words(m.text)) <= 6
            self.opens = self.opens and not is_aside
            return last if is_aside else None
        is_asked = not last.answered and before.author == last.customer
        return last if is_asked and not self.opens else None


def asks(m: Any) -> bool:
    """Whether a message is a question, wants a person or names a problem."""
    return bool(m.is_question or m.wants or m.problem is not None)


def opens(m: Any) -> bool:
    """Whether a message may open a conversation by itself."""
    if not asks(m) or signals.is_remark(m.text):
        return False
    if says("remark", "me_too", m.text) and (len(name_words(m.text)) <= 4 or not m.is_question):
        return False  # joins in
    return m.is_question or (m.wants and m.has_agents) or tells_trouble(m.text)
