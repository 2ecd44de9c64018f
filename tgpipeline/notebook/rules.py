"""Whether an answer to an exercise is right: one function for each, named after the exercise.

Each takes the answer and the facts that the notebook has at hand. It returns what is wrong with the
answer, never what is right; or None where nothing is wrong.
"""

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from tgpipeline.analytics.language import say
from tgpipeline.etl import reading


def confirming_offset(answer: int, numbers: list[int], stored: list[int]) -> str | None:
    """01: the offset that confirms what is stored, and nothing else."""
    if answer <= max(stored):
        return say("Telegram would send an update again that is stored already.")
    if answer > max(stored) + 1:
        return say("An update that is not stored would be confirmed, and so lost.")
    return None


def groups_of(answer: Callable[[list[Any]], Any]) -> str | None:
    """01: a function from updates to the ids of the groups among their chats."""
    group, person = {"id": -42, "type": "group"}, {"id": 42, "type": "private"}
    updates = [
        {"update_id": 1, "message": {"message_id": 1, "chat": group}},
        {"update_id": 2, "edited_message": {"message_id": 1, "chat": group}},
        {"update_id": 3, "message": {"message_id": 2, "chat": person}},
        {"update_id": 4, "poll": {"id": "5"}},
    ]
    found = answer(updates)
    if not isinstance(found, set):
        return say("A set is wanted, so that a group that says much is there once.")
    if 42 in found:
        return say("A private chat is among them.")
    if None in found:
        return say("An update without a chat, such as a poll, gives no id.")
    return None if found == {-42} else say("A group is missing: an edit comes from a group, too.")


def day_in_zone(answer: Callable[[int, tzinfo], Any]) -> str | None:
    """02: a function from Unix seconds and a zone to the local date."""
    evening = 1764379800  # 22:30 of 28 November 2025 in São Paulo
    found = answer(evening, ZoneInfo("America/Sao_Paulo"))
    if isinstance(found, datetime) or not isinstance(found, date):
        return say("A date is wanted, not {kind}.", kind=type(found).__name__)
    if str(found)[:10] == "2025-11-29":
        return say("This is the day in UTC: the zone was not used.")
    if str(found) != "2025-11-28":
        return say("A message of the late evening got the wrong day.")
    return None if str(answer(evening, ZoneInfo("UTC"))) == "2025-11-29" else say("Use the zone.")


def first_reaction(answer: Any, month: list[Any]) -> str | None:
    """02: the row of the first reaction of the month."""
    update_id = next(u["update_id"] for u in month if "message_reaction" in u)
    if not isinstance(answer, dict) or "update_id" not in answer:
        return say("A row is wanted, as rows.as_json makes it.")
    if answer["update_id"] != update_id:
        return say("It is a row, but not of the first message_reaction.")
    if answer.get("event_type") != "message_reaction":
        return say("A reaction belongs to the other table.")
    return None


def missed_objects(answer: int, objects: int) -> str | None:
    """04: what whoever reads one page of a listing never sees."""
    if answer == objects:
        return say("One page is seen: not all are missed.")
    return None if answer == max(0, objects - 1000) else say("One page holds 1,000 keys at most.")


def kinds_of_day(answer: Any, store: Any, day: date) -> str | None:
    """04: how many updates of each kind a day of the raw zone holds."""
    if not isinstance(answer, dict):
        return say("A dict from kind to number is wanted.")
    if "message" not in answer:
        return say("The kind of a new message is called message.")
    of_day = reading.list_day(store, day)
    right = Counter(document.kind for document in reading.read_day(store, of_day))
    if sum(answer.values()) < right.total():
        return say("Fewer updates than objects: some of the day are missing.")
    return None if answer == right else say("Count again.")


def quarantine_reason(answer: Any) -> str | None:
    """03: the reason that lies beside a body that is no update."""
    if not isinstance(answer, str):
        return say("A text is wanted: the reason in the object's metadata.")
    return None if "update_id" in answer else say("The reason names what is missing in the body.")


def rows_if_doubled(answer: int, rows: int) -> str | None:
    """05: what a count sees when each day has two files of the same rows."""
    if answer == rows:
        return say("A count reads every file of a folder: the second one, too.")
    return None if answer == 2 * rows else say("Each row would be there twice.")


def set_aside_by_ingest(answer: int, items: list[Any]) -> str | None:
    """05: the objects in quarantine that do not name an origin."""
    if answer == sum(bool(item.origin) for item in items) != sum(not i.origin for i in items):
        return say("These are the ones that the ETL set aside.")
    if answer == sum(not item.origin for item in items):
        return None
    return say("Count again: only items without an origin.")


def busiest_day(answer: str, per_day: Any) -> str | None:
    """06: the day with most messages of people."""
    right = per_day.loc[per_day["by_people"].idxmax(), "day"]
    if str(answer)[:10] == str(right)[:10]:
        return None
    if str(answer)[:10] not in {str(day)[:10] for day in per_day["day"]}:
        return say("This is no day of the period, or not written as YYYY-MM-DD.")
    return say("On another day people wrote more. Did you count the bot's messages, too?")


def edited_messages(answer: int, messages: Any) -> str | None:
    """06: how many messages of people, service messages left out, were edited."""
    edited = messages[messages["edit_date"].notna()]
    written = edited[~edited["is_service"].fillna(False).astype(bool)]
    if answer == int((written["author_kind"] == "person").sum()):
        return None
    if answer in (len(edited), len(written)):
        return say("Are these people's messages alone?")
    return say("Count rows that have an edit_date, in the period.")


def most_frequent(answer: Any, frequent: Any) -> str | None:
    """07: the titles of all problems that may be the most frequent."""
    right = {frequent["title"].iloc[0], *frequent.loc[frequent["as_frequent"], "title"]}
    if not isinstance(answer, set | frozenset):
        return say("A set of titles is wanted.")
    if answer == right:
        return None
    if answer < right:
        return say("Chance alone could have put another one first.")
    return say("One of them is certainly less frequent, or is no title.")
