"""Which row a document is, and which version of it: what makes repeats and edits one row.

The order in which documents are read never decides anything.
"""

import json
import zlib
from collections.abc import Iterable, Iterator
from datetime import tzinfo
from pathlib import Path
from typing import Any, NamedTuple

from tgpipeline.errors import UpdateError
from tgpipeline.lake.documents import Document, documents_of, form_of
from tgpipeline.lake.rows import Flattener, Row, as_json
from tgpipeline.telegram.content import objects
from tgpipeline.telegram.updates import MESSAGE_KINDS, Update, event_date, integer, sub

Three = tuple[int, int, int]

_SOURCES = {"webhook": 2, "sent": 1, "history": 0}


class Version(NamedTuple):
    """One version of one row.

    Attributes:
        table: `messages` or `events`.
        values: of the row, as `rows.Flattener` makes them.
        identity: equal for all versions of a row, and for no other row of that table and day.
        rank: the version with the greatest is the latest.
    """

    table: str
    values: Row
    identity: Three
    rank: Three


def is_undated(document: Document) -> bool:
    """Whether it came through the webhook and does not say when it happened."""
    update = document.update or {}
    return "update_id" in update and event_date(update[document.kind]) is None


def version(document: Document, flattener: Flattener) -> Version:
    """What a document of the raw zone is.

    Raises:
        UpdateError: if it cannot be read; the text is the reason.
    """
    update, kind, body = document.update, document.kind, document.body
    if update is None:
        raise UpdateError(document.reason)
    content, update_id, source = update[kind], update.get("update_id"), document.source
    text = "" if kind in MESSAGE_KINDS else body.decode("utf-8", "replace")
    try:
        table, values = flattener.row(update, text, source, kind)
        # A number alone can come twice, from two bots: events are the same if they say the same.
        known = table == "messages" or update_id is None
        said = 0 if known else zlib.crc32(json.dumps(update, sort_keys=True).encode())
    except RecursionError:
        raise UpdateError("nested too deeply") from None
    # Of two that are equal in all else any one may be kept, but always the same one.
    digest = zlib.crc32(body)
    if table == "messages":
        edited = max(0, min(integer(content.get("edit_date")) or 0, 2**60))
        number = update_id or form_of(document.name).number or _import_of(update)
        rank = (len(_SOURCES) * edited + _SOURCES[source], number, digest)
        return Version(table, values, _identity(content, update_id, body), rank)
    if update_id is not None:
        return Version(table, values, (update_id, said, 0), (0, 0, digest))
    # An imported count of reactions. Lines without the number of their import are of older
    # versions: among these the one with the most reactions is newest.
    counts = (integer(r.get("total_count")) or 0 for r in objects(content.get("reactions")))
    chat_id, message_id, variant = _identity(content, None, body)
    rank = (_import_of(update), max(0, min(sum(counts), 2**62)), digest)
    variant = variant or zlib.crc32(kind.encode("utf-8", "surrogatepass"))
    return Version(table, values, (chat_id, message_id, variant), rank)


def rows_of(paths: Iterable[str | Path], tz: tzinfo) -> Iterator[dict[str, Any]]:
    """The row that each update in these files becomes: what `tgpipeline rows` prints.

    Args:
        paths: as `documents.documents_of` takes them: files, folders, `-` for standard input.
        tz: zone of `sent_at`.

    Yields:
        The row as a dict that JSON can hold, with `file` (the document's name) and `table`; or
        `file` and `error`.
    """
    flattener = Flattener(tz)
    for document in (one for path in paths for one in documents_of(path)):
        try:
            found = version(document, flattener)
            told = {"table": found.table, **as_json(found.table, found.values)}
        except UpdateError as error:
            told = {"error": str(error)}
        yield {"file": document.name, **told}


def _import_of(update: Update) -> int:
    """Greater for lines of a newer converter, and of a later import by the same one."""
    converter, number = (integer(update.get(name)) or 0 for name in ("converter", "import"))
    return max(0, min(converter, 2**20)) << 40 | max(0, min(number, 2**40 - 1))


def _identity(message: Update, update_id: int | None, body: bytes) -> Three:
    """Three integers that all versions of a message share, and no other message of its day.

    They are its chat's id, its own id, and what tells messages apart where these two do not:
    ephemeral messages all have message_id 0, a business account's chats count on their own, and a
    message whose ids cannot be read is only known by the update (or the line) that brought it.

    Args:
        message: a Message.
        update_id: of the update that held it, if any.
        body: the JSON it was read from.
    """
    chat_id = integer(sub(message, "chat").get("id"))
    number = integer(message.get("message_id"))
    variant = 0
    if chat_id is None or not number:
        variant = integer(message.get("ephemeral_message_id")) or 0
        if chat_id is None or number is None or variant <= 0:
            variant = ~(zlib.crc32(body) if update_id is None else update_id)
    elif type(connection := message.get("business_connection_id")) is str:
        variant = zlib.crc32(connection.encode("utf-8", "surrogatepass"))
    return chat_id or 0, number or 0, variant
