"""Every chart: its finding, its axes, and what it does without data."""

import inspect
import io
import re
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib import rc_context
from matplotlib.image import imread

from tests.unit.analytics import rates
from tgpipeline.analytics import charts, language
from tgpipeline.analytics.charts import style
from tgpipeline.analytics.engine import to_frame
from tgpipeline.analytics.support import busiest
from tgpipeline.analytics.support.statistics import Rate

DAYS = pd.date_range("2025-11-10", "2025-12-09", freq="D")
PERIOD = {"start": "2025-11-10", "end": "2025-12-09", "timezone": "America/Sao_Paulo"}


def days(length: int = 30) -> pd.DatetimeIndex:
    return pd.date_range("2025-11-10", periods=length, freq="D").astype("datetime64[s]")


def ints(*values: int) -> pd.Series:
    return pd.Series(values, dtype="Int64")


def weekdays(said: dict[tuple[int, int], int], period: pd.DatetimeIndex) -> dict[str, list]:
    """An answer of `messages_by_hour_and_weekday`: each hour of the weekdays that there are."""
    there = period.day_of_week.value_counts()
    keys = [(day + 1, hour) for day in sorted(there.index) for hour in range(24)]
    told = [(*key, said.get(key, 0), said.get(key, 0) / there[key[0] - 1]) for key in keys]
    names = "weekday", "hour", "messages", "messages_per_day"
    return dict(zip(names, map(list, zip(*told, strict=True)), strict=True))


def frames(length: int = 30) -> dict[str, pd.DataFrame]:
    """An answer to each question, as Athena gives it."""
    n = pd.Series(np.arange(length) % 17 + 3, dtype="Int64")
    found = {
        "messages_per_day": {"day": days(length), "messages": n + 2, "by_people": n, "by_bots": 2},
        "messages_per_user_per_day": {
            "day": days(length), "user_id": n, "is_bot": False, "messages": n,
        },
        "message_length_per_day": {
            "day": days(length), "messages": n, "average": n.astype(float), "p50": n, "p75": n + 1,
            "p90": n + 9, "p99": n + 10,
        },
        "messages_by_hour_and_weekday": weekdays({(1, 9): 9, (7, 23): 8}, DAYS),
        "messages_by_content_type": {
            "content_type": ["text", "photo"], "sent": ints(9, 1), "by_people": ints(8, 1),
            "by_bots": ints(1, 0), "edited": ints(1, 0),
        },
        "messages_by_topic": {
            "message_thread_id": ints(7, 9), "messages": ints(8, 2), "people": ints(2, 1),
        },
        "visits_by_hour": {
            "hour": range(24), "visits": ints(*[0] * 9, 80, *[0] * 10, 20, 0, 0, 0),
        },
        "active_people": {"day": days(length), "daily": n, "weekly": n + 5, "monthly": n + 9},
        "new_and_returning": {
            "week": days(2), "people": ints(9, 8), "new_people": ints(9, 2),
            "returning_people": ints(0, 6),
        },
        "weekly_retention": {
            "cohort": days(1).repeat(2), "weeks_later": ints(0, 1), "people": ints(9, 3),
            "cohort_size": ints(9, 9),
        },
        "concentration": {
            "place": ints(1, 2, 3), "messages": ints(8, 1, 1), "messages_so_far": ints(8, 9, 10),
        },
        "joins_and_leaves": {
            "day": days(1), "joined": ints(0), "left_group": ints(0), "join_notices": ints(3),
            "leave_notices": ints(1),
        },
        "reactions": {
            "emoji": ["👍", "❤"], "reactions": ints(3, 1), "to_people": ints(2, 1),
            "to_bots": ints(1, 0), "to_unknown": ints(0, 0),
        },
        "before_and_after": {
            "is_after": [False, True], "days": ints(18, 12), "messages": ints(180, 360),
            "messages_per_day": [10.0, 30.0], "deviation": [3.0, 5.0],
        },
        "frequent_problems": {
            "problem": ["refund", "coupon", None], "title": ["Refund", "Coupon", "None known"],
            "conversations": [30, 20, 10], "of": [60] * 3, "share": [0.5, 0.33, 0.17],
            "low": [0.3, 0.2, 0.1], "high": [0.7, 0.5, 0.3], "trend": ["rising", "", ""],
            "as_frequent": [False, True, False],
        },
        "questions_by_hour": {"hour": range(24), "questions": range(24)},
        "response_times": {
            "who": ["anyone", "person", "bot"], "asked": ["any time", "office hours", "any time"],
            "conversations": [40, 30, 40], "answered": [40, 20, 0], "median": [9.0, 90.0, np.inf],
            "low": [5.0, 60.0, np.inf], "high": [20.0, np.inf, np.inf],
            "p90": [600.0, np.inf, np.inf],
        },
        "better_bot": {
            "title": ["Refund"], "minutes": [60.0], "saves": [20.0], "same_answer": [1], "of": [3],
        },
        "unanswered": {"waiting_hours": [25.0, 70.0], "reason": ["no reply", "no person came"]},
    }  # fmt: skip
    found["calendar"] = found["messages_per_day"]
    made = {name: pd.DataFrame(columns) for name, columns in found.items()}
    found_rates = {name: Rate(80, 100) for name in language.words()["labels"]}
    made["outcomes"] = rates.table(
        found_rates | {"bot_at_least": Rate(0, 0), "bot_at_most": Rate(0, 0)}
    )
    for frame in made.values():
        frame.attrs = {"parameters": PERIOD | {"cut": "2025-11-28"}}
    return made


def draw(name: str, frame: pd.DataFrame) -> charts.Chart:
    labels = {n: f"person {n}" for n in range(30)}
    return getattr(charts, name)(frame, *([labels] if "user" in name else []))


NAMES = sorted(frames())


def test_there_is_a_chart_for_each_question() -> None:
    functions = {name for name, made in vars(charts).items() if hasattr(made, "__wrapped__")}
    assert {name for name in functions if inspect.isfunction(getattr(charts, name))} == set(NAMES)


@pytest.mark.parametrize("length", [1, 400])
@pytest.mark.parametrize("name", NAMES)
def test_a_chart_states_its_finding_in_numbers(name: str, length: int) -> None:
    chart = draw(name, frames(length)[name])
    assert any(c.isdigit() for c in chart.alt)
    assert chart.axes.get_xlabel() or chart.axes.get_ylabel()
    assert imread(io.BytesIO(chart.png())).shape[1] == round(
        6.4 * style.looks()["matplotlib"]["savefig.dpi"]
    )
    assert not plt.get_fignums(), "no figure stays open"


def texts(chart: charts.Chart) -> set[str]:
    on, legend = chart.axes, chart.axes.get_legend()
    drawn = [*on.get_xticklabels(), *on.get_yticklabels(), *on.texts]
    drawn += legend.get_texts() if legend else []
    labels = [label for a in on.get_figure().axes for label in (a.get_xlabel(), a.get_ylabel())]
    return {chart.title, *labels, *(text.get_text() for text in drawn)}


@pytest.mark.parametrize("name", NAMES)
def test_no_word_of_a_chart_stays_english(name: str) -> None:
    frame = frames()[name]
    english = texts(draw(name, frame))
    with language.use("pt"):
        same = english & texts(draw(name, frame))
    given = {v for column in frame for v in frame[column] if isinstance(v, str)} | {
        "person",
        "bots",
    }
    left = {t for t in same if re.search("[a-z]{4}", t) and not any(v in t for v in given)}
    assert not left


@pytest.mark.parametrize("name", NAMES)
def test_without_data_a_chart_says_so(name: str) -> None:
    frame = frames()[name].head(0)
    if name == "outcomes":
        frame = rates.table(dict.fromkeys(language.words()["labels"], Rate(0, 0)))
    frame.attrs = {"parameters": PERIOD}
    chart = draw(name, frame)
    assert chart.alt.startswith("No ")
    assert "2025-11-10 to 2025-12-09" in chart.alt
    assert chart.data.empty
    chart.png()


def test_waiting_is_told_apart_by_its_reason_and_age() -> None:
    frame = pd.DataFrame(
        {"waiting_hours": [25.0, 48.0, 49.0, 24 * 31], "reason": ["no reply"] * 3 + ["no answer"]}
    )
    chart = draw("unanswered", frame)
    assert chart.title == "4 questions wait: no reply 3, no answer 1"
    assert chart.data["waiting"].tolist()[0] == "up to 2 days"
    assert chart.data["no reply"].tolist() == [2, 1, 0, 0]
    assert chart.data["no answer"].tolist() == [0, 0, 0, 1]


def test_a_group_without_topics_is_no_forum() -> None:
    frame = frames()["messages_by_topic"].assign(message_thread_id=pd.NA)
    frame.attrs = {"parameters": PERIOD}
    assert draw("messages_by_topic", frame).alt.startswith("No forum topics from")


def test_that_definitions_name_little_is_said_before_what_is_most_frequent() -> None:
    frame = frames()["frequent_problems"].assign(conversations=[5, 5, 50])
    finding = draw("frequent_problems", frame).alt
    assert finding.startswith("Only 10 of 60 conversations are about a problem that is defined")


def outcomes(closed: int, unknown: tuple[str, ...] = ()) -> pd.DataFrame:
    counts = {"confirmed": 2, "assumed": 1, "not_solved": 1, "unanswered": closed - 4, "open": 3}
    found = {
        name: Rate(counts.get(name, 1), 0 if name in unknown else closed)
        for name in language.words()["labels"]
    }
    return rates.table(found | {"open": Rate(3, closed + 3)})


def test_what_is_not_known_is_no_bar_and_is_said() -> None:
    known = charts.outcomes(outcomes(30))
    unknown = charts.outcomes(outcomes(30, ("bot_at_least", "bot_at_most")))
    bars = [len(chart.axes.get_yticks()) for chart in (known, unknown)]
    assert bars == [12, 10]
    assert "not known" in unknown.alt
    assert "not known" not in known.alt


def test_of_few_questions_there_are_counts_and_no_shares() -> None:
    assert charts.outcomes(outcomes(30)).title.startswith("Between 7% and")
    few = charts.outcomes(outcomes(29))
    assert few.title == (
        "Too few for shares: 32 questions, confirmed 2, assumed 1, not solved 1, unanswered 25, "
        "open 3"
    )
    assert few.data["numerator"].tolist() == [2, 1, 1, 25, 3]
    assert "%" not in few.axes.get_xlabel()


def test_the_most_frequent_stands_with_what_may_be_as_frequent() -> None:
    finding = draw("frequent_problems", frames()["frequent_problems"]).title
    assert finding == (
        "Most frequent: Refund, 50% of 60 conversations; perhaps as frequent: Coupon; "
        "rising this week: Refund"
    )


def test_few_conversations_have_no_shares() -> None:
    few = frames()["frequent_problems"].assign(conversations=[19, 9, 1], of=29)
    assert draw("frequent_problems", few).title.startswith("Too few for shares: 29 conversations")
    waits = frames()["response_times"].assign(conversations=29)
    assert draw("response_times", waits).data.empty


def test_waits_without_end_are_said_so() -> None:
    chart = draw("response_times", frames()["response_times"])
    assert chart.title == (
        "Until half of those who ask have an answer: anyone, any time 9 s; "
        "person, office hours 2 min"
    )
    assert "2 min / over 72 h" in [text.get_text() for text in chart.axes.texts]


def test_the_busiest_are_bands_of_questions_and_the_others_are_called_otherwise() -> None:
    frame = frames()["questions_by_hour"]
    assert draw("questions_by_hour", frame).title.startswith("Too few to say which hours")
    frame.attrs["bands"] = busiest.Bands(((9, 12), (14, 17)), Rate(61, 100))
    assert draw("questions_by_hour", frame).title == (
        "Busiest: 9 to 12 and 14 to 17 h hold 61% (61 of 100; 95% interval 51% to 70%) of "
        "questions, on the days that did not choose these hours"
    )
    with language.use("pt"):
        assert "61% (61 de 100; intervalo de 95%" in draw("questions_by_hour", frame).title
    for name in ("visits_by_hour", "messages_by_hour_and_weekday"):
        assert "usiest" not in draw(name, frames()[name]).title


def test_the_busiest_hour_and_weekday_are_named_where_there_is_one_of_each() -> None:
    chart = draw("messages_by_hour_and_weekday", frames()["messages_by_hour_and_weekday"])
    assert chart.title == (
        "Most messages of people are written on Sun (2.0 a day; mean of weekdays 0.5) and at 23-24h"
    )
    assert chart.data.loc[9, "Mon"] == 1.8
    two_days = pd.DataFrame(weekdays({(1, 9): 5}, DAYS[:2]))
    short = draw("messages_by_hour_and_weekday", two_days)
    assert short.data["Wed"].isna().all(), "no weekday that was not"
    assert short.title == "Messages of people: at most 5.0 in an hour of a weekday, on average"


def test_the_sum_stands_behind_a_bar_whose_last_part_is_none() -> None:
    ax = draw("messages_by_content_type", frames()["messages_by_content_type"]).axes
    assert [(text.get_text(), text.xy) for text in ax.texts] == [("9", (9, 0)), ("1", (1, 1))]


def of_days(length: int) -> pd.DataFrame:
    frame = frames(length)["messages_per_day"]
    frame.attrs = {}
    return frame


@pytest.mark.parametrize(
    ("length", "unit", "first", "names"),
    [
        (1, "day", "10 Nov\n2025", 1),
        (2, "day", "10 Nov\n2025", 2),
        (7, "day", "10 Nov\n2025", 7),
        (60, "day", "10 Nov\n2025", 9),
        (400, "week", "10 Nov\n2025", 9),
        (1100, "month", "Nov\n2025", 8),
        (3650, "month", "Nov\n2025", 9),
    ],
)
def test_time_is_told_below_the_bars_that_there_are(
    length: int, unit: str, first: str, names: int
) -> None:
    chart = draw("messages_per_day", of_days(length))
    ax = chart.axes
    marks = [mark.get_text() for mark in ax.get_xticklabels()]
    assert marks[0] == first
    assert len(marks) == names
    assert ax.get_xlabel() == f"{unit}, local time"
    assert chart.data.columns[0] == unit
    assert len({m for m in marks if "2026" in m}) <= 1, "the year stands where it is new"
    assert 0 <= min(ax.get_xticks()) <= max(ax.get_xticks()) < len(chart.data) <= 121


def test_what_takes_the_largest_part_need_not_take_most() -> None:
    finding = draw("better_bot", frames()["better_bot"].assign(minutes=1200.0)).alt
    assert finding.startswith(
        "Refund takes the largest part of agents' time: 1,200 of 1,200 min; 1 of 3 other"
    )


def test_the_same_answer_makes_the_same_picture() -> None:
    first, second = (draw("messages_per_day", frames()["messages_per_day"]).png() for _ in range(2))
    assert first == second


def test_days_without_messages_are_drawn_as_none() -> None:
    frame = to_frame(
        [("day", "date"), ("messages", "bigint"), ("by_people", "bigint"), ("by_bots", "bigint")],
        [(DAYS[0].date(), 4, 4, 0), (DAYS[9].date(), 8, 8, 0)],
    )
    frame.attrs = {"parameters": PERIOD}
    ax = draw("messages_per_day", frame).axes
    bars = {round(bar.get_x() + bar.get_width() / 2): bar.get_height() for bar in ax.patches}
    assert bars == dict.fromkeys(range(30), 0) | {0: 4, 9: 8}, "above the days that stand below"
    assert ax.get_xlim()[0] < 0
    assert ax.get_xlim()[1] < 31


def test_a_week_that_is_to_come_has_no_number_in_the_retention() -> None:
    rows = [("2025-11-10", 0, 9), ("2025-11-10", 1, 0), ("2025-11-17", 0, 5)]
    frame = pd.DataFrame(rows, columns=["cohort", "weeks_later", "people"])
    frame = frame.assign(cohort=pd.to_datetime(frame["cohort"]), cohort_size=ints(9, 9, 5))
    drawn = [text.get_text() for text in draw("weekly_retention", frame).axes.texts]
    assert drawn == ["100", "0", "100"]


def test_a_quiet_change_is_not_called_one() -> None:
    frame = frames()["before_and_after"]
    frame["messages_per_day"] = [10.0, 10.5]
    assert "No sure change" in draw("before_and_after", frame).alt


def test_of_one_day_no_error_is_known_and_so_no_change() -> None:
    frame = frames()["before_and_after"].assign(days=ints(18, 1), deviation=[3.0, 0.0])
    found = draw("before_and_after", frame).title
    assert found == "No sure change on Fri 28 Nov 2025: 30.0 messages a day, before 10.0 ± 1.4"


@pytest.mark.parametrize("name", NAMES)
def test_a_chart_shows_its_numbers_as_text_and_another_number_is_another_text(name: str) -> None:
    frame = frames()[name]
    chart = draw(name, frame)
    data, metadata = DisplayFormatter().format(chart)
    assert data["text/plain"].startswith(chart.title)
    assert data["image/png"] == draw(name, frames()[name]).png()
    assert metadata["image/png"] == {"alt": chart.alt, "drawn": chart.drawn}
    assert repr(chart) == repr(draw(name, frames()[name]))
    numbers = frame.select_dtypes("number").columns.difference(["user_id"])
    changed = frame.assign(**{column: frame[column] * 2 + 1 for column in numbers})
    changed.attrs = frame.attrs
    assert repr(draw(name, changed)) != repr(chart)


def test_a_picture_for_a_page_has_the_page_s_letters_and_colours() -> None:
    assert "thumbs up sign" in draw("reactions", frames()["reactions"]).title
    with style.page(7.4):
        chart = draw("reactions", frames()["reactions"])
    wide, narrow = chart.svg(7.4), chart.svg(3.7)
    assert wide.startswith("<svg")
    assert "👍" in wide, "the reader's own letters draw it"
    assert "currentColor" in wide
    assert not re.search(r"DejaVu|<script|<metadata|#1b1f24", wide)
    assert [float(re.search(r'viewBox="0 0 ([\d.]+)', s)[1]) / 72 for s in (wide, narrow)] == (
        pytest.approx([7.4, 3.7])
    )
    marks = [set(re.findall(r' id="([^"]+)"', s)) for s in (wide, narrow)]
    assert not marks[0] & marks[1], "two pictures on a page need marks of their own"


def test_a_dollar_in_a_name_is_a_dollar() -> None:
    frame = frames()["better_bot"].assign(title=["R$ 5 or $x^2$"])
    chart = draw("better_bot", frame)
    assert "R$ 5 or $x^2$" in chart.svg(7.4)


def test_a_chart_s_months_are_those_of_the_language() -> None:
    with language.use("pt"):
        chart = draw("messages_per_day", frames(30)["messages_per_day"])
        assert "4 dez" in [mark.get_text() for mark in chart.axes.get_xticklabels()]


def test_of_few_marks_the_title_says_all() -> None:
    for length, is_telling in ((1, False), (2, False), (3, True)):
        assert draw("messages_per_day", of_days(length)).is_telling == is_telling
    quiet = frames(30)["messages_per_day"]
    quiet.loc[2:, ["messages", "by_people", "by_bots"]] = 0
    assert not draw("messages_per_day", quiet).is_telling, "a mark of 0 is none"


def test_a_picture_stays_small_however_long_the_time() -> None:
    long = frames(3650)
    for name in ("calendar", "messages_per_day", "active_people", "message_length_per_day"):
        chart = draw(name, long[name])
        assert len(chart.data) <= 121
        assert len(chart.svg(7.4)) < 60_000


def test_the_calendar_of_years_is_that_of_the_last() -> None:
    frame = frames(800)["calendar"]
    chart = draw("calendar", frame)
    assert chart.title == "0 days without any message, of 365; the last year"
    assert len(chart.data) == 53
    last = frame["day"].iloc[-1].to_period("W").start_time
    assert chart.data["week"].iloc[-1] == last


def test_letters_that_the_first_font_lacks_come_from_others_that_are_there() -> None:
    fonts = style._style()["font.family"]
    assert fonts[0] == "DejaVu Sans"
    if "Noto Sans CJK JP" not in fonts:
        pytest.skip("no font here has them")
    frame = frames()["better_bot"].assign(title=["山田 김 张"])
    with warnings.catch_warnings(record=True) as told, rc_context(style._style()):
        warnings.simplefilter("always")
        draw("better_bot", frame).axes.get_figure().canvas.draw()
    assert not [str(w.message) for w in told if "missing from font" in str(w.message)]


def test_joins_of_years_are_drawn_by_month() -> None:
    frame = pd.DataFrame(
        {
            "day": pd.to_datetime(["2020-01-05", "2020-01-20", "2024-03-01"]),
            "joined": [2, 1, 0],
            "left_group": [0, 1, 4],
        }
    )
    data = charts.joins_and_leaves(frame).data
    assert data.columns.tolist() == ["month", "joined", "left"]
    assert data.iloc[[0, -1], 1:].to_numpy().tolist() == [[3, 1], [0, 4]]
    assert len(data) == 51


def test_of_several_that_are_largest_none_is_called_so() -> None:
    frame = frames()["messages_per_day"].assign(messages=7)
    assert draw("messages_per_day", frame).title == "210 messages; at most 7 on a day"
    visits = pd.DataFrame({"hour": [9, 12, 20], "visits": ints(6, 6, 1)})
    said = "13 visits (a person, an hour); at most 6 in one of the day's hours"
    assert draw("visits_by_hour", visits).title == said
    heat = pd.DataFrame(weekdays({(1, 9): 5, (2, 9): 5}, DAYS))
    said = "Messages of people: at most 1.0 in an hour of a weekday, on average"
    assert draw("messages_by_hour_and_weekday", heat).title == said


@pytest.mark.parametrize(("language_", "said"), [("en", "all on Mon"), ("pt", "todas em seg,")])
def test_of_one_day_no_day_is_said_to_have_most(language_: str, said: str) -> None:
    with language.use(language_):
        assert f", {said} 10 " in draw("messages_per_day", frames(1)["messages_per_day"]).title


@pytest.mark.parametrize("language_", language.LANGUAGES)
def test_counts_beside_waits_are_not_broken(language_: str) -> None:
    frame = frames()["response_times"].assign(answered=414, conversations=451)
    with language.use(language_), style.page(6.4):
        names = [name.get_text() for name in draw("response_times", frame).axes.get_yticklabels()]
    assert all(name.splitlines()[-1].count("(") == name.count("(") == 1 for name in names), names


def test_what_is_sent_is_called_by_its_name_in_the_language() -> None:
    frame = frames()["messages_by_content_type"]
    with language.use("pt"):
        chart = draw("messages_by_content_type", frame)
        assert chart.data["content_type"].tolist() == ["texto", "foto"]
        one = frame.tail(1).assign(sent=1, edited=0)
        assert draw("messages_by_content_type", one).title == "Uma mensagem: foto"


def test_of_one_message_no_hour_is_told_and_its_length_is_that_of_all() -> None:
    visit = pd.DataFrame({"hour": [9], "visits": ints(1)})
    assert draw("visits_by_hour", visit).title == "1 visit (a person, an hour)"
    length = frames(1)["message_length_per_day"].assign(p50=45, p90=45)
    said = "Characters a message on the median day: half have at most 45, nine in ten at most 45"
    assert draw("message_length_per_day", length).title == said


def test_on_a_phone_what_is_said_of_waits_stays_in_the_picture() -> None:
    frame = frames()["response_times"].assign(median=np.inf, high=np.inf, p90=np.inf)
    with language.use("pt"), style.page(3.7):
        ax = draw("response_times", frame).axes
        figure = ax.get_figure()
        figure.draw_without_rendering()
        for text in (ax.xaxis.label, *ax.texts):
            box = text.get_window_extent()
            assert box.x0 >= 0, text.get_text()
            assert box.x1 <= figure.bbox.x1, text.get_text()


@pytest.mark.parametrize("width", [3.7, 7.4])
def test_no_share_is_marked_beyond_all(width: float) -> None:
    with style.page(width):
        ax = charts.outcomes(outcomes(30)).axes
    ticks = ax.get_xticks()
    assert ax.get_xlim()[1] > 100, "room for the counts"
    assert (ticks[0], ticks[-1]) == (0, 100)


def test_who_writes_beside_a_bot_did_not_write_everything() -> None:
    frame = frames()["messages_per_user_per_day"].assign(user_id=3)
    bot = frame.assign(user_id=9, is_bot=True)
    chart = draw("messages_per_user_per_day", pd.concat([frame, bot]))
    assert chart.title == "person 3 wrote all messages of people"
    both = pd.concat([frame, frame.assign(user_id=4)])
    title = draw("messages_per_user_per_day", both).title
    assert title == "2 people wrote all messages of people", "not: the 2 who write most, 100 %"
