"""Who comes and goes in the stand-in's group, and the updates that follow from it."""

from typing import Any

from telegram_standin.chats import Chat, Chats, locked
from telegram_standin.errors import Refused
from telegram_standin.queue import Clock
from telegram_standin.updates import Json


def _user(user_id: int, first_name: str, username: str, *, is_bot: bool = False) -> Json:
    return {"id": user_id, "is_bot": is_bot, "first_name": first_name, "username": username}


GROUP: Json = {"id": -4123456789, "type": "group", "title": "Suporte Loja Aurora"}
SUPERGROUP_ID = -1004123456789
OWNER = _user(7000000100, "Lia", "lia_aurora")
# Who a message from a group's anonymous admin, or from the group itself, is from.
GROUP_BOT = _user(1087968824, "Group", "GroupAnonymousBot", is_bot=True)


class Members(Chats):
    """The group's members: they join and leave, the bot is made admin, the group migrates.

    Args:
        clock: gives messages their dates; its lock guards all state.
        bot: the bot's User.
    """

    def __init__(self, clock: Clock, bot: Json) -> None:
        super().__init__(clock, bot)
        self.group_id = int(GROUP["id"])
        owner = {"user": OWNER, "status": "creator", "is_anonymous": False}
        self.open(dict(GROUP)).members[OWNER["id"]] = owner

    @locked
    def join(self, user: Json, *, chat_id: Any = None) -> Json:
        """Somebody comes in; returns the service message."""
        chat = self.chat(chat_id)
        self._change_member(chat, user, {"user": user, "status": "member"}, by=user)
        return self.tell(chat, user, {"new_chat_members": [user]})

    @locked
    def leave(self, user: Any, *, chat_id: Any = None) -> Json:
        """Somebody goes; returns the service message."""
        chat = self.chat(chat_id)
        gone = self.user_of(chat, user)
        self._change_member(chat, gone, {"user": gone, "status": "left"}, by=gone)
        return self.tell(chat, gone, {"left_chat_member": gone})

    @locked
    def promote(self, admin: bool = True, *, chat_id: Any = None) -> Json:
        """The owner makes the bot admin, or takes that away; returns the bot's ChatMember."""
        member = self.bot_member(admin=admin)
        self._change_member(self.chat(chat_id), self.bot, member, by=OWNER)
        return member

    @locked
    def migrate(self, new_id: int = SUPERGROUP_ID, *, chat_id: Any = None) -> Json:
        """The group becomes a supergroup: it gets a new id, and message ids start again.

        Returns:
            The new chat's service message.
        """
        old = self.chat(chat_id)
        new = self.open({**old.info, "id": new_id, "type": "supergroup"})
        new.members = dict(old.members)
        self.tell(old, OWNER, {"migrate_to_chat_id": new_id})
        origin = {"sender_chat": new.info, "migrate_from_chat_id": old.info["id"]}
        message = self.tell(new, GROUP_BOT, origin)
        old.moved_to = new_id
        self.group_id = new_id if self.group_id == old.info["id"] else self.group_id
        return message

    def tell(self, chat: Chat, sender: Json, content: Json) -> Json:
        """Add a message to a chat, and send it to the bot if it may see it; the Message."""
        message = self.post(chat, sender, content)
        self.emit({"message": message}, self.bot_sees(chat, message))
        return message

    def user_of(self, chat: Chat, user: Any) -> Json:
        """A User given as such, who thereby is a member, or by the id of a member.

        Raises:
            Refused: if no member has that id.
        """
        if isinstance(user, dict):
            chat.members.setdefault(user["id"], {"user": user, "status": "member"})
            return user
        if user not in chat.members:
            raise Refused(400, "Bad Request: member not found")
        member: Json = chat.members[user]["user"]
        return member

    def _change_member(self, chat: Chat, user: Json, member: Json, by: Json) -> None:
        before = chat.members.get(user["id"], {"user": user, "status": "left"})
        change = {"chat": chat.info, "from": by, "date": int(self.clock.now())}
        change |= {"old_chat_member": before, "new_chat_member": member}
        chat.members[user["id"]] = member
        is_bot = user["id"] == self.bot["id"]
        kind = "my_chat_member" if is_bot else "chat_member"
        self.emit({kind: change}, is_bot or self.is_admin(chat))
