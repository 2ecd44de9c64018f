"""Runs MiniStack in this process, for as long as whoever started it lives.

`tgpipeline.local.aws` starts this file with a pipe as its standard input. When the other end of
the pipe closes, because the stack was stopped or because the notebook's kernel was killed, this
process ends together with the functions that MiniStack runs, and takes its data directory along.
"""

import os
import shutil
import signal
import sys
import threading


def _end_with_parent(directory: str) -> None:
    os.read(0, 1)  # returns at the end of the file only: nothing is ever written to the pipe
    shutil.rmtree(directory, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)  # functions that are running cannot be asked: they may be stuck


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, args=(sys.argv.pop(),), daemon=True).start()
    from ministack.app import main

    main()
