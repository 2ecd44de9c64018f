"""All answers about one period: each is asked when it is first needed, and kept."""

from collections.abc import Callable, Collection
from dataclasses import KW_ONLY, dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from tgpipeline.analytics import questions, topics
from tgpipeline.analytics.engine import Engine
from tgpipeline.analytics.language import LANGUAGES
from tgpipeline.analytics.support import conversations, discover, metrics, outcomes, problems
from tgpipeline.analytics.support.signals import language as language_of
from tgpipeline.analytics.tables import Mask
from tgpipeline.errors import QueryError, SettingsError
from tgpipeline.progress import progress

LONGEST_HORIZON = 168  # hours: messages are read for 16 days after the period


@dataclass
class Answers:
    """What can be said of a group in a period.

    Args:
        engine: who answers: see `athena.connect`.
        start: first local day.
        end: last local day, included.
        chat: one group, by any id it has had; all groups if 0.
        timezone: IANA name of the zone of days and hours; the engine's own if not given.
        names: whether to show people's names; pseudonyms otherwise.
        salt: makes pseudonyms the same in every report with that salt.
        agents: user ids of who answers for the group; the answer of `agents` if none is given.
        horizon: hours of silence after which it is settled what became of a question.
        office: office hours, as `metrics.Office` reads them.
        topics_file: definitions of problems; those of the package if not given.
        cut: a day to compare before and after; none if not given.
        language: of titles, `en` or `pt`; that in which most is written if not given.

    Attributes:
        asked: the answers of the engine so far, by the name of the question.
        first, last: the days of the period.

    Raises:
        QueryError: if the chat is not in the lake, a day is none, or the cut is not inside the
            period.
        SettingsError: if office hours or zone cannot be read, or a horizon is longer than a week.
    """

    engine: Engine
    _: KW_ONLY
    start: date | str
    end: date | str
    chat: int = 0
    timezone: str = ""
    names: bool = False
    salt: str = ""
    agents: Collection[int] = ()
    horizon: float = 72
    office: str = "mon-fri 9-18, sat 9-13"
    topics_file: str | Path = ""
    cut: date | str = ""
    language: str = ""
    asked: dict[str, pd.DataFrame] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        if not 0 < self.horizon <= LONGEST_HORIZON:
            raise SettingsError(f"horizon {self.horizon!r}: give 1 to {LONGEST_HORIZON} hours.")
        self.first = questions.day("start", self.start, "report")
        self.last = questions.day("end", self.end, "report")
        if self.cut and not self.first < questions.day("cut", self.cut, "report") <= self.last:
            raise QueryError(f"cut {self.cut} does not part {self.first} to {self.last} in two.")
        self.timezone = self.timezone or self.engine.timezone
        self.hours = metrics.Office(self.office)
        self.topics = topics.load(self.topics_file or None)
        self.chat = self.chat and self.engine.group_of(self.chat)
        if not self.language:
            said = language_of("\n".join(self.messages["text"].dropna().tail(5_000)))
            self.language = said if said in LANGUAGES else LANGUAGES[0]

    def ask(self, name: str, **more: Any) -> pd.DataFrame:
        """The answer of a question in `queries/` about the period: see `Engine.query`."""
        if name not in self.asked:
            where = {"start": self.first, "end": self.last, "timezone": self.timezone}
            self.asked[name] = self.engine.query(name, chat=self.chat, **where, **more)
        return self.asked[name]

    def __getitem__(self, name: str) -> pd.DataFrame:
        """An answer by its name: what is worked out here, or else what the engine is asked."""
        return getattr(self, name) if hasattr(type(self), name) else self.ask(name)

    @cached_property
    def groups(self) -> pd.DataFrame:
        """What the tables hold of the group, or of all groups: answer of `groups`."""
        found = self.engine.query("groups")
        return found[found["group_id"] == self.chat] if self.chat else found

    @cached_property
    def labels(self) -> dict[int, str]:
        """What to call each person, by user id."""
        return metrics.labels(self.ask("people"), names=self.names, salt=self.salt)

    @cached_property
    def masked(self) -> Callable[[pd.DataFrame], pd.DataFrame]:
        """What puts pseudonyms for people into a table, if names are hidden: see `tables.Mask`."""
        return Mask(self.messages, self.labels, self.names).table

    @property
    def messages(self) -> pd.DataFrame:
        """What was said: answer of `conversation_messages`."""
        return self.ask("conversation_messages")

    @cached_property
    @progress("messages put into conversations")
    def conversations(self) -> pd.DataFrame:
        """As `conversations.find_conversations` makes them."""
        events, agents = self.ask("conversation_events"), set(self.agents)
        if not agents:  # all of the lake decides, not the period
            found = self.asked["agents"] = self.engine.query("agents", chat=self.chat)
            agents = set(found["user_id"].dropna().astype(int))
        how: dict[str, Any] = {"agents": agents, "horizon": self.horizon}
        return conversations.find_conversations(self.messages, events, self.topics, **how)

    @property
    def change(self) -> pd.DataFrame:
        """What is different since the cut: answer of `before_and_after`, empty without one."""
        return self.ask("before_and_after", cut=self.cut) if self.cut else pd.DataFrame()

    @cached_property
    def questions_by_hour(self) -> pd.DataFrame:
        """As `metrics.questions_by_hour`."""
        return metrics.questions_by_hour(self.conversations)

    @cached_property
    def frequent(self) -> pd.DataFrame:
        """As `problems.frequent`."""
        said = self.conversations, self.messages
        return problems.frequent(*said, self.topics, language=self.language)

    @cached_property
    @progress("like questions put together")
    def clusters(self) -> pd.DataFrame:
        """As `discover.clusters`."""
        return discover.clusters(self.conversations, self.messages)

    @cached_property
    def outcomes(self) -> pd.DataFrame:
        """As `metrics.outcomes`."""
        return metrics.outcomes(self.conversations, self.ask("coverage"))

    @cached_property
    def cases(self) -> pd.DataFrame:
        """As `outcomes.cases`, with links: each number leads to its conversations."""
        return problems.with_links(outcomes.cases(self.conversations))

    @cached_property
    def waits(self) -> pd.DataFrame:
        """As `metrics.response_times`."""
        return metrics.response_times(self.conversations, self.hours)

    @cached_property
    def teach(self) -> pd.DataFrame:
        """As `problems.better_bot`."""
        said = self.conversations, self.messages
        return problems.better_bot(*said, self.topics, language=self.language)

    @cached_property
    def waiting(self) -> pd.DataFrame:
        """As `problems.unanswered`, of at least 24 hours."""
        return problems.unanswered(self.conversations, hours=24)

    def derived(self) -> dict[str, pd.DataFrame]:
        """What is worked out from the answers, by the name of its CSV file."""
        names = ("outcomes", "frequent", "waits", "teach", "waiting", "clusters")
        return {name: getattr(self, name) for name in names} | {"conversations": self.cases}
