"""The same job, each as its own users would write it: list, read, flatten, latest version, write.

The output is one Parquet with the columns of `COLUMNS`, one row a message. Each contender says in
its docstring what it leaves out. Ours makes both tables with all their columns, the quarantine and
the ledger; the others make only this.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks import inputs

COLUMNS = (
    "update_id message_id from_id from_is_bot from_first_name chat_id chat_type date edit_date text"
).split()
ENDPOINT = os.environ.get("AWS_ENDPOINT_URL", "")
OUT = "bench-out"


def course(bucket: str) -> None:
    """As the course's notebook: one object after the other, to a file and back.

    Mended where it would stop: it reads all pages of the listing, edits, and messages without text.
    It leaves out the latest version: an edited message has several rows.
    """
    import boto3
    import pyarrow as pa
    import pyarrow.parquet as pq

    client = boto3.client("s3")
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=inputs.PREFIX)
    table = None
    with tempfile.TemporaryDirectory() as folder:
        for page in pages:
            for item in page["Contents"]:
                path = f"{folder}/{item['Key'].rsplit('/', 1)[1]}"
                client.download_file(bucket, item["Key"], path)
                with open(path, encoding="utf8") as file:
                    update = json.load(file)
                content = update.get("message") or update["edited_message"]
                row = {name: [value] for name, value in _row(update, content).items()}
                one = pa.Table.from_pydict(row)
                if table is None:
                    table = one
                else:
                    table = pa.concat_tables([table, one], promote_options="permissive")
        pq.write_table(table, f"{folder}/out.parquet")
        client.upload_file(f"{folder}/out.parquet", OUT, "course.parquet")


def pandas(bucket: str) -> None:
    """s3fs reads all objects at once, `json_normalize` flattens. Bad objects end it."""
    import pandas as pd
    import s3fs

    fs = s3fs.S3FileSystem(client_kwargs={"endpoint_url": ENDPOINT}, skip_instance_cache=True)
    bodies = fs.cat(fs.find(f"{bucket}/{inputs.PREFIX}"))
    updates = [json.loads(line) for body in bodies.values() for line in body.splitlines()]
    for update in updates:
        if "edited_message" in update:
            update["message"] = update.pop("edited_message")
    frame = pd.json_normalize(updates)
    frame = frame.rename(columns={f"message.{a}": b for a, b in _NESTED.items()})
    frame = frame.sort_values(["message_id", "edit_date", "update_id"], na_position="first")
    frame = frame.drop_duplicates(["chat_id", "message_id"], keep="last")[COLUMNS]
    frame["edit_date"] = frame["edit_date"].astype("Int64")
    with fs.open(f"{OUT}/pandas.parquet", "wb") as file:
        frame.to_parquet(file, index=False)


def polars(bucket: str) -> None:
    """`scan_ndjson` with the schema given, `sink_parquet`. One bad object ends it."""
    import polars as pl

    person = pl.Struct({"id": pl.Int64, "is_bot": pl.Boolean, "first_name": pl.String})
    chat = pl.Struct({"id": pl.Int64, "type": pl.String})
    message = pl.Struct(
        {
            "message_id": pl.Int64,
            "from": person,
            "chat": chat,
            "date": pl.Int64,
            "edit_date": pl.Int64,
            "text": pl.String,
        }
    )
    schema = {"update_id": pl.Int64, "message": message, "edited_message": message}
    storage = {
        "aws_endpoint_url": ENDPOINT,
        "aws_access_key_id": "local",
        "aws_secret_access_key": "local",
        "aws_region": "us-east-1",
        "aws_allow_http": "true",
    }
    ending = "ndjson" if bucket.startswith("lines") else "json"
    content = pl.coalesce("message", "edited_message")
    user, group = content.struct.field("from").struct, content.struct.field("chat").struct
    rows = pl.scan_ndjson(
        f"s3://{bucket}/{inputs.PREFIX}*.{ending}", schema=schema, storage_options=storage
    ).select(
        pl.col("update_id"),
        content.struct.field("message_id"),
        user.field("id").alias("from_id"),
        user.field("is_bot").alias("from_is_bot"),
        user.field("first_name").alias("from_first_name"),
        group.field("id").alias("chat_id"),
        group.field("type").alias("chat_type"),
        content.struct.field("date"),
        content.struct.field("edit_date"),
        content.struct.field("text"),
    )
    rows = rows.sort("message_id", "edit_date", "update_id", nulls_last=False)
    rows = rows.unique(["chat_id", "message_id"], keep="last", maintain_order=True)
    rows.sink_parquet(f"s3://{OUT}/polars.parquet", storage_options=storage)


def duckdb(bucket: str) -> None:
    """`read_json` with the columns given, `COPY` to S3. Bad objects are skipped without a trace."""
    import duckdb as db

    connection = db.connect()
    with suppress(ImportError):  # where it is not installed: from DuckDB's own place
        import duckdb_extension_httpfs as extension

        (file,) = Path(extension.__file__).parent.rglob("httpfs.duckdb_extension")
        connection.execute(f"LOAD '{file}'")
    connection.execute(
        f"""CREATE SECRET (TYPE s3, KEY_ID 'local', SECRET 'local', REGION 'us-east-1',
            ENDPOINT '{ENDPOINT.removeprefix("http://")}', URL_STYLE 'path', USE_SSL false)"""
    )
    message = (
        'STRUCT(message_id BIGINT, "from" STRUCT(id BIGINT, is_bot BOOLEAN, first_name VARCHAR), '
        "chat STRUCT(id BIGINT, type VARCHAR), date BIGINT, edit_date BIGINT, text VARCHAR)"
    )
    ending = "ndjson" if bucket.startswith("lines") else "json"
    connection.execute(
        f"""COPY (
            SELECT update_id, m.message_id, m."from".id AS from_id, m."from".is_bot AS from_is_bot,
                m."from".first_name AS from_first_name, m.chat.id AS chat_id,
                m.chat.type AS chat_type, m.date, m.edit_date, m.text
            FROM (SELECT update_id, coalesce(message, edited_message) AS m
                FROM read_json('s3://{bucket}/{inputs.PREFIX}*.{ending}', format = 'nd',
                    ignore_errors = true, columns = {{update_id: 'BIGINT', message: '{message}',
                    edited_message: '{message}'}}))
            QUALIFY row_number() OVER (PARTITION BY m.chat.id, m.message_id
                ORDER BY m.edit_date DESC NULLS LAST, update_id DESC) = 1
            ORDER BY m.message_id
        ) TO 's3://{OUT}/duckdb.parquet' (FORMAT parquet, COMPRESSION zstd)"""
    )


def awswrangler(bucket: str) -> None:
    """`wr.s3.read_json` with threads, pandas flattens, `wr.s3.to_parquet`. Bad objects end it."""
    import awswrangler as wr
    import pandas as pd

    wr.config.s3_endpoint_url = ENDPOINT
    frame = wr.s3.read_json(f"s3://{bucket}/{inputs.PREFIX}", lines=True, use_threads=True)
    content = frame["message"].where(frame["message"].notna(), frame["edited_message"])
    flat = pd.json_normalize(content.tolist()).rename(columns=_NESTED)
    flat["update_id"] = frame["update_id"].to_numpy()
    flat = flat.sort_values(["message_id", "edit_date", "update_id"], na_position="first")
    flat = flat.drop_duplicates(["chat_id", "message_id"], keep="last")[COLUMNS]
    flat["edit_date"] = flat["edit_date"].astype("Int64")
    wr.s3.to_parquet(flat, f"s3://{OUT}/awswrangler.parquet", index=False)


def pyarrow(bucket: str) -> None:
    """`pyarrow.fs` in 64 threads, `pyarrow.json` with the schema given. One bad object ends it.

    `pyarrow.dataset` would be shorter, but makes nulls of an object that does not end with a
    newline, as Telegram's do not.
    """
    from concurrent.futures import ThreadPoolExecutor

    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
    from pyarrow import json as pj
    from pyarrow.fs import FileSelector, S3FileSystem

    fs = S3FileSystem(
        access_key="local",
        secret_key="local",  # noqa: S106, of a server on this machine
        region="us-east-1",
        scheme="http",
        endpoint_override=ENDPOINT.removeprefix("http://"),
    )
    person = pa.struct([("id", pa.int64()), ("is_bot", pa.bool_()), ("first_name", pa.string())])
    chat = pa.struct([("id", pa.int64()), ("type", pa.string())])
    message = pa.struct(
        [
            ("message_id", pa.int64()),
            ("from", person),
            ("chat", chat),
            ("date", pa.int64()),
            ("edit_date", pa.int64()),
            ("text", pa.string()),
        ]
    )
    schema = pa.schema(
        [("update_id", pa.int64()), ("message", message), ("edited_message", message)]
    )

    def read(path: str) -> bytes:
        with fs.open_input_file(path) as file:
            return bytes(file.read())

    paths = [found.path for found in fs.get_file_info(FileSelector(f"{bucket}/{inputs.PREFIX}"))]
    with ThreadPoolExecutor(64) as pool:
        lines = b"\n".join(pool.map(read, paths))
    options = pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    table = pj.read_json(pa.BufferReader(lines), parse_options=options)
    content = pc.coalesce(table["message"], table["edited_message"])

    def at(*path: str) -> Any:
        return pc.struct_field(content, list(path))

    values = [table["update_id"], at("message_id"), at("from", "id"), at("from", "is_bot")]
    values += [at("from", "first_name"), at("chat", "id"), at("chat", "type"), at("date")]
    rows = pa.table([*values, at("edit_date"), at("text")], COLUMNS)
    order = [("message_id", "ascending"), ("edit_date", "ascending"), ("update_id", "ascending")]
    rows = rows.take(pc.sort_indices(rows, sort_keys=order, null_placement="at_start"))
    last = pc.not_equal(rows["message_id"].combine_chunks()[1:], rows["message_id"][:-1])
    rows = rows.filter(pa.concat_arrays([last.combine_chunks(), pa.array([True])]))
    pq.write_table(rows, f"{OUT}/pyarrow.parquet", filesystem=fs)


def ours(bucket: str) -> None:
    """The ETL itself: both tables, 33 and 13 columns, quarantine, ledger."""
    from tgpipeline import etl

    (ledger,) = etl.run(_settings(bucket), [date.fromisoformat(inputs.DAY)], rebuild=True)
    assert ledger.balanced
    assert ledger.quarantined == 0


def limit(bucket: str) -> None:
    """Lists and reads the same objects with the same client, and does nothing with them."""
    from tgpipeline import extract, lake

    store = lake.open_store(bucket, _settings(bucket))
    listing = extract.list_day(store, date.fromisoformat(inputs.DAY))
    total = sum(
        len(body)
        for _, body in extract._read_many(store, inputs.PREFIX, listing.names, extract.THREADS)
    )
    assert total


CONTENDERS: dict[str, Callable[[str], None]] = {
    f.__name__: f for f in (course, pandas, polars, duckdb, awswrangler, pyarrow, ours, limit)
}


def result(name: str) -> list[dict[str, Any]]:
    """The rows that a contender wrote, sorted, to compare with the others'."""
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
    table = pq.ParquetFile(pa.BufferReader(body)).read(columns=COLUMNS)
    rows = table.sort_by([("message_id", "ascending"), ("update_id", "ascending")]).to_pylist()
    return [{column: row[column] for column in COLUMNS} for row in rows]


def _settings(bucket: str) -> Any:
    from tgpipeline.settings import Settings

    return Settings.from_env(raw_bucket=bucket, enriched_bucket=OUT)


def _row(update: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
    flat: Iterator[tuple[str, Any]] = (
        (column, _at(content, path.split("."))) for path, column in _NESTED.items()
    )
    return {"update_id": update["update_id"], **dict(flat)}


def _at(value: Any, path: list[str]) -> Any:
    for name in path:
        value = value.get(name) if value else None
    return value


_NESTED = {
    "message_id": "message_id",
    "from.id": "from_id",
    "from.is_bot": "from_is_bot",
    "from.first_name": "from_first_name",
    "chat.id": "chat_id",
    "chat.type": "chat_type",
    "date": "date",
    "edit_date": "edit_date",
    "text": "text",
}
