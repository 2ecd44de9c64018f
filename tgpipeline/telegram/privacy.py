"""What the bot answers to `/privacy` and `/forget`, through the webhook's own answer.

Telegram asks it of every bot that stores data: https://telegram.org/tos/bot-developers, section 4.
Standard library only, because the ingest function carries this file.
"""

import json
from pathlib import Path

from tgpipeline.settings import Settings
from tgpipeline.telegram.content import entities_of
from tgpipeline.telegram.updates import Update, integer, sub

# By language: what is stored and why, how long, and the answer to /forget.
_TEXTS = json.loads(Path(__file__).with_name("privacy.json").read_text(encoding="utf-8"))


def is_private(message: Update) -> bool:
    """Whether it was written to the bot alone: such a message is answered and not stored."""
    return sub(message, "chat").get("type") == "private"


def asked(message: Update, bot_username: str = "") -> str:
    """Which of `/privacy` and `/forget` a message is; empty where it is neither.

    Args:
        message: a Message.
        bot_username: of this bot; a command for another bot is none. Empty: any bot's counts.
    """
    text = message.get("text")
    command = entities_of(message.get("entities"), text)[1] or ""
    if command.lower() not in ("/privacy", "/forget") or not isinstance(text, str):
        return "/privacy" if is_private(message) else ""
    named = text[text.find(command) + len(command) :].split(maxsplit=1)
    other = named[0].lower() if named and named[0].startswith("@") else ""
    return "" if other and bot_username and other != f"@{bot_username.lower()}" else command.lower()


def person(message: Update) -> int | None:
    """Id of the person who wrote a message; None for bots, anonymous administrators, channels."""
    user = sub(message, "from")
    wrote = not message.get("sender_chat") and user.get("is_bot") is not True
    return integer(user.get("id")) if wrote else None


def answer(message: Update, command: str, settings: Settings) -> Update:
    """The Bot API call that answers: what the webhook returns, or a bot of one's own sends.

    It is in the language of who asks: Portuguese where that is theirs, else English.

    Args:
        message: the Message that asked.
        command: as `asked` gave it.
        settings: hold the owner's own texts about privacy, and for how long raw messages are kept.

    Source: https://core.telegram.org/bots/api#making-requests-when-getting-updates
    """
    tag, days = str(sub(message, "from").get("language_code")), settings.raw_days
    language = "pt" if tag.lower().startswith("pt") else "en"
    own = {"en": settings.privacy_text, "pt": settings.privacy_text_pt}[language]
    how_long = _TEXTS["kept_for_days" if days > 0 else "kept_until_deleted"][language]
    text = own or _TEXTS["about"][language]
    text = text.replace("{how_long}", how_long.format(days=days))
    if command == "/forget" and person(message) is not None:
        text = _TEXTS["noted"][language]
    reply = {"message_id": message.get("message_id"), "allow_sending_without_reply": True}
    chat_id = sub(message, "chat").get("id")
    return {"method": "sendMessage", "chat_id": chat_id, "text": text, "reply_parameters": reply}
