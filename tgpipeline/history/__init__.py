"""A group's past: from a Telegram Desktop export into the raw zone.

Telegram keeps a day of updates, a group has years. Each message of an export becomes a line of an
object in the partition of its day, in the Bot API's shape, so that one ETL makes one table of both:
a message that also came by webhook is one row there. The file is read twice, in pieces (which
chats are in it, then their messages), so memory does not grow with it.
"""

import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from obstore.exceptions import BaseError
from tqdm import tqdm

from tgpipeline.errors import HistoryError, LakeError, UpdateError
from tgpipeline.history.content import known, whole
from tgpipeline.history.convert import CHAT_TYPES, Converter, chat_id, chat_type
from tgpipeline.history.cut import Chat, Export
from tgpipeline.history.file import ExportFile
from tgpipeline.history.lines import HistoryLines
from tgpipeline.lake import stores
from tgpipeline.settings import Settings
from tgpipeline.telegram.updates import content_type, context_date

logger = logging.getLogger(__name__)

_NEVER = datetime.max.replace(tzinfo=UTC)  # messages without a date are skipped before


@dataclass
class Summary:
    """What an import did; `str()` says it to people.

    Attributes:
        path: the export.
        chats: by Bot API id, how many messages were read.
        kinds: by content type, how many messages were read.
        skipped: by reason, how many records could not be imported.
        other_chats: what else is in the file: id and type of each chat, and its messages.
        new: lines written: messages, and counts of reactions.
        present: lines that an earlier import had written.
        objects: objects written.
        first, last: the days of the first and the last message.
        mended: messages that were not quite JSON and could be read all the same.
        local_dates: messages whose date bore no zone and was read in `TIMEZONE`.
    """

    path: str
    chats: Counter[int] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    other_chats: dict[str, int] = field(default_factory=dict)
    new: int = 0
    present: int = 0
    objects: int = 0
    first: date | None = None
    last: date | None = None
    mended: int = 0
    local_dates: int = 0

    def count(self, message: dict[str, Any], day: date) -> None:
        """Count one message that was read."""
        kind, names = content_type(message)
        self.kinds[f"unknown ({' '.join(names)})" if kind == "unknown" and names else kind] += 1
        self.chats[message["chat"]["id"]] += 1
        self.first = min(day, self.first or day)
        self.last = max(day, self.last or day)

    @property
    def messages(self) -> int:
        """How many messages were read, new or not."""
        return self.chats.total()

    def __str__(self) -> str:
        span = f", {self.first} to {self.last}" if self.first else ""
        lines = [
            f"{self.path}: {self.messages:,} messages{span}",
            f"  {self.new:,} lines new in {self.objects:,} objects, "
            f"{self.present:,} already there from an earlier import",
        ]
        for title, counts in (
            ("chats", self.chats),
            ("kinds", self.kinds),
            ("skipped", self.skipped),
            ("not imported", Counter(self.other_chats)),
        ):
            if counts:
                told = " · ".join(f"{name} {n:,}" for name, n in counts.most_common(20))
                more = f" · and {len(counts) - 20:,} more" if len(counts) > 20 else ""
                lines.append(f"  {title}: {told}{more}")
        if self.mended:
            lines.append(f"  {self.mended:,} were not quite JSON and could be mended")
        if self.local_dates:
            lines.append(f"  {self.local_dates:,} dates bore no zone and were read in TIMEZONE")
        if self.new:
            lines.append(f"  next: tgpipeline etl --from {self.first} --to {self.last}")
        return "\n".join(lines)


def import_export(
    path: str | Path,
    settings: Settings,
    chat: int | str | None = None,
    progress: bool | None = None,
) -> Summary:
    """Import the messages of a Telegram Desktop export into the raw zone.

    Importing it again, or a newer export of the same chat, adds only what is not there: a message
    is there if the same edit of it came from an earlier import.

    Args:
        path: `result.json`, its folder, or a zip of either; of one chat or of a whole account.
        settings: names the raw bucket, the chats that are ours, and the time zone of days.
        chat: the one to import: its id, in the Bot API's form or the export's, or its title.
            Without it: those of `settings.chat_ids`; all of a file of one chat if none are set.
        progress: whether to show a bar; None shows one on a terminal and in a notebook.

    Returns:
        What was done. Run the ETL for `first` to `last` after it.

    Raises:
        HistoryError: if the file is no export, has no such chat, or breaks off. What stands before
            the break is kept.
        LakeError: if the raw zone cannot be read or written.
    """
    settings.require("raw_bucket")
    file = ExportFile(path)
    export, summary = Export(file), Summary(file.name)
    store = stores.open_store(settings.raw_bucket, settings)
    try:
        with _bar("looking for chats", file.size, progress) as advance:
            chats = export.chats(advance)
        converters = _choose(file.name, chats, chat, settings, stores.groups(store), summary)
        with (
            HistoryLines(store) as lines,
            _bar("importing", file.size, progress) as advance,
        ):
            try:
                for number, _, record in export.messages(converters, advance):
                    _import(record, converters[number], lines, settings, summary)
            except HistoryError as error:
                raise HistoryError(
                    f"{error} The {summary.messages:,} messages before that were imported; "
                    "importing the whole file adds only what is missing."
                ) from None
            finally:
                lines.flush()
                summary.new, summary.present = lines.new, lines.present
                summary.objects, summary.mended = lines.objects, export.mended
                summary.local_dates = sum(c.local_dates for c in converters.values())
                logger.info("%s", summary)
    except BaseError as error:
        raise LakeError(
            f"s3://{settings.raw_bucket} cannot be read or written: {str(error)[:300]}. Check that "
            "it exists and that you may use it; importing again adds what is missing."
        ) from error
    return summary


def _import(
    record: Any, converter: Converter, lines: HistoryLines, settings: Settings, summary: Summary
) -> None:
    try:
        message = converter.message(record)
    except UpdateError as reason:
        summary.skipped[str(reason)] += 1
        return
    day = context_date(message, settings.tz, _NEVER)
    summary.count(message, day)
    lines.add(day, {"message": message})
    if reactions := converter.reactions(record, message):
        lines.add(day, {"message_reaction_count": reactions})


def _choose(
    name: str,
    chats: list[Chat],
    chat: int | str | None,
    settings: Settings,
    groups: Mapping[int, int],
    summary: Summary,
) -> dict[int, Converter]:
    """A converter for each chat that is to be imported, by its position in the file."""
    wanted: set[Any] = set(settings.chat_ids) if chat is None else {whole(chat) or chat}
    wanted |= {i for pair in groups.items() if wanted & set(pair) for i in pair}
    chosen: dict[int, Converter] = {}
    for position, found in enumerate(chats):
        number, kind = whole(found.id), CHAT_TYPES.get(str(found.type))
        if kind is None or number is None:  # what other programs write may not tell
            number = number if number is not None and number < 0 else whole(chat)
            if number is None or len(chats) > 1:
                summary.other_chats[f"{found.id} ({found.type})"] = found.messages
                continue
            kind = chat_type(number)
        ident = chat_id(number, kind, bool(found.old_ids))
        if wanted & {ident, number, str(found.name)} or (not wanted and len(chats) == 1):
            named = {"first_name" if kind == "private" else "title": found.name}
            described = known(id=ident, type=kind, **named)
            old = bool(found.old_ids)
            chosen[position] = Converter(described, settings.tz, old, groups.get(ident))
            summary.chats[ident] += 0
        else:
            summary.other_chats[f"{ident} ({found.type})"] = found.messages
    if not chosen:
        why = f"has no chat {chat}"
        if chat is None:
            why = "has none of the chats in TELEGRAM_CHAT_ID" if wanted else "is of several chats"
        if len(chats) == 1 and whole(chats[0].id) is None:
            why = "does not tell which chat it is of"
        others = ", ".join(f"{told}: {n:,} messages" for told, n in summary.other_chats.items())
        raise HistoryError(
            f"{name} {why}; it has {others[:1000]}. Say which to import with `chat` (on the "
            "command line --chat): its id as the bot sees it, such as -1001234567890."
        )
    return chosen


@contextmanager
def _bar(title: str, size: int, wanted: bool | None) -> Iterator[Callable[[int], object]]:
    if wanted is None:
        wanted = sys.stderr.isatty() or "ipykernel" in sys.modules
    with tqdm(
        desc=title, total=size, unit="B", unit_scale=True, disable=not wanted, leave=False
    ) as bar:
        yield bar.update
