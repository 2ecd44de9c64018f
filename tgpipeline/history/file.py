"""Finding the JSON of a Telegram Desktop export: in a file, a folder or a zip."""

import codecs
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tgpipeline.errors import HistoryError
from tgpipeline.progress import progress

READ_SIZE = 1 << 20
EXPORT_AGAIN = 'export the chat again in Telegram Desktop, with the format "Machine-readable JSON"'
_HTML = f"is an HTML export, which cannot be imported: {EXPORT_AGAIN}."
# What a file is, by how it begins.
_KINDS: dict[bytes | tuple[bytes, ...], str] = {
    b"{": "",
    b"<": _HTML,
    (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE): "is UTF-16: save it as UTF-8, as it was exported.",
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
        self._path: Path | zipfile.Path
        try:
            if found.is_dir():
                files = [*found.glob("*.*"), *found.glob("*/*.*")]
                found /= self._pick([file.relative_to(found).as_posix() for file in files])
            self.size, self._path = found.stat().st_size, found
            if zipfile.is_zipfile(found):
                archive = zipfile.ZipFile(found)
                name = self._pick(archive.namelist())
                self.size, self._path = archive.getinfo(name).file_size, zipfile.Path(archive, name)
        except (OSError, zipfile.BadZipFile) as error:
            why = f"cannot be opened ({getattr(error, 'strerror', error)})"
            raise HistoryError(f"{self.name} {why}: check its path, or copy it again.") from None
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

    def pieces(self, doing: str) -> Iterator[bytes]:
        """The JSON in pieces of a megabyte.

        Args:
            doing: what they are read for, to show how far it is.

        Raises:
            HistoryError: if it cannot be read, or already begins as no export does.
        """
        done = 0
        try:
            with progress(doing, self.size) as advance, self._path.open("rb") as stream:
                while piece := stream.read(READ_SIZE):
                    advance(len(piece))
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
