"""The tools beside the package: what they write is what is there, and what they check, they see."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest

import tgpipeline
from tgpipeline.notebook import runner
from tools import architecture, badges, environments, release, size

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("theme", "language"), architecture.PICTURES)
def test_the_architecture_is_what_the_code_draws(theme, language):
    stored = architecture.place(theme, language).read_text("utf-8")
    assert stored == architecture.draw(theme, language), "run `make architecture`"
    root = ElementTree.fromstring(stored)
    sizes = [int(text.get("font-size")) for text in root.iter() if text.get("font-size")]
    width = float(root.get("viewBox").split()[2])
    assert min(sizes) * 360 / width >= 12, "letters are too small on a phone of 360 pixels"


def test_every_setup_cell_begins_alike_and_names_this_version():
    heads = set()
    for path in runner.find():
        cells = nbformat.read(path, as_version=4).cells
        setup = next(c for c in cells if "setup" in c.metadata.get("tags", []))
        heads.add(setup.source[: len(badges.setup(badges.repository()))])
    assert heads == {badges.setup(badges.repository())}
    assert f'"v{tgpipeline.__version__}"' in heads.pop()


@pytest.fixture
def repository(tmp_path):
    """A git repository with one commit and no tag."""
    place = tmp_path / "repository"
    run = ["git", "-C", str(place), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", "init", "-q", str(place)], check=True)
    subprocess.run([*run, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    return place


def found_by_the_setup_cell(folder, repository) -> tuple[str, str]:
    """What the cell would install where nothing is installed, and what it says."""
    code = badges.setup(f"file://{repository}").replace(
        '%pip install --quiet "tgpipeline[colab] @ {source}"', 'print("INSTALL", source)'
    )
    assert "INSTALL" in code
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    said, _, source = done.stdout.partition("INSTALL ")
    return source.strip(), said.strip()


def test_the_setup_cell_finds_the_package_without_guessing(tmp_path, repository):
    folder = tmp_path / "a folder"
    folder.mkdir()
    tag = f"v{tgpipeline.__version__}"
    source, said = found_by_the_setup_cell(folder, repository)
    assert source == f"git+file://{repository}"
    assert said == f"The repository has no tag {tag}: its default branch is installed."
    subprocess.run(["git", "-C", str(repository), "tag", tag], check=True)
    assert found_by_the_setup_cell(folder, repository) == (f"git+file://{repository}@{tag}", "")
    wheel = folder / f"tgpipeline-{tgpipeline.__version__}-py3-none-any.whl"
    wheel.touch()
    assert found_by_the_setup_cell(folder, repository) == (wheel.as_uri(), "")


@pytest.mark.parametrize(
    "remote",
    [
        "git@github.com:you/fork.git",
        "https://github.com/you/fork.git",
        "https://token@github.com/you/fork/",
        "ssh://git@github.com/you/fork",
    ],
)
def test_the_address_of_a_fork_comes_from_git(repository, remote):
    assert badges.origin(repository) == ""
    subprocess.run(["git", "-C", str(repository), "remote", "add", "origin", remote], check=True)
    assert badges.origin(repository) == "https://github.com/you/fork"


def test_a_release_needs_version_tag_and_changelog_to_agree():
    log = "# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2026-01-31\n\n- New.\n\n## [1.1.0]\n"
    cell = ['tag = "v1.2.0"']
    assert release.problems("1.2.0", log, "v1.2.0", cell) == []
    assert release.problems("1.2.0", log, "", cell) == []
    assert "the tag is v1.1.0" in release.problems("1.2.0", log, "v1.1.0", cell)[0]
    assert "no section" in release.problems("1.3.0", log, "", ['"v1.3.0"'])[0]
    assert "no date" in release.problems("1.1.0", "## [1.1.0]\n", "", ['"v1.1.0"'])[0]
    assert "make badges" in release.problems("1.2.0", log, "", ['tag = "v1.1.0"'])[0]
    assert release.notes(log, "1.2.0") == "- New."


def test_citation_names_this_version():
    text = (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"\nversion: {tgpipeline.__version__}\n" in text


def test_code_is_counted_without_words(tmp_path):
    source = (
        '"""Doc."""\n\n# why\nx = """a\nb"""\n\n\ndef f():\n    """D\n    m."""\n    return x\n'
    )
    assert size.lines_of_code(source) == 4
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "a.py").write_text(source)
    (tmp_path / "b.py").write_text("x = 1\n")
    assert size.rooms(tmp_path) == {"room": 4, "(top)": 1}


def test_the_lowest_versions_are_those_of_pyproject():
    pins = environments.lowest("colab")
    assert all(re.fullmatch(r"[\w-]+==[\d.]+", pin) for pin in pins), pins
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    assert len(pins) > len(wanted) - 1
    assert next(pin for pin in pins if pin.startswith("requests==")) in {
        line.replace(">=", "==") for line in wanted
    }


def test_colabs_list_is_names_and_versions_with_the_kernels_own():
    text = environments.LIST.read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[A-Za-z0-9.+!]+", line) for line in lines)
    assert {"ipykernel", "ipython", "pandas", "numpy", "requests"} <= environments.pins(text).keys()


@pytest.mark.parametrize("target", ["colab", "lowest"])
def test_a_missing_interpreter_is_said_and_nothing_made(target, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(environments, "ROOT", tmp_path)
    monkeypatch.setenv(f"{target.upper()}_PYTHON", "python9.99")
    assert environments.main(target) == 1
    assert "needs python9.99, which is not on this machine" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
