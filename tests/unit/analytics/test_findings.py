"""What stands first on the page: few sentences, the most surprising first."""

import math

import pandas as pd
import pytest

from tests.unit.analytics import rates
from tgpipeline import resources
from tgpipeline.analytics import findings, language
from tgpipeline.analytics.answers import Answers
from tgpipeline.analytics.findings import Finding
from tgpipeline.analytics.support.statistics import Rate


class Given(Answers):
    """Answers that are given, not asked."""

    def __init__(self, people: int = 40, **given: pd.DataFrame) -> None:
        self.given = given
        self.__dict__["labels"] = {n: f"person {n}" for n in range(people)}
        for name, frame in given.items():
            self.__dict__[name] = frame

    def ask(self, name: str, **_: object) -> pd.DataFrame:
        return self.given[name]

    @property
    def messages(self) -> pd.DataFrame:
        return self.given["said"]


def days(*counts: int) -> pd.DataFrame:
    first = pd.Timestamp("2025-11-24")
    dates = [first + pd.Timedelta(days=n) for n in range(len(counts))]
    return pd.DataFrame({"day": dates, "messages": counts})


def one(found) -> Finding:
    (finding,) = found
    return finding


def test_seven_at_most_and_the_most_surprising_first(monkeypatch) -> None:
    made = [Finding(n - 2.0, str(n), "") for n in range(12)]
    monkeypatch.setattr(
        findings, "CANDIDATES", (lambda _: iter(made[:6]), lambda _: iter(made[6:]))
    )
    volume = days(1, 2).assign(by_people=1, by_bots=0)
    given = Given(messages_per_day=volume)
    found = findings.findings(given)
    assert [finding.text for finding in found] == ["11", "10", "9", "8", "7", "6", "5"]
    monkeypatch.setattr(findings, "CANDIDATES", (lambda _: iter(made[:4]),))
    assert [f.text for f in findings.findings(given)] == ["3"], "what is usual is no finding"
    monkeypatch.setattr(findings, "CANDIDATES", ())
    assert one(findings.findings(given)).text.startswith("3 messages; most on"), "how much"


def test_how_surprising_is_told_in_doublings_of_what_is_usual() -> None:
    for what, usual, value, doublings in (
        ("few", 0.35, 0.35, 0),
        ("few", 0.35, 1.4, 2),
        ("peak", 2.0, 1.0, -1),
    ):
        assert resources.data("analytics/findings.toml")[what]["usual"] == usual
        values = {"top": 1, "people": 2, "share": 0.5, "day": "", "n": 1, "ratio": 2.0}
        assert one(findings._found(what, value, **values)).surprise == pytest.approx(doublings)
    waited = dict.fromkeys(("median", "low", "high", "within"), "1 h")
    assert findings._found("few", 0, **values) == []
    assert findings._found("few", 1.4, 29, **values) == [], "of too few"
    assert one(findings._found("outside", 16, n=1, **waited)).surprise == pytest.approx(1)


@pytest.mark.parametrize(("of", "told"), [(29, 0), (30, 1)])
def test_of_few_conversations_no_share_is_told(of: int, told: int) -> None:
    asked = {"message_id": range(of), "customer": range(of), "local_time": pd.Timestamp(0)}
    conversations = pd.DataFrame(asked)
    answers = Given(waiting=conversations.head(9), conversations=conversations)
    found = list(findings.unanswered(answers))
    assert len(found) == told
    if told:
        assert found[0].text == (
            "9 questions wait for an answer: 30% (9 of 30; 95% interval 16% to 49%)."
        )
        assert found[0].surprise == pytest.approx(math.log2(0.161 / 0.05), abs=0.01)
        alike = conversations.assign(customer=conversations.index // 9)
        answers = Given(waiting=alike.head(9), conversations=alike)
        (wider,) = findings.unanswered(answers)
        assert wider.surprise < found[0].surprise, "one person asked all of them"


def test_a_day_far_above_the_others() -> None:
    finding = one(findings.peak(Given(messages_per_day=days(10, 10, 10, 10, 60, 10, 10))))
    assert finding.text == (
        "On Fri 28 Nov 2025 60 messages were written, 6.0 times those of the median day."
    )
    assert finding.surprise == pytest.approx(math.log2((60 - 1.96 * 60**0.5) / 10 / 2))
    by_chance = one(findings.peak(Given(messages_per_day=days(3, 3, 3, 7, 3, 3, 3))))
    assert by_chance.surprise < 0
    with_gaps = days(10, 10, 10, 60, 10, 10, 10).iloc[[0, 3, 6]]  # half of the days have none
    assert list(findings.peak(Given(messages_per_day=with_gaps))) == []
    assert list(findings.peak(Given(messages_per_day=days(1, 9, 1, 1, 1, 1)))) == []


def waits(within: float, outside: float, answered: int = 40) -> pd.DataFrame:
    rows = [
        ("person", "any time", 110, 80, 600.0, 300.0, 700.0, math.inf),
        ("person", "office hours", 50, answered, within, within / 2, within * 2, math.inf),
        ("person", "outside", 60, answered, outside, outside / 2, outside * 2, math.inf),
    ]
    names = ["who", "asked", "conversations", "answered", "median", "low", "high", "p90"]
    return pd.DataFrame(rows, columns=names)


def test_waiting_outside_of_office_hours() -> None:
    finding, _ = findings.waits(Given(waits=waits(180.0, 43_920.0)))
    assert finding.text == (
        "Half of those who ask outside of office hours wait longer than 12.2 h for a person (95% "
        "interval 6.1 h to 24.4 h; 60 questions); within, longer than 3 min."
    )
    assert finding.surprise == pytest.approx(math.log2(122 / 4) / 2)
    for few in (waits(180.0, math.inf), waits(180.0, 43_920.0, answered=29)):
        assert "office hours" not in one(findings.waits(Given(waits=few))).text


def test_who_waits_longest_for_a_person() -> None:
    _, finding = findings.waits(Given(waits=waits(1.0, 2.0)))
    assert finding.text == (
        "Of those who need a person, one in ten waits longer than 3.0 days; 73% (80 of 110; 95% "
        "interval 64% to 80%) got one at all."
    )
    assert finding.surprise == pytest.approx(math.log2(72 / 4) / 2)
    few = waits(1.0, math.inf).assign(conversations=29)
    assert list(findings.waits(Given(waits=few))) == []


def outcomes(closed: int, solved: int, by_bot: int) -> pd.DataFrame:
    numbers = {"confirmed": solved // 2, "solved_at_most": solved, "bot_at_least": by_bot // 2,
               "bot_at_most": by_bot}  # fmt: skip
    return rates.table({name: Rate(n, closed) for name, n in numbers.items()})


def test_the_range_in_which_solved_lies() -> None:
    everything, bot = findings.solved(Given(outcomes=outcomes(100, 40, 10)))
    assert everything.text.startswith("Between 20% and 40% of 100 questions were solved:")
    assert everything.surprise == pytest.approx(math.log2((1 - 0.498) / 0.25), abs=0.01)
    assert "between 5% and 10% of the 100 conversations that it wrote in" in bot.text
    content, helpful = findings.solved(Given(outcomes=outcomes(100, 90, 80)))
    assert max(content.surprise, helpful.surprise) < 0
    assert list(findings.solved(Given(outcomes=outcomes(29, 10, 3)))) == []


def conversations(*opened: str, unanswered: int = 0) -> pd.DataFrame:
    times = pd.to_datetime(pd.Series(opened)).astype("datetime64[s]")
    n, asked = len(times), times.astype("int64")
    waits = [pd.NA] * unanswered + [60] * (n - unanswered)
    frame = pd.DataFrame(
        {
            "local_time": times,
            "asked": asked,
            "settled": asked,
            "bot_after": pd.array(waits, dtype="Int64"),
            "person_after": pd.array([pd.NA] * n, dtype="Int64"),
            "answer_after": pd.array(waits, dtype="Int64"),
            "back_after": pd.array([pd.NA] * n, dtype="Int64"),
            "outcome": ["unanswered"] * unanswered + ["assumed"] * (n - unanswered),
            "handed": False,
            "by": "bot",
            "signal": pd.array([pd.NA] * n, dtype="string"),
            "customer": range(n),
        }
    )
    end = int(asked.max()) + 86_400
    frame.attrs = {"parameters": {"start": str(times.min().date())}, "end": end, "until": end}
    return frame


def test_when_the_bot_said_nothing_rates_are_told_with_and_without() -> None:
    quiet = [f"2025-12-01 {9 + n // 6}:{n % 6}0" for n in range(30)]
    usual = [f"2025-12-0{d} 12:{n}" for d in range(2, 5) for n in range(20, 40)]
    c = conversations(*quiet, *usual, unanswered=30)
    said = pd.DataFrame(
        {"local_time": c["local_time"][30:].add(pd.Timedelta("60s")), "is_bot": True}
    )
    early = pd.DataFrame({"local_time": [pd.Timestamp("2025-12-01 08:00")], "is_bot": True})
    finding = one(findings.silences(Given(conversations=c, said=pd.concat([early, said]))))
    assert finding.text == (
        "The bot said nothing from 1 Dec 09:00 to 1 Dec 13:50, while people asked 30 questions. "
        "Unanswered are 33% (30 of 90; 95% interval 2% to 91%); without that time, 0% (0 of 60; "
        "95% interval 0% to 6%)."
    )
    assert finding.surprise == pytest.approx(math.log2(30 / 90 / 0.01))


def test_days_without_any_message() -> None:
    told = [
        f"2025-{m}-{d:02d} 12:{n}0" for m, d in [(11, d) for d in range(1, 29)] for n in range(6)
    ]
    kept = [day for day in told if "2025-11-20" not in day]
    c = conversations(*kept)
    said = pd.DataFrame({"local_time": c["local_time"], "is_bot": False})
    finding = one(findings.silences(Given(conversations=c, said=said)))
    assert finding.text.startswith("There is no message at all from 20 Nov to 20 Nov")
    assert finding.surprise == pytest.approx(math.log2(1 / 28 / 0.02))


def test_the_hours_to_have_people_at() -> None:
    opened = [f"2025-11-{d:02d} {h}:15" for d in range(1, 29) for h in (9, 10, 10, 11)]
    c = conversations(*[time.replace(" 9", " 09") for time in opened])
    finding = one(findings.bands(Given(conversations=c)))
    assert finding.text.startswith("Busiest: ")
    assert finding.surprise > 0
    assert list(findings.bands(Given(conversations=c.head(9)))) == []


def test_a_day_that_was_named_stands_first() -> None:
    frame = pd.DataFrame(
        {"is_after": [False, True], "days": [9, 9], "messages": [90, 270],
         "messages_per_day": [10.0, 30.0], "deviation": [3.0, 3.0]}
    )  # fmt: skip
    frame.attrs = {"parameters": {"cut": "2025-11-28"}}
    answers = Given(before_and_after=frame)
    answers.cut = "2025-11-28"
    finding = one(findings.change(answers))
    assert finding.text == (
        "200% more messages a day from Fri 28 Nov 2025 on: 30.0 ± 2.0, before 10.0 ± 2.0."
    )
    assert finding.surprise == math.inf
    answers.cut = ""
    assert list(findings.change(answers)) == []


def test_a_tenth_that_writes_most_of_it() -> None:
    counts = [100, 50, 50, *[1] * 27]
    frame = pd.DataFrame({"messages": counts, "messages_so_far": pd.Series(counts).cumsum()})
    finding = one(findings.few(Given(concentration=frame)))
    assert finding.text == "3 of 30 people wrote 88% of all messages."
    assert finding.surprise == pytest.approx(math.log2(200 / 227 / 0.35))
    assert list(findings.few(Given(concentration=frame.head(29)))) == []


def test_new_people_who_do_not_stay() -> None:
    frame = pd.DataFrame({"weeks_later": [0, 1, 1, 2], "people": [40, 5, 5, 9], "cohort_size": 20})
    finding = one(findings.stay(Given(weekly_retention=frame)))
    assert "Of new people, 75% (30 of 40; 95% interval 60% to 86%)" in finding.text
    assert finding.surprise == pytest.approx(math.log2(0.5981 / 0.5), abs=0.001)
    few = frame.assign(cohort_size=14)
    assert list(findings.stay(Given(weekly_retention=few))) == []


def test_weekly_writers_who_have_fallen_silent() -> None:
    gone = pd.DataFrame({"user_id": [1]})
    finding = one(findings.fallen_silent(Given(fallen_silent=gone)))
    assert finding.text == "1 person who wrote every week has not written for three weeks."
    assert finding.surprise == pytest.approx(math.log2(1 / 40 / 0.01))
    with language.use("pt"):
        assert (
            "não escreve há três semanas"
            in one(findings.fallen_silent(Given(fallen_silent=gone))).text
        )
    assert list(findings.fallen_silent(Given(fallen_silent=gone, people=29))) == []


def test_what_to_teach_first() -> None:
    frame = pd.DataFrame(
        {
            "title": ["Refund", "Other"],
            "minutes": [60.0, 40.0],
            "same_answer": [5, 1],
            "of": [10, 4],
            "low": [0.2, 0.1],
            "high": [0.8, 0.6],
        }
    )
    finding = one(findings.teach(Given(teach=frame, conversations=pd.DataFrame({"n": range(30)}))))
    assert finding.text.startswith("Refund takes 60% of agents' time (60 of 100 min); the same")
    assert finding.surprise == pytest.approx(math.log2(6))


def test_what_is_asked_most_and_what_has_changed() -> None:
    frame = pd.DataFrame(
        {"problem": ["refund", "x", "y", None], "title": ["Refund", "X", "Y", "None"], "of": 40,
         "conversations": [20, 10, 6, 4], "trend": ["", "rising", "falling", ""],
         "last_7_days": [5, 9, 0, 1], "before": [5, 1, 5, 1],
         "low": [0.3, 0.1, 0.1, 0], "high": [0.7, 0.4, 0.3, 0.2]}
    )  # fmt: skip
    most, rising, falling = findings.need(Given(frequent=frame))
    said = "No problem is asked about more than Refund: 50% (20 of 40; 95% interval 30% to 70%)."
    assert most.text == said, "with the interval of the table"
    assert most.surprise == pytest.approx(math.log2(3))
    assert rising.text == "More people ask about X in the last 7 days: 9, before 1."
    assert rising.surprise == pytest.approx(math.log2(5 / 2))
    assert falling.text == "Fewer people ask about Y in the last 7 days: 0, before 5."
    assert falling.surprise == pytest.approx(math.log2(6 / 2))
    few = findings.need(Given(frequent=frame.assign(of=29)))
    assert [f.text for f in few] == [rising.text, falling.text]
