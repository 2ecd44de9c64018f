"""Finding the JSON of a Telegram Desktop export: in a file, a folder or a zip."""

import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from tgpipeline.errors import HistoryError

READ_SIZE = 1 << 20
EXPORT_AGAIN = 'export the chat again in Telegram Desktop, with the format "Machine-readable JSON"'
_HTML = f"is an HTML export, which cannot be imported: {EXPORT_AGAIN}."
_UTF16 = "is UTF-16: save it as UTF-8, as it was exported."
# What a file is, by how it begins.
_KINDS = {
    b"{": "",
    b"<": _HTML,
    b"\xff\xfe": _UTF16,
    b"\xfe\xff": _UTF16,
    b"PK": "is a zip that was not copied whole: copy it again.",
    b"": "is not an export of Telegram Desktop: that begins with an opening brace.",
}


class ExportFile:
    """A `result.json`, the folder it is in, or a zip of either.

    Args:
        path: where it is.

    Attributes:
        name: the path, for messages to people.
        size: bytes of JSON.

    Raises:
        HistoryError: if there is no such file, or no JSON export in it.
    """

    def __init__(self, path: str | Path) -> None:
        self.name, found = str(path), Path(path)
        self._open: Callable[[], Any]
        try:
            if found.is_dir():
                files = [*found.glob("*.*"), *found.glob("*/*.*")]
                found /= self._pick([file.relative_to(found).as_posix() for file in files])
            if zipfile.is_zipfile(found):
                archive = zipfile.ZipFile(found)
                member = archive.getinfo(self._pick(archive.namelist()))
                self.size, self._open = member.file_size, partial(archive.open, member)
            else:
                self.size, self._open = found.stat().st_size, partial(found.open, "rb")
        except OSError as error:
            raise HistoryError(f"{self.name} cannot be opened: {error.strerror}.") from None
        except zipfile.BadZipFile as error:
            raise HistoryError(f"{self.name} is a damaged zip ({error}): copy it again.") from None
        if not self.size:
            raise HistoryError(f"{self.name} is empty: copy or export it again.")

    def _pick(self, names: list[str]) -> str:
        """The export among the files of a folder or a zip: the one that is least deep."""
        for name in sorted(names, key=lambda name: name.count("/")):
            if PurePosixPath(name).name == "result.json":
                return name
        why = "holds no result.json, which is the name of Telegram Desktop's export."
        html = any(PurePosixPath(name).name == "messages.html" for name in names)
        raise HistoryError(f"{self.name} {_HTML if html else why}")

    def pieces(self, progress: Callable[[int], object]) -> Iterator[bytes]:
        """The JSON in pieces of a megabyte.

        Args:
            progress: told the length of each piece that has been read.

        Raises:
            HistoryError: if it cannot be read, or already begins as no export does.
        """
        done = 0
        try:
            with self._open() as stream:
                while piece := stream.read(READ_SIZE):
                    progress(len(piece))
                    if not done and (why := _trouble_of(piece)):
                        raise HistoryError(f"{self.name} {why}")
                    yield piece
                    done += len(piece)
        except (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
            why = f"cannot be read past byte {done:,} ({error})"
            raise HistoryError(f"{self.name} {why}. If it is a zip, unpack it first.") from None


def _trouble_of(piece: bytes) -> str:
    """What is wrong with a file that begins like this; empty if an export can."""
    head = piece.removeprefix(b"\xef\xbb\xbf").lstrip()
    return next(why for start, why in _KINDS.items() if head.startswith(start))
