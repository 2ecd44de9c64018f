"""Exercises: what a reader is told of an answer, and what of a wrong one."""

import inspect
import json
import re
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pandas as pd
import pytest
from obstore.store import MemoryStore

from tgpipeline import resources
from tgpipeline.lake import keys
from tgpipeline.notebook import exercises

DAY = date(2025, 11, 28)
MONTH = [{"update_id": 1, "message": {}}, {"update_id": 2, "message_reaction": {}}]


class Row(dict):
    """A row that can be a key of ANSWERS."""

    __hash__ = object.__hash__


def _day(seconds, zone):
    return datetime.fromtimestamp(seconds, zone).date()


def _raw_zone():
    store = MemoryStore()
    for n, kind in enumerate(("message", "message", "edited_message")):
        update = {"update_id": n, kind: {"message_id": n, "date": 1764345600, "chat": {"id": -1}}}
        store.put(keys.update_key(n, DAY), json.dumps(update).encode())
    return store


# By exercise: the facts it is judged by, right answers, and wrong ones with a word of what is said.
ANSWERS = {
    "confirming_offset": (
        {"numbers": [901, 902, 903], "stored": [901, 902]},
        [903],
        {901: "again", 902: "again", 904: "lost", "902": "could not be looked at"},
    ),
    "own_messages": ({}, [0], {1: "before"}),
    "groups_of": (
        {},
        [lambda found: {-42}],
        {
            lambda found: {-42, 42}: "private",
            lambda found: {-42, None}: "poll",
            lambda found: [-42]: "set",
            lambda found: set(): "missing",
        },
    ),
    "day_in_zone": (
        {},
        [_day],
        {
            lambda seconds, zone: _day(seconds, UTC): "UTC",
            lambda seconds, zone: _day(seconds, zone) - timedelta(1): "wrong day",
            lambda seconds, zone: str(_day(seconds, zone)): "a str",
            datetime.fromtimestamp: "not a datetime",
        },
    ),
    "first_reaction": (
        {"month": MONTH},
        [Row(update_id=2, event_type="message_reaction")],
        {
            Row(update_id=1, event_type="message"): "first",
            Row(update_id=2, text="x"): "other table",
            Row(text="x"): "as_json",
        },
    ),
    "missed_objects": ({"objects": 3895}, [2895], {3895: "not all", 1000: "1,000 keys"}),
    "kinds_of_day": (
        {"store": _raw_zone(), "day": DAY},
        [Row(message=2, edited_message=1)],
        {
            3: "dict",
            Row(text=3): "called message",
            Row(message=2): "missing",
            Row(message=3): "again",
        },
    ),
    "status_of_new_kind": ({}, [200], {500: "repeat", 403: "table"}),
    "quarantine_reason": (
        {},
        ["no update_id that is a 64-bit integer"],
        {"not JSON": "missing", 200: "text"},
    ),
    "rows_if_doubled": ({"rows": 10}, [20], {10: "second one", 30: "twice"}),
    "scheduled_day": (
        {},
        ["2025-11-28"],
        {"2025-11-29": "only begun", "2025-11-27": "another one", "2025-12-01": "before"},
    ),
    "set_aside_by_ingest": (
        {
            "items": [
                SimpleNamespace(origin=""),
                SimpleNamespace(origin=""),
                SimpleNamespace(origin="1.json"),
            ]
        },
        [2],
        {1: "ETL", 5: "again"},
    ),
    "busiest_day": (
        {"per_day": pd.DataFrame({"day": ["2025-11-27", "2025-11-28"], "by_people": [3, 7]})},
        ["2025-11-28"],
        {"2025-11-27": "wrote more", "28/11": "YYYY-MM-DD"},
    ),
    "edited_messages": (
        {
            "messages": pd.DataFrame(
                {
                    "edit_date": [1, 2, 3, None],
                    "is_service": [False, False, None, False],
                    "author_kind": ["person", "bot", "person", "person"],
                }
            )
        },
        [2],
        {3: "alone", 4: "edit_date"},
    ),
    "most_frequent": (
        {"frequent": pd.DataFrame({"title": ["a", "b", "c"], "as_frequent": [False, True, False]})},
        [frozenset({"a", "b"})],
        {"a": "set", frozenset({"a"}): "Chance", frozenset({"a", "b", "c"}): "less frequent"},
    ),
    "one_number": ({}, ["the most"], {"the truth": "silent", "the least": "counted"}),
}


EXERCISES = resources.data("notebook/exercises.toml")


def test_every_exercise_has_answers_here_and_a_rule_of_its_name():
    judging = {name for name, rule in vars(exercises).items() if inspect.isgeneratorfunction(rule)}
    assert set(ANSWERS) == set(EXERCISES) == judging


def test_every_fault_that_a_rule_names_is_told():
    for name, told in EXERCISES.items():
        named = re.findall(r'yield "(\w+)"', inspect.getsource(getattr(exercises, name)))
        assert named == list(told)


def mark(verdict):
    return str(verdict).partition(" ")[0]


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_right_answers_are_right_and_wrong_ones_are_told_why(name):
    facts, right, wrong = ANSWERS[name]
    for answer in right:
        assert mark(exercises.check(name, answer, **facts)) == "✅"
    assert wrong, "each exercise has a wrong answer"
    for answer, word in wrong.items():
        verdict = exercises.check(name, answer, **facts)
        assert mark(verdict) == "❌"
        assert word in str(verdict)


@pytest.fixture
def made_up(monkeypatch):
    def busiest(answer, listing):
        yield "more", listing[answer] != max(listing.values())

    monkeypatch.setattr(exercises, "busiest", busiest, raising=False)
    monkeypatch.setitem(EXERCISES, "busiest", {"more": "Another day has more objects."})


def test_an_answer_is_right_or_told_what_is_wrong_without_giving_it_away(made_up):
    listing = {"mon": 3, "tue": 7}
    assert mark(exercises.check("busiest", "tue", listing=listing)) == "✅"
    wrong = exercises.check("busiest", "mon", listing=listing)
    assert mark(wrong) == "❌"
    assert "tue" not in str(wrong)


def test_without_an_answer_nothing_fails(made_up):
    verdict = exercises.check("busiest", ..., listing={})
    assert mark(verdict) == "✏️"
    assert "Put your answer" in str(verdict)


def test_an_answer_of_another_kind_is_told_its_error(made_up):
    verdict = exercises.check("busiest", 5, listing={"mon": 1})
    assert mark(verdict) == "❌"
    assert "KeyError" in str(verdict)
