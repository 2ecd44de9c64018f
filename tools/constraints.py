"""Write constraints.txt: the versions with which everything was last tested.

Lines of `name==version` alone, in order, no URLs, so that any index serves them. The project itself
and the installers are left out.
"""

import re
from importlib.metadata import distributions
from pathlib import Path

LEFT_OUT = {"pip", "setuptools", "wheel", "tgpipeline"}
HEADER = "# Versions with which everything was last tested; `make constraints` writes this file.\n"


def main() -> None:
    """Write the file beside pyproject.toml."""
    found = {re.sub(r"[-_.]+", "-", d.metadata["Name"]).lower(): d.version for d in distributions()}
    lines = [f"{name}=={found[name]}\n" for name in sorted(found.keys() - LEFT_OUT)]
    Path("constraints.txt").write_text(HEADER + "".join(lines), encoding="utf-8")
    print(f"constraints.txt: {len(lines)} packages")


if __name__ == "__main__":
    main()
