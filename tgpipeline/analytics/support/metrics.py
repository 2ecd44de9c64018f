"""Answers that are worked out from what SQL fetched: outcomes, waiting times, busy hours.

What SQL is the right place for is in `queries/`; what problems there are, in `problems`.
"""

import hashlib
import hmac
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tgpipeline.analytics.language import say
from tgpipeline.analytics.support.rates import DEFINITIONS as DEFINITIONS
from tgpipeline.analytics.support.rates import NO_AUTHORS, NO_BOT, NO_SIGNALS, rates
from tgpipeline.analytics.support.rates import Rate as Rate
from tgpipeline.errors import SettingsError

WEEK = 7 * 86_400


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
        kind = say("bot") if row.is_bot else say("person")
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
    why = NO_AUTHORS if knows.get("by_unknown", 0) else NO_BOT
    no_bot = why if some and not knows["by_bots"] else ""
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
