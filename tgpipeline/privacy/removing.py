"""What stays of an object once a person is taken out of it: of updates, and of a Parquet itself.

The Parquet is filtered for days whose raw objects are no longer all there.
"""

import io
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tgpipeline.etl import reading
from tgpipeline.etl.pseudonyms import Pseudonyms
from tgpipeline.lake import documents, keys
from tgpipeline.lake.erasing import FOREVER, GONE, Erased, hashed
from tgpipeline.privacy import search
from tgpipeline.privacy.buckets import documents_in
from tgpipeline.privacy.plan import Request
from tgpipeline.telegram.updates import integer

_OWN = ("author_id", "from_id", "target_user_id")
_ADDRESSED = ("reply_to_from_id", "via_bot_id")
_SAID = ("text", "caption", "chat_title", "topic_name", "new_value", "old_value")


class Remover:
    """Takes a person out of objects.

    Args:
        request: whom, in which chat, until when.
        pseudonyms: of the tables.
        key: of the hashes.
        words: hashes of their names, as `hashed_names` makes them; they count whenever said.
        telling: texts of theirs, which others may have passed on.

    Attributes:
        erased: who is meant, as the ETL reads it from a marker.
        counts: how many updates were left out, how many changed.
    """

    def __init__(
        self,
        request: Request,
        pseudonyms: Pseudonyms,
        key: bytes,
        words: Mapping[str, int],
        telling: Collection[str] = (),
    ) -> None:
        until = {(hashed(key, request.user_id), request.chat_id): request.until}
        self.erased = Erased(key, until, {name: (n, FOREVER) for name, n in words.items()})
        self.counts = Counter[str]()
        self._until, self._telling = request.until, telling
        self._user_id = pseudonyms.id(request.user_id)
        self._chat_id = request.chat_id and pseudonyms.id(request.chat_id)

    def updates(self, key: str, body: bytes) -> bytes:
        """A raw object without the person: the same bytes if nothing is theirs."""
        kept, changed = list[bytes](), 0
        for document in documents_in(key, body):
            rest = self.update(document, keys.day_of(key))
            if rest is not document.body:
                self.counts["own" if rest is None else "mixed"] += 1
                changed += 1
            kept += [] if rest is None else [rest]
        if not changed:
            return body
        end = b"\n" if documents.form_of(key.rsplit("/", 1)[-1]).many else b""
        return b"".join(line + end for line in kept)

    def update(self, document: documents.Document, day: date) -> bytes | None:
        """The bytes of one update without the person: the same object if nothing is theirs.

        Args:
            document: the update, or what cannot be read as one.
            day: whose partition it lies in.

        Returns:
            None if nothing stays.
        """
        rest = reading.without_erased(document, self.erased, day)
        if rest and rest.update is None:  # nobody can take a person out of what cannot be read
            return None if search.holds(document.body, self.erased.find) else document.body
        return rest.body if rest else None

    def table(self, key: str, body: bytes) -> bytes:
        """A Parquet without the person: the same bytes if nothing is theirs."""
        table = search.table_in(body)
        rows = table.to_pylist() if table else []
        rests = (self.row(row, keys.day_of(key)) for row in rows)
        kept = [rest for rest in rests if rest is not None]
        if table is None or kept == rows:
            return body
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(kept, table.schema), sink, compression="zstd")
        return sink.getvalue()

    def row(self, row: dict[str, Any], day: date) -> dict[str, Any] | None:
        """A row of a day's table without the person; None if it is theirs."""
        when = integer(row.get("date"))
        if self._chat_id not in (0, row.get("chat_id")):
            return row
        theirs = {name for name in (*_OWN, *_ADDRESSED) if row.get(name) == self._user_id}
        theirs = theirs if when is None or when < self._until else set()
        if theirs.intersection(_OWN):
            return None
        rest = row | dict.fromkeys(theirs)
        for name in _SAID:
            if said := row.get(name):
                rest[name] = GONE if said in self._telling else self.erased.masked(said, when)
        if row.get("payload"):
            payload = documents.document_of("history-", row["payload"].encode())
            left = self.update(payload, day)
            rest["payload"] = left and left.decode()
            return rest if left else None
        return rest
