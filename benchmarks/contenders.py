"""All that is measured against each other, by name, and the rows that each has written."""

import hashlib
import json
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

from benchmarks import inputs, peers
from benchmarks.peers import OUT
from benchmarks.shape import COLUMNS, TYPES


def course(bucket: str) -> None:
    """As the courses teach it: one object after the other, to a file and back, eight columns.

    Mended where it would stop: all pages of the listing are read, edits too, and a schema is given,
    because messages without text would end it. An edited message has several rows.
    """
    import boto3
    import pyarrow as pa
    import pyarrow.parquet as pq

    client = boto3.client("s3")
    fields = {
        "message_id": pa.int64(),
        "user_id": pa.int64(),
        "user_is_bot": pa.bool_(),
        "user_first_name": pa.string(),
        "chat_id": pa.int64(),
        "chat_type": pa.string(),
        "date": pa.int64(),
        "text": pa.string(),
    }
    schema, table = pa.schema(fields.items()), None
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=inputs.PREFIX)
    with tempfile.TemporaryDirectory() as folder:
        for page in pages:
            for item in page["Contents"]:
                path = f"{folder}/{item['Key'].rsplit('/', 1)[1]}"
                client.download_file(bucket, item["Key"], path)
                with open(path, encoding="utf8") as file:
                    update = json.load(file)
                one = pa.Table.from_pydict(_parsed(update), schema=schema)
                table = one if table is None else pa.concat_tables([table, one])
        pq.write_table(table, f"{folder}/out.parquet")
        client.upload_file(f"{folder}/out.parquet", OUT, "course.parquet")


def _parsed(update: dict[str, Any]) -> dict[str, list[Any]]:
    content = update.get("message") or update["edited_message"]
    row: dict[str, list[Any]] = {}
    for key, value in content.items():
        if key == "from":
            row |= {f"user_{k}": [value[k]] for k in ("id", "is_bot", "first_name")}
        elif key == "chat":
            row |= {f"chat_{k}": [value[k]] for k in ("id", "type")}
        elif key in ("message_id", "date", "text"):
            row[key] = [value]
    return {"text": [None], **row}


def ours(bucket: str) -> None:
    """The ETL itself: both tables with all their columns, quarantine, ledger."""
    from tgpipeline.etl import handler

    (ledger,) = handler.run(_settings(bucket), [date.fromisoformat(inputs.DAY)], rebuild=True)
    assert ledger.balanced
    assert ledger.quarantined == 0


def limit(bucket: str, threads: int = 0) -> None:
    """Lists and reads the same objects with the same client, and does nothing with them.

    Args:
        bucket: what is read.
        threads: requests under way; as many as the ETL has where it is 0.
    """
    import obstore

    from tgpipeline.etl import reading
    from tgpipeline.lake import stores

    threads = threads or reading.READ_THREADS
    store = stores.open_store(bucket, _settings(bucket))
    paths = [item["path"] for page in store.list(inputs.PREFIX) for item in page]
    size = max(1, min(32, round(len(paths) / (4 * threads))))

    def read(start: int) -> int:
        batch = paths[start : start + size]
        return sum(len(obstore.get(store, path).bytes().to_bytes()) for path in batch)

    with ThreadPoolExecutor(threads) as pool:
        assert sum(pool.map(read, range(0, len(paths), size)))


def limit32(bucket: str) -> None:
    """The same with the 32 requests that serve best where the server is this near."""
    limit(bucket, 32)


LIMITS = {f.__name__: f for f in (limit, limit32)}
PEERS = (peers.polars, peers.duckdb, peers.pandas, peers.awswrangler, peers.pyarrow)
CONTENDERS: dict[str, Callable[[str], None]] = {
    **{f.__name__: f for f in (ours, course, *PEERS)},
    **LIMITS,
}


def result(name: str) -> tuple[int, str]:
    """How many rows a contender wrote, and a digest of them, to compare with the others'.

    The digest is of all values in `COLUMNS`, sorted by chat, message and update; empty where the
    contender makes other columns.
    """
    import boto3
    import pyarrow as pa
    import pyarrow.parquet as pq

    client = boto3.client("s3")
    key = f"{name}.parquet"
    if name == "ours":
        key = f"telegram/messages/context_date={inputs.DAY}/part-0.parquet"
    if name == "awswrangler":
        found = client.list_objects_v2(Bucket=OUT, Prefix="awswrangler.parquet")
        key = found["Contents"][-1]["Key"]
    body = client.get_object(Bucket=OUT, Key=key)["Body"].read()
    file = pq.ParquetFile(pa.BufferReader(body))
    if name == "course":
        return file.metadata.num_rows, ""
    table = file.read(columns=COLUMNS)
    table = table.sort_by([(n, "ascending") for n in ("chat_id", "message_id", "update_id")])
    types = {"int64": pa.int64(), "bool": pa.bool_(), "string": pa.string()}
    digest = hashlib.sha256()
    for column, kind in TYPES.items():
        digest.update(json.dumps(table[column].cast(types[kind]).to_pylist()).encode())
    return len(table), digest.hexdigest()[:16]


def _settings(bucket: str) -> Any:
    from tgpipeline.settings import Settings

    return Settings.from_env(raw_bucket=bucket, enriched_bucket=OUT)
