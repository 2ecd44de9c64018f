"""Stand-ins at the edge of the network: S3 in memory, and what the enriched zone holds."""

import hashlib
from datetime import UTC, date, datetime
from typing import Any

import obstore
import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import ClientError
from obstore.exceptions import AlreadyExistsError
from obstore.store import MemoryStore

from tgpipeline.etl import handler
from tgpipeline.lake import columns, keys
from tgpipeline.lake.ledger import Ledger
from tgpipeline.settings import Settings

RECEIVED = datetime(2025, 12, 1, 15, tzinfo=UTC)  # noon in São Paulo


class MemoryS3:
    """The two calls of an S3 client that the ingest function makes, on a store in memory."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **_: Any) -> None:  # noqa: N803
        try:
            obstore.put(self.store, Key, Body, mode="create")
        except AlreadyExistsError:
            answer = {"Error": {"Code": "PreconditionFailed"}}
            answer["ResponseMetadata"] = {"HTTPStatusCode": 412}
            raise ClientError(answer, "PutObject") from None

    def list_objects_v2(self, *, Bucket: str, Prefix: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        folder, _, _ = Prefix.rpartition("/")
        found = [o["path"] for page in self.store.list(folder) for o in page]
        bodies = {key: self.store.get(key).bytes().to_bytes() for key in found if key == Prefix}
        contents = [
            {"Key": k, "ETag": f'"{hashlib.md5(b).hexdigest()}"'} for k, b in bodies.items()
        ]
        return {"KeyCount": len(contents), "Contents": contents}


def run(raw: Any, enriched: Any, days: list[date], rebuild: bool = False, **settings: Any) -> dict:
    """Run the ETL; its ledgers by day, every one of which must add up."""
    whole = Settings.from_env(env={}, raw_bucket="raw", enriched_bucket="enriched", **settings)
    ledgers = list(handler.run(whole, days, rebuild=rebuild, raw=raw, enriched=enriched))
    assert all(ledger.balanced for ledger in ledgers), ledgers
    return {ledger.date: ledger for ledger in ledgers}


def parquet(enriched: Any, key: str) -> pa.Table:
    """What one Parquet holds, `context_timestamp` left out."""
    body = obstore.get(enriched, key).bytes().to_bytes()
    return pq.ParquetFile(pa.BufferReader(body)).read().drop_columns(["context_timestamp"])


def table(enriched: Any, name: str, day: date) -> pa.Table | None:
    """What a day's Parquet holds, `context_timestamp` left out; None where there is none."""
    try:
        return parquet(enriched, keys.enriched_key(name, day))
    except FileNotFoundError:
        return None


def content(enriched: Any, days: list[date]) -> dict[tuple[str, date], list[dict[str, Any]]]:
    """All rows of these days, by table and day; days without any left out."""
    found = {(name, day): table(enriched, name, day) for name in columns.TABLES for day in days}
    return {key: rows.to_pylist() for key, rows in found.items() if rows is not None and len(rows)}


def total(ledgers: dict[str, Ledger], name: str) -> int:
    """The sum of one count over all days."""
    return sum(getattr(ledger, name) for ledger in ledgers.values())
