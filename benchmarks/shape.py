"""What everyone makes: the columns of `messages` that are a field of the message itself."""

from typing import Any

from tgpipeline.lake.columns import EVENTS, MESSAGES

# What needs more than a path is left to tgpipeline: it makes all of its columns.
_DERIVED = {"group_id", "sent_at", "entity_types", "bot_command"}
_TAKEN = [c for c in MESSAGES if c.source and c.name not in _DERIVED]
TYPES = {c.name: c.type for c in _TAKEN}
COLUMNS = list(TYPES)
PATHS = {c.name: c.source.split(".") for c in _TAKEN if c.name != "update_id"}
LEFT_OUT = [c.name for c in MESSAGES if c.name not in TYPES]
OURS = {"messages": len(MESSAGES), "events": len(EVENTS)}


def nested() -> dict[str, Any]:
    """A message as a schema: the type of each field that is taken, objects as dicts."""
    tree: dict[str, Any] = {}
    for name, path in PATHS.items():
        at = tree
        for step in path[:-1]:
            at = at.setdefault(step, {})
        at[path[-1]] = TYPES[name]
    return tree
