"""Checking the answers to the notebooks' exercises, without giving them away.

A notebook hands `check` the name of an exercise, the reader's answer, and what the answer is to be
judged by. A rule looks at it and says what is wrong in words, never what is right.
"""

from collections.abc import Callable
from typing import Any

from tgpipeline.errors import NotebookError

Rule = Callable[..., str | None]
RULES: dict[str, Rule] = {}


class Verdict:
    """What `check` says; a notebook renders it when it is a cell's last value.

    Attributes:
        right: whether the answer is right; None where there is none yet.
        text: what to tell the reader.
    """

    def __init__(self, right: bool | None, text: str) -> None:
        self.right, self.text = right, text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {"text/markdown": str(self), "text/plain": str(self)}

    def __repr__(self) -> str:
        return f"{'✅' if self.right else '✏️' if self.right is None else '❌'} {self.text}"


def rule(function: Rule) -> Rule:
    """Declare the rule of the exercise that bears the function's name.

    It takes the answer and the facts, and returns what is wrong, or None where nothing is.
    """
    RULES[function.__name__] = function
    return function


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
    if exercise not in RULES:
        raise NotebookError(f"no exercise {exercise!r}: there are {', '.join(sorted(RULES))}.")
    if answer is ...:
        return Verdict(None, "Put your answer in the place of `...` and run this cell again.")
    try:
        wrong = RULES[exercise](answer, **facts)
    except Exception as error:
        wrong = f"Your answer could not be looked at: {type(error).__name__}: {error}"
    return Verdict(wrong is None, wrong or "Right.")
