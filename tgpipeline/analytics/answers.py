"""All answers about one period: each is asked when it is first needed, and kept."""

from collections.abc import Collection
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from tgpipeline.analytics import questions, topics
from tgpipeline.analytics.engine import Engine
from tgpipeline.analytics.language import detect
from tgpipeline.analytics.support import conversations, discover, metrics, outcomes, problems
from tgpipeline.errors import QueryError, SettingsError
from tgpipeline.progress import progress

LONGEST_HORIZON = 168  # hours: messages are read for 16 days after the period
OFFICE = "mon-fri 9-18, sat 9-13"


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
        office: office hours, as `metrics.Office.parse` reads them.
        topics_file: definitions of problems; those of the package if not given.
        cut: a day to compare before and after; none if not given.
        language: of titles, `en` or `pt`; that in which most is written if not given.

    Attributes:
        asked: the answers of the engine so far, in order.
        zone_hint: None if a zone was named; else what is known of the export's: see `Engine`.

    Raises:
        QueryError: if the chat is not in the lake, a day is none, or the cut is not inside the
            period.
        SettingsError: if office hours or zone cannot be read, or a horizon is longer than a week.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        start: date | str,
        end: date | str,
        chat: int = 0,
        timezone: str = "",
        names: bool = False,
        salt: str = "",
        agents: Collection[int] = (),
        horizon: float = 72,
        office: str = OFFICE,
        topics_file: str | Path = "",
        cut: date | str = "",
        language: str = "",
    ) -> None:
        self.engine, self.names, self.salt, self.agents = engine, names, salt, agents
        if not 0 < horizon <= LONGEST_HORIZON:
            raise SettingsError(f"horizon {horizon!r}: give 1 to {LONGEST_HORIZON} hours.")
        self.horizon = horizon
        first, last = (questions.day(*pair, "report") for pair in (("start", start), ("end", end)))
        self.start, self.end, self.cut = str(first), str(last), ""
        if cut and not first < (middle := questions.day("cut", cut, "report")) <= last:
            raise QueryError(f"cut {middle} has no day before it in the period, {first} to {last}.")
        if cut:
            self.cut = str(middle)
        self.timezone, self.chat = timezone or engine.timezone, chat
        self.zone_hint = None if timezone else engine.zone_hint
        self.office, self.topics = metrics.Office.parse(office), topics.load(topics_file or None)
        self.asked: list[pd.DataFrame] = []
        self._language = language
        self._kept: dict[str, pd.DataFrame] = {}
        if chat:
            engine.group_of(chat)

    def ask(self, name: str, **more: Any) -> pd.DataFrame:
        """The answer of a question in `queries/` about the period: see `Engine.query`."""
        if name not in self._kept:
            period = {"start": self.start, "end": self.end, "chat": self.chat}
            self._kept[name] = self.engine.query(name, **period, timezone=self.timezone, **more)
            self.asked.append(self._kept[name])
        return self._kept[name]

    def days_before(self) -> tuple[date, int]:
        """The first day that the tables hold, and how many days of the period lie before it."""
        groups = self.engine.query("groups")
        if self.chat:
            groups = groups[groups["group_id"] == self.engine.group_of(self.chat)]
        start, end = date.fromisoformat(self.start), date.fromisoformat(self.end)
        first = min((day.date() for day in groups["first_day"].dropna()), default=start)
        return first, max(0, (min(first, end + timedelta(1)) - start).days)

    @cached_property
    def language(self) -> str:
        """The language as given, or that in which most of the last messages are written."""
        return self._language or detect(self.messages["text"].dropna().tail(5_000))

    @cached_property
    def labels(self) -> dict[int, str]:
        """What to call each person, by user id."""
        return metrics.labels(self.ask("people"), names=self.names, salt=self.salt)

    @property
    def messages(self) -> pd.DataFrame:
        """What was said: answer of `conversation_messages`."""
        return self.ask("conversation_messages")

    @cached_property
    def conversations(self) -> pd.DataFrame:
        """As `conversations.find_conversations` makes them."""
        events = self.ask("conversation_events")
        agents = set(self.agents)
        if not agents:  # all of the lake decides, not the period
            self.asked.append(self.engine.query("agents", chat=self.chat))
            agents = set(self.asked[-1]["user_id"].dropna().astype(int))
        with progress("messages put into conversations"):
            return conversations.find_conversations(
                self.messages, events, self.topics, agents, horizon=self.horizon
            )

    @cached_property
    def frequent(self) -> pd.DataFrame:
        """As `problems.frequent`."""
        asked = self.conversations, self.messages, self.topics
        return problems.frequent(*asked, language=self.language)

    @cached_property
    def clusters(self) -> pd.DataFrame:
        """As `discover.clusters`."""
        asked = self.conversations, self.messages
        with progress("like questions put together"):
            return discover.clusters(*asked)

    @cached_property
    def outcomes(self) -> pd.DataFrame:
        """As `metrics.outcomes`."""
        return metrics.outcomes(self.conversations, self.ask("coverage"))

    @cached_property
    def cases(self) -> pd.DataFrame:
        """As `outcomes.cases`, with links: each number leads to its conversations."""
        found = outcomes.cases(self.conversations)
        return problems.with_links(found)

    @cached_property
    def waits(self) -> pd.DataFrame:
        """As `metrics.response_times`."""
        return metrics.response_times(self.conversations, self.office)

    @cached_property
    def teach(self) -> pd.DataFrame:
        """As `problems.better_bot`."""
        asked = self.conversations, self.messages, self.topics
        return problems.better_bot(*asked, language=self.language)

    @cached_property
    def waiting(self) -> pd.DataFrame:
        """As `problems.unanswered`, of at least 24 hours."""
        return problems.unanswered(self.conversations, hours=24)

    def derived(self) -> dict[str, pd.DataFrame]:
        """What is worked out from the answers, by the name of its CSV file."""
        names = ("outcomes", "frequent", "waits", "teach", "waiting", "clusters")
        found = {name: getattr(self, name) for name in names}
        return found | {"conversations": self.cases}
