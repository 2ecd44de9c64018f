"""What the notebooks use to show things: source code, tables, and the figures of a run.

Nothing here needs IPython: a `Shown` is text of Markdown, which every notebook reader renders.
"""

import inspect
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, time
from numbers import Integral, Real
from typing import Any

from tgpipeline.analytics.language import number, say


class Shown(str):
    """Markdown that a notebook renders when it is a cell's last value."""

    __repr__ = str.__str__

    def _repr_markdown_(self) -> str:
        return str(self)


def show_source(function: Any) -> Shown:
    """The source of a function as it is deployed, under the name of its file."""
    code = show_code(inspect.getsource(function), "python")
    return Shown(f"`{function.__module__.replace('.', '/')}.py`\n{code}")


def show_code(text: str, language: str = "sql") -> Shown:
    """A text as a block of code, SQL unless told otherwise.

    >>> show_code("SELECT 1")
    ```sql
    SELECT 1
    ```
    """
    return Shown(f"```{language}\n{text.strip()}\n```")


def show_json(value: Any) -> Shown:
    """A policy, a request, an answer: anything of JSON, indented.

    >>> show_json({"ok": True})
    ```json
    {
      "ok": true
    }
    ```
    """
    return show_code(json.dumps(value, indent=2, ensure_ascii=False, default=str), "json")


def show_table(rows: Any, *columns: str) -> Shown:
    """Rows as a table.

    Args:
        rows: mappings, objects with attributes, lists or tuples; or a DataFrame of answers, which
            is shown as the report shows it: words, shares and headings in the reader's language.
        *columns: keys or attributes to show, in order; of lists and tuples, the headings. Where
            none is given, the keys of the first mapping.

    >>> show_table([{"day": "2025-11-28", "rows": 1214}])
    | day | rows |
    |---|---:|
    | 2025-11-28 | 1,214 |
    """
    if hasattr(rows, "columns"):  # a DataFrame
        from tgpipeline.analytics.tables import Table

        table = Table.of(rows, *columns)
        rows, columns = table.rows, tuple(table.heads)
    rows = list(rows)
    names = list(columns or next(iter(rows), ()))
    lines = [_values(row, names) for row in rows]
    right = [_is_amount(name, [line[n] for line in lines]) for n, name in enumerate(names)]
    cells = [[_cell(v, amount) for v, amount in zip(line, right, strict=True)] for line in lines]
    head, *body = (f"| {' | '.join(line)} |" for line in (names, *cells))
    rule = "".join("|---:" if amount else "|---" for amount in right)
    return Shown("\n".join((head, f"{rule}|", *body)))


def _values(row: Any, names: Sequence[str]) -> list[Any]:
    if isinstance(row, Mapping):
        return [row.get(name) for name in names]
    return list(row) if type(row) in (list, tuple) else [getattr(row, name) for name in names]


def _is_amount(name: str, values: Sequence[Any]) -> bool:
    """Whether a column holds amounts, which are set right; ids and instants are numbers too."""
    known = [value for value in values if value is not None]
    numbers = bool(known) and all(isinstance(v, Real) and not isinstance(v, bool) for v in known)
    return numbers and not name.endswith(("id", "date")) and max(map(abs, known)) < 10**9


def _cell(value: Any, amount: bool) -> str:
    if value is None:
        return ""
    if amount:
        return number(value, "," if isinstance(value, Integral) else ",.2f")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    # What people write is no HTML: a tag in it is shown, not obeyed.
    text = re.sub(r"(?<!\\)<(?=[A-Za-z/!?])", "&lt;", str(value))
    return text.replace("|", "\\|").replace("\n", "<br>")


def record(**figures: int) -> Shown:
    """Show the figures of a run; `tgpipeline demo` says them, too.

    Args:
        **figures: what was counted, by name.

    >>> record(updates_sent=2871)
    updates sent: 2,871
    """
    return Shown(" · ".join(f"{say(k.replace('_', ' '))}: {number(n)}" for k, n in figures.items()))
