"""The ledger: what became of every object of a day, and what the day's Parquet was made from."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import partial

import obstore
from obstore.store import ObjectStore

from tgpipeline.lake import columns, keys, stores
from tgpipeline.settings import Settings

NAMES_KEPT = 50  # how many unknown names a ledger tells apart; a hostile update can hold any number


@dataclass
class Ledger:
    """What became of every object of a day; `balanced` says whether it adds up.

    Attributes:
        date: the day, YYYY-MM-DD.
        status: `written`, `unchanged` (its Parquet is of these very objects), `empty`, or
            `raw expired`: its Parquet was made from more objects than are left, and stays.
        objects: raw objects of that day.
        documents: updates in them (a newline-delimited object holds many).
        message_versions: documents that are messages or edits of them.
        messages: rows of `messages`.
        superseded: message versions that a later version replaced.
        event_versions: documents that are anything else.
        events: rows of `events`.
        repeated: events that Telegram sent again after midnight, or an import brought again.
        quarantined: documents that could not be read.
        erased: documents left out, because who wrote them was erased later.
        misfits: by column, values that did not fit and became null (or U+FFFD).
        unknown: by name, fields and kinds that this version does not know.
        unknown_authors: authors of messages of whom it is not known whether they are bots.
        collisions: ids whose pseudonym another id has, too (with a key for pseudonyms).
        made_from: what decides the rows: the raw `objects` (their number, and a digest of their
            names, sizes and ETags), `repeats` of the day before, `columns`, `timezone`,
            `groups`, key of `pseudonyms` (each a digest or name), and `bots`: authors that only a
            marker calls bots (the first 20).
        parts: Parquets that a table of this day has; more than one only where Spark made them.
    """

    date: str
    status: str = "written"
    objects: int = 0
    documents: int = 0
    message_versions: int = 0
    messages: int = 0
    superseded: int = 0
    event_versions: int = 0
    events: int = 0
    repeated: int = 0
    quarantined: int = 0
    erased: int = 0
    misfits: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    unknown_authors: int = 0
    collisions: int = 0
    made_from: dict[str, str] = field(default_factory=dict)
    parts: int = 1

    @property
    def balanced(self) -> bool:
        """Whether every document is accounted for."""
        versions = self.messages + self.superseded, self.events + self.repeated
        documents = sum(versions) + self.quarantined + self.erased
        read = self.documents, self.message_versions, self.event_versions
        return read == (documents, *versions)

    def __str__(self) -> str:
        names = "messages events superseded repeated quarantined".split()
        became = ", ".join(f"{getattr(self, name)} {name}" for name in names)
        return f"{self.date} {self.status:<11} {self.documents:>7} documents → {became}"

    def attributes(self) -> dict[str, str]:
        """The ledger as S3 user metadata: 2,048 bytes, so its names are in the Parquet's alone."""
        return {"ledger": json.dumps(asdict(self) | {"misfits": {}, "unknown": {}})}


def most_common(names: Mapping[str, int]) -> dict[str, int]:
    """The most frequent names, in order; the count of the rest stands under `…`.

    >>> most_common({"message.a": 2, "message.b": 1})
    {'message.a': 2, 'message.b': 1}
    """
    ranked = sorted(names.items(), key=lambda item: (-item[1], item[0]))
    kept = {name[:64].encode("utf-8", "replace").decode(): n for name, n in ranked[:NAMES_KEPT]}
    rest = sum(names.values()) - sum(kept.values())
    return kept | ({"…": rest} if rest else {})


def stored(enriched: ObjectStore, table: str, day: date, part: int = 0) -> Ledger | None:
    """The ledger that a table's Parquet of that day carries in its S3 metadata.

    Returns:
        The ledger; without a `date` if the object bears none, or that of another version; None
        where there is no object.
    """
    try:
        found = obstore.get(enriched, keys.enriched_key(table, day, part), options={"head": True})
        return Ledger(**json.loads(found.attributes["ledger"]))
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError):
        return Ledger("")


def days_with_other_columns(settings: Settings, enriched: ObjectStore | None = None) -> list[date]:
    """The days whose `messages` were made by a version that declares other columns.

    `tgpipeline etl --from <first> --to <last>` makes them again.

    Args:
        settings: names the enriched bucket.
        enriched: that bucket; opened by its name where it is None.

    Raises:
        LakeError: if the bucket cannot be listed.
    """
    enriched = enriched or stores.open_store(settings.enriched_bucket, settings)
    advice = "Check that it exists and that you may list it."
    errors = stores.as_lake_error(settings.enriched_bucket, "list its days", advice)
    with errors, ThreadPoolExecutor(32) as pool:
        days, ours = stores.list_days(enriched, f"{keys.RAW}/messages"), columns.digest()
        made = zip(days, pool.map(partial(stored, enriched, "messages"), days), strict=True)
        return [day for day, one in made if one and one.made_from.get("columns") != ours]
