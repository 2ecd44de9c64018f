"""The stand-in's chats: who is in them, what was said, and the updates that follow from it."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from telegram_standin.chats import Chat, Chats, Refused
from telegram_standin.markup import entities
from telegram_standin.queue import Clock
from tgpipeline.telegram.updates import Update

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
F = TypeVar("F", bound=Callable[..., Any])


def _locked(method: F) -> F:
    """Makes a method hold the clock's lock, which is the lock of all state."""

    @wraps(method)
    def locked(self: "Group", *args: Any, **kwargs: Any) -> Any:
        with self.clock.changed:
            return method(self, *args, **kwargs)

    return cast(F, locked)


class Group(Chats):
    """A group that lives: what people do in it, and the updates that follow.

    Args:
        clock: gives messages their dates; its lock guards all state.
        bot: the bot's User.
    """

    def __init__(self, clock: Clock, bot: dict[str, Any]) -> None:
        super().__init__(bot)
        self.clock = clock
        self.home = int(GROUP["id"])
        owner = {"user": OWNER, "status": "creator", "is_anonymous": False}
        self.open(dict(GROUP)).members[OWNER["id"]] = owner

    def emit(self, update: Update, asked: bool) -> None:
        """Called with every update, and whether the bot may see it; tells nobody here."""

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
            content["reply_to_message"] = chat.quoted(reply_to)
        message = self.post(chat, sender, content)
        self.emit({"message": message}, self.sees(chat, message))
        return message

    @_locked
    def edit(self, message_id: int, text: str, *, chat_id: Any = None) -> dict[str, Any]:
        """Somebody changes what he wrote; returns the whole Message, as it now is."""
        chat = self._at(chat_id)
        before = chat.message(message_id)
        marked = {"entities": entities(text)} if entities(text) else {}
        kept = {name: value for name, value in before.items() if name != "entities"}
        message = {**kept, "edit_date": int(self.clock.now()), "text": text, **marked}
        chat.keep(message)
        self.emit({"edited_message": message}, self.sees(chat, message))
        return message

    @_locked
    def react(
        self, user: Any, message_id: int, emoji: str = "", *, chat_id: Any = None
    ) -> dict[str, Any]:
        """Somebody sets a reaction, or takes it back with an empty emoji."""
        chat, sender = self._at(chat_id), self._member(chat_id, user)
        chat.message(message_id)
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
        member = self.bot_member(admin=admin)
        self._become(chat, self.bot, member, by=OWNER)
        return member

    @_locked
    def migrate(self, new_id: int = SUPERGROUP_ID, *, chat_id: Any = None) -> dict[str, Any]:
        """The group becomes a supergroup: it gets a new id, and message ids start again.

        Returns:
            The new chat's service message.
        """
        old = self._at(chat_id)
        new = self.open({**old.info, "id": new_id, "type": "supergroup"})
        new.members = dict(old.members)
        told = self.post(old, OWNER, {"migrate_to_chat_id": new_id})
        self.emit({"message": told}, True)
        origin = {"sender_chat": new.info, "migrate_from_chat_id": old.info["id"]}
        message = self.post(new, GROUP_BOT, origin)
        self.emit({"message": message}, True)
        old.moved_to = new_id
        self.home = new_id if self.home == old.info["id"] else self.home
        return message

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
