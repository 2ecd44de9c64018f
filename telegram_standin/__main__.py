"""The stand-in as a program: `python -m telegram_standin --port 8081 --token 123456:ABC`."""

import argparse
import sys
import threading
from collections.abc import Sequence

from telegram_standin.errors import StandInError
from telegram_standin.server import CONTROLS, TOKEN_DEFAULT, Telegram


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C, and say where."""
    parser = argparse.ArgumentParser(
        prog="python -m telegram_standin",
        description="A Telegram Bot API server on this machine, for one bot and its group.",
    )
    parser.add_argument("--port", type=int, default=8081, help="on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--token", default=TOKEN_DEFAULT, help="any, shaped like 123456:ABC")
    options = parser.parse_args(argv)
    try:
        with Telegram(options.token, options.port) as telegram:
            print(f"Bot API base URL: {telegram.url}")
            print(f"inject an update: {telegram.control_url('inject')}")
            print(f"make calls fail:  {telegram.control_url('fault')}")
            print(f"other controls:   {', '.join(CONTROLS[2:])}")
            print("Ctrl-C stops it.", flush=True)
            threading.Event().wait()
    except KeyboardInterrupt:
        print("stopped")
    except StandInError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
