"""What a notebook shows now, against what is stored: cell by cell, charts by their numbers."""

import difflib
from typing import Any


def shown(cell: Any) -> str:
    """What a code cell shows, as text.

    The pieces of a stream are joined first: a kernel flushes it wherever it likes. A chart is its
    alternative text and the numbers that it draws.
    """
    streams: dict[str, str] = {}
    parts = []
    for output in cell.get("outputs", []):
        if output["output_type"] == "stream":
            streams[output["name"]] = streams.get(output["name"], "") + output["text"]
        elif output["output_type"] == "error":
            parts.append(f"{output['ename']}: {output['evalue']}")
        else:
            data, about = output["data"], output["metadata"].get("image/png", {})
            text = data.get("text/markdown") or data.get("text/plain", "")
            parts.append("\n".join(filter(None, (about.get("alt"), text))))
    said = [f"[{name}]\n{text}" if name == "stderr" else text for name, text in streams.items()]
    return "\n".join(part.rstrip() for part in (*sorted(said), *parts))


def differences(name: str, stored: Any, fresh: Any) -> list[str]:
    """Every cell of a notebook that shows something else than is stored, or complains.

    Args:
        name: of the notebook.
        stored: the notebook with its stored outputs.
        fresh: the same, executed now.

    Returns:
        For each, the notebook, the cell's number among all cells, its first line and what changed;
        a cell that writes on standard error is named also if that is stored.
    """
    if [cell.source for cell in stored.cells] != [cell.source for cell in fresh.cells]:
        return [f"{name}: the executed cells are not the stored ones"]
    found = []
    for number, (before, now) in enumerate(zip(stored.cells, fresh.cells, strict=True)):
        if now.cell_type != "code":
            continue
        old, new = shown(before).splitlines(), shown(now).splitlines()
        if old == new and "[stderr]" not in new:
            continue
        changed = [
            line
            for line in difflib.unified_diff(old, new, "stored", "now", n=0, lineterm="")
            if not line.startswith("@@")
        ]
        lines = changed[:20] or new[:20]
        found.append("\n  ".join((f"{name}, cell {number}: {now.source.splitlines()[0]}", *lines)))
    return found
