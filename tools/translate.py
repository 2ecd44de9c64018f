"""The Portuguese series, made from the English one and a catalogue per notebook: `make translate`.

    python -m tools.translate [02 05 …]

A catalogue (notebooks/pt-BR/NN_name.po) holds what a person reads: the prose of each Markdown cell,
and the comments and sentences in code. Code itself is the same in both languages, but for the
parameter `language`. What is new or has changed stands in the catalogue without a translation;
what no cell says any more is dropped. A string of one word, as a table's heading, is code until
somebody enters it in the catalogue.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
from babel.messages import pofile
from babel.messages.catalog import Catalog

from tgpipeline.notebook import runner
from tools import badges, drawings

LANGUAGE, FOLDER = "pt", "pt-BR"
_PICTURE = re.compile(r"^!\[[^\]]*\]\[([\w-]+)\]")
Notebook = Any
Cell = Any
Translate = Callable[[str], str]


def texts(cell: Cell, known: Catalog | None = None) -> Iterator[str]:
    """What a person reads in a cell, piece by piece, as it is in the source."""
    if cell.cell_type == "markdown":
        if match := _PICTURE.match(cell.source):
            yield from drawings.texts(match[1])
        else:
            yield _without_badge(cell.source)
    elif "setup" not in _tags(cell):
        yield from (text for _, _, text in _spans(cell.source, _entered(cell, known)))


def extract(notebook: Notebook, known: Catalog | None = None) -> Catalog:
    """The catalogue of a notebook, with the translations that are known already."""
    catalog = Catalog(locale=FOLDER.replace("-", "_"), fuzzy=False)
    for cell in notebook.cells:
        for text in texts(cell, known):
            before = known.get(text, context=cell.id) if known else None
            catalog.add(text, string=before.string if before else "", context=cell.id)
    return catalog


def translate(notebook: Notebook, catalog: Catalog, name: str) -> Notebook:
    """The notebook in Portuguese, without outputs.

    Where a text has no translation the English one stays: `missing` names these.
    """
    made = nbformat.from_dict(notebook)
    for cell in made.cells:

        def said(text: str, cell: Cell = cell) -> str:
            message = catalog.get(text, context=cell.id)
            return str(message.string) if message and message.string else text

        cell.source = _translated(cell, said, name, _entered(cell, catalog))
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return made


def missing(notebook: Notebook, catalog: Catalog) -> list[str]:
    """The cells whose prose is not in the catalogue, or changed since it was translated."""
    found = []
    for cell in notebook.cells:
        for text in texts(cell, catalog):
            message = catalog.get(text, context=cell.id)
            if message is None or not message.string:
                found.append(f"cell {cell.id}: not translated: {text.strip().splitlines()[0][:60]}")
    wanted = {(cell.id, text) for cell in notebook.cells for text in texts(cell, catalog)}
    for message in catalog:
        if message.id and (message.context, message.id) not in wanted:
            found.append(f"cell {message.context}: translated, but no longer said in English")
    return found


def catalogue_of(path: Path) -> Path:
    """Where the catalogue of a notebook is."""
    return path.parent / FOLDER / f"{path.stem}.po"


def read_catalogue(path: Path) -> Catalog:
    """The catalogue of a notebook; an empty one where there is none yet."""
    place = catalogue_of(path)
    if not place.is_file():
        return Catalog(locale=FOLDER.replace("-", "_"))
    with place.open("rb") as file:
        return pofile.read_po(file, locale=FOLDER.replace("-", "_"))


def _entered(cell: Cell, catalog: Catalog | None) -> set[str]:
    """The texts of a cell that the catalogue has."""
    return {str(m.id) for m in catalog or () if m.context == cell.id}


def _translated(cell: Cell, said: Translate, name: str, entered: set[str]) -> str:
    source = str(cell.source)
    if cell.cell_type == "markdown":
        if match := _PICTURE.match(source):
            return drawings.markdown(match[1], said)
        text = said(_without_badge(source))
        return text.replace(_BADGE, badges.badge(f"{FOLDER}/{name}", badges.repository()))
    if "setup" in _tags(cell):
        for text, translation in badges.SETUP_WORDS[FOLDER].items():
            source = source.replace(text, translation)
        return source
    if "parameters" in _tags(cell):
        source = source.replace('language = "en"', f'language = "{LANGUAGE}"')
    for start, end, text in reversed(list(_spans(source, entered))):
        source = source[:start] + said(text) + source[end:]
    return source


_BADGE = "{badge}"


def _without_badge(source: str) -> str:
    """The prose with a mark where the Colab badge is: each language has a badge of its own."""
    return re.sub(r"\[!\[Open in Colab\]\([^)]*\)\]\([^)]*\)", _BADGE, source)


def _spans(source: str, entered: set[str]) -> list[tuple[int, int, str]]:
    """Where comments, sentences and entered words are in code: start, end and the text itself."""
    plain = re.sub(r"(?m)^(\s*)[%!]", r"\1#", source)
    starts = [0]
    for line in plain.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found = []
    for token in tokenize.generate_tokens(io.StringIO(plain).readline):
        if token.type == tokenize.COMMENT and not token.string.startswith(("# noqa", "#pip")):
            start = starts[token.start[0] - 1] + token.start[1]
            if source[start] == "#":
                found.append((start, start + len(token.string), token.string))
    for node in ast.walk(ast.parse(plain)):
        if isinstance(node, ast.JoinedStr) or (
            isinstance(node, ast.Constant) and isinstance(node.value, str)
        ):
            start = _offset(plain, starts, node.lineno, node.col_offset)
            end = _offset(plain, starts, node.end_lineno or 0, node.end_col_offset or 0)
            if plain[start:end] in entered or _is_sentence(plain[start:end], node):
                found.append((start, end, plain[start:end]))
    found.sort()
    outer = []
    for span in found:  # what is inside another span, as the parts of an f-string, goes with it
        if not outer or span[0] >= outer[-1][1]:
            outer.append(span)
    return outer


def _is_sentence(literal: str, node: ast.expr) -> bool:
    """Whether a person reads it: it has words with a space between them, and is no SQL or path."""
    if isinstance(node, ast.Constant):
        literal = str(node.value)
    words = re.sub(r"\{[^}]*\}", "", literal)
    if re.match(r"[\"'f\s]*(SELECT|WITH|DESCRIBE|SHOW|INSERT|CREATE)\b", words):
        return False
    return bool(re.search(r"[^\W\d_]{2,}[,:;·]? +\S*[^\W\d_]{2,}", words))


def _offset(text: str, starts: list[int], line: int, column: int) -> int:
    """ast counts bytes of UTF-8 in a line; a str is indexed by character."""
    begin = starts[line - 1]
    of_line = text[begin : starts[line]].encode()[:column].decode()
    return begin + len(of_line)


def _tags(cell: Cell) -> set[str]:
    return set(cell.metadata.get("tags", []))


def main(numbers: list[str]) -> int:
    """Renew the catalogues, and make the Portuguese notebooks from them."""
    left = 0
    for path in runner.find():
        if numbers and path.name[:2] not in numbers:
            continue
        notebook = nbformat.read(path, as_version=4)
        catalog = extract(notebook, read_catalogue(path))
        place = catalogue_of(path)
        place.parent.mkdir(exist_ok=True)
        with place.open("wb") as file:
            pofile.write_po(file, catalog, width=100, omit_header=True)
        made = translate(notebook, catalog, path.name)
        target = place.with_name(path.name)
        if target.is_file():
            _keep_outputs(made, nbformat.read(target, as_version=4))
        target.write_text(nbformat.writes(made) + "\n", encoding="utf-8")
        todo = missing(notebook, catalog)
        left += len(todo)
        print(f"{place.name}: {len(todo)} texts to translate")
    return 1 if left else 0


def _keep_outputs(made: Notebook, before: Notebook) -> None:
    """Outputs stay where the code is the same; `make notebooks` makes them anew."""
    known = {cell.id: cell for cell in before.cells if cell.cell_type == "code"}
    for cell in made.cells:
        old = known.get(cell.id)
        if cell.cell_type == "code" and old is not None and old.source == cell.source:
            cell.outputs, cell.execution_count = old.outputs, old.execution_count


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
