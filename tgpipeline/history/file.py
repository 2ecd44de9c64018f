"""Finding the JSON of a Telegram Desktop export: in a file, a folder or a zip."""

import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from tgpipeline.errors import HistoryError

READ_SIZE = 1 << 20
EXPORT_AGAIN = 'export the chat again in Telegram Desktop, with the format "Machine-readable JSON"'
HTML = f"is an HTML export, which cannot be imported: {EXPORT_AGAIN}"


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
        self._open: Callable[[], IO[bytes]]
        try:
            if found.is_dir():
                files = [f for p in ("*.*", "*/*.*") for f in found.glob(p)]
                found /= self._pick([f.relative_to(found).as_posix() for f in files])
            if zipfile.is_zipfile(found):
                archive = zipfile.ZipFile(found)
                member = self._pick(archive.namelist())
                self.size, self._open = (
                    archive.getinfo(member).file_size,
                    lambda: archive.open(member),
                )
            else:
                self.size, self._open = found.stat().st_size, lambda: found.open("rb")
        except OSError as error:
            raise HistoryError(f"{self.name} cannot be opened: {error.strerror}.") from None
        except zipfile.BadZipFile as error:
            raise HistoryError(f"{self.name} is a damaged zip ({error}): copy it again.") from None
        if not self.size:
            raise HistoryError(f"{self.name} is empty: copy or export it again.")

    def _pick(self, names: list[str]) -> str:
        names.sort(key=lambda name: name.count("/"))
        by_name = {PurePosixPath(name).name: name for name in reversed(names)}
        if "result.json" in by_name:
            return by_name["result.json"]
        why = "holds no result.json, which is the name of Telegram Desktop's export"
        raise HistoryError(f"{self.name} {HTML if 'messages.html' in by_name else why}.")

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
                    if not done:
                        self._check(piece)
                    yield piece
                    done += len(piece)
        except (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
            why = f"cannot be read past byte {done:,} ({error})"
            raise HistoryError(f"{self.name} {why}. If it is a zip, unpack it first.") from None

    def _check(self, piece: bytes) -> None:
        """Refuse what begins as no export does, saying what it is."""
        head = piece[:1000].removeprefix(b"\xef\xbb\xbf").lstrip()
        if head.startswith(b"{"):
            return
        why = "is not an export of Telegram Desktop: that begins with an opening brace."
        if head.startswith(b"<"):
            why = f"{HTML}."
        if piece.startswith((b"\xff\xfe", b"\xfe\xff")):
            why = "is UTF-16: save it as UTF-8, as it was exported."
        if piece.startswith(b"PK"):
            why = "is a zip that was not copied whole: copy it again."
        raise HistoryError(f"{self.name} {why}")
