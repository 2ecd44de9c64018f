"""What is sent to AWS: a function's zip, made of the package's own files.

The same files make the same bytes on every machine, so an unchanged function has the same key in
the code bucket, and CloudFormation leaves it alone.
"""

import ast
import hashlib
import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tgpipeline.deploy import templates
from tgpipeline.resources import PACKAGE


def handler(function: str) -> str:
    """The entry point of `ingest` or `etl`, `module.function`, as its template says."""
    found = re.search(r"^ *Handler: (\S+)$", templates.template(function), re.MULTILINE)
    assert found, f"lambda_src/{function}.yaml names no handler"
    return found[1]


def modules(entry: str) -> list[str]:
    """The package's modules that a module needs, itself included: what it imports, and so on.

    Args:
        entry: full name of a module, such as `tgpipeline.etl.handler`.

    >>> modules("tgpipeline.telegram.updates")
    ['tgpipeline', 'tgpipeline.errors', 'tgpipeline.telegram', 'tgpipeline.telegram.updates']
    """
    sources = _sources()
    found: set[str] = set()
    waiting = {entry}
    while waiting:
        name = waiting.pop()
        found.add(name)
        parents = {name.rpartition(".")[0]} - {""}  # Python runs a package before what is in it
        waiting |= (_imports(name, sources) | parents) - found
    return sorted(found)


def files(function: str) -> dict[str, bytes]:
    """The files of a function's zip: name inside the zip → content.

    Data goes along with the module whose name it bears, such as `columns.toml` with `columns.py`.
    """
    sources, found = _sources(), []
    for name in modules(handler(function).rpartition(".")[0]):
        beside = (sources[name].with_suffix(suffix) for suffix in (".py", ".toml", ".json"))
        found += [path for path in beside if path.is_file()]
    root = PACKAGE.parent
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


def _sources() -> dict[str, Path]:
    """Every module of this package by its full name."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


def _imports(module: str, sources: Mapping[str, Path]) -> set[str]:
    """The modules of this package that a module imports, at its top or further in."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(sources[module].read_bytes())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found & set(sources)


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
            entry.compress_type = method
            archive.writestr(entry, content[name])
    return buffer.getvalue()


def key(function: str, package: bytes) -> str:
    """Key of a function's zip in the lake's code bucket: the same bytes have the same key."""
    return f"functions/{function}-{hashlib.sha256(package).hexdigest()[:16]}.zip"
