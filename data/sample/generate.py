"""Writes the sample: `python data/sample/generate.py` (standard library only, always the same)."""

import gzip
import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from aurora import delivery, edits, life, rarities  # noqa: E402

SEED, SCALE = 2025, 0.8
EDITED_SHARE = 0.1


def make(seed: int = SEED, scale: float = SCALE) -> dict[str, bytes]:
    """The files of the sample by name, uncompressed."""
    month = life.Month(seed, scale)
    month.play()
    rarities.sprinkle(month)
    edits.edit(month, EDITED_SHARE)
    edits.next_day(month)
    delivery.number(month.story.acts, month.stream("ids"))
    lines = delivery.deliver(month)
    truth = [c.truth() for c in month.conversations if c.acts]
    return {
        "updates.ndjson.gz": _ndjson(lines),
        "truth.ndjson.gz": _ndjson(truth),
        "telegram.json": _pretty(_lesson(lines)),
    }


def _lesson(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """The update that notebook 02 takes apart: an agent's answer that mentions the customer."""
    bodies: list[dict[str, Any]] = [line["body"] for line in lines if "body" in line]
    edited = {body["edited_message"]["message_id"] for body in bodies if "edited_message" in body}
    for body in bodies:
        message = body.get("message", {})
        kinds = [entity["type"] for entity in message.get("entities", [])]
        if (
            kinds == ["text_mention"] and message["from"]["username"].endswith("_aurora_loja")
            and "reply_to_message" in message and message["message_id"] not in edited
        ):  # fmt: skip
            return body
    raise LookupError("no message fits the lesson")


def _ndjson(rows: list[dict[str, Any]]) -> bytes:
    def encode(row: dict[str, Any]) -> str:
        # A lone surrogate (a byte that is not UTF-8) can only be written as an escape.
        return json.dumps(row, ensure_ascii="raw" in row, separators=(",", ":"))

    return "".join(encode(row) + "\n" for row in rows).encode()


def _pretty(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def main() -> None:
    """Write every file beside this one."""
    for name, content in make().items():
        packed = gzip.compress(content, 9, mtime=0) if name.endswith(".gz") else content
        (HERE / name).write_bytes(packed)
        print(f"{name}: {len(packed):,} bytes, {len(content.splitlines()):,} lines")


if __name__ == "__main__":
    main()
