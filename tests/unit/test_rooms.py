"""Rooms follow the data: a room imports what lies before it; the stand-in imports none of them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# From the first to the last; those of one line do not import each other.
ORDER = [
    {"errors", "resources"},
    {"settings", "progress"},
    {"telegram", "secrets"},
    {"lake"},
    {"batch"},
    {"ingest", "etl"},
    {"history"},
    {"privacy"},
    {"analytics", "deploy"},
    {"notebook"},
    {"local"},
    {"cli", "cli_deploy"},
]
PLACE = {room: place for place, rooms in enumerate(ORDER) for room in rooms}
MODULES = sorted((ROOT / "tgpipeline").rglob("*.py"))


def room_of(module: Path) -> str:
    return module.relative_to(ROOT / "tgpipeline").parts[0].removesuffix(".py")


def imported(module: Path, package: str) -> Iterator[str]:
    """The names that a module imports from a package, at its top or further in."""
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: write whole names"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.partition(".")[0] == package)


def wrong(module: Path) -> set[str]:
    """What a module imports from a room that does not lie before its own."""
    room = room_of(module)
    rooms = {name.split(".")[1] for name in imported(module, "tgpipeline") if "." in name}
    return {r for r in rooms & PLACE.keys() if r != room and PLACE[r] >= PLACE[room]}


def test_every_room_has_its_place():
    assert {room_of(module) for module in MODULES} - {"__init__", "__main__"} == set(PLACE)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_imports_go_one_way(module):
    if room_of(module) not in ("__init__", "__main__", "cli", "cli_deploy"):
        assert wrong(module) == set()


def test_a_wrong_import_is_seen(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    module = tmp_path / "tgpipeline" / "lake" / "quarantine.py"
    module.parent.mkdir(parents=True)
    module.write_text("from tgpipeline import errors\ndef f():\n    from tgpipeline import ingest")
    assert wrong(module) == {"ingest"}


@pytest.mark.parametrize(
    "module", sorted((ROOT / "telegram_standin").rglob("*.py")), ids=lambda path: path.stem
)
def test_the_stand_in_is_usable_without_tgpipeline(module):
    assert list(imported(module, "tgpipeline")) == []
