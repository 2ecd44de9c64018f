"""The stand-in's group: who comes and goes, what is said in it, and the updates that follow."""

from typing import Any

from telegram_standin.chats import Chat, Chats, locked
from telegram_standin.errors import Refused
from telegram_standin.markup import text_fields
from telegram_standin.queue import Clock
from telegram_standin.updates import NAMES, Json

GROUP: Json = NAMES["group"]
CHANNEL: Json = NAMES["channel"]
SUPERGROUP_ID = -1004123456789
TOPIC_COLOR = 7322096  # one of the six that topics can have, as RGB
# Undocumented since Bot API 7.0, but still written beside forward_origin.
_FORMER_NAMES = {"from_chat": "chat", "from_message_id": "message_id", "date": "date"}


class Group(Chats):
    """A group that lives: people join, write and leave, the bot is made admin, it migrates.

    Args:
        clock: gives messages their dates; its lock guards all state.
        bot: the bot's User.
    """

    def __init__(self, clock: Clock, bot: Json) -> None:
        super().__init__(clock, bot)
        self.group_id = int(GROUP["id"])
        self._owner: Json = NAMES["owner"]
        owner = {"user": self._owner, "status": "creator", "is_anonymous": False}
        self.open(dict(GROUP)).members[self._owner["id"]] = owner

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
        self._change_member(self.chat(chat_id), self.bot, member, by=self._owner)
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
        self.tell(old, self._owner, {"migrate_to_chat_id": new_id})
        origin = {"sender_chat": new.info, "migrate_from_chat_id": old.info["id"]}
        message = self.tell(new, NAMES["anonymous_admin"], origin)
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

    @locked
    def say(
        self,
        user: Any,
        text: str = "",
        *,
        chat_id: Any = None,
        reply_to: int = 0,
        thread_id: int = 0,
        **content: Any,
    ) -> Json:
        """Somebody writes a text, or sends what `content` holds, such as `photo=[…]`.

        Args:
            user: a User, or the id of a member.
            text: the text.
            chat_id: the chat; the group where it is None.
            reply_to: id of the message that this one answers.
            thread_id: id of the first message of the topic, or of the channel's post in the
                group, below which it is written.
            **content: further fields of the Message.

        Returns:
            The Message.

        Raises:
            Refused: if the chat, the member, the message or the thread is not there.
        """
        chat = self.chat(chat_id)
        is_post = "is_automatic_forward" in chat.messages.get(thread_id, {})
        if thread_id and not (is_post or chat.is_topic(thread_id)):
            raise Refused(400, "Bad Request: message thread not found")
        fields = {**text_fields(text), **chat.reply_fields(reply_to, thread_id), **content}
        return self.tell(chat, self.user_of(chat, user), fields)

    @locked
    def edit(self, message_id: int, text: str, *, chat_id: Any = None) -> Json:
        """Somebody changes a message; returns the whole Message, as it is now."""
        chat = self.chat(chat_id)
        before = chat.message(message_id)
        kept = {name: value for name, value in before.items() if name != "entities"}
        message = {**kept, "edit_date": int(self.clock.now()), **text_fields(text)}
        chat.keep(message)
        self.emit({"edited_message": message}, self.bot_sees(chat, message))
        return message

    @locked
    def react(self, user: Any, message_id: int, emoji: str = "", *, chat_id: Any = None) -> Json:
        """Somebody sets a reaction, or takes it back with an empty emoji."""
        chat = self.chat(chat_id)
        sender = self.user_of(chat, user)
        chat.message(message_id)
        before = chat.reactions.get((message_id, sender["id"]), [])
        after = [{"type": "emoji", "emoji": emoji}] if emoji else []
        change = {"chat": chat.info, "message_id": message_id, "user": sender}
        change |= {"date": int(self.clock.now()), "old_reaction": before, "new_reaction": after}
        chat.reactions[message_id, sender["id"]] = after
        self.emit({"message_reaction": change}, self.is_admin(chat))
        return change

    @locked
    def create_topic(self, user: Any, name: str, *, chat_id: Any = None) -> Json:
        """Somebody creates a topic; the first one makes the supergroup a forum.

        Returns:
            The service message, whose `message_thread_id` is the topic's id for `say`.

        Raises:
            Refused: if the chat is no supergroup; `migrate` makes it one.
        """
        chat = self.chat(chat_id)
        chat.info = _supergroup(chat) | {"is_forum": True}
        return self.tell(chat, self.user_of(chat, user), self.topic_fields(chat, name))

    def topic_fields(self, chat: Chat, name: str) -> Json:
        """What the message that creates a topic holds. The topic's id is that message's own."""
        return {
            "message_thread_id": chat.last_id + 1,
            "is_topic_message": True,
            "forum_topic_created": {"name": name, "icon_color": TOPIC_COLOR},
        }

    @locked
    def publish(
        self, text: str = "", *, channel: Any = CHANNEL, chat_id: Any = None, **content: Any
    ) -> Json:
        """The linked channel publishes a post, and Telegram copies it into the group.

        Args:
            text: the post's text.
            channel: the channel's Chat.
            chat_id: the channel's discussion group; the group where it is None.
            **content: further fields of the Message.

        Returns:
            The copy in the group; people comment on it with `say(…, thread_id=…)`.

        Raises:
            Refused: if the chat is no supergroup; `migrate` makes it one.
        """
        chat = self.chat(chat_id)
        _supergroup(chat)
        chat.channel_posts += 1
        origin = {"chat": channel, "message_id": chat.channel_posts, "date": int(self.clock.now())}
        copied = {
            "sender_chat": channel,
            "is_automatic_forward": True,
            "forward_origin": {"type": "channel", **origin},
            **{f"forward_{old}": origin[new] for old, new in _FORMER_NAMES.items()},
        }
        return self.tell(chat, NAMES["telegram"], {**copied, **text_fields(text), **content})


def _supergroup(chat: Chat) -> Json:
    if chat.info.get("type") != "supergroup":
        raise Refused(400, "Bad Request: the chat is no supergroup: call migrate first")
    return chat.info
