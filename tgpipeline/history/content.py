"""What a message of a Telegram Desktop export holds, under the Bot API's names. No I/O.

What the Bot API has no name for keeps the export's, so that the ETL counts it as unknown.

Sources: https://core.telegram.org/import-export and https://core.telegram.org/bots/api#message
"""

from collections.abc import Callable
from typing import Any

import orjson

from tgpipeline.telegram.updates import CONTENT, ENVELOPE, integer

Record = dict[str, Any]

_ENTITIES = {"link": "url", "phone": "phone_number", "mention_name": "text_mention"}
_PLAIN = ("plain", "unknown", None)
_FILES = {
    "animation": "animation",
    "audio_file": "audio",
    "sticker": "sticker",
    "video_file": "video",
    "video_message": "video_note",
    "voice_message": "voice",
    **{name: name for name in "audio document video video_note voice".split()},  # other programs'
}
_FILE_FIELDS = "file_name mime_type file_size width height performer title".split()


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
    """The objects of a list."""
    value = unquoted(value)
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
        length = len(part) if part.isascii() else len(part.encode("utf-16-le")) // 2
        if told.get("type") not in _PLAIN:
            entities.append(_entity(told, offset, length))
        text.append(part)
        offset += length
    return "".join(text), entities


def content(record: Record) -> Record:
    """What somebody wrote: text, or media with its caption."""
    text, entities = text_of(record.get("text_entities") or record.get("text"))
    found: Record = next((read(record) for name, read in _MEDIA.items() if name in record), {})
    under = "caption" if found else "text"
    if text:
        found[under] = text
    if entities:
        found["caption_entities" if under == "caption" else "entities"] = entities
    return found


def _entity(piece: Record, offset: int, length: int) -> Record:
    kind = str(piece["type"])
    if kind == "blockquote" and piece.get("collapsed") is True:
        kind = "expandable_blockquote"
    entity: Record = {"type": _ENTITIES.get(kind, kind), "offset": offset, "length": length}
    user, emoji = whole(piece.get("user_id")), whole(piece.get("document_id"))
    return entity | known(
        url=piece.get("href"),
        language=piece.get("language"),
        user=None if user is None else {"id": user},
        custom_emoji_id=None if emoji is None else str(emoji),
    )


def unquoted(value: Any) -> Any:
    """Some versions write a list or an object as a string of JSON."""
    if type(value) is str:
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return None
    return value


def _object(name: str) -> Callable[[Record], Record]:
    def read(record: Record) -> Record:
        value = unquoted(record.get(name))
        return value if type(value) is dict else {}

    return read


def photo(record: Record) -> list[Record]:
    """A photo in the one size that is exported, with its size in bytes where it is told."""
    size = record.get("photo_file_size")
    return [known(width=record.get("width"), height=record.get("height"), file_size=size)]


def _file(record: Record) -> Record:
    kind = record.get("media_type")
    name = _FILES.get(str(kind or "document")) or free(str(kind))
    told = known(**{field: record.get(field) for field in _FILE_FIELDS})
    told |= known(duration=record.get("duration_seconds"), emoji=record.get("sticker_emoji"))
    return {name: told}


def _place(record: Record) -> Record:
    place = _object("location_information")(record)
    if "place_name" in record:
        venue = known(title=record["place_name"], address=record.get("address"))
        return {"venue": venue | {"location": place}, "location": place}
    return {"location": place | known(live_period=record.get("live_location_period_seconds"))}


def _poll(record: Record) -> Record:
    poll = _object("poll")(record)
    voters, closed = whole(poll.get("total_voters")), poll.get("closed")
    options = [
        known(text=text_of(answer.get("text"))[0], voter_count=whole(answer.get("voters")))
        for answer in objects(poll.get("answers"))
    ]
    told = known(
        total_voter_count=voters, is_closed=closed, question=text_of(poll.get("question"))[0]
    )
    return {"poll": told | {"options": options}}


def tasks(value: Any) -> list[Record]:
    """The tasks of a checklist: the id and the text of each."""
    return [known(id=whole(t.get("id")), text=text_of(t.get("text"))[0]) for t in objects(value)]


# What tells the media -> how it is read; of two that a message has, the first.
_MEDIA: dict[str, Callable[[Record], Record]] = {
    "photo": lambda r: {"photo": photo(r)},
    "file": _file,
    "media_type": _file,
    "contact_information": lambda r: {"contact": _object("contact_information")(r)},
    "place_name": _place,
    "location_information": _place,
    "game_title": lambda r: {
        "game": known(title=r["game_title"], description=r.get("game_description"))
    },
    "invoice_information": lambda r: {"invoice": _object("invoice_information")(r)},
    "poll": _poll,
    "todo_list": lambda r: {"checklist": {"tasks": tasks(_object("todo_list")(r).get("answers"))}},
    "dice": lambda r: {"dice": _object("dice")(r)},
    "story_information": lambda r: {"story": _object("story_information")(r)},
    "giveaway_information": lambda r: {"giveaway": _object("giveaway_information")(r)},
    "giveaway_results": lambda r: {"giveaway_winners": _object("giveaway_results")(r)},
    "paid_stars_amount": lambda r: {"paid_media": known(star_count=r["paid_stars_amount"])},
}
# What the converter reads of every message, and what is read of those that somebody wrote; paths
# mean nothing outside of the export's folder.
COMMON = frozenset(
    "id type date date_unixtime edited edited_unixtime from from_id actor actor_id action text "
    "text_entities reply_to_message_id reply_to_peer_id reactions".split()
)
READ = COMMON.union(
    _MEDIA,
    _FILE_FIELDS,
    "author forwarded_from forwarded_from_id saved_from saved_from_id via_bot inline_bot_buttons "
    "photo_file_size thumbnail thumbnail_file_size media_spoiler self_destruct_period_seconds "
    "duration_seconds sticker_emoji contact_vcard contact_vcard_file_size address "
    "live_location_period_seconds game_description game_link".split(),
)
