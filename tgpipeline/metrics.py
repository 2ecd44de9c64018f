"""Answers that are worked out from what SQL fetched: rates with intervals, outcomes, problems.

Every rate is a `Rate`: numerator, denominator, 95 % interval. What the lake cannot know is a rate
of nothing with a note that says why, never 0 %. `DEFINITIONS` says what each measure means.
"""

import hashlib
import hmac
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tgpipeline.errors import SettingsError

WEEK = 7 * 86_400
NO_BOT = (
    "the lake holds no message of a bot: a bot gets no updates for what it says itself, so archive "
    "it, with Bot.send_message(…, archive=lake.archive(settings))"
)
NO_SIGNALS = (
    "only thanks in words count: no reaction and no pressed button came in this period (they need "
    "message_reaction and callback_query in allowed_updates, reactions also an admin bot)"
)
NO_AUTHORS = "imported history does not say who is a bot: all of its authors count as people"
DEFINITIONS = {
    "conversation": "A customer's question or named problem with all that belongs to it: replies, "
    "then what is near in the same chat and topic. It ends after 6 hours of silence, or 72 hours "
    "while nobody has answered.",
    "agent": "Who answers for the group: those given; else administrators the lake knows of, and "
    "who replied to at least 5 different people and 2 % of all.",
    "answered": "Conversations in which the bot or an agent wrote after the question, of all.",
    "answered_by_bot": "Conversations in which the bot wrote after the question, of all.",
    "solved": "Conversations that ended with an answer after which the customer gave thanks, a "
    "good reaction, the yes button, or said nothing against it, of all. Silence counts as content.",
    "solved_by_bot": "Solved with no word from a person and none asked for, of those that the bot "
    "answered.",
    "handed": "An agent wrote, or was asked for, after the bot had answered; of those that the bot "
    "answered.",
    "reopened": "Solved conversations whose customer asked about the same problem again within 7 "
    "days, of those solved.",
    "durable": "Solved conversations that were not reopened for 7 days, of those that ended at "
    "least 7 days before the lake's last message.",
    "satisfied": "Thanks, good reactions and yes buttons, of those and complaints; the silent "
    "are left out.",
    "first_response": "Seconds from the question to the first message of the bot or an agent in "
    "the conversation, of those answered. Median and p90 are nearest ranks.",
    "minutes": "An agent's minutes: for each message the time since that agent's message before "
    "it, wherever it was, at most 5 minutes.",
    "same_answer": "Conversations whose longest answer by an agent is near the most typical one "
    "of the problem (cosine of TF-IDF of words at least 0.4), of the latest 2,000 that one answered.",
    "visits": "A person in an hour of a day, however many messages they write in it.",
    "interval": "95 % Wilson score interval. It takes cases as independent of each other.",
}


@dataclass(frozen=True)
class Rate:
    """A share with what it is made of.

    Attributes:
        numerator: how many.
        denominator: of how many.
    """

    numerator: int
    denominator: int

    @property
    def share(self) -> float:
        """The share; NaN of nothing."""
        return self.numerator / self.denominator if self.denominator else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson score interval; all of 0 to 1 where nothing is known.

        Source: https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval

        >>> [round(bound, 3) for bound in Rate(8, 10).interval]
        [0.49, 0.943]
        """
        n, z = self.denominator, 1.959963984540054
        if not n:
            return 0.0, 1.0
        p = self.numerator / n
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, centre - half), min(1.0, centre + half)

    def __str__(self) -> str:
        """The share with its interval and its counts.

        >>> print(Rate(8, 10))
        80% (8 of 10; 95% interval 49% to 94%)
        """
        if not self.denominator:
            return "unknown (0 of 0)"
        low, high = self.interval
        counts = f"{self.numerator:,} of {self.denominator:,}"
        return f"{self.share:.0%} ({counts}; 95% interval {low:.0%} to {high:.0%})"


def labels(people: pd.DataFrame, *, names: bool = False, salt: str = "") -> dict[int, str]:
    """What to call each person: a pseudonym, or their name.

    Args:
        people: answer of `people`.
        names: whether to show names.
        salt: with one, a person has the same pseudonym in every report with that salt, and who has
            not the salt cannot find the person behind it. Without one, people are numbered in the
            order in which they first wrote in the period, and other periods number them otherwise.

    Returns:
        For each user id, a label that no other has.
    """
    found: dict[int, str] = {}
    taken: set[str] = set()
    for number, row in enumerate(people.dropna(subset=["user_id"]).itertuples(), 1):
        user_id = int(row.user_id)
        kind = "bot" if row.is_bot else "person"
        if names and isinstance(row.name, str) and row.name.strip():
            label = row.name.strip()[:24]
        elif salt:
            digest = hmac.new(salt.encode(), str(user_id).encode(), hashlib.sha256).hexdigest()
            label = f"{kind} {digest[:6]}"
        else:
            label = f"{kind} {number}"
        while label in taken:
            label += "'"
        taken.add(label)
        found[user_id] = label
    return found


@dataclass(frozen=True)
class Office:
    """When people are at work, in local time.

    Attributes:
        hours: for each weekday (1 is Monday), from which hour to which.
    """

    hours: Mapping[int, tuple[float, float]]

    @classmethod
    def parse(cls, text: str) -> "Office":
        """Read it from text.

        Raises:
            SettingsError: if it is not written as in the example.

        >>> Office.parse("mon-fri 9-18, sat 9:30-13").hours[6]
        (9.5, 13.0)
        """
        hours: dict[int, tuple[float, float]] = {}
        for part in text.lower().split(","):
            match = _OFFICE.fullmatch(part.strip())
            if not match:
                raise SettingsError(
                    f"office hours {part.strip()[:40]!r}: write as in 'mon-fri 9-18, sat 9-13'."
                )
            first = _WEEKDAYS.index(match[1])
            last = _WEEKDAYS.index(match[2] or match[1])
            opens = int(match[3]) + int(match[4] or 0) / 60
            closes = int(match[5]) + int(match[6] or 0) / 60
            hours |= dict.fromkeys(range(first + 1, last + 2), (opens, closes))
        return cls(hours)

    def open(self, local_time: "pd.Series[Any]") -> "pd.Series[bool]":
        """Whether the office is open at these local times."""
        hour = local_time.dt.hour + local_time.dt.minute / 60
        span = [self.hours.get(d, (0.0, 0.0)) for d in (local_time.dt.day_of_week + 1).tolist()]
        return pd.Series(
            [a <= h < b for h, (a, b) in zip(hour, span, strict=True)], local_time.index, dtype=bool
        )


_WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAY = "(" + "|".join(_WEEKDAYS) + ")"
_OFFICE = re.compile(rf"{_DAY}(?:-{_DAY})? +(\d\d?)(?::(\d\d))?-(\d\d?)(?::(\d\d))?")


def rates(found: Mapping[str, tuple[Rate, str]]) -> pd.DataFrame:
    """Rates as a table: measure, numerator, denominator, share, low, high, note, definition."""
    rows = []
    for measure, (rate, note) in found.items():
        low, high = rate.interval if rate.denominator else (math.nan, math.nan)
        rows.append((measure, rate.numerator, rate.denominator, rate.share, low, high, note,
                     DEFINITIONS.get(measure, "")))  # fmt: skip
    names = "measure numerator denominator share low high note definition".split()
    return pd.DataFrame(rows, columns=names)


def outcomes(conversations: pd.DataFrame, coverage: pd.DataFrame) -> pd.DataFrame:
    """Do questions get solved, and by whom?

    Args:
        conversations: from `conversations.build`.
        coverage: answer of `coverage`, for what the lake cannot know.

    Returns:
        As `rates` makes it, a row for each of answered, answered_by_bot, solved, solved_by_bot,
        handed, reopened, durable, satisfied.
    """
    c, knows = conversations, coverage.iloc[0] if len(coverage) else pd.Series(dtype="Int64")
    bot, person = c["bot_after"].notna(), c["person_after"].notna()
    solved = is_solved(c)
    again = reopened(c)
    old = c["ended"] <= c.attrs.get("until", 0) - WEEK
    good = c["signal"].isin(["thanks", "reaction", "button"])
    bad = c["signal"].eq("complaint").fillna(False)
    some = bool(knows.get("messages", 0))
    no_bot = NO_BOT if some and not knows["by_bots"] else ""
    no_signals = NO_SIGNALS if some and not knows["reactions"] + knows["button_presses"] else ""
    alone = solved & bot & ~person & ~c["handed"]
    unknown = Rate(0, 0)
    return rates(
        {
            "answered": (_rate(bot | person), no_bot and f"by people only: {no_bot}"),
            "answered_by_bot": (unknown if no_bot else _rate(bot), no_bot),
            "solved": (_rate(solved), no_bot and f"by people only: {no_bot}"),
            "solved_by_bot": (unknown if no_bot else _rate(alone, bot), no_bot),
            "handed": (unknown if no_bot else _rate(c["handed"], bot), no_bot),
            "reopened": (_rate(again, solved), ""),
            "durable": (_rate(~again, solved & old), ""),
            "satisfied": (_rate(good, good | bad), no_signals),
        }
    )


def is_solved(conversations: pd.DataFrame) -> "pd.Series[bool]":
    """Which conversations ended with an answer and nothing said against it."""
    return conversations["state"].isin(["answered", "confirmed"]).astype(bool)


def reopened(conversations: pd.DataFrame) -> "pd.Series[bool]":
    """After which solved conversations their customer asked about the same problem again."""
    c = conversations.assign(solved=is_solved(conversations))
    c = c[c["problem"].notna()].sort_values("asked", kind="stable")
    later = c.groupby(["group_id", "customer", "problem"])["asked"].shift(-1)
    again = c["solved"] & (later - c["ended"]).le(WEEK).fillna(False).astype(bool)
    return again.reindex(conversations.index, fill_value=False).astype(bool)


def response_times(conversations: pd.DataFrame, office: Office) -> pd.DataFrame:
    """How long do customers wait for the first answer?

    Returns:
        A row for each of who answered (anyone, bot, person) and when it was asked (any time, office
        hours, outside): `who`, `asked`, `conversations`, `answered`, `median`, `p90` (seconds).
    """
    c = conversations
    first = pd.concat([c["bot_after"], c["person_after"]], axis=1).min(axis=1)
    times = {"anyone": first, "bot": c["bot_after"], "person": c["person_after"]}
    is_open = office.open(c["local_time"])
    when = {"any time": is_open | True, "office hours": is_open, "outside": ~is_open}
    rows = []
    for who, seconds in times.items():
        for label, chosen in when.items():
            found = sorted(seconds[chosen].dropna().astype(int))
            rows.append(
                (who, label, int(chosen.sum()), len(found), rank(found, 0.5), rank(found, 0.9))
            )
    names = "who asked conversations answered median p90".split()
    return pd.DataFrame(rows, columns=names)


def rank(ordered: list[int], share: float) -> float:
    """The nearest-rank quantile of ordered numbers; NaN of none.

    >>> rank([1, 2, 3, 4], 0.5), rank([1, 2, 3, 4], 0.9)
    (2, 4)
    """
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def questions_by_hour(conversations: pd.DataFrame) -> pd.DataFrame:
    """When questions are asked, for `charts.visits_by_hour`: no agents, no chatter."""
    counts = conversations["local_time"].dt.hour.value_counts().sort_index()
    frame = pd.DataFrame({"hour": counts.index.astype(int), "visits": counts.to_numpy(dtype=int)})
    frame.attrs = {"what": "questions", "parameters": conversations.attrs.get("parameters", {})}
    return frame


def busiest_hour(visits: pd.DataFrame) -> tuple[int, Rate, list[int]]:
    """The hour in which most people come, its share of visits, and which hours may be as busy.

    Args:
        visits: answer of `visits_by_hour`, not empty.

    Returns:
        The hour; the rate; the other hours whose intervals reach into that of the busiest.
    """
    total = int(visits["visits"].sum())
    found = {
        int(h): Rate(int(v), total) for h, v in zip(visits["hour"], visits["visits"], strict=True)
    }
    top = max(found, key=lambda hour: (found[hour].numerator, -hour))
    floor = found[top].interval[0]
    return top, found[top], [h for h, r in found.items() if h != top and r.interval[1] >= floor]


def _rate(cases: Any, of: Any = None) -> Rate:
    cases = cases.fillna(False).astype(bool)
    if of is None:
        return Rate(int(cases.sum()), len(cases))
    of = of.fillna(False).astype(bool)
    return Rate(int((cases & of).sum()), int(of.sum()))
