"""After the local stack has ended, a notebook's cell that would use it says so at once.

Otherwise a client would try again and again, and the reader would get a page of traceback.
"""

import sys
from typing import Any

from telegram_standin import Telegram
from tgpipeline.local import ministack
from tgpipeline.settings import Settings
from tgpipeline.telegram.bot import Bot

START = "local.start("
_OURS = (Settings, Bot, Telegram)
_CLIENTS = ("botocore.client", "obstore")  # modules of clients


def watch() -> None:
    """Take what was the stack's out of a notebook; a cell that asks for it is told why."""
    if not (shell := _shell()):
        return
    gone = {name for name, value in shell.user_ns.items() if _is_of_stack(value)}
    for name in gone:
        del shell.user_ns[name]

    def tell(shell: Any, kind: type, error: Any, trace: Any, tb_offset: int | None = None) -> None:
        if error.name not in gone:
            shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
            return
        cells = [f"cell [{n}]" for n, cell in enumerate(shell.user_ns["In"]) if START in cell]
        print(ministack.refusal("ended", cell=["the cell", *cells][-1]))

    shell.set_custom_exc((NameError,), tell)


def forget() -> None:
    """Look no longer: a stack is there again."""
    if (shell := _shell()) and shell.custom_exceptions == (NameError,):
        shell.set_custom_exc((), None)


def _shell() -> Any:
    return sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None


def _is_of_stack(value: Any) -> bool:
    """Whether it is a client or settings, or holds one, as a function does that another made."""
    cells = [cell.cell_contents for cell in getattr(value, "__closure__", None) or ()]
    held = [value, *getattr(value, "__dict__", {}).values(), *cells]
    return any(isinstance(v, _OURS) or type(v).__module__.startswith(_CLIENTS) for v in held)
