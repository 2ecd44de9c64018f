"""DuckDB over the Parquet of a folder: the same questions as Athena's, without any server."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from tgpipeline.analytics import questions
from tgpipeline.analytics.engine import Engine, typed
from tgpipeline.errors import QueryError
from tgpipeline.lake import columns, keys

MEMORY = "1GB"  # that DuckDB takes; what needs more goes through temporary files


class DuckDB(Engine):
    """An enriched zone that lies in a folder.

    The Parquet is copied into one database file first: a question about years would else open
    thousands of files, over and over.

    Args:
        folder: the enriched zone: `telegram/messages/context_date=…/part-0.parquet` and so on.
        timezone: IANA name of the zone in which days and hours are meant.

    Raises:
        QueryError: if no day has been made, or a file is no Parquet.
    """

    all_days = True

    def __init__(self, folder: str | Path, timezone: str) -> None:
        super().__init__(timezone)
        self._folder = tempfile.TemporaryDirectory(prefix="tgpipeline-duckdb-")
        self._connection = duckdb.connect(str(Path(self._folder.name) / "lake.duckdb"))
        self._connection.execute(f"SET TimeZone = 'UTC'; SET memory_limit = '{MEMORY}'")
        self._connection.execute("SET python_enable_replacements = false")  # tables, no variables
        for table in columns.TABLES:
            files = f"{folder}/{keys.RAW}/{table}/*/*.parquet".replace("'", "''")
            try:
                self._connection.execute(
                    f"CREATE TABLE {table} AS SELECT * FROM read_parquet('{files}', "
                    "hive_partitioning = true, hive_types = {'context_date': DATE}, "
                    "union_by_name = true)"
                )
            except duckdb.Error as error:
                raise QueryError(f"{folder} is no enriched zone: {str(error)[:300]}") from None

    def execute(self, name: str, sql: str) -> tuple[pd.DataFrame, Mapping[str, Any]]:
        """See `Engine.execute`."""
        try:
            found = self._connection.sql(questions.translate(sql))
            frame = found.to_arrow_table().to_pandas(types_mapper=pd.ArrowDtype)
        except duckdb.Error as error:
            raise QueryError(f"{name} failed: {str(error)[:500]}") from None
        return typed(frame, found.types), {}
