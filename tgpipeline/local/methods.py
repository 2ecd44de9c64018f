"""What the stand-in answers to a bot: the methods of the Bot API that it knows.

A method that is not here is answered as Telegram answers an unknown one, never with a made-up
success. Parameters come as JSON values or, from forms, as strings.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from tgpipeline import updates
from tgpipeline.errors import UpdateError
from tgpipeline.local.group import Chat, Group, Refused
from tgpipeline.local.markup import entities, read_html, units
from tgpipeline.settings import SECRET_TOKEN

Params = Mapping[str, Any]
_NOT_MODIFIED = (
    "Bad Request: message is not modified: specified new message content and reply markup are "
    "exactly the same as a current content and reply markup of the message"
)


class Told(NamedTuple):
    """A result with a description, as setWebhook answers."""

    result: Any
    description: str


def number(params: Params, name: str, default: int = 0) -> int:
    """An integer parameter; the default where it is missing or not one."""
    try:
        return int(params.get(name, default))
    except (TypeError, ValueError, OverflowError):
        return default


def flag(params: Params, name: str) -> bool:
    """A boolean parameter."""
    return str(params.get(name, "")).lower() in ("true", "yes", "1")


def value(params: Params, name: str) -> Any:
    """A parameter that is an object or array: given as such, or as JSON in a string."""
    given = params.get(name)
    if not isinstance(given, str) or not given:
        return given or None
    try:
        return updates.parse_json(given.encode("utf-8", "replace"))
    except UpdateError:
        what = name.replace("_", " ")
        raise Refused(400, f"Bad Request: can't parse {what} JSON object") from None


def names(params: Params, name: str) -> list[str] | None:
    """A parameter that is an array of strings; None where it is missing."""
    if params.get(name) in (None, ""):
        return None
    given = value(params, name) or []
    if not isinstance(given, list) or not all(isinstance(item, str) for item in given):
        raise Refused(400, f"Bad Request: {name} must be an array of strings")
    return given


class Methods:
    """The methods about chats and messages. Their names are the Bot API's, in snake case."""

    def __init__(self, group: Group) -> None:
        self._group = group
        self._commands: dict[str, Any] = {}

    def get_me(self, params: Params) -> dict[str, Any]:
        return {
            **self._group.bot,
            "can_join_groups": True,
            "can_read_all_group_messages": self._group.reads_all,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
        }

    def log_out(self, params: Params) -> bool:
        return True  # there is no other server here to log out of

    def close(self, params: Params) -> bool:
        return True

    def get_chat(self, params: Params) -> dict[str, Any]:
        gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription")
        return {
            **self._chat(params).info,
            "accent_color_id": 0,
            "max_reaction_count": 11,
            "accepted_gift_types": dict.fromkeys((*gifts, "gifts_from_channels"), False),
        }

    def get_chat_member(self, params: Params) -> dict[str, Any]:
        member = self._chat(params).members.get(number(params, "user_id"))
        if member is None:
            raise Refused(400, "Bad Request: member not found")
        return member

    def get_chat_administrators(self, params: Params) -> list[dict[str, Any]]:
        members = self._chat(params).members.values()
        return [m for m in members if m["status"] in ("creator", "administrator")]

    def get_chat_member_count(self, params: Params) -> int:
        return sum(m["status"] != "left" for m in self._chat(params).members.values())

    def send_message(self, params: Params) -> dict[str, Any]:
        chat = self._chat(params)
        content = self._text(params)
        reply = value(params, "reply_parameters") or {}
        reply_to = number(reply, "message_id") or number(params, "reply_to_message_id")
        if reply_to:
            if reply_to in chat.messages:
                replied = chat.messages[reply_to]
                content["reply_to_message"] = {
                    k: v for k, v in replied.items() if k != "reply_to_message"
                }
            elif not flag({**params, **reply}, "allow_sending_without_reply"):
                raise Refused(400, "Bad Request: message to be replied not found")
        if thread := number(params, "message_thread_id"):
            content |= {"message_thread_id": thread, "is_topic_message": True}
        return self._group.post(chat, self._group.bot, content)

    def edit_message_text(self, params: Params) -> dict[str, Any]:
        chat = self._chat(params)
        before = self._own(chat, params, "edit")
        after = {k: v for k, v in before.items() if k not in ("text", "entities", "reply_markup")}
        after |= {"edit_date": int(self._group.clock.now()), **self._text(params)}
        if all(after.get(k) == before.get(k) for k in ("text", "entities", "reply_markup")):
            raise Refused(400, _NOT_MODIFIED)
        chat.keep(after)
        return after

    def delete_message(self, params: Params) -> bool:
        chat = self._chat(params)
        message = self._found(chat, params, "delete")
        if message["from"]["id"] != self._group.bot["id"] and not self._group.is_admin(chat):
            raise Refused(400, "Bad Request: message can't be deleted")
        del chat.messages[message["message_id"]]
        return True

    def set_message_reaction(self, params: Params) -> bool:
        chat = self._chat(params)
        message = self._found(chat, params, "react")
        key = (message["message_id"], self._group.bot["id"])
        chat.reactions[key] = value(params, "reaction") or []
        return True  # and no update: those of bots are never sent

    def send_chat_action(self, params: Params) -> bool:
        self._chat(params)
        if not params.get("action"):
            raise Refused(400, "Bad Request: parameter action is missing")
        return True

    def answer_callback_query(self, params: Params) -> bool:
        if str(params.get("callback_query_id")) not in self._group.queries:
            text = "query is too old and response timeout expired or query ID is invalid"
            raise Refused(400, f"Bad Request: {text}")
        return True

    def set_my_commands(self, params: Params) -> bool:
        self._commands[_scope(params)] = value(params, "commands") or []
        return True

    def get_my_commands(self, params: Params) -> list[dict[str, Any]]:
        return list(self._commands.get(_scope(params), []))

    def delete_my_commands(self, params: Params) -> bool:
        self._commands.pop(_scope(params), None)
        return True

    def _chat(self, params: Params) -> Chat:
        if params.get("chat_id") in (None, ""):
            raise Refused(400, "Bad Request: chat_id is empty")
        return self._group.chat(params["chat_id"])

    def _found(self, chat: Chat, params: Params, purpose: str) -> dict[str, Any]:
        message = chat.messages.get(number(params, "message_id"))
        if message is None:
            raise Refused(400, f"Bad Request: message to {purpose} not found")
        return message

    def _own(self, chat: Chat, params: Params, purpose: str) -> dict[str, Any]:
        message = self._found(chat, params, purpose)
        if message["from"]["id"] != self._group.bot["id"]:
            raise Refused(400, f"Bad Request: message can't be {purpose}ed")
        return message

    def _text(self, params: Params) -> dict[str, Any]:
        text, mode = str(params.get("text") or ""), str(params.get("parse_mode") or "").lower()
        marked = value(params, "entities") or []
        if mode == "html":
            try:
                text, marked = read_html(text)
            except ValueError as error:
                raise Refused(400, f"Bad Request: can't parse entities: {error}") from None
        elif mode:
            raise Refused(400, "Bad Request: this server reads parse_mode HTML, not Markdown")
        if not text.strip():
            raise Refused(400, "Bad Request: message text is empty")
        if units(text) > 4096:
            raise Refused(400, "Bad Request: message is too long")
        marked = sorted([*marked, *entities(text)], key=lambda e: int(e["offset"]))
        markup = value(params, "reply_markup") or {}
        content: dict[str, Any] = {"text": text}
        if marked:
            content["entities"] = marked
        if "inline_keyboard" in markup:  # other keyboards are not part of the Message
            content["reply_markup"] = markup
        return content


def _scope(params: Params) -> str:
    scope = value(params, "scope") or {"type": "default"}
    return json.dumps([scope, params.get("language_code") or ""], sort_keys=True)


def check_secret(secret: str) -> None:
    """Refuse what cannot be a `secret_token`."""
    if len(secret) > 256:
        raise Refused(400, "Bad Request: secret token is too long")
    if secret and not SECRET_TOKEN.fullmatch(secret):
        raise Refused(400, "Bad Request: secret token contains unallowed characters")


METHODS = {
    name.replace("_", ""): getattr(Methods, name)
    for name in vars(Methods)
    if re.fullmatch(r"[a-z]+(_[a-z]+)*", name)
}
