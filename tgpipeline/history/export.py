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
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tgpipeline import resources
from tgpipeline.errors import HistoryError
from tgpipeline.progress import progress

SENTENCES: dict[str, str] = resources.data("history/sentences.toml")
# What is wrong with a file that begins so.
_BEGINS = {"{": "", "<": "html", "\ufffd": "not_utf8", "PK": "cut_zip", "": "no_export"}
READ_SIZE = 1 << 20
MAX_MESSAGE = 1 << 26  # characters; Telegram Desktop's have some hundred thousand at most
HEADER = 1 << 16  # characters that are kept of what stands between two chats
# In a string every quote is escaped, so these two match only what stands outside of strings.
_LIST = re.compile(r'"messages"\s*:\s*\[')
_NEXT = re.compile(r'\{\s*"id"\s*:\s*-?\d+\s*,\s*"type"\s*:|' + _LIST.pattern)
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


def read_chats(path: str | Path) -> list[Chat]:
    """The chats of an export, in order; of a file that breaks off, those before the break.

    Raises:
        HistoryError: if there is none, saying what the file is instead.
    """
    export = Export(path, "bytes searched for chats")
    try:
        for position, record in export.records():
            chat, about = export.chats[position], record if type(record) is dict else {}
            chat.messages += 1
            if type(about.get("from_id", about.get("actor_id"))) is int:  # the latest one counts
                chat.masked_ids = str(about.get("date", "9")) < "2021"
    except HistoryError:
        if not any(chat.messages for chat in export.chats):
            raise
    if not export.chats:
        raise _refusal(path, "no_list")
    return export.chats


class Export:
    """One reading of an export, from its beginning to its end.

    The window is `_text`: from `_position` on it has not been read.

    Args:
        path: `result.json`, the folder it is in, or a zip of either.
        doing: what its bytes are read for, to show how far it is.

    Attributes:
        chats: those whose messages have been reached.
        unreadable: the offsets, in bytes, of those that could not be read.
    """

    def __init__(self, path: str | Path, doing: str) -> None:
        self.chats, self.unreadable = list[Chat](), list[int]()
        self._path, self._pieces = path, _pieces(path, doing)
        self._text, self._position, self._bytes, self._ended = "", 0, 0, False
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("replace").decode

    def records(self) -> Iterator[tuple[int, Any]]:
        """Every message.

        Yields:
            The position of its chat in `chats`, and the message as parsed; None for one that
            cannot be.

        Raises:
            HistoryError: if the file cannot be read, is no export, or breaks off; names the byte.
        """
        while self._finds_chat():
            while not self._list_ends():
                try:
                    record, self._position = _JSON.raw_decode(self._text, self._position)
                except (ValueError, RecursionError) as error:
                    if self._can_try_again(error):
                        continue
                    record = None
                yield len(self.chats) - 1, record
            if self.chats[-1].told.get("id") is None:  # some programs write it behind the messages
                self._read_on()
                self.chats[-1].told |= _chat_of('{"messages": []' + self._text[self._position :])
        if not self._text.rstrip().endswith("}"):
            raise _refusal(self._path, "broken", self._bytes)

    def _finds_chat(self) -> bool:
        """Go to where the messages of the next chat begin; False if there is none."""
        while (found := _LIST.search(self._text, self._position)) is None:
            self._position = max(self._position, len(self._text) - HEADER)
            if not self._read_on():
                return False
        before = self._text[self._position : found.start()] + '"messages": []}'
        self._position = found.end()
        braces = reversed([*re.finditer("{", before)])
        objects = (_chat_of(before[brace.start() :]) for brace in braces)
        self.chats.append(Chat(next(filter(None, objects), {})))
        return True

    def _list_ends(self) -> bool:
        """Step over what stands between two messages; True if the list ends there."""
        between = next(_BETWEEN.finditer(self._text, self._position))  # it may be empty
        self._position = between.end()
        return bool(between[1])

    def _read_on(self) -> bool:
        """Forget what lies before the position and read on; False where the file has ended."""
        piece = next(self._pieces, b"")
        self._ended = not piece
        text = self._decode(piece, self._ended)
        if not self._bytes:  # what a file is shows at its beginning
            why = next(why for begin, why in _BEGINS.items() if text.lstrip().startswith(begin))
            if why:
                raise _refusal(self._path, why)
        self._bytes += len(piece)
        self._text, self._position = self._text[self._position :] + text, 0
        if len(self._text) > MAX_MESSAGE:
            raise _refusal(self._path, "too_long", self._offset())
        return not self._ended

    def _can_try_again(self, error: Exception) -> bool:
        """Read on, or mend the message that was refused; if neither helps, step over it."""
        start, text = self._position, self._text
        place = getattr(error, "pos", start)  # not told where a number is too long
        if not self._ended and not _NEXT.search(text, place):
            self._read_on()
            return True
        following = _NEXT.search(text, start + 1)
        end = following.start() if following else len(text)
        cut = place >= len(text.rstrip()) or "Unterminated" in str(error)
        if not following and (cut or not text.rstrip().endswith("}")):
            raise _refusal(self._path, "broken_message", self._bytes, self._offset())
        mended = text[:start] + mend(text[start:end]) + text[end:]
        if mended != text:
            self._text = mended
            return True
        self.unreadable.append(self._offset())
        if following and following[0].startswith("{"):
            self._position = end
        else:  # it was the last of its chat
            self._text = f"{text[:start]}]{text[start:]}"
        return False

    def _offset(self) -> int:
        """The position in the file, in bytes."""
        return self._bytes - len(self._text[self._position :].encode())


def _pieces(path: str | Path, doing: str) -> Iterator[bytes]:
    """The JSON of an export in pieces of a megabyte."""
    done = 0
    try:
        stream, size = _opened(path)
        with stream, progress(doing, size) as advance:
            while piece := stream.read(READ_SIZE):
                advance(len(piece))
                done += len(piece)
                yield piece
    except (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        why = getattr(error, "strerror", None) or error
        raise _refusal(path, "unread" if done else "unopened", why, done) from None


def _opened(path: str | Path) -> tuple[IO[bytes], int]:
    """The JSON of an export, and its size in bytes."""
    found = Path(path)
    if found.is_dir():
        found = Path(_pick(path, [*map(str, found.glob("*.*")), *map(str, found.glob("*/*.*"))]))
    if zipfile.is_zipfile(found):
        archive = zipfile.ZipFile(found)
        info = archive.getinfo(_pick(path, archive.namelist()))
        return archive.open(info), info.file_size
    return found.open("rb"), found.stat().st_size


def _pick(path: str | Path, names: list[str]) -> str:
    """The export among the files of a folder or a zip: the one that is least deep."""
    exports = [name for name in names if f"/{name}".endswith("/result.json")]
    if not exports:
        html = any(f"/{name}".endswith("/messages.html") for name in names)
        raise _refusal(path, "html" if html else "no_file")
    return min(exports, key=lambda name: name.count("/"))


def _refusal(path: str | Path, what: str, *values: object) -> HistoryError:
    return HistoryError(f"{path} {SENTENCES[what].format(*values)}")


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
