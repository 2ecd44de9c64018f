"""Draw again what the English notebooks hold; the Portuguese ones follow with `make translate`."""

import re
import sys

import nbformat

from tgpipeline.notebook import runner
from tools import drawings

if __name__ == "__main__":
    for path in runner.find():
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            found = re.match(r"!\[[^\]]*\]\[([\w-]+)\]", cell.source)
            if cell.cell_type == "markdown" and found:
                cell.source = drawings.markdown(found[1])
        path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    sys.exit(0)
