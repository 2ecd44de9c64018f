"""The coverage table, the holes in ids and their picture: pure functions on frames."""

from typing import Any

import pandas as pd
import pytest
from matplotlib.colors import to_hex

from tgpipeline.analytics.charts import style
from tgpipeline.analytics.support import coverage

GROUP, OLD = -1002198765432, -4123456789


def rows(ids: Any, source: str, chat_id: int = GROUP, **more: Any) -> pd.DataFrame:
    """Messages of which each is an hour after the one whose id is one less."""
    frame = pd.DataFrame({"message_id": list(ids)})
    hours = pd.to_timedelta(frame["message_id"], unit="h")
    frame["sent_at"] = (pd.Timestamp("2025-11-01") + hours).astype("datetime64[ms]")
    return frame.assign(chat_id=chat_id, group_id=more.get("group_id", chat_id), source=source)


@pytest.fixture
def messages() -> pd.DataFrame:
    history = rows([n for n in range(1, 240) if n % 9], "history")
    live = rows(range(300, 480), "webhook")
    return pd.concat([history, live, rows([305], "sent")], ignore_index=True).drop_duplicates(
        "message_id", keep="last"
    )


def test_days_tell_their_sources_and_days_without_messages_are_there(
    messages: pd.DataFrame,
) -> None:
    days = coverage.by_day(messages)
    assert days.sum().to_dict() == {"history": 213, "webhook": 179, "sent": 1}
    assert len(days) == (days.index.max() - days.index.min()).days + 1
    assert days.loc["2025-11-12"].tolist() == [0, 0, 0]


def test_the_hole_between_import_and_webhook_is_beyond_deletions(messages: pd.DataFrame) -> None:
    holes = coverage.holes(messages)
    seam = holes.iloc[0]
    assert (seam["after_id"], seam["before_id"], seam["missing_ids"]) == (239, 300, 60)
    assert holes["beyond_deletions"].tolist() == [True] + [False] * (len(holes) - 1)
    assert set(holes["missing_ids"][1:]) == {1}


def test_chats_whose_ids_are_not_their_own_have_no_holes(messages: pd.DataFrame) -> None:
    shared = rows([1, 500, 9000], "webhook", chat_id=OLD, group_id=OLD)
    both = pd.concat([messages, shared])
    assert len(coverage.holes(both)) == len(coverage.holes(messages))
    assert coverage.holes(shared).empty


def test_between_a_group_and_its_supergroup_no_id_is_missing() -> None:
    before = rows([3, 9], "history", chat_id=OLD, group_id=OLD)
    after = rows(range(30, 40), "webhook", group_id=OLD)
    assert coverage.holes(pd.concat([before, after])).empty


@pytest.mark.parametrize(("missing", "is_beyond"), [(10, False), (11, True)])
def test_ten_ids_may_be_deletions_and_eleven_are_not(missing: int, is_beyond: bool) -> None:
    (hole,) = coverage.holes(rows([1, missing + 2], "webhook")).to_dict("records")
    assert (hole["missing_ids"], hole["beyond_deletions"]) == (missing, is_beyond)
    assert hole["to"] - hole["from"] == pd.Timedelta(hours=missing + 1)


def test_many_deletions_explain_wider_holes() -> None:
    """Of three ids in four that are gone, as holes of three tell: p = .75, so up to 40 ids."""
    ids = [n for n in range(1, 4_000) if n % 4 == 0]
    for missing, is_beyond in ((39, False), (43, True)):
        wide = [n for n in ids if not 2_000 < n <= 2_000 + missing]
        found = coverage.holes(rows(wide, "webhook"))
        assert found["missing_ids"].iloc[0] == missing
        assert found["beyond_deletions"].tolist() == [is_beyond] + [False] * (len(found) - 1)


def test_the_picture_says_what_it_shows(messages: pd.DataFrame) -> None:
    chart = coverage.plot(messages)
    ax = chart.axes
    assert chart.title.endswith("up to 60 messages may be missing")
    assert ax.get_ylabel() == "messages a day"
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["ids missing beyond deletions", "history", "webhook", "sent"]
    bot = ax.containers[-1].patches[0].get_facecolor()
    assert to_hex(bot).upper() == style.colour("bot"), (
        "the bot has another colour in the other charts"
    )


def test_without_a_wide_hole_nothing_is_said_to_be_missing() -> None:
    found = coverage.plot(rows(range(1, 40), "webhook")).title
    assert "no gap that deletions don't explain" in found
    assert "missing" not in found


def test_days_of_events_only_have_no_holes_and_a_picture_without_messages(
    messages: pd.DataFrame,
) -> None:
    none = messages.head(0)
    assert coverage.holes(none).empty
    assert coverage.plot(none).title == "No messages"
