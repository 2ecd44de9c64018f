"""A group's past: from a Telegram Desktop export into the raw zone.

Telegram keeps a day of updates, a group has years. Each message of an export becomes a line of an
object in the partition of its day, in the Bot API's shape, so that one ETL makes one table of both:
a message that also came by webhook is one row there. The file is read twice, in pieces (which
chats are in it, then their messages), so memory does not grow with it.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from obstore.store import ObjectStore

from tgpipeline.errors import HistoryError, UpdateError
from tgpipeline.history.content import CHAT_TYPES, given, int_of
from tgpipeline.history.convert import Converter, api_id, chat_type
from tgpipeline.history.export import SENTENCES, Chat, Export, read_chats
from tgpipeline.history.lines import HistoryLines
from tgpipeline.lake import stores
from tgpipeline.lake.erasing import Erased
from tgpipeline.lake.markers import erased_listed, read_markers
from tgpipeline.settings import Settings
from tgpipeline.telegram.updates import Update, content_type

Wanted = int | str | None


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
        notes: what else should be known of the file, such as where it is damaged.
    """

    path: str
    chats: Counter[int] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    other_chats: Counter[str] = field(default_factory=Counter)
    new: int = 0
    present: int = 0
    objects: int = 0
    first: date | None = None
    last: date | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def messages(self) -> int:
        """How many messages were read, new or not."""
        return self.chats.total()

    def count(self, message: Update, day: date) -> None:
        """Take a message of a day into account."""
        kind, names = content_type(message)
        self.kinds[f"unknown ({' '.join(names)})" if kind == "unknown" and names else kind] += 1
        self.chats[message["chat"]["id"]] += 1
        self.first, self.last = min(day, self.first or day), max(day, self.last or day)

    def __str__(self) -> str:
        span = f", {self.first} to {self.last}" if self.first else ""
        told = [SENTENCES["summary"].format(self, span)]
        for title in ("chats", "kinds", "skipped", "other_chats"):
            if counts := getattr(self, title):
                told.append(f"{title.replace('_', ' ')}: {_listed(counts)}")
        told += self.notes
        if self.new:
            told.append(f"next: tgpipeline etl --from {self.first} --to {self.last}")
        return "\n  ".join(told)


def _listed(counts: Counter[Any]) -> str:
    items = [f"{name} {n:,}" for name, n in counts.most_common(20)]
    return " · ".join(items) + (f" · and {len(counts) - 20:,} more" if len(counts) > 20 else "")


def import_export(
    path: str | Path, settings: Settings, chat: Wanted = None, store: ObjectStore | None = None
) -> Summary:
    """Import the messages of a Telegram Desktop export into the raw zone.

    Importing it again, or a newer export of the same chat, adds only what is not there: a message
    is there if an earlier import by the same version of the converter brought the same edit of it.

    Args:
        path: `result.json`, its folder, or a zip of either; of one chat or of a whole account.
        settings: names the raw bucket, the chats that are ours, and the time zone of days.
        chat: the one to import: its id, in the Bot API's form or the export's, or its title.
            Without it: those of `settings.chat_ids`; all of a file of one chat if none are set.
        store: the raw bucket; opened by its name where it is None.

    Returns:
        What was done. Run the ETL for `first` to `last` after it.

    Raises:
        HistoryError: if the file is no export, has no such chat, or breaks off. What stands before
            the break is kept.
        LakeError: if the raw zone cannot be read or written.
    """
    if store is None:
        settings.require("raw_bucket")
        store = stores.open_store(settings.raw_bucket, settings)
    summary, export = Summary(str(path)), Export(path, "bytes imported")
    with stores.as_lake_error(settings.raw_bucket, "read or write it", SENTENCES["advice"]):
        markers = read_markers(store)
        converters = _choose(read_chats(path), chat, settings, markers.groups, summary)
        lines = HistoryLines(store)
        try:
            for position, record in export.records():
                if (converter := converters.get(position)) is None:
                    continue
                try:
                    message = _message_of(record, converter, markers.erased)
                except UpdateError as reason:
                    summary.skipped[str(reason)] += 1
                    continue
                sent = datetime.fromtimestamp(message["date"], settings.tz).replace(tzinfo=None)
                shown, told = str(record.get("date") or sent.isoformat())[:19], sent.isoformat()
                if not summary.messages and shown.replace(" ", "T") != told:
                    clocks = SENTENCES["clocks"].format(shown, told, settings.timezone)
                    summary.notes.append(clocks)
                day = sent.date()
                summary.count(message, day)
                lines.add(day, {"message": message})
                lines.add(day, {"message_reaction_count": converter.reactions(record, message)})
        except HistoryError as error:
            raise HistoryError(SENTENCES["kept"].format(error, summary.messages)) from None
        finally:
            lines.flush()
        notes = {
            "unreadable": len(export.unreadable),
            "local_dates": sum(converter.local_dates for converter in converters.values()),
            "masked_ids": any(converter.masked_ids for converter in converters.values()),
            "erased": erased_listed(store) != markers.erased.listed,
        }
    summary.new, summary.present, summary.objects = lines.new, lines.present, lines.objects
    places = ", ".join(f"{offset:,}" for offset in export.unreadable[:10])
    summary.notes[:0] = [SENTENCES[note].format(n, places) for note, n in notes.items() if n]
    return summary


def _message_of(record: Any, converter: Converter, erased: Erased) -> Update:
    update = {"message": converter.message(record)}
    rest = erased.without(update, "message") if erased else update
    if rest is None:
        raise UpdateError("written by somebody who was erased")
    return rest["message"]


def _choose(
    chats: list[Chat], chat: Wanted, settings: Settings, groups: dict[int, int], summary: Summary
) -> dict[int, Converter]:
    """A converter for each chat that is to be imported, by its position in the file."""
    alone = len(chats) == 1
    wanted: set[Any] = set(settings.chat_ids) if chat is None else {int_of(chat) or chat}
    wanted |= {i for pair in groups.items() if wanted & set(pair) for i in pair}
    chosen: dict[int, Converter] = {}
    for position, found in enumerate(chats):
        name, told_type, told_id = map(found.told.get, ("name", "type", "id"))
        number, kind = int_of(told_id), CHAT_TYPES.get(str(told_type))
        ident = api_id(number, kind, found.masked_ids) if number and kind else None
        if ident is None and alone:  # another program's may not tell
            ident = number if number and number < 0 else int_of(chat)
            kind = chat_type(ident or 0)
        if ident and (wanted & {ident, number, str(name)} or (alone and not wanted)):
            named = {"first_name" if kind == "private" else "title": name}
            told = given(id=ident, type=kind, **named)
            chosen[position] = Converter(told, settings.tz, found.masked_ids, groups.get(ident, 0))
        else:
            summary.other_chats[f"{ident or told_id} ({told_type})"] = found.messages
    if not chosen:
        why = "no_chat" if chat else "none_of_ours" if wanted else "several_chats"
        said = SENTENCES[why].format(chat), _listed(summary.other_chats)
        raise HistoryError(f"{summary.path} {SENTENCES['which'].format(*said)}")
    return chosen
