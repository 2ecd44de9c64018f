"""`make demo`: the seven notebooks on this machine, one after the other, and what came of them."""

import sys
import time
from collections import Counter
from pathlib import Path

from tgpipeline.errors import NotebookError
from tgpipeline.notebook import runner

# What notebook.record is given, in the order in which it happens.
FIGURES = ("updates_sent", "raw_objects", "rows", "events", "quarantined", "queries_run")


def main(out: Path = Path("out"), folder: Path | None = None) -> int:
    """Run the series, a line a notebook, and say what it did in numbers and what to open.

    Args:
        out: where the executed notebooks go.
        folder: where the series is; see `runner.find`.

    Returns:
        0, or 1 where a notebook failed; the reason is on standard error.
    """
    try:
        series = runner.find(folder)
        figures = _run(series, out)
    except NotebookError as error:
        print(f"\n{error}", file=sys.stderr)
        print(f"What was executed so far is in {out}/.", file=sys.stderr)
        return 1
    print()
    for name in FIGURES:
        print(f"{figures[name]:>9,} {name.replace('_', ' ')}")
    print(f"\nThe executed notebooks are in {out}/; {series[-1].name} has the answers.")
    return 0


def _run(series: list[Path], out: Path) -> Counter[str]:
    figures: Counter[str] = Counter()
    begun = time.monotonic()
    for number, path in enumerate(series, start=1):
        print(f"[{number}/{len(series)}] {path.stem:<24}", end="", flush=True)
        started = time.monotonic()
        notebook = runner.execute(path, output=out / path.name)
        figures.update(runner.figures(notebook))
        print(f"{time.monotonic() - started:>5.0f} s", flush=True)
    print(f"{'':<30}{time.monotonic() - begun:>5.0f} s in all")
    return figures
