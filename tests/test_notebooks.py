"""The series runs from top to bottom, each notebook alone, and its answers are the stored ones."""

import copy
import gzip
import re
import shutil
from pathlib import Path

import nbformat
import pytest

from tgpipeline import deploy, local
from tgpipeline.errors import NotebookError
from tgpipeline.notebook import runner
from tgpipeline.settings import aws_client
from tools import compare, notebooks, pages
from tools.notebook_style import METADATA

pytestmark = pytest.mark.notebooks
SERIES = runner.find()
ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("path", SERIES, ids=lambda path: path.stem)
def test_notebook_gives_the_stored_answers(path):
    stored, fresh = nbformat.read(path, as_version=4), runner.execute(path)
    found = compare.differences(path.name, without_given(stored), without_given(fresh))
    assert not found, "\n\n".join(("if this is right, make notebooks:", *found))


def without_given(notebook):
    """Without the cell that papermill adds where parameters are given."""
    added = "injected-parameters"
    notebook.cells = [c for c in notebook.cells if added not in c.metadata.get("tags", [])]
    return notebook


def test_the_webhook_of_a_deployed_group_that_has_become_a_supergroup():
    """As on AWS, where TELEGRAM_CHAT_ID still holds the id that the group had."""
    with local.start(through="ingest") as stack:
        url = deploy.webhook.deployed(stack.settings).url
        stack.bot.set_webhook(url, secret_token=stack.settings.webhook_secrets[0])
        stack.telegram.migrate()
        stack.telegram.wait_delivered()
        stack.telegram.clock.advance(60)
        of_04 = next(path for path in SERIES if path.name.startswith("04"))
        ran = dict(notebooks.answers(runner.execute(of_04, mode="aws")))
        s3 = aws_client("s3", stack.settings)
        listed = s3.list_objects_v2(Bucket=stack.settings.raw_bucket)["Contents"]
    (check,) = (told for line, told in ran.items() if "bot.check(" in line)
    assert f"Set TELEGRAM_CHAT_ID to {stack.telegram.group_id}" in check
    made_up = [o["Key"] for o in listed if "781204543" in o["Key"] or "quarantine" in o["Key"]]
    assert made_up == [], "what the notebook makes up must not stay among a group's messages"


def test_an_unknown_parameter_is_refused():
    with pytest.raises(NotebookError, match="has no parameter colour: it has mode"):
        runner.execute(SERIES[0], colour="red")


def notebook(tmp_path, *sources):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    cells[0].metadata["tags"] = ["parameters"]
    path = tmp_path / "01_test.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=METADATA), path)
    return path


CHART = """
import pandas as pd
from tgpipeline.analytics import charts
days = pd.date_range("2025-11-10", periods=3, freq="D")
frame = pd.DataFrame({"day": days, "messages": [3, 9, 4], "by_people": [3, 9, 4], "by_bots": 0})
charts.messages_per_day(frame)
""".strip()
QUIET = [
    "n = 1  # a number",
    CHART,
    "import sys, time\nprint('one', end=' ', flush=True)\ntime.sleep(.3)\nprint('two')",
    "[1, 2, 3]",
]


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    return runner.execute(notebook(tmp_path_factory.mktemp("quiet"), *QUIET))


def test_another_run_of_the_same_notebook_differs_in_nothing(quiet, tmp_path):
    again = runner.execute(notebook(tmp_path, *QUIET))
    assert compare.differences("01", quiet, again) == []
    assert "one two" in compare.shown(again.cells[2])
    assert len(again.cells[1].outputs) == 1


@pytest.mark.parametrize(
    ("cell", "change", "tells"),
    [
        (1, ('[3, 9, 4], "by_bots', '[3, 8, 4], "by_bots'), "+2025-11-11,8,0"),
        (3, ("[1, 2, 3]", "[1, 2]"), "-[1, 2, 3]"),
        (3, ("[1, 2, 3]", "[]"), "+[]"),
        (2, ("print('two')", "print('two', file=sys.stderr)"), "+[stderr]"),
        (3, ("[1,", "import warnings; warnings.warn('odd')\n[1,"), "odd"),
    ],
)
def test_one_thing_changed_is_one_difference(quiet, tmp_path, cell, change, tells):
    sources = list(QUIET)
    sources[cell] = sources[cell].replace(*change)
    assert sources != QUIET
    fresh = runner.execute(notebook(tmp_path, *sources))
    for now, before in zip(fresh.cells, quiet.cells, strict=True):
        now.source = before.source  # what changed lies in the package or in the data
    (found,) = compare.differences("01_test", quiet, fresh)
    assert found.startswith(f"01_test, cell {cell}: ")
    assert tells in found


LATEST = "    last = pa.concat_arrays([differs, pa.array([True])])\n"
MUTANTS = {
    "one update of the sample": (
        ("02", None),
        "data/sample/updates.ndjson.gz",
        (b'"text":"Oi, boa noite"', b'"test":"Oi, boa noite"'),
        [
            ("found = Counter(", "-| text | 2,289 | false |"),
            ("columns_shown", "| Márcio | unknown |"),
        ],
    ),
    "one bar of one chart": (
        ("02", None),
        "tgpipeline/analytics/charts/shapes.py",
        (b"        draw(ax, table)\n", b"        draw(ax, table.replace(table.max().max(), 1))\n"),
        [("by_day = pd.DataFrame", "+marks ")],
    ),
    "one line of the ETL": (
        ("05", "A few rows"),
        "tgpipeline/etl/writing.py",
        (
            LATEST.encode(),
            LATEST.replace("[differs, ", "[").replace("])\n", ", differs])\n").encode(),
        ),
        [("some = [", "-| 2025-11-28 14:49:37 | Débora | text | 1764352184 |  |")],
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_one_thing_changed_in_the_project_is_seen_by_a_notebook_of_the_series(
    name, tmp_path, monkeypatch
):
    """In a copy of the project, in which every other cell shows what is stored."""
    (number, until), place, (before, after), told = MUTANTS[name]
    for part in ("tgpipeline", "telegram_standin", "lambda_src", "data/sample"):
        shutil.copytree(ROOT / part, tmp_path / part)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    path = next(path for path in SERIES if path.name.startswith(number))
    stored = nbformat.read(path, as_version=4)
    cells = [cell.source.startswith(until or "#!") for cell in stored.cells]
    stored.cells = stored.cells[: cells.index(True) + 2 if any(cells) else None]
    part = tmp_path / path.name
    nbformat.write(stored, part)
    changed = tmp_path / place
    opened = gzip.open if changed.suffix == ".gz" else open
    with opened(changed, "rb") as file:
        content = file.read()
    assert before in content
    with opened(changed, "wb") as file:
        file.write(content.replace(before, after, 1))
    found = compare.differences(path.name, stored, runner.execute(part))
    assert len(found) == len(told)
    for text, (cell, line) in zip(found, told, strict=True):
        assert re.match(rf"{path.name}, cell \d+: {re.escape(cell)}", text)
        assert line in text


def test_make_demo_tells_every_difference_of_every_notebook(tmp_path, capsys):
    for path in SERIES:
        shutil.copy(path, tmp_path)
    assert compare.main(tmp_path) == 0
    for path in SERIES[:2]:
        changed = nbformat.read(path, as_version=4)
        for cell in [c for c in changed.cells if c.get("outputs")][:2]:
            cell.outputs = []
        nbformat.write(changed, tmp_path / path.name)
    (tmp_path / SERIES[2].name).unlink()
    assert compare.main(tmp_path) == 1
    told = capsys.readouterr().out
    assert [told.count(f"{path.name}, cell ") for path in SERIES[:3]] == [2, 2, 0]
    assert f"{SERIES[2].name}: not in" in told


def test_all_differences_are_told_and_a_stored_complaint_is_one(quiet):
    changed = copy.deepcopy(quiet)
    for n in (1, 3):
        changed.cells[n].outputs = []
    found = compare.differences("01", quiet, changed)
    assert [text.splitlines()[0][:10] for text in found] == ["01, cell 1", "01, cell 3"]
    complains = copy.deepcopy(quiet)
    complains.cells[2].outputs[0]["name"] = "stderr"
    assert len(compare.differences("01", complains, complains)) == 1


def test_a_failing_checkpoint_stops_the_run_and_says_why(tmp_path):
    path = notebook(tmp_path, "n = 1  # a number", "assert n == 1, 'look at n'", "n + 1")
    with pytest.raises(NotebookError, match=r"01_test\.ipynb, cell 3: AssertionError: look at n"):
        runner.execute(path, tmp_path / "out" / "01_test.ipynb", n=2)
    assert "look at n" in (tmp_path / "out" / "01_test.ipynb").read_text(encoding="utf-8")


def test_parameters_reach_the_cells(tmp_path):
    path = notebook(tmp_path, "n = 1  # a number", "n + 1")
    assert notebooks.answers(runner.execute(path, n=41))[-1] == ("n + 1", "42")


def test_the_demo_says_what_it_did(tmp_path, capsys):
    notebook(
        tmp_path,
        "n = 2  # a number",
        "from tgpipeline.notebook.display import record",
        'print("counted")\nrecord(rows=n)',
    )
    runner.demo(tmp_path / "out", tmp_path)
    said = capsys.readouterr().out
    assert re.search(r"^\[1/1\] 01_test +\d+ s  rows: 2$", said, re.MULTILINE)
    assert pages.main(tmp_path / "out") == 0
    page = (tmp_path / "out" / "01_test.html").read_text(encoding="utf-8")
    assert "rows: 2" in page


def test_the_demo_stops_at_what_fails(tmp_path, capsys):
    notebook(tmp_path, "n = 2  # a number", "assert n == 1, 'look at n'")
    with pytest.raises(NotebookError, match=f"look at n(.|\n)*so far is in {tmp_path / 'out'}"):
        runner.demo(tmp_path / "out", tmp_path)
    assert (tmp_path / "out" / "01_test.ipynb").is_file()
