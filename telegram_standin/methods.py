"""The methods of the Bot API that the stand-in knows, about chats and messages.

A method that it does not know is answered as Telegram answers an unknown one, never with a made-up
success. Parameters come as JSON values or, from forms, as strings.
"""

import hashlib
import json
import mimetypes
import re
from collections.abc import Mapping
from typing import Any, TypeVar

from telegram_standin import updates
from telegram_standin.chats import Chat
from telegram_standin.errors import Refused
from telegram_standin.group import Group
from telegram_standin.http_server import Upload
from telegram_standin.markup import entities_field, parse_html, text_fields, utf16_len
from telegram_standin.updates import Json

Params = Mapping[str, Any]
T = TypeVar("T")


def int_param(params: Params, name: str, default: int = 0) -> int:
    """An integer parameter; the default where it is missing or not one."""
    try:
        return int(params.get(name, default))
    except (TypeError, ValueError, OverflowError):
        return default


def bool_param(params: Params, name: str) -> bool:
    """A boolean parameter; False where it is missing."""
    return str(params.get(name, "")).lower() in ("true", "yes", "1")


def json_param(params: Params, name: str, kind: type[T]) -> T | None:
    """A parameter that is an object or an array: given as such, or as JSON in a string.

    Raises:
        Refused: if it is not one.
    """
    given = params.get(name)
    if isinstance(given, str) and given:
        try:
            given = updates.parse_json(given.encode("utf-8", "replace"))
        except ValueError:
            given = ...
    if given in (None, ""):
        return None
    if not isinstance(given, kind):
        raise Refused(400, f"Bad Request: can't parse {name.replace('_', ' ')} JSON object")
    return given


def upload_param(params: Params, name: str) -> Any:
    """A parameter that is a file: as `Upload`, also where the value says in which other field.

    Source: https://core.telegram.org/bots/api#inputfile
    """
    given = params.get(name)
    if isinstance(given, str) and given.startswith("attach://"):
        return params.get(given.removeprefix("attach://"))
    return given


class Methods:
    """The methods about chats and messages. Their names are the Bot API's, in snake case."""

    def __init__(self, group: Group) -> None:
        self._group = group
        self._commands: Json = {}

    def get_me(self, params: Params) -> Json:
        """The bot, and what it may do: privacy mode is on, as it is by default."""
        return {**self._group.bot, **updates.NAMES["bot_can"]}

    def get_chat(self, params: Params) -> Json:
        """A chat, as ChatFullInfo."""
        return {**self._chat(params).info, **updates.NAMES["full_info"]}

    def get_chat_member(self, params: Params) -> Json:
        """One member of a chat; refused for a user who was never in it."""
        member = self._chat(params).members.get(int_param(params, "user_id"))
        if member is None:
            raise Refused(400, "Bad Request: member not found")
        return member

    def get_chat_administrators(self, params: Params) -> list[Json]:
        """The owner and the admins of a chat."""
        members = self._chat(params).members.values()
        return [m for m in members if m["status"] in ("creator", "administrator")]

    def get_chat_member_count(self, params: Params) -> int:
        """The number of a chat's members."""
        return sum(m["status"] != "left" for m in self._chat(params).members.values())

    def send_message(self, params: Params) -> Json:
        """Send a text to a chat; the Message."""
        return self._send(params, self._text(params, "text", 4096))

    def send_document(self, params: Params) -> Json:
        """Send a file with a caption to a chat; the Message.

        The file is uploaded in a multipart form, or named by the `file_id` of an earlier one. What
        was uploaded is kept in `Telegram.files`. URLs are refused: nothing is downloaded here.
        """
        given, files = upload_param(params, "document"), self._group.files
        if isinstance(given, Upload):
            if not given.content:
                raise Refused(400, "Bad Request: file must be non-empty")
            digest = hashlib.sha256(given.file_name.encode() + given.content).hexdigest()
            files[file_id := f"BQAC{digest}"] = given
        elif (file_id := str(given or "")) not in files:
            why = "wrong file identifier/HTTP URL specified" if file_id else "there is no document"
            raise Refused(400, f"Bad Request: {why}")
        name, content = files[file_id]
        document = {
            "file_name": name,
            "mime_type": mimetypes.guess_type(name)[0] or "application/octet-stream",
            "file_id": file_id,
            "file_unique_id": f"AgAD{hashlib.sha256(content).hexdigest()[:11]}",
            "file_size": len(content),
        }
        return self._send(params, {"document": document, **self._text(params, "caption", 1024)})

    def create_forum_topic(self, params: Params) -> Json:
        """Create a topic in a forum; the ForumTopic."""
        chat, name = self._chat(params), str(params.get("name") or "").strip()
        if not chat.info.get("is_forum"):
            raise Refused(400, "Bad Request: the chat is not a forum")
        if not name:
            raise Refused(400, "Bad Request: topic name must be non-empty")
        message = self._group.post(chat, self._group.bot, self._group.topic_fields(chat, name))
        topic_id = message["message_thread_id"]
        return {"message_thread_id": topic_id, **message["forum_topic_created"]}

    def edit_message_text(self, params: Params) -> Json:
        """Change a text that the bot sent; the Message as it is then."""
        chat = self._chat(params)
        before = chat.message(int_param(params, "message_id"), " to edit")
        if not self._is_mine(before):
            raise Refused(400, "Bad Request: message can't be edited")
        after = {k: v for k, v in before.items() if k not in ("text", "entities", "reply_markup")}
        after |= {"edit_date": int(self._group.clock.now()), **self._text(params, "text", 4096)}
        if all(after.get(k) == before.get(k) for k in ("text", "entities", "reply_markup")):
            raise Refused(400, updates.ERRORS["not_modified"])
        chat.keep(after)
        return after

    def delete_message(self, params: Params) -> bool:
        """Delete a message."""
        chat = self._chat(params)
        message = chat.message(int_param(params, "message_id"), " to delete")
        if not self._is_mine(message) and not self._group.is_admin(chat):
            raise Refused(400, "Bad Request: message can't be deleted")
        del chat.messages[message["message_id"]]
        return True

    def set_message_reaction(self, params: Params) -> bool:
        """Set the bot's reactions to a message."""
        chat = self._chat(params)
        message = chat.message(int_param(params, "message_id"), " to react")
        key = (message["message_id"], self._group.bot["id"])
        chat.reactions[key] = json_param(params, "reaction", list) or []
        return True  # and no update: those of bots are never sent

    def send_chat_action(self, params: Params) -> bool:
        """Show that the bot is writing; has no effect here."""
        self._chat(params)
        if not params.get("action"):
            raise Refused(400, "Bad Request: parameter action is missing")
        return True

    def answer_callback_query(self, params: Params) -> bool:
        """Answer a button's press; refused unless an update brought it."""
        if str(params.get("callback_query_id")) not in self._group.queries:
            raise Refused(400, updates.ERRORS["old_query"])
        return True

    def set_my_commands(self, params: Params) -> bool:
        """Keep the commands of a scope and language."""
        self._commands[_scope(params)] = json_param(params, "commands", list) or []
        return True

    def get_my_commands(self, params: Params) -> list[Json]:
        """The commands of a scope and language."""
        return list(self._commands.get(_scope(params), []))

    def delete_my_commands(self, params: Params) -> bool:
        """Forget the commands of a scope and language."""
        self._commands.pop(_scope(params), None)
        return True

    def _chat(self, params: Params) -> Chat:
        if params.get("chat_id") in (None, ""):
            raise Refused(400, "Bad Request: chat_id is empty")
        chat = self._group.chat(params["chat_id"])
        if chat.members[self._group.bot["id"]]["status"] in ("left", "kicked"):
            kind = chat.info.get("type")
            raise Refused(403, f"Forbidden: bot is not a member of the {kind} chat")
        return chat

    def _send(self, params: Params, content: Json) -> Json:
        """Post a message of the bot, where the parameters say; the Message."""
        chat = self._chat(params)
        reply = json_param(params, "reply_parameters", dict) or {}
        reply_to = int_param(reply, "message_id") or int_param(params, "reply_to_message_id")
        spare = bool_param({**params, **reply}, "allow_sending_without_reply")
        reply_to = 0 if spare and reply_to not in chat.messages else reply_to
        thread_id = int_param(params, "message_thread_id")
        if thread_id and not chat.is_topic(thread_id):
            raise Refused(400, "Bad Request: message thread not found")
        content |= chat.reply_fields(reply_to, thread_id)
        return self._group.post(chat, self._group.bot, content)

    def _is_mine(self, message: Json) -> bool:
        return bool(updates.sub(message, "from").get("id") == self._group.bot["id"])

    def _text(self, params: Params, name: str, limit: int) -> Json:
        """A text or a caption, and the buttons below it, as fields of the Message."""
        text, mode = str(params.get(name) or ""), str(params.get("parse_mode") or "").lower()
        entities = json_param(params, entities_field(name), list) or []
        if mode == "html":
            try:
                text, entities = parse_html(text)
            except ValueError as error:
                raise Refused(400, f"Bad Request: can't parse entities: {error}") from None
        elif mode:
            raise Refused(400, "Bad Request: this server reads parse_mode HTML, not Markdown")
        if name == "text" and not text.strip():
            raise Refused(400, "Bad Request: message text is empty")
        if utf16_len(text) > limit:
            what = "message" if name == "text" else f"message {name}"
            raise Refused(400, f"Bad Request: {what} is too long")
        content = text_fields(text, name, entities)
        markup = json_param(params, "reply_markup", dict) or {}
        if "inline_keyboard" in markup:  # other keyboards are not part of the Message
            content["reply_markup"] = markup
        return content


def _scope(params: Params) -> str:
    scope = json_param(params, "scope", dict) or {"type": "default"}
    return json.dumps([scope, params.get("language_code") or ""], sort_keys=True)


METHODS = [name for name in vars(Methods) if re.fullmatch(r"[a-z]+(_[a-z]+)*", name)]
