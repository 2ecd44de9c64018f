"""After the local stack has ended, a notebook's cell that would use it says so at once.

Otherwise a client would try again and again, and the reader would get a page of traceback.
"""

import ast
import sys
from collections.abc import Iterable
from types import FunctionType
from typing import Any

from telegram_standin import Telegram
from tgpipeline.settings import Settings
from tgpipeline.telegram.bot import Bot

_CLIENTS = ("botocore.client", "obstore")


class Watch:
    """Looks at each cell before it runs: one of IPython's transformers of syntax trees."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        shell.ast_transformers.append(self)

    def visit(self, tree: ast.AST) -> ast.AST:
        """Let a cell pass, unless a name in it stands for something of the stack."""
        if "local.start(" in ast.unparse(tree):
            forget()
            return tree
        known = [self.shell.user_ns.get(name) for name in _names(tree)]
        own = [f for f in known if isinstance(f, FunctionType) and f.__module__ == "__main__"]
        codes = [function.__code__ for function in own]
        known += [self.shell.user_ns.get(name) for code in codes for name in code.co_names]
        if any(_is_of_stack(value) or any(map(_is_of_stack, _inside(value))) for value in known):
            raise _rejection(self.shell)
        return tree


def watch() -> None:
    """Begin to look, where this is a notebook."""
    forget()
    if shell := _shell():
        Watch(shell)


def forget() -> None:
    """Look no longer: a stack is there again, or there will be none."""
    if shell := _shell():
        kept = [t for t in shell.ast_transformers if not isinstance(t, Watch)]
        shell.ast_transformers[:] = kept


def _names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _shell() -> Any:
    return sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None


def _is_of_stack(value: Any) -> bool:
    mine = isinstance(value, (Settings, Bot, Telegram))
    return mine or type(value).__module__.startswith(_CLIENTS)


def _inside(value: Any) -> Iterable[Any]:
    """What an object, or a function that another one made, holds on to."""
    cells = getattr(value, "__closure__", None) or ()
    held = {} if isinstance(value, type(ast)) else getattr(value, "__dict__", {})
    return [*held.values(), *(cell.cell_contents for cell in cells)]


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
