"""What stands first on the page: few sentences, the most surprising first."""

import math

import pandas as pd
import pytest

from tgpipeline.analytics import findings, language
from tgpipeline.analytics.answers import Answers
from tgpipeline.analytics.findings import Finding


class Given(Answers):
    """Answers that are given, not asked."""

    def __init__(self, people: int = 40, **given: pd.DataFrame) -> None:
        self.given = given
        self.__dict__["labels"] = {n: f"person {n}" for n in range(people)}
        for name, frame in given.items():
            self.__dict__[name] = frame

    def ask(self, name: str, **_: object) -> pd.DataFrame:
        return self.given[name]


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
    found = findings.findings(Given())
    assert [finding.text for finding in found] == ["11", "10", "9", "8", "7", "6", "5"]
    monkeypatch.setattr(findings, "CANDIDATES", (lambda _: iter(made[:4]),))
    assert [f.text for f in findings.findings(Given())] == ["3"], "what is usual is no finding"


def test_how_surprising_is_told_in_doublings_of_what_is_usual() -> None:
    for what, usual in findings.USUAL.items():
        assert findings._surprise(what, usual) == 0
        assert findings._surprise(what, 4 * usual) == 2
        assert findings._surprise(what, 0) == -math.inf


@pytest.mark.parametrize(("of", "told"), [(29, 0), (30, 1)])
def test_of_few_conversations_no_share_is_told(of: int, told: int) -> None:
    answers = Given(
        waiting=pd.DataFrame({"n": range(9)}), conversations=pd.DataFrame({"n": range(of)})
    )
    found = list(findings.unanswered(answers))
    assert len(found) == told
    if told:
        assert found[0].text == (
            "9 questions wait for an answer: 30% (9 of 30; 95% interval 17% to 48%)."
        )
        assert found[0].surprise == pytest.approx(math.log2(0.1666 / 0.05), abs=0.01)


def test_a_day_far_above_the_others() -> None:
    finding = one(findings.peak(Given(messages_per_day=days(10, 10, 10, 10, 60, 10, 10))))
    assert finding.text == (
        "On Fri 28 Nov 2025 60 messages were written, 6.0 times those of the median day."
    )
    assert finding.surprise == pytest.approx(math.log2(3))
    assert list(findings.peak(Given(messages_per_day=days(1, 9, 1, 1, 1, 1)))) == []


def waits(within: float, outside: float, answered: int = 40) -> pd.DataFrame:
    rows = [
        ("person", "office hours", 50, answered, within),
        ("person", "outside", 60, answered, outside),
    ]
    return pd.DataFrame(rows, columns=["who", "asked", "conversations", "answered", "median"])


def test_waiting_outside_of_office_hours() -> None:
    finding = one(findings.outside(Given(waits=waits(180.0, 43_920.0))))
    assert (
        "waits 12.2 hours for a person in the median (60 questions); within, 3 minutes"
        in finding.text
    )
    assert finding.surprise == pytest.approx(math.log2(244 / 4) / 2)
    assert list(findings.outside(Given(waits=waits(180.0, math.inf)))) == []
    assert list(findings.outside(Given(waits=waits(180.0, 43_920.0, answered=29)))) == []


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
    finding = one(findings.silent(Given(fallen_silent=gone)))
    assert finding.text == "1 person who wrote every week has not written for three weeks."
    assert finding.surprise == pytest.approx(math.log2(1 / 40 / 0.01))
    with language.use("pt"):
        assert "não escreve há três semanas" in one(findings.silent(Given(fallen_silent=gone))).text
    assert list(findings.silent(Given(fallen_silent=gone, people=29))) == []


def test_what_to_teach_first() -> None:
    frame = pd.DataFrame(
        {
            "title": ["Refund", "Other"],
            "minutes": [60.0, 40.0],
            "same_answer": [5, 1],
            "of": [10, 4],
        }
    )
    finding = one(findings.teach(Given(teach=frame, conversations=pd.DataFrame({"n": range(30)}))))
    assert finding.text.startswith("Refund takes 60% of agents' time (60 of 100 minutes); the same")
    assert finding.surprise == pytest.approx(math.log2(6))


def test_what_is_asked_most_and_what_rises() -> None:
    frame = pd.DataFrame(
        {"problem": ["refund", "x", None], "title": ["Refund", "X", "None"], "of": 40,
         "conversations": [20, 10, 10], "trend": ["", "rising", ""]}
    )  # fmt: skip
    most, rising = findings.need(Given(frequent=frame))
    assert most.text.startswith("No problem is asked about more than Refund: 50% (20 of 40;")
    assert most.surprise == pytest.approx(math.log2(0.352 / 0.1), abs=0.01)
    assert "about X." in rising.text
    assert rising.surprise == 2
    assert [f.text for f in findings.need(Given(frequent=frame.assign(of=29)))] == [rising.text]
