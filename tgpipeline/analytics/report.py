"""One page for a manager: notebook 06, run over a period, with its code left out.

`build` runs the notebook through papermill against whatever the settings point to, with two cells
of its own: one that listens to the questions asked, one that hands over the tables. From what came
out it makes the page: findings in sentences, then charts and tables, then definitions and costs.
"""

import logging
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tgpipeline.analytics import athena
from tgpipeline.analytics.tables import TABLES, Tables
from tgpipeline.notebook import runner
from tgpipeline.settings import Settings

logger = logging.getLogger(__name__)

NOTEBOOK = "06_"
LEFT_OUT = {"exercise", "solution", "teardown", "checkpoint"}
# What is asked first stands first, where the notebook has a section of that name.
FIRST = (
    "What people need",
    "Does the bot solve it?",
    "When people come",
    "Where a better bot pays",
    "Unanswered now",
)
LISTEN = "from tgpipeline.analytics.tables import Tables as _Tables\n_tables = _Tables(**_REPORT)"
HAND_OVER = "_tables.hand_over(globals())"


def build(
    settings: Settings,
    *,
    start: date | str,
    end: date | str,
    chat: int = 0,
    names: bool = False,
    salt: str = "",
    csv: str | Path | None = None,
    output: str | Path = "report.html",
    **more: Any,
) -> Path:
    """Make the report of a period.

    Args:
        settings: the deployment that is asked.
        start: first local day.
        end: last local day, included.
        chat: one group, by any id it has had; all groups if 0.
        names: show people's names; pseudonyms otherwise.
        salt: makes pseudonyms the same in every report with that salt.
        csv: folder for the tables, as CSV; none are written if not given.
        output: the page to write.
        **more: other parameters of notebook 06 (`timezone`, `agents`, `office`, `topics`,
            `language`, `cut`: the middle of the period if not given).

    Returns:
        The path of the page: HTML that loads nothing from elsewhere.

    Raises:
        QueryError: if the period or the chat is not right.
        NotebookError: if the notebook fails, or has no such parameter.
    """
    estimate = athena.estimate(settings, start, end)
    if chat:
        athena.group_of(chat, settings)
    logger.info("each question reads at most %d bytes: %.5f USD", estimate.bytes, estimate.usd)
    page, folder = Path(output), Path(csv).absolute() if csv else None
    given = {
        "mode": "aws",
        "tables": False,
        "start": str(start),
        "end": str(end),
        "chat": chat,
        "names": names,
        "salt": salt,
        "enriched_bucket": settings.enriched_bucket,
        **more,
    }
    given.setdefault("timezone", settings.timezone)
    days = (date.fromisoformat(given["end"]) - date.fromisoformat(given["start"])).days
    half = date.fromisoformat(given["start"]) + timedelta((days + 1) // 2)
    given.setdefault("cut", half.isoformat())
    source = next(path for path in runner.find() if path.name.startswith(NOTEBOOK))
    options = {"folder": str(folder) if folder else None, "names": names}
    with (
        tempfile.TemporaryDirectory(prefix="tgpipeline-report-") as scratch,
        _environment(settings),
    ):
        target = Path(scratch) / source.name
        nbformat.write(_prepared(nbformat.read(source, as_version=4), options), target)
        executed = runner.execute(target, given)
    title = f"Report, {start} to {end}"
    local = athena.is_local(settings)
    html = runner.to_html(arrange(executed, title, given, estimate, local), title, code=False)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(html, "utf-8")
    return page


def arrange(
    executed: nbformat.NotebookNode,
    title: str,
    given: Mapping[str, Any],
    estimate: athena.Estimate,
    local: bool = False,
) -> nbformat.NotebookNode:
    """The page as a notebook: what is worth showing of the executed one, in a manager's order.

    Args:
        executed: notebook 06, with the cells that `build` adds.
        title: of the page.
        given: the parameters it ran with.
        estimate: of what a question scans.
        local: whether it was the local stack that answered.
    """
    tables: dict[str, Any] = {}
    sections: dict[str, list[nbformat.NotebookNode]] = {}
    findings: dict[str, list[str]] = {}
    section, heading = "", ""
    for cell in executed.cells:
        if cell.cell_type == "markdown":
            for mark, text in re.findall(r"^(##+) (.+)$", cell.source, flags=re.M):
                section, heading = (text, "") if mark == "##" else (section, text)
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            tables |= data.get(TABLES, {})
            if "image/png" in data:
                alt = output.metadata.get("image/png", {}).get("alt", "")
                findings.setdefault(section, []).append(alt.partition(" Chart: ")[0])
                into = sections.setdefault(section, [])
                if heading:
                    into.append(new_markdown_cell(f"### {heading}"))
                    heading = ""
                into.append(_shown(output))
    order = [s for s in FIRST if s in sections] + [s for s in sections if s not in FIRST]
    cells = [new_markdown_cell(_head(title, given, tables))]
    told = [text for s in order for text in findings[s]]
    told = [text for text in told if not text.startswith("No ")] or told[:1]
    listed = "\n".join(f"- {text}" for text in told)
    cells.append(new_markdown_cell(f"## Findings\n\n{listed}"))
    for name in order:
        cells += [new_markdown_cell(f"## {name}"), *sections[name]]
        cells += [new_markdown_cell(text) for text in tables.get("sections", {}).get(name, [])]
    cells += [new_markdown_cell(text) for text in tables.get("end", [])]
    cells.append(new_markdown_cell(_costs(tables.get("asked", []), estimate, local)))
    return new_notebook(cells=cells)


def _prepared(notebook: nbformat.NotebookNode, options: Mapping[str, Any]) -> nbformat.NotebookNode:
    """Notebook 06 without what changes anything, and with the report's own cells."""
    kept = [
        cell
        for cell in notebook.cells
        if not LEFT_OUT & set(cell.metadata.get("tags", [])) and "ensure_tables(" not in cell.source
    ]
    setup = next(i for i, c in enumerate(kept) if "setup" in c.metadata.get("tags", []))
    kept.insert(setup + 1, new_code_cell(LISTEN.replace("_REPORT", repr(dict(options)))))
    notebook.cells = [*kept, new_code_cell(HAND_OVER)]
    return notebook


def _head(title: str, given: Mapping[str, Any], tables: Mapping[str, Any]) -> str:
    who = "Names are shown." if given["names"] else "People have pseudonyms."
    group = f"group {given['chat']}" if given["chat"] else "all groups"
    unknown = "".join(f"\n\n> Not known: {note}" for note in tables.get("notes", []))
    return f"# {title}\n\nOf {group}; days and hours in {given['timezone']}. {who}{unknown}"


def _shown(output: nbformat.NotebookNode) -> nbformat.NotebookNode:
    data, metadata = {"image/png": output.data["image/png"]}, output.metadata
    return new_code_cell(outputs=[new_output("display_data", data, metadata=metadata)])


def _costs(asked: list[dict[str, Any]], estimate: athena.Estimate, local: bool) -> str:
    total = sum(row["usd"] for row in asked)
    dearest = f" (the dearest is {estimate.query})" if estimate.query else ""
    whose = " Bytes scanned are the local stack's own figure, not AWS's." if local else ""
    text = (
        f"## Costs\n\nBefore: at most {estimate.bytes:,} bytes ({estimate.files:,} files) and "
        f"{estimate.usd:.5f} USD a question{dearest}. After: {len(asked)} questions, "
        f"{sum(row['bytes_scanned'] for row in asked):,} bytes, {total:.5f} USD at the price of "
        f"us-east-1.{whose}\n\n"
    )
    columns = ["query", "rows", "bytes_scanned", "usd", "milliseconds"]
    return text + Tables.markdown(pd.DataFrame(asked, columns=columns))


@contextmanager
def _environment(settings: Settings) -> Iterator[None]:
    """The environment that says what the settings say, for the notebook's kernel."""
    before = dict(os.environ)
    for item in fields(settings):
        value = getattr(settings, item.name)
        if isinstance(value, str) and value and item.repr:  # secrets come as they came to us
            os.environ[item.metadata["variable"]] = value
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
