"""The enriched zone says the same to every engine that reads Parquet."""

import hashlib
import importlib
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from obstore.store import LocalStore, MemoryStore

from tests import edge
from tests import payloads as p
from tgpipeline import ingest
from tgpipeline.lake import columns
from tgpipeline.settings import Settings

DAY = date.fromisoformat(p.DAY)
CHATS = (p.SUPERGROUP, p.GROUP, p.CHANNEL["id"])


@pytest.fixture(scope="module")
def zone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day with every kind of update and of content, in files."""
    raw, folder = MemoryStore(), tmp_path_factory.mktemp("enriched")
    settings = Settings.from_env(env={}, raw_bucket="raw", chat_ids=CHATS)
    number = 2**33
    told = [p.update(number := number + 1, kind, c) for kind, (c, _) in p.EVENTS.items()]
    for name, value in p.CONTENTS.items():
        told.append(p.update(number := number + 1, content=p.message(number, **{name: value})))
    links = [{"type": "url", "offset": 0, "length": 3}, {"type": "bold", "offset": 4, "length": 2}]
    told.append(p.text(number + 1, "oi! até já 👋", entities=links))
    for one in told:
        ingest.store(p.raw(one), settings, edge.MemoryS3(raw), edge.RECEIVED)
    edge.run(raw, LocalStore(folder), [DAY], chat_ids=CHATS)
    return folder


def plain(value: Any) -> Any:
    """One value as any engine may spell it."""
    if value is None or value != value or type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat()
    if hasattr(value, "tolist") and not isinstance(value, (list, str)):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value


def digest(rows: list[dict[str, Any]], table: str) -> tuple[int, str]:
    names = [column.name for column in columns.TABLES[table]]
    told = sorted(repr([plain(row[name]) for name in names]) for row in rows)
    return len(told), hashlib.sha256("\n".join(told).encode()).hexdigest()


def by_pyarrow(folder: Path) -> list[dict[str, Any]]:
    from pyarrow import dataset

    return dataset.dataset(folder, partitioning="hive").to_table().to_pylist()


def by_duckdb(folder: Path) -> list[dict[str, Any]]:
    import duckdb

    found = duckdb.sql(
        f"SELECT * FROM read_parquet('{folder}/*/*.parquet', hive_partitioning=true)"
    )
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def by_pandas(folder: Path) -> list[dict[str, Any]]:
    import pandas as pd
    import pyarrow as pa

    # Without it whole numbers beside a null would become floats, which hold 53 bits.
    found = pd.read_parquet(folder, engine="pyarrow", dtype_backend="pyarrow")
    assert isinstance(found["date"].dtype, pd.ArrowDtype)
    return pa.Table.from_pandas(found, preserve_index=False).to_pylist()


def by_polars(folder: Path) -> list[dict[str, Any]]:
    import polars

    return polars.scan_parquet(folder, hive_partitioning=True).collect().to_dicts()


@pytest.mark.parametrize("table", columns.TABLES)
@pytest.mark.parametrize("engine", ["duckdb", "pandas", "polars"])
def test_each_engine_reads_the_same(zone: Path, engine: str, table: str) -> None:
    try:
        importlib.import_module(engine)
    except ModuleNotFoundError:
        pytest.skip(f"{engine} is not installed")
    folder = zone / "telegram" / table
    wanted = digest(by_pyarrow(folder), table)
    assert wanted[0] > 5
    assert digest(globals()[f"by_{engine}"](folder), table) == wanted
