"""Runs MiniStack in this process, for as long as whoever started it lives.

`ministack.py` starts this file with a pipe as its standard input. When the other end of
the pipe closes, because the stack was stopped or because the notebook's kernel was killed, this
process ends together with the functions that MiniStack runs, and takes its data directory along.

A file `clock` in that directory tells what time it is, for the requests that API Gateway passes on:
so a month of updates can be received on the days on which they happened. This and two more changes
use private names of MiniStack's: where they are not what they were, the change is skipped, and a
file `skipped_…` says to whoever started the stack what goes without it.
"""

import os
import shutil
import signal
import sys
import threading
from pathlib import Path
from typing import Any


def _end_with_parent(directory: Path) -> None:
    os.read(0, 1)  # returns at the end of the file only: nothing is ever written to the pipe
    shutil.rmtree(directory, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)  # functions that are running cannot be asked: they may be stuck


def _keep_time(directory: Path) -> None:
    """Without the clock file, updates without a date get today's, whatever day is played."""
    from ministack.services import apigateway_v1

    build = apigateway_v1._build_lambda_event_v1

    def dated(*args: Any, **options: Any) -> dict[str, Any]:
        event: dict[str, Any] = build(*args, **options)
        if instant := (directory / "clock").read_text():
            event["requestContext"]["requestTimeEpoch"] = int(float(instant) * 1000)
        return event

    apigateway_v1._build_lambda_event_v1 = dated


def _hurry(_: Path) -> None:
    """Without it each request takes 5 ms longer, half its time: so long its log is waited for."""
    from ministack.core.lambda_runtime import Worker

    first_line, _, at_most = Worker._drain_stderr_bounded.__defaults__
    Worker._drain_stderr_bounded.__defaults__ = (first_line, 0.001, at_most)


def _heed_conditions(_: Path) -> None:
    """Without it, change sets list resources that a condition leaves out."""
    from ministack.services.cloudformation import changesets

    resolve = changesets._resolve_props_for_diff

    def heeded(template: Any, params: Any, *of_stack: str) -> dict[str, Any]:
        found: dict[str, Any] = resolve(template, params, *of_stack).get("Resources", {})
        met = changesets._evaluate_conditions(template, params) if template else {}
        kept = {name: r for name, r in found.items() if met.get(r.get("Condition"), True)}
        return {"Resources": kept}

    changesets._resolve_props_for_diff = heeded


if __name__ == "__main__":
    directory = Path(sys.argv.pop())
    threading.Thread(target=_end_with_parent, args=(directory,), daemon=True).start()
    for change in (_keep_time, _hurry, _heed_conditions):
        try:
            change(directory)
        except (ImportError, AttributeError, TypeError, ValueError) as error:
            (directory / f"skipped{change.__name__}").write_text(f"{change.__doc__} ({error})")
    from ministack.app import main

    main()
