"""One update as it lies in the raw zone: what its object's name means, and what its bytes say.

Likewise of what people have at hand: a file with an update, a list of them, what getUpdates
answers, newline-delimited ones, a folder of any of these, or standard input.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from tgpipeline.errors import UpdateError
from tgpipeline.telegram import updates

MAX_DOCUMENT = 32 * 1024 * 1024  # bytes; no update is longer than that by far
SUFFIXES = {".json", ".ndjson", ".jsonl"}  # of files that may hold updates
_SENT = re.compile(r"sent--?\d+-\d+-\d+-(\d+)\.json")


class Form(NamedTuple):
    """What the name of an object of the raw zone means.

    Attributes:
        source: `sent`: a Message as sendMessage returned it; `history`: imported, so that it may
            lack its update_id; `webhook`: an update as Telegram posted it.
        many: whether the object holds many of these, one on each line.
        number: which of several that were sent with the same date and edit_date, from 0.
    """

    source: str
    many: bool
    number: int = 0


class Document(NamedTuple):
    """One update as it lies in the raw zone, or the reason why it cannot be read.

    Attributes:
        name: the object's name, with `:<line>` behind it in newline-delimited objects.
        body: the bytes.
        update: what they say; None if they cannot be read.
        kind: name of the update's field that holds what happened.
        source: `webhook`, `sent` or `history`.
        reason: why the bytes cannot be read.
    """

    name: str
    body: bytes
    update: updates.Update | None = None
    kind: str = ""
    source: str = ""
    reason: str = ""


def form_of(name: str) -> Form:
    """What the name of an object (or of a line in it) means; `keys` spells these names.

    >>> form_of("sent--1004111222333-9.json"), form_of("history-5f0c.ndjson:12").source
    (Form(source='sent', many=False, number=0), 'history')
    """
    own, _, _ = name.partition(":")
    source = {"sent": "sent", "history": "history"}.get(own.partition("-")[0], "webhook")
    repeated = _SENT.fullmatch(own) if source == "sent" else None
    return Form(source, own.endswith(".ndjson"), int(repeated[1]) if repeated else 0)


def read_json(body: bytes) -> Any:
    """As `updates.parse_json`, whose verdict counts in every doubt, but faster."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:  # it refuses some that json reads: lone surrogates
        return updates.parse_json(body)


def document_of(name: str, body: bytes) -> Document:
    """One update of the raw zone, parsed.

    Args:
        name: of the object, which tells its form (`form_of`).
        body: the bytes.
    """
    if len(body) > MAX_DOCUMENT:
        reason = f"longer than {MAX_DOCUMENT} bytes; the rest is cut off"
        return Document(name, body[: MAX_DOCUMENT // 4], reason=reason)
    source = form_of(name).source
    try:
        update = read_json(body)
        if source == "sent":
            update = {"message": update}
        kind = updates.checked_kind(update, numbered=source == "webhook")
    except UpdateError as error:
        return Document(name, body, reason=str(error))
    if "update_id" in update:
        source = "webhook"
    return Document(name, body, update, kind, source)


def documents_of(path: str | Path) -> Iterator[Document]:
    """Each update in a file or folder; where a file cannot be read, its error is the reason.

    Args:
        path: a file, a folder (every file of `SUFFIXES` below it), or `-` for standard input.

    Yields:
        A Document. Its name is the file's, with `#` and a number, counted from 0, where the file
        holds several updates.
    """
    if str(path) == "-":
        yield from _split("-", sys.stdin.buffer.read())
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
