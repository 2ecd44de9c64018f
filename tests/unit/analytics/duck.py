"""An engine over rows in memory: the report's questions, answered by DuckDB."""

import duckdb
import pandas as pd

from tests.unit.analytics.test_queries import lake
from tgpipeline.analytics import questions
from tgpipeline.analytics.engine import Engine, to_frame


class Duck(Engine):
    """Answers about these updates."""

    def __init__(self, updates: list[dict], groups: dict[int, int] | None = None) -> None:
        super().__init__("America/Sao_Paulo")
        self.connection: duckdb.DuckDBPyConnection = lake(updates, groups or {})

    def execute(self, name: str, sql: str) -> pd.DataFrame:
        done = self.connection.execute(questions.translate(sql))
        described = [(column[0], str(column[1])) for column in done.description]
        frame = to_frame(described, done.fetchall())
        frame.attrs = {"bytes_scanned": 7, "usd": 5e-05}
        return frame
