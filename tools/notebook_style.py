"""The notebook guide, as checks. `python -m tools.notebook_style` prints what breaks it.

A notebook is read more often than it is run, so its form is held as strictly as its answers.
"""

import ast
import json
import re
import statistics
import sys
from collections.abc import Callable, Iterator
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import nbformat
from papermill.translators import PythonTranslator

from tgpipeline.errors import NotebookError
from tgpipeline.notebook import runner
from tools import badges, drawings
from tools.drawings import flow

NAME = re.compile(r"[0-9]{2}_[a-z0-9]+(_[a-z0-9]+)*\.ipynb")
TAGS = set("parameters setup checkpoint exercise solution teardown hide-input aws-only".split())
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
CELL_METADATA = {"tags", "jupyter", "cellView"}
MAX_LINES, MEDIAN_LINES, MAX_FUNCTION, MAX_SIZE = 25, 6, 10, 400_000
MAX_WORDS, MEDIAN_WORDS, MAX_OUTPUT = 80, 25, 40
# What differs from run to run, says where it ran, or is a secret.
NOISE = re.compile(
    r"127\.0\.0\.1:[0-9]|localhost:|/tmp/|/home/|/root/|/Users/|\bat 0x[0-9a-f]+"
    r"|[0-9]{8,10}:AA[\w-]{33}|LOCAL-TOKEN|local-webhook-secret"
    r"|\b[0-9.]+ (ms|seconds|secs) (elapsed|ago)|it/s\]"
)
_LINE = re.compile(r"(?P<name>\w+) = (?P<value>.+?)  # (?P<help>.+)")
# Numbers in code, in parentheses (links) and of notebooks are no results.
NOT_A_RESULT = re.compile(r"`[^`]*`|\([^)]*\)|[Nn]otebooks? \d\d( (to|and) \d\d)?")
PROPER = set(
    "API AWS Athena Amazon Arrow BotFather Colab Desktop ETL EventBridge Gateway Glue Google HTTP "
    "I IAM JSON Jupyter Lambda MiniStack Parquet PyArrow Python Python's REST S3 SQL São Paulo "
    "Scheduler Telegram Telegram's URL Friday Black UTC DataFrame".split()
)
_OWN_NAMES = (
    ast.FunctionDef, ast.ClassDef, ast.Lambda,
    ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp,
)  # fmt: skip
Notebook = Any
Cell = Any


def problems(path: Path) -> list[str]:
    """Everything in a notebook that breaks the guide; empty if nothing does."""
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    return [f"{path.name}: {problem}" for check in CHECKS for problem in check(path, notebook)]


def gaps(paths: list[Path]) -> list[str]:
    """What is wrong with the numbers of a series."""
    numbers = [int(path.name[:2]) for path in paths]
    return [f"no notebook between {a:02d} and {b:02d}" for a, b in pairwise(numbers) if b != a + 1]


def _file(path: Path, notebook: Notebook) -> Iterator[str]:
    if not NAME.fullmatch(path.name):
        yield "the name is not NN_lower_snake.ipynb"
    if (notebook.nbformat, notebook.nbformat_minor) != (4, 5):
        yield "not nbformat 4.5"
    if notebook.metadata != METADATA:
        yield f"metadata is not {json.dumps(METADATA)}"
    if path.stat().st_size > MAX_SIZE:
        yield f"over {MAX_SIZE // 1000} kB"
    nbformat.validate(notebook)


def _cells(path: Path, notebook: Notebook) -> Iterator[str]:
    ids = [cell.id for cell in notebook.cells]
    if len(set(ids)) != len(ids):
        yield "two cells share an id"
    for cell in notebook.cells:
        if unknown := set(cell.metadata) - CELL_METADATA:
            yield f"{_where(cell)}: metadata {sorted(unknown)}"
        if unknown := _tags(cell) - TAGS:
            yield f"{_where(cell)}: unknown tag {sorted(unknown)}"
        hidden = cell.metadata.get("jupyter", {}).get("source_hidden", False)
        in_colab = cell.metadata.get("cellView") == "form"
        if {hidden, in_colab} != {bool(_tags(cell) & {"solution", "hide-input"})}:
            yield f"{_where(cell)}: solutions, and only they and hide-input, are collapsed"


def _order(path: Path, notebook: Notebook) -> Iterator[str]:
    cells, number = notebook.cells, int(path.name[:2])
    title, picture, overview, setup, parameters = cells[:5]
    if not re.match(rf"# {number:02d} · \S", title.source):
        yield f"cell 1 is not the title '# {number:02d} · …'"
    if not re.match(r"#[^\n]+\n\n[A-Z][^\n]+\.\n\n", title.source):
        yield "the title is not followed by one sentence that says what the notebook is about"
    if badges.badge(path.name, badges.repository()) not in title.source:
        yield "cell 1 has no Colab badge, or another's: run `make badges`"
    if not picture.source.startswith(f"![{flow.describe(number)}][{flow.name(number)}]"):
        yield "cell 2 is not the picture of the flow (python -m tools.drawings makes it)"
    bullets = len(re.findall(r"(?m)^- ", overview.source))
    if not overview.source.startswith("## You will") or not 3 <= bullets <= 5:
        yield "cell 3 is not '## You will' with three to five bullets"
    for word in ("**Time**", "**AWS cost**", "**Previous**", "**Next**"):
        if word not in overview.source:
            yield f"cell 3 does not say {word}"
    if _tags(setup) != {"setup"} or not setup.source.startswith(badges.setup(badges.repository())):
        yield "cell 4 does not begin like every setup cell (tools/badges.py): run `make badges`"
    if _tags(parameters) != {"parameters"}:
        yield "cell 5 is not the parameters cell"
    parameters_of(notebook)
    if "teardown" not in _tags(cells[-1]):
        yield "the last cell is not the teardown"
    tags = " ".join(t for cell in cells for t in ("exercise", "solution") if t in _tags(cell))
    if not re.fullmatch(r"((exercise )+solution ?)+", tags):
        yield "exercises and solutions do not come in pairs"
    headings = [line for cell in cells for line in _headings(cell)]
    if headings[-2:] != ["## Summary", "## Teardown"]:
        yield "the last two headings are not Summary and Teardown"
    if sum(line.startswith("# ") for line in headings) != 1:
        yield "not exactly one title"


def _parameters(path: Path, notebook: Notebook) -> Iterator[str]:
    """Parameters are read by papermill, and keep what they are given: no cell assigns to them."""
    given = set(parameters_of(notebook))
    for cell in _code_cells(notebook):
        if "parameters" in _tags(cell):
            for name in sorted(given - {p.name for p in PythonTranslator.inspect(cell)}):
                yield f"{_where(cell)}: papermill cannot read {name}: no '=' in its help"
        else:
            for name in sorted(given & set(_assigned(_parsed(cell)))):
                yield f"{_where(cell)}: the parameter {name} gets another value"


def parameters_of(notebook: Notebook) -> dict[str, tuple[Any, str]]:
    """By name, the default and the help of the parameters of a notebook.

    Raises:
        NotebookError: if a line of the parameters cell is not `name = literal  # help`.
    """
    found = {}
    lines = [c.source.splitlines() for c in notebook.cells if "parameters" in _tags(c)]
    for line in filter(str.strip, chain.from_iterable(lines)):
        match = _LINE.fullmatch(line)
        try:
            assert match is not None
            found[match["name"]] = (ast.literal_eval(match["value"]), match["help"])
        except (AssertionError, ValueError, SyntaxError):
            raise NotebookError(f"not of the form 'name = literal  # help': {line}") from None
    return found


def _assigned(node: ast.AST) -> Iterator[str]:
    """The names that a cell assigns; functions and comprehensions have names of their own."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    if not isinstance(node, _OWN_NAMES):
        for child in ast.iter_child_nodes(node):
            yield from _assigned(child)


def _links(path: Path, notebook: Notebook) -> Iterator[str]:
    """A link to another notebook bears that notebook's title."""
    for cell in notebook.cells:
        for text, name in re.findall(r"\[([^\]]+)\]\((\w+\.ipynb)\)", cell.source):
            other = runner.find()[0].parent / name
            title = other.is_file() and nbformat.read(other, as_version=4).cells[0].source
            if not title or title.partition("\n")[0] != f"# {text}":
                yield f"{_where(cell)}: '{text}' is not the title of {name}"


def _headings_case(path: Path, notebook: Notebook) -> Iterator[str]:
    for cell in notebook.cells:
        for heading in _headings(cell):
            words = re.sub(r"`[^`]*`", "", heading.lstrip("# ")).split(" · ")[-1].split()
            sentences = " ".join(words[1:]).split(": ")
            for word in " ".join(s for s in sentences).split():
                bare = word.strip(".,:;?!()“”\"'’")
                if bare[:1].isupper() and bare not in PROPER:
                    yield f"'{heading}' is not in sentence case ({bare})"


def _code(path: Path, notebook: Notebook) -> Iterator[str]:
    lengths = []
    for cell in _code_cells(notebook):
        own = cell.source.removeprefix(badges.setup(badges.repository()))
        lines = [x for x in own.splitlines() if x.strip()]
        if "setup" not in _tags(cell):
            lengths.append(len(lines))
        if len(lines) > MAX_LINES:
            yield f"{_where(cell)}: {len(lines)} lines, over {MAX_LINES}"
        for node in ast.walk(_parsed(cell)):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                size = (node.end_lineno or 0) - node.lineno + 1
                if size > MAX_FUNCTION:
                    yield f"{_where(cell)}: {node.name} has {size} lines: move it to the package"
            if isinstance(node, ast.Assert) and node.msg is None:
                yield f"{_where(cell)}: an assert does not say what to look at"
        if ("checkpoint" in _tags(cell)) != cell.source.lstrip().startswith("assert") and (
            "checkpoint" in _tags(cell) and "assert" not in cell.source
        ):
            yield f"{_where(cell)}: a checkpoint without an assert"
        if re.search(r"(?m)^\s*!", cell.source):
            yield f"{_where(cell)}: shells out with '!'"
    if statistics.median(lengths) > MEDIAN_LINES:
        yield f"the median cell has {statistics.median(lengths)} lines, over {MEDIAN_LINES}"


def _rhythm(path: Path, notebook: Notebook) -> Iterator[str]:
    told = sum("**What just happened?**" in cell.source for cell in notebook.cells)
    if told < 3:
        yield f"'What just happened?' is asked {told} times: at least 3"
    if sum("checkpoint" in _tags(cell) for cell in notebook.cells) < 3:
        yield "fewer than three checkpoints"
    for first, second, third in zip(
        notebook.cells, notebook.cells[1:], notebook.cells[2:], strict=False
    ):
        plain = [c for c in (first, second, third) if c.cell_type == "code" and not _tags(c)]
        if len(plain) == 3:
            yield f"{_where(third)}: the third code cell in a row without a word in between"


def _outputs(path: Path, notebook: Notebook) -> Iterator[str]:
    counts = [cell.execution_count for cell in _code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield "not run from top to bottom: run `make notebooks`"
    for cell in _code_cells(notebook):
        for output in cell.outputs:
            if output.output_type == "error" or output.get("name") == "stderr":
                yield f"{_where(cell)}: an error or a warning is among the outputs"
        if noise := NOISE.search(text_of(cell)):
            yield f"{_where(cell)}: its output depends on the run ({noise[0]!r})"


def _numbers(path: Path, notebook: Notebook) -> Iterator[str]:
    """A number in the prose about a result is one that a cell above printed."""
    above = ""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            above += f" {cell.source} {text_of(cell)} ".replace(",", "")
        elif "**What just happened?**" in cell.source:
            prose = NOT_A_RESULT.sub("", cell.source)
            for number in re.findall(r"\d[\d,.]*\d", prose):
                if not re.search(rf"(?<!\d){re.escape(number.replace(',', ''))}(?!\d)", above):
                    yield f"{_where(cell)}: no cell above printed {number}"


def _teaching(path: Path, notebook: Notebook) -> Iterator[str]:
    """One idea per cell: short prose, more of it than code, drawings, exercises to write in."""
    prose = [c for c in notebook.cells if c.cell_type == "markdown" and "][flow-" not in c.source]
    words = {cell.id: len(_words(cell)) for cell in prose if not _is_drawing(cell)}
    for cell in prose:
        if words.get(cell.id, 0) > MAX_WORDS:
            yield f"{_where(cell)}: {words[cell.id]} words, over {MAX_WORDS}"
    if statistics.median(words.values()) > MEDIAN_WORDS:
        yield f"the median prose cell has {statistics.median(words.values())} words"
    if len(prose) <= len(_code_cells(notebook)):
        yield f"{len(prose)} prose cells, {len(_code_cells(notebook))} code cells"
    if sum(map(_is_drawing, prose)) < 2:
        yield "fewer than two drawings besides the flow"
    for cell in prose:
        if _is_drawing(cell) and len(cell.source) > drawings.MAX_SIZE * 4 / 3 + 2000:
            yield f"{_where(cell)}: the drawing is over {drawings.MAX_SIZE // 1000} kB"
    for cell in _code_cells(notebook):
        if len(text_of(cell).splitlines()) > MAX_OUTPUT:
            yield f"{_where(cell)}: an output of over {MAX_OUTPUT} lines"
    exercises = [c for c in notebook.cells if "exercise" in _tags(c) and c.cell_type == "code"]
    if not 2 <= len(exercises) <= 3:
        yield f"{len(exercises)} exercises with a cell to write in: two or three"
    for cell in exercises:
        if "= ..." not in cell.source or "check(" not in cell.source:
            yield f"{_where(cell)}: an exercise's cell assigns `...` and calls check"


def _words(cell: Cell) -> list[str]:
    """The words of a prose cell, without its links' addresses, code blocks and tables' rules."""
    text = re.sub(r"(?s)```.*?```|<details>.*?</details>", "", cell.source)
    text = re.sub(r"\]\([^)]*\)|\|", " ", text)
    return re.findall(r"\S*\w\S*", text)


def _is_drawing(cell: Cell) -> bool:
    return bool(re.match(r"!\[[^\]]*\]\[[\w-]+\]", cell.source)) and "][flow-" not in cell.source


def text_of(cell: Cell) -> str:
    """What a code cell says: printed text, values as Markdown or text, what its charts show."""
    parts = []
    for output in cell.get("outputs", []):
        data, alternative = output.get("data", {}), output.get("metadata", {}).get("image/png", {})
        text = output.get("text") or data.get("text/markdown") or data.get("text/plain", "")
        parts.append(alternative.get("alt", text))
    return "\n".join(part.rstrip() for part in parts)


def _tags(cell: Cell) -> set[str]:
    return set(cell.metadata.get("tags", []))


def _code_cells(notebook: Notebook) -> list[Cell]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _parsed(cell: Cell) -> ast.Module:
    return ast.parse(re.sub(r"(?m)^(\s*)[%!].*$", r"\1pass", cell.source))


def _headings(cell: Cell) -> list[str]:
    if cell.cell_type != "markdown":
        return []
    text = re.sub(r"(?s)```.*?```", "", cell.source)
    return re.findall(r"(?m)^#+ .+$", text)


def _where(cell: Cell) -> str:
    first = cell.source.strip().splitlines()[0] if cell.source.strip() else "(empty)"
    return f"cell {cell.id} ({first[:50]})"


CHECKS: tuple[Callable[[Path, Notebook], Iterator[str]], ...] = (
    _file, _cells, _order, _parameters, _links, _headings_case, _code, _rhythm, _outputs, _numbers,
    _teaching,
)  # fmt: skip


def main() -> int:
    """Check the series; the exit code says whether it keeps to the guide."""
    paths = runner.find()
    found = gaps(paths) + [problem for path in paths for problem in problems(path)]
    print("\n".join(found) or f"{len(paths)} notebooks keep to the guide")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
