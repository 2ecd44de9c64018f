"""Looking for a person in bytes: a reader that knows nothing of how the pipeline stores things."""

import contextlib
import gzip
import io
import json
import re
import zlib
from collections.abc import Collection, Iterable, Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from tgpipeline.lake.erasing import WORD, Find

_ESCAPES = re.compile(r'(?:\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt]))+')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.|"")*)"')


class Phrases:
    """Finds names and words where they stand as a whole, however many there are.

    Args:
        phrases: found as they are spelled; what stands between their words does not matter.
        any_case: words that are found in any case: Telegram's usernames.

    >>> list(Phrases(["Bia Nunes"], ["bia_n"]).find("a Bia-Nunes é @Bia_N, não Biatriz"))
    [(2, 11), (15, 20)]
    """

    def __init__(self, phrases: Iterable[str], any_case: Iterable[str] = ()) -> None:
        self._any_case = {word.lower() for word in any_case}
        self._phrases: dict[str, list[list[str]]] = {}
        for phrase in phrases:
            if words := WORD.findall(phrase):
                self._phrases.setdefault(words[0], []).append(words)

    def find(self, text: str, when: int | None = None) -> Iterator[tuple[int, int]]:
        """Where they begin and end in a text; `when` does not matter."""
        words = list(WORD.finditer(text))
        for number, word in enumerate(words):
            if word[0].lower() in self._any_case:
                yield word.span()
            for phrase in self._phrases.get(word[0], ()):
                part = words[number : number + len(phrase)]
                if [one[0] for one in part] == phrase:
                    yield word.start(), part[-1].end()


def unescaped(text: str) -> str:
    r"""A text without JSON's escapes.

    >>> unescaped('n\\u00e3o\\nsei')
    'não\nsei'
    """
    return _ESCAPES.sub(lambda found: str(json.loads(f'"{found[0]}"')), text)


def texts_in(body: bytes) -> Iterator[str]:
    r"""All that bytes say: unzipped if they are gzip, each value if they are Parquet, unescaped.

    >>> [text[-2:] for text in texts_in(b'"n\\u00e3"')]
    ['3"', 'ã"']
    """
    if body[:2] == b"\x1f\x8b":
        with contextlib.suppress(OSError, EOFError, zlib.error):  # else searched as it is
            body = gzip.decompress(body)
    texts = [body.decode("utf-8", "replace")]
    if body[:4] == body[-4:] == b"PAR1":
        with contextlib.suppress(pa.ArrowException, OSError):  # likewise
            texts = list(_values(pq.ParquetFile(io.BytesIO(body))))
    for text in texts:
        yield text
        while (plain := unescaped(text)) != text:  # JSON may hold JSON
            yield (text := plain)


def _values(file: pq.ParquetFile) -> Iterator[str]:
    for value in (file.metadata.metadata or {}).values():
        yield value.decode("utf-8", "replace")
    for column in file.read(use_threads=False).columns:
        values = column.to_pylist()
        yield from {str(value) for value in values if value is not None}


def holds(body: bytes, find: Find, told: str = "", whole: Collection[str] = ()) -> bool:
    """Whether bytes say what is wanted.

    Args:
        body: of an object.
        find: finds it in a text.
        told: what else belongs to the object: its key, its metadata.
        whole: texts that count where they are a whole string or value.
    """
    for text in (told, *texts_in(body)):
        if any(True for _ in find(text, None)) or (whole and text in whole):
            return True
        if whole and any(unescaped(quoted[1]) in whole for quoted in _QUOTED.finditer(text)):
            return True
    return False
