"""From files to answers on this machine: import, ETL and queries, without a server or an account.

What runs on AWS runs here on folders: `history` fills a raw zone, `etl` makes an enriched zone of
it, and DuckDB answers what Athena would.
"""

import os
from collections import defaultdict
from contextlib import nullcontext
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pandas as pd
from obstore.store import LocalStore

from tgpipeline import history
from tgpipeline.analytics import questions
from tgpipeline.analytics.engine import Engine, to_frame
from tgpipeline.errors import HistoryError, LakeError, QueryError
from tgpipeline.etl import handler
from tgpipeline.history.content import int_of
from tgpipeline.lake import columns, documents, keys, markers, stores
from tgpipeline.progress import progress
from tgpipeline.settings import Settings
from tgpipeline.telegram.updates import context_date, migration

LINES = 10_000  # updates that wait in memory


def read_export(
    path: str | Path,
    chat: int | str | None = None,
    timezone: str = "",
    keep: str | Path | None = None,
) -> "DuckDB":
    """Read what is on this machine of a group, so that it can be asked.

    Args:
        path: a Telegram Desktop export (`result.json`, its folder, a zip), a folder of updates as
            Telegram sends them or a file with one per line (`.ndjson`), a copy of a raw zone, or a
            folder that `keep` named.
        chat: which chat: its id or, of an export, its title. Needed where an export has several.
        timezone: IANA name of the zone of days and hours; TIMEZONE, or the settings' default, if
            not given.
        keep: folder for the raw and the enriched zone; a temporary one if not given.

    Returns:
        What can be asked: `query`, `conversations`, `report`.

    Raises:
        HistoryError: if the path holds nothing that can be read, has no such chat or no message,
            or breaks off.
        LakeError: if the folder cannot be written.
    """
    timezone = timezone or os.environ.get("TIMEZONE", "").strip()
    settings, path = Settings.from_env(env={"TIMEZONE": timezone}), Path(path)
    with nullcontext(keep) if keep else TemporaryDirectory(prefix="tgpipeline-") as name:
        folder = Path(name)
        try:
            raw_folder = next((p for p in (path, path / "raw") if (p / keys.RAW).is_dir()), None)
            raw = LocalStore(raw_folder or folder / "raw", mkdir=True)
            enriched = LocalStore(folder / "enriched", mkdir=True)
        except OSError as error:
            raise LakeError(f"{folder} cannot be written: {error}") from None
        chat_id = int_of(chat) or 0
        if raw_folder or _is_of_updates(path):
            if chat is not None and not chat_id:
                raise HistoryError(f"{path} holds updates: say the chat by its id, not {chat!r}.")
            notes = [] if raw_folder else _collect(path, raw, settings)
        else:
            summary, chat_id = history.import_export(path, settings, chat, store=raw), 0
            skipped = [f"{n:,} skipped ({why})" for why, n in summary.skipped.items()]
            notes = summary.notes + skipped
        days = list(stores.list_days(raw))
        with progress("days made into tables", len(days)) as advance:
            for _ in handler.run(settings, days, raw=raw, enriched=enriched):
                advance(1)
        try:
            found = DuckDB(folder / "enriched", settings.timezone)
            found.chat, found.notes = chat_id, notes
            found.period()
        except QueryError:
            why = "; ".join([f"{path} holds no message that can be read", *notes])
            raise HistoryError(why) from None
    return found


def _is_of_updates(path: Path) -> bool:
    """Whether these are lines of updates, or a folder that has no export, but other JSON."""
    if path.is_file():
        return path.suffix in documents.SUFFIXES - {".json"}
    names = {p.name for pattern in ("*", "*/*") for p in path.glob(pattern)}
    is_export = not names.isdisjoint(("result.json", "messages.html"))
    return not is_export and any(p.suffix in documents.SUFFIXES for p in path.rglob("*"))


def _collect(path: Path, raw: LocalStore, settings: Settings) -> list[str]:
    """Put the updates of a folder where a raw zone has them; says how many things are none."""
    found, unreadable = documents.documents_of(path), 0
    while part := list(islice(found, LINES)):
        lines: defaultdict[date, bytearray] = defaultdict(bytearray)
        for document in part:
            if document.update is None:
                unreadable += 1
                continue
            content = document.update[document.kind]
            if ids := migration(content):  # as the ingest function does: the group stays one
                raw.put(keys.marker_key(keys.MIGRATIONS, ids[1]), markers.of_migration(*ids))
            day = context_date(content, settings.tz, datetime.now(UTC))
            if document.source == "sent":
                name = document.name.replace("#", "-")
                raw.put(keys.partition(keys.RAW, day) + name, document.body)
            else:
                lines[day] += b" ".join(document.body.splitlines()) + b"\n"
        for day, body in lines.items():
            raw.put(keys.history_key(bytes(body), day), bytes(body))
    return [f"{unreadable:,} files or lines are no update"] if unreadable else []


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
        self._folder = TemporaryDirectory(prefix="tgpipeline-duckdb-")
        self._connection = duckdb.connect(str(Path(self._folder.name) / "lake.duckdb"))
        # What needs more memory goes through temporary files; names are those of tables alone.
        self._connection.execute("SET TimeZone = 'UTC'; SET memory_limit = '1GB'")
        self._connection.execute("SET python_enable_replacements = false")
        for table in columns.TABLES:
            files = f"{folder}/{keys.RAW}/{table}/*/*.parquet"
            how = {"hive_partitioning": True, "union_by_name": True}
            try:
                self._connection.read_parquet(files, **how).create(table)
            except duckdb.Error as error:
                raise QueryError(f"{folder} is no enriched zone: {str(error)[:300]}") from None

    def execute(self, name: str, sql: str) -> pd.DataFrame:
        """See `Engine.execute`."""
        try:
            found = self._connection.sql(questions.translate(sql))
            frame = found.to_arrow_table().to_pandas(types_mapper=pd.ArrowDtype)
        except duckdb.Error as error:
            raise QueryError(f"{name} failed: {str(error)[:500]}") from None
        return to_frame(zip(found.columns, found.types, strict=True), frame)
