"""Runs MiniStack in this process, for as long as whoever started it lives.

`ministack.py` starts this file with a pipe as its standard input. When the other end of
the pipe closes, because the stack was stopped or because the notebook's kernel was killed, this
process ends together with the functions that MiniStack runs, and takes its data directory along.

A file `clock` in that directory tells what time it is, for the requests that API Gateway passes on:
so a month of updates can be received on the days on which they happened. This and one more change
use private names of MiniStack's: where they are not what they were, the change is skipped, and a
file `skipped_…` says so to whoever started the stack.
"""

import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any


def _end_with_parent(directory: Path) -> None:
    os.read(0, 1)  # returns at the end of the file only: nothing is ever written to the pipe
    shutil.rmtree(directory, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)  # functions that are running cannot be asked: they may be stuck


def _keep_time(directory: Path) -> None:
    """Let API Gateway date requests by the clock file, while there is one."""
    from ministack.services import apigateway_v1

    build, clock = apigateway_v1._build_lambda_event_v1, directory / "clock"

    def dated(*args: Any, **options: Any) -> dict[str, Any]:
        event: dict[str, Any] = build(*args, **options)
        if clock.is_file():
            event["requestContext"]["requestTimeEpoch"] = int(float(clock.read_text()) * 1000)
        return event

    apigateway_v1._build_lambda_event_v1 = dated


def _hurry(directory: Path) -> None:
    """Let an invocation end when its log does: MiniStack waits 5 ms more, half a request's time."""
    from ministack.core.lambda_runtime import Worker

    first_line, _, at_most = Worker._drain_stderr_bounded.__defaults__
    Worker._drain_stderr_bounded.__defaults__ = (first_line, 0.001, at_most)


def _try(change: Callable[[Path], None], directory: Path, without: str) -> None:
    """Make a change to MiniStack, or leave word of what goes without it."""
    try:
        change(directory)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        (directory / f"skipped{change.__name__}").write_text(f"{without} ({error})")


def _heed_conditions(directory: Path) -> None:
    """Let change sets leave out what a template's condition leaves out, as CloudFormation does."""
    from ministack.services.cloudformation import changesets

    resolve = changesets._resolve_props_for_diff

    def heeded(template: Any, params: Any, *of_stack: str) -> dict[str, Any]:
        made: dict[str, Any] = resolve(template, params, *of_stack)
        met = changesets._evaluate_conditions(template, params) if template else {}
        wanted = {
            name: resource
            for name, resource in made.get("Resources", {}).items()
            if met.get(resource.get("Condition"), True)
        }
        return {"Resources": wanted}

    changesets._resolve_props_for_diff = heeded


if __name__ == "__main__":
    directory = Path(sys.argv.pop())
    threading.Thread(target=_end_with_parent, args=(directory,), daemon=True).start()
    _try(_keep_time, directory, "updates without a date get today's, whatever day is played")
    _try(_hurry, directory, "each request takes 5 ms longer")
    _try(_heed_conditions, directory, "change sets list resources that a condition leaves out")
    from ministack.app import main

    main()
