"""What is said in the stand-in's group: messages, edits, reactions, topics, a channel's posts."""

from typing import Any

from telegram_standin.chats import Chat, locked
from telegram_standin.errors import Refused
from telegram_standin.markup import text_fields
from telegram_standin.members import Members
from telegram_standin.updates import Json

CHANNEL: Json = {
    "id": -1005123456789,
    "type": "channel",
    "title": "Novidades da Loja Aurora",
    "username": "loja_aurora",
}
# Who a linked channel's posts in its discussion group are from.
SERVICE_USER = {"id": 777000, "is_bot": False, "first_name": "Telegram"}
TOPIC_COLOR = 7322096  # one of the six that topics can have, as RGB
# Undocumented since Bot API 7.0, but still written beside forward_origin.
_FORMER_NAMES = {"from_chat": "chat", "from_message_id": "message_id", "date": "date"}


class Group(Members):
    """A group that lives: what people write in it, and the updates that follow."""

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
        return self.tell(chat, SERVICE_USER, {**copied, **text_fields(text), **content})


def _supergroup(chat: Chat) -> Json:
    if chat.info.get("type") != "supergroup":
        raise Refused(400, "Bad Request: the chat is no supergroup: call migrate first")
    return chat.info
