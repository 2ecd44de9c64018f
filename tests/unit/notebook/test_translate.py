"""The Portuguese series is made from the English one: what is taken over, and what is told."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import translate


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
