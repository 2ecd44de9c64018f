"""Executed notebooks as pages that a browser shows without any server.

    python -m tools.pages FOLDER

writes a page beside each notebook in a folder, such as `tgpipeline demo` leaves in out/.
"""

import copy
import re
import sys
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from pygments.formatters import HtmlFormatter

from tgpipeline.notebook import runner

_REMOTE_IMAGE = re.compile(r"!\[([^]]*)\]\(https?://[^)]*\)")


def to_html(notebook: nbformat.NotebookNode, title: str) -> str:
    """A notebook as one self-contained page: no scripts, nothing loaded; solutions are folded.

    Args:
        notebook: executed.
        title: of the page.
    """
    exporter = HTMLExporter(
        template_file=str(Path(__file__).with_name("page.html.j2")),
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )
    template = {"title": title, "pygments_css": HtmlFormatter().get_style_defs(".highlight")}
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _REMOTE_IMAGE.sub(r"\1", cell.source).replace(".ipynb)", ".html)")
    return str(exporter.from_notebook_node(notebook, template)[0])


def main(folder: Path) -> int:
    """Write the pages, and say which one to open."""
    for path in runner.find(folder):
        notebook = nbformat.read(path, as_version=4)
        title = notebook.cells[0].source.partition("\n")[0].lstrip("# ")
        page = path.with_suffix(".html")
        page.write_text(to_html(notebook, title), encoding="utf-8")
    print(f"Open {page} for the answers; the others lie beside it.")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
