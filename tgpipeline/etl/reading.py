"""Reading a day of the raw zone: many small objects at once, large ones piece by piece."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import obstore

from tgpipeline.lake import documents, keys
from tgpipeline.lake.documents import Document
from tgpipeline.lake.erasing import Erased, as_bytes

READ_THREADS = 128  # sized for the 10 to 30 ms that S3 takes to answer, not for cores
AHEAD = 4  # days whose requests are under way while one is read
CHUNK_BYTES = 8 * 1024 * 1024  # of a newline-delimited object: in memory at one time


class Listing(NamedTuple):
    """What the raw zone holds of one day.

    Attributes:
        day: the day.
        names: the objects' names inside the partition.
        sizes: their sizes in bytes, in the same order.
        fingerprint: changes whenever an object is added, changed or removed.
        again: the names that the day before holds, too, in the same size. An update that bears no
            date lies in the day it was received: sent again after midnight it lies in both, and
            counts for the first.
    """

    day: date
    names: list[str]
    sizes: list[int]
    fingerprint: str
    again: frozenset[str] = frozenset()


def list_day(store: Any, day: date) -> Listing:
    """List one day of the raw zone, all pages of it."""
    prefix = keys.partition(keys.RAW, day)
    names, sizes, total = [], [], 0
    for page in store.list(prefix, chunk_size=1000):
        for item in page:
            entry = f"{item['path']} {item['size']} {item['e_tag']}".encode()
            # A sum does not depend on the order of the listing.
            total += int.from_bytes(hashlib.sha256(entry).digest()[:16], "big")
            names.append(item["path"][len(prefix) :])
            sizes.append(item["size"])
    return Listing(day, names, sizes, f"{len(names)}-{total % 2**128:032x}" if names else "")


def listings(store: Any, days: Iterable[date]) -> Iterator[Listing]:
    """List days of the raw zone, all pages of each, and what each repeats of the day before.

    Args:
        store: the raw bucket.
        days: the days, oldest first.

    Yields:
        One Listing per day.
    """
    wanted = set(days)
    both = sorted(wanted.union(day - timedelta(1) for day in wanted))
    known: set[tuple[str, int]] = set()  # of the day before
    for listing in prefetch(partial(list_day, store), both):
        # The same name and size is the same update; a number alone can come twice, from two bots.
        own = set(zip(listing.names, listing.sizes, strict=True))
        if listing.day in wanted:
            yield listing._replace(again=frozenset(name for name, _ in own & known))
        known = own


def prefetch(ask: Callable[..., Any], items: Iterable[Any], ahead: int = AHEAD) -> Iterator[Any]:
    """What a function says of each item, in order; the next requests are under way meanwhile."""
    coming = iter(items)
    with ThreadPoolExecutor(READ_THREADS) as pool:
        waiting = deque(pool.submit(ask, item) for item in islice(coming, ahead))
        while waiting:
            found = waiting.popleft().result()
            waiting.extend(pool.submit(ask, item) for item in islice(coming, 1))
            yield found


def read_day(store: Any, listing: Listing) -> Iterator[Document]:
    """Read every object of a day and parse what is in it.

    Args:
        store: the raw bucket.
        listing: as `listings` returned it.

    Yields:
        One Document an update, in no particular order.
    """
    prefix = keys.partition(keys.RAW, listing.day)
    small = [name for name in listing.names if not documents.form_of(name).many]
    # Large batches cost less; with four per thread, all threads end at about the same time.
    size = max(1, min(32, round(len(small) / (4 * READ_THREADS))))

    def read(start: int) -> list[tuple[str, bytes]]:
        batch = small[start : start + size]
        return [(name, obstore.get(store, prefix + name).bytes().to_bytes()) for name in batch]

    for batch in prefetch(read, range(0, len(small), size), 2 * READ_THREADS):
        for name, body in batch:
            yield documents.document_of(name, body)
    for name in sorted({*listing.names} - {*small}):
        for number, line in enumerate(_lines(store, prefix + name), 1):
            if line.strip():
                yield documents.document_of(f"{name}:{number}", line)


def _lines(store: Any, key: str) -> Iterator[bytes]:
    """The lines of an object of any size, one piece of it in memory at a time."""
    rest = b""
    for piece in obstore.get(store, key).stream(min_chunk_size=CHUNK_BYTES):
        # Of a line without end, no more is kept than shows that it is too long.
        *lines, rest = (rest[: documents.MAX_DOCUMENT + 1] + bytes(piece)).split(b"\n")
        yield from lines
    yield rest


def without_erased(document: Document, erased: Erased, day: date) -> Document | None:
    """A document without what people wrote who were erased after that.

    Args:
        document: as it lies in the raw zone.
        erased: who was erased, and until when.
        day: whose partition it lies in; decides where the update bears no date.

    Returns:
        The same one where nothing is theirs; None if nothing is left.
    """
    update = document.update
    if not erased or update is None:
        return document
    midnight = int(datetime.combine(day, time(), UTC).timestamp())
    try:
        rest = erased.without(update, document.kind, midnight)
    except RecursionError:
        return document._replace(update=None, reason="nested too deeply")
    if rest is None or rest is update:
        return None if rest is None else document
    body = as_bytes(rest["message"] if document.source == "sent" else rest)
    return document._replace(update=rest, body=body)
