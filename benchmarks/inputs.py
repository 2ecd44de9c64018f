"""What is measured on: a seeded support group, as single updates and newline-delimited."""

import json
import random

DAY = "2025-11-28"
PREFIX = f"telegram/context_date={DAY}/"
MIDNIGHT = 1_764_298_800  # the start of that day in São Paulo
CHAT = {"id": -1004123456789, "title": "Clientes", "type": "supergroup", "is_forum": False}
LINES = 25_000  # updates in one newline-delimited object
_NAMES = "Ana Bia Caio Davi Eva Fábio Gil Hugo Inês João Lia Malu Nina Otto Paula Rui".split()
_WORDS = (
    "bom dia meu pedido ainda não chegou vocês podem verificar o prazo de entrega do frete e a "
    "troca obrigado aguardo o reembolso do cupom não funciona 😀"
).split()


def update(number: int) -> bytes:
    """One update of about 600 bytes; always the same for the same number.

    Of 20 updates one is an edit of an earlier message, and one a photo with a caption.
    """
    generator = random.Random(number)
    text = " ".join(generator.choices(_WORDS, k=generator.randrange(3, 30)))
    name = generator.choice(_NAMES)
    kind, message_id, edited = "message", number + 1, {}
    if number % 20 == 19:
        kind, message_id = "edited_message", number - generator.randrange(18)
        edited = {"edit_date": MIDNIGHT + number % 80_000 + 60}
    content: dict[str, object] = {"text": text}
    if number % 20 == 10:
        sizes = [{"file_id": f"AgAC{number}", "file_unique_id": f"AQ{number}", "width": 90}]
        content = {"photo": sizes, "caption": text}
    message = {
        "message_id": message_id,
        "from": {
            "id": 5_000_000_000 + generator.randrange(2_000),
            "is_bot": False,
            "first_name": name,
            "last_name": "Souza",
            "username": f"{name.lower()}_souza",
            "language_code": "pt-br",
        },
        "chat": CHAT,
        "date": MIDNIGHT + (message_id - 1) % 80_000,
        **edited,
        "reply_to_message": {
            "message_id": max(1, message_id - 3),
            "from": {"id": 5_000_000_001, "is_bot": False, "first_name": "Ana"},
            "chat": CHAT,
            "date": MIDNIGHT,
            "text": "oi",
        },
        **content,
    }
    whole = {"update_id": 100_000_000 + number, kind: message}
    return json.dumps(whole, ensure_ascii=False).encode()


def objects(count: int) -> dict[str, bytes]:
    """That many updates, an object each, by key."""
    return {f"{PREFIX}{100_000_000 + n}.json": update(n) for n in range(count)}


def lines(count: int) -> dict[str, bytes]:
    """That many updates in newline-delimited objects."""
    return {
        f"{PREFIX}batch-{start:09}.ndjson": b"\n".join(
            update(n) for n in range(start, min(count, start + LINES))
        )
        for start in range(0, count, LINES)
    }
