"""What is sent to AWS: a function's zip, and the layer with PyArrow.

A zip is made of the package's own files. The same files make the same bytes on every machine, so
an unchanged function has the same key in the code bucket, and CloudFormation leaves it alone.

AWS's Python runtime has no PyArrow, and the ETL's zip could not hold it. So it lies in a layer,
made of wheels from the package index, for the function's own Python and processor, without what
the ETL never imports.
"""

import fnmatch
import hashlib
import importlib.util
import io
import json
import re
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Mapping
from modulefinder import ModuleFinder
from pathlib import Path
from typing import Any

from tgpipeline import resources
from tgpipeline.deploy import reasons, templates
from tgpipeline.resources import PACKAGE

RUNTIME = "python3.13"
_GLIBC = range(17, 35)  # Python 3.13 runs on Amazon Linux 2023, with glibc 2.34


def handler(function: str) -> str:
    """The entry point of `ingest` or `etl`, `module.function`, as its template says."""
    (found,) = re.findall(r"^ *Handler: (\S+)$", templates.template(function), re.MULTILINE)
    return str(found)


class _OwnImports(ModuleFinder):
    """Follows what a module imports, at its top or further in, where that is of this package."""

    def import_module(self, partname: str, fqname: str, parent: Any) -> Any:
        ours = fqname.partition(".")[0] == PACKAGE.name
        return super().import_module(partname, fqname, parent) if ours else None


def modules(entry: str) -> dict[str, Path]:
    """The package's modules that a module needs, itself included: name → file.

    Args:
        entry: full name of a module, such as `tgpipeline.etl.handler`.

    >>> list(modules("tgpipeline.telegram.updates"))
    ['tgpipeline', 'tgpipeline.errors', 'tgpipeline.telegram', 'tgpipeline.telegram.updates']
    """
    finder = _OwnImports([str(PACKAGE.parent)])
    finder.import_hook(entry)
    found = sorted(finder.modules.items())
    return {name: Path(vars(module)["__file__"]) for name, module in found}


def files(function: str) -> dict[str, bytes]:
    """The files of a function's zip: name inside the zip → content.

    Data goes along with the module whose name it bears, such as `columns.toml` with `columns.py`.
    """
    needed = modules(handler(function).rpartition(".")[0]).values()
    beside = [path.with_suffix(kind) for path in needed for kind in (".py", ".toml", ".json")]
    found = [path for path in beside if path.is_file()]
    return {path.relative_to(PACKAGE.parent).as_posix(): path.read_bytes() for path in found}


def zip_of(function: str) -> bytes:
    """The zip of a function: the same bytes for the same files."""
    return pack(files(function))


def pack(content: Mapping[str, bytes], *, compress: bool = False) -> bytes:
    """A zip whose bytes depend on names and contents alone, not on the clock or the machine."""
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(content):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16  # Lambda refuses files that it may not read
            entry.create_system = 3
            archive.writestr(entry, content[name], compress_type=method)
    return buffer.getvalue()


def package_key(function: str, package: bytes) -> str:
    """Key of a function's zip in the lake's code bucket: the same bytes have the same key."""
    return f"functions/{function}-{hashlib.sha256(package).hexdigest()[:16]}.zip"


def layer_recipe() -> dict[str, Any]:
    """What the layer holds and what it leaves out; see lambda_src/layer/layer.toml."""
    return resources.data(str(resources.folder("lambda_src/layer") / "layer.toml"))


def layer_zip(architecture: str, runtime: str = RUNTIME) -> bytes:
    """The zip of the layer: the same wheels make the same bytes.

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
            command += ["--platform", f"{platform}_{architecture.replace('arm64', 'aarch64')}"]
        command += layer_recipe()["requirements"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            what = {"runtime": runtime, "architecture": architecture}
            raise reasons.refusal("no_wheels", **what, told=done.stderr.strip()[-1000:])
        return pack(needed(Path(folder, "python")), compress=True)


def _python_with_pip(folder: Path) -> str:
    """This Python, or where it has no pip (uv makes such environments) one of its own that has."""
    if importlib.util.find_spec("pip"):
        return sys.executable
    try:
        venv.create(folder, with_pip=True)
    except (subprocess.SubprocessError, OSError) as error:
        raise reasons.refusal("no_pip", python=sys.executable, error=error) from None
    return str(next(path for path in folder.glob("*/python*") if path.is_file()))


def needed(installed: Path) -> dict[str, bytes]:
    """What the layer keeps of installed packages: path inside the layer → content."""
    files = {p.relative_to(installed).as_posix(): p for p in installed.rglob("*") if p.is_file()}
    for pattern in layer_recipe()["leave_out"]:
        for name in fnmatch.filter(files, pattern):
            del files[name]
    return {f"python/{name}": path.read_bytes() for name, path in files.items()}


def layer_key(architecture: str) -> str:
    """Key of the layer's zip in the code bucket; it changes when the recipe does."""
    inputs = json.dumps([layer_recipe(), architecture, RUNTIME], sort_keys=True).encode()
    return f"layers/pyarrow-{architecture}-{hashlib.sha256(inputs).hexdigest()[:16]}.zip"
