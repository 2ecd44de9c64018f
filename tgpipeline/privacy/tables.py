"""Taking a person out of a Parquet itself: of days whose raw objects are no longer all there."""

import io
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tgpipeline.etl.pseudonyms import Pseudonyms
from tgpipeline.lake.erasing import GONE, Find, Person, as_bytes
from tgpipeline.privacy.plan import Request
from tgpipeline.telegram.updates import integer

_OWN = ("author_id", "from_id", "target_user_id")
_ADDRESSED = ("reply_to_from_id", "via_bot_id")
_SAID = ("text", "caption", "chat_title", "topic_name", "new_value", "old_value")


@dataclass(frozen=True)
class Filter:
    """Takes the person out of a Parquet.

    Attributes:
        request: whom, and in which chat.
        find: finds what tells who they are.
        pseudonyms: of the tables.
        telling: texts of theirs, which others may have passed on.
    """

    request: Request
    find: Find
    pseudonyms: Pseudonyms
    telling: Collection[str] = ()

    def filtered(self, _key: str, body: bytes) -> bytes:
        """The Parquet without the person: the same object if nothing is theirs."""
        try:
            file = pq.ParquetFile(io.BytesIO(body))
            rows = file.read(use_threads=False).to_pylist()
        except (pa.ArrowException, OSError):
            return body  # no Parquet
        kept = [rest for rest in map(self._row, rows) if rest is not None]
        if kept == rows:
            return body
        schema = file.schema_arrow.with_metadata(file.metadata.metadata)
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(kept, schema), sink, compression="zstd")
        return sink.getvalue()

    def _row(self, row: dict[str, Any]) -> dict[str, Any] | None:
        """A row without the person; None if it is theirs."""
        request, pseudonym = self.request, self.pseudonyms.id
        if request.chat_id and pseudonym(request.chat_id) != row["chat_id"]:
            return row
        when, user = integer(row["date"]), pseudonym(request.user_id)
        theirs = {
            name
            for name in (*_OWN, *_ADDRESSED)
            if row.get(name) == user and request.is_person(request.user_id, when)
        }
        if theirs & set(_OWN):
            return None
        person = Person(request.is_person, self.find)
        rest = row | dict.fromkeys(theirs)
        for name in _SAID:
            if said := row.get(name):
                rest[name] = GONE if said in self.telling else person.masked(said, when)
        if row.get("payload"):
            update = json.loads(row["payload"])
            left = person.without(update, row["event_type"], when)
            if left is None:
                return None
            rest["payload"] = row["payload"] if left is update else as_bytes(left).decode()
        return rest
