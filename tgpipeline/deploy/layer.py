"""The layer with PyArrow: AWS's Python runtime has none, and the ETL's zip could not hold it.

It is made of wheels from the package index, for the function's own Python and processor, without
what the ETL never imports, and packed so that the same wheels make the same bytes everywhere.
"""

import fnmatch
import hashlib
import importlib.util
import json
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path
from typing import Any

from tgpipeline import resources
from tgpipeline.deploy import reasons

RUNTIME = "python3.13"
_GLIBC = range(17, 35)  # Python 3.13 runs on Amazon Linux 2023, with glibc 2.34
_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}


def recipe() -> dict[str, Any]:
    """What the layer holds and what it leaves out; see lambda_src/layer/layer.toml."""
    path = resources.folder("lambda_src") / "layer" / "layer.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def contents(architecture: str, runtime: str = RUNTIME) -> dict[str, bytes]:
    """The files of the layer: path inside it → content.

    Args:
        architecture: `arm64` or `x86_64`.
        runtime: such as `python3.13`.

    Raises:
        DeployError: if pip finds no wheels.
    """
    with tempfile.TemporaryDirectory(prefix="tgpipeline-layer-") as folder:
        command = [_python_with_pip(Path(folder, "pip")), "-m", "pip", "install", "--quiet"]
        command += ["--target", f"{folder}/python", "--no-deps", "--no-compile"]
        command += ["--only-binary=:all:", "--python-version", runtime.removeprefix("python")]
        for platform in ("manylinux2014", *(f"manylinux_2_{n}" for n in _GLIBC)):
            command += ["--platform", f"{platform}_{_MACHINES[architecture]}"]
        command += recipe()["requirements"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            what = {"runtime": runtime, "architecture": architecture}
            raise reasons.refusal("no_wheels", **what, told=done.stderr.strip()[-1000:])
        return needed(Path(folder, "python"))


def _python_with_pip(folder: Path) -> str:
    """This Python, or where it has no pip (uv makes such environments) one of its own that has."""
    if importlib.util.find_spec("pip"):
        return sys.executable
    try:
        venv.create(folder, with_pip=True)
    except (subprocess.SubprocessError, OSError) as error:
        raise reasons.refusal("no_pip", python=sys.executable, error=error) from None
    return str(next(path for path in folder.glob("*/python*") if path.is_file()))


def needed(packages: Path) -> dict[str, bytes]:
    """What is kept of installed packages: path inside the layer → content."""
    patterns, found = recipe()["leave_out"], {}
    for path in filter(Path.is_file, packages.rglob("*")):
        name = path.relative_to(packages).as_posix()
        if not any(fnmatch.fnmatch(name, pattern) for pattern in patterns):
            found[f"python/{name}"] = path.read_bytes()
    return found


def layer_key(architecture: str) -> str:
    """Key of the layer's zip in the code bucket; it changes when the recipe does."""
    inputs = json.dumps([recipe(), architecture, RUNTIME], sort_keys=True).encode()
    return f"layers/pyarrow-{architecture}-{hashlib.sha256(inputs).hexdigest()[:16]}.zip"
