"""Comparing the enriched zone with the raw zone: which days differ, and why."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import obstore
import pyarrow as pa
import pyarrow.parquet as pq
from obstore.exceptions import BaseError
from obstore.store import MemoryStore

from tgpipeline import etl, extract, lake, ledger, parquet
from tgpipeline.errors import LakeError
from tgpipeline.settings import Settings

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_REMEDY = {
    "objects": "stale: {now} raw objects now, {then} when it was made",
    "repeats": "an update without a date was received the day before, too",
    "columns": "it has other columns than this version",
    "timezone": "it was made for {then}, the time zone is {now} now",
    "groups": "a group has become a supergroup since",
}


@dataclass(frozen=True)
class Finding:
    """What is wrong with a day; nothing where `ok`.

    Attributes:
        day: the day.
        reasons: each why it differs, the table's name first.
    """

    day: date
    reasons: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the enriched zone says what the raw zone does."""
        return not self.reasons

    def __str__(self) -> str:
        return f"{self.day} {'; '.join(self.reasons) or 'ok'}"


def verify(
    settings: Settings,
    days: Iterable[date],
    *,
    reread: bool = False,
    raw: "ObjectStore | None" = None,
    enriched: "ObjectStore | None" = None,
) -> Iterator[Finding]:
    """Compare both zones, day by day. Nothing in the enriched zone is changed.

    Args:
        settings: names both buckets and the time zone.
        days: local days, each once, oldest first.
        reread: read every raw object and compare every value, rather than trust the ledgers; this
            also finds rows that another version of this package made differently. As in every run,
            what cannot be read goes into quarantine, unless it is there.
        raw: the raw bucket; opened by its name where it is None.
        enriched: the enriched bucket, likewise.

    Yields:
        A Finding a day.

    Raises:
        LakeError: if a bucket, or a marker of a migration, cannot be read.
    """
    raw = raw or lake.open_store(settings.raw_bucket, settings)
    enriched = enriched or lake.open_store(settings.enriched_bucket, settings)
    try:
        groups = lake.groups(raw)
        with ThreadPoolExecutor(etl.REQUESTS) as pool:
            for listing in extract.list_days(raw, days, pool):
                day, reasons = listing.day, list[str]()
                wanted = etl.made_from(listing, settings, groups)
                for table in lake.TABLES:
                    reasons += (f"{table}: {r}" for r in _shallow(enriched, table, day, wanted))
                if reread and not reasons and listing.names:
                    fresh = MemoryStore()
                    list(etl.run(settings, [day], raw=raw, enriched=fresh))
                    for table in lake.TABLES:
                        reasons += (f"{table}: {r}" for r in _deep(enriched, fresh, table, day))
                yield Finding(day, tuple(reasons))
    except (BaseError, FileNotFoundError) as error:
        raise LakeError(
            f"s3://{settings.raw_bucket} or s3://{settings.enriched_bucket} could not be read: "
            f"{str(error).splitlines()[0][:300]}. Check your credentials, that both exist and that "
            "you may read them."
        ) from error


def _shallow(
    enriched: "ObjectStore", table: str, day: date, wanted: Mapping[str, str]
) -> Iterator[str]:
    found = ledger.stored(enriched, table, day)
    if found is None:
        if wanted["objects"]:
            yield f"missing, with {_count(wanted['objects'])} raw objects to make it from"
        return
    if not found.date:
        yield "it carries no ledger: not made by this pipeline, or by another version of it"
        return
    for what, now in wanted.items():
        then = found.made_from.get(what, "")
        if then != now:
            counts = what == "objects"
            now, then = (_count(now), _count(then)) if counts else (now, then)
            yield _REMEDY[what].format(now=now, then=then)
    if not found.balanced:
        yield "its ledger does not add up"
    try:
        file = _open(enriched, table, day)
    except (pa.ArrowInvalid, OSError):
        yield "it is not Parquet, or cut off"
        return
    if file.metadata.num_rows != getattr(found, table):
        yield f"{file.metadata.num_rows} rows, {getattr(found, table)} in its ledger"
    if not file.schema_arrow.equals(parquet.schema(table)):
        yield "its columns are not the declared ones"


def _deep(enriched: "ObjectStore", fresh: "ObjectStore", table: str, day: date) -> Iterator[str]:
    try:
        old, new = (
            _open(store, table, day).read().drop_columns(["context_timestamp"])
            for store in (enriched, fresh)
        )
    except (pa.ArrowInvalid, OSError):
        yield "its rows cannot be read"
        return
    if len(old) != len(new):
        yield f"{len(old)} rows, {len(new)} if made anew"
    else:
        names = [n for n in new.column_names if not old[n].equals(new[n])]
        if names:
            yield f"other values if made anew, in {', '.join(names)}"


def _open(store: "ObjectStore", table: str, day: date) -> Any:
    body = obstore.get(store, lake.enriched_key(table, day)).bytes()
    return pq.ParquetFile(pa.BufferReader(body.to_bytes()))


def _count(fingerprint: str) -> str:
    return fingerprint.partition("-")[0] or "0"
