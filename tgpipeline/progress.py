"""How far long work has come: shown where somebody watches, and told in one line at its end."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

from tqdm import tqdm

PATIENCE = 2  # seconds of work that need no word


@contextmanager
def progress(doing: str, total: int | None = None) -> Iterator[Callable[[int], object]]:
    """Show that something is being done, and how far it is.

    Where nobody watches (see `watched`) nothing is shown, so that what a notebook or a log holds
    does not change from run to run.

    Args:
        doing: what is counted or done, such as `updates sent`.
        total: how many there will be; None where that is not known: then the time passes visibly.

    Yields:
        A function that is told how many more are done.

    >>> with progress("updates sent", total=3) as advance:
    ...     _ = advance(3)
    """
    stream = sys.stderr if _kernel() is None else sys.stdout
    with tqdm(total=total, desc=doing, disable=not watched(), file=stream, leave=False) as bar:
        Thread(target=_tick, args=(bar,), daemon=True).start()
        yield bar.update
        shown, done, seconds = not bar.disable, bar.n, bar.format_dict["elapsed"]
    if shown and seconds >= PATIENCE:
        print(f"{f'{done:,} ' if done else ''}{doing}, {seconds:.0f} s", file=stream)


def _tick(bar: tqdm) -> None:
    """Let the time pass visibly until the bar is closed, which disables it."""
    while not bar.disable:
        bar.refresh()
        time.sleep(1)


def watched() -> bool:
    """Whether somebody watches: at a terminal, or in a notebook that is not run headless.

    A front end allows the kernel to ask its reader for input, what runs a notebook headless does
    not. `TQDM_DISABLE=1` means that nobody watches, whatever runs.
    """
    if os.environ.get("TQDM_DISABLE", "0") not in ("", "0"):
        return False
    kernel = _kernel()
    terminal = bool(sys.stderr and sys.stderr.isatty())
    return terminal if kernel is None else bool(getattr(kernel, "_allow_stdin", False))


def _kernel() -> object | None:
    """The kernel of this notebook; None where this is none."""
    ipython = sys.modules.get("IPython")
    return getattr(ipython.get_ipython(), "kernel", None) if ipython else None
