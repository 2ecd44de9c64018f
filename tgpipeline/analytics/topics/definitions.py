"""The file of problem definitions: read, checked, compiled. Its head explains its language."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from tgpipeline.analytics.topics.phrases import Phrase, parse
from tgpipeline.analytics.topics.text import fold
from tgpipeline.errors import SettingsError

HANDOVER, OTHER = "handover", "other"  # flags with a meaning of their own
KINDS = ("words", "hints", "unless")


@dataclass(frozen=True)
class Problem:
    """One definition of the file.

    Attributes:
        name: its key, as `Topics.label` returns it.
        title: for people, by language ("pt", "en").
        phrases: `words`, `hints` and `unless`, compiled.
        examples: whole messages.
        yields_to: problems beside which this one goes without saying.
        flag: told apart from problems and never a label (`handover`, `other`).
    """

    name: str
    title: Mapping[str, str]
    phrases: Mapping[str, Sequence[Phrase]]
    examples: Sequence[str] = ()
    yields_to: Sequence[str] = ()
    flag: bool = False


def read_definitions(path: str | Path | None = None) -> tuple[list[Problem], frozenset[str]]:
    """Reads a definition file; without a path, the one that the package brings along.

    A file without `[other]` gets the packaged one, for what is no problem has to be known too.

    Returns:
        The definitions in the file's order, and the words that are never taken for a misspelling.

    Raises:
        SettingsError: the file cannot be read, or a definition in it is wrong; says which.
    """
    packaged = files(__package__).joinpath("topics.toml").read_text(encoding="utf-8")
    default = tomllib.loads(packaged)
    try:
        data = default if path is None else tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read as topic definitions: {error}") from error
    sets = {**default["sets"], **data.get("sets", {})}
    definitions = [_problem(name, data[name], sets) for name in data if name != "sets"]
    if OTHER not in data:
        definitions.append(_problem(OTHER, default[OTHER], sets))
    names = [d.name for d in definitions if not d.flag]
    if not names:
        raise SettingsError(f"{path} defines no problem: add a [name] with words and examples.")
    for definition in definitions:
        if unknown := set(definition.yields_to) - set(names):
            raise SettingsError(f"[{definition.name}] yields_to unknown {sorted(unknown)}.")
    definitions.sort(key=lambda d: d.flag)
    return definitions, frozenset(fold(sets["spelled"]).split("|"))


def _problem(name: str, table: Any, sets: Mapping[str, str]) -> Problem:
    allowed = {"title", "examples", "yields_to", "flag", *KINDS}
    if not isinstance(table, dict) or not table.keys() <= allowed:
        raise SettingsError(f"[{name}] may have {', '.join(sorted(allowed))}, and nothing else.")
    for key in (*KINDS, "examples", "yields_to"):
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise SettingsError(f"[{name}] {key} has to be a list of texts.")
    if not table.get("words") and not table.get("examples"):
        raise SettingsError(f"[{name}] needs words or examples to be recognised by.")
    return Problem(
        name=name,
        title=table.get("title", {"pt": name, "en": name}),
        phrases={kind: [parse(p, sets) for p in table.get(kind, [])] for kind in KINDS},
        examples=table.get("examples", []),
        yields_to=table.get("yields_to", []),
        flag=bool(table.get("flag", False)),
    )
