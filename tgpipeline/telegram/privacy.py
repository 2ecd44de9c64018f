"""What the bot answers to `/privacy` and `/forget`, through the webhook's own answer.

Telegram asks it of every bot that stores data: https://telegram.org/tos/bot-developers, section 4.
Standard library only, because the ingest function carries this file.
"""

from typing import Any

from tgpipeline.telegram.content import entities_of
from tgpipeline.telegram.updates import Update, integer, sub

_TEXTS = {
    "en": "This bot stores what is written in this group: messages with the name, username and id "
    "of who sent them, edits, reactions, joins and leaves. Why: to answer questions about the "
    "group's support, such as how long people wait. How long: {how_long}. Nothing is sold or used "
    "to train models. Whom to ask: the administrators of this group. To have everything that is "
    "stored of you erased, write /forget.",
    "pt": "Este bot guarda o que se escreve neste grupo: mensagens com o nome, o nome de usuário e "
    "o id de quem as enviou, edições, reações, entradas e saídas. Para quê: responder perguntas "
    "sobre o atendimento do grupo, como quanto tempo as pessoas esperam. Por quanto tempo: "
    "{how_long}. Nada é vendido nem usado para treinar modelos. Com quem falar: os administradores "
    "deste grupo. Para que se apague tudo o que está guardado sobre você, escreva /forget.",
}
_HOW_LONG = {
    "en": ("until the administrators delete it", "{days} days"),
    "pt": ("até que os administradores apaguem", "{days} dias"),
}
_NOTED = {
    "en": "Your request was noted. An administrator will erase what is stored of you.",
    "pt": "Seu pedido foi anotado. Um administrador vai apagar o que está guardado sobre você.",
}


def text_for(language: str, days: int = 0, own: str = "", own_pt: str = "") -> str:
    """The text about privacy.

    Args:
        language: IETF tag, as `from.language_code` has it; Portuguese for `pt…`, else English.
        days: after so many days raw messages are deleted; 0 where nobody has decided that.
        own: the owner's own text, in place of the English default.
        own_pt: likewise in Portuguese.

    >>> text_for("fr", own="Ask Ana.", own_pt="Fale com a Ana.")
    'Ask Ana.'
    """
    spoken = _language(language)
    told = {"en": own, "pt": own_pt}[spoken] or _TEXTS[spoken]
    return told.replace("{how_long}", _HOW_LONG[spoken][days > 0].format(days=days))


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


def answer(message: Update, command: str, text: str) -> dict[str, Any]:
    """The Bot API call that answers: what the webhook returns, or a bot of one's own sends.

    Args:
        message: the Message that asked.
        command: as `asked` gave it.
        text: for `/privacy`.

    Source: https://core.telegram.org/bots/api#making-requests-when-getting-updates
    """
    if command == "/forget" and person(message) is not None:
        text = _NOTED[_language(sub(message, "from").get("language_code"))]
    reply = {"message_id": message.get("message_id"), "allow_sending_without_reply": True}
    chat_id = sub(message, "chat").get("id")
    return {"method": "sendMessage", "chat_id": chat_id, "text": text, "reply_parameters": reply}


def _language(tag: Any) -> str:
    return "pt" if str(tag).lower().startswith("pt") else "en"
