"""Run the series and store its outputs in place: `make notebooks`, or some of it by number.

    python -m tools.notebooks [02 05 …]

What a run leaves behind that is not an answer (papermill's notes, times, kernel versions) is not
stored. The README's pictures are two charts of the last notebook. The Portuguese notebooks are run
as well: each cell has to say the numbers that the English one says.
"""

import base64
import re
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import nbformat

from tgpipeline.errors import TgPipelineError
from tgpipeline.notebook import runner
from tools import notebook_style, translate

DOCS = Path(__file__).parents[1] / "docs"
PICTURES = {"06": ("messages_per_day",), "07": ("outcomes",)}  # charts, and files, of that name


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


def differences(english: Any, other: Any) -> list[str]:
    """The cells of two executed languages of a notebook whose outputs have other numbers.

    The order of the numbers may differ, as sentences do, and so may `1,214` and `1.214`.
    """
    return [
        f"cell {n} ({first[:50]}): in one language only: {' '.join(sorted(apart.elements()))}"
        for n, ((first, one), (_, two)) in enumerate(
            zip(answers(english), answers(other), strict=True), 1
        )
        if (apart := (_numbers(one) - _numbers(two)) + (_numbers(two) - _numbers(one)))
    ]


def _numbers(text: str) -> Counter[str]:
    return Counter(re.sub("[.,]", "", number) for number in re.findall(r"\d+(?:[.,]\d+)*", text))


def _clean(output: Any) -> Any:
    if "metadata" in output:
        about = output.metadata.get("image/png", {})
        kept = {name: about[name] for name in ("alt", "drawn") if name in about}
        output.metadata = nbformat.from_dict({"image/png": kept} if kept else {})
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
            pictures = PICTURES.get(path.name[:2], ())
            for name in pictures:
                (DOCS / f"{name}.png").write_bytes(picture(executed, name))
            translated = path.parent / translate.FOLDER / path.name
            if translated.is_file():
                portuguese = runner.execute(translated)
                store(translated, portuguese)
                for name in pictures:
                    place = DOCS / f"{name}.{translate.FOLDER}.png"
                    place.write_bytes(picture(portuguese, name))
                for difference in differences(executed, portuguese):
                    failed = True
                    print(f"{path.name}, {difference}", file=sys.stderr)
        except TgPipelineError as error:
            failed = True
            print(error, file=sys.stderr)
        else:
            print(f"{path.name}: {time.monotonic() - started:.0f} s, outputs stored")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
