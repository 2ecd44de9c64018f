"""The Bot API's media objects, with made-up file ids of the right shape."""

import random
import string
from typing import Any

ALPHABET = string.ascii_letters + string.digits + "_-"
STICKERS = "👍 ❤️ 😂 🙏 😡 🎉 😭 🥰 👋 😴".split()


def file(rng: random.Random, kind: str, size: int) -> dict[str, Any]:
    """The fields that every file has. The `file_id` is short for a real one, to stay small."""
    body = "".join(rng.choices(ALPHABET, k=18))
    return {
        "file_id": f"{kind}AACAgEAAxkB{body}NgQ",
        "file_unique_id": f"AQAD{body[:10]}",
        "file_size": size,
    }


def photo(rng: random.Random) -> list[dict[str, Any]]:
    """A photo in three sizes, upright or lying."""
    upright = rng.random() < 0.7
    sizes = []
    for wide, letter, weight in ((90, "s", 1500), (320, "m", 21_000), (1280, "y", 130_000)):
        narrow = wide * 3 // 4
        width, height = (narrow, wide) if upright else (wide, narrow)
        size = weight + rng.randrange(weight // 2)
        sizes.append(file(rng, letter, size) | {"width": width, "height": height})
    return sizes


def voice(rng: random.Random) -> dict[str, Any]:
    seconds = rng.randrange(4, 75)
    return {"duration": seconds, "mime_type": "audio/ogg"} | file(rng, "v", seconds * 3900)


def video(rng: random.Random) -> dict[str, Any]:
    seconds = rng.randrange(5, 40)
    shape = {"duration": seconds, "width": 720, "height": 1280, "mime_type": "video/mp4"}
    return (
        shape
        | {"file_name": f"VID_{rng.randrange(10**6):06d}.mp4"}
        | file(rng, "V", seconds * 180_000)
    )


def video_note(rng: random.Random) -> dict[str, Any]:
    return {"duration": rng.randrange(3, 30), "length": 384} | file(rng, "n", 900_000)


def document(rng: random.Random, name: str) -> dict[str, Any]:
    mime = "application/pdf" if name.endswith(".pdf") else "image/png"
    return {"file_name": name, "mime_type": mime} | file(rng, "d", rng.randrange(20_000, 400_000))


def animation(rng: random.Random) -> dict[str, Any]:
    shape = {"file_name": "giphy.mp4", "mime_type": "video/mp4", "duration": 2}
    return shape | {"width": 320, "height": 240} | file(rng, "g", 88_000)


def sticker(rng: random.Random) -> dict[str, Any]:
    animated = rng.random() < 0.3
    look = {"width": 512, "height": 512, "emoji": rng.choice(STICKERS), "set_name": "AuroraExemplo"}
    kind = {"is_animated": animated, "is_video": False, "type": "regular"}
    return look | kind | file(rng, "S", rng.randrange(9_000, 40_000))


def location(rng: random.Random) -> dict[str, Any]:
    """Somewhere in the Atlantic off São Paulo: nobody's home."""
    return {"latitude": round(-25 - rng.random(), 6), "longitude": round(-43 - rng.random(), 6)}


def contact(rng: random.Random) -> dict[str, Any]:
    return {"phone_number": f"551190000{rng.randrange(10_000):04d}", "first_name": "Portaria"}


def buttons(conversation: int, language: str) -> dict[str, Any]:
    """The keyboard under the bot's "did that help?"."""
    yes, no = (
        ("Yes ✅", "No, a person please")
        if language == "en"
        else ("Sim ✅", "Não, quero atendente")
    )
    row = [
        {"text": yes, "callback_data": f"solved:{conversation}:yes"},
        {"text": no, "callback_data": f"solved:{conversation}:no"},
    ]
    return {"inline_keyboard": [row]}
