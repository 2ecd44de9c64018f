"""From files to answers on this machine: import, ETL and queries, without a server or an account.

What runs on AWS runs here on folders: `history` fills a raw zone, `etl` makes an enriched zone of
it, and DuckDB answers what Athena would.
"""

import os
from collections import defaultdict
from contextlib import nullcontext
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tgpipeline import history
from tgpipeline.analytics.duck import DuckDB
from tgpipeline.errors import HistoryError, LakeError, QueryError
from tgpipeline.etl import handler
from tgpipeline.history.content import int_of
from tgpipeline.lake import documents, keys, markers, stores
from tgpipeline.progress import progress
from tgpipeline.settings import Settings
from tgpipeline.telegram.updates import context_date, migration

if TYPE_CHECKING:
    from obstore.store import LocalStore

LINES = 5_000  # updates in one object


def read_export(
    path: str | Path,
    chat: int | str | None = None,
    timezone: str = "",
    keep: str | Path | None = None,
) -> DuckDB:
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
    from obstore.store import LocalStore

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
            found.chat, found.notes, found.is_zone_named = chat_id, notes, bool(timezone)
            found.period()
        except QueryError:
            why = "; ".join([f"{path} holds no message that can be read", *notes])
            raise HistoryError(why) from None
    return found


def _is_of_updates(path: Path) -> bool:
    """Whether these are lines of updates, or a folder that has no export, but other JSON."""
    if path.is_file():
        return path.suffix in documents.SUFFIXES - {".json"}
    names = ("result.json", "messages.html", "*/result.json", "*/messages.html")
    exports = [found for name in names for found in path.glob(name)]
    return not exports and any(p.suffix in documents.SUFFIXES for p in path.rglob("*"))


def _collect(path: Path, raw: "LocalStore", settings: Settings) -> list[str]:
    """Put the updates of a folder where a raw zone has them; says how many things are none."""
    lines: dict[date, list[bytes]] = defaultdict(list)
    unreadable = 0

    def write(day: date) -> None:
        body = b"\n".join(lines.pop(day))
        raw.put(keys.history_key(body, day), body)

    for document in documents.documents_of(path):
        if document.update is None:
            unreadable += 1
            continue
        content = document.update[document.kind]
        if ids := migration(content):  # as the ingest function does, so that the group stays one
            raw.put(keys.migration_key(ids[1]), markers.of_migration(*ids))
        day = context_date(content, settings.tz, datetime.now(UTC))
        if document.source == "sent":
            raw.put(keys.partition(keys.RAW, day) + document.name.replace("#", "-"), document.body)
        else:
            lines[day].append(b" ".join(document.body.splitlines()))
            if len(lines[day]) == LINES:
                write(day)
    for day in list(lines):
        write(day)
    return [f"{unreadable:,} files or lines are no update"] if unreadable else []
