"""Looking for a person in bytes: a reader that knows nothing of how the pipeline stores things."""

import contextlib
import gzip
import io
import json
import re
import zlib
from collections.abc import Collection, Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from tgpipeline.lake.erasing import Find

_ESCAPES = re.compile(r'(?:\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt]))+')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.|"")*)"')


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
