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
from typing import Any

from tgpipeline import resources
from tgpipeline.settings import Settings, variable

RUNTIME = "python3.13"


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

    >>> modules("updates")
    ['__init__', 'errors', 'updates']
    """
    found, waiting = set(), {"__init__", entry}
    while waiting:
        name = waiting.pop()
        found.add(name)
        imported = set()
        for node in ast.walk(ast.parse(resources.module(name).read_bytes())):
            if isinstance(node, ast.ImportFrom) and node.module == "tgpipeline":
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tgpipeline."):
                imported.add((node.module or "").split(".")[1])
        waiting |= {name for name in imported - found if resources.module(name).is_file()}
    return sorted(found)


def files(function: str) -> dict[str, bytes]:
    """The files of a function's zip: name inside the zip → content."""
    entry = spec(function).handler.split(".")[1]
    names = modules(entry)
    return {f"tgpipeline/{name}.py": resources.module(name).read_bytes() for name in names}


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
