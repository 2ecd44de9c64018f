"""Text as Telegram sees it: entities found in it, or written as HTML; offsets in UTF-16 units.

Source: https://core.telegram.org/bots/api#formatting-options
"""

import re
from collections.abc import Iterable
from html.parser import HTMLParser

from telegram_standin.updates import NAMES, Json

_ENTITY = re.compile(
    r"(?P<url>https?://[^\s<>\"]+)|(?<![\w/])(?P<bot_command>/\w{1,32}(?:@\w{3,32})?)"
    r"|(?<!\w)(?P<mention>@\w{4,32})|(?<!\w)(?P<hashtag>#\w+)"
)
_TAGS: dict[str, str] = NAMES["html_tags"]


def utf16_len(text: str) -> int:
    """Length in UTF-16 code units, as the Bot API counts.

    >>> utf16_len("ação 👍")
    7
    """
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def find_entities(text: str) -> list[Json]:
    """What Telegram marks by itself: commands, links, mentions, hashtags.

    >>> find_entities("👍 /start")
    [{'type': 'bot_command', 'offset': 3, 'length': 6}]
    """
    return [
        {"type": m.lastgroup, "offset": utf16_len(text[: m.start()]), "length": utf16_len(m[0])}
        for m in _ENTITY.finditer(text)
    ]


def entities_field(name: str) -> str:
    """The field of a Message that holds the entities of its text or of its caption."""
    return "entities" if name == "text" else f"{name}_entities"


def text_fields(text: str, name: str = "text", entities: Iterable[Json] = ()) -> Json:
    """A text or a caption as fields of a Message, with the entities found in it and those given.

    >>> text_fields("oi #ana")["entities"]
    [{'type': 'hashtag', 'offset': 3, 'length': 4}]
    >>> text_fields("", "caption")
    {}
    """
    found = sorted([*entities, *find_entities(text)], key=lambda e: int(e["offset"]))
    fields: Json = {name: text, entities_field(name): found}
    return {field: value for field, value in fields.items() if value}


class _HtmlReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.entities: list[Json] = []
        self._open: list[tuple[str, int, Json]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS:
            raise ValueError(f'Unsupported start tag "{tag}"')
        extra = {"url": dict(attrs).get("href") or ""} if tag == "a" else {}
        self._open.append((tag, utf16_len(self.text), extra))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1][0] != tag:
            raise ValueError(f'Unexpected end tag "{tag}"')
        _, start, extra = self._open.pop()
        if length := utf16_len(self.text) - start:
            self.entities.append({"type": _TAGS[tag], "offset": start, "length": length, **extra})

    def handle_data(self, data: str) -> None:
        self.text += data

    def close(self) -> None:
        super().close()
        if self._open:
            raise ValueError(
                f'Can\'t find end tag corresponding to start tag "{self._open[-1][0]}"'
            )


def parse_html(source: str) -> tuple[str, list[Json]]:
    """Text and entities of a message written with `parse_mode` HTML.

    Raises:
        ValueError: if a tag is unknown, unopened or unclosed.

    >>> parse_html("Olá, <b>mundo</b> &amp; cia")
    ('Olá, mundo & cia', [{'type': 'bold', 'offset': 5, 'length': 5}])
    """
    reader = _HtmlReader()
    reader.feed(source)
    reader.close()
    return reader.text, sorted(reader.entities, key=lambda e: (e["offset"], -e["length"]))
