"""The same job with other libraries, each as its own users would write it.

List, read, flatten, keep the latest version of each message, write one Parquet with the columns of
`shape.COLUMNS`. None of them makes the columns of `shape.LEFT_OUT`, the table `events`, a
quarantine with reasons or a ledger. Each docstring says what becomes of bad objects.
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks import inputs
from benchmarks.shape import COLUMNS, PATHS, TYPES, nested

ENDPOINT = os.environ.get("AWS_ENDPOINT_URL", "")
OUT = "bench-out"
_PANDAS = {"int64": "Int64", "bool": "boolean", "string": "object"}


def pandas(bucket: str) -> None:
    """s3fs reads many objects at once, `json_normalize` flattens. Bad objects end it."""
    import pandas as pd
    import s3fs

    fs = s3fs.S3FileSystem(
        client_kwargs={"endpoint_url": ENDPOINT},
        config_kwargs={"max_pool_connections": 64},
        skip_instance_cache=True,
    )
    bodies = fs.cat(fs.find(f"{bucket}/{inputs.PREFIX}"), batch_size=64)
    updates = [json.loads(line) for body in bodies.values() for line in body.splitlines()]
    content = [update.get("message") or update["edited_message"] for update in updates]
    flat = pd.json_normalize(content)
    flat["update_id"] = [update["update_id"] for update in updates]
    with fs.open(f"{OUT}/pandas.parquet", "wb") as file:
        _latest(flat).to_parquet(file, index=False)


def awswrangler(bucket: str) -> None:
    """`wr.s3.read_json` with threads, pandas flattens, `wr.s3.to_parquet`. Bad objects end it.

    Of threads it takes as many as there are cores, unless it is told a number.
    """
    import awswrangler as wr
    import pandas as pd

    wr.config.s3_endpoint_url = ENDPOINT
    frame = wr.s3.read_json(f"s3://{bucket}/{inputs.PREFIX}", lines=True, use_threads=16)
    content = frame["message"].where(frame["message"].notna(), frame["edited_message"])
    flat = pd.json_normalize(content.tolist())
    flat["update_id"] = frame["update_id"].to_numpy()
    wr.s3.to_parquet(_latest(flat), f"s3://{OUT}/awswrangler.parquet", index=False)


def _latest(flat: Any) -> Any:
    """Of what `json_normalize` made: our names and types, the latest version of each message."""
    flat = flat.rename(columns={".".join(path): name for name, path in PATHS.items()})
    flat = flat.reindex(columns=COLUMNS)
    flat = flat.sort_values(["message_id", "edit_date", "update_id"], na_position="first")
    flat = flat.drop_duplicates(["chat_id", "message_id"], keep="last")
    return flat.astype({name: _PANDAS[kind] for name, kind in TYPES.items()})


def polars(bucket: str) -> None:
    """`scan_ndjson` with the schema given, `sink_parquet`. One bad object ends it.

    It paces itself to what S3 takes from the start; this server takes more, so that is turned off.
    """
    os.environ["POLARS_DISABLE_HTTP_RATE_LIMIT"] = "1"
    import polars as pl

    types = {"int64": pl.Int64(), "bool": pl.Boolean(), "string": pl.String()}

    def dtype(tree: Any) -> Any:
        if isinstance(tree, str):
            return types[tree]
        return pl.Struct({name: dtype(inner) for name, inner in tree.items()})

    message = dtype(nested())
    storage = {
        "aws_endpoint_url": ENDPOINT,
        "aws_access_key_id": "local",
        "aws_secret_access_key": "local",
        "aws_region": "us-east-1",
        "aws_allow_http": "true",
    }
    content = pl.coalesce("message", "edited_message")

    def field(path: list[str]) -> Any:
        value = content
        for step in path:
            value = value.struct.field(step)
        return value

    rows = pl.scan_ndjson(
        f"s3://{bucket}/{inputs.PREFIX}*.{_ending(bucket)}",
        schema={"update_id": pl.Int64, "message": message, "edited_message": message},
        storage_options=storage,
    ).select(pl.col("update_id"), *(field(path).alias(name) for name, path in PATHS.items()))
    rows = rows.sort("message_id", "edit_date", "update_id", nulls_last=False)
    rows = rows.unique(["chat_id", "message_id"], keep="last", maintain_order=True)
    rows.sink_parquet(f"s3://{OUT}/polars.parquet", storage_options=storage)


def duckdb(bucket: str) -> None:
    """`read_json` with the columns given, `COPY` to S3. Bad objects are skipped without a trace.

    More threads than cores, as its guide has it for remote files, and connections kept open.
    """
    import duckdb as db

    connection = db.connect()
    with suppress(ImportError):  # where it is not installed: from DuckDB's own place
        import duckdb_extension_httpfs as extension

        (file,) = Path(extension.__file__).parent.rglob("httpfs.duckdb_extension")
        connection.execute(f"LOAD '{file}'")
    connection.execute("SET threads = 16")
    with suppress(db.Error):  # a setting of the newer extension alone
        connection.execute("SET httpfs_connection_caching = true")
    connection.execute(
        f"""CREATE SECRET (TYPE s3, KEY_ID 'local', SECRET 'local', REGION 'us-east-1',
            ENDPOINT '{ENDPOINT.removeprefix("http://")}', URL_STYLE 'path', USE_SSL false)"""
    )
    types = {"int64": "BIGINT", "bool": "BOOLEAN", "string": "VARCHAR"}

    def dtype(tree: Any) -> str:
        if isinstance(tree, str):
            return types[tree]
        inside = [f'"{name}" {dtype(inner)}' for name, inner in tree.items()]
        return f"STRUCT({', '.join(inside)})"

    message = dtype(nested())
    quoted = {name: ".".join(f'"{step}"' for step in path) for name, path in PATHS.items()}
    fields = ", ".join(f"m.{path} AS {name}" for name, path in quoted.items())
    connection.execute(
        f"""COPY (
            SELECT update_id, {fields}
            FROM (SELECT update_id, coalesce(message, edited_message) AS m
                FROM read_json('s3://{bucket}/{inputs.PREFIX}*.{_ending(bucket)}', format = 'nd',
                    ignore_errors = true, columns = {{update_id: 'BIGINT', message: '{message}',
                    edited_message: '{message}'}}))
            QUALIFY row_number() OVER (PARTITION BY m.chat.id, m.message_id
                ORDER BY m.edit_date DESC NULLS LAST, update_id DESC) = 1
            ORDER BY m.message_id
        ) TO 's3://{OUT}/duckdb.parquet' (FORMAT parquet, COMPRESSION zstd)"""
    )


def pyarrow(bucket: str) -> None:
    """`pyarrow.fs` in threads, `pyarrow.json` with the schema given. One bad object ends it.

    `pyarrow.dataset` would be shorter, but makes nulls of an object without a newline at its end,
    as Telegram's are (https://github.com/apache/arrow/issues/45394), and never ends on several
    objects of lines (as in https://github.com/duckdb/duckdb/issues/17704).
    """
    from concurrent.futures import ThreadPoolExecutor

    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
    from pyarrow import json as pj
    from pyarrow.fs import FileSelector, S3FileSystem

    pa.set_io_thread_count(64)
    fs = S3FileSystem(
        access_key="local",
        secret_key="local",  # noqa: S106, of a server on this machine
        region="us-east-1",
        scheme="http",
        endpoint_override=ENDPOINT.removeprefix("http://"),
    )
    types = {"int64": pa.int64(), "bool": pa.bool_(), "string": pa.string()}

    def dtype(tree: Any) -> Any:
        if isinstance(tree, str):
            return types[tree]
        return pa.struct([(name, dtype(inner)) for name, inner in tree.items()])

    message = dtype(nested())
    schema = pa.schema(
        [("update_id", pa.int64()), ("message", message), ("edited_message", message)]
    )
    options = pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")

    def read(path: str) -> bytes:
        with fs.open_input_file(path) as file:
            return bytes(file.read())

    paths = [found.path for found in fs.get_file_info(FileSelector(f"{bucket}/{inputs.PREFIX}"))]
    with ThreadPoolExecutor(64) as pool:
        lines = b"\n".join(pool.map(read, paths))
    table = pj.read_json(pa.BufferReader(lines), parse_options=options)
    content = pc.coalesce(table["message"], table["edited_message"])
    values = [table["update_id"], *(pc.struct_field(content, path) for path in PATHS.values())]
    rows = pa.table(values, ["update_id", *PATHS])
    keys = ["chat_id", "message_id", "edit_date", "update_id"]
    order = [(name, "ascending") for name in keys]
    rows = rows.take(pc.sort_indices(rows, sort_keys=order, null_placement="at_start"))
    last = pa.chunked_array([[False] * (len(rows) - 1)])
    for name in ("chat_id", "message_id"):
        column = rows[name].combine_chunks()
        last = pc.or_(last, pc.not_equal(column[1:], column[:-1]))
    rows = rows.filter(pa.concat_arrays([last.combine_chunks(), pa.array([True])]))
    pq.write_table(rows, f"{OUT}/pyarrow.parquet", filesystem=fs)


def _ending(bucket: str) -> str:
    return "ndjson" if bucket.startswith("lines") else "json"
