"""The Portuguese series is made from the English one: what is taken over, and what is told."""

import ast
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tgpipeline.notebook import runner
from tools import notebooks, translate

TRANSLATED = [path for path in runner.find() if translate.catalogue_of(path).is_file()]


@pytest.fixture
def notebook():
    cells = [
        new_markdown_cell("# 01 · A title", id="a1"),
        new_code_cell('language = "en"  # of charts', id="a2", metadata={"tags": ["parameters"]}),
        new_code_cell('n = 1  # one of them\nprint(f"{n} rows were read", "key")', id="a3"),
    ]
    cells[2].outputs = [nbformat.v4.new_output("stream", text="1 rows were read key")]
    return new_notebook(cells=cells)


def translated(notebook, words):
    catalog = translate.extract(notebook)
    for message in catalog:
        if message.id:
            message.string = words.get(message.id, "")
    return catalog


def test_prose_comments_and_sentences_are_taken_and_names_are_not(notebook):
    found = [text for cell in notebook.cells for text in translate.texts(cell)]
    assert found == ["# 01 · A title", "# of charts", "# one of them", 'f"{n} rows were read"']


def test_the_code_stays_and_its_words_change(notebook):
    words = {"# one of them": "# um deles", 'f"{n} rows were read"': 'f"{n} linhas lidas"'}
    made = translate.translate(notebook, translated(notebook, words), "01_test.ipynb")
    assert made.cells[1].source == 'language = "pt"  # of charts'
    assert made.cells[2].source == 'n = 1  # um deles\nprint(f"{n} linhas lidas", "key")'
    assert made.cells[2].outputs == []
    assert notebook.cells[2].outputs, "the English notebook keeps its own"


def test_prose_that_changed_in_english_alone_is_named(notebook):
    catalog = translated(
        notebook, {text: "x" for c in notebook.cells for text in translate.texts(c)}
    )
    assert translate.missing(notebook, catalog) == []
    notebook.cells[0].source = "# 01 · Another title"
    found = translate.missing(notebook, catalog)
    assert "cell a1: not translated: # 01 · Another title" in found
    assert "cell a1: translated, but no longer said in English" in found
    assert len(found) == 2


def test_a_catalogue_keeps_what_is_still_said(notebook):
    catalog = translated(notebook, {"# of charts": "# dos gráficos"})
    notebook.cells[2].source = "n = 2"
    again = translate.extract(notebook, catalog)
    assert again.get("# of charts", context="a2").string == "# dos gráficos"
    assert again.get("# one of them", context="a3") is None


def test_a_word_is_translated_once_somebody_entered_it(notebook):
    catalog = translated(notebook, {})
    catalog.add('"key"', string='"chave"', context="a3")
    made = translate.translate(notebook, translate.extract(notebook, catalog), "01_test.ipynb")
    assert made.cells[2].source.endswith('print(f"{n} rows were read", "chave")')
    notebook.cells[2].source = "n = 1"
    assert "cell a3: translated, but no longer said in English" in translate.missing(
        notebook, catalog
    )


@pytest.mark.parametrize("path", TRANSLATED, ids=lambda path: path.stem)
def test_the_catalogue_says_what_the_english_notebook_says(path):
    notebook = nbformat.read(path, as_version=4)
    assert translate.missing(notebook, translate.read_catalogue(path)) == []


@pytest.mark.parametrize("path", TRANSLATED, ids=lambda path: path.stem)
def test_the_portuguese_notebook_is_what_the_catalogue_makes(path):
    notebook = nbformat.read(path, as_version=4)
    made = translate.translate(notebook, translate.read_catalogue(path), path.name)
    stored = nbformat.read(path.parent / translate.FOLDER / path.name, as_version=4)
    assert [cell.id for cell in stored.cells] == [cell.id for cell in made.cells]
    # Another matplotlib draws the same with other bytes.
    sources = [[cell.source.partition("base64,")[0] for cell in n.cells] for n in (made, stored)]
    changed = [one for one, two in zip(*sources, strict=True) if one != two]
    assert changed == [], "run `make translate`"


@pytest.mark.parametrize("path", TRANSLATED, ids=lambda path: path.stem)
def test_portuguese_code_differs_in_its_strings_alone(path):
    """Every cell parses, and an f-string shows the same values."""
    stored = nbformat.read(path.parent / translate.FOLDER / path.name, as_version=4)
    for english, cell in zip(nbformat.read(path, as_version=4).cells, stored.cells, strict=True):
        if cell.cell_type == "code":
            assert _skeleton(cell) == _skeleton(english), f"cell {cell.id}"


def test_portuguese_links_lead_to_portuguese_notebooks_by_their_titles():
    stored = {
        path.name: nbformat.read(path.parent / translate.FOLDER / path.name, as_version=4).cells
        for path in TRANSLATED
    }
    titles = {name: cells[0].source.partition("\n")[0] for name, cells in stored.items()}
    for cell in (cell for cells in stored.values() for cell in cells):
        for text, name in re.findall(r"\[([^\]]+)\]\((\w+\.ipynb)\)", cell.source):
            assert titles.get(name, f"# {text}") == f"# {text}", f"cell {cell.id}"
        for place in re.findall(r"\]\(((?:\.\./)*[\w./-]+\.md)", cell.source):
            file = TRANSLATED[0].parent / translate.FOLDER / place
            assert file.is_file(), f"cell {cell.id}: {place}"


def _skeleton(cell):
    """The code of a cell without what its strings say; of f-strings the values, in any order.

    How a value is written may differ, too: `1,214` is a little more than one in Portuguese.
    """
    tree = ast.parse(re.sub(r"(?m)^(\s*)%.*$", r"\1pass", cell.source))
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            node.values = sorted(
                (value for value in node.values if isinstance(value, ast.FormattedValue)),
                key=ast.dump,
            )
        elif isinstance(node, ast.FormattedValue):
            node.format_spec = None
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


def test_other_numbers_in_the_other_language_are_named(notebook):
    portuguese = nbformat.from_dict(notebook)
    portuguese.cells[2].outputs = [nbformat.v4.new_output("stream", text="linhas lidas: 1")]
    assert notebooks.differences(notebook, portuguese) == []
    portuguese.cells[2].outputs[0].text = "1.214 linhas"
    assert notebooks.differences(notebook, portuguese) == [
        "cell 2 (n = 1  # one of them): in one language only: 1 1214"
    ]
