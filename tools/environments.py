"""Other environments than this one: Colab's versions, and the lowest that pyproject.toml allows.

    python -m tools.environments colab     all notebooks, each alone, with Colab's versions
    python -m tools.environments lowest    unit tests and notebooks with the lowest versions
    python -m tools.environments freeze    write tools/colab.txt anew from what Colab publishes

Each has a folder of its own beside `.venv`. COLAB_PYTHON and LOWEST_PYTHON name the interpreters.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

from tools.environment import requirements

ROOT = Path(__file__).parents[1]
LIST = Path(__file__).with_name("colab.txt")
# What Colab's maintainers publish: https://github.com/googlecolab/backend-info
FREEZE = "https://raw.githubusercontent.com/googlecolab/backend-info/main/pip-freeze.txt"
HEADER = "# What Colab holds of all that we use; `make colab-freeze` writes this file.\n"
# The running kernel stands on these: replacing one breaks it, or what the reader has loaded.
PINNED = (
    "ipykernel ipython jupyter-client jupyter-core notebook tornado traitlets pyzmq "
    "numpy pandas requests google-colab"
).split()


def canonical(name: str) -> str:
    """A distribution's name as package indexes compare it.

    >>> canonical("Typing_Extensions")
    'typing-extensions'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(text: str) -> dict[str, str]:
    """The `name==version` lines of a text."""
    return {canonical(m[1]): m[2] for m in re.finditer(r"(?m)^([\w.-]+)==([\w.+!]+)$", text)}


def lowest(extra: str = "dev") -> list[str]:
    """Every requirement of an extra at the lowest version that it allows."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lines = (line for line in requirements(pyproject, extra) if "win32" not in line)
    found: dict[str, str] = {}
    for line in lines:  # two extras may want different ones: the greater is the lowest for both
        name, version = re.match(r"([\w.-]+)(?:\[\w+\])?>=([\w.]+)", line).groups()  # type: ignore[union-attr]
        found[name] = max(found.get(name, version), version, key=_numbers)
    return [f"{name}=={version}" for name, version in found.items()]


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


def main(command: str) -> int:
    """Make the environment if need be, and run what is to be run in it."""
    if command == "freeze":
        return _freeze()
    usual = {"colab": "python3.13", "lowest": "python3.11"}[command]
    python = os.environ.get(f"{command.upper()}_PYTHON") or usual
    if not shutil.which(python):
        print(
            f"make {command} needs {python}, which is not on this machine: install it, or say "
            f"where one is: make {command} {command.upper()}_PYTHON=/path/to/python",
            file=sys.stderr,
        )
        return 1
    folder = ROOT / f".venv-{command}"
    subprocess.run([python, "-m", "venv", "--clear", folder], check=True)
    return _colab(folder) if command == "colab" else _lowest(folder)


def _lowest(folder: Path) -> int:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as constraints:
        constraints.write("\n".join(lowest()))
        constraints.flush()
        _pip(folder, "install", "-c", constraints.name, "-e", f"{ROOT}[dev]")
    tests = ("tests/unit", "tests/test_notebooks.py")
    run = [folder / "bin/python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    return subprocess.run(run, cwd=ROOT, check=False).returncode


def _colab(folder: Path) -> int:
    known = pins(LIST.read_text(encoding="utf-8"))
    _pip(folder, "install", *(f"{name}=={version}" for name, version in known.items()))
    before = _installed(folder)
    with tempfile.TemporaryDirectory() as wheels:
        _pip(folder, "wheel", "--no-deps", "-w", wheels, str(ROOT))
        (wheel,) = Path(wheels).glob("*.whl")
        _pip(folder, "install", f"{wheel}[colab]")
    after = _installed(folder)
    changed = [n for n in PINNED if n in before and before[n] != after.get(n)]
    failed = _notebooks(folder)
    print(f"pinned packages changed: {', '.join(changed) or 'none'}; {failed} notebooks failed")
    return 1 if changed or failed else 0


def _notebooks(folder: Path) -> int:
    """Run the series with the kernel of that environment; returns how many failed."""
    from tgpipeline.errors import NotebookError
    from tgpipeline.notebook import runner

    kernel = folder / "share/jupyter/kernels/python3"
    kernel.mkdir(parents=True, exist_ok=True)
    start = [str(folder / "bin/python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": start, "display_name": folder.name, "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    os.environ["JUPYTER_PATH"] = str(folder / "share/jupyter")
    os.environ.pop("PYTHONPATH", None)
    failed = 0
    for path in runner.find():
        started, said = time.monotonic(), "ok"
        try:
            runner.execute(path)
        except NotebookError as error:
            failed, said = failed + 1, str(error)
        print(f"{path.name}: {said}, {time.monotonic() - started:.0f} s", flush=True)
    return failed


def _freeze() -> int:
    """Of what Colab publishes, keep what the project or the kernel stands on."""
    import requests

    published = pins(requests.get(FREEZE, timeout=60).text)
    ours = pins((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    kept = sorted(published.keys() & {*ours, *PINNED} - {"google-colab"})
    text = HEADER + "".join(f"{name}=={published[name]}\n" for name in kept)
    LIST.write_text(text, encoding="utf-8")
    print(f"{LIST.relative_to(ROOT)}: {len(kept)} of {len(published)} packages")
    return 0


def _pip(folder: Path, *arguments: str) -> None:
    pip = [folder / "bin/python", "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run([*pip, *arguments], check=True)


def _installed(folder: Path) -> dict[str, str]:
    pip = [folder / "bin/python", "-m", "pip", "--disable-pip-version-check", "list"]
    told = subprocess.run([*pip, "--format=json"], check=True, capture_output=True, text=True)
    return {canonical(p["name"]): p["version"] for p in json.loads(told.stdout)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
