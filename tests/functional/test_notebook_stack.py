"""The local stack as a notebook's reader meets it: started twice, and asked after its end."""

import time

import pytest
from IPython.core.interactiveshell import InteractiveShell

from tgpipeline import local

START = "stack = local.start()\nsettings = stack.settings"


@pytest.fixture
def shell():
    shell = InteractiveShell.instance()
    shell.run_cell("from tgpipeline import local\nfrom tgpipeline.lake import stores")
    yield shell
    for running in list(local._running):
        running.stop()
    InteractiveShell.clear_instance()


def test_a_second_start_ends_the_first_stack(shell):
    assert shell.run_cell(START).success
    first = shell.user_ns["stack"]
    assert shell.run_cell(START).success
    second = shell.user_ns["stack"]
    assert first.aws.process.poll() is not None
    assert second.aws.process.poll() is None
    assert shell.user_ns["settings"].endpoint_url == second.aws.endpoint_url
    with local.start() as inner, local.start():
        assert inner.aws.process.poll() is None, "a block's stack ends with its block"


@pytest.mark.parametrize(
    "cell",
    [
        "stack.bot.get_me()",
        "store = stores.open_store('x', settings)",
        "ask()",
        "archive({})",
        "print(s3.list_buckets())",
    ],
)
def test_a_cell_after_the_teardown_says_which_cell_to_run(shell, capsys, cell):
    shell.run_cell(START, store_history=True)
    shell.run_cell(
        "from tgpipeline.settings import aws_client\ns3 = aws_client('s3', settings)\n"
        "archive = stores.archive(settings, s3)\nn = 41\n"
        "def ask():\n    return settings.raw_bucket"
    )
    shell.run_cell("stack.stop()")
    capsys.readouterr()
    started = time.monotonic()
    assert not shell.run_cell(cell).success
    assert time.monotonic() - started < 5
    said = capsys.readouterr().out.strip()
    assert said.startswith("The local stack has ended: run cell [")
    assert "\n" not in said
    assert shell.run_cell("n + 1").result == 42, "what needs no stack runs on"


def test_after_a_new_start_all_cells_run_again(shell):
    shell.run_cell(START)
    shell.run_cell("stack.stop()")
    assert not shell.run_cell("stack.bot.get_me()").success
    assert shell.run_cell(START).success
    assert shell.run_cell("stack.bot.get_me()").success
