"""The questions in `queries/`: Athena SQL that can be pasted into its console unchanged.

A literal with a name behind it is a parameter: in

    WHERE context_date >= DATE '2025-11-10' /* :start */

another date takes the place of the one that stands there. It stays a literal, so Athena reads the
partitions of that period only; what is given is checked against the literal's type and written
here, so no value can become SQL.
"""

import difflib
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from tgpipeline.analytics.language import say
from tgpipeline.errors import QueryError
from tgpipeline.settings import zone

FOLDER = Path(__file__).with_name("queries")
_LITERAL = r"(?:(?P<date>DATE\s+)?(?P<text>'(?:[^']|'')*')|-?\d+(?![\w.]))"
_PARAMETER = re.compile(_LITERAL + r"(?=\s*/\*\s*:(?P<name>[a-z_]+)\s*\*/)", re.I)
_BIGINT = range(-(2**63), 2**63)


def names() -> dict[str, str]:
    """The questions in `queries/`: name of the file → the question, in the language that is set."""
    files = sorted(FOLDER.glob("*.sql"))
    return {path.stem: say(question(path.read_text("utf-8"))) for path in files}


def question(sql: str) -> str:
    """The question that a file's SQL answers: its first line."""
    return sql.partition("\n")[0].removeprefix("-- ").strip()


def sql_of(name: str) -> str:
    """The SQL of a question.

    Raises:
        QueryError: if there is no such file; names the nearest ones.
    """
    if name not in (known := names()):
        near = difflib.get_close_matches(name, known, 3) or known
        raise QueryError(f"there is no query {name[:60]!r}. Is it one of {', '.join(near)}?")
    return (FOLDER / f"{name}.sql").read_text("utf-8")


def parameter_types(sql: str) -> dict[str, str]:
    """The parameters of a question: name → type (`date`, `bigint`, `varchar`).

    >>> parameter_types("SELECT 0 /* :chat */, DATE '2025-11-10' /* :start */")
    {'chat': 'bigint', 'start': 'date'}
    """
    return {
        match["name"]: "date" if match["date"] else "varchar" if match["text"] else "bigint"
        for match in _PARAMETER.finditer(sql)
    }


def fill(sql: str, values: Mapping[str, Any], name: str = "SQL") -> str:
    """Put values in place of the literals that parameters name.

    Args:
        sql: in Athena's dialect.
        values: `datetime.date` or ISO text for a date, int for a bigint, str for a varchar.
        name: of the question, for errors.

    Returns:
        The same SQL with other literals. A parameter that is not given keeps its literal, but a
        period has no default: `start` and `end` must be given where the SQL has them.

    Raises:
        QueryError: naming each parameter that is unknown, missing or of another type.
        SettingsError: if a `timezone` is none.

    >>> fill("SELECT 'x' /* :word */, 0 /* :chat */", {"word": "d'água"})
    "SELECT 'd''água' /* :word */, 0 /* :chat */"
    """
    types = parameter_types(sql)
    unknown = sorted(values.keys() - types.keys())
    if unknown:
        has = ", ".join(types) or "none"
        raise QueryError(f"{name} has no parameter {', '.join(unknown)}; it has {has}.")
    missing = [p for p in ("start", "end") if p in types and values.get(p) is None]
    if missing:
        raise QueryError(f"{name} needs {' and '.join(missing)}: give a date, as YYYY-MM-DD.")
    literals = {p: _literal(p, types[p], v, name) for p, v in values.items() if v is not None}
    if "start" in literals and "end" in literals and literals["start"] > literals["end"]:
        raise QueryError(f"{name}: the period ends before it starts; give start and end in order.")
    return _PARAMETER.sub(lambda match: literals.get(match["name"], match[0]), sql)


def translate(sql: str) -> str:
    """Athena's SQL in DuckDB's dialect, for the local stack.

    Raises:
        QueryError: if it cannot be parsed; says where.
    """
    import sqlglot

    try:
        return str(sqlglot.transpile(sql, read="athena", write="duckdb")[0])
    except sqlglot.errors.SqlglotError as error:
        raise QueryError(f"this is not SQL that Athena reads: {str(error)[:300]}") from None


def _literal(parameter: str, kind: str, value: Any, name: str) -> str:
    if kind == "date":
        return f"DATE '{day(parameter, value, name).isoformat()}'"
    if kind == "bigint":
        if type(value) is not int or value not in _BIGINT:
            raise QueryError(f"{name}: {parameter} must be a whole number of 64 bits, as in -4123.")
        return str(value)
    if type(value) is not str or not value.isprintable():
        raise QueryError(f"{name}: {parameter} must be a text on one line.")
    if parameter == "timezone":
        zone(value)
    return "'" + value.replace("'", "''") + "'"


def day(parameter: str, value: Any, name: str) -> date:
    """The value of a date parameter: a date, a datetime or ISO text.

    Raises:
        QueryError: naming the parameter, if it is none of them.
    """
    try:
        if isinstance(value, str):
            return date.fromisoformat(value)
        return date(value.year, value.month, value.day)
    except (AttributeError, ValueError):
        raise QueryError(f"{name}: {parameter} must be a date, as in 2025-11-28.") from None
