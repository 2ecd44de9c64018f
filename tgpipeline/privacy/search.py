"""Looking for a person in bytes: a reader that knows nothing of how the pipeline stores things."""

import contextlib
import gzip
import io
import json
import re
import zlib
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_ESCAPE = re.compile(r"(?:\\u[0-9a-fA-F]{4})+")


def texts_in(body: bytes) -> Iterator[str]:
    r"""All that bytes say: as they stand, unzipped if they are gzip, each cell if they are Parquet.

    >>> [text[-2:] for text in texts_in(b'"n\\u00e3"')]
    ['3"', 'ã"']
    """
    if body[:2] == b"\x1f\x8b":
        with contextlib.suppress(OSError, EOFError, zlib.error):  # else searched as it is
            body = gzip.decompress(body)
    if body[:4] == body[-4:] == b"PAR1":
        try:
            file = pq.ParquetFile(io.BytesIO(body))
            table, told = file.read(), file.metadata.metadata or {}
        except (pa.ArrowException, OSError):
            pass
        else:
            yield " ".join(value.decode("utf-8", "replace") for value in told.values())
            for row in table.to_pylist():
                yield "\n".join(str(value) for value in row.values() if value is not None)
    text = body.decode("utf-8", "replace")
    yield text
    if _ESCAPE.search(text):
        yield _ESCAPE.sub(lambda found: json.loads(f'"{found[0]}"'), text)


def pattern(words: Iterable[str], any_case: Collection[str] = ()) -> "re.Pattern[str] | None":
    """Finds each of these where it stands as a whole, in JSON as well; longest first.

    Args:
        words: found as they are spelled.
        any_case: found in any case: Telegram's usernames.
    """
    whole = sorted({*words, *any_case}, key=lambda word: (-len(word), word))
    forms = []
    for word in whole:
        for form in dict.fromkeys((word, json.dumps(word, ensure_ascii=False)[1:-1])):
            forms.append(f"(?i:{re.escape(form)})" if word in any_case else re.escape(form))
    return re.compile(rf"(?<!\w)(?:{'|'.join(forms)})(?!\w)") if forms else None


def holds(body: bytes, wanted: "re.Pattern[str] | None", key: Any = "") -> bool:
    """Whether bytes, or the key they are stored under, say any of what is wanted."""
    if wanted is None:
        return False
    return any(wanted.search(text) for text in (str(key), *texts_in(body)))
