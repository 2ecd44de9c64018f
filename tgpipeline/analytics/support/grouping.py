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

from tgpipeline.analytics.support.talk import Talk
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
    last: int = 0
    rows: list[int] = field(default_factory=list)
    wrote: dict[int, int] = field(default_factory=dict)  # when each person last wrote in it
    question: int | None = None
    problem: str | None = None
    answered: bool = False  # by the bot or an agent, since the customer asked
    thanked: bool = False


class Grouping:
    """Goes through the messages once, in order.

    Attributes:
        conversations: all of them, also those in which nothing is asked.
        of: for each message its conversation, or None.
    """

    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self.conversations: list[Conversation] = []
        self.of: list[Conversation | None] = []
        self.own: dict[Any, tuple[Conversation, int]] = {}  # by place and person: where, and when
        self.latest: dict[Any, int] = {}  # by place and person: the row of their last message
        self.active: dict[Any, list[Conversation]] = defaultdict(list)  # by place, the last at last
        self.replies: dict[Any, deque[bool]] = defaultdict(lambda: deque(maxlen=50))
        self.named: dict[Any, dict[str, int]] = defaultdict(dict)  # by place: who has a name
        for i in range(len(talk.date)):
            self._step(i)

    def _step(self, i: int) -> None:
        t, place, author = self.talk, self.talk.place[i], self.talk.author[i]
        c = self._of_bot(i) if t.role[i] == "bot" else self._of_person(i)
        if c is None and t.role[i] != "bot":
            c = Conversation(len(self.conversations), author)
            self.conversations.append(c)
        self.of.append(c)
        self.latest[place, author] = i
        self.named[place].update(dict.fromkeys(t.names[i], author))
        if c is not None:
            self._join(c, i)

    def _join(self, c: Conversation, i: int) -> None:
        t = self.talk
        now, author, place = t.date[i], t.author[i], t.place[i]
        c.rows.append(i)
        c.last = c.wrote[author] = now
        self.own[place, author] = c, now
        active = self.active[place]
        if c in active:
            active.remove(c)
        self.active[place] = [*active[1 - KEPT :], c]
        target = t.replied[i]
        to = None if target is None or t.author[target] != c.customer else t.role[target]
        is_asked = c.question is not None or (target is not None and t.troubles(target))
        helps = t.role[i] != "customer" or (not t.has_agents(i) and is_asked)
        if helps and author != c.customer:
            real = t.answers(i)
            if real and c.question is None and to == "customer":
                c.question = target
            c.answered = c.answered or (real and c.question is not None)
            if to is not None and c.question is not None:
                self.own[place, c.customer] = c, now  # who is written to goes on there, too
        elif c.question is None and t.opens[i]:
            c.customer, c.question, c.problem = author, i, t.problem[i]
        elif author == c.customer and c.answered:
            if t.sign(i) in ("good", "thanks"):
                c.thanked = True
            elif t.asks[i]:
                c.answered = False

    def _of_bot(self, i: int) -> Conversation | None:
        t, near = self.talk, self.active[self.talk.place[i]]
        if t.is_reply[i]:
            target = t.replied[i]
            return None if target is None else self.of[target]
        return near[-1] if near and t.date[i] - near[-1].last <= BOT_NEAR else None

    def _of_person(self, i: int) -> Conversation | None:
        t, target = self.talk, self.talk.replied[i]
        place, author, now = t.place[i], t.author[i], t.date[i]
        recent = self.replies[place]
        recent.append(t.is_reply[i])
        dense = len(recent) >= 20 and sum(recent) > REPLIES * len(recent)
        c = None if target is None else self.of[target]
        if c is not None and target is not None:
            return self._of_reply(i, target, c, dense)
        own, when = self.own.get((place, author), (None, 0))
        is_customer = own is not None and own.question is not None and own.customer == author
        is_thanks = is_customer and t.sign(i) in ("good", "thanks")  # whomever it names
        if not dense and not is_thanks and (c := self._of_named(i)):
            return c
        goes_on = now - when <= (OWN_AMONG_REPLIES if dense else OWN)
        if own is not None and (goes_on or (not dense and self._is_open(own, i))):
            is_second = own.thanked and is_customer and t.opens[i] and t.questions[i]
            return None if is_second else own
        return None if dense else self._near(i)

    def _of_reply(self, i: int, target: int, c: Conversation, dense: bool) -> Conversation | None:
        t, place = self.talk, self.talk.place[i]
        author, other = t.author[i], t.author[target]
        if t.role[i] == "customer" and c.customer != author:
            is_new = t.opens[i] and t.role[target] == "customer" and author not in c.wrote
            if (t.wants[i] and t.has_agents(i)) or (is_new and t.says(i, "own")):
                return None  # asks for themselves, and not back
        is_latest = self.latest.get((place, other)) == target
        if not dense and is_latest and not {*t.words(i)[:1]}.isdisjoint(t.names[target]):
            return self._together(place, author, other, t.date[i]) or c
        return c

    def _is_open(self, c: Conversation, i: int) -> bool:
        """Whether a message without a reply still belongs to what its author wrote in last."""
        t, age = self.talk, self.talk.date[i] - c.last
        if t.role[i] == "agent":
            return age <= AGENT_NEAR
        if c.question is None or c.customer != t.author[i] or age > PATIENCE:
            return False
        if age <= SILENCE:
            return True
        if t.says(i, "persists", "reply") and None in (t.problem[i], c.problem):
            return True
        has_code = "<" in normalise(t.text[i])
        if t.sign(i) == "bad" and not (t.questions[i] or has_code):
            return True
        if t.opens[i] and (c.answered or t.problem[i] != c.problem):
            return False
        return not c.answered or t.sign(i) in ("good", "bad", "thanks")

    def _together(self, place: Any, one: Any, other: Any, now: int) -> Conversation | None:
        """The conversation in which two people both wrote a short while ago."""
        both = [
            (max(c.wrote[one], c.wrote[other]), c.number, c)
            for c in self.active[place]
            if min(c.wrote.get(one, 0), c.wrote.get(other, 0)) >= now - TOGETHER
        ]
        return max(both)[2] if both else None

    def _of_named(self, i: int) -> Conversation | None:
        """The conversation of the person whom a message names."""
        t, place, named = self.talk, self.talk.place[i], self.named[self.talk.place[i]]
        author, now = t.author[i], t.date[i]
        people = {named[word] for word in t.words(i) if word in named} - {author}
        if t.role[i] == "agent" or not (t.has_agents(i) or t.opens[i]):
            latest = {c.customer: c for c in self.active[place] if c.question is not None}
            waits = [
                c for person, c in latest.items()
                if person in people and not c.answered and now - c.last <= PATIENCE
            ]  # fmt: skip
            for c in waits[1:]:  # one message may answer two
                self._join(c, i)
            if waits:
                return waits[0]
        for other in people:
            row = self.latest[place, other]
            if now - t.date[row] <= NAMED and self.of[row] is not None and t.role[row] != "bot":
                return self._together(place, author, other, now) or self.of[row]
        return None

    def _near(self, i: int) -> Conversation | None:
        t, place, now = self.talk, self.talk.place[i], self.talk.date[i]
        near = self.active[place]
        # Who reacts to it had asked for it; an agent answers the latest who waits.
        people = [(place, e.from_id) for e in t.events.get(i, ())]
        waiting = [self.own[person][0] for person in people if person in self.own]
        waiting += reversed(near) if t.role[i] == "agent" else ()
        for c in waiting:
            if c.question is not None and not c.answered and now - c.last <= AGENT_NEAR:
                return c
        last = near[-1] if near else None
        is_said = t.text[i] and not t.is_opening(i) and t.role[i] != "agent"
        if last is None or now - last.last > MEMBER_NEAR or not is_said:
            return None
        before = last.rows[-1]
        if last.question is None:  # put to who just spoke, if it is short
            is_talk = t.role[before] == "customer" and t.problem[i] is None
            t.opens[i] = t.opens[i] and not (is_talk and len(t.words(i)) <= 6)
            return last if is_talk and len(t.words(i)) <= 6 else None
        is_asked = not last.answered and t.author[before] == last.customer
        return last if is_asked and not t.opens[i] else None
