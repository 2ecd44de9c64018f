"""The notebooks' exercises: checking an answer without giving it away.

A notebook hands `check` the name of an exercise, the reader's answer, and what the answer is to be
judged by. There is one function for each exercise, named after it. It yields, one after the other,
what may be wrong with the answer, by its name in `exercises.toml`, and whether it is. The first
that is wrong is told to the reader; an answer with which nothing is wrong is right.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from tgpipeline import resources
from tgpipeline.analytics.language import say
from tgpipeline.etl import reading
from tgpipeline.notebook.display import Shown

Faults = Iterator[tuple[str, bool]]


def check(exercise: str, answer: Any, **facts: Any) -> Shown:
    """Say whether an answer is right and, where it is not, what is wrong with it.

    Args:
        exercise: its name.
        answer: the reader's; `...` while there is none.
        **facts: what the rule judges by, such as the objects that the notebook has at hand.

    Returns:
        The verdict. An answer that cannot even be looked at is wrong, too: its error is told.
    """
    faults = resources.data("notebook/exercises.toml")[exercise]
    if answer is ...:
        return Shown("✏️ " + say("Put your answer in the place of `...` and run this cell again."))
    try:
        for fault, wrong in globals()[exercise](answer, **facts):
            if wrong:
                return Shown("❌ " + say(faults[fault]))
    except Exception as error:
        return Shown("❌ " + say("Your answer could not be looked at: {told}", told=repr(error)))
    return Shown("✅ " + say("Right."))


def confirming_offset(answer: int, numbers: list[int], stored: list[int]) -> Faults:
    """01: the offset that confirms what is stored, and nothing else."""
    yield "again", answer <= max(stored)
    yield "lost", answer > max(stored) + 1


def own_messages(answer: int) -> Faults:
    """01: how many updates a bot gets of its own message."""
    yield "count", answer != 0


def groups_of(answer: Callable[[list[Any]], Any]) -> Faults:
    """01: a function from updates to the ids of the groups among their chats."""
    met = [("message", -42, "group"), ("edited_message", -42, "group"), ("message", 42, "private")]
    updates: list[Any] = [{"update_id": 4, "poll": {"id": "5"}}]
    for number, (kind, chat_id, chat_type) in enumerate(met):
        message = {"message_id": 1, "chat": {"id": chat_id, "type": chat_type}}
        updates.append({"update_id": number, kind: message})
    found = answer(updates)
    yield "type", not isinstance(found, set)
    yield "private", 42 in found
    yield "no_chat", None in found
    yield "missing", found != {-42}


def day_in_zone(answer: Callable[[int, tzinfo], Any]) -> Faults:
    """02: a function from Unix seconds and a zone to the local date."""
    evening = 1764379800  # 22:30 of 28 November 2025 in São Paulo
    found = answer(evening, ZoneInfo("America/Sao_Paulo"))
    yield "type", isinstance(found, datetime) or not isinstance(found, date)
    yield "utc", found == date(2025, 11, 29)
    yield "day", found != date(2025, 11, 28)
    yield "zone", answer(evening, ZoneInfo("UTC")) != date(2025, 11, 29)


def first_reaction(answer: Any, month: list[Any]) -> Faults:
    """02: the row of the first reaction of the month."""
    reactions = (update for update in month if "message_reaction" in update)
    yield "type", not isinstance(answer, dict) or "update_id" not in answer
    yield "other", answer["update_id"] != next(reactions)["update_id"]
    yield "table", answer.get("event_type") != "message_reaction"


def status_of_new_kind(answer: int) -> Faults:
    """03: the answer to an update of a kind that nobody knows yet."""
    yield "repeated", answer == 500
    yield "other", answer != 200


def quarantine_reason(answer: Any) -> Faults:
    """03: the reason that lies beside a body that is no update."""
    yield "type", not isinstance(answer, str)
    yield "other", "update_id" not in answer


def missed_objects(answer: int, objects: int) -> Faults:
    """04: what whoever reads one page of a listing never sees."""
    yield "all", answer == objects
    yield "count", answer != max(0, objects - 1000)


def kinds_of_day(answer: Any, store: Any, day: date) -> Faults:
    """04: how many updates of each kind a day of the raw zone holds."""
    yield "type", not isinstance(answer, dict)
    yield "name", "message" not in answer
    right = Counter(one.kind for one in reading.read_day(store, reading.list_day(store, day)))
    yield "missing", sum(answer.values()) < right.total()
    yield "count", answer != right


def rows_if_doubled(answer: int, rows: int) -> Faults:
    """05: what a count sees when each day has two files of the same rows."""
    yield "one_file", answer == rows
    yield "count", answer != 2 * rows


def scheduled_day(answer: Any) -> Faults:
    """05: the day that a run makes."""
    yield "begun", str(answer) == "2025-11-29"
    yield "zone", str(answer) == "2025-11-27"
    yield "other", str(answer) != "2025-11-28"


def set_aside_by_ingest(answer: int, items: list[Any]) -> Faults:
    """05: the objects in quarantine that do not name an origin."""
    right = sum(not item.origin for item in items)
    yield "of_etl", answer == len(items) - right != right
    yield "count", answer != right


def busiest_day(answer: str, per_day: Any) -> Faults:
    """06: the day with most messages of people."""
    right = per_day.loc[per_day["by_people"].idxmax(), "day"]
    yield "no_day", str(answer)[:10] not in {str(day)[:10] for day in per_day["day"]}
    yield "other", str(answer)[:10] != str(right)[:10]


def edited_messages(answer: int, messages: Any) -> Faults:
    """06: how many messages of people, service messages left out, were edited."""
    edited = messages[messages["edit_date"].notna()]
    written = edited[~edited["is_service"].fillna(False).astype(bool)]
    right = int((written["author_kind"] == "person").sum())
    yield "everybody", answer in (len(edited), len(written)) and answer != right
    yield "count", answer != right


def most_frequent(answer: Any, frequent: Any) -> Faults:
    """07: the titles of all problems that may be the most frequent."""
    right = {frequent["title"].iloc[0], *frequent.loc[frequent["as_frequent"], "title"]}
    yield "type", not isinstance(answer, set | frozenset)
    yield "chance", answer < right
    yield "other", answer != right


def one_number(answer: str) -> Faults:
    """07: what one number of solved questions is."""
    yield "silent", answer in ("the truth", say("the truth"))
    yield "other", answer not in ("the most", say("the most"))
