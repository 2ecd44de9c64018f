"""Checking the answers to the notebooks' exercises, without giving them away.

A notebook hands `check` the name of an exercise, the reader's answer, and what the answer is to be
judged by. The function of that name in `rules` looks at it, and `exercises.toml` says what is told.
"""

from typing import Any

from tgpipeline import resources
from tgpipeline.analytics.language import say
from tgpipeline.errors import NotebookError
from tgpipeline.notebook import rules
from tgpipeline.notebook.display import Shown


def check(exercise: str, answer: Any, **facts: Any) -> Shown:
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
    exercises = resources.data("notebook/exercises.toml")
    if exercise not in exercises:
        raise NotebookError(f"no exercise {exercise!r}: there are {', '.join(sorted(exercises))}.")
    if answer is ...:
        return Shown("✏️ " + say("Put your answer in the place of `...` and run this cell again."))
    try:
        for fault, wrong in getattr(rules, exercise)(answer, **facts):
            if wrong:
                return Shown("❌ " + say(exercises[exercise][fault]))
    except Exception as error:
        return Shown("❌ " + say("Your answer could not be looked at: {told}", told=repr(error)))
    return Shown("✅ " + say("Right."))
