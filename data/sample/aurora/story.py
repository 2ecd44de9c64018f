"""What happens in the group, before it is put into Telegram's words."""

import random
from dataclasses import dataclass, field
from datetime import timedelta
from math import log
from typing import Any

from aurora import clock
from aurora.people import CAMILA, DIEGO, FERNANDA, OWNER, Person


@dataclass(eq=False)
class Act:
    """One message. `content` holds the Bot API's fields beyond text: photo, sticker, poll …"""

    at: int
    who: Person
    text: str = ""
    reply_to: "Act | None" = None
    content: dict[str, Any] = field(default_factory=dict)
    service: bool = False
    edits: list[tuple[int, str]] = field(default_factory=list)
    conversation: "Conversation | None" = None
    chat_id: int = 0
    message_id: int = 0


@dataclass(eq=False)
class Happening:
    """Anything else that Telegram tells a bot: `fields` go into the update under `kind`."""

    at: int
    kind: str
    fields: dict[str, Any]
    about: Act | None = None


@dataclass(eq=False)
class Conversation:
    """A customer's matter and how it went: the truth that the metrics are held against."""

    id: int
    problem: str
    customer: Person
    slots: dict[str, str]
    language: str = "pt"
    also: str | None = None
    matter: str = ""  # what exactly: the mark of the phrase that said it
    acts: list[Act] = field(default_factory=list)
    question: Act | None = None
    solved_by: str = "nobody"
    handed_over: bool = False
    reopens: int | None = None
    reopened: bool = False
    signal: str | None = None

    def truth(self) -> dict[str, Any]:
        """One line of truth.ndjson."""
        question = self.question or self.acts[0]
        answers = [a for a in self.acts if a.who.role in ("bot", "agent") and a.at >= question.at]
        people = [a for a in answers if a.who.role == "agent"]
        return {
            "id": self.id, "problem": self.problem, "also": self.also, "language": self.language,
            "customer_id": self.customer.id, "question": [question.chat_id, question.message_id],
            "messages": [[act.chat_id, act.message_id] for act in self.acts],
            "opened_at": self.acts[0].at, "closed_at": self.acts[-1].at,
            "first_response_by": answers[0].who.role if answers else None,
            "first_response_seconds": answers[0].at - question.at if answers else None,
            "first_person_seconds": people[0].at - question.at if people else None,
            "solved_by": self.solved_by, "handed_over": self.handed_over,
            "reopens": self.reopens, "reopened": self.reopened, "signal": self.signal,
        }  # fmt: skip


class Story:
    """Everything that happens, gathered in any order."""

    def __init__(self) -> None:
        self.acts: list[Act] = []
        self.happenings: list[Happening] = []

    def say(self, act: Act) -> Act:
        """Add a message."""
        self.acts.append(act)
        if act.conversation:
            act.conversation.acts.append(act)
        return act

    def happen(self, at: int, kind: str, fields: dict[str, Any], about: Act | None = None) -> None:
        """Add something that is no message."""
        self.happenings.append(Happening(at, kind, fields, about))

    def react(
        self, at: int, who: Person, act: Act, new: str | None, old: str | None = None
    ) -> None:
        """Somebody reacts to a message, changes the reaction or (`new` None) takes it back."""
        fields = {
            "user": who.user(), "date": at,
            "old_reaction": [{"type": "emoji", "emoji": old}] if old else [],
            "new_reaction": [{"type": "emoji", "emoji": new}] if new else [],
        }  # fmt: skip
        self.happen(at, "message_reaction", fields, act)


class Desk:
    """The people at work: who is free when, and how long the next customer waits."""

    # agent, first and last day as days since the start, weekday hours, lunch hour
    SHIFTS = (
        (CAMILA, 0, 30, 9, 18, 12),
        (DIEGO, 0, 30, 9, 18, 13),
        (FERNANDA, 14, 30, 10, 18, 14),  # hired for the sale
        (OWNER, 17, 22, 9, 12, -1),
    )

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.free = {shift[0].id: 0 for shift in self.SHIFTS}

    def take(self, ready: int, agent: Person | None = None) -> tuple[Person, int]:
        """Who answers a customer that waits since `ready`, and when."""
        slots = [
            (self._first_moment(max(ready, self.free[shift[0].id]), shift), number, shift[0])
            for number, shift in enumerate(self.SHIFTS)
            if agent is None or shift[0] is agent
        ]
        start, _, who = min(slots, key=lambda slot: slot[:2])
        notice = self.think(150, 0.9) if start - ready < 600 else self.think(45, 0.7)
        self.free[who.id] = start + notice + self.rng.randrange(200, 560)
        return who, start + notice

    def think(self, median: float, spread: float = 0.7) -> int:
        """Seconds until somebody answers: log-normal around a median."""
        return max(1, round(self.rng.lognormvariate(log(median), spread)))

    def _first_moment(self, moment: int, shift: tuple[Person, int, int, int, int, int]) -> int:
        agent, first, last, opens, closes, lunch = shift
        for step in range(8 * 24 * 12):
            now = clock.local(moment)
            number = (now.date() - clock.FIRST).days
            works = opens <= now.hour < closes and now.hour != lunch and now.weekday() < 5
            if now.weekday() == 5 and 9 <= now.hour < 13:
                works = agent is (CAMILA, DIEGO)[now.isocalendar().week % 2] or number > 18
            if works and first <= number <= last and clock.office_is_open(moment):
                return moment
            moment = int(
                (now.replace(second=0) + timedelta(minutes=5 - now.minute % 5)).timestamp()
            )
            if step == 0:
                moment += self.rng.randrange(40)
        return moment
