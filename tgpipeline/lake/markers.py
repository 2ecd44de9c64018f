"""Markers: what the raw zone remembers beside the messages, each in a small object of its own.

A group that becomes a supergroup gets a new chat_id. Whoever meets the message that says so (see
`updates.migration`) leaves a marker, `migrations/<new chat_id>.json`; from then on the ETL writes
the first id into `group_id` of every row, so that one group stays one group. Others say who is a
bot, and who was erased.
"""

import json
import logging
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from tgpipeline.lake.erasing import Erased
from tgpipeline.lake.keys import BOTS, ERASED, MIGRATIONS
from tgpipeline.lake.stores import paths
from tgpipeline.telegram import updates

logger = logging.getLogger(__name__)


class Markers(NamedTuple):
    """What all markers say.

    Attributes:
        groups: for each supergroup that was a group before, that group's id.
        bots: ids of users that are known as bots.
        erased: who was erased, and until when.
    """

    groups: dict[int, int]
    bots: set[int]
    erased: Erased


NO_MARKERS = Markers({}, set(), Erased())


def of_migration(old: int, new: int) -> bytes:
    """What the marker of a migration holds: both ids."""
    return json.dumps({"from": old, "to": new}).encode()


def first_id(chat_id: Any, groups: Mapping[int, int]) -> Any:
    """The id that a chat's group had first; None where the chat's id is none.

    Args:
        chat_id: as an update has it.
        groups: as `Markers` has them.
    """
    return groups.get(chat_id, chat_id) if type(chat_id) is int else None


def read_markers(store: Any) -> Markers:
    """Read `migrations/`, `bots/` and `erased/` of the raw zone.

    A marker that cannot be read is skipped and logged.

    Args:
        store: the raw bucket, as `stores.open_store` gives it.
    """
    groups, bots, words = dict[int, int](), set[int](), dict[str, int]()
    listed, key, until = erased_listed(store), b"", dict[tuple[str, int], int]()
    for path in (*paths(store, f"{MIGRATIONS}/"), *paths(store, f"{BOTS}/"), *dict(listed)):
        kind, _, name = path.removesuffix(".json").partition("/")
        body = store.get(path).bytes().to_bytes() if kind != BOTS else b""
        try:
            if kind == BOTS:  # its name says all
                (number,) = re.findall(r"\A[1-9][0-9]*\Z", name)
                bots.add(int(number))
            elif kind == MIGRATIONS:
                marker = json.loads(body)
                message = {"chat": {"id": marker["from"]}, "migrate_to_chat_id": marker["to"]}
                if (ids := updates.migration(message)) is None:
                    raise ValueError("not the ids of a group and a supergroup")
                groups[ids[1]] = ids[0]
            elif name == "key":
                key = body
            else:
                marker = json.loads(body)
                until[name[:32], int(name[32:] or 0)] = second = int(marker["until"])
                for word in marker.get("words", ()):
                    words[word] = max(second, words.get(word, 0))  # of another who is called so
        except (AttributeError, KeyError, TypeError, ValueError):
            logger.warning(json.dumps({"skipped": path, "reason": "not a marker: delete it"}))
    return Markers(groups, bots, Erased(key, until, words, listed))


def erased_listed(store: Any) -> frozenset[tuple[str, str]]:
    """Paths and ETags of the markers of erasures: others than before if one began or ended."""
    found = (item for page in store.list(f"{ERASED}/") for item in page)
    return frozenset((item["path"], item["e_tag"] or "") for item in found)
