"""One way to ask, whoever answers: Athena over S3 (`athena`), or DuckDB over local files."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from tgpipeline.analytics import questions
from tgpipeline.errors import QueryError

if TYPE_CHECKING:
    from tgpipeline.analytics.answers import Answers

Day = date | str | None
_DAYS = "SELECT DISTINCT context_date FROM messages WHERE 0 /* :chat */ IN (0, group_id) ORDER BY 1"


class Engine(ABC):
    """Answers questions about one lake.

    A subclass says how SQL is executed; names, parameters, zone and group are the same for all.

    Attributes:
        timezone: IANA name of the zone in which days and hours are meant where none is given.
        chat: the one group that is meant where none is given, by any id it has had; all if 0.
        all_days: whether a question without a period is about all days: where AWS answers, these
            would cost.
        local: whether this machine answers, so that a question costs nothing.
        notes: what should be known of how the data was read.
    """

    local, all_days = True, False

    def __init__(self, timezone: str) -> None:
        self.timezone, self.chat, self.notes = timezone, 0, list[str]()
        self._groups: dict[int, int] = {}

    @abstractmethod
    def execute(self, name: str, sql: str) -> pd.DataFrame:
        """Execute SQL.

        Args:
            name: of the question, for errors.
            sql: in Athena's dialect, its parameters filled in.

        Returns:
            The rows, with the types that `to_frame` gives; where it costs, `attrs` hold what is
            known of the run (`bytes_scanned`, `usd`).

        Raises:
            QueryError: if it fails.
        """

    def query(self, name_or_sql: str, **values: Any) -> pd.DataFrame:
        """Ask a question.

        Args:
            name_or_sql: name of a file in `queries/`, or SQL in Athena's dialect.
            **values: the question's parameters: `start` and `end` (local days, both included; where
                `all_days` is set, those that there are, if not given), `chat` (a group's id,
                the newer or the older one), `timezone` (IANA name), and what else the SQL names.

        Returns:
            The answer. Whole numbers are Int64, truth values boolean, texts string, dates and times
            datetime64 without zone. `attrs` hold `query`, `question`, `parameters`, and what
            `execute` says of the run.

        Raises:
            QueryError: if the question or a parameter is not right, or it fails.
            SettingsError: if a zone is none.
        """
        named = name_or_sql.isidentifier()
        name, sql = (name_or_sql, questions.sql_of(name_or_sql)) if named else ("SQL", name_or_sql)
        types = questions.parameter_types(sql)
        if "timezone" in types:
            values["timezone"] = values.get("timezone") or self.timezone
        if "chat" in types and (chat := values.get("chat") or self.chat):
            values["chat"] = self.group_of(chat)
        start, end = values.get("start"), values.get("end")
        if self.all_days and {"start", "end"} <= types.keys() and not (start and end):
            values |= self.period(start, end, values.get("chat"))
        frame = self.execute(name, questions.fill(sql, values, name))
        frame.attrs |= {
            "query": name,
            "question": questions.question(sql) if named else "",
            "parameters": {k: str(v) for k, v in values.items() if v is not None},
        }
        return frame

    def group_of(self, chat: int) -> int:
        """The id under which a group was first known, from any id it has had.

        Raises:
            QueryError: if the lake holds no such chat; names those it holds.
        """
        if chat not in self._groups:  # asked again: it may have come in since
            known = self.query("groups").set_index("chat_id")["group_id"].to_dict()
            self._groups = known | {group_id: group_id for group_id in known.values()}
        if chat not in self._groups:
            ids = ", ".join(str(k) for k in sorted(self._groups)[:10]) or "none"
            raise QueryError(f"chat {chat!r} is not in the lake. Chats in it: {ids}.")
        return self._groups[chat]

    def period(self, start: Day = None, end: Day = None, chat: int | None = None) -> dict[str, Any]:
        """First and last local day: as given, and otherwise of the first and the last message.

        Raises:
            QueryError: if that period ends before it starts, or holds no message; says which days
                do.
        """
        days = [day.date() for day in self.query(_DAYS, chat=chat)["context_date"]]
        if not days:
            raise QueryError("there is no message yet: run the ETL, or import another export.")
        first = questions.day("start", start or days[0], "period")
        last = questions.day("end", end or days[-1], "period")
        if start and end and first > last:
            raise QueryError(f"the period ends on {last}, before it starts on {first}.")
        if not any(first <= day <= last for day in days):
            raise QueryError(
                f"there is no message from {first} to {last}: there are messages on "
                f"{len(days):,} days from {days[0]} to {days[-1]}."
            )
        return {"start": first, "end": last}

    def answers(self, **how: Any) -> "Answers":
        """All answers about a period: see `answers.Answers`, whose parameters these are."""
        from tgpipeline.analytics.answers import Answers

        how = {"chat": self.chat} | how
        return Answers(self, **how | self.period(how.get("start"), how.get("end"), how["chat"]))

    def conversations(self, **how: Any) -> pd.DataFrame:
        """Who asked what, and what became of it: one row per conversation.

        Args:
            **how: what `answers.Answers` takes: `start`, `end`, `agents` and so on.
        """
        return self.answers(**how).conversations

    def report(self, output: str | Path = "report.html", csv: str | Path = "", **how: Any) -> Path:
        """Write the page for a manager.

        Args:
            output: the page to write.
            csv: folder for the tables, as CSV; none are written if not given.
            **how: what `answers.Answers` takes: `language`, `start`, `end`, `names` and so on.

        Returns:
            The path of the page.
        """
        from tgpipeline.analytics import report

        return report.write(self.answers(**how), output, csv)


def to_frame(description: Iterable[Sequence[Any]], rows: Any) -> pd.DataFrame:
    """Rows as a DataFrame, each column with the pandas type of its type in Athena or DuckDB.

    Source of the types: https://docs.aws.amazon.com/athena/latest/ug/data-types.html

    Args:
        description: a DB-API cursor's: name and type of each column first.
        rows: a DataFrame; or tuples of Python values, or of their texts.

    >>> frame = to_frame([("n", "bigint"), ("ok", "boolean")], [("7", "true"), (None, False)])
    >>> frame["n"].sum(), frame["ok"].tolist()
    (np.int64(7), [True, False])
    """
    names, types = zip(*(map(str, column[:2]) for column in description), strict=True)
    kinds = [re.split(r"\s*[(_]", kind.lower())[0] for kind in types]
    is_frame = isinstance(rows, pd.DataFrame)
    frame = rows if is_frame else pd.DataFrame(rows, columns=range(len(names)), dtype=object)
    frame = frame.set_axis(range(len(names)), axis=1)  # two may have the same name
    for n, kind in enumerate(kinds):
        if kind == "boolean":
            frame[n] = frame[n].map(lambda value: value in (True, "true"), na_action="ignore")
    frame = frame.astype({n: _TYPES.get(kind, "object") for n, kind in enumerate(kinds)})
    return frame.set_axis(names, axis=1)


_TYPES = {
    **dict.fromkeys(("tinyint", "smallint", "integer", "int", "bigint", "hugeint"), "Int64"),
    **dict.fromkeys(("float", "real", "double", "decimal"), "float64"),
    **dict.fromkeys(("varchar", "char", "string"), "string"),
    "boolean": "boolean",
    "date": "datetime64[s]",
    "timestamp": "datetime64[ms]",
}
