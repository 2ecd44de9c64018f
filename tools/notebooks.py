"""Run the series and store its outputs in place: `make notebooks`, or some of it by number.

    python -m tools.notebooks [02 05 …]

What a run leaves behind that is not an answer (papermill's notes, times, kernel versions) is not
stored. The README's pictures are two charts of the last notebook.
"""

import base64
import sys
import time
from pathlib import Path
from typing import Any

import nbformat

from tgpipeline.errors import TgPipelineError
from tgpipeline.notebook import runner
from tools import notebook_style

DOCS = Path(__file__).parents[1] / "docs"
PICTURES = ("messages_per_day", "outcomes")  # each is the chart of that name, and its file


def store(path: Path, executed: Any) -> None:
    """Put the outputs of an executed copy into the notebook."""
    notebook = nbformat.read(path, as_version=4)
    for cell, ran in zip(notebook.cells, executed.cells, strict=True):
        if cell.cell_type == "code":
            cell.execution_count = ran.execution_count
            cell.outputs = [_clean(output) for output in ran.outputs]
    notebook.metadata = nbformat.from_dict(notebook_style.METADATA)
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def picture(notebook: Any, name: str) -> bytes:
    """The PNG that the cell of a chart has as output.

    Raises:
        KeyError: if there is no such cell.
    """
    for cell in notebook.cells:
        if f"charts.{name}(" in cell.source:
            return base64.b64decode(cell.outputs[0].data["image/png"])
    raise KeyError(name)


def answers(notebook: Any) -> list[tuple[str, str]]:
    """The text that each code cell has as output, beside the cell's first line."""
    return [
        (cell.source.partition("\n")[0], notebook_style.text_of(cell))
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def _clean(output: Any) -> Any:
    if "metadata" in output:
        kept = output.metadata.get("image/png", {}).get("alt")
        output.metadata = nbformat.from_dict({"image/png": {"alt": kept}} if kept else {})
    return output


def main(numbers: list[str]) -> int:
    """Run the notebooks with these numbers, or all of them."""
    failed = False
    for path in runner.find():
        if numbers and path.name[:2] not in numbers:
            continue
        started = time.monotonic()
        try:
            executed = runner.execute(path)
            store(path, executed)
            for name in PICTURES if path.name.startswith("06_") else ():
                (DOCS / f"{name}.png").write_bytes(picture(executed, name))
        except TgPipelineError as error:
            failed = True
            print(error, file=sys.stderr)
        else:
            print(f"{path.name}: {time.monotonic() - started:.0f} s, outputs stored")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
