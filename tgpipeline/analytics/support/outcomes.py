"""What became of each question: confirmed, assumed, not solved, unanswered, or still open.

Only what can be told is told. A customer who says that it worked is not one who falls silent, and a
bot that says it did not understand has answered nobody. A reply is read with the question and the
answer before it. What happened more than a horizon after the last message changes nothing.
"""

import re
from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from tgpipeline.analytics.support import signals
from tgpipeline.analytics.topics.text import fold, normalise

if TYPE_CHECKING:
    from tgpipeline.analytics.support.conversations import Conversation

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
_NAME = re.compile(r"[^\s,:;.!?()@]+")


class Talk:
    """Messages as lists, with what the rules make of each.

    Attributes:
        date, author, role, place, text, replied: of each message; `replied` is a row or None.
        asks, opens, wants, problem: whether it asks, may open a conversation, wants a person.
    """

    def __init__(
        self,
        messages: pd.DataFrame,
        role: "pd.Series[str]",
        marks: pd.DataFrame,
        events: pd.DataFrame,
        rules: signals.Signals,
        agents: set[int],
    ) -> None:
        m, self.messages, self.rules, self.agents = messages, messages, rules, agents
        self.date: list[int] = m["date"].tolist()
        self.role: list[str] = role.tolist()
        unknown = -(2**62)  # whom nobody knows is somebody else each time
        self.author = [unknown - i if pd.isna(a) else int(a) for i, a in enumerate(m["user_id"])]
        threads = [None if pd.isna(t) else int(t) for t in m["message_thread_id"]]
        self.place = list(zip(m["group_id"].tolist(), threads, strict=True))
        self.text = [text if isinstance(text, str) else "" for text in m["text"]]
        rows = {key: i for i, key in enumerate(zip(m["chat_id"], m["message_id"], strict=True))}
        targets = zip(m["chat_id"], m["reply_to_message_id"], strict=True)
        self.is_reply = m["reply_to_message_id"].notna().tolist()
        found = [
            rows.get(key) if yes else None for key, yes in zip(targets, self.is_reply, strict=True)
        ]
        self.replied = [r if r is not None and r < i else None for i, r in enumerate(found)]
        self.calls = list(zip(m["first_name"], m["username"], strict=True))
        self.until = max(self.date, default=0)
        self.wants: list[bool] = marks["wants_person"].tolist()
        known = (p if isinstance(p, str) else None for p in marks["problem"])
        self.problem: list[str | None] = list(known)
        self.questions: list[bool] = marks["is_question"].tolist()
        self.asks = (
            marks["is_question"] | marks["problem"].notna() | marks["wants_person"]
        ).tolist()
        self.has_agents = "agent" in self.role
        said = (t for t, r in zip(self.text, self.role, strict=True) if r == "customer" and t)
        self.judged = signals.is_judged(said)
        self.opens: list[bool] = [a and self._opens(i) for i, a in enumerate(self.asks)]
        self.repeated = self._repeated()
        self.events: dict[int, list[Any]] = defaultdict(list)
        for e in events[events["event_type"] != "chat_member"].itertuples():
            if (row := rows.get((e.chat_id, e.message_id))) is not None:
                self.events[row].append(e)

    def _opens(self, i: int) -> bool:
        """Whether what seems a question may open a conversation by itself."""
        if self.rules.is_remark(self.text[i]):
            return False
        if self.says(i, "me_too") and (len(self.words(i)) <= 4 or not self.questions[i]):
            return False  # joins in
        return bool(self.questions[i] or (self.wants[i] and self.has_agents) or self.troubles(i))

    def names(self, i: int) -> list[str]:
        """What the author of a message is called."""
        return _names(self.calls[i])

    def words(self, i: int) -> list[str]:
        """The words of a message, as names are spelled."""
        return _NAME.findall(fold(self.text[i]))

    def opens_with(self, i: int, names: list[str]) -> bool:
        """Whether a message begins with a name."""
        return any(name in names for name in self.words(i)[:1])

    def says(self, i: int, what: str) -> bool:
        """Whether a message holds one of the remarks of that name in the rules."""
        return bool(self.rules.rules["remark"][what].search(normalise(self.text[i])))

    def troubles(self, i: int) -> bool:
        """Whether a statement says that something is wrong."""
        talk = (
            self.rules.is_remark(self.text[i]) or self.says(i, "me_too") or self.says(i, "advice")
        )
        return not talk and self.rules.tells_trouble(self.text[i])

    def persists(self, i: int) -> bool:
        """Whether a message says that something is still as it was."""
        return bool(self.rules.rules["reply"]["persists"].search(normalise(self.text[i])))

    def has_code(self, i: int) -> bool:
        """Whether a message bears the number of an order, a document or the like."""
        return "<" in normalise(self.text[i])

    def is_opening(self, i: int) -> bool:
        """Whether a message greets or is a command: with it something else begins."""
        greets = self.rules.rules["answer"]["greeting"].match(normalise(self.text[i]))
        return bool(greets) or self.text[i].startswith("/")

    def sign(self, i: int) -> str:
        """What it says of an answer, read by itself."""
        return self.rules.read(self.text[i])

    def answers(self, i: int) -> bool:
        """Whether a message of the bot or an agent answers anything."""
        text = self.text[i]
        if not text:  # a voice message, a file
            return bool(self.messages["content_type"].iloc[i] != "sticker")
        return self._shape(i) not in self.repeated and self.rules.is_answer(text)

    def _shape(self, i: int) -> str:
        """A bot's text without whom it is for."""
        whom = self.replied[i]
        names = set() if whom is None else set(self.names(whom))
        return " ".join(w for w in normalise(self.text[i]).split() if w.strip(",.!?") not in names)

    def _repeated(self) -> set[str]:
        said: dict[str, set[str]] = defaultdict(set)
        for i, role in enumerate(self.role):
            if role == "bot" and (to := self.replied[i]) is not None and self.text[to]:
                said[self._shape(i)].add(normalise(self.text[to]))
        return signals.repeated(said)


@lru_cache(100_000)
def _names(called: tuple[Any, Any]) -> list[str]:
    found = [fold(name) for name in called if isinstance(name, str)]
    first = [word[0] for name in found if (word := _NAME.findall(name))]
    return [name for name in {*found, *first} if len(name) > 2]


def judge(c: "Conversation", talk: Talk, horizon: int) -> dict[str, Any]:
    """What became of a conversation: the values of `COLUMNS`.

    Args:
        c: with a question.
        talk: its messages.
        horizon: seconds.
    """
    found = _Judge(c, talk, horizon)
    return found.result()


class _Judge:
    """Goes through a conversation as it happened, up to a horizon after its last message."""

    def __init__(self, c: "Conversation", talk: Talk, horizon: int) -> None:
        assert c.question is not None
        self.c, self.talk, self.horizon = c, talk, horizon
        self.asked = talk.date[c.question]
        self.first: dict[str, int] = {}
        self.by = self.signal = self.verdict = ""
        self.answer = self.question = ""
        self.maybe: int | None = None  # a member's words that may be an answer
        self.wants = self.is_told = self.was_asked = self.handed = self.promised = False
        self.members = 0
        self.settled = self.asked
        for when, _, row, event in sorted(self._happened(), key=lambda e: e[:3]):
            if when > self.settled + horizon:
                break
            if event is None:
                self.settled = max(self.settled, when)
                self._message(row)
            else:
                self._event(row, event)

    def _happened(self) -> list[tuple[int, int, int, Any]]:
        t, found = self.talk, []
        for row in dict.fromkeys(self.c.rows):
            if t.date[row] >= self.asked:
                found.append((t.date[row], 0, row, None))
            for e in t.events.get(row, ()):
                when = t.date[row] if pd.isna(e.date) else int(e.date)  # a pressed button has none
                found.append((when, 1, row, e))
        return found

    def _message(self, row: int) -> None:
        t = self.talk
        if t.role[row] == "customer" and t.author[row] == self.c.customer:
            self._customer(row)
        elif t.role[row] == "customer" and t.has_agents:
            self._member(row)
        else:
            self._helper(row, "bot" if t.role[row] == "bot" else "person")

    def _helper(self, row: int, who: str) -> None:
        """A message of the bot or of a person who answers."""
        t, text = self.talk, self.talk.text[row]
        is_new = who not in self.first
        self.first.setdefault(who, t.date[row])
        self.handed = self.handed or (who == "person" and "bot" in self.first)
        if t.role[row] == "customer":
            self.members += 1
            if self._is_talk(row):
                if is_new:
                    del self.first[who]
                return
        if who == "bot" and self.wants:
            self.handed = True
            return  # a bot's reply does not answer someone who asked for a person
        if t.answers(row):
            self._answered(row, "members" if t.role[row] == "customer" else who)
        elif who == "person" and self.by == "bot" and t.rules.promises(text):
            self.promised = True
        self.was_asked = t.rules.asks_whether_it_helped(text)
        self.is_told = not self.was_asked and t.rules.asks_back(text)

    def _is_talk(self, row: int) -> bool:
        """Whether a member's words are no answer: a joke, "me too", a question back."""
        t = self.talk
        if t.questions[row] or t.text[row].rstrip().endswith("?"):
            self.is_told = True
            return True
        said = normalise(t.text[row])
        return t.rules.is_remark(t.text[row]) or bool(
            t.rules.rules["remark"]["me_too"].search(said)
        )

    def _member(self, row: int) -> None:
        self.members += 1
        if not self._is_talk(row):
            self.maybe = row

    def _answered(self, row: int, by: str) -> None:
        self.first.setdefault("answer", self.talk.date[row])
        if self.verdict != "good" and self.talk.text[row] != self.answer:
            self.verdict = ""
        self.by, self.answer, self.wants, self.promised = by, self.talk.text[row], False, False

    def _customer(self, row: int) -> None:
        t, text = self.talk, self.talk.text[row]
        if t.wants[row] and (self.first or not (t.questions[row] or t.problem[row])):
            self.handed = self.handed or "bot" in self.first
            self.wants, self.verdict = True, "bad"
            return
        if not self.first and self.maybe is None:
            self.question += " " + text
            self.wants = self.wants and not (t.questions[row] or t.problem[row])
            return
        sign = t.rules.read(text, self.question, self.answer, is_told=self.is_told)
        if self.was_asked and (words := t.words(row)) and sign != "bad":
            sign = "good" if words[0] in t.rules.rules["button"]["yes"] else sign
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
        elif not sign and self.by and not self.is_told and not self.verdict and self._goes_on(row):
            self.verdict = "bad"
        self.is_told = False

    def _goes_on(self, row: int) -> bool:
        """Whether a customer who was answered goes on as if they had not been."""
        return len(self.talk.words(row)) >= 3 and not self.talk.text[row].rstrip().endswith("?")

    def _event(self, row: int, e: Any) -> None:
        """A reaction of the customer, or a button that they pressed."""
        if e.from_id != self.c.customer or pd.isna(e.new_value) or not self.first:
            return
        rules = self.talk.rules.rules
        words = set(str(e.new_value).replace(":", " ").replace("_", " ").casefold().split())
        button = e.event_type == "callback_query"
        kinds = (
            rules["button"]
            if button
            else {"yes": rules["emoji"]["good"], "no": rules["emoji"]["bad"]}
        )
        if words & kinds["yes"] and not words & rules["button"]["no"]:
            if (
                self.by
                and not self.wants
                and not (self.verdict == "bad" and self.talk.role[row] == "bot" and not button)
            ):
                self.verdict, self.signal = "good", "button" if button else "reaction"
        elif words & kinds["no"]:
            self.verdict, self.signal = "bad", "complaint"

    def result(self) -> dict[str, Any]:
        after = {k: v - self.asked for k, v in self.first.items()}
        return {
            "outcome": self._outcome(),
            "by": self.by or None,
            "signal": self.signal or None,
            "bot_after": after.get("bot"),
            "person_after": after.get("person"),
            "answer_after": after.get("answer"),
            "members": self.members,
            "handed": self.handed,
            "settled": self.settled,
        }

    def _outcome(self) -> str:
        if self.talk.until < self.settled + self.horizon:
            return "open"
        if not self.talk.judged:
            return "not_judged"
        if not self.by:
            return "unanswered"
        if self.verdict == "good":
            return "confirmed"
        return "not_solved" if self.wants or self.promised or self.verdict == "bad" else "assumed"


def taken_back(frame: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """What seemed solved is not, where its customer came back about it within the horizon.

    Adds `back_after`: seconds until the same customer asked about the same problem again, or null.
    """
    ordered = frame[frame["problem"].notna()].sort_values("asked", kind="stable")
    later = ordered.groupby(["group_id", "customer", "problem"])["asked"].shift(-1)
    back = (later - ordered["settled"]).clip(lower=0).reindex(frame.index)
    came = back.le(horizon).fillna(False) & frame["outcome"].isin(["confirmed", "assumed"])
    return frame.assign(back_after=back, outcome=frame["outcome"].mask(came, "not_solved"))


def measures(conversations: pd.DataFrame) -> dict[str, tuple[Any, Any]]:
    """For each measure, which conversations it counts, and of which.

    The same conditions count in `metrics.outcomes` and mark the cases in `cases`.
    """
    c = conversations
    outcome, bot, handed = c["outcome"], c["bot_after"].notna(), c["handed"].fillna(False)
    settled = ~outcome.isin(["open", "not_judged"])
    alone = (c["by"] == "bot").fillna(False) & c["person_after"].isna() & ~handed
    solved = outcome.isin(["confirmed", "assumed"])
    answered = c["answer_after"].notna()
    good = c["signal"].isin(["thanks", "reaction", "button"])
    bad = c["signal"].eq("complaint").fillna(False)
    watched = c["settled"] + REOPENED <= c.attrs.get("until", 0)
    found = {name: (outcome == name, settled) for name in OUTCOMES[:-1]}
    return found | {
        "open": (outcome == "open", outcome.notna()),
        "answered": (answered, settled),
        "solved_at_most": (solved, settled),
        "bot_at_least": (alone & (outcome == "confirmed"), settled & bot),
        "bot_at_most": (alone & solved, settled & bot),
        "handed": (handed, settled & bot),
        "reopened": (c["back_after"].le(REOPENED).fillna(False), answered & watched),
        "satisfied": (good, good | bad),
    }


def cases(conversations: pd.DataFrame) -> pd.DataFrame:
    """One row for each conversation, with what every measure makes of it.

    Returns:
        The columns of `conversations.build` but `rows`, and one for each measure: true if it is
        counted, false if it is not, null if it is not of those that the measure is about.
    """
    marked = {
        name: counted.astype("boolean").where(of.astype(bool))
        for name, (counted, of) in measures(conversations).items()
    }
    return conversations.drop(columns="rows").assign(**marked)
