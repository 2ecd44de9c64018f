"""The files around the package say the same thing as pyproject.toml, and no more than they may."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tools import environment

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def tracked() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False
    ).stdout
    return [ROOT / name for name in listing.decode().split("\0") if name]


def test_environment_yml_is_what_pyproject_says():
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert text == environment.render(ROOT), "run `make environment`"


def test_environment_yml_is_yaml_with_every_requirement():
    loaded = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    pip = loaded["dependencies"][-1]["pip"]
    for requirement in PYPROJECT["project"]["dependencies"]:
        assert requirement in pip
    assert f"python{PYPROJECT['project']['requires-python']}" in loaded["dependencies"]


def test_constraints_are_names_and_versions_alone():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert pins
    for pin in pins:
        assert re.fullmatch(r"[a-z0-9-]+==[A-Za-z0-9.+!]+", pin), pin


def test_every_requirement_is_pinned():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.split("==")[0] for line in lines if "==" in line}
    for requirement in environment.requirements(PYPROJECT, "dev"):
        if "win32" in requirement:
            continue
        name = re.match(r"[A-Za-z0-9._-]+", requirement)
        assert name is not None
        assert re.sub(r"[-_.]+", "-", name[0]).lower() in pinned, requirement


def test_nothing_looks_like_a_bot_token():
    shape = re.compile(rb"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}")
    for path in tracked():
        if path.is_file() and path.suffix != ".gz":
            assert not shape.search(path.read_bytes()), path


@pytest.mark.parametrize(
    "module", ["tgpipeline.telegram.updates", "tgpipeline.lake.rows", "tgpipeline.ingest"]
)
def test_import_does_nothing_and_brings_nothing_heavy(module):
    code = (
        f"import sys, {module}; "
        "print(sorted({'boto3', 'pandas', 'pyarrow', 'requests', 'obstore'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_modules_stay_readable():
    for path in sorted((ROOT / "tgpipeline").rglob("*.py")):
        lines = path.read_text(encoding="utf-8").count("\n")
        assert lines <= 330, f"{path.relative_to(ROOT)} has {lines} lines: split it by what it does"
