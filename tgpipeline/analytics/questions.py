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
from datetime import date, datetime
from importlib import resources
from typing import Any

from tgpipeline.analytics.language import say
from tgpipeline.errors import QueryError, SettingsError
from tgpipeline.settings import zone

_LITERAL = r"DATE\s+'[^']*'|'(?:[^']|'')*'|-?\d+(?![\w.])"
_PARAMETER = re.compile(rf"(?P<literal>(?:{_LITERAL}))?\s*/\*\s*:(?P<name>[a-z_]+)\s*\*/", re.I)
_BIGINT = range(-(2**63), 2**63)


def names() -> dict[str, str]:
    """The questions in `queries/`: name of the file → the question, in the language that is set."""
    return {stem: say(question(sql_of(stem))) for stem in _stems()}


def question(sql: str) -> str:
    """The question that a file's SQL answers: its first line."""
    return sql.partition("\n")[0].removeprefix("-- ").strip()


def _stems() -> list[str]:
    folder = resources.files(__package__) / "queries"
    return sorted(f.name[:-4] for f in folder.iterdir() if f.name.endswith(".sql"))


def sql_of(name: str) -> str:
    """The SQL of a question.

    Raises:
        QueryError: if there is no such file; names the nearest ones.
    """
    file = resources.files(__package__) / "queries" / f"{name}.sql"
    if not re.fullmatch(r"\w+", name) or not file.is_file():
        known = _stems()
        near = difflib.get_close_matches(name, known, 3) or known
        raise QueryError(f"there is no query {name[:60]!r}. Is it one of {', '.join(near)}?")
    return file.read_text("utf-8")


def parameter_types(sql: str) -> dict[str, str]:
    """The parameters of a question: name → type (`date`, `bigint`, `varchar`).

    >>> parameter_types("SELECT 0 /* :chat */, DATE '2025-11-10' /* :start */")
    {'chat': 'bigint', 'start': 'date'}
    """
    found: dict[str, str] = {}
    for match in _PARAMETER.finditer(sql):
        name, kind = match["name"], _type(match["literal"])
        if kind is None or found.setdefault(name, kind) != kind:
            raise QueryError(
                f"parameter {name!r} must stand right behind a literal (DATE '…', '…' or a whole "
                "number), of the same type wherever it stands."
            )
    return found


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

    >>> fill("SELECT 'x' /* :word */, 0 /* :chat */", {"word": "d'água"})
    "SELECT 'd''água' /* :word */, 0 /* :chat */"
    """
    types = parameter_types(sql)
    unknown = sorted(values.keys() - types.keys())
    if unknown:
        raise QueryError(
            f"{name} has no parameter {', '.join(unknown)}; it has {', '.join(types) or 'none'}."
        )
    missing = [p for p in ("start", "end") if p in types and values.get(p) is None]
    if missing:
        raise QueryError(f"{name} needs {' and '.join(missing)}: give a date, as YYYY-MM-DD.")
    literals = {p: _literal(p, types[p], v, name) for p, v in values.items() if v is not None}
    if "start" in literals and "end" in literals and literals["start"] > literals["end"]:
        raise QueryError(f"{name}: the period ends before it starts; give start and end in order.")
    return _PARAMETER.sub(
        lambda m: f"{literals.get(m['name'], m['literal'])} /* :{m['name']} */", sql
    )


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


def _type(literal: str | None) -> str | None:
    if literal is None:
        return None
    if literal[:4].upper() == "DATE":
        return "date"
    return "varchar" if literal.startswith("'") else "bigint"


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
        try:
            zone(value)
        except SettingsError as error:
            raise QueryError(f"{name}: {error}".replace("TIMEZONE", "timezone")) from None
    return "'" + value.replace("'", "''") + "'"


def day(parameter: str, value: Any, name: str) -> date:
    """The value of a date parameter: a date, a datetime or ISO text.

    Raises:
        QueryError: naming the parameter, if it is none of them.
    """
    try:
        if isinstance(value, datetime):
            return value.date()
        return value if isinstance(value, date) else date.fromisoformat(value)
    except (TypeError, ValueError):
        raise QueryError(f"{name}: {parameter} must be a date, as in 2025-11-28.") from None
