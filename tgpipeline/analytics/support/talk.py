"""The messages of a group as lists, with what the rules of `signals` make of each."""

import re
from collections import defaultdict
from functools import lru_cache
from typing import Any

import pandas as pd

from tgpipeline.analytics.support import signals
from tgpipeline.analytics.topics.text import fold, normalise

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
        m, self.rules, self.agents = messages, rules, agents
        self.kind = m["content_type"].tolist()
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
        self.signs: dict[int, str] = {}
        self.real: dict[int, bool] = {}
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
        return bool(self.rules.rules["remark"][what].search(self.spelled(i)))

    def spelled(self, i: int) -> str:
        """A message in one spelling."""
        return normalise(self.text[i])

    def troubles(self, i: int) -> bool:
        """Whether a statement says that something is wrong."""
        talk = (
            self.rules.is_remark(self.text[i]) or self.says(i, "me_too") or self.says(i, "advice")
        )
        return not talk and self.rules.tells_trouble(self.text[i])

    def persists(self, i: int) -> bool:
        """Whether a message says that something is still as it was."""
        return bool(self.rules.rules["reply"]["persists"].search(self.spelled(i)))

    def has_code(self, i: int) -> bool:
        """Whether a message bears the number of an order, a document or the like."""
        return "<" in self.spelled(i)

    def is_opening(self, i: int) -> bool:
        """Whether a message greets or is a command: with it something else begins."""
        greets = self.rules.rules["answer"]["greeting"].match(self.spelled(i))
        return bool(greets) or self.text[i].startswith("/")

    def sign(self, i: int) -> str:
        """What it says of an answer, read by itself."""
        if i not in self.signs:
            self.signs[i] = self.rules.read(self.text[i])
        return self.signs[i]

    def answers(self, i: int) -> bool:
        """Whether a message of the bot or an agent answers anything."""
        if i not in self.real:
            text, kind = self.text[i], self.kind[i]
            told = self._shape(i) not in self.repeated and self.rules.is_answer(text)
            self.real[i] = told if text else bool(kind != "sticker")  # a voice message, a file
        return self.real[i]

    def _shape(self, i: int) -> str:
        """A bot's text without whom it is for."""
        whom = self.replied[i]
        names = set() if whom is None else set(self.names(whom))
        return " ".join(w for w in self.spelled(i).split() if w.strip(",.!?") not in names)

    def _repeated(self) -> set[str]:
        said: dict[str, set[str]] = defaultdict(set)
        for i, role in enumerate(self.role):
            if role == "bot" and (to := self.replied[i]) is not None and self.text[to]:
                said[self._shape(i)].add(self.spelled(to))
        return signals.repeated(said)


@lru_cache(100_000)
def _names(called: tuple[Any, Any]) -> list[str]:
    found = [fold(name) for name in called if isinstance(name, str)]
    first = [word[0] for name in found if (word := _NAME.findall(name))]
    return [name for name in {*found, *first} if len(name) > 2]
