"""How far long work has come: shown where somebody watches, and told in one line at its end."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

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
    shown, started = watched(), time.monotonic()
    stream = sys.stdout if _kernel() is not None else sys.stderr
    over = threading.Event()
    with tqdm(total=total, desc=doing, disable=not shown, file=stream, leave=False) as bar:

        def tick() -> None:
            while not over.wait(1):
                bar.refresh()

        if shown:
            threading.Thread(target=tick, daemon=True).start()
        try:
            yield bar.update
        finally:
            over.set()
            done = bar.n
    seconds = time.monotonic() - started
    if shown and seconds >= PATIENCE:
        print(f"{f'{done:,} ' if done else ''}{doing}, {seconds:.0f} s", file=stream)


def watched() -> bool:
    """Whether somebody watches: at a terminal, or in a notebook that is not run headless.

    A front end allows the kernel to ask its reader for input, what runs a notebook headless does
    not. `TQDM_DISABLE=1` means that nobody watches, whatever runs.
    """
    if os.environ.get("TQDM_DISABLE", "0") not in ("", "0"):
        return False
    kernel = _kernel()
    if kernel is not None:
        return bool(getattr(kernel, "_allow_stdin", False))
    return bool(sys.stderr and sys.stderr.isatty())


def _kernel() -> object | None:
    """The kernel of this notebook; None where this is none."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython

    return getattr(get_ipython(), "kernel", None)
