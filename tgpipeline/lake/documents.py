"""One update as it lies in the raw zone: what its object's name means, and what its bytes say."""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from tgpipeline.errors import UpdateError
from tgpipeline.telegram import updates

LINE = 32 * 1024 * 1024  # bytes; no update is longer than that by far


class Document(NamedTuple):
    """One update as it lies in the raw zone, or the reason why it cannot be read.

    Attributes:
        name: the object's name, with `:<line>` behind it in newline-delimited objects.
        body: the bytes.
        update: what they say; None if they cannot be read.
        kind: name of the update's field that holds what happened.
        reason: why the bytes cannot be read.
    """

    name: str
    body: bytes
    update: updates.Update | None = None
    kind: str = ""
    reason: str = ""


@cache
def parser() -> Callable[[bytes], Any]:
    """The fastest JSON parser at hand, with the standard library's verdict in every doubt."""
    try:
        import orjson
    except ImportError:
        return updates.parse_json

    def parse(body: bytes) -> Any:
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:  # it refuses some that json reads: lone surrogates
            return updates.parse_json(body)

    return parse


def read(name: str, body: bytes) -> Document:
    """Parse one update of the raw zone.

    Args:
        name: of the object, which tells its form: `sent-…` is a Message as sendMessage returned
            it, `history-…` an update that may lack its update_id, anything else an update.
        body: the bytes.
    """
    if len(body) > LINE:
        return Document(
            name, body[: LINE // 4], reason=f"longer than {LINE} bytes; the rest is cut off"
        )
    try:
        update = parser()(body)
        if name.startswith("sent-"):
            update = {"message": update}
        kind = updates.check(update, numbered=not name.startswith(("sent-", "history-")))
        return Document(name, body, update, kind)
    except UpdateError as error:
        return Document(name, body, reason=str(error))
