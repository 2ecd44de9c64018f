"""How an update becomes a row: from nested JSON to the flat columns that `columns` declares.

No I/O, standard library only. A row is a tuple of values in the order of its table's columns; the
last column, `context_timestamp`, is added when the rows are written. Who wrote a message is decided
here, once, and not again in each query.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any, NamedTuple

from tgpipeline.lake.columns import TABLES, fit
from tgpipeline.lake.markers import NO_MARKERS, Markers, first_id
from tgpipeline.telegram import updates
from tgpipeline.telegram.content import entities_of, old_and_new, rich_text
from tgpipeline.telegram.updates import Update, integer, sub

Row = tuple[Any, ...]
_SENDER = ("id", "is_bot", "first_name", "last_name", "username", "language_code")
_OTHERS = ("media_group_id", "migrate_to_chat_id", "migrate_from_chat_id")
# Users that are nobody: Telegram itself, and those it names where a chat wrote (@GroupAnonymousBot,
# @Channel_Bot). Source: https://core.telegram.org/bots/api#message (from, sender_chat)
_TELEGRAM_ID = 777000
_STAND_INS = frozenset((1087968824, 136817688))
NOBODY = _STAND_INS | {_TELEGRAM_ID}


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
        self.tally = Tally(Counter(), Counter(), Counter(), set(), set())
        self._tz, self._groups, self._known_bots = tz, markers.groups, markers.bots

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
        author_id, author_kind = self._author_of(m, service)
        topic, is_comment = None, None
        if content in ("forum_topic_created", "forum_topic_edited"):
            topic = sub(m, content).get("name")
        if reply:
            self._is_bot(sub(reply, "from"))
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

    def _author_of(self, m: Update, service: bool | None) -> tuple[Any, str | None]:
        """Who wrote a message, as an id and a kind; no kind where nobody says whether it is a bot.

        What Telegram wrote (`service`) or copied is its own. Anonymous administrators and people
        who write as a channel are known by that chat only. Of some old messages only the user is
        left that stands for them.
        """
        if service or is_copy(m):
            return None, "telegram"
        chat, user = sub(m, "sender_chat"), sub(m, "from")
        number = integer(user.get("id"))
        if chat or number in _STAND_INS:
            return chat.get("id", number), "chat"
        is_bot = self._is_bot(user)
        if number is not None and is_bot is None:
            self.tally.undeclared.add(number)
            is_bot = True if number in self._known_bots else None
        return number, None if is_bot is None else "bot" if is_bot else "person"

    def _is_bot(self, user: Update) -> bool | None:
        """What a message says of a user; bots are remembered."""
        told, number = user.get("is_bot"), integer(user.get("id"))
        if told is True and number is not None and number not in _STAND_INS:
            self.tally.bots.add(number)
        return told if type(told) is bool else None


def is_copy(m: Update) -> bool:
    """Whether Telegram made the message: a copy of what the group's linked channel posted."""
    return m.get("is_automatic_forward") is True or sub(m, "from").get("id") == _TELEGRAM_ID


def is_implicit(m: Update, reply: Update) -> bool:
    """Whether Telegram, not the author, made the message a reply.

    In a topic, and under a linked channel's post, whatever answers nothing comes as a reply to the
    first message. Somebody who chose to reply to that very message cannot be told from it. In other
    supergroups the first reply to a message has its number as thread, too, and is a reply.
    Source: https://github.com/tdlib/telegram-bot-api, get_implicit_reply_to_message_id
    """
    thread = m.get("message_thread_id")
    if thread is None or reply.get("message_id") != thread:
        return False
    return m.get("is_topic_message") is True or "forum_topic_created" in reply or is_copy(reply)


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
