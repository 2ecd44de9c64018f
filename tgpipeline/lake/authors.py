"""Who wrote a message: decided once, here, and not again in each query. No I/O."""

from collections.abc import Collection
from typing import Any

from tgpipeline.telegram.updates import Update, integer, sub

# Users that are nobody: Telegram itself, and those it names where a chat wrote (@GroupAnonymousBot,
# @Channel_Bot). Source: https://core.telegram.org/bots/api#message (from, sender_chat)
_TELEGRAM_ID = 777000
_STAND_INS = frozenset((1087968824, 136817688))
NOBODY = _STAND_INS | {_TELEGRAM_ID}


class Authors:
    """Tells the authors of messages, and remembers what it met.

    Args:
        known_bots: ids of users that are known as bots; asked where a message does not tell.

    Attributes:
        bots: ids of the bots met, among the authors and those whom they answer.
        undeclared: ids of the authors of whom no update says whether they are bots.
    """

    def __init__(self, known_bots: Collection[int] = ()) -> None:
        self.bots: set[int] = set()
        self.undeclared: set[int] = set()
        self._known_bots = known_bots

    def author_of(self, m: Update, service: bool | None) -> tuple[Any, str | None]:
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
        is_bot = self.is_bot(user)
        if number is not None and is_bot is None:
            self.undeclared.add(number)
            is_bot = True if number in self._known_bots else None
        return number, None if is_bot is None else "bot" if is_bot else "person"

    def is_bot(self, user: Update) -> bool | None:
        """What a message says of a user; bots are remembered."""
        told, number = user.get("is_bot"), integer(user.get("id"))
        if told is True and number is not None and number not in _STAND_INS:
            self.bots.add(number)
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
