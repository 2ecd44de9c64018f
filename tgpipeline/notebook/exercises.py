"""Checking the answers to the notebooks' exercises, without giving them away.

A notebook hands `check` the name of an exercise, the reader's answer, and what the answer is to be
judged by. A function of `rules` looks at it, or `exercises.toml` lists the answers.
"""

import inspect
from collections.abc import Mapping
from functools import partial
from typing import Any

from tgpipeline import resources
from tgpipeline.analytics.language import say
from tgpipeline.errors import NotebookError
from tgpipeline.notebook import rules
from tgpipeline.notebook.display import Shown

MARKS = {True: "✅", False: "❌", None: "✏️"}


class Verdict(Shown):
    """What `check` says.

    Attributes:
        right: whether the answer is right; None where there is none yet.
    """

    def __init__(self, right: bool | None, text: str) -> None:
        super().__init__(f"{MARKS[right]} {text}")
        self.right = right


def check(exercise: str, answer: Any, **facts: Any) -> Verdict:
    """Say whether an answer is right and, where it is not, what is wrong with it.

    Args:
        exercise: its name.
        answer: the reader's; `...` while there is none.
        **facts: what the rule judges by, such as the objects that the notebook has at hand.

    Returns:
        The verdict. An answer that cannot even be looked at is wrong, too: its error is told.

    Raises:
        NotebookError: if there is no such exercise.
    """
    judges = all_rules()
    if exercise not in judges:
        raise NotebookError(f"no exercise {exercise!r}: there are {', '.join(sorted(judges))}.")
    if answer is ...:
        return Verdict(None, say("Put your answer in the place of `...` and run this cell again."))
    try:
        wrong = judges[exercise](answer, **facts)
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        wrong = say("Your answer could not be looked at: {told}", told=told)
    return Verdict(wrong is None, wrong or say("Right."))


def all_rules() -> dict[str, Any]:
    """What judges each exercise, by its name."""
    listed = resources.data("notebook/exercises.toml")
    judges: dict[str, Any] = {name: partial(_listed, told) for name, told in listed.items()}
    return judges | dict(inspect.getmembers(rules, _is_rule))


def _is_rule(member: Any) -> bool:
    return inspect.isfunction(member) and member.__module__ == rules.__name__


def _listed(told: Mapping[str, str], answer: Any) -> str | None:
    right, otherwise = told["right"], told["otherwise"]
    if str(answer) in (right, say(right)):
        return None
    known = {name: text for key, text in told.items() for name in (key, say(key))}
    return say(known.get(str(answer), otherwise))
