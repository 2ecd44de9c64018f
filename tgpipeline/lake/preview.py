"""From files to rows: what `tgpipeline rows` prints, and the first thing to try on one's own JSON.

Reads what the raw zone holds and what people have at hand: a file with an update, a list of them,
what getUpdates answers, newline-delimited ones, a folder of any of these, or standard input.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from datetime import tzinfo
from pathlib import Path
from typing import IO, Any

from tgpipeline.errors import UpdateError
from tgpipeline.lake import documents
from tgpipeline.lake.rows import Flattener, as_json

SUFFIXES = {".json", ".ndjson", ".jsonl"}


def rows_of(
    paths: Iterable[str | Path], tz: tzinfo, stdin: IO[bytes] | None = None
) -> Iterator[dict[str, Any]]:
    """The row that each update in these files becomes.

    Args:
        paths: files, folders (every `.json`, `.ndjson` and `.jsonl` below them), `-` for standard
            input.
        tz: zone of `sent_at`.
        stdin: what `-` reads; this process's own standard input where it is None.

    Yields:
        The row as a dict that JSON can hold, with `file` (the file's name; with `#` and a number,
        counted from 0, where it holds several updates) and `table`; or `file` and `error`.
    """
    flattener = Flattener(tz)
    for path in paths:
        for name, body in documents_of(path, stdin):
            yield _row(name, body, flattener)


def _row(name: str, body: bytes | OSError, flattener: Flattener) -> dict[str, Any]:
    if isinstance(body, OSError):
        return {"file": name, "error": body.strerror or str(body)}
    document = documents.document_of(name, body)
    try:
        if document.update is None:
            raise UpdateError(document.reason)
        table, values = flattener.row(document.update, body.decode(), document.source)
    except UpdateError as error:
        return {"file": name, "error": str(error)}
    return {"file": name, "table": table, **as_json(table, values)}


def documents_of(
    path: str | Path, stdin: IO[bytes] | None = None
) -> Iterator[tuple[str, bytes | OSError]]:
    """Name and bytes of each update in a file or folder; the error where a file cannot be read."""
    if str(path) == "-":
        yield from _split("-", stdin or sys.stdin.buffer)
        return
    path = Path(path)
    files = [path]
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES and p.is_file())
    for file in files:
        try:
            with file.open("rb") as stream:
                yield from _split(file.name, stream)
        except OSError as error:
            yield str(file), error


def _split(name: str, stream: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    """One update, a list of updates (as getUpdates answers, too), or one on each line."""
    body = stream.read().removeprefix(b"\xef\xbb\xbf")  # what Windows puts before a text
    whole, lines = _parsed(body), body.splitlines()
    if isinstance(whole, dict) and isinstance(whole.get("result"), list):
        whole = whole["result"]
    if isinstance(whole, list):
        lines = [json.dumps(item).encode() for item in whole]
    elif whole is not None or not any(isinstance(_parsed(line), dict) for line in lines):
        yield name, body
        return
    for number, line in enumerate(line for line in lines if line.strip()):
        yield f"{name}#{number}", line.strip()


def _parsed(body: bytes) -> Any:
    try:
        return documents.read_json(body)
    except UpdateError:
        return None
