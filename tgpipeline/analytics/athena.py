"""Questions to Athena, answers as DataFrames.

The questions are the files in `queries/`: see `questions`. The SQL is Athena's; it is translated
for DuckDB only where the endpoint is the local stack.
"""

from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import pandas as pd

from tgpipeline.analytics import questions
from tgpipeline.analytics.engine import Engine, to_frame
from tgpipeline.errors import QueryError
from tgpipeline.settings import Settings, aws_session

USD_PER_TB = 5.0  # us-east-1; https://aws.amazon.com/athena/pricing/
MINIMUM_BYTES = 10_000_000  # what a query is billed for at least
RESULTS = "athena-results"  # where Athena leaves them, in the enriched bucket


class Athena(Engine):
    """A deployment's Athena: its workgroup, its database, its place of results.

    Args:
        settings: name the deployment, the enriched bucket and the zone.

    Raises:
        SettingsError: if the enriched bucket is not set.
    """

    def __init__(self, settings: Settings) -> None:
        import pyathena

        super().__init__(settings.timezone)
        settings.require("enriched_bucket")
        self.local, self.name = is_local(settings), settings.name
        self._connection = pyathena.connect(
            s3_staging_dir=f"s3://{settings.enriched_bucket}/{RESULTS}/",
            work_group=settings.name,
            schema_name=settings.name.replace("-", "_"),
            session=aws_session(settings),
            poll_interval=0.05 if self.local else 0.5,
            endpoint_url=settings.endpoint_url or None,
        )

    def execute(self, name: str, sql: str) -> pd.DataFrame:
        """See `Engine.execute`; `attrs` hold Athena's `query_id`, too."""
        cursor: Any = self._connection.cursor()
        sql = questions.translate(sql) if self.local else sql
        try:
            rows = cursor.execute(sql).fetchall()
            description, scanned = cursor.description or [], int(cursor.data_scanned_in_bytes or 0)
            run = {"query_id": cursor.query_id, "bytes_scanned": scanned, "usd": price(scanned)}
            if self.local and {column[1] for column in description} <= {"varchar", "date"}:
                # With DuckDB before 1.4, MiniStack calls all types varchar but dates: ask DuckDB.
                description = cursor.execute(f"DESCRIBE {sql}").fetchall()
        except Exception as error:  # of PyAthena or of botocore, by where it went wrong
            reason = str(error).strip()[:500] or type(error).__name__
            raise QueryError(
                f"{name} failed: {reason}. Check that workgroup {self.name!r} and its database are "
                "deployed and that you may query them; the SQL is in tgpipeline/analytics/queries."
            ) from error
        frame = to_frame(description, rows)
        frame.attrs = run
        return frame


connect = lru_cache(maxsize=8)(Athena)  # that of equal settings is made once


def query(name_or_sql: str, settings: Settings, **values: Any) -> pd.DataFrame:
    """Ask the Athena of a deployment one question: see `Engine.query`."""
    return connect(settings).query(name_or_sql, **values)


def is_local(settings: Settings) -> bool:
    """Whether the endpoint is the local stack, whose Athena is DuckDB."""
    host = urlsplit(settings.endpoint_url).hostname or ""
    return bool(host) and not host.endswith(("amazonaws.com", "amazonaws.com.cn", "vpce.aws"))


def price(scanned: int) -> float:
    """What Athena charges for a query that scanned so many bytes, in US dollars.

    >>> price(1), price(2 * 10**12)
    (5e-05, 10.0)
    """
    return round(max(scanned, MINIMUM_BYTES) / 1e12 * USD_PER_TB, 8)
