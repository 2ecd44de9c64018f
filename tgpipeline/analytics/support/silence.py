"""When the bot said nothing while people asked, and days of which the lake has nothing.

Rates of a period in which the bot was down for a week say little about the bot. So this is a
finding of its own, and rates can be asked for with and without it.
"""

import pandas as pd

from tgpipeline.analytics.language import MONTHS, say, sentence

CHANCE = 0.01  # so unlikely is a silence of the bot, of all pauses between two of its messages
PROMPT = 3600  # seconds in which a bot that works has answered
DAILY = 5  # so many messages on other days of that weekday make a day without any a hole


def periods(conversations: pd.DataFrame, messages: pd.DataFrame) -> pd.DataFrame:
    """When nothing came that should have come.

    The bot is silent between two of its messages if so many questions of that time have no answer
    of it within the hour that this is unlikely by those of the days on which it wrote.

    Args:
        conversations: from `find_conversations`.
        messages: what they were built from.

    Returns:
        A row for each silence: `what` (bot: from the first to the last of these questions; data:
        days), `first`, `last` (local time) and `questions`.
    """
    c, days, rows = conversations, whole_days(conversations), []
    spoken = messages.loc[messages["is_bot"], "local_time"].sort_values()
    missed = ~c["bot_after"].le(PROMPT).fillna(False).astype(bool)
    speaks = c["local_time"].dt.normalize().isin(spoken.dt.normalize())
    usual = (missed[speaks].sum() + 1) / (speaks.sum() + 2)
    asked = c.loc[missed, "local_time"]
    for _, pause in asked.groupby(spoken.searchsorted(asked)) if speaks.any() else ():
        if usual ** len(pause) < CHANCE / (len(spoken) + 1):
            rows.append(("bot", pause.min(), pause.max(), len(pause)))
    written = messages["local_time"].dt.normalize().value_counts().reindex(days, fill_value=0)
    weekday = written.groupby(days.day_of_week).transform("median")
    lost = days[(written == 0) & (weekday >= DAILY)].to_series()
    for _, run in lost.groupby((lost.diff() > pd.Timedelta(days=1)).cumsum()):
        rows.append(("data", run.iloc[0], run.iloc[-1], 0))
    return pd.DataFrame(rows, columns=["what", "first", "last", "questions"])


def without(conversations: pd.DataFrame, silences: pd.DataFrame) -> pd.DataFrame:
    """The conversations that were not opened during a silence of the bot."""
    kept = pd.Series(True, conversations.index)
    for s in silences[silences["what"] == "bot"].itertuples():
        kept &= ~conversations["local_time"].between(s.first, s.last)
    return conversations[kept]


def sentences(silences: pd.DataFrame) -> list[str]:
    """What to say of each silence.

    >>> day = pd.Timestamp("2025-12-01 09:30")
    >>> sentences(pd.DataFrame({"what": ["bot"], "first": day, "last": day, "questions": 9}))
    ['The bot said nothing from 1 Dec 09:30 to 1 Dec 09:30, while people asked 9 questions.']
    """
    found = []
    for s in silences.itertuples():
        name, clock = ("bot_was_silent", " %H:%M") if s.what == "bot" else ("no_messages", "")
        first, last = (
            f"{t.day} {say(MONTHS[t.month - 1])}{t.strftime(clock)}" for t in (s.first, s.last)
        )
        found.append(sentence(name, n=s.questions, first=first, last=last))
    return found


def last_weeks(conversations: pd.DataFrame, messages: pd.DataFrame) -> pd.DatetimeIndex:
    """The period's last fourteen days that are over, in order.

    None of them if it does not hold all of them whole, or if the lake lacks one.
    """
    days = whole_days(conversations)[-14:]
    holes = periods(conversations, messages).query("what == 'data'")
    is_whole = len(days) == 14 and not holes["last"].ge(days[0]).any()
    return days if is_whole else days[:0]


def whole_days(conversations: pd.DataFrame) -> pd.DatetimeIndex:
    """The days of the period, local dates, up to the last one that is over."""
    c, period = conversations, conversations.attrs.get("parameters", {})
    if c.empty:
        return pd.DatetimeIndex([])
    local = c["local_time"].iloc[-1]
    end = local + pd.Timedelta(seconds=int(c.attrs.get("end", 0) - c["asked"].iloc[-1]))
    last = end.normalize() - pd.Timedelta(days=1)
    return pd.date_range(period.get("start", c["local_time"].min().normalize()), last)
