"""Acts put into the Bot API's words: chats, messages, entities.

Shapes follow https://core.telegram.org/bots/api#message
"""

import re
from typing import Any

from aurora import clock
from aurora.people import ANONYMOUS, Person
from aurora.story import Act

GROUP_ID, SUPERGROUP_ID, CHANNEL_ID = -4123456789, -1004123456789, -1003987654321
TITLES = [
    (0, "Suporte Loja Aurora"),
    (clock.at(clock.BLACK_FRIDAY, "00:00:05"), "Suporte Loja Aurora 🛍️ BLACK FRIDAY"),
    (clock.at(clock.date(2025, 12, 3), "09:40:11"), "Suporte Loja Aurora"),
]
CHANNEL = {
    "id": CHANNEL_ID,
    "title": "Loja Aurora | Ofertas",
    "username": "loja_aurora_ofertas_exemplo",
    "type": "channel",
}
RIGHTS = """manage_chat change_info delete_messages invite_users restrict_members pin_messages
manage_video_chats send_welcome_messages manage_tags post_stories edit_stories delete_stories"""
ENTITIES = re.compile(
    r"(?P<url>https?://[^\s<>\"]+[\w/])"
    r"|(?P<email>[\w.+-]+@[\w-]+\.com(?:\.br)?\b)"
    r"|(?P<mention>(?<!\w)@\w{5,32})"
    r"|(?P<bot_command>(?<![\w/])/[a-z_]+(?:@\w+)?)"
    r"|(?P<phone_number>\+55 11 90000-\d{4})"
    r"|(?P<hashtag>(?<!\w)#\w*[A-Za-zÀ-ÿ]\w*)"
)


def utf16(text: str) -> int:
    """Length as Telegram counts it: in UTF-16 code units.

    >>> utf16("é"), utf16("🙏🏽")
    (1, 4)
    """
    return len(text.encode("utf-16-le")) // 2


def span(text: str, start: int, end: int) -> dict[str, Any]:
    """Offset and length of an entity."""
    return {"offset": utf16(text[:start]), "length": utf16(text[start:end])}


def entities(
    text: str, *, bold: bool = False, mention: Person | None = None
) -> list[dict[str, Any]]:
    """What Telegram finds in a text by itself, and what the sender marked."""
    found: list[dict[str, Any]] = []
    if bold:
        found.append(span(text, 0, len(text.split("\n", 1)[0])) | {"type": "bold"})
    if mention and (at := text.find(mention.first)) >= 0:
        end = at + len(mention.first)
        found.append(span(text, at, end) | {"type": "text_mention", "user": mention.user()})
    for match in ENTITIES.finditer(text):
        found.append(span(text, *match.span()) | {"type": match.lastgroup})
    return sorted(found, key=lambda entity: entity["offset"])


def chat(moment: int, chat_id: int = 0) -> dict[str, Any]:
    """The group at a moment, as the Bot API's `Chat`."""
    chat_id = chat_id or (GROUP_ID if moment < clock.MIGRATION else SUPERGROUP_ID)
    title = [name for since, name in TITLES if since <= moment][-1]
    if chat_id == GROUP_ID:
        return {
            "id": chat_id,
            "title": title,
            "type": "group",
            "all_members_are_administrators": False,
        }
    return {"id": chat_id, "title": title, "type": "supergroup"}


def message(act: Act, moment: int, *, inside: bool = False) -> dict[str, Any]:
    """The act as a `Message`, as it stood at a moment.

    Args:
        act: what was said; its ids have been given.
        moment: Unix time; edits up to it are in.
        inside: it is somebody's `reply_to_message`, which has none of its own.
    """
    where = chat(act.at, act.chat_id)
    extra = dict(act.content)
    bold, mention = extra.pop("bold", False), extra.pop("mention", None)
    sender_chat = extra.pop("sender_chat", None)
    made: dict[str, Any] = {"message_id": act.message_id, "from": act.who.user()}
    if sender_chat or act.who is ANONYMOUS:
        made["sender_chat"] = sender_chat or where
    made |= {"chat": where, "date": act.at}
    edits = [edit for edit in act.edits if edit[0] <= moment]
    if edits:
        made["edit_date"] = edits[-1][0]
    if act.reply_to and not inside and act.reply_to.chat_id == act.chat_id:
        made["reply_to_message"] = message(act.reply_to, act.at, inside=True)
    if inside:
        extra.pop("quote", None)
    text = edits[-1][1] if edits else act.text
    keyboard = extra.pop("reply_markup", None)
    if pinned := extra.pop("pinned_message", None):
        made["pinned_message"] = message(pinned, act.at, inside=True)
    made |= extra
    if text:
        name = "caption" if _has_media(extra) else "text"
        made[name] = text
        if marks := entities(text, bold=bold, mention=mention):
            made["entities" if name == "text" else "caption_entities"] = marks
    if keyboard:
        made["reply_markup"] = keyboard
    return made


def _has_media(content: dict[str, Any]) -> bool:
    return bool(content.keys() & {"photo", "video", "document", "voice", "animation", "audio"})


def member(person: Person, status: str) -> dict[str, Any]:
    """A `ChatMember` of the given status."""
    made: dict[str, Any] = {"user": person.user(), "status": status}
    if status == "administrator":
        made |= {f"can_{right}": True for right in RIGHTS.split()}
        made |= {"can_promote_members": False, "can_be_edited": False, "is_anonymous": False}
    return made
