"""The stand-in's chats: who is in them, what was said, and the updates that follow from it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar, cast

from tgpipeline import updates
from tgpipeline.local.markup import entities
from tgpipeline.local.queue import Clock
from tgpipeline.updates import Update

GROUP: dict[str, Any] = {"id": -4123456789, "type": "group", "title": "Suporte Loja Aurora"}
SUPERGROUP_ID = -1004123456789
OWNER: dict[str, Any] = {
    "id": 7000000100,
    "is_bot": False,
    "first_name": "Lia",
    "username": "lia_aurora",
}
# Who a message from a group's anonymous admin, or from the group itself, is from.
GROUP_BOT = {
    "id": 1087968824,
    "is_bot": True,
    "first_name": "Group",
    "username": "GroupAnonymousBot",
}
_RIGHTS = (
    "can_manage_chat can_change_info can_delete_messages can_invite_users can_restrict_members "
    "can_pin_messages can_manage_video_chats can_post_stories can_edit_stories can_delete_stories"
)


F = TypeVar("F", bound=Callable[..., Any])


def _locked(method: F) -> F:
    """Makes a method hold the clock's lock, which is the lock of all state."""

    @wraps(method)
    def locked(self: "Group", *args: Any, **kwargs: Any) -> Any:
        with self.clock.changed:
            return method(self, *args, **kwargs)

    return cast(F, locked)


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


class Group:
    """A group with its members and messages, and whatever other chats turn up.

    Args:
        clock: gives messages their dates.
        bot: the bot's User.
        reads_all: whether the bot's privacy mode is off.
    """

    def __init__(self, clock: Clock, bot: dict[str, Any], *, reads_all: bool = False) -> None:
        self.clock, self.bot, self.reads_all = clock, bot, reads_all
        self.queries: set[str] = set()
        self._chats: dict[int, Chat] = {}
        self.home = int(self._open(dict(GROUP)).info["id"])
        self.chat(self.home).members[OWNER["id"]] = {"user": OWNER, "status": "creator"}

    def emit(self, update: Update, asked: bool) -> None:
        """Called with every update, and whether the bot may see it; tells nobody here."""

    def chat(self, chat_id: Any) -> Chat:
        """A chat by its id or @name.

        Raises:
            Refused: if there is none, or it has become a supergroup.
        """
        text = str(chat_id)
        found = self._chats.get(int(text)) if text.lstrip("-").isdecimal() else None
        if text.startswith("@"):
            named = (c for c in self._chats.values() if c.info.get("username") == text[1:])
            found = next(named, None)
        if found is None:
            raise Refused(400, "Bad Request: chat not found")
        if found.moved_to is not None:
            text = "Bad Request: group chat was upgraded to a supergroup chat"
            raise Refused(400, text, migrate_to_chat_id=found.moved_to)
        return found

    def is_admin(self, chat: Chat) -> bool:
        """Whether the bot is admin of a chat."""
        return bool(chat.members[self.bot["id"]]["status"] == "administrator")

    @_locked
    def note(self, update: Update) -> bool:
        """Learn from an injected update which chats, people and messages there are.

        Returns:
            Whether the bot is admin where it happened, as far as is known.
        """
        kind, content = updates.kind(update), updates.payload(update)
        if kind == "callback_query":
            self.queries.add(str(content.get("id")))
        info = updates.sub(content, "chat") or updates.sub(content, "message", "chat")
        chat_id = updates.integer(info.get("id"))
        if chat_id is None:
            return True
        chat = self._chats.get(chat_id) or self._open(info)
        if kind in updates.MESSAGE_KINDS:
            chat.keep(content)
            sender = updates.sub(content, "from")
            if (user_id := updates.integer(sender.get("id"))) is not None:
                chat.members.setdefault(user_id, {"user": sender, "status": "member"})
            chat.moved_to = updates.integer(content.get("migrate_to_chat_id")) or chat.moved_to
        return self.is_admin(chat)

    def post(self, chat: Chat, sender: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
        """Add a message to a chat; nobody is told yet."""
        message = {
            "message_id": chat.last_id + 1,
            "from": sender,
            "chat": chat.info,
            "date": int(self.clock.now()),
            **content,
        }
        chat.keep(message)
        return message

    @_locked
    def say(
        self, user: Any, text: str = "", *, chat_id: Any = None, reply_to: int = 0, **content: Any
    ) -> dict[str, Any]:
        """Somebody writes a text, or sends what `content` holds, such as `photo=[…]`.

        Args:
            user: a User, or the id of a member.
            text: the text.
            chat_id: the chat; the group where it is None.
            reply_to: id of the message that this one answers.
            **content: further fields of the Message.

        Returns:
            The Message.
        """
        chat, sender = self._at(chat_id), self._member(chat_id, user)
        if text:
            marked = entities(text)
            content = {"text": text, **({"entities": marked} if marked else {}), **content}
        if reply_to:
            content["reply_to_message"] = self._message(chat, reply_to)
        message = self.post(chat, sender, content)
        self.emit({"message": message}, self._sees(chat, message))
        return message

    @_locked
    def edit(self, message_id: int, text: str, *, chat_id: Any = None) -> dict[str, Any]:
        """Somebody changes what he wrote; returns the whole Message, as it now is."""
        chat = self._at(chat_id)
        before = self._message(chat, message_id)
        marked = {"entities": entities(text)} if entities(text) else {}
        kept = {name: value for name, value in before.items() if name != "entities"}
        message = {**kept, "edit_date": int(self.clock.now()), "text": text, **marked}
        chat.keep(message)
        self.emit({"edited_message": message}, self._sees(chat, message))
        return message

    @_locked
    def react(
        self, user: Any, message_id: int, emoji: str = "", *, chat_id: Any = None
    ) -> dict[str, Any]:
        """Somebody sets a reaction, or takes it back with an empty emoji."""
        chat, sender = self._at(chat_id), self._member(chat_id, user)
        self._message(chat, message_id)
        new = [{"type": "emoji", "emoji": emoji}] if emoji else []
        change = {
            "chat": chat.info,
            "message_id": message_id,
            "user": sender,
            "date": int(self.clock.now()),
            "old_reaction": chat.reactions.get((message_id, sender["id"]), []),
            "new_reaction": new,
        }
        chat.reactions[message_id, sender["id"]] = new
        self.emit({"message_reaction": change}, self.is_admin(chat))
        return change

    @_locked
    def join(self, user: dict[str, Any], *, chat_id: Any = None) -> dict[str, Any]:
        """Somebody comes in; returns the service message."""
        chat = self._at(chat_id)
        self._become(chat, user, {"user": user, "status": "member"}, by=user)
        message = self.post(chat, user, {"new_chat_members": [user]})
        self.emit({"message": message}, True)
        return message

    @_locked
    def leave(self, user: Any, *, chat_id: Any = None) -> dict[str, Any]:
        """Somebody goes; returns the service message."""
        chat, who = self._at(chat_id), self._member(chat_id, user)
        self._become(chat, who, {"user": who, "status": "left"}, by=who)
        message = self.post(chat, who, {"left_chat_member": who})
        self.emit({"message": message}, True)
        return message

    @_locked
    def promote(self, admin: bool = True, *, chat_id: Any = None) -> dict[str, Any]:
        """The owner makes the bot admin, or takes that away; returns the bot's ChatMember."""
        chat = self._at(chat_id)
        member = self._bot_member(admin=admin)
        self._become(chat, self.bot, member, by=OWNER)
        return member

    @_locked
    def migrate(self, new_id: int = SUPERGROUP_ID, *, chat_id: Any = None) -> dict[str, Any]:
        """The group becomes a supergroup: it gets a new id, and message ids start again.

        Returns:
            The new chat's service message.
        """
        old = self._at(chat_id)
        new = self._open({**old.info, "id": new_id, "type": "supergroup"})
        new.members = dict(old.members)
        told = self.post(old, OWNER, {"migrate_to_chat_id": new_id})
        self.emit({"message": told}, True)
        origin = {"sender_chat": new.info, "migrate_from_chat_id": old.info["id"]}
        message = self.post(new, GROUP_BOT, origin)
        self.emit({"message": message}, True)
        old.moved_to = new_id
        if self.home == old.info["id"]:
            self.home = new_id
        return message

    def _open(self, info: dict[str, Any]) -> Chat:
        chat = self._chats[info["id"]] = Chat(info)
        chat.members[self.bot["id"]] = self._bot_member(admin=True)
        return chat

    def _bot_member(self, *, admin: bool) -> dict[str, Any]:
        if not admin:
            return {"user": self.bot, "status": "member"}
        rights: dict[str, Any] = dict.fromkeys(_RIGHTS.split(), True)
        limits = {"can_be_edited": False, "can_promote_members": False, "is_anonymous": False}
        return {"user": self.bot, "status": "administrator", **limits, **rights}

    def _become(
        self, chat: Chat, user: dict[str, Any], member: dict[str, Any], by: dict[str, Any]
    ) -> None:
        change = {
            "chat": chat.info,
            "from": by,
            "date": int(self.clock.now()),
            "old_chat_member": chat.members.get(user["id"], {"user": user, "status": "left"}),
            "new_chat_member": member,
        }
        chat.members[user["id"]] = member
        mine = user["id"] == self.bot["id"]
        kind = "my_chat_member" if mine else "chat_member"
        self.emit({kind: change}, mine or self.is_admin(chat))

    def _at(self, chat_id: Any) -> Chat:
        return self.chat(self.home if chat_id is None else chat_id)

    def _member(self, chat_id: Any, user: Any) -> dict[str, Any]:
        """A User given as such, who thereby is a member, or by the id of a member."""
        chat = self._at(chat_id)
        if isinstance(user, dict):
            chat.members.setdefault(user["id"], {"user": user, "status": "member"})
            return user
        if user not in chat.members:
            raise Refused(400, "Bad Request: member not found")
        found: dict[str, Any] = chat.members[user]["user"]
        return found

    def _message(self, chat: Chat, message_id: int) -> dict[str, Any]:
        if message_id not in chat.messages:
            raise Refused(400, "Bad Request: message not found")
        return chat.messages[message_id]

    def _sees(self, chat: Chat, message: dict[str, Any]) -> bool:
        """Privacy mode. Source: https://core.telegram.org/bots/features#privacy-mode"""
        if self.reads_all or self.is_admin(chat) or chat.info.get("type") == "private":
            return True
        text = str(message.get("text", ""))
        answers = updates.sub(message, "reply_to_message", "from").get("id")
        return (
            text.startswith("/")
            or f"@{self.bot['username']}" in text
            or (answers == self.bot["id"])
        )
