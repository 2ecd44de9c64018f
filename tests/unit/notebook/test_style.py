"""The notebooks keep to the guide, and the guide's checks notice when they do not."""

import json
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from tgpipeline.analytics.language import use
from tgpipeline.deploy.stack import Change
from tgpipeline.errors import NotebookError
from tgpipeline.notebook import runner
from tgpipeline.notebook.display import show_source, show_table
from tools import badges, drawings, notebook_style, notebooks, pages
from tools.drawings import flow

SERIES = runner.find()


@pytest.mark.parametrize("path", SERIES, ids=lambda path: path.stem)
def test_notebook_keeps_to_the_guide(path):
    assert notebook_style.problems(path) == []


def test_the_series_has_no_gaps():
    assert [path.name[:2] for path in SERIES] == [f"{n:02d}" for n in range(1, len(SERIES) + 1)]
    assert notebook_style.gaps([Path("01_a.ipynb"), Path("03_b.ipynb")]) != []


@pytest.mark.parametrize("path", badges.files(), ids=lambda path: path.name)
def test_addresses_are_those_of_pyproject(path):
    text = path.read_text(encoding="utf-8")
    assert badges.rewrite(text, badges.repository()) == text, "run `make badges`"


def test_one_command_moves_every_address():
    text = SERIES[0].read_text(encoding="utf-8")
    moved = badges.rewrite(text, "https://github.com/someone/elsewhere")
    assert badges.badge(SERIES[0].name, "https://github.com/someone/elsewhere") in moved
    assert "git+https://github.com/someone/elsewhere" in moved
    assert "OWNER" not in moved


def spoil(tmp_path, change):
    notebook = nbformat.read(SERIES[0], as_version=4)
    change(notebook)
    path = tmp_path / SERIES[0].name
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return " ".join(notebook_style.problems(path))


def first(notebook, tag):
    return next(c for c in notebook.cells if tag in c.metadata.get("tags", []))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda n: n.cells.pop(1), "not the picture"),
        (lambda n: n.cells.pop(), "last cell is not the teardown"),
        (lambda n: n.metadata.update(author="me"), "metadata"),
        (lambda n: n.cells[3].metadata.update(collapsed=True), "metadata"),
        (lambda n: first(n, "checkpoint").update(source="assert 1 == 1"), "what to look at"),
        (lambda n: first(n, "checkpoint").update(source="\n".join(["x = 1"] * 26)), "over 25"),
        (
            lambda n: first(n, "checkpoint").update(source="for mode in ():\n    assert mode, 'x'"),
            "the parameter mode gets another value",
        ),
        (
            lambda n: first(n, "parameters").update(source="n = 'a'  # as m='b'"),
            "papermill cannot read n",
        ),
        (lambda n: first(n, "solution").metadata.update(jupyter={}), "collapsed"),
        (lambda n: n.cells[-2].update(source="## Taking It Down"), "sentence case"),
        (lambda n: n.cells[5].update(source="# Another title"), "not exactly one title"),
        (lambda n: first(n, "setup").update(execution_count=None), "not run from top"),
        (
            lambda n: first(n, "setup").update(
                outputs=[nbformat.v4.new_output("stream", text="on http://127.0.0.1:4566")]
            ),
            "depends on the run",
        ),
        (
            lambda n: n.cells[5].update(source="**What just happened?** It is 987,654 already."),
            "no cell above printed 987,654",
        ),
    ],
)
def test_the_guide_notices(tmp_path, change, complaint):
    assert complaint in spoil(tmp_path, change)


def test_functions_and_comprehensions_may_use_the_names_of_parameters(tmp_path):
    own = "[mode for mode in ()]\n\n\ndef of(mode):\n    mode = mode or 1\n    return mode"
    assert "another value" not in spoil(tmp_path, lambda n: n.cells[9].update(source=own))


@pytest.mark.parametrize(
    "line", ["day = today()  # not a literal", "day = '2025-11-28'", "import os  # help"]
)
def test_parameters_are_plain_lines(line):
    cell = nbformat.v4.new_code_cell(line, metadata={"tags": ["parameters"]})
    with pytest.raises(NotebookError, match="not of the form"):
        notebook_style.parameters_of(nbformat.v4.new_notebook(cells=[cell]))


def test_answers_are_the_texts_of_the_outputs():
    notebook = nbformat.read(SERIES[0], as_version=4)
    assert len(notebooks.answers(notebook)) == sum(c.cell_type == "code" for c in notebook.cells)


def test_show_source_is_the_package_itself():
    shown = show_source(show_table)
    assert "def show_table(" in shown
    assert "`tgpipeline/notebook/display.py`" in shown


def test_tables_escape_what_would_break_them():
    shown = show_table([{"text": "a|b\nc", "chat_id": -1004123456789, "n": 1234, "ok": True}])
    assert shown.splitlines()[2] == "| a\\|b<br>c | -1004123456789 | 1,234 | true |"


def test_what_has_names_for_its_values_is_asked_for_them():
    shown = show_table(
        [Change("aurora-lake", "Add", "AWS::S3::Bucket", "Raw")], "action", "resource"
    )
    assert shown.splitlines()[2] == "| Add | Raw |"


def test_a_table_of_answers_speaks_the_readers_language():
    frame = pd.DataFrame({"measure": ["not_solved"], "share": [0.125], "low": [0.1], "high": [0.2]})
    with use("pt"):
        lines = show_table(frame, "measure", "share", "low", "high").splitlines()
    assert lines[0] == "| medida | parcela | intervalo de 95% |"
    assert lines[2] == "| não resolvidas | 12% | 10% a 20% |"


def test_pages_load_nothing_and_hide_solutions():
    page = pages.to_html(nbformat.read(SERIES[0], as_version=4), "A & B")
    assert "<script" not in page
    assert "<title>A &amp; B</title>" in page
    assert page.count("<details><summary>Solution") >= 1
    assert 'src="http' not in page


def test_the_picture_says_in_words_where_it_is():
    assert "You are at: Athena" in flow.describe(6)
    assert drawings.png(flow.name(6)).startswith(b"\x89PNG")
