"""Progress shows where somebody watches, and nowhere else."""

import sys

import pytest

from tgpipeline import progress


@pytest.fixture
def patient(monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 0)
    monkeypatch.delenv("TQDM_DISABLE", raising=False)


def test_where_nobody_watches_nothing_is_shown(patient, capsys):
    with progress.progress("updates sent", total=2) as advance:
        advance(2)
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")


class Kernel:
    """As IPython's, with a front end that lets it ask its reader, or that does not."""

    def __init__(self, allow_stdin):
        self._allow_stdin = allow_stdin


@pytest.mark.parametrize("watched", [True, False])
def test_a_notebook_that_is_open_shows_it_and_a_headless_one_does_not(
    patient, monkeypatch, capsys, watched
):
    monkeypatch.setattr(progress, "_kernel", lambda: Kernel(watched))
    assert progress.watched() is watched
    with progress.progress("updates sent", total=3153) as advance:
        for _ in range(3153):
            advance(1)
    said = capsys.readouterr().out
    assert said.endswith("3,153 updates sent, 0 s\n") if watched else said == ""
    assert not watched or "updates sent:" in said.partition("3,153 updates")[0]


def test_a_terminal_sees_it_on_standard_error(patient, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with progress.progress("stacks made"):
        pass
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.endswith("stacks made, 0 s\n")
    monkeypatch.setenv("TQDM_DISABLE", "1")
    with progress.progress("stacks made"):
        pass
    assert capsys.readouterr().err == ""
