"""What a message of a Telegram Desktop export holds, under the Bot API's names. No I/O.

What the Bot API has no name for keeps the export's, so that the ETL counts it as unknown.

Sources: https://core.telegram.org/import-export and https://core.telegram.org/bots/api#message
"""

import json
from contextlib import suppress
from typing import Any

from tgpipeline.telegram.updates import CONTENT, ENVELOPE, integer

Record = dict[str, Any]

_ENTITIES = {"link": "url", "phone": "phone_number", "mention_name": "text_mention"}
_PLAIN = ("plain", "unknown", None)
# The field that tells what a message holds, and the Bot API's name of that; of two, the first.
_MEDIA = dict(
    pair.split("=")
    for pair in "photo=photo file=document media_type=document contact_information=contact "
    "place_name=venue location_information=location game_title=game invoice_information=invoice "
    "poll=poll todo_list=checklist dice=dice story_information=story giveaway_information=giveaway "
    "giveaway_results=giveaway_winners paid_stars_amount=paid_media "
    "rich_message=rich_message".split()
)
_MEDIA_TYPES = {name: name for name in "animation audio document sticker video voice".split()}
_MEDIA_TYPES |= {"audio_file": "audio", "video_file": "video", "video_note": "video_note"}
_MEDIA_TYPES |= {"video_message": "video_note", "voice_message": "voice"}
_DETAILS = _MEDIA.keys() | set(
    "file_name mime_type file_size width height performer title photo_file_size thumbnail "
    "thumbnail_file_size duration_seconds sticker_emoji contact_vcard contact_vcard_file_size "
    "address live_location_period_seconds game_description game_link".split()
)
# What the converter reads of every message, and of those that somebody wrote.
COMMON = frozenset(
    "id type date date_unixtime edited edited_unixtime from from_id actor actor_id action text "
    "text_entities reply_to_message_id reply_to_peer_id reactions".split()
)
READ = COMMON | _DETAILS
READ |= set("author forwarded_from forwarded_from_id saved_from saved_from_id via_bot".split())
READ |= set("inline_bot_buttons media_spoiler self_destruct_period_seconds".split())


def whole(value: Any) -> int | None:
    """A 64-bit integer, which an export writes as a number or as a string; else None."""
    if type(value) is str and len(value) < 21 and value.removeprefix("-").isdecimal():
        value = int(value)
    if type(value) is float and value.is_integer():  # some programs have no other numbers
        value = int(value)
    return integer(value)


def known(**fields: Any) -> Record:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value not in (None, "")}


def objects(value: Any) -> list[Record]:
    """The objects of a list, which some versions write as a string of JSON."""
    if type(value) is str:
        with suppress(ValueError):
            value = json.loads(value)
    return [item for item in value if type(item) is dict] if type(value) is list else []


def free(name: str) -> str:
    """A field's name, made another one where the Bot API uses it for something else."""
    return f"export_{name}" if name in CONTENT or name in ENVELOPE else name


def text_of(value: Any) -> tuple[str, list[Record]]:
    """Text in pieces as one text and its entities, offsets in UTF-16 units.

    Source: https://core.telegram.org/bots/api#messageentity

    >>> text_of(["😕 ", {"type": "link", "text": "a.example"}])
    ('😕 a.example', [{'type': 'url', 'offset': 3, 'length': 9}])
    """
    if type(value) is str:
        return value, []
    text, offset, entities = [], 0, []
    for piece in value if type(value) is list else ():
        told = piece if type(piece) is dict else {"text": piece}
        part = told.get("text")
        if type(part) is not str or not part:
            continue
        length = (
            len(part) if part.isascii() else len(part.encode("utf-16-le", "surrogatepass")) // 2
        )
        if told.get("type") not in _PLAIN:
            entities.append(_entity(told, offset, length))
        text.append(part)
        offset += length
    return "".join(text), entities


def content(record: Record) -> Record:
    """What somebody wrote: text, or media with its caption.

    Media have the Bot API's name, and in it what the export tells of them, as it tells it.
    """
    text, entities = text_of(record.get("text_entities") or record.get("text"))
    found: Record = {}
    if held := next((_MEDIA[name] for name in _MEDIA if name in record), ""):
        if "media_type" in record and held == "document":
            told = str(record["media_type"])
            held = _MEDIA_TYPES.get(told) or free(told)
        found[held] = {name: record[name] for name in record if name in _DETAILS}
    if held == "rich_message":
        found, held = {held: record[held]}, ""
    if text:
        found["caption" if held else "text"] = text
    if entities:
        found["caption_entities" if held else "entities"] = entities
    return found


def _entity(piece: Record, offset: int, length: int) -> Record:
    kind = str(piece["type"])
    if kind == "blockquote" and piece.get("collapsed") is True:
        kind = "expandable_blockquote"
    entity: Record = {"type": _ENTITIES.get(kind, kind), "offset": offset, "length": length}
    user = known(id=whole(piece.get("user_id"))) or None
    return entity | known(url=piece.get("href"), language=piece.get("language"), user=user)
