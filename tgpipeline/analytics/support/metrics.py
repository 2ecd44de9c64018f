"""Answers that are worked out from what SQL fetched: outcomes, waiting times, hours of questions.

What SQL is the right place for is in `queries/`; what problems there are, in `problems`. What each
measure means, and why one is not known, is written in `measures.toml`: what the lake cannot know is
a rate of nothing with a note that says why, never 0 %.
"""

import hashlib
import hmac
import math
import re
from typing import Any

import pandas as pd

from tgpipeline import resources
from tgpipeline.analytics.language import say, sentence
from tgpipeline.analytics.support.busiest import busiest_bands
from tgpipeline.analytics.support.outcomes import measures
from tgpipeline.analytics.support.silence import whole_days
from tgpipeline.analytics.support.statistics import ENOUGH, clustered, wait
from tgpipeline.errors import SettingsError

MEASURES = "analytics/support/measures.toml"
WATCHED = 72 * 3600  # seconds after which nobody waits for a first answer any more
_DAY = 24 * 60
_WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_NAMED = "(" + "|".join(_WEEKDAYS) + ")"
_OFFICE = re.compile(rf"{_NAMED}(?:-{_NAMED})? +(\d\d?)(?::([0-5]\d))?-(\d\d?)(?::([0-5]\d))?")


def definitions() -> dict[str, str]:
    """What each measure means, by its name."""
    return dict(resources.data(MEASURES)["measures"])


def note(name: str) -> str:
    """Why something is not known, in English."""
    return str(resources.data(MEASURES)["notes"][name])


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
        user_id, mark = int(row.user_id), str(number)
        if salt:
            mark = hmac.new(salt.encode(), str(user_id).encode(), hashlib.sha256).hexdigest()[:6]
        label = f"{say('bot') if row.is_bot else say('person')} {mark}"
        if names and isinstance(row.name, str) and row.name.strip():
            label = row.name.strip()[:24]
        while label in whose:
            label += "'"
        whose[label] = user_id
    return {user_id: label for label, user_id in whose.items()}


class Office:
    """When people are at work, in local time.

    Args:
        text: days and hours; spans may go past midnight and over the weekend, and a day have many.

    Attributes:
        minutes: those of a week at which the office is open, counted from Monday, 0:00.

    Raises:
        SettingsError: if it is not written as in the example, or says no time that there is.

    >>> len(Office("mon-fri 9-12, fri-sun 22-2:30").minutes) / 60
    28.5
    """

    def __init__(self, text: str) -> None:
        self.minutes: set[int] = set()
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
                self.minutes.update((day * _DAY + m) % (7 * _DAY) for m in range(opens, closes))

    def open(self, local_time: "pd.Series[Any]") -> "pd.Series[bool]":
        """Whether the office is open at these local times."""
        t = local_time.dt
        return (t.day_of_week * _DAY + t.hour * 60 + t.minute).isin(self.minutes)


def outcomes(conversations: pd.DataFrame, coverage: pd.DataFrame) -> pd.DataFrame:
    """Do questions get solved, and by whom?

    Args:
        conversations: from `find_conversations`.
        coverage: answer of `coverage`, for what the lake cannot know.

    Returns:
        One row for each of `outcomes.measures`: `measure`, `numerator`, `denominator`, `share`,
        `low`, `high`, `note`, `definition`. Shares and intervals of fewer than `ENOUGH` are
        missing, and the note says so.
    """
    c, day = conversations, conversations["local_time"].dt.normalize()
    knows = coverage.iloc[0] if len(coverage) else pd.Series(dtype="Int64")
    some = bool(knows.get("messages", 0))
    why = note("no_authors" if knows.get("by_unknown", 0) else "no_bot")
    no_bot = why if some and not knows["by_bots"] else ""
    is_seen = not some or knows["reactions"] + knows["button_presses"]
    no_signals = "" if is_seen else note("no_signals")
    not_judged = note("not_judged") if (c["outcome"] == "not_judged").any() else ""
    marks, about_bot = measures(c), ["bot_at_least", "bot_at_most", "handed"]
    if no_bot:
        marks[about_bot] = None
    notes = dict.fromkeys(("answered", "solved_at_most"), no_bot and f"by people only: {no_bot}")
    notes |= dict.fromkeys(about_bot, no_bot) | {"satisfied": no_signals}
    rows = []
    for name in marks:
        known = marks[name].dropna()
        rate = clustered(known, c["customer"][known.index], day[known.index])
        is_few = rate.denominator < ENOUGH
        shares = (math.nan,) * 3 if is_few else (rate.share, *rate.interval)
        few = note("too_few") if is_few and rate.denominator else ""
        why = not_judged or notes.get(name) or few
        rows.append((name, *rate[:2], *shares, why, definitions().get(str(name), "")))
    names = "measure numerator denominator share low high note definition"
    return pd.DataFrame(rows, columns=names.split())


def solved_by_bot(found: pd.DataFrame) -> str:
    """What `outcomes` says of whether the bot solves it: a range, for silence tells nothing."""
    rows = found.set_index("measure")
    low, high = rows.loc["bot_at_least"], rows.loc["bot_at_most"]
    if math.isnan(low["share"]):
        return say(str(low["note"])) or say("too few conversations")
    said = {"least": low["share"], "most": high["share"], "of": high["denominator"]}
    return sentence("solved_by_bot", low=low["low"], high=high["high"], **said)


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
        for asked, chosen in when.items():
            here = (chosen & of).astype(bool)
            told = wait(seconds[here], known[here], c["customer"][here], day[here])
            rows.append({"who": who, "asked": asked} | told)
    return pd.DataFrame(rows)


def questions_by_hour(conversations: pd.DataFrame) -> pd.DataFrame:
    """When questions are asked: no agents, no chatter.

    Returns:
        `hour`, `questions`; `attrs["bands"]` holds the busiest: see `busiest_bands`.
    """
    c, local = conversations, conversations["local_time"]
    if c.empty:
        return pd.DataFrame(columns=["hour", "questions"])
    counts = local.dt.hour.value_counts().reindex(range(24), fill_value=0)
    frame = counts.astype(int).rename_axis("hour").reset_index(name="questions")
    bands = busiest_bands(local, c["customer"], whole_days(c))
    frame.attrs = {"parameters": c.attrs.get("parameters", {}), "bands": bands}
    return frame
