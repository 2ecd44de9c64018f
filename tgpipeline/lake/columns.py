"""The contract: the columns of the tables `messages` and `events`.

They are declared in `columns.toml` and nowhere else: the Arrow schema, the Athena DDL, the table in
notebook 02 and the documentation are all made from `MESSAGES` and `EVENTS`.
"""

import zlib
from typing import Any, NamedTuple

from tgpipeline import resources
from tgpipeline.telegram.updates import integer


class Column(NamedTuple):
    """One column of the enriched zone.

    Attributes:
        name: as in the Parquet and in Athena.
        type: `int64`, `bool`, `string`, `list<string>` or `timestamp[ms]`, as Arrow names it.
        source: where in the update it comes from.
        meaning: what it says.
    """

    name: str
    type: str
    source: str
    meaning: str

    @property
    def athena_type(self) -> str:
        """The type in Athena's DDL: https://docs.aws.amazon.com/athena/latest/ug/data-types.html"""
        others = {"int64": "bigint", "bool": "boolean", "timestamp[ms]": "timestamp"}
        return others.get(self.type, self.type.replace("list", "array"))


# Read once, as this module is.
_DECLARED = resources.data("lake/columns.toml")
TABLES = {table: tuple(Column(*told) for told in _DECLARED[table]) for table in _DECLARED}
MESSAGES, EVENTS = TABLES["messages"], TABLES["events"]


def digest() -> str:
    """Changes when a column's name, type or place changes: its days are then made again."""
    declared = [(table, c.name, c.type) for table, columns in TABLES.items() for c in columns]
    return f"{zlib.crc32(repr(declared).encode()):08x}"


def fit(value: Any, type_name: str) -> tuple[Any, bool]:
    """The value as its column can hold it, and whether it did so unchanged.

    Args:
        value: anything that JSON can hold.
        type_name: a `Column.type`.

    Returns:
        The value and True; or None and False where it is of another type or over 64 bits. A text
        with half of a surrogate pair keeps the rest, with U+FFFD in that place, and False.

    >>> fit("loja", "string"), fit("12", "int64"), fit(2**63, "int64")
    (('loja', True), (None, False), (None, False))
    """
    if value is None:
        return None, True
    if type_name == "list<string>" and type(value) is list:
        fitted = [fit(item, "string") for item in value]
        texts = [item for item, _ in fitted if item is not None]
        return texts, len(texts) == len(value) and all(unchanged for _, unchanged in fitted)
    if type_name == "string" and type(value) is str:
        clean = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return clean, clean == value
    if type_name == "bool":
        return (value, True) if type(value) is bool else (None, False)
    whole = integer(value) if type_name in ("int64", "timestamp[ms]") else None
    return whole, whole is not None
