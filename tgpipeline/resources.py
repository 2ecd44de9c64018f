"""The files that come with the package, whether it runs from a checkout or from a wheel."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """The folder of that name, such as `lambda_src` or `data/sample`.

    A wheel carries these folders inside the package; in a checkout they lie beside it.
    """
    carried = PACKAGE / "_resources" / name
    return carried if carried.is_dir() else PACKAGE.parent / name


@cache
def data(name: str) -> dict[str, Any]:
    """What a TOML file inside the package says, such as `lake/columns.toml`."""
    return tomllib.loads((PACKAGE / name).read_text(encoding="utf-8"))
