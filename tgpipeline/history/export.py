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
from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Any

from tgpipeline.errors import HistoryError
from tgpipeline.history.file import EXPORT_AGAIN, ExportFile
from tgpipeline.progress import progress

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
        name: the group's title or the person's name; None where it is not told.
        type: as Telegram Desktop calls it, such as `private_supergroup`.
        id: as it stands in the file.
        messages: how many the file holds.
        newest_number: the latest date, as written, of a message whose author is a number and not
            text such as `user1`; empty if there is none.
    """

    name: Any = None
    type: Any = None
    id: Any = None
    messages: int = 0
    newest_number: str = ""

    @property
    def masked_ids(self) -> bool:
        """Whether its ids carry the kind of peer in the bits above 32.

        Only versions of Telegram Desktop from before 2021 wrote such ids. Ids above 2^32 that came
        later are people's own.
        """
        return "" < self.newest_number < "2021"

    def count(self, record: Any) -> None:
        """Take one of its messages into account."""
        self.messages += 1
        about = record if type(record) is dict else {}
        if type(about.get("from_id", about.get("actor_id"))) is int:
            self.newest_number = max(self.newest_number, str(about.get("date", "9")))

    def describe(self, text: str) -> bool:
        """Take name, type and id from the object that `text` begins with, if it is the chat's."""
        try:
            told, _ = _JSON.raw_decode(mend(text))
        except (ValueError, RecursionError):
            return False
        if "messages" in told:
            self.name, self.type, self.id = told.get("name"), told.get("type"), told.get("id")
        return "messages" in told


class Export:
    """The chats and messages of an export; both are read from its beginning, each time.

    Args:
        file: where it is.

    Attributes:
        mended: how many messages of the last pass were not JSON and could be mended.
        unreadable: the offsets, in bytes, of those that could not.
    """

    def __init__(self, file: ExportFile) -> None:
        self._file, self.mended = file, 0
        self.unreadable: list[int] = []

    def chats(self) -> list[Chat]:
        """The chats, in order; of a file that breaks off, those before the break.

        Raises:
            HistoryError: if there is none, saying what the file is instead.
        """
        found: list[Chat] = []
        try:
            for chat, record in self._pass("bytes searched for chats"):
                if record is chat:
                    found.append(chat)
                else:
                    chat.count(record)
        except HistoryError:
            if not any(chat.messages for chat in found):
                raise
        if not found:
            why = "is JSON, but not an export of Telegram Desktop: it has no list of messages"
            again = f"If it is of contacts or settings, {EXPORT_AGAIN}"
            raise HistoryError(f"{self._file.name} {why}. {again}.")
        return found

    def records(self, of: Container[int]) -> Iterator[tuple[int, Any]]:
        """Every message of some chats.

        Args:
            of: their positions in what `chats` returns.

        Yields:
            The position of its chat, and the message as parsed; None for one that cannot be.

        Raises:
            HistoryError: naming the byte where the file breaks off.
        """
        number = -1
        for chat, record in self._pass("bytes imported"):
            if record is chat:
                number += 1
            elif number in of:
                yield number, record

    def _pass(self, doing: str) -> Iterator[tuple[Chat, Any]]:
        """Each chat with itself where its messages begin, then with each of them."""
        self.mended, self.unreadable = 0, []
        with progress(doing, self._file.size) as advance:
            window = _Window(self._file.name, self._file.pieces(advance))
            while (chat := window.next_chat()) is not None:
                yield chat, chat
                for record in self._records(window):
                    yield chat, record
                if chat.id is None:  # some programs write it behind the messages
                    window.more()
                    chat.describe('{"messages": []' + window.text[window.position :])
        if not window.text.rstrip().endswith("}"):
            raise window.broken("")

    def _records(self, window: "_Window") -> Iterator[Any]:
        """The messages of one list, from its opening bracket to its closing one."""
        while not window.list_ends():
            try:
                record, window.position = _JSON.raw_decode(window.text, window.position)
            except (ValueError, RecursionError) as error:
                if self._can_try_again(window, error):
                    continue
                record = None
            yield record

    def _can_try_again(self, window: "_Window", error: Exception) -> bool:
        """Read on, or mend the message that was refused; if neither helps, step over it."""
        start, text = window.position, window.text
        place = getattr(error, "pos", start)  # not told where a number is too long
        if not window.ended and not _MESSAGE.search(text, place):
            window.more()
            return True
        following = _MESSAGE.search(text, start + 1)
        end = following.start() if following else len(text)
        cut = place >= len(text.rstrip()) or "Unterminated" in str(error)
        if not following and (cut or not text.rstrip().endswith("}")):
            raise window.broken(f", in the message that begins at byte {window.offset:,}")
        mended = mend(text[start:end])
        if mended != text[start:end]:
            window.text = text[:start] + mended + text[end:]
            self.mended += 1
            return True
        self.unreadable.append(window.offset)
        if following and not _LIST.search(text, start, end):
            window.position = end
        else:  # it was the last of its chat
            window.text = f"{text[:start]}]{text[start:]}"
        return False


class _Window:
    """The part of a file that is being looked at: `text` from `position` on."""

    def __init__(self, name: str, pieces: Iterator[bytes]) -> None:
        self.text, self.position, self.ended = "", 0, False
        self._name, self._pieces, self._bytes = name, pieces, 0
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    @property
    def offset(self) -> int:
        """The position in the file, in bytes."""
        return self._bytes - len(self.text[self.position :].encode())

    def more(self) -> bool:
        """Forget what lies before the position and read on; False where the file has ended."""
        piece = next(self._pieces, b"")
        self.ended = not piece
        self._bytes += len(piece)
        self.text = self.text[self.position :] + self._decode(piece, self.ended)
        self.position = 0
        if len(self.text) > MAX_MESSAGE:
            why = f"what begins at byte {self.offset:,} is longer than any message of Telegram"
            raise HistoryError(f"{self._name} is no export: {why}.")
        return not self.ended

    def next_chat(self) -> Chat | None:
        """The chat whose list of messages comes next; the window then stands in that list."""
        while (found := _LIST.search(self.text, self.position)) is None:
            self.position = max(self.position, len(self.text) - HEADER)
            if not self.more():
                return None
        before = self.text[self.position : found.start()] + '"messages": []}'
        self.position, chat = found.end(), Chat()
        braces = [brace.start() for brace in re.finditer(r"\{", before)]
        any(chat.describe(before[brace:]) for brace in reversed(braces))
        return chat

    def list_ends(self) -> bool:
        """Step over what stands between two messages; True if the list ends there."""
        between = _BETWEEN.match(self.text, self.position)
        assert between, "it may be empty"
        self.position = between.end()
        return bool(between[1])

    def broken(self, where: str) -> HistoryError:
        """The error for a file that ends too early."""
        why = f"breaks off at byte {self._bytes:,}{where}: it was not finished, or not copied whole"
        return HistoryError(f"{self._name} {why}. Copy or export it again.")


def mend(text: str) -> str:
    r"""JSON without the faults that Telegram Desktop's has.

    >>> mend(r'{"text": "\x09"}')
    '{"text": "\\u0009"}'
    """
    text = _ESCAPE.sub(lambda m: rf"\u00{m[1]}" if m[1] else m[0], text)
    return _UNQUOTED.sub(lambda m: m[1] + json.dumps(m[2]) + m[3], text)
