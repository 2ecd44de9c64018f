"""Write environment.yml, the conda road to what `make test` installs, out of pyproject.toml."""

import re
import tomllib
from pathlib import Path

HEADER = """\
# The conda road: conda env create -f environment.yml && conda activate tgpipeline
# `make environment` writes this file from pyproject.toml; a test holds the two equal.
name: tgpipeline
channels:
  - conda-forge
dependencies:
  - python{python}
  - git
  - make
  - pip
  - pip:
      - --constraint constraints.txt
      - --editable .
"""


def requirements(pyproject: dict[str, object], extra: str) -> list[str]:
    """All requirements of the project with one extra, the extras that it names resolved."""
    project = pyproject["project"]
    assert isinstance(project, dict)
    found: set[str] = set(project["dependencies"])
    waiting, seen = [extra], set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for line in project["optional-dependencies"][name]:
            own = re.fullmatch(r"tgpipeline\[(.+)\]", line)
            waiting.extend(own[1].split(",")) if own else found.add(line)
    return sorted(found)


def render(root: Path = Path()) -> str:
    """The text of environment.yml."""
    pyproject = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    lines = [f'      - "{line}"\n' for line in requirements(pyproject, "dev")]
    return HEADER.format(python=pyproject["project"]["requires-python"]) + "".join(lines)


if __name__ == "__main__":
    Path("environment.yml").write_text(render(), encoding="utf-8")
