"""What became of each question: confirmed, assumed, not solved, unanswered, or still open.

Only what can be told is told. A customer who says that it worked is not one who falls silent, and a
bot that says it did not understand has answered nobody. A reply is read with the question and the
answer before it. What happened more than a horizon after the last message changes nothing.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from tgpipeline.analytics.support.talk import Talk

if TYPE_CHECKING:
    from tgpipeline.analytics.support.grouping import Conversation

OUTCOMES = ("confirmed", "assumed", "not_solved", "unanswered", "open")
COLUMNS = {
    "outcome": "string",  # one of OUTCOMES, or not_judged: in a language without rules
    "by": "string",  # who gave the last answer: bot, person, members
    "signal": "string",  # how the customer said it: thanks, reaction, button, complaint
    "bot_after": "Int64",  # seconds until the bot, a person wrote first
    "person_after": "Int64",
    "answer_after": "Int64",  # seconds until the first real answer
    "members": "Int64",  # messages of other customers
    "handed": "boolean",  # a person wrote, or was asked for, after the bot
    "settled": "Int64",  # Unix seconds of the last that counted
}
REOPENED = 7 * 86_400  # seconds in which a customer who asks about the same again reopens it
TAKEN_UP = 15 * 60  # seconds in which the customer takes up what a member said


def judge(c: "Conversation", talk: Talk, horizon: int) -> dict[str, Any]:
    """What became of a conversation: the values of `COLUMNS`.

    Args:
        c: with a question.
        talk: its messages.
        horizon: seconds.
    """
    return _Judge(c, talk, horizon).result()


class _Judge:
    """Goes through a conversation as it happened, up to a horizon after its last message."""

    def __init__(self, c: "Conversation", talk: Talk, horizon: int) -> None:
        assert c.question is not None
        self.c, self.talk, self.horizon = c, talk, horizon
        self.group, self.asked = talk.place[c.question][0], talk.date[c.question]
        self.first: dict[str, int] = {}  # when the bot, a person wrote first; the first answer
        self.by = self.signal = self.verdict = self.answer = ""
        self.question: list[str] = []
        self.maybe: int | None = None  # a member's words that may be an answer
        self.wants = self.is_told = self.was_asked = self.handed = self.promised = False
        self.members, self.settled = 0, self.asked
        for when, _, row, event in sorted(self._happened(), key=lambda e: e[:3]):
            if when > self.settled + horizon:
                break
            if event is None:
                self.settled = max(self.settled, when)
                self._message(row)
            else:
                self._event(row, event)

    def _happened(self) -> Iterator[tuple[int, int, int, Any]]:
        t = self.talk
        for row in dict.fromkeys(self.c.rows):
            if t.date[row] >= self.asked:
                yield t.date[row], 0, row, None
            for e in t.events.get(row, ()):  # a pressed button has no date
                yield t.date[row] if pd.isna(e.date) else int(e.date), 1, row, e

    def _message(self, row: int) -> None:
        role = self.talk.role[row]
        if role == "customer" and self.talk.author[row] == self.c.customer:
            self._customer(row)
            return
        is_talk = False
        if role == "customer":
            self.members += 1
            is_talk = self._is_talk(row)
        if role != "customer" or not self.talk.has_agents(row):
            self._helper(row, "bot" if role == "bot" else "person", is_talk)
        elif not is_talk:
            self.maybe = row

    def _is_talk(self, row: int) -> bool:
        """Whether a member's words are no answer: a joke, "me too", a question back."""
        t = self.talk
        if t.questions[row] or t.text[row].rstrip().endswith("?"):
            self.is_told = True
            return True
        return t.is_remark(t.text[row]) or t.says(row, "me_too")

    def _helper(self, row: int, who: str, is_talk: bool) -> None:
        """A message of the bot or of a person who answers."""
        t, text = self.talk, self.talk.text[row]
        self.handed = self.handed or (who == "person" and "bot" in self.first)
        if is_talk:
            return
        self.first.setdefault(who, t.date[row])
        if who == "bot" and self.wants:
            self.handed = True
            return  # a bot's reply does not answer someone who asked for a person
        if t.answers(row):
            self._answered(row, "members" if t.role[row] == "customer" else who)
        elif who == "person" and self.by == "bot" and t.says(row, "promise", "answer"):
            self.promised = True
        self.was_asked = t.rules.asks_whether_it_helped(text)
        self.is_told = not self.was_asked and t.rules.asks_back(text)

    def _answered(self, row: int, by: str) -> None:
        self.first.setdefault("answer", self.talk.date[row])
        if self.verdict != "good":
            self.verdict = ""
        self.by, self.answer, self.wants, self.promised = by, self.talk.text[row], False, False

    def _customer(self, row: int) -> None:
        t, text = self.talk, self.talk.text[row]
        asks_more = t.questions[row] or t.problem[row] is not None
        if t.wants[row] and (self.first or not asks_more):
            self.handed = self.handed or "bot" in self.first
            self.wants, self.verdict = True, "bad"
            return
        if not self.first and self.maybe is None:
            self.question.append(text)
            self.wants = self.wants and not asks_more
            return
        sign = t.rules.verdict(text, self.question, self.answer, is_told=self.is_told)
        if (
            self.was_asked
            and sign != "bad"
            and {*t.words(row)[:1]} & t.rules.rules["button"]["good"]
        ):
            sign = "good"
        if self.maybe is not None and (sign or not t.questions[row]):
            soon = t.date[row] - t.date[self.maybe] <= TAKEN_UP or t.replied[row] == self.maybe
            if soon:
                self._answered(self.maybe, "members")  # taken up, so it was one
        self.maybe = None
        if sign == "thanks" and not self.by:
            return  # for a promise
        if sign in ("good", "thanks"):
            if not self.by and self.first:
                self.by = "person" if "person" in self.first else "bot"
                self.first["answer"] = t.date[row]
            self.verdict, self.signal = "good", "thanks"
        elif sign == "bad":
            self.verdict, self.signal = "bad", "complaint"
        elif self.by and not (sign or self.is_told or self.verdict) and self._goes_on(row):
            self.verdict = "bad"
        self.is_told = False

    def _goes_on(self, row: int) -> bool:
        """Whether a customer who was answered goes on as if they had not been."""
        return len(self.talk.words(row)) >= 3 and not self.talk.text[row].rstrip().endswith("?")

    def _event(self, row: int, e: Any) -> None:
        """A reaction of the customer, or a button that they pressed."""
        if e.from_id != self.c.customer or pd.isna(e.new_value) or not self.first:
            return
        words = set(str(e.new_value).replace(":", " ").replace("_", " ").casefold().split())
        is_button, rules = e.event_type == "callback_query", self.talk.rules.rules
        said = rules["button" if is_button else "emoji"]
        if words & said["good"] and not words & said["bad"]:
            if self.by and not self.wants:
                self.verdict, self.signal = "good", "button" if is_button else "reaction"
        elif words & said["bad"]:
            self.verdict, self.signal = "bad", "complaint"

    def result(self) -> dict[str, Any]:
        after = {f"{who}_after": when - self.asked for who, when in self.first.items()}
        told = {"outcome": self._outcome(), "by": self.by or None, "signal": self.signal or None}
        seen = {"members": self.members, "handed": self.handed, "settled": self.settled}
        return dict.fromkeys(COLUMNS) | after | told | seen

    def _outcome(self) -> str:
        if not self.talk.judged.get(self.group, True):
            return "not_judged"
        if self.talk.until < self.settled + self.horizon:
            return "open"
        if not self.by:
            return "unanswered"
        if self.verdict == "good":
            return "confirmed"
        return "not_solved" if self.wants or self.promised or self.verdict == "bad" else "assumed"


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
