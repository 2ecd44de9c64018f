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
# Numbers that are nobody's id, though one may be equal to it: dates, counts, ids of messages.
_OTHER_NUMBERS = re.compile(r'"(?:update_id|\w*message\w*_id|(?!\w*ids?\b)\w+)" ?: ?-?\d+')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.|"")*)"')


def unescaped(text: str) -> str:
    r"""A text without JSON's escapes.

    >>> unescaped('n\\u00e3o\\nsei')
    'não\nsei'
    """
    return _ESCAPES.sub(lambda found: str(json.loads(f'"{found[0]}"')), text)


def texts_in(body: bytes) -> Iterator[str]:
    r"""All that bytes say: unzipped if they are gzip, rows as JSON if they are Parquet, unescaped.

    But for numbers that, by the name before them, are nobody's id.

    >>> list(texts_in(b'{"date": 5, "from": {"id": 5}}'))
    ['{, "from": {"id": 5}}']
    >>> [text[-2:] for text in texts_in(b'"n\\u00e3"')]
    ['3"', 'ã"']
    """
    if body[:2] == b"\x1f\x8b":
        with contextlib.suppress(OSError, EOFError, zlib.error):  # else searched as it is
            body = gzip.decompress(body)
    if (table := table_in(body)) is not None:
        rows = [json.dumps(row, ensure_ascii=False, default=str) for row in table.to_pylist()]
        told = b" ".join((table.schema.metadata or {}).values())
        body = told + "\n".join(rows).encode("utf-8", "surrogatepass")
    yield (text := _OTHER_NUMBERS.sub("", body.decode("utf-8", "replace")))
    while (plain := _OTHER_NUMBERS.sub("", unescaped(text))) != text:  # JSON may hold JSON
        yield (text := plain)


def table_in(body: bytes, columns: list[str] | None = None) -> pa.Table | None:
    """The table, with all columns or some, if these bytes are Parquet."""
    if body[:4] == body[-4:] == b"PAR1":
        with contextlib.suppress(pa.ArrowException, OSError):
            return pq.ParquetFile(io.BytesIO(body)).read(columns, use_threads=False)
    return None


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
