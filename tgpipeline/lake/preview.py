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
from tgpipeline.lake import versions
from tgpipeline.lake.documents import Document, document_of, read_json
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
    for document in (one for path in paths for one in documents_of(path, stdin)):
        try:
            found = versions.version(document, flattener)
        except UpdateError as error:
            yield {"file": document.name, "error": str(error)}
        else:
            row = as_json(found.table, found.values)
            yield {"file": document.name, "table": found.table, **row}


def documents_of(path: str | Path, stdin: IO[bytes] | None = None) -> Iterator[Document]:
    """Each update in a file or folder; where a file cannot be read, its error is the reason."""
    if str(path) == "-":
        yield from _split("-", (stdin or sys.stdin.buffer).read())
        return
    files = [Path(path)]
    if files[0].is_dir():
        below = files[0].rglob("*")
        files = sorted(file for file in below if file.suffix in SUFFIXES and file.is_file())
    for file in files:
        try:
            yield from _split(file.name, file.read_bytes())
        except OSError as error:
            yield Document(str(file), b"", reason=error.strerror or str(error))


def _split(name: str, body: bytes) -> Iterator[Document]:
    """One update, a list of updates (as getUpdates answers, too), or one on each line."""
    body = body.removeprefix(b"\xef\xbb\xbf")  # what Windows puts before a text
    whole, lines = _parsed(body), body.splitlines()
    if isinstance(whole, dict) and isinstance(whole.get("result"), list):
        whole = whole["result"]
    if isinstance(whole, list):
        lines = [json.dumps(item).encode() for item in whole]
    elif whole is not None or not any(isinstance(_parsed(line), dict) for line in lines):
        yield document_of(name, body)
        return
    for number, line in enumerate(line for line in lines if line.strip()):
        yield document_of(f"{name}#{number}", line.strip())


def _parsed(body: bytes) -> Any:
    try:
        return read_json(body)
    except UpdateError:
        return None
