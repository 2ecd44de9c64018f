"""From files to answers on this machine: import, ETL and queries, without a server or an account.

What runs on AWS runs here on folders: `history` fills a raw zone, `etl` makes an enriched zone of
it, and DuckDB answers what Athena would.
"""

import os
import re
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from datetime import timezone as utc_offset
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pandas as pd

from tgpipeline import history
from tgpipeline.analytics import questions
from tgpipeline.analytics.engine import Engine
from tgpipeline.errors import HistoryError, LakeError, QueryError
from tgpipeline.etl import handler
from tgpipeline.history.content import int_of
from tgpipeline.history.file import ExportFile
from tgpipeline.lake import documents, keys, migrations, preview, stores
from tgpipeline.progress import progress
from tgpipeline.settings import Settings
from tgpipeline.telegram.updates import context_date, migration

if TYPE_CHECKING:
    from obstore.store import LocalStore

    from tgpipeline.analytics.answers import Answers

BATCH = 4 << 20  # bytes of updates in one object
_DAYS = (
    "SELECT context_date FROM messages WHERE 0 /* :chat */ IN (0, group_id) "
    "GROUP BY context_date ORDER BY context_date"
)


class Group:
    """One group, or several, that can be asked: see `read_export`.

    Args:
        engine: who answers: `athena.connect(settings)`, or `duck.DuckDB`.
        chat: the one group that is meant, by any id it has had; all if 0.
        folder: what to keep as long as this object: the temporary folder of its data.

    Attributes:
        engine: as given.
        notes: what should be known of how the data was read.

    Raises:
        QueryError: if there is no message.
    """

    def __init__(self, engine: Engine, chat: int = 0, folder: Any = None) -> None:
        self.engine, self.chat, self._folder = engine, chat, folder
        self.notes: list[str] = []
        frame = engine.query(_DAYS, chat=chat)
        self._days: list[date] = [day.date() for day in frame["context_date"]]
        if not self._days:
            raise QueryError("there is no message yet: run the ETL, or import another export.")

    def period(
        self, start: date | str | None = None, end: date | str | None = None
    ) -> dict[str, Any]:
        """First and last local day: as given, and otherwise of the first and the last message.

        Raises:
            QueryError: if that period ends before it starts, or holds no message; says which days
                do.
        """
        try:
            first = date.fromisoformat(str(start)) if start else self._days[0]
            last = date.fromisoformat(str(end)) if end else self._days[-1]
        except ValueError as error:
            raise QueryError(f"{error}: give a date, as YYYY-MM-DD.") from None
        if start and end and first > last:
            raise QueryError(f"the period ends on {last}, before it starts on {first}.")
        if not any(first <= day <= last for day in self._days):
            raise QueryError(
                f"there is no message from {first} to {last}: there are messages on "
                f"{len(self._days):,} days from {self._days[0]} to {self._days[-1]}."
            )
        return {"start": first, "end": last}

    def query(self, name_or_sql: str, **values: Any) -> pd.DataFrame:
        """Ask a question: see `Engine.query`. The period and the chat need not be given."""
        named = name_or_sql.isidentifier()
        types = questions.parameter_types(questions.sql_of(name_or_sql) if named else name_or_sql)
        usual = self.period(values.get("start"), values.get("end")) | {"chat": self.chat}
        return self.engine.query(
            name_or_sql, **{k: v for k, v in usual.items() if k in types} | values
        )

    def answers(self, **how: Any) -> "Answers":
        """All answers about a period: see `answers.Answers`, whose parameters these are."""
        from tgpipeline.analytics.answers import Answers

        return Answers(
            self.engine, **{"chat": self.chat} | how | self.period(how.get("start"), how.get("end"))
        )

    def conversations(self, **how: Any) -> pd.DataFrame:
        """Who asked what, and what became of it: one row per conversation.

        Args:
            **how: what `answers.Answers` takes: `start`, `end`, `agents` and so on.
        """
        return self.answers(**how).conversations

    def report(
        self, output: str | Path = "report.html", csv: str | Path | None = None, **how: Any
    ) -> Path:
        """Write the page for a manager.

        Args:
            output: the page to write.
            csv: folder for the tables, as CSV; none are written if not given.
            **how: what `answers.Answers` takes: `language`, `start`, `end`, `names` and so on.

        Returns:
            The path of the page.
        """
        from tgpipeline.analytics import report

        return report.write(self.answers(**how), output, csv)


def read_export(
    path: str | Path,
    chat: int | str | None = None,
    timezone: str = "",
    keep: str | Path | None = None,
) -> Group:
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
        The group, to be asked: `query`, `conversations`, `report`.

    Raises:
        HistoryError: if the path holds nothing that can be read, has no such chat or no message,
            or breaks off.
        LakeError: if the folder cannot be written.
    """
    from obstore.store import LocalStore

    from tgpipeline.analytics.duck import DuckDB

    timezone = timezone or os.environ.get("TIMEZONE", "").strip()
    settings = Settings.from_env(env={"TIMEZONE": timezone})
    temporary = None if keep else TemporaryDirectory(prefix="tgpipeline-")
    folder, path = Path(keep or temporary.name), Path(path)  # type: ignore[union-attr]
    try:
        raw_folder = next((p for p in (path, path / "raw") if (p / keys.RAW).is_dir()), None)
        raw = LocalStore(raw_folder or folder / "raw", mkdir=True)
        enriched = LocalStore(folder / "enriched", mkdir=True)
    except OSError as error:
        raise LakeError(f"{folder} cannot be written: {error}") from None
    notes, chat_id, hint = list[str](), 0, ""
    if raw_folder or _is_of_updates(path):
        if chat is not None and int_of(chat) is None:
            raise HistoryError(f"{path} holds updates: say the chat by its id, not {chat!r}.")
        chat_id = int_of(chat) or 0
        if not raw_folder:
            notes += _collect(path, raw, settings)
    else:
        summary = history.import_export(path, settings, chat, store=raw)
        if not summary.messages:
            skipped = ", ".join(f"{n:,} skipped ({why})" for why, n in summary.skipped.items())
            raise HistoryError(f"{path} holds 0 messages of that chat{skipped and f': {skipped}'}.")
        notes += summary.notes
        hint = _clocks(path, settings)
    days = list(stores.list_days(raw))
    with progress("days made into tables", len(days)) as advance:
        for _ in handler.run(settings, days, raw=raw, enriched=enriched):
            advance(1)
    try:
        group = Group(DuckDB(folder / "enriched", settings.timezone), chat_id, temporary)
    except QueryError:
        why = "; ".join([f"{path} holds no message that can be read", *notes])
        raise HistoryError(why) from None
    group.notes, group.engine.zone_hint = notes, None if timezone else hint
    return group


def _clocks(path: Path, settings: Settings) -> str:
    """By how much clocks where an export was made are off UTC, if the zone's are not the same."""
    head = next(ExportFile(path).pieces(int)).decode("utf-8", "replace")
    dates = re.search(r'"date":\s*"([\d:T-]{19})",\s*"date_unixtime":\s*"(\d{1,11})"', head)
    if not dates:
        return ""
    sent = datetime.fromtimestamp(int(dates[2]), UTC)
    offset = datetime.fromisoformat(dates[1]).replace(tzinfo=UTC) - sent
    is_other = offset != sent.astimezone(settings.tz).utcoffset() and abs(offset) < timedelta(1)
    return str(utc_offset(offset)) if is_other else ""


def _is_of_updates(path: Path) -> bool:
    """Whether these are lines of updates, or a folder that has no export, but other JSON."""
    if path.is_file():
        return path.suffix in preview.SUFFIXES - {".json"}
    names = ("result.json", "messages.html")
    exports = (path.glob(f"{inside}{name}") for inside in ("", "*/") for name in names)
    if not path.is_dir() or any(True for found in exports for _ in found):
        return False
    return any(p.suffix in preview.SUFFIXES for p in path.rglob("*"))


def _collect(path: Path, raw: "LocalStore", settings: Settings) -> list[str]:
    """Put the updates of a folder where a raw zone has them; what cannot be read, in quarantine."""
    waiting: dict[tuple[date, str], bytearray] = defaultdict(bytearray)
    unreadable = 0

    def write(day: date, form: str) -> None:
        key = keys.history_key(body := bytes(waiting.pop((day, form))), day)
        raw.put(key.replace("/history-", f"/{form}-"), body)

    for name, body in preview.documents_of(path):
        document = documents.document_of(name, b"" if isinstance(body, OSError) else body)
        if document.update is None:
            unreadable += 1
            key = keys.quarantine_key(document.body, datetime.now(settings.tz).date())
            raw.put(key, document.body)
            continue
        content = document.update[document.kind]
        if ids := migration(content):  # as the ingest function does, so that the group stays one
            raw.put(keys.migration_key(ids[1]), migrations.as_marker(*ids))
        day = context_date(content, settings.tz, datetime.now(UTC))
        if name.startswith("sent-"):
            raw.put(keys.partition(keys.RAW, day) + name.replace("#", "-"), document.body)
            continue
        form = "batch" if "update_id" in document.update else "history"
        waiting[day, form] += b" ".join(document.body.splitlines()) + b"\n"
        if len(waiting[day, form]) > BATCH:
            write(day, form)
    for day, form in list(waiting):
        write(day, form)
    return [f"{unreadable:,} files or lines are no update"] if unreadable else []
