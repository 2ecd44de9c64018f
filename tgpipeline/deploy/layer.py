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
import zipfile
from pathlib import Path
from typing import Any

from tgpipeline import resources
from tgpipeline.deploy import packages
from tgpipeline.deploy.deployment import Deployment
from tgpipeline.errors import DeployError

RUNTIME = "python3.13"
LIMIT = 250_000_000  # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_GLIBC = range(17, 35)  # Python 3.13 runs on Amazon Linux 2023, with glibc 2.34
_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}


def recipe() -> dict[str, Any]:
    """What the layer holds and what it leaves out; see lambda_src/layer/layer.toml."""
    path = resources.folder("lambda_src") / "layer" / "layer.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def fingerprint(architecture: str, runtime: str = RUNTIME) -> str:
    """Short hash of all that decides what a build makes."""
    inputs = json.dumps([recipe(), architecture, runtime], sort_keys=True)
    return hashlib.sha256(inputs.encode()).hexdigest()[:16]


def download(folder: Path, architecture: str, runtime: str = RUNTIME) -> list[Path]:
    """Put the wheels into a folder, if they are not there yet.

    Args:
        folder: where the wheels are, or go, each kind in a folder of its own.
        architecture: `arm64` or `x86_64`.
        runtime: such as `python3.13`.

    Returns:
        The wheels, in the order of the recipe.

    Raises:
        DeployError: if one is neither there nor to be had.
    """
    machine, kept = _MACHINES[architecture], folder / f"{runtime}-{architecture}"
    named = [requirement.replace("==", "-") for requirement in recipe()["requirements"]]
    if not all(list(kept.glob(f"{name}-*{machine}.whl")) for name in named):
        command = [_python_with_pip(folder), "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary=:all:", "--python-version", runtime.removeprefix("python")]
        for platform in ("manylinux2014", *(f"manylinux_2_{n}" for n in _GLIBC)):
            command += ["--platform", f"{platform}_{machine}"]
        command += ["--dest", str(kept), *recipe()["requirements"]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise DeployError(
                f"pip found no wheels for {runtime} on {architecture}: "
                f"{done.stderr.strip()[-1000:]}. Mend that, then run it again."
            )
    return [next(kept.glob(f"{name}-*{machine}.whl")) for name in named]


def _python_with_pip(folder: Path) -> str:
    """This Python, or where it has no pip (uv makes such environments) one of its own that has."""
    if importlib.util.find_spec("pip"):
        return sys.executable
    try:
        venv.create(folder / "pip", with_pip=True)
    except (subprocess.SubprocessError, OSError) as error:
        raise DeployError(
            f"the layer is made with pip, and {sys.executable} has none and cannot make one "
            f"({error}). Install pip, or name a layer that exists in TGPIPELINE_LAYER."
        ) from None
    return str(next(path for path in (folder / "pip").glob("*/python*") if path.is_file()))


def contents(wheels: list[Path]) -> dict[str, bytes]:
    """The files of the layer: path inside it → content.

    Raises:
        DeployError: if they are more than Lambda takes.
    """
    patterns, found = recipe()["leave_out"], {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if not any(fnmatch.fnmatch(name, pattern) for pattern in patterns):
                    found[f"python/{name}"] = archive.read(name)
    size = sum(map(len, found.values()))
    if size > LIMIT:
        raise DeployError(
            f"the layer would be {size / 1e6:.0f} MB, and Lambda takes {LIMIT / 1e6:.0f} MB: leave "
            "out more in lambda_src/layer/layer.toml."
        )
    return found


def zip_of(architecture: str, folder: Path | None = None, runtime: str = RUNTIME) -> bytes:
    """The layer as a zip.

    Args:
        architecture: `arm64` or `x86_64`.
        folder: where wheels are kept for the next build; nowhere if it is None.
        runtime: such as `python3.13`.
    """
    with tempfile.TemporaryDirectory(prefix="tgpipeline-wheels-") as temporary:
        wheels = download(folder or Path(temporary), architecture, runtime)
        return packages.pack(contents(wheels), compress=True)


def parameters(settings: Deployment) -> dict[str, str | None]:
    """What the ETL's template is told: where the layer's zip is, or which version to take."""
    if settings.layer == "build":
        return {"LayerKey": key(settings.architecture), "LayerArn": ""}
    return {"LayerKey": "", "LayerArn": "" if settings.layer == "none" else settings.layer}


def key(architecture: str) -> str:
    """Key of the layer's zip in the code bucket; it changes when the recipe does."""
    return f"layers/pyarrow-{architecture}-{fingerprint(architecture)}.zip"
