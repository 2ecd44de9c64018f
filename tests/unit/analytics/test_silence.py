"""When the bot said nothing, days without data, and the two weeks that may be compared."""

import pandas as pd
import pytest

from tgpipeline.analytics.support import silence

START = pd.Timestamp("2025-11-10")


def month(*, quiet: tuple[int, int] = (99, 99), lost: tuple[int, ...] = (), answers: float = 1.0):
    """Four weeks of six questions a day; the bot says nothing on some days, others are lost."""
    asked, said = [], []
    for n in range(28 * 6):
        day = n // 6
        time = START + pd.Timedelta(days=day, hours=9 + n % 6)
        if day not in lost:
            silent = quiet[0] <= day < quiet[1] or (n * 7 % 10) / 10 >= answers
            asked.append((time, None if silent else 5))
            said += [(time, False)] + [(time, True)] * (not silent)
    conversations = pd.DataFrame(asked, columns=["local_time", "bot_after"])
    conversations["bot_after"] = conversations["bot_after"].astype("Int64")
    conversations["asked"] = (
        (conversations["local_time"] - START).dt.total_seconds().astype("Int64")
    )
    conversations.attrs = {"parameters": {"start": "2025-11-10"}, "end": 28 * 86_400}
    return conversations, pd.DataFrame(said, columns=["local_time", "is_bot"])


def test_a_bot_that_is_down_is_a_finding() -> None:
    conversations, messages = month(quiet=(20, 23))
    found = silence.periods(conversations, messages)
    assert found["what"].tolist() == ["bot"]
    assert found["questions"].tolist() == [18]
    assert silence.sentences(found) == [
        "The bot said nothing from 30 Nov 09:00 to 2 Dec 14:00, while people asked 18 questions."
    ]
    left = silence.without(conversations, found)
    assert len(left) == len(conversations) - 18
    assert not left["local_time"].dt.normalize().isin(found["first"].dt.normalize()).any()


@pytest.mark.parametrize(("seconds", "silent"), [(3600, False), (3601, True)])
def test_an_answer_within_the_hour_is_one(seconds: int, silent: bool) -> None:
    conversations, messages = month(quiet=(20, 23))
    conversations["bot_after"] = conversations["bot_after"].fillna(seconds)
    assert len(silence.periods(conversations, messages)) == silent


@pytest.mark.parametrize("answers", [0.0, 0.3, 1.0])
def test_a_bot_that_answers_little_or_never_is_not_silent(answers: float) -> None:
    assert silence.periods(*month(answers=answers)).empty


def test_days_without_data_are_a_finding_and_no_week_is_compared_with_a_hole() -> None:
    conversations, messages = month(lost=(15, 16, 20))
    found = silence.periods(conversations, messages)
    assert found["what"].tolist() == ["data", "data"]
    assert "from 25 Nov to 26 Nov" in silence.sentences(found)[0]
    assert silence.last_weeks(conversations, messages).empty
    assert len(silence.last_weeks(*month(lost=(13,)))) == 14
    assert silence.last_weeks(*month(lost=(14,))).empty, "the first of the fourteen days"


def test_only_whole_weeks_of_the_period_are_compared() -> None:
    conversations, messages = month()
    weeks = silence.last_weeks(conversations, messages)
    assert (weeks[0], weeks[-1], len(weeks)) == (
        START + pd.Timedelta(days=14),
        START + pd.Timedelta(days=27),
        14,
    )
    conversations.attrs["end"] -= 3600  # the last day is not over
    weeks = silence.last_weeks(conversations, messages)
    assert weeks[-1] == START + pd.Timedelta(days=26)
    conversations.attrs["parameters"] = {"start": "2025-11-25"}
    assert silence.last_weeks(conversations, messages).empty
    assert silence.last_weeks(conversations.head(0), messages).empty
