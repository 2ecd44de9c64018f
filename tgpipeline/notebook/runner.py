"""Runs notebooks headless, with their parameters, to the end.

papermill executes them; what it only warns of, an unknown parameter, is refused here.
"""

import os
import re
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import papermill
from papermill.exceptions import PapermillExecutionError

from tgpipeline import resources
from tgpipeline.errors import NotebookError
from tgpipeline.notebook.display import RECORD

PATTERN = "[0-9][0-9]_*.ipynb"
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def find(folder: Path | None = None) -> list[Path]:
    """The series, in order.

    Args:
        folder: where it is; the one that came with the package where it is None.

    Raises:
        NotebookError: if there are none.
    """
    place = folder or resources.folder("notebooks")
    if found := sorted(place.glob(PATTERN)):
        return found
    raise NotebookError(f"no notebooks in {place}: name the folder that holds them.")


def execute(
    source: Path, given: Mapping[str, Any] | None = None, *, output: Path | None = None
) -> nbformat.NotebookNode:
    """Run a notebook in a kernel of its own, in an empty folder.

    Args:
        source: the notebook; it is not changed.
        given: values for its parameters.
        output: where to leave it executed, also when a cell fails.

    Returns:
        The executed notebook.

    Raises:
        NotebookError: if it has no such parameter, or naming the first cell that fails.
    """
    if not source.is_file():
        raise NotebookError(f"there is no notebook {source}")
    known = papermill.inspect_notebook(str(source))
    if unknown := sorted(set(given or {}) - set(known)):
        raise NotebookError(
            f"{source.name} has no parameter {', '.join(unknown)}: it has {', '.join(known)}."
        )
    os.environ.setdefault("TQDM_DISABLE", "1")  # a progress bar would be an output of the cell
    with tempfile.TemporaryDirectory(prefix="tgpipeline-notebook-") as folder:
        target = output.absolute() if output else Path(folder) / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            papermill.execute_notebook(
                str(source.absolute()),
                str(target),
                dict(given or {}),
                kernel_name="python3",
                cwd=folder,
                progress_bar=False,
                request_save_on_cell_execute=False,
                extra_arguments=["--IPKernelApp.log_level=50"],  # no word on its transport
            )
        except PapermillExecutionError as error:
            reason = _ANSI.sub("", str(error.evalue)).strip()
            raise NotebookError(
                f"{source.name}, cell {error.exec_count}: {error.ename}: {reason}\n{error.source}"
            ) from None
        return nbformat.read(target, as_version=4)


def figures(notebook: nbformat.NotebookNode) -> Counter[str]:
    """What a notebook recorded with `notebook.record`, summed by name."""
    found: Counter[str] = Counter()
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            found.update(output.get("data", {}).get(RECORD, {}))
    return found
