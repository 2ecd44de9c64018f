"""The calendar of the sample: who is awake, who works, and what the shop is going through."""

import random
from datetime import date, datetime, timedelta, timezone

SAO_PAULO = timezone(timedelta(hours=-3))  # no daylight saving time since 2019
FIRST, LAST = date(2025, 11, 10), date(2025, 12, 9)
BLACK_FRIDAY = date(2025, 11, 28)

# Conversations opened on a day, Monday to Sunday, before what the calendar adds.
WEEK = (18.5, 16.5, 15.5, 15, 14, 8.5, 6.5)
HOURS = (
    .25, .12, .06, .04, .04, .08, .25, .6, 1.1, 1.8, 2.3, 2.1, 1.6, 1.5, 1.8, 1.9, 1.8, 1.6, 1.4,
    1.6, 2.0, 1.9, 1.3, .7,
)  # fmt: skip
RUSH = {
    date(2025, 11, 15): 0.8, date(2025, 11, 20): 0.7,  # holidays
    date(2025, 11, 24): 1.1, date(2025, 11, 25): 1.1, date(2025, 11, 26): 1.2,
    date(2025, 11, 27): 1.5, BLACK_FRIDAY: 2.9, date(2025, 11, 29): 2.6, date(2025, 11, 30): 2.3,
    date(2025, 12, 1): 1.6, date(2025, 12, 2): 1.2, date(2025, 12, 3): 1.3,
    date(2025, 12, 4): 1.5, date(2025, 12, 5): 1.7, date(2025, 12, 6): 1.9,
    date(2025, 12, 7): 1.9, date(2025, 12, 8): 1.6, date(2025, 12, 9): 1.5,
}  # fmt: skip


def at(day: date, clock: str) -> int:
    """Unix time of a wall-clock time in São Paulo.

    >>> at(date(2025, 11, 10), "09:00:00")
    1762776000
    """
    hour, minute, second = map(int, clock.split(":"))
    return int(
        datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=SAO_PAULO).timestamp()
    )


def local(moment: int) -> datetime:
    """The wall-clock time of a moment in São Paulo."""
    return datetime.fromtimestamp(moment, SAO_PAULO)


MIGRATION = at(date(2025, 11, 13), "14:37:20")
START, END = at(FIRST, "00:00:00"), at(LAST, "23:59:59")
DOWN = (at(date(2025, 12, 1), "02:10:00"), at(date(2025, 12, 5), "16:40:00"))


def bot_is_up(moment: int) -> bool:
    """Whether the answering side of the bot runs; its webhook always does."""
    return not DOWN[0] <= moment <= DOWN[1]


def office_is_open(moment: int) -> bool:
    """Monday to Friday 9 to 18, Saturday 9 to 13, not on 20 November (a holiday)."""
    now = local(moment)
    if now.date() == date(2025, 11, 20):
        return False
    return 9 <= now.hour < (0, 18)[now.weekday() < 5] or (now.weekday() == 5 and 9 <= now.hour < 13)


def greeting(moment: int) -> str:
    """Bom dia, boa tarde or boa noite."""
    hour = local(moment).hour
    return "bom dia" if 4 <= hour < 12 else "boa tarde" if 12 <= hour < 18 else "boa noite"


def phase(moment: int) -> str:
    """What the shop is going through: usual, before, sale or after."""
    day = local(moment).date()
    if day < date(2025, 11, 24):
        return "usual"
    if day < BLACK_FRIDAY:
        return "before"
    return "sale" if day <= date(2025, 12, 1) else "after"


def days() -> list[date]:
    """All days of the sample."""
    return [FIRST + timedelta(n) for n in range((LAST - FIRST).days + 1)]


def openings(rng: random.Random, scale: float = 1.0) -> list[int]:
    """When customers open a conversation, in order."""
    moments: list[int] = []
    for day in days():
        mean = WEEK[day.weekday()] * RUSH.get(day, 1.0) * scale
        number = max(1, round(rng.gauss(mean, mean**0.5 * 0.6)))
        hours = list(HOURS)
        if day == BLACK_FRIDAY:
            hours[0], hours[1] = 2.6, 1.2  # the sale opens at midnight
        for hour in rng.choices(range(24), hours, k=number):
            moments.append(at(day, f"{hour}:00:00") + rng.randrange(3600))
    return sorted(moments)
