"""What is sent to AWS: a function's zip, made of the package's own files.

The same files make the same bytes on every machine, so an unchanged function is recognised by its
hash and left alone.
"""

import ast
import base64
import hashlib
import io
import tomllib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import resolve_name
from pathlib import Path
from typing import Any

from tgpipeline import resources
from tgpipeline.errors import DeployError
from tgpipeline.settings import Settings, variable

RUNTIME = "python3.13"
_PACKAGE = __name__.partition(".")[0]


@dataclass(frozen=True)
class Spec:
    """What AWS is told about a function; see lambda_src/<name>/function.toml.

    Attributes:
        handler: its entry point, `module.function`.
        description: one line for AWS's console.
        memory: megabytes.
        timeout: seconds.
        layer: whether it needs the PyArrow layer.
        concurrency: instances at once.
        environment: attributes of Settings in its environment.
        allow: what its role may do.
    """

    handler: str
    description: str
    memory: int
    timeout: int
    layer: bool
    concurrency: int
    environment: list[str]
    allow: list[dict[str, Any]]


def spec(function: str) -> Spec:
    """What AWS is told about `ingest` or `etl`."""
    path = resources.folder("lambda_src") / function / "function.toml"
    return Spec(**tomllib.loads(path.read_text(encoding="utf-8")))


def modules(entry: str) -> list[str]:
    """The package's modules that a module needs, itself included: what it imports, and so on.

    Args:
        entry: full name of a module, such as `tgpipeline.etl.handler`.

    Raises:
        DeployError: if one imports from this package what is not in it.

    >>> modules("tgpipeline.telegram.updates")
    ['tgpipeline', 'tgpipeline.errors', 'tgpipeline.telegram.updates']
    """
    sources = _sources()
    found: set[str] = set()
    waiting = {entry}
    while waiting:
        name = waiting.pop()
        if name not in sources:
            raise DeployError(f"there is no module {name}: correct the handler in function.toml.")
        found.add(name)
        parents = {name.rpartition(".")[0]} - {""}  # Python runs a package before what is in it
        waiting |= (_imports(name, sources) | parents) - found
    return sorted(found)


def files(function: str) -> dict[str, bytes]:
    """The files of a function's zip: name inside the zip → content."""
    sources = _sources()
    paths = [sources[name] for name in modules(spec(function).handler.rpartition(".")[0])]
    root = sources[_PACKAGE].parent.parent
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def _sources() -> dict[str, Path]:
    """Every module of this package by its full name."""
    package = resources.module("__init__").parent
    return {
        ".".join(path.relative_to(package.parent).with_suffix("").parts).removesuffix(
            ".__init__"
        ): path
        for path in package.rglob("*.py")
    }


def _imports(module: str, sources: Mapping[str, Path]) -> set[str]:
    """The modules of this package that a module imports, at its top or further in."""
    package = module if sources[module].stem == "__init__" else module.rpartition(".")[0]
    wanted = []
    for node in ast.walk(ast.parse(sources[module].read_bytes())):
        if isinstance(node, ast.Import):
            wanted += [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            wanted += [(base, alias.name) for alias in node.names]
    found = set()
    for base, member in wanted:
        if base.partition(".")[0] != _PACKAGE:
            continue
        inner = f"{base}.{member}"
        if inner in sources:
            found |= {base, inner}
        elif base not in sources or (member and not _defines(sources[base], member)):
            raise DeployError(
                f"{module} imports {inner.rstrip('.')}, which is not in this package: the zip "
                "would lack it. Correct the import."
            )
        found.add(base)
    return found


def _defines(source: Path, name: str) -> bool:
    """Whether a package's `__init__` has a name; of a plain module that is Python's to find out."""
    return source.stem != "__init__" or any(
        name in (getattr(node, field, None) for field in ("id", "name", "asname"))
        for node in ast.walk(ast.parse(source.read_bytes()))
    )


def build(function: str) -> bytes:
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


def digest(package: bytes) -> str:
    """SHA-256 of a zip as Lambda writes it (`CodeSha256`)."""
    return base64.b64encode(hashlib.sha256(package).digest()).decode()


def environment(function: str, settings: Settings) -> dict[str, str]:
    """The variables of a function, from the settings.

    Raises:
        SettingsError: naming the settings that are missing.
    """
    names = spec(function).environment
    settings.require(*(name for name in names if name != "lookback_days"))
    values = {name: getattr(settings, name) for name in names}
    if "chat_ids" in values:
        values["chat_ids"] = ",".join(map(str, settings.chat_ids))
    return {variable(name): str(value) for name, value in values.items()}
