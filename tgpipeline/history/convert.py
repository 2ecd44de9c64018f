"""From a message as Telegram Desktop exports it to a Message as the Bot API sends it. No I/O.

What the export does not tell (`is_bot`, usernames, file ids, ids of members) is left out, never
made up.

Sources: https://core.telegram.org/import-export and https://core.telegram.org/bots/api#message
"""

import re
from array import array
from collections import OrderedDict
from datetime import datetime, tzinfo
from typing import Any

from tgpipeline.errors import UpdateError
from tgpipeline.history.content import READ, Record, content, free, known, objects, whole
from tgpipeline.history.service import service
from tgpipeline.telegram.updates import event_date

CHAT_TYPES = {
    "personal_chat": "private",
    "bot_chat": "private",
    "saved_messages": "private",
    "replies": "private",
    "verification_codes": "private",
    "private_group": "group",
    "private_supergroup": "supergroup",
    "public_supergroup": "supergroup",
    "private_channel": "channel",
    "public_channel": "channel",
}
# Supergroups and channels count down from here: https://core.telegram.org/api/bots/ids
_CHANNELS = -(10**12)
# What Telegram Desktop takes from the ids of messages from before a group became a supergroup.
_MIGRATED = 10**9
_REMEMBERED = 1 << 15  # senders of so many messages, for the replies to them
_PEER = re.compile(r"(user|chat|channel)(\d{1,19})")
_FORWARDED = {"user": "sender_user", "chat": "sender_chat", "channel": "chat"}


def chat_id(number: int, kind: str, old_ids: bool = False) -> int:
    """A chat's id in the Bot API.

    Args:
        number: the id in the export; one below 0 is the Bot API's already.
        kind: the Bot API's type of the chat.
        old_ids: whether versions before 2021 wrote it, which added the kind in the bits above 32.

    >>> chat_id(2198765432, "supergroup"), chat_id(4696915167, "group"), chat_id(42, "private")
    (-1002198765432, -4696915167, 42)
    """
    if number < 0:
        return number
    if old_ids and number >> 32 in (1, 2):
        number &= 0xFFFFFFFF
    if kind == "group":
        return -number
    return number if kind == "private" else _CHANNELS - number


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
        old_ids: whether ids of people are numbers, as versions before 2021 wrote them.
        group: the id that a supergroup had as a group, where it is known.

    Attributes:
        local_dates: how many messages had a date without a zone only, which was read in `tz`.
    """

    def __init__(
        self, chat: Record, tz: tzinfo, old_ids: bool = False, group: int | None = None
    ) -> None:
        self.local_dates = 0
        self._chat, self._tz, self._old_ids, self._group = chat, tz, old_ids, group
        # The topic of every message since the first topic, at its id's place: 4 bytes each.
        self._topics, self._first = array("I"), 0
        self._senders: OrderedDict[int, tuple[str, int | None]] = OrderedDict()

    def message(self, record: Any) -> Record:
        """The Message of one record of an export.

        Raises:
            UpdateError: with the reason, if there cannot be one.
        """
        if type(record) is not dict:
            raise UpdateError("not a JSON object")
        if record.get("type") == "unsupported":
            raise UpdateError("unsupported by Telegram Desktop: exported without date and content")
        number = whole(record.get("id"))
        if number is None:
            raise UpdateError("no id that is a 64-bit integer")
        local_dates = self.local_dates
        m: Record = {"message_id": number, "date": self._date(record, "date"), "chat": self._chat}
        if event_date(m) is None:
            self.local_dates = local_dates
            raise UpdateError("no date, or one before Telegram or after 2100")
        edited = self._date(record, "edited")
        if edited is not None and edited > m["date"]:  # old versions write 1970 where there is none
            m["edit_date"] = edited
        self._sender(m, record)
        self._reply(m, record)
        if record.get("type") == "service" or "action" in record:
            m |= service(record, m.get("from", {}), self._chat, self._group)
        else:
            self._written(m, record)
        return self._migrated(m) if number < 0 and self._group is not None else m

    def reactions(self, record: Record, message: Record) -> Record | None:
        """The MessageReactionCountUpdated of a record; None where nobody reacted.

        The export does not date it: it bears the message's date and lies in its partition.
        """
        counts = [
            {"type": _reaction(told), "total_count": count}
            for told in objects(record.get("reactions"))
            if (count := whole(told.get("count")))
        ]
        about = {name: message[name] for name in ("chat", "message_id", "date")}
        return about | {"reactions": counts} if counts else None

    def _date(self, record: Record, name: str) -> int | None:
        seconds = whole(record.get(f"{name}_unixtime"))
        if seconds:
            return seconds
        try:
            local = datetime.fromisoformat(record[name])
            if local.tzinfo is None:
                local = local.replace(tzinfo=self._tz)
                self.local_dates += name == "date"
            return int(local.timestamp())
        except (KeyError, TypeError, ValueError, OverflowError):
            return None

    def _peer(self, value: Any, name: Any) -> tuple[str, Record]:
        """Who is meant by `user1`, `chat1`, `channel1` or a number: the kind, and the object."""
        kind, number = "user", whole(value)
        if type(value) is str and (told := _PEER.fullmatch(value)):
            kind, number = told[1], int(told[2])
        elif number is not None and number < 0:  # another program's, which has the Bot API's
            kind = "channel" if number < _CHANNELS else "chat"
        elif number is not None and self._old_ids and number >> 32:
            kind, number = ("channel" if number >> 33 else "user"), number & 0xFFFFFFFF
        if kind == "user" or number is None:
            return kind, known(id=number, first_name=name)
        ident = chat_id(number, "group" if kind == "chat" else kind)
        if ident == self._chat["id"]:
            return kind, self._chat
        return kind, known(id=ident, type="group" if kind == "chat" else kind, title=name)

    def _sender(self, m: Record, record: Record) -> None:
        label = "actor" if "actor_id" in record or "actor" in record else "from"
        kind, who = self._peer(record.get(f"{label}_id"), record.get(label))
        if not who and self._chat["type"] == "channel":
            kind, who = "channel", self._chat
        if who:
            part = "from" if kind == "user" else "sender_chat"
            m[part] = who
            self._senders[m["message_id"]] = (part, who.get("id"))
            if len(self._senders) > _REMEMBERED:
                self._senders.popitem(last=False)

    def _reply(self, m: Record, record: Record) -> None:
        to, elsewhere = whole(record.get("reply_to_message_id")), record.get("reply_to_peer_id")
        if to and elsewhere is not None:
            _, other = self._peer(elsewhere, None)
            if other.get("id") != self._chat["id"]:
                m["external_reply"] = {"chat": other, "message_id": to}
                to = None
        if to:
            part, ident = self._senders.get(to, ("from", None))
            m["reply_to_message"] = {"message_id": to} | known(**{part: known(id=ident) or None})
        topic = self._topic(to) if to else 0
        if record.get("action") == "topic_created":
            topic = m["message_id"]
            self._first = self._first or topic
        if topic:
            m["message_thread_id"], m["is_topic_message"] = topic, True
            place = m["message_id"] - self._first
            if 0 <= place < len(self._topics) + (1 << 20) and topic < 1 << 32:
                self._topics.extend([0] * (place + 1 - len(self._topics)))
                self._topics[place] = topic

    def _topic(self, number: int) -> int:
        place = number - self._first
        return self._topics[place] if 0 <= place < len(self._topics) else 0

    def _written(self, m: Record, record: Record) -> None:
        m |= content(record)
        if record.get("media_spoiler") is True:
            m["has_media_spoiler"] = True
        if record.get("forwarded_from_id") is not None:
            kind, who = self._peer(record["forwarded_from_id"], record.get("forwarded_from"))
            m["forward_origin"] = {"type": kind, _FORWARDED[kind]: who}
        elif "forwarded_from" in record:  # a name, and nothing on whose it is
            name = record["forwarded_from"]
            m["forward_origin"] = known(type="hidden_user", sender_user_name=name)
        if type(record.get("via_bot")) is str:
            m["via_bot"] = {"is_bot": True, "username": record["via_bot"].removeprefix("@")}
        if record.get("author"):
            m["author_signature"] = record["author"]
        if record.get("inline_bot_buttons"):
            m["reply_markup"] = {"inline_keyboard": record["inline_bot_buttons"]}
        m |= {free(name): value for name, value in record.items() if name not in READ}

    def _migrated(self, m: Record) -> Record:
        """A message from when the supergroup was a group, under that group's id."""
        m["chat"] = {**self._chat, "id": self._group, "type": "group"}
        for part in (m, m.get("reply_to_message", {}), m.get("pinned_message", {})):
            if part.get("message_id", 0) < 0:
                part["message_id"] += _MIGRATED
        return m


def _reaction(told: Record) -> Record:
    """The ReactionType; of a custom emoji, the export tells a path and no id."""
    emoji = whole(told.get("document_id"))
    return known(
        type=told.get("type"),
        emoji=told.get("emoji"),
        custom_emoji_id=None if emoji is None else str(emoji),
    )
