"""The stand-in's chats: who is in them, what was said there, and what the bot may see of it."""

from dataclasses import dataclass, field
from typing import Any

from tgpipeline.telegram import updates
from tgpipeline.telegram.check import ASKED_FOR
from tgpipeline.telegram.updates import Update

_RIGHTS = (
    "can_manage_chat can_change_info can_delete_messages can_invite_users can_restrict_members "
    "can_pin_messages can_manage_video_chats can_post_stories can_edit_stories can_delete_stories "
    "can_send_welcome_messages"
)


class Refused(Exception):
    """What a Bot API method answers instead of a result."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters


@dataclass
class Chat:
    """One chat, as the stand-in knows it."""

    info: dict[str, Any]
    members: dict[int, dict[str, Any]] = field(default_factory=dict)
    messages: dict[int, dict[str, Any]] = field(default_factory=dict)
    reactions: dict[tuple[int, int], list[dict[str, Any]]] = field(default_factory=dict)
    last_id: int = 0
    moved_to: int | None = None

    def keep(self, message: dict[str, Any]) -> None:
        """Remember a message, so that it can be replied to, edited and deleted."""
        message_id = updates.integer(message.get("message_id"))
        if message_id is not None:
            self.messages[message_id] = message
            self.last_id = max(self.last_id, message_id)

    def message(self, message_id: int, purpose: str = "") -> dict[str, Any]:
        """One of its messages.

        Raises:
            Refused: if there is none of that id, or it was deleted.
        """
        if message_id not in self.messages:
            raise Refused(400, f"Bad Request: message{purpose} not found")
        return self.messages[message_id]

    def quoted(self, message_id: int, purpose: str = "") -> dict[str, Any]:
        """A message as it stands in an answer to it: without what it answers itself."""
        message = self.message(message_id, purpose)
        return {name: value for name, value in message.items() if name != "reply_to_message"}


class Chats:
    """Every chat the bot is in. The caller holds the clock's lock.

    Args:
        bot: the bot's User.

    Attributes:
        home: id of the group, also after it has become a supergroup.
        queries: ids of callback queries, which may be answered.
    """

    def __init__(self, bot: dict[str, Any]) -> None:
        self.bot = bot
        self.queries: set[str] = set()
        self.home = 0
        self._chats: dict[int, Chat] = {}

    def open(self, info: dict[str, Any]) -> Chat:
        """Add a chat, the bot being admin in it."""
        chat = self._chats[info["id"]] = Chat(info)
        chat.members[self.bot["id"]] = self.bot_member(admin=True)
        return chat

    def chat(self, chat_id: Any) -> Chat:
        """A chat by its id or @name.

        Raises:
            Refused: if there is none, or it has become a supergroup.
        """
        wanted = str(chat_id)
        key = "username" if wanted.startswith("@") else "id"
        known = {str(chat.info.get(key)): chat for chat in self._chats.values()}
        found = known.get(wanted.removeprefix("@"))
        if found is None:
            raise Refused(400, "Bad Request: chat not found")
        if found.moved_to is not None:
            text = "Bad Request: group chat was upgraded to a supergroup chat"
            raise Refused(400, text, migrate_to_chat_id=found.moved_to)
        return found

    def is_admin(self, chat: Chat) -> bool:
        """Whether the bot is admin of a chat."""
        return bool(chat.members[self.bot["id"]]["status"] == "administrator")

    def note(self, update: Update) -> bool:
        """Learn from an injected update which chats, people and messages there are.

        Returns:
            Whether the bot may see it: where it is no admin, some kinds and most messages are kept
            from it; what concerns the bot itself never is.
        """
        kind, content = updates.kind(update), updates.payload(update)
        if kind == "callback_query":
            self.queries.add(str(content.get("id")))
        member = updates.sub(content, "new_chat_member")
        info = updates.sub(content, "chat") or updates.sub(content, "message", "chat")
        chat_id = updates.integer(info.get("id"))
        if chat_id is None:
            return True
        chat = self._chats.get(chat_id) or self.open(info)
        if kind == "my_chat_member" and updates.sub(member, "user").get("id") == self.bot["id"]:
            chat.members[self.bot["id"]] = {"status": "left", **member}
        if kind in updates.MESSAGE_KINDS:
            chat.keep(content)
            sender = updates.sub(content, "from")
            if (user_id := updates.integer(sender.get("id"))) is not None:
                chat.members.setdefault(user_id, {"user": sender, "status": "member"})
            if (moved := updates.integer(content.get("migrate_to_chat_id"))) is not None:
                chat.moved_to = moved
                self.home = moved if self.home == chat_id else self.home
            service = updates.content_type(content)[0] in updates.SERVICE
            return service or self.sees(chat, content)
        return kind not in ASKED_FOR or self.is_admin(chat)

    def bot_member(self, *, admin: bool) -> dict[str, Any]:
        """The bot as a ChatMember."""
        if not admin:
            return {"user": self.bot, "status": "member"}
        rights: dict[str, Any] = dict.fromkeys(_RIGHTS.split(), True)
        limits = {"can_be_edited": False, "can_promote_members": False, "is_anonymous": False}
        return {"user": self.bot, "status": "administrator", **limits, **rights}

    def sees(self, chat: Chat, message: dict[str, Any]) -> bool:
        """Whether privacy mode lets the bot see a message.

        Source: https://core.telegram.org/bots/features#privacy-mode
        """
        if self.is_admin(chat) or chat.info.get("type") == "private":
            return True
        text = str(message.get("text", ""))
        answers = updates.sub(message, "reply_to_message", "from").get("id")
        return (
            text.startswith("/")
            or f"@{self.bot['username']}" in text
            or (answers == self.bot["id"])
        )
