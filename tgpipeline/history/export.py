"""Reading a Telegram Desktop export message by message, however large and however damaged.

An export is one JSON document, often of gigabytes, and often not quite JSON: Telegram Desktop
writes control characters as `\\x01`, and some versions leave the path of a custom emoji without
quotes. So the document is never parsed as a whole. A window moves over the file; the standard
library's decoder takes one message after the other out of it and says where each ends. A message
that it refuses ends where the next one begins: it is mended or left out, and costs only itself.

Sources: https://core.telegram.org/import-export,
https://github.com/telegramdesktop/tdesktop/issues/27571 (control characters) and
https://github.com/telegramdesktop/tdesktop/issues/24961 (custom emoji).
"""

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tgpipeline.errors import HistoryError
from tgpipeline.history.file import EXPORT_AGAIN, ExportFile

MAX_MESSAGE = 1 << 26  # characters; Telegram Desktop's have some hundred thousand at most
HEADER = 1 << 16  # characters that are kept of what stands between two chats
# In a string every quote is escaped, so these two match only what stands outside of strings.
_LIST = re.compile(r'"messages"\s*:\s*\[')
_MESSAGE = re.compile(r'\{\s*"id"\s*:\s*-?\d+\s*,\s*"type"\s*:')
_BETWEEN = re.compile(r"[\s,]*(\]?)")
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|.)", re.DOTALL)
_UNQUOTED = re.compile(r'("document_id": )([^"\s\d-][^\n]*?)(,?\r?\n)')
# Strings may hold line breaks; NaN, which other programs write, is no value.
_JSON = json.JSONDecoder(strict=False, parse_constant=lambda _: None)


@dataclass
class Chat:
    """What an export says of one chat, beside its messages.

    Attributes:
        told: its `name` (a group's title or a person's name), its `type` as Telegram Desktop calls
            it, such as `private_supergroup`, and its `id`, all as they stand in the file.
        messages: how many have been read.
        masked_ids: whether its ids carry the kind of peer in the bits above 32. Only versions of
            Telegram Desktop from before 2021 wrote such ids, and authors as numbers, not as text
            such as `user1`. Ids above 2^32 that came later are people's own.
    """

    told: dict[str, Any]
    messages: int = 0
    masked_ids: bool = False

    def count(self, record: Any) -> None:
        """Take one of its messages into account; of who wrote numbers, the latest one counts."""
        self.messages += 1
        about = record if type(record) is dict else {}
        if type(about.get("from_id", about.get("actor_id"))) is int:
            self.masked_ids = str(about.get("date", "9")) < "2021"


def read_chats(file: ExportFile) -> list[Chat]:
    """The chats of an export, in order; of a file that breaks off, those before the break.

    Raises:
        HistoryError: if there is none, saying what the file is instead.
    """
    export = Export(file, "bytes searched for chats")
    try:
        for _ in export.records():
            pass
    except HistoryError:
        if not any(chat.messages for chat in export.chats):
            raise
    if not export.chats:
        why = "is JSON, but not an export of Telegram Desktop: it has no list of messages"
        again = f"If it is of contacts or settings, {EXPORT_AGAIN}"
        raise HistoryError(f"{file.name} {why}. {again}.")
    return export.chats


class Export:
    """One reading of an export, from its beginning to its end.

    The window is `_text`: from `_position` on it has not been read.

    Args:
        file: where it is.
        doing: what its bytes are read for, to show how far it is.

    Attributes:
        chats: those whose messages have been reached.
        unreadable: the offsets, in bytes, of those that could not.
    """

    def __init__(self, file: ExportFile, doing: str) -> None:
        self.chats: list[Chat] = []
        self.unreadable: list[int] = []
        self._file, self._pieces = file, file.pieces(doing)
        self._text, self._position, self._bytes, self._ended = "", 0, 0, False
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    def records(self) -> Iterator[tuple[int, Any]]:
        """Every message.

        Yields:
            The position of its chat in `chats`, and the message as parsed; None for one that
            cannot be.

        Raises:
            HistoryError: naming the byte where the file breaks off.
        """
        while self._finds_chat():
            chat = self.chats[-1]
            while not self._list_ends():
                try:
                    record, self._position = _JSON.raw_decode(self._text, self._position)
                except (ValueError, RecursionError) as error:
                    if self._can_try_again(error):
                        continue
                    record = None
                chat.count(record)
                yield len(self.chats) - 1, record
            if chat.told.get("id") is None:  # some programs write it behind the messages
                self._read_on()
                chat.told |= _chat_of('{"messages": []' + self._text[self._position :])
        if not self._text.rstrip().endswith("}"):
            raise self._broken("")

    def _finds_chat(self) -> bool:
        """Go to where the messages of the next chat begin; False if there is none."""
        while (found := _LIST.search(self._text, self._position)) is None:
            self._position = max(self._position, len(self._text) - HEADER)
            if not self._read_on():
                return False
        before = self._text[self._position : found.start()] + '"messages": []}'
        self._position = found.end()
        braces = [brace.start() for brace in re.finditer(r"\{", before)]
        objects = (_chat_of(before[brace:]) for brace in reversed(braces))
        self.chats.append(Chat(next(filter(None, objects), {})))
        return True

    def _list_ends(self) -> bool:
        """Step over what stands between two messages; True if the list ends there."""
        between = _BETWEEN.match(self._text, self._position)
        assert between, "it may be empty"
        self._position = between.end()
        return bool(between[1])

    def _read_on(self) -> bool:
        """Forget what lies before the position and read on; False where the file has ended."""
        piece = next(self._pieces, b"")
        self._ended = not piece
        self._bytes += len(piece)
        self._text = self._text[self._position :] + self._decode(piece, self._ended)
        self._position = 0
        if len(self._text) > MAX_MESSAGE:
            why = f"what begins at byte {self._offset:,} is longer than any message of Telegram"
            raise HistoryError(f"{self._file.name} is no export: {why}.")
        return not self._ended

    def _can_try_again(self, error: Exception) -> bool:
        """Read on, or mend the message that was refused; if neither helps, step over it."""
        start, text = self._position, self._text
        place = getattr(error, "pos", start)  # not told where a number is too long
        if not self._ended and not _MESSAGE.search(text, place):
            self._read_on()
            return True
        following = _MESSAGE.search(text, start + 1)
        end = following.start() if following else len(text)
        cut = place >= len(text.rstrip()) or "Unterminated" in str(error)
        if not following and (cut or not text.rstrip().endswith("}")):
            raise self._broken(f", in the message that begins at byte {self._offset:,}")
        mended = mend(text[start:end])
        if mended != text[start:end]:
            self._text = text[:start] + mended + text[end:]
            return True
        self.unreadable.append(self._offset)
        if following and not _LIST.search(text, start, end):
            self._position = end
        else:  # it was the last of its chat
            self._text = f"{text[:start]}]{text[start:]}"
        return False

    @property
    def _offset(self) -> int:
        """The position in the file, in bytes."""
        return self._bytes - len(self._text[self._position :].encode())

    def _broken(self, where: str) -> HistoryError:
        """The error for a file that ends too early."""
        why = f"breaks off at byte {self._bytes:,}{where}: it was not finished, or not copied whole"
        return HistoryError(f"{self._file.name} {why}. Copy or export it again.")


def _chat_of(text: str) -> dict[str, Any]:
    """The object that `text` begins with, if it is a chat's; else an empty one."""
    try:
        told, _ = _JSON.raw_decode(mend(text))
    except (ValueError, RecursionError):
        return {}
    return told if "messages" in told else {}


def mend(text: str) -> str:
    r"""JSON without the faults that Telegram Desktop's has.

    >>> mend(r'{"text": "\x09"}')
    '{"text": "\\u0009"}'
    """
    text = _ESCAPE.sub(lambda m: rf"\u00{m[1]}" if m[1] else m[0], text)
    return _UNQUOTED.sub(lambda m: m[1] + json.dumps(m[2]) + m[3], text)
