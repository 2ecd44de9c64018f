"""The page and its findings to a chat, through the bot: what a weekly job sends."""

from pathlib import Path
from typing import Any

from tgpipeline.analytics import findings, report
from tgpipeline.analytics.answers import Answers
from tgpipeline.analytics.language import use
from tgpipeline.errors import QueryError, SettingsError
from tgpipeline.telegram.bot import Bot

MAX_TEXT = 4096  # UTF-16 units of a message; https://core.telegram.org/bots/api#sendmessage
MAX_FILE = 50 * 10**6  # bytes of a document; https://core.telegram.org/bots/api#senddocument


def recipient(bot: Bot, chat_id: int, *, names: bool) -> str:
    """What the chat is called that shall get the page.

    Args:
        bot: who will send it.
        chat_id: of the chat.
        names: whether the page shows people's names.

    Raises:
        BotApiError: if the bot does not know the chat.
        SettingsError: if a page with names would go to more than one person.
    """
    chat = bot.get_chat(chat_id)
    if names and chat.get("type") != "private":
        raise SettingsError(
            f"chat {chat_id} is a {chat.get('type')}: a page with names goes to one person alone. "
            "Leave out --names, or send it to yourself."
        )
    return f"{chat.get('type')} {chat.get('title') or chat.get('username') or chat_id!r}"


def text_of(answers: Answers) -> str:
    """The title of the page and its findings, as many as one message holds."""
    with use(answers.language):
        found = [f"• {one.text} {one.action}" for one in findings.findings(answers)]
        lines = [report.title(answers), *(found or [report.volume(answers).charts[0].title])]
    while len("\n\n".join(lines).encode("utf-16-le")) > 2 * MAX_TEXT:
        lines.pop()
    return "\n\n".join(lines)


def send(bot: Bot, chat_id: int, page: Path, text: str) -> dict[str, Any]:
    """Send the page as a file, and the text as a reply to it.

    Returns:
        The Message with the text.

    Raises:
        BotApiError: if the Bot API refuses one of them.
        QueryError: if the page is larger than a bot may send.
    """
    if page.stat().st_size > MAX_FILE:
        raise QueryError(f"{page} is larger than the 50 MB that a bot may send.")
    sent = bot.call("sendDocument", chat_id=chat_id, document=page)
    answers_it = {"message_id": sent["message_id"]}
    return bot.send_message(chat_id, text, reply_parameters=answers_it)
