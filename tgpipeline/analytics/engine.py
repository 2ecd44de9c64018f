"""One way to ask, whoever answers: Athena over S3 (`athena`), or DuckDB over local files."""

import logging
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tgpipeline.analytics import questions
from tgpipeline.errors import QueryError

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)


class Engine(ABC):
    """Answers questions about one lake.

    A subclass says how SQL is executed; names, parameters, zone and group are the same for all.

    Attributes:
        timezone: IANA name of the zone in which days and hours are meant where none is given.
        local: whether this machine answers, so that a question costs nothing.
        zone_hint: None if the zone was named; if it is the default, the offset of the clocks where
            the export was made, such as UTC+01:00, if that is another one, or nothing.
    """

    local = True

    def __init__(self, timezone: str) -> None:
        self.timezone = timezone
        self.zone_hint = None if os.environ.get("TIMEZONE", "").strip() else ""
        self._groups: dict[int, int] = {}

    @abstractmethod
    def execute(self, name: str, sql: str) -> "tuple[pd.DataFrame, Mapping[str, Any]]":
        """Execute SQL.

        Args:
            name: of the question, for errors.
            sql: in Athena's dialect, its parameters filled in.

        Returns:
            The rows, with the types that `to_frame` gives; and what is known of the run
            (`bytes_scanned`, `usd`, `milliseconds`).

        Raises:
            QueryError: if it fails.
        """

    def query(self, name_or_sql: str, **values: Any) -> "pd.DataFrame":
        """Ask a question.

        Args:
            name_or_sql: name of a file in `queries/`, or SQL in Athena's dialect.
            **values: the question's parameters: `start` and `end` (local days, both included),
                `chat` (a group's id, the newer or the older one; all groups if not given),
                `timezone` (IANA name; the engine's own if not given), and what else the SQL names.

        Returns:
            The answer. Whole numbers are Int64, truth values boolean, texts string, dates and times
            datetime64 without zone. `attrs` hold `query`, `question`, `parameters`, and what
            `execute` says of the run.

        Raises:
            QueryError: if the question or a parameter is not right, or it fails.
        """
        named = re.fullmatch(r"\w+", name_or_sql) is not None
        name, sql = (name_or_sql, questions.sql_of(name_or_sql)) if named else ("SQL", name_or_sql)
        types = questions.parameter_types(sql)
        if "timezone" in types:
            values["timezone"] = values.get("timezone") or self.timezone
        if "chat" in types and values.get("chat"):
            values["chat"] = self.group_of(values["chat"])
        frame, run = self.execute(name, questions.fill(sql, values, name))
        frame.attrs = {
            "query": name,
            "question": questions.question(sql) if named else "",
            "parameters": {k: str(v) for k, v in values.items() if v is not None},
            **run,
        }
        logger.info("%s: %d rows, %d bytes scanned", name, len(frame), run.get("bytes_scanned", 0))
        return frame

    def group_of(self, chat: int) -> int:
        """The id under which a group was first known, from any id it has had.

        Raises:
            QueryError: if the lake holds no such chat; names those it holds.
        """
        if chat not in self._groups:  # asked again: it may have come in since
            frame = self.query("groups")
            pairs = zip(frame["chat_id"], frame["group_id"], strict=True)
            known = {int(chat_id): int(group_id) for chat_id, group_id in pairs}
            self._groups = known | {group_id: group_id for group_id in known.values()}
        if chat not in self._groups:
            ids = ", ".join(str(k) for k in sorted(self._groups)[:10]) or "none"
            raise QueryError(f"chat {chat!r} is not in the lake. Chats in it: {ids}.")
        return self._groups[chat]


def to_frame(description: Sequence[Sequence[Any]], rows: Sequence[Sequence[Any]]) -> "pd.DataFrame":
    """Rows as a DataFrame, each column with the pandas type of its Athena type.

    Args:
        description: a DB-API cursor's: name and type first.
        rows: tuples of Python values, or of their texts.

    Source of the types: https://docs.aws.amazon.com/athena/latest/ug/data-types.html

    >>> frame = to_frame([("n", "bigint"), ("ok", "boolean")], [("7", "true"), (None, False)])
    >>> frame["n"].sum(), frame["ok"].tolist()
    (np.int64(7), [True, False])
    """
    import pandas as pd

    names = [str(c[0]) for c in description]
    types = [_TYPES.get(str(c[1]).lower().partition("(")[0].strip(), "object") for c in description]
    # By number until the end: two columns may have the same name.
    frame = pd.DataFrame(list(rows), columns=range(len(types)), dtype=object)
    for n, kind in enumerate(types):
        read = _READ.get(kind)
        if read:
            values = [None if v is None else read(v) for v in frame[n]]
            frame[n] = pd.array(values, dtype=kind)
        else:
            frame[n] = frame[n].astype(kind)
    frame.columns = pd.Index(names, dtype=object)
    return frame


_READ: dict[str, Callable[[Any], Any]] = {
    "Int64": int,
    "boolean": lambda v: str(v).lower() == "true",
}
_TYPES = {
    **dict.fromkeys(("tinyint", "smallint", "integer", "int", "bigint", "hugeint"), "Int64"),
    **dict.fromkeys(("float", "real", "double"), "float64"),
    **dict.fromkeys(("varchar", "char", "string"), "string"),
    "boolean": "boolean",
    "date": "datetime64[s]",
    "timestamp": "datetime64[ms]",
}
