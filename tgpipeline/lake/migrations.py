"""How a migrated group keeps one id. No I/O.

A group that becomes a supergroup gets a new chat_id. Whoever meets the message that says so (see
`updates.migration`) leaves a marker, `migrations/<new chat_id>.json`; from then on the ETL writes
the first id into `group_id` of every row, so that one group stays one group.
"""

import json
from collections.abc import Mapping
from typing import Any

from tgpipeline.telegram import updates


def as_marker(old: int, new: int) -> bytes:
    """What the marker holds: both ids."""
    return json.dumps({"from": old, "to": new}).encode()


def from_marker(body: bytes) -> tuple[int, int]:
    """The ids, old and new, that a marker holds.

    Raises:
        ValueError, KeyError or TypeError: if these are not the ids of a group and a supergroup.
    """
    marker = json.loads(body)
    message = {"chat": {"id": marker["from"]}, "migrate_to_chat_id": marker["to"]}
    if (ids := updates.migration(message)) is None:
        raise ValueError("not the ids of a group and a supergroup")
    return ids


def first_id(chat_id: Any, groups: Mapping[int, int]) -> Any:
    """The id that a chat's group had first; None where the chat's id is none.

    Args:
        chat_id: as an update has it.
        groups: for the id of a supergroup that was a group before, that group's id.
    """
    return groups.get(chat_id, chat_id) if type(chat_id) is int else None
