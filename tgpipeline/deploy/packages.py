"""What is sent to AWS: a function's zip, made of the package's own files.

The same files make the same bytes on every machine, so an unchanged function has the same key in
the code bucket, and CloudFormation leaves it alone.
"""

import hashlib
import io
import re
import zipfile
from collections.abc import Mapping
from modulefinder import ModuleFinder
from pathlib import Path
from typing import Any

from tgpipeline.deploy import templates
from tgpipeline.resources import PACKAGE


def handler(function: str) -> str:
    """The entry point of `ingest` or `etl`, `module.function`, as its template says."""
    found = re.search(r"^ *Handler: (\S+)$", templates.template(function), re.MULTILINE)
    assert found, f"lambda_src/{function}.yaml names no handler"
    return found[1]


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
