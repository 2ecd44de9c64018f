"""How an update becomes a row: from nested JSON to the flat columns that `columns` declares.

No I/O, standard library only. A row is a tuple of values in the order of its table's columns; the
last column, `context_timestamp`, is added when the rows are written.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any, NamedTuple

from tgpipeline.lake.authors import Authors, is_copy, is_implicit
from tgpipeline.lake.columns import TABLES, fit
from tgpipeline.lake.markers import NO_MARKERS, Markers, first_id
from tgpipeline.telegram import updates
from tgpipeline.telegram.content import entities_of, old_and_new, rich_text
from tgpipeline.telegram.updates import Update, sub

Row = tuple[Any, ...]
_SENDER = ("id", "is_bot", "first_name", "last_name", "username", "language_code")
_OTHERS = ("media_group_id", "migrate_to_chat_id", "migrate_from_chat_id")


class Tally(NamedTuple):
    """What is met while documents are read.

    Attributes:
        counts: `documents`, `quarantined`, `erased`, `collisions`; by table, versions of its rows.
        misfits: by column, values that do not fit and become null (or U+FFFD).
        unknown: fields and kinds that are not known yet, by name.
        undeclared: ids of authors of whom no update says whether they are bots.
        bots: ids of the bots met, among the authors and those whom they answer.
    """

    counts: Counter[str]
    misfits: Counter[str]
    unknown: Counter[str]
    undeclared: set[int]
    bots: set[int]


class Flattener:
    """Turns updates into rows, all with the same time zone and chat identities.

    Args:
        tz: zone of `sent_at`.
        markers: say which group a chat was before, and who is a bot where a message does not tell.

    Attributes:
        tally: what was met.
    """

    def __init__(self, tz: tzinfo, markers: Markers = NO_MARKERS) -> None:
        self._tz, self._groups, self._authors = tz, markers.groups, Authors(markers.bots)
        met = self._authors.undeclared, self._authors.bots
        self.tally = Tally(Counter(), Counter(), Counter(), *met)

    def row(
        self, update: Update, text: str = "", source: str = "webhook", name: str = ""
    ) -> tuple[str, Row]:
        """The row that an update becomes.

        Args:
            update: as `updates.parse` returned it.
            text: the same update as it came, for the column `payload` of events.
            source: `webhook`, `sent` or `history`.
            name: its kind, where that is known already.

        Returns:
            The name of its table, and its values in the order of that table's columns, the last
            one (`context_timestamp`) left out. Values may still not fit their column: see `fit`.
        """
        name = name or str(updates.kind(update))
        if name in updates.MESSAGE_KINDS:
            return "messages", self._message(update, name, source)
        return "events", self._event(update, name, text)

    def _message(self, update: Update, name: str, source: str) -> Row:
        m = update[name]
        user, chat, reply = sub(m, "from"), sub(m, "chat"), sub(m, "reply_to_message")
        content, unknown = updates.content_type(m)
        for field in unknown:
            self.tally.unknown[f"message.{field}"] += 1
        text, caption = m.get("text"), m.get("caption")
        entities = m.get("entities") or m.get("caption_entities")
        types, command = entities_of(entities, text or caption) if entities else (None, None)
        if content == "rich_message" and not text:
            text = rich_text(m["rich_message"]) or None
        service = None if content == "unknown" else content in updates.SERVICE
        service = True if m.get("is_service") is True else service  # as imported history says
        author_id, author_kind = self._authors.author_of(m, service)
        topic, is_comment = None, None
        if content in ("forum_topic_created", "forum_topic_edited"):
            topic = sub(m, content).get("name")
        if reply:
            self._authors.is_bot(sub(reply, "from"))
            if is_implicit(m, reply):
                topic = topic or sub(reply, "forum_topic_created").get("name")
                is_comment = is_copy(reply) or None
                reply = {}
        date, chat_id = m.get("date"), chat.get("id")
        return (
            update.get("update_id"),
            source,
            None if source == "history" else name,
            m.get("message_id"),
            m.get("message_thread_id"),
            m.get("is_topic_message"),
            topic,
            is_comment,
            author_id,
            author_kind,
            *map(user.get, _SENDER),
            sub(m, "sender_chat").get("id"),
            chat_id,
            first_id(chat_id, self._groups),
            chat.get("type"),
            chat.get("title"),
            date,
            wall_clock(date, self._tz),
            m.get("edit_date"),
            content,
            service,
            text,
            caption,
            types,
            command,
            reply.get("message_id"),
            sub(reply, "from").get("id"),
            sub(m, "forward_origin").get("type"),
            sub(m, "via_bot").get("id"),
            *map(m.get, _OTHERS),
        )

    def _event(self, update: Update, name: str, text: str) -> Row:
        e = update[name]
        if name not in updates.EVENT_KINDS:
            self.tally.unknown[f"update.{name}"] += 1
        about = sub(e, "message")
        message_id = (about or e).get("message_id")
        user = sub(e, "from") or sub(e, "user") or sub(e, "source", "user")
        user = user or sub(e, "boost", "source", "user")
        whom = (user.get("id"), user.get("is_bot"), sub(e, "new_chat_member", "user").get("id"))
        chat_id, date = (sub(e, "chat") or sub(about, "chat")).get("id"), updates.date_of(e)
        where = (chat_id, first_id(chat_id, self._groups))
        values = (date, wall_clock(date, self._tz), *old_and_new(name, e))
        return (update.get("update_id"), name, *where, message_id, *whom, *values, text)


def as_json(table: str, row: Row) -> dict[str, Any]:
    """A row as a dict that JSON can hold, every value fitted to its column.

    `sent_at` is written as `YYYY-MM-DDTHH:MM:SS`, the local wall-clock time.
    """
    out: dict[str, Any] = {}
    for column, value in zip(TABLES[table], row, strict=False):
        value, _ = fit(value, column.type)
        if column.name == "sent_at" and value is not None:
            value = (datetime(1970, 1, 1) + timedelta(milliseconds=value)).isoformat()
        out[column.name] = value
    return out


def wall_clock(date: Any, tz: tzinfo) -> int | None:
    """Unix seconds as local wall-clock time, in milliseconds since 1970.

    What is no date of Telegram's time becomes None.
    """
    if type(date) is not int or not 0 < date < updates.LAST_DATE:
        return None
    return (date + _offset(date // 900, tz)) * 1000


@lru_cache(10_000)
def _offset(quarter: int, tz: tzinfo) -> int:
    """Seconds from UTC; they change at quarters of an hour at most, so these are looked up."""
    delta = datetime.fromtimestamp(900 * quarter, UTC).astimezone(tz).utcoffset()
    return int((delta or timedelta()).total_seconds())
