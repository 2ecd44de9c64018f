"""Reading a Telegram Desktop export piece by piece, however large and however damaged.

An export is one JSON document, often of gigabytes, and often not quite JSON: Telegram Desktop
writes control characters as `\\x01`, and some versions leave the path of a custom emoji without
quotes. A JSON parser, streaming or not, ends at the first of these. So the document is only cut at
its brackets here; each message is then parsed by itself, mended if need be, and one that cannot be
read costs itself only.

Sources: https://core.telegram.org/import-export,
https://github.com/telegramdesktop/tdesktop/issues/27571 (control characters) and
https://github.com/telegramdesktop/tdesktop/issues/24961 (custom emoji).
"""

import json
import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from tgpipeline.errors import HistoryError
from tgpipeline.history.file import AGAIN, ExportFile

LONGEST = 1 << 26  # of one message; those that Telegram Desktop writes have some hundred kB at most
DEEPEST = 100
# Everything up to the next bracket that stands in no string.
_BRACKET = re.compile(rb'[^"{}\[\]]*+(?:"(?:[^"\\]++|\\.)*+"[^"{}\[\]]*+)*+([{}\[\]])', re.DOTALL)
_MESSAGES = re.compile(rb'"messages"\s*:\s*\Z')
_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|.)", re.DOTALL)
_UNQUOTED = re.compile(rb'("document_id": )([^"\s\d-][^\n]*?)(,?\r?\n)')


@dataclass
class Chat:
    """What an export says of one chat, beside its messages.

    Attributes:
        name: the group's title or the person's name; None where it is not told.
        type: as Telegram Desktop calls it, such as `private_supergroup`.
        id: as it stands in the file.
        messages: how many the file holds.
        old_ids: whether ids are numbers, as versions before 2021 wrote them.
    """

    name: Any = None
    type: Any = None
    id: Any = None
    messages: int = 0
    old_ids: bool | None = None


@dataclass
class _Open:
    """A bracket not yet closed (`messages`: a chat's list of them), and its own level's text."""

    bracket: bytes
    messages: bool
    text: bytearray = field(default_factory=bytearray)
    chat: Chat | None = None


class Export:
    """The chats and messages of an export; both are read from its beginning, each time.

    Args:
        file: where it is.

    Attributes:
        mended: how many messages of the last pass were not JSON and could be mended.
    """

    def __init__(self, file: ExportFile) -> None:
        self.name, self.mended = file.name, 0
        self._pieces = file.pieces

    def chats(self, progress: Callable[[int], object] = int) -> list[Chat]:
        """The chats, in order; of a file that breaks off, those before the break.

        Args:
            progress: told how many more bytes have been read.

        Raises:
            HistoryError: if there is none, saying what the file is instead.
        """
        found: list[Chat] = []
        try:
            for chat, _, body in self._cut(progress):
                if body is None:
                    found.append(chat)
                    continue
                chat.messages += 1
                record = self._parse(body) if chat.old_ids is None else None
                if type(record) is dict:
                    person = record.get("from_id", record.get("actor_id"))
                    chat.old_ids = None if person is None else type(person) is int
        except HistoryError:
            if not any(chat.messages for chat in found):
                raise
        if not found:
            raise HistoryError(
                f"{self.name} is JSON, but not an export of Telegram Desktop: it has no list of "
                f"messages. If it is one of contacts or of settings only, {AGAIN}."
            )
        return found

    def messages(
        self, of: Container[int], progress: Callable[[int], object] = int
    ) -> Iterator[tuple[int, int, Any]]:
        """Every message of some chats.

        Args:
            of: their positions in what `chats` returns.
            progress: told how many more bytes have been read.

        Yields:
            The position of its chat, the message's offset in bytes, and the message as parsed; None
            for one that cannot be.

        Raises:
            HistoryError: naming the byte where the file breaks off, or where it is no JSON.
        """
        number, self.mended = -1, 0
        for _, offset, body in self._cut(progress):
            if body is None:
                number += 1
            elif number in of:
                yield number, offset, self._parse(body)

    def _cut(self, progress: Callable[[int], object]) -> Iterator[tuple[Chat, int, bytes | None]]:
        """Each chat where its messages begin (with None), and the bytes of each of them."""
        stack: list[_Open] = []
        chat = Chat()
        buffer, base = b"", 0  # what is not done with yet, and its offset in the file
        position = start = depth = 0  # in the buffer; `depth` counts brackets inside a message
        for piece in self._pieces(progress):
            kept = start if depth else position
            buffer, base = buffer[kept:] + piece, base + kept
            position, start = position - kept, start - kept
            while found := _BRACKET.match(buffer, position):
                before, position, bracket = position, found.end(), found[1]
                opens = bracket in b"{["
                if depth:
                    depth += 1 if opens else -1
                    if not depth:
                        yield chat, base + start, buffer[start:position]
                    continue
                text = buffer[before : position - 1]
                if stack and stack[-1].messages:
                    if stray := text.strip(b", \r\n\t"):  # null or a number: no message at all
                        yield chat, base + before, stray
                    if opens:
                        start, depth = position - 1, 1
                        continue
                begun = self._step(stack, bracket, text, base + position - 1)
                if begun is not None:
                    chat = begun
                    yield chat, base + position, None
            pending = start if depth else position
            if len(buffer) - pending > LONGEST:
                raise HistoryError(
                    f"{self.name}: what begins at byte {base + pending:,} is longer than "
                    f"{LONGEST >> 20} MB, which no message of Telegram is."
                )
        if stack or not base + position:
            inside = f", in the message that begins at byte {base + start:,}" if depth else ""
            raise HistoryError(
                f"{self.name} breaks off at byte {base + len(buffer):,}{inside}: it was not "
                "finished, or not copied whole. Copy or export it again."
            )

    def _step(self, stack: list[_Open], bracket: bytes, text: bytes, offset: int) -> Chat | None:
        """Follow one bracket outside of messages; the chat, where its messages begin."""
        if bracket in b"}]":
            closed = stack.pop() if stack else None
            if closed is None or closed.bracket + bracket not in (b"{}", b"[]"):
                raise HistoryError(f"{self.name} is not JSON at byte {offset:,}: stray bracket.")
            if closed.chat is not None:  # what some programs write behind the messages
                _describe(closed.chat, bytes(closed.text + text))
            return None
        begins = bool(stack) and bracket == b"[" and _MESSAGES.search(text) is not None
        if stack:
            stack[-1].text += text + b"null"
        stack.append(_Open(bracket, begins))
        if len(stack) > DEEPEST:
            raise HistoryError(f"{self.name} is no export: nested too deeply at byte {offset:,}.")
        if not begins:
            return None
        chat = stack[-2].chat = Chat()
        _describe(chat, bytes(stack[-2].text))
        return chat

    def _parse(self, body: bytes) -> Any:
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            record = mend(body)
            self.mended += record is not None
            return record


def mend(body: bytes) -> Any:
    r"""Parse JSON with the faults that Telegram Desktop's has; None if that does not help.

    >>> mend(rb'{"text": "\x09"}')
    {'text': '\t'}
    """
    body = _ESCAPE.sub(lambda m: b"\\u00" + m[1] if m[1] else m[0], body)
    body = _UNQUOTED.sub(
        lambda m: m[1] + json.dumps(m[2].decode("utf-8", "replace")).encode() + m[3], body
    )
    try:
        value = json.loads(body.decode("utf-8", "replace"), strict=False)
        whole = json.dumps(value, ensure_ascii=False).encode("utf-16", "surrogatepass")
        return orjson.loads(whole.decode("utf-16", "replace"))
    except (ValueError, RecursionError):
        return None


def _describe(chat: Chat, text: bytes) -> None:
    told = mend(b"{" + text + b"}")
    if type(told) is dict:
        chat.name, chat.type, chat.id = told.get("name"), told.get("type"), told.get("id")
