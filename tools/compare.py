"""What notebooks show now, against what is stored: cell by cell, charts by their numbers.

    python -m tools.compare FOLDER

compares the executed notebooks in a folder, such as `make demo` leaves in out/, with the stored
ones, and tells every difference of every notebook.
"""

import difflib
import sys
from pathlib import Path
from typing import Any

import nbformat

from tgpipeline.notebook import runner


def shown(cell: Any) -> str:
    """What a code cell shows, as text.

    The pieces of a stream are joined first: a kernel flushes it wherever it likes. A chart is its
    alternative text, the numbers that it draws, and a digest of the marks on its axes.
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
            marks = f"marks {about['drawn']}" if "drawn" in about else ""
            parts.append("\n".join(filter(None, (about.get("alt"), text, marks))))
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


def main(folder: Path) -> int:
    """Compare all notebooks of the series; 1 where one differs, or was not executed."""
    found = []
    for path in runner.find():
        ran = folder / path.name
        if ran.is_file():
            stored, fresh = (nbformat.read(file, as_version=4) for file in (path, ran))
            found += differences(path.name, stored, fresh)
        else:
            found.append(f"{path.name}: not in {folder}")
    print("\n\n".join(found) or "Every cell shows what is stored in notebooks/.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
