"""What became of each question: confirmed, assumed, not solved, unanswered, or still open.

Only what can be told is told. A customer who says that it worked is not one who falls silent, and a
bot that says it did not understand has answered nobody. A reply is read with the question and the
answer before it. What happened more than a horizon after the last message changes nothing.
"""

from operator import itemgetter
from typing import Any

import pandas as pd

from tgpipeline.analytics.support import signals
from tgpipeline.analytics.support.grouping import Conversation
from tgpipeline.analytics.support.signals import says

OUTCOMES = ("confirmed", "assumed", "not_solved", "unanswered", "open")
# What `judge` tells. `outcome` is one of OUTCOMES, or not_judged, in a language without rules; `by`
# says who gave the last answer (bot, person, members), `signal` how the customer took it (thanks,
# reaction, button, complaint); then seconds until the bot, until a person wrote first, and until
# the first real answer; how many `members` wrote; whether it was `handed` (a person wrote, or was
# asked for, after the bot); and when it was `settled`: Unix seconds of the last that counted.
_NUMBERS = dict.fromkeys(("bot_after", "person_after", "answer_after", "members"), "Int64")
COLUMNS = dict.fromkeys(("outcome", "by", "signal"), "string") | _NUMBERS
COLUMNS |= {"handed": "boolean", "settled": "Int64"}
REOPENED = 7 * 86_400  # seconds in which a customer who asks about the same again reopens it


def judge(c: Conversation, until: int, horizon: int) -> dict[str, Any]:
    """What became of a conversation: the values of `COLUMNS`.

    Args:
        c: with a question.
        until: the last moment that is known, in Unix seconds.
        horizon: seconds.
    """
    j = _Judge(c, horizon)
    after = {f"{who}_after": when - c.question.date for who, when in j.first.items()}
    told = {"by": j.by or None, "signal": j.signal or None, "members": j.members}
    if not c.question.is_judged:
        outcome = "not_judged"
    elif until < j.settled + horizon:
        outcome = "open"
    elif not j.by:
        outcome = "unanswered"
    elif j.verdict == "good":
        outcome = "confirmed"
    else:
        outcome = "not_solved" if j.wants or j.verdict == "bad" else "assumed"
    told |= {"outcome": outcome, "handed": j.handed, "settled": j.settled}
    return dict.fromkeys(COLUMNS) | after | told


class _Judge:
    """Goes through a conversation as it happened, up to a horizon after its last message."""

    def __init__(self, c: Conversation, horizon: int) -> None:
        self.customer, self.settled = c.customer, c.question.date
        self.first: dict[str, int] = {}  # when the bot, a person wrote first; the first answer
        self.by = self.signal = self.verdict = self.answer = ""
        self.question: tuple[str, ...] = ()
        self.maybe: Any = None  # a member's message that may be an answer
        self.wants = self.handed = False
        self.members = 0
        happened = [(m.date, m, None) for m in c.messages if m.date >= self.settled]
        for m in c.messages:  # a pressed button has no date
            happened += [(m.date if pd.isna(e.date) else e.date, m, e) for e in m.events]
        for when, m, event in sorted(happened, key=itemgetter(0)):
            if when > self.settled + horizon:
                break
            if event is None:
                self.settled = when
                self._message(m)
            elif event.from_id == c.customer and not pd.isna(event.new_value) and self.first:
                self._event(event)

    def _message(self, m: Any) -> None:
        if m.author == self.customer and m.role == "customer":
            self._customer(m)
        elif m.role != "customer":
            self._helper(m, "bot" if m.role == "bot" else "person")
        else:
            self.members += 1
            asks_back = m.is_question or m.text.rstrip().endswith("?")
            if asks_back or signals.is_remark(m.text) or says("remark", "me_too", m.text):
                return  # a question back, a joke, "me too" are no answer
            if m.has_agents:
                self.maybe = m
            else:
                self._helper(m, "person")

    def _helper(self, m: Any, who: str) -> None:
        """A message of the bot or of a person who answers."""
        self.handed = self.handed or (who == "person" and "bot" in self.first)
        self.first.setdefault(who, m.date)
        if who == "bot" and self.wants:
            self.handed = True  # a bot's reply does not answer someone who asked for a person
        elif signals.answers(m):
            self._answered(m, "members" if m.role == "customer" else who)

    def _answered(self, m: Any, by: str) -> None:
        self.first.setdefault("answer", m.date)
        if self.verdict != "good":
            self.verdict = ""
        self.by, self.answer, self.wants = by, m.text, False

    def _customer(self, m: Any) -> None:
        asks_more = m.is_question or m.problem is not None
        if m.wants and (self.first or not asks_more):
            self.handed = self.handed or "bot" in self.first
            self.wants, self.verdict = True, "bad"
            return
        if not self.first and self.maybe is None:
            self.question += (m.text,)
            self.wants = self.wants and not asks_more
            return
        sign = signals.verdict(m.text, self.question, self.answer)
        if self.maybe is not None and (sign or not m.is_question):
            self._answered(self.maybe, "members")  # taken up, so it was one
        self.maybe = None
        if sign == "thanks" and not self.by:
            return  # for a promise
        if sign in ("good", "thanks"):
            if not self.by and self.first:
                self.by = "person" if "person" in self.first else "bot"
                self.first["answer"] = m.date
            self.verdict, self.signal = "good", "thanks"
        elif sign == "bad":
            self.verdict, self.signal = "bad", "complaint"
        elif self.by and not sign and not self.verdict and len(signals.name_words(m.text)) >= 3:
            self.verdict = "bad"  # who was answered goes on as if they had not been

    def _event(self, e: Any) -> None:
        """A reaction of the customer, or a button that they pressed."""
        words = set(str(e.new_value).replace(":", " ").replace("_", " ").casefold().split())
        is_button = e.event_type == "callback_query"
        kind, signal = ("button", "button") if is_button else ("emoji", "reaction")
        if words & signals.rule(kind, "bad"):
            self.verdict, self.signal = "bad", "complaint"
        elif words & signals.rule(kind, "good") and self.by and not self.wants:
            self.verdict, self.signal = "good", signal


def is_solved(conversations: pd.DataFrame) -> "pd.Series[bool]":
    """Which conversations are confirmed, or answered and then silent."""
    return conversations["outcome"].isin(["confirmed", "assumed"]).astype(bool)


def taken_back(frame: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """What seemed solved is not, where its customer came back about it within the horizon.

    Adds `back_after`: seconds until the same customer asked about the same problem again, or null.
    """
    ordered = frame[frame["problem"].notna()].sort_values("asked", kind="stable")
    later = ordered.groupby(["group_id", "customer", "problem"])["asked"].shift(-1)
    back = (later - ordered["settled"]).clip(lower=0).reindex(frame.index)
    came = back.le(horizon).fillna(False) & is_solved(frame)
    return frame.assign(back_after=back, outcome=frame["outcome"].mask(came, "not_solved"))


def measures(conversations: pd.DataFrame) -> pd.DataFrame:
    """What every measure makes of each conversation.

    Returns:
        A nullable boolean column for each measure: true if it is counted, false if it is not, null
        if it is not of those that the measure is about.
    """
    c = conversations
    outcome, is_judged = c["outcome"], c["outcome"] != "not_judged"
    settled = is_judged & (outcome != "open")
    handed, by_bot = c["handed"].fillna(False), settled & c["bot_after"].notna()
    alone = (c["by"] == "bot").fillna(False) & c["person_after"].isna() & ~handed
    solved, answered = is_solved(c), c["answer_after"].notna()
    good = c["signal"].isin(["thanks", "reaction", "button"])
    bad = c["signal"].eq("complaint").fillna(False)
    watched = c["settled"] + REOPENED <= c.attrs.get("until", 0)
    found = {name: (outcome == name, settled) for name in OUTCOMES[:-1]}
    found |= {
        "open": (outcome == "open", is_judged),
        "answered": (answered, settled),
        "solved_at_most": (solved, settled),
        "bot_at_least": (alone & (outcome == "confirmed"), by_bot),
        "bot_at_most": (alone & solved, by_bot),
        "handed": (handed, by_bot),
        "reopened": (c["back_after"].le(REOPENED).fillna(False), answered & watched),
        "satisfied": (good, (good | bad) & is_judged),
    }
    return pd.DataFrame(
        {
            name: counted.astype("boolean").where(of.fillna(False).astype(bool))
            for name, (counted, of) in found.items()
        }
    )


def cases(conversations: pd.DataFrame) -> pd.DataFrame:
    """One row for each conversation: the columns of `find_conversations` and of `measures`."""
    return conversations.drop(columns=["rows", "question_row"]).assign(**measures(conversations))
