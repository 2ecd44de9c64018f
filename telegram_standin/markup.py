"""Text as Telegram sees it: entities found in it, or written as HTML; offsets in UTF-16 units.

Source: https://core.telegram.org/bots/api#formatting-options
"""

import re
from html.parser import HTMLParser
from typing import Any

_FOUND = re.compile(
    r"(?P<url>https?://[^\s<>\"]+)|(?<![\w/])(?P<bot_command>/\w{1,32}(?:@\w{3,32})?)"
    r"|(?<!\w)(?P<mention>@\w{4,32})|(?<!\w)(?P<hashtag>#\w+)"
)
_TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "blockquote": "blockquote",
}


def units(text: str) -> int:
    """Length in UTF-16 code units, as the Bot API counts.

    >>> units("ação 👍")
    7
    """
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def entities(text: str) -> list[dict[str, Any]]:
    """What Telegram marks by itself: commands, links, mentions, hashtags.

    >>> entities("👍 /start")
    [{'type': 'bot_command', 'offset': 3, 'length': 6}]
    """
    return [
        {"type": m.lastgroup, "offset": units(text[: m.start()]), "length": units(m[0])}
        for m in _FOUND.finditer(text)
    ]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.found: list[dict[str, Any]] = []
        self._open: list[tuple[str, int, dict[str, Any]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS:
            raise ValueError(f'Unsupported start tag "{tag}"')
        extra = {"url": dict(attrs).get("href") or ""} if tag == "a" else {}
        self._open.append((tag, units(self.text), extra))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1][0] != tag:
            raise ValueError(f'Unexpected end tag "{tag}"')
        _, start, extra = self._open.pop()
        if length := units(self.text) - start:
            self.found.append({"type": _TAGS[tag], "offset": start, "length": length, **extra})

    def handle_data(self, data: str) -> None:
        self.text += data

    def close(self) -> None:
        super().close()
        if self._open:
            raise ValueError(
                f'Can\'t find end tag corresponding to start tag "{self._open[-1][0]}"'
            )


def read_html(source: str) -> tuple[str, list[dict[str, Any]]]:
    """Text and entities of a message written with `parse_mode` HTML.

    Raises:
        ValueError: if a tag is unknown, unopened or unclosed.

    >>> read_html("Olá, <b>mundo</b> &amp; cia")
    ('Olá, mundo & cia', [{'type': 'bold', 'offset': 5, 'length': 5}])
    """
    reader = _Reader()
    reader.feed(source)
    reader.close()
    marked = sorted(reader.found, key=lambda e: (e["offset"], -e["length"]))
    return reader.text, marked
