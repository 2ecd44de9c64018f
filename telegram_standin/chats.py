"""The stand-in's chats: who is in them, what was said there, and what the bot may see of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar, cast

from telegram_standin import updates
from telegram_standin.errors import Refused
from telegram_standin.http_server import Upload
from telegram_standin.queue import Clock
from telegram_standin.updates import Json

F = TypeVar("F", bound=Callable[..., Any])


def locked(method: F) -> F:
    """Make a method of `Chats` hold the clock's lock, which guards all state."""

    @wraps(method)
    def holding(self: "Chats", *args: Any, **kwargs: Any) -> Any:
        with self.clock.changed:
            return method(self, *args, **kwargs)

    return cast(F, holding)


@dataclass
class Chat:
    """One chat, as the stand-in knows it.

    Attributes:
        info: its Chat object.
        members: ChatMember objects by user id.
        messages: Message objects by message id.
        reactions: by message id and user id.
        last_id: the highest message id so far.
        moved_to: id of the supergroup that it has become.
        channel_posts: how many posts of its linked channel were copied into it.
    """

    info: Json
    members: dict[int, Json] = field(default_factory=dict)
    messages: dict[int, Json] = field(default_factory=dict)
    reactions: dict[tuple[int, int], list[Json]] = field(default_factory=dict)
    last_id: int = 0
    moved_to: int | None = None
    channel_posts: int = 0

    def keep(self, message: Json) -> None:
        """Remember a message, so that it can be replied to, edited and deleted."""
        message_id = updates.integer(message.get("message_id"))
        if message_id is not None:
            self.messages[message_id] = message
            self.last_id = max(self.last_id, message_id)

    def message(self, message_id: int, purpose: str = "") -> Json:
        """One of its messages.

        Raises:
            Refused: if there is none of that id, or it was deleted.
        """
        if message_id not in self.messages:
            raise Refused(400, f"Bad Request: message{purpose} not found")
        return self.messages[message_id]

    def is_topic(self, thread_id: int) -> bool:
        """Whether a thread is a forum topic: whether its first message created one."""
        return "forum_topic_created" in self.messages.get(thread_id, {})

    def reply_fields(self, reply_to: int = 0, thread_id: int = 0) -> Json:
        """What a new message says about the message it answers and the thread it is in.

        In a supergroup an answer belongs to the thread of what it answers, whose id is that of the
        thread's first message. What is written in a topic, or below a channel's post, without
        answering anything, carries that first message as `reply_to_message` all the same.

        Source: `get_implicit_reply_to_message_id` in tdlib/telegram-bot-api, and
        https://github.com/tdlib/telegram-bot-api/issues/356

        Args:
            reply_to: id of the message that is answered; 0 for none.
            thread_id: id of the thread; 0 for that of `reply_to`, or none.

        Raises:
            Refused: if there is no such message or thread.
        """
        answered = self.message(reply_to, " to be replied") if reply_to else {}
        if self.info.get("type") != "supergroup":
            thread_id = 0
        else:
            thread_id = thread_id or int(answered.get("message_thread_id") or reply_to)
        fields: Json = {"message_thread_id": thread_id} if thread_id else {}
        if self.is_topic(thread_id) or answered.get("is_topic_message"):
            fields["is_topic_message"] = True
        if first := answered or self.messages.get(thread_id):
            fields["reply_to_message"] = {k: first[k] for k in first if k != "reply_to_message"}
        return fields


class Chats:
    """Every chat the bot is in.

    Args:
        clock: gives messages their dates; its lock guards all state.
        bot: the bot's User.

    Attributes:
        group_id: id of the group, also after it has become a supergroup.
        queries: ids of callback queries, which may be answered.
        files: what the bot has sent as documents, by file_id: `file_name` and `content`.
    """

    group_id: int

    def __init__(self, clock: Clock, bot: Json) -> None:
        self.clock, self.bot = clock, bot
        self.queries: set[str] = set()
        self.files: dict[str, Upload] = {}
        self._chats: dict[int, Chat] = {}

    def emit(self, update: Json, visible: bool) -> None:
        """Called with every update, and whether the bot may see it; does nothing here."""

    def open(self, info: Json) -> Chat:
        """Add a chat, the bot being admin in it."""
        chat = self._chats[info["id"]] = Chat(info)
        chat.members[self.bot["id"]] = self.bot_member(admin=True)
        return chat

    def chat(self, chat_id: Any = None) -> Chat:
        """A chat by its id or @name; the group where it is None.

        Raises:
            Refused: if there is none, or it has become a supergroup.
        """
        wanted = str(self.group_id if chat_id is None else chat_id)
        key = "username" if wanted.startswith("@") else "id"
        known = {str(chat.info.get(key)): chat for chat in self._chats.values()}
        chat = known.get(wanted.removeprefix("@"))
        if chat is None:
            raise Refused(400, "Bad Request: chat not found")
        if chat.moved_to is not None:
            text = "Bad Request: group chat was upgraded to a supergroup chat"
            raise Refused(400, text, migrate_to_chat_id=chat.moved_to)
        return chat

    def post(self, chat: Chat, sender: Json, content: Json) -> Json:
        """Add a message to a chat; no update follows from this alone."""
        origin = {"message_id": chat.last_id + 1, "from": sender, "chat": chat.info}
        message = {**origin, "date": int(self.clock.now()), **content}
        chat.keep(message)
        return message

    def is_admin(self, chat: Chat) -> bool:
        """Whether the bot is admin of a chat."""
        return bool(chat.members[self.bot["id"]]["status"] == "administrator")

    def bot_member(self, *, admin: bool) -> Json:
        """The bot as a ChatMember."""
        if not admin:
            return {"user": self.bot, "status": "member"}
        rights: Json = dict.fromkeys(updates.NAMES["admin_rights"], True)
        limits = {"can_be_edited": False, "can_promote_members": False, "is_anonymous": False}
        return {"user": self.bot, "status": "administrator", **limits, **rights}

    def learn(self, update: Json) -> bool:
        """Learn from an injected update which chats, people and messages there are.

        Returns:
            Whether the bot may see it: where it is no admin, some kinds and most messages are kept
            from it; what concerns the bot itself never is.
        """
        kind, content = updates.kind(update), updates.payload(update)
        if kind == "callback_query":
            self.queries.add(str(content.get("id")))
        member, info = updates.sub(content, "new_chat_member"), updates.chat(update)
        chat_id = updates.integer(info.get("id"))
        if chat_id is None:
            return True
        chat = self._chats.get(chat_id) or self.open(info)
        if kind == "my_chat_member" and updates.sub(member, "user").get("id") == self.bot["id"]:
            chat.members[self.bot["id"]] = {"status": "left", **member}
        if kind not in updates.MESSAGE_KINDS:
            return kind not in updates.ON_REQUEST or self.is_admin(chat)
        chat.keep(content)
        sender = updates.sub(content, "from")
        if (user_id := updates.integer(sender.get("id"))) is not None:
            chat.members.setdefault(user_id, {"user": sender, "status": "member"})
        if (moved := updates.integer(content.get("migrate_to_chat_id"))) is not None:
            chat.moved_to = moved
            self.group_id = moved if self.group_id == chat_id else self.group_id
        return self.bot_sees(chat, content)

    def bot_sees(self, chat: Chat, message: Json) -> bool:
        """Whether privacy mode lets the bot see a message. It never hides service messages.

        Source: https://core.telegram.org/bots/features#privacy-mode
        """
        if self.is_admin(chat) or chat.info.get("type") == "private":
            return True
        text = str(message.get("text", ""))
        return (
            not updates.CONTENT.intersection(message)
            or text.startswith("/")
            or f"@{self.bot['username']}" in text
            or updates.sub(message, "reply_to_message", "from").get("id") == self.bot["id"]
        )
