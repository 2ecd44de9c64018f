"""After the local stack has ended, a notebook's cell that would use it says so at once.

Otherwise a client would try again and again, and the reader would get a page of traceback.
"""

import ast
import sys
from types import FunctionType
from typing import Any

from telegram_standin import Telegram
from tgpipeline.settings import Settings
from tgpipeline.telegram.bot import Bot

_CLIENTS = ("botocore.client", "obstore")


class _Watch:
    """Looks at each cell before it runs: one of IPython's transformers of syntax trees."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell

    def visit(self, tree: ast.AST) -> ast.AST:
        """Let a cell pass, unless a name in it stands for something of the stack."""
        known = self.shell.user_ns
        named = [known.get(node.id) for node in ast.walk(tree) if isinstance(node, ast.Name)]
        own = [f for f in named if isinstance(f, FunctionType) and f.__module__ == "__main__"]
        named += [known.get(name) for f in own for name in f.__code__.co_names]
        if "local.start(" in ast.unparse(tree):
            forget()
        elif any(map(_is_of_stack, named)):
            raise _rejection(self.shell)
        return tree


def watch() -> None:
    """Begin to look, where this is a notebook."""
    forget()
    if shell := _shell():
        shell.ast_transformers.append(_Watch(shell))


def forget() -> None:
    """Look no longer: a stack is there again."""
    if shell := _shell():
        kept = [t for t in shell.ast_transformers if not isinstance(t, _Watch)]
        shell.ast_transformers[:] = kept


def _shell() -> Any:
    return sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None


def _is_of_stack(value: Any, depth: int = 1) -> bool:
    """Whether it is a client or settings, or holds one, as a function does that another made."""
    if isinstance(value, (Settings, Bot, Telegram)) or type(value).__module__.startswith(_CLIENTS):
        return True
    cells = [cell.cell_contents for cell in getattr(value, "__closure__", None) or ()]
    held = [*getattr(value, "__dict__", {}).values(), *cells]
    return bool(depth) and any(_is_of_stack(one, depth - 1) for one in held)


def _rejection(shell: Any) -> Exception:
    from IPython.core.error import InputRejected

    class LocalStackEnded(InputRejected):
        def _render_traceback_(self) -> list[str]:
            return [str(self)]

    cells = [n for n, cell in enumerate(shell.user_ns["In"]) if "local.start(" in cell]
    which = f"cell [{cells[-1]}]" if cells else "the cell"
    return LocalStackEnded(
        f"The local stack has ended: run {which}, which holds local.start(…), again, and then the "
        "cells after it."
    )
