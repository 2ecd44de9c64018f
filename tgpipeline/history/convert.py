"""From a message as Telegram Desktop exports it to a Message as the Bot API sends it. No I/O.

What the export does not tell (`is_bot`, usernames, file ids, ids of members) is left out, never
made up.

Sources: https://core.telegram.org/import-export and https://core.telegram.org/bots/api#message
"""

import re
from contextlib import suppress
from datetime import datetime, tzinfo
from typing import Any

from tgpipeline.errors import UpdateError
from tgpipeline.history import content
from tgpipeline.history.content import Record, free, given, int_of
from tgpipeline.telegram.updates import event_date

# Greater with every change of what a record becomes: an import then replaces the lines of an older
# converter. Lines from before there was a number count as 1.
VERSION = 2
# Supergroups and channels count down from here: https://core.telegram.org/api/bots/ids
_CHANNELS = -(10**12)
# What Telegram Desktop takes from the ids of messages from before a group became a supergroup.
_MIGRATED = 10**9
_REMEMBERED = 1 << 16  # senders and threads of so many messages, for the replies to them
_PEER = re.compile(r"(user|chat|channel)(\d{1,19})")
# The account that copies a linked channel's posts: https://core.telegram.org/bots/api#message
_TELEGRAM = {"id": 777000, "is_bot": False, "first_name": "Telegram"}
# Of a message that was made elsewhere, the buttons came along.
_BUTTONS = {"inline_bot_buttons", "via_bot", "forwarded_from"}
_RENAMED = {"author": "author_signature", "inline_bot_buttons": "reply_markup"}
# By the type of a chat, None for a user: the type of an origin, and its field.
_ORIGINS = {None: ("user", "sender_user"), "group": ("chat", "sender_chat")}


def api_id(number: int, kind: str, masked: bool = False) -> int:
    """A chat's id in the Bot API.

    Args:
        number: the id in the export; one below 0 is the Bot API's already.
        kind: the Bot API's type of the chat, or whose id it is: a `user`, `chat` or `channel`.
        masked: whether a version before 2021 wrote it, which added the kind in the bits above 32.

    >>> api_id(2198765432, "supergroup"), api_id(4696915167, "group"), api_id(42, "private")
    (-1002198765432, -4696915167, 42)
    """
    if masked and number >> 32 in (1, 2):
        number &= 0xFFFFFFFF
    if number < 0 or kind in ("private", "user"):
        return number
    return -number if kind in ("group", "chat") else _CHANNELS - number


def chat_type(number: int) -> str:
    """The type of the chat with this Bot API id; a channel's cannot be told from a supergroup's."""
    if number > 0:
        return "private"
    return "group" if number > _CHANNELS else "supergroup"


class Converter:
    """Turns the messages of one chat, in the order of the export, into Bot API Messages.

    Args:
        chat: the Bot API's `id` and `type` of the chat, and its `title` where it is known.
        tz: zone of dates that come without their Unix time.
        masked_ids: whether ids carry a kind in the bits above 32, as versions before 2021 wrote.
        group: the id that a supergroup had as a group; 0 where it is not known.

    Attributes:
        local_dates: how many messages had a date without a zone only, which was read in `tz`.
        masked_ids: as given.
    """

    def __init__(self, chat: Record, tz: tzinfo, masked_ids: bool = False, group: int = 0) -> None:
        self._chat, self._tz, self.masked_ids, self._group = chat, tz, masked_ids, group
        self.local_dates, self._last = 0, (0, 0)  # id and date of the message before
        # The first messages of topics and of comments, with what a reply to them repeats.
        self._openers: dict[int, Record] = {}
        self._messages: dict[int, tuple[int | None, int | None]] = {}

    def message(self, record: Any) -> Record:
        """The Message of one record of an export.

        Raises:
            UpdateError: with the reason, if there cannot be one.
        """
        if type(record) is not dict:
            raise UpdateError("not a JSON object")
        if record.get("type") == "unsupported":
            raise UpdateError("unsupported by Telegram Desktop: exported without date and content")
        number = int_of(record.get("id"))
        if number is None:
            raise UpdateError("no id that is a 64-bit integer")
        date = self._date(record, "date", self._last[1] if number > self._last[0] else 0)
        m: Record = {"message_id": number, "date": date, "chat": self._chat}
        if event_date(m) is None:
            raise UpdateError("no date, or one before Telegram or after 2100")
        self._last = (number, date)
        edited = self._date(record, "edited", date)
        if edited > date:  # old versions write 1970 where there is none
            m["edit_date"] = edited
        self._sender(m, record)
        self._reply(m, record)
        if record.get("type") == "service" or "action" in record:
            m |= content.service(record, self._chat, self._group) | {"is_service": True}
        else:
            m |= content.written(record) | self._about(record)
        return self._migrated(m) if number < 0 and self._group else m

    def reactions(self, record: Record, message: Record) -> Record:
        """The MessageReactionCountUpdated of a record; its list is empty where nobody reacted.

        The export does not date it: it bears the message's date and lies in its partition.
        """
        counts = []
        for r in content.listed(record.get("reactions")):
            kind = given(type=r.get("type"), emoji=r.get("emoji"))  # of a custom one it has no id
            counts.append({"type": kind, "total_count": int_of(r.get("count"))})
        about = {name: message[name] for name in ("chat", "message_id", "date")}
        return about | {"reactions": [r for r in counts if r["total_count"]]}

    def _date(self, record: Record, name: str, after: int) -> int:
        """Unix seconds; 0 for none. Of an hour that comes twice the one not before `after`."""
        if seconds := int_of(record.get(f"{name}_unixtime")):
            return seconds
        with suppress(KeyError, TypeError, ValueError, OverflowError):
            told = datetime.fromisoformat(record[name])
            local = told if told.tzinfo else told.replace(tzinfo=self._tz)
            first, second = (int(local.replace(fold=fold).timestamp()) for fold in (0, 1))
            self.local_dates += name == "date" and told is not local
            return second if first < after <= second else first
        return 0

    def _peer(self, value: Any, name: Any) -> Record:
        """Who is meant by `user1`, `chat1`, `channel1` or a number: a User, or a Chat by its type.

        Other programs write the Bot API's numbers: those of chats are below 0.
        """
        number = int_of(value)
        if type(value) is str and (told := _PEER.fullmatch(value)):
            number = api_id(int(told[2]), told[1])
        elif number is not None and self.masked_ids:
            number = api_id(number, "channel" if number >> 33 else "user", masked=True)
        if number is None or number >= 0:
            return given(id=number, first_name=name)
        if number == self._chat["id"]:
            return self._chat
        return given(id=number, type="group" if number > _CHANNELS else "channel", title=name)

    def _sender(self, m: Record, record: Record) -> None:
        label = "actor" if "actor_id" in record or "actor" in record else "from"
        who = self._peer(record.get(f"{label}_id"), record.get(label))
        if not who and self._chat["type"] == "channel":
            who = self._chat
        # A linked channel's post, which Telegram copied into the group.
        told = "from_id" if "forwarded_from_id" in record else "from"
        origin = f"forwarded_{told}"
        is_copy = origin in record and record[origin] == record.get(told)
        if who.get("type") == "channel" and who is not self._chat and is_copy:
            m["is_automatic_forward"], m["sender_chat"], who = True, who, _TELEGRAM
            self._openers[m["message_id"]] = {}
        elif who and "type" not in who and _BUTTONS & set(record) == {"inline_bot_buttons"}:
            who["is_bot"] = True  # nobody else can put buttons under a message
        if who:
            m["sender_chat" if "type" in who else "from"] = who

    def _reply(self, m: Record, record: Record) -> None:
        to, elsewhere = int_of(record.get("reply_to_message_id")), record.get("reply_to_peer_id")
        other, thread = self._peer(elsewhere, None), None
        if to and elsewhere is not None and other.get("id") != self._chat["id"]:
            m["external_reply"] = {"chat": other, "message_id": to}
        elif to:  # the first message of a topic is repeated in replies to it, as the Bot API does
            sender, thread = self._messages.get(to, (None, None))
            thread = to if to in self._openers else thread
            m["reply_to_message"] = {"message_id": to} | self._openers.get(to, {})
            if sender is not None:
                m["reply_to_message"]["from" if sender >= 0 else "sender_chat"] = {"id": sender}
        if record.get("action") == "topic_created":
            thread = m["message_id"]
            self._openers[thread] = {"forum_topic_created": given(name=record.get("title"))}
        if thread:
            m["message_thread_id"] = thread
            m |= {"is_topic_message": True} if self._openers[thread] else {}
        sender = (m.get("from") or m.get("sender_chat", {})).get("id")
        self._messages[m["message_id"]] = (sender, thread)
        if len(self._messages) > _REMEMBERED:
            del self._messages[next(iter(self._messages))]

    def _about(self, record: Record) -> Record:
        """What goes along with what somebody wrote: where it is from, and fields not yet known."""
        found = {new: record[old] for old, new in _RENAMED.items() if record.get(old)}
        if record.get("forwarded_from_id") is not None:
            who = self._peer(record["forwarded_from_id"], record.get("forwarded_from"))
            kind, field = _ORIGINS.get(who.get("type"), ("channel", "chat"))
            found["forward_origin"] = {"type": kind, field: who}
        elif "forwarded_from" in record:  # a name, and nothing on whose it is
            name = record["forwarded_from"]
            found["forward_origin"] = given(type="hidden_user", sender_user_name=name)
        if type(record.get("via_bot")) is str:
            found["via_bot"] = {"is_bot": True, "username": record["via_bot"].removeprefix("@")}
        unknown = {free(k): v for k, v in record.items() if k not in content.KNOWN_FIELDS}
        return found | unknown

    def _migrated(self, m: Record) -> Record:
        """A message from when the supergroup was a group, under that group's id."""
        m["chat"] = {**self._chat, "id": self._group, "type": "group"}
        for part in (m, m.get("reply_to_message", {}), m.get("pinned_message", {})):
            if part.get("message_id", 0) < 0:
                part["message_id"] += _MIGRATED
        return m
