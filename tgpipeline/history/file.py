"""Finding the JSON of a Telegram Desktop export: in a file, a folder or a zip."""

import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from tgpipeline.errors import HistoryError

READ_SIZE = 1 << 20
AGAIN = 'export the chat again in Telegram Desktop, with the format "Machine-readable JSON"'


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
        self.name = str(path)
        self._path, self._member = Path(path), ""
        try:
            if self._path.is_dir():
                found = [f for p in ("*.*", "*/*.*") for f in self._path.glob(p)]
                self._path /= self._pick([f.relative_to(self._path).as_posix() for f in found])
            elif zipfile.is_zipfile(self._path):
                with zipfile.ZipFile(self._path) as archive:
                    self._member = self._pick(archive.namelist())
                    self.size = archive.getinfo(self._member).file_size
            if not self._member:
                self.size = self._path.stat().st_size
            if not self.size:
                raise HistoryError(f"{self.name} is empty: copy or export it again.")
        except OSError as error:
            raise HistoryError(f"{self.name} cannot be opened: {error.strerror}.") from None
        except zipfile.BadZipFile as error:
            raise HistoryError(f"{self.name} is a damaged zip ({error}): copy it again.") from None

    def _pick(self, names: list[str]) -> str:
        names.sort(key=lambda name: name.count("/"))
        for name in names:
            if PurePosixPath(name).name == "result.json":
                return name
        if any(PurePosixPath(name).name == "messages.html" for name in names):
            raise HistoryError(f"{self.name} is an HTML export, which cannot be imported: {AGAIN}")
        raise HistoryError(
            f"{self.name} holds no result.json, which is the name of Telegram Desktop's export."
        )

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
            raise HistoryError(
                f"{self.name} cannot be read past byte {done:,} ({error}). If it is a zip, unpack "
                "it and import the result.json in it."
            ) from None

    @contextmanager
    def _open(self) -> Iterator[IO[bytes]]:
        if self._member:
            with zipfile.ZipFile(self._path) as archive, archive.open(self._member) as stream:
                yield stream
        else:
            with self._path.open("rb") as stream:
                yield stream

    def _check(self, piece: bytes) -> None:
        """Refuse what begins as no export does, saying what it is."""
        head = piece[:1000].removeprefix(b"\xef\xbb\xbf").lstrip()
        if head.startswith(b"{"):
            return
        why = "is not an export of Telegram Desktop: that begins with an opening brace."
        if head.startswith(b"<"):
            why = f"is an HTML export, which cannot be imported: {AGAIN}"
        if piece.startswith((b"\xff\xfe", b"\xfe\xff")):
            why = "is UTF-16: save it as UTF-8, as it was exported."
        if piece.startswith(b"PK"):
            why = "is a zip that was not copied whole: copy it again."
        raise HistoryError(f"{self.name} {why}")
