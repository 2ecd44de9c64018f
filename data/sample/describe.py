"""Prints what the sample looks like beside real groups: `python data/sample/describe.py`."""

import gzip
import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SAO_PAULO = timezone(timedelta(hours=-3))
GROUP, SUPERGROUP = -4123456789, -1004123456789
BURST = 180  # seconds of silence that end a burst
MEDIA = (
    "photo",
    "video",
    "voice",
    "sticker",
    "document",
    "animation",
    "video_note",
    "audio",
    "location",
)
SERVICE = (
    "new_chat_members", "left_chat_member", "new_chat_title", "new_chat_photo", "pinned_message",
    "migrate_to_chat_id", "migrate_from_chat_id",
)  # fmt: skip
# Measured on exports of real groups; tolerance for the sample.
REAL = {
    "reply share": (0.47, 0.05), "media share": (0.04, 0.012), "edited share": (0.10, 0.015),
    "length q50": (53, 6), "length q75": (96, 10), "length q90": (151, 18), "length q99": (532, 80),
    "gap q50": (10, 3), "gap q75": (29, 6), "gap q90": (69, 14), "mean run": (1.42, 0.12),
}  # fmt: skip


def read(path: Path = HERE / "updates.ndjson.gz") -> list[dict[str, Any]]:
    """The lines of the sample, in order of delivery."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def versions(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The group's messages, service messages too: each once, in its latest version."""
    latest: dict[tuple[int, int], dict[str, Any]] = {}
    for line in lines:
        body = line.get("body", {})
        message = line.get("sent") or body.get("message") or body.get("edited_message")
        if not message or message["chat"]["id"] not in (GROUP, SUPERGROUP):
            continue
        key = message["chat"]["id"], message["message_id"]
        if message.get("edit_date", 0) >= latest.get(key, {}).get("edit_date", 0):
            latest[key] = message
    return sorted(latest.values(), key=lambda m: (m["date"], -m["chat"]["id"], m["message_id"]))


def quantile(values: Iterable[float], share: float) -> float:
    """The value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def figures(lines: list[dict[str, Any]]) -> dict[str, float]:
    """The figures of `REAL`, and the share of texts that are distinct."""
    said = [m for m in versions(lines) if not any(name in m for name in SERVICE)]
    texts = [m["text"] for m in said if "text" in m]
    sizes = [len(text) for text in texts]
    gaps = [b["date"] - a["date"] for a, b in pairwise(said)]
    gaps = [gap for gap in gaps if gap <= BURST]
    runs = 1 + sum(a["from"]["id"] != b["from"]["id"] for a, b in pairwise(said))
    made = {
        "reply share": sum("reply_to_message" in m for m in said) / len(said),
        "media share": sum(any(name in m for name in MEDIA) for m in said) / len(said),
        "edited share": sum("edit_date" in m for m in said) / len(said),
    }
    made |= {f"length q{share}": quantile(sizes, share / 100) for share in (50, 75, 90, 99)}
    made |= {f"gap q{share}": quantile(gaps, share / 100) for share in (50, 75, 90)}
    return made | {"mean run": len(said) / runs, "distinct texts": len(set(texts)) / len(texts)}


def main() -> None:
    """Print the figures, then counts by kind, by day and by hour."""
    lines = read()
    for name, value in figures(lines).items():
        real, tolerance = REAL.get(name, (0.85, 0.15))
        sign = ">" if name not in REAL else " "
        print(f"{name:16} {value:9.3f}   real {sign}{real:7.2f} ± {tolerance}")
    messages = versions(lines)
    print(f"\n{len(messages)} messages, {len({m['from']['id'] for m in messages})} senders")
    kinds = Counter(
        next(k for k in line["body"] if k != "update_id") for line in lines if "body" in line
    )
    kinds.update(
        sent=sum("sent" in line for line in lines), raw=sum("raw" in line for line in lines)
    )
    print(", ".join(f"{kind} {number}" for kind, number in kinds.most_common()))
    moments = [datetime.fromtimestamp(m["date"], SAO_PAULO) for m in messages]
    for title, form in (("day", "%m-%d %a"), ("hour", "%H")):
        print(f"\nmessages by {title}")
        for name, number in sorted(Counter(moment.strftime(form) for moment in moments).items()):
            print(f"{name:10} {number:4} {'▪' * (number // 6)}")


if __name__ == "__main__":
    main()
