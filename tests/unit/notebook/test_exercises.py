"""Exercises: what a reader is told of an answer, and what of a wrong one."""

import pytest

from tgpipeline.errors import NotebookError
from tgpipeline.notebook import exercises


@pytest.fixture(autouse=True)
def made_up(monkeypatch):
    def busiest(answer, listing):
        return None if listing[answer] == max(listing.values()) else "another day has more objects"

    monkeypatch.setitem(exercises.RULES, "busiest", busiest)


def test_an_answer_is_right_or_told_what_is_wrong_without_giving_it_away():
    listing = {"mon": 3, "tue": 7}
    assert exercises.check("busiest", "tue", listing=listing).right is True
    wrong = exercises.check("busiest", "mon", listing=listing)
    assert wrong.right is False
    assert "tue" not in str(wrong)


def test_without_an_answer_nothing_fails():
    verdict = exercises.check("busiest", ..., listing={})
    assert verdict.right is None
    assert "Put your answer" in str(verdict)


def test_an_answer_of_another_kind_is_told_its_error():
    verdict = exercises.check("busiest", 5, listing={"mon": 1})
    assert verdict.right is False
    assert "KeyError" in str(verdict)


def test_an_unknown_exercise_names_the_known_ones():
    with pytest.raises(NotebookError, match="busiest"):
        exercises.check("laziest", 1)
