"""Answers that are worked out from what SQL fetched: outcomes, waiting times, busy hours.

What SQL is the right place for is in `queries/`; what problems there are, in `problems`.
"""

import hashlib
import hmac
import math
import re
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tgpipeline.analytics.language import say
from tgpipeline.analytics.support.busiest import busiest_bands
from tgpipeline.analytics.support.outcomes import measures
from tgpipeline.analytics.support.rates import NO_AUTHORS, NO_BOT, NO_SIGNALS, NOT_JUDGED, rates
from tgpipeline.analytics.support.rates import Rate as Rate
from tgpipeline.analytics.support.rates import definitions as definitions
from tgpipeline.analytics.support.silence import whole_days
from tgpipeline.analytics.support.statistics import clustered, wait
from tgpipeline.errors import SettingsError

WATCHED = 72 * 3600  # seconds after which nobody waits for a first answer any more


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
    whose: dict[str, int] = {}
    for number, row in enumerate(people.dropna(subset=["user_id"]).itertuples(), 1):
        kind, user_id = say("bot") if row.is_bot else say("person"), int(row.user_id)
        label = f"{kind} {number}"
        if names and isinstance(row.name, str) and row.name.strip():
            label = row.name.strip()[:24]
        elif salt:
            digest = hmac.new(salt.encode(), str(user_id).encode(), hashlib.sha256).hexdigest()
            label = f"{kind} {digest[:6]}"
        while label in whose:
            label += "'"
        whose[label] = user_id
    return {user_id: label for label, user_id in whose.items()}


@dataclass(frozen=True)
class Office:
    """When people are at work, in local time.

    Attributes:
        minutes: those of a week at which the office is open, counted from Monday, 0:00.
    """

    minutes: frozenset[int]

    @classmethod
    def parse(cls, text: str) -> "Office":
        """Read it from text; spans may go past midnight and over the weekend, and a day have many.

        Raises:
            SettingsError: if it is not written as in the example, or says no time that there is.

        >>> len(Office.parse("mon-fri 9-12, fri-sun 22-2:30").minutes) / 60
        28.5
        """
        minutes: set[int] = set()
        for part in text.lower().split(","):
            match = _OFFICE.fullmatch(part.strip())
            times = (match.group(3, 4), match.group(5, 6)) if match else ((0, 0), (0, 0))
            opens, closes = (60 * int(hour) + int(minute or 0) for hour, minute in times)
            if not match or opens == closes or opens >= _DAY or closes > _DAY:
                raise SettingsError(
                    f"office hours {part.strip()[:40]!r}: write days and hours as in "
                    "'mon-fri 9-18, sat 9-13'; 'fri 22-6' ends on Saturday."
                )
            first, last = (_WEEKDAYS.index(match[i] or match[1]) for i in (1, 2))
            closes += _DAY if closes < opens else 0
            for day in range(first, first + (last - first) % 7 + 1):
                minutes.update((day * _DAY + m) % (7 * _DAY) for m in range(opens, closes))
        return cls(frozenset(minutes))

    def open(self, local_time: "pd.Series[Any]") -> "pd.Series[bool]":
        """Whether the office is open at these local times."""
        t = local_time.dt
        return (t.day_of_week * _DAY + t.hour * 60 + t.minute).isin(self.minutes)


_DAY = 24 * 60
_WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_NAMED = "(" + "|".join(_WEEKDAYS) + ")"
_OFFICE = re.compile(rf"{_NAMED}(?:-{_NAMED})? +(\d\d?)(?::([0-5]\d))?-(\d\d?)(?::([0-5]\d))?")


def outcomes(conversations: pd.DataFrame, coverage: pd.DataFrame) -> pd.DataFrame:
    """Do questions get solved, and by whom?

    Args:
        conversations: from `find_conversations`.
        coverage: answer of `coverage`, for what the lake cannot know.

    Returns:
        As `rates` makes it, one row for each of `outcomes.measures`.
    """
    c, day = conversations, conversations["local_time"].dt.normalize()
    knows = coverage.iloc[0] if len(coverage) else pd.Series(dtype="Int64")
    some = bool(knows.get("messages", 0))
    why = NO_AUTHORS if knows.get("by_unknown", 0) else NO_BOT
    no_bot = why if some and not knows["by_bots"] else ""
    no_signals = NO_SIGNALS if some and not knows["reactions"] + knows["button_presses"] else ""
    not_judged = NOT_JUDGED if (c["outcome"] == "not_judged").any() else ""
    notes = dict.fromkeys(("answered", "solved_at_most"), no_bot and f"by people only: {no_bot}")
    notes |= {"satisfied": no_signals}
    found = {}
    for name, (counted, of) in measures(c).items():
        about_bot = name in ("bot_at_least", "bot_at_most", "handed")
        here = of.fillna(False).astype(bool) & (not (about_bot and no_bot))
        hits = counted[here].fillna(False).astype(bool)
        note = no_bot if about_bot else notes.get(name, "")
        found[name] = (clustered(hits, c["customer"][here], day[here]), not_judged or note)
    return rates(found)


def solved_by_bot(found: pd.DataFrame) -> str:
    """What can be said of whether the bot solves it: a range, for silence tells nothing.

    Args:
        found: from `outcomes`.
    """
    rows = found.set_index("measure")
    low, high = rows.loc["bot_at_least"], rows.loc["bot_at_most"]
    if math.isnan(low["share"]):
        return say(str(low["note"])) or say("too few conversations")
    return say(
        "between {least:.0%} (customers said so) and {most:.0%} (or fell silent) of {of:,} "
        "conversations it wrote in; with chance, {low:.0%} to {high:.0%}",
        least=low["share"], most=high["share"], of=low["denominator"], low=low["low"],
        high=high["high"],
    )  # fmt: skip


def response_times(conversations: pd.DataFrame, office: Office) -> pd.DataFrame:
    """How long do customers wait for the first answer?

    Who got none counts as still waiting, for as long as the lake knows, 72 hours at most. For a
    person wait all to whom a person wrote, who asked for one, or whom the bot did not answer.

    Returns:
        A row for each of who answers (anyone, bot, person) and when it was asked (any time, office
        hours, outside): `who`, `asked`, `conversations`, `answered`, `median` with its interval
        `low` and `high`, `p90`, all in seconds: infinite where fewer than that were answered.
    """
    c = conversations
    bot, person = c["bot_after"], c["person_after"]
    known = (c.attrs.get("until", 0) - c["asked"]).clip(0, WATCHED)
    for_person = person.notna() | c["handed"].fillna(False) | bot.isna()
    first = pd.concat([bot, person], axis=1).min(axis=1)
    times = {"anyone": (first, True), "bot": (bot, True), "person": (person, for_person)}
    is_open = office.open(c["local_time"])
    when = {"any time": is_open | True, "office hours": is_open, "outside": ~is_open}
    day = c["local_time"].dt.normalize()
    rows = []
    for who, (seconds, of) in times.items():
        for label, chosen in when.items():
            here = (chosen & of).astype(bool)
            w = wait(seconds[here], known[here], c["customer"][here], day[here])
            rows.append((who, label, w.cases, w.answered, w.median, w.low, w.high, w.p90))
    names = "who asked conversations answered median low high p90".split()
    return pd.DataFrame(rows, columns=names)


def questions_by_hour(conversations: pd.DataFrame) -> pd.DataFrame:
    """When questions are asked: no agents, no chatter.

    Returns:
        `hour`, `questions`; `attrs["bands"]` holds the busiest: see `busiest_bands`.
    """
    local = conversations["local_time"]
    period = conversations.attrs.get("parameters", {})
    if conversations.empty:
        return pd.DataFrame(columns=["hour", "questions"])
    counts = local.dt.hour.value_counts().reindex(range(24), fill_value=0)
    frame = pd.DataFrame({"hour": range(24), "questions": counts.to_numpy(dtype=int)})
    bands = busiest_bands(local, conversations["customer"], whole_days(conversations))
    frame.attrs = {"parameters": period, "bands": bands}
    return frame
