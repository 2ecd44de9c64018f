"""Runs notebooks headless, with their parameters, to the end.

papermill executes them; what it only warns of, an unknown parameter, is refused here.
"""

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
import papermill
from papermill.exceptions import PapermillExecutionError

from tgpipeline import resources
from tgpipeline.errors import NotebookError

_QUIET = ["--IPKernelApp.log_level=50"]  # no word on its transport
_KERNEL = {"kernel_name": "python3", "progress_bar": False, "extra_arguments": _QUIET}


def find(folder: Path | None = None) -> list[Path]:
    """The series, in order.

    Args:
        folder: where it is; the one that came with the package where it is None.
    """
    return sorted((folder or resources.folder("notebooks")).glob("[0-9][0-9]_*.ipynb"))


def execute(source: Path, output: Path | None = None, **given: Any) -> nbformat.NotebookNode:
    """Run a notebook in a kernel of its own, in an empty folder.

    Args:
        source: the notebook; it is not changed.
        output: where to leave it executed, also when a cell fails.
        **given: values for its parameters.

    Returns:
        The executed notebook.

    Raises:
        NotebookError: if it has no such parameter, or naming the first cell that fails.
    """
    known = papermill.inspect_notebook(source)
    if unknown := sorted(set(given) - set(known)):
        lacks = f"{source.name} has no parameter {', '.join(unknown)}: it has {', '.join(known)}."
        raise NotebookError(lacks)
    os.environ.setdefault("TQDM_DISABLE", "1")  # a progress bar would be an output of the cell
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tgpipeline-notebook-") as folder:
        try:
            return papermill.execute_notebook(source, output, given, cwd=folder, **_KERNEL)
        except PapermillExecutionError as error:
            reason = f"{error.ename}: {error.evalue.strip()}\n{error.source}"
            reason += f"\nWhat was executed so far is in {output}." if output else ""
            raise NotebookError(f"{source.name}, cell {error.exec_count}: {reason}") from None


def demo(out: Path = Path("out"), folder: Path | None = None) -> None:
    """Run the series, a line a notebook with what it did in numbers, and say what to open.

    Args:
        out: where the executed notebooks go.
        folder: where the series is; see `find`.

    Raises:
        NotebookError: naming the first notebook that fails, its cell and the reason.
    """
    series = find(folder)
    for number, path in enumerate(series, start=1):
        print(f"[{number}/{len(series)}] {path.stem:<24}", end="", flush=True)
        started = time.monotonic()
        executed = execute(path, out / path.name)
        print(f"{time.monotonic() - started:>5.0f} s  {_recorded(executed)}", flush=True)
    print(f"\nThe executed notebooks are in {out}/; {series[-1].name} has the answers.")


def _recorded(notebook: nbformat.NotebookNode) -> str:
    """What an executed notebook says with `display.record`."""
    cells = [cell for cell in notebook.cells if "record(" in cell.source and cell.get("outputs")]
    return " ".join(cell.outputs[-1].data["text/plain"] for cell in cells)
