"""The messages of groups as lists, with what the rules of `signals` make of each."""

import re
from collections import defaultdict
from collections.abc import Collection
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from tgpipeline.analytics.support.signals import Signals, is_judged, load_signals, said_to_all
from tgpipeline.analytics.topics.text import fold, normalise

if TYPE_CHECKING:
    from tgpipeline.analytics.topics import Topics

_NAME = re.compile(r"[^\s,:;.!?()@]+")
SPENT = 5 * 60  # seconds that one message counts for, at most
_NOBODY = -(2**62)  # whom nobody knows is somebody else each time


class Talk:
    """Messages as lists, with what the rules make of each.

    Args:
        messages: answer of `conversation_messages`, in order.
        events: answer of `conversation_events` of the same period.
        topics: labels problems.
        agents: user ids of who answers for the groups.
        rules: what people say of an answer; the packaged ones if not given.

    Attributes:
        role: of each message's author: bot, agent or customer.
        date, author, place, text, replied: of each message; `replied` is a row or None, `place` a
            group and its topic.
        spent: seconds since its author's message before it, at most `SPENT`.
        questions, wants, problem, asks, opens: whether it is a question, wants a person, names a
            problem; any of these; and whether it may open a conversation.
        to_all: texts of the bot that answer nothing, for they go to all questions.
        judged: for each group, whether the rules know its language. Where they do not, only a
            question mark asks.
    """

    def __init__(
        self,
        messages: pd.DataFrame,
        events: pd.DataFrame,
        topics: "Topics",
        agents: Collection[int] = (),
        rules: Signals | None = None,
    ) -> None:
        m, self.rules = messages, rules or load_signals()
        self._verdict, self._is_answer = cache(self.rules.verdict), cache(self.rules.is_answer)
        self._is_trouble, self.is_remark = (
            cache(self.rules.tells_trouble),
            cache(self.rules.is_remark),
        )
        role = m["user_id"].isin(list(agents)).map({True: "agent", False: "customer"})
        # Imported history does not know bots as such.
        role = role.mask(m["user_id"].isin(m.loc[m["is_bot"], "user_id"].unique()), "bot")
        said = m["text"].where(role == "customer")
        self.judged = {group: is_judged(t.dropna()) for group, t in said.groupby(m["group_id"])}
        is_known = m["group_id"].map(self.judged).astype(bool)
        marks = topics.table(said.where(is_known))
        has_mark = said.fillna("").map(normalise).str.contains("?", regex=False)
        questions = marks["is_question"] | (has_mark & ~is_known)
        is_any = questions | marks["problem"].notna() | marks["wants_person"]
        self.date: list[int] = m["date"].tolist()
        self.until = max(self.date, default=0)
        self.role: list[str] = role.tolist()
        self.kind = m["content_type"].tolist()
        self.author = [_NOBODY - i if pd.isna(a) else int(a) for i, a in enumerate(m["user_id"])]
        gaps = m["date"].groupby(m["user_id"]).diff().fillna(SPENT).clip(upper=SPENT)
        self.spent: list[int] = gaps.tolist()
        threads = m["message_thread_id"].fillna(0).tolist()
        self.place = list(zip(m["group_id"].tolist(), threads, strict=True))
        self._staffed = {*m.loc[role == "agent", "group_id"]}
        self.text: list[str] = m["text"].fillna("").tolist()
        self.names = [*map(_names, m["first_name"], m["username"])]
        rows = {key: i for i, key in enumerate(zip(m["chat_id"], m["message_id"], strict=True))}
        self.is_reply = m["reply_to_message_id"].notna().tolist()
        found = [rows.get(key) for key in zip(m["chat_id"], m["reply_to_message_id"], strict=True)]
        self.replied = [r if r is not None and r < i else None for i, r in enumerate(found)]
        self.questions: list[bool] = questions.tolist()
        self.wants: list[bool] = marks["wants_person"].tolist()
        self.problem: list[str | None] = marks["problem"].tolist()
        self.asks: list[bool] = is_any.tolist()
        self.opens = [asks and self._opens(i) for i, asks in enumerate(self.asks)]
        self.to_all = self._said_to_all()
        self.events: dict[int, list[Any]] = defaultdict(list)
        for e in events[events["event_type"] != "chat_member"].itertuples():
            if (row := rows.get((e.chat_id, e.message_id))) is not None:
                self.events[row].append(e)

    def _opens(self, i: int) -> bool:
        """Whether what seems a question may open a conversation by itself."""
        if self.is_remark(self.text[i]):
            return False
        if self.says(i, "me_too") and (len(self.words(i)) <= 4 or not self.questions[i]):
            return False  # joins in
        return self.questions[i] or (self.wants[i] and self.has_agents(i)) or self.troubles(i)

    def has_agents(self, i: int) -> bool:
        """Whether somebody answers for the group of a message; else its members do."""
        return self.place[i][0] in self._staffed

    def words(self, i: int) -> tuple[str, ...]:
        """The words of a message, as names are spelled."""
        return _words(self.text[i])

    def says(self, i: int, rule: str, section: str = "remark") -> bool:
        """Whether a message holds the words of one of the rules."""
        return self.rules.says(section, rule, self.text[i])

    def troubles(self, i: int) -> bool:
        """Whether a statement says that something is wrong."""
        return self._is_trouble(self.text[i])

    def is_opening(self, i: int) -> bool:
        """Whether a message greets or is a command: with it something else begins."""
        greets = self.rules.rules["answer"]["greeting"].match(normalise(self.text[i]))
        return bool(greets) or self.text[i].startswith("/")

    def sign(self, i: int) -> str:
        """What it says of an answer, read by itself."""
        return self._verdict(self.text[i])

    def answers(self, i: int) -> bool:
        """Whether a message of the bot or an agent answers anything; a voice message may."""
        if not self.text[i]:
            return bool(self.kind[i] != "sticker")
        return self._is_answer(self.text[i]) and self._shape(i) not in self.to_all

    def _shape(self, i: int) -> str:
        """A bot's text without whom it is for."""
        whom = self.replied[i]
        names = self.names[whom] if whom is not None else set()
        words = normalise(self.text[i]).split()
        return " ".join(word for word in words if word.strip(",.!?") not in names)

    def _said_to_all(self) -> set[str]:
        said: dict[str, set[str]] = defaultdict(set)
        for i, (role, to) in enumerate(zip(self.role, self.replied, strict=True)):
            if role == "bot" and to is not None and self.text[to]:
                said[self._shape(i)].add(normalise(self.text[to]))
        return said_to_all(said)


@lru_cache(100_000)
def _words(text: str) -> tuple[str, ...]:
    return tuple(_NAME.findall(fold(text)))


@lru_cache(100_000)
def _names(*called: Any) -> set[str]:
    """What somebody is called: the first words of their names."""
    first = [_words(name)[:1] for name in called if isinstance(name, str)]
    return {name for names in first for name in names if len(name) > 2}
