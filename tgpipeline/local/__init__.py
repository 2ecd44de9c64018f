"""The whole pipeline on this machine: AWS by MiniStack, Telegram by a stand-in, a sample group.

>>> from tgpipeline import local
>>> with local.start() as stack:  # doctest: +SKIP
...     stack.settings.raw_bucket
'tgpipeline-local-raw'
"""

import os
import sys
from contextlib import ExitStack
from datetime import date, timedelta
from typing import Any, NoReturn

import boto3

from telegram_standin import Clock, Telegram
from tgpipeline import deploy
from tgpipeline.errors import LocalStackError
from tgpipeline.etl import handler
from tgpipeline.lake import stores
from tgpipeline.local import ministack, replay
from tgpipeline.progress import progress
from tgpipeline.settings import Settings
from tgpipeline.telegram import updates
from tgpipeline.telegram.bot import Bot

SECRET: str = ministack.VARIABLES["pipeline"]["TELEGRAM_WEBHOOK_SECRET"]
_running: set["LocalStack"] = set()  # those that no `with` block ends
# What can be done already when the stack starts, in this order: step → stages that it deploys.
STEPS = {"ingest": ("lake", "ingest"), "webhook": (), "etl": ("etl",), "analytics": ("analytics",)}
BEGINNING = 1762743600  # midnight of the sample's first day, in its zone
_OURS, _CLIENTS = (Settings, Bot, Telegram), ("botocore.client", "obstore")  # modules of clients


class LocalStack(ExitStack):
    """What `start` started; it ends with `stop()`, a `with` block, or this process.

    Attributes:
        aws: MiniStack.
        telegram: the Bot API stand-in, with the group.
        bot: a client of the stand-in.
        settings: of the pipeline on this stack; also in the environment of this process.
        variables: the environment variables by which another process uses this stack.
    """

    def replay(self, start: date = replay.FIRST, end: date = replay.LAST) -> replay.Sent:
        """Let the sample group live through some days; everything goes through the webhook."""
        life, archive = replay.lines(start, end), stores.archive(self.settings)
        return replay.play(life, self.telegram, archive, self.aws.set_clock)

    stop = ExitStack.close  # ends both servers and puts the environment back; once is enough

    def _start(self, **options: Any) -> None:
        """Start both servers, and point this process at them: nothing reaches beyond it."""
        _running.add(self)
        self.callback(_tell_notebook)
        self.callback(_running.discard, self)
        self.aws = self.enter_context(ministack.start_aws(**options))
        self.telegram = self.enter_context(Telegram(clock=Clock(BEGINNING, running=False)))
        self.bot = Bot(self.telegram.token, self.telegram.url)
        elsewhere = tuple(ministack.VARIABLES["elsewhere"])
        ours = ministack.variables("pipeline", aws=self.aws, telegram=self.telegram)
        self.variables = self.aws.environment | ours
        away = dict.fromkeys(name for name in os.environ if name.startswith(elsewhere))
        self.callback(_set_environment, _set_environment(away | self.variables))
        self.settings = Settings.from_env()

    def __enter__(self) -> "LocalStack":
        _running.discard(self)  # the block ends it, whatever starts inside
        return self


def _set_environment(wanted: dict[str, Any]) -> dict[str, Any]:
    """Set variables, or remove those that are None; returns what they were before."""
    before = {name: os.environ.pop(name, None) for name in wanted}
    os.environ.update({name: value for name, value in wanted.items() if value is not None})
    boto3.DEFAULT_SESSION = None  # it remembers the credentials it was made with
    return before


def start(through: str = "", **options: Any) -> LocalStack:
    """Start the local stack, in the state in which the notebooks would have left it.

    It sets `AWS_ENDPOINT_URL`, `TELEGRAM_API_URL` and all else that the pipeline reads from the
    environment, so whatever runs in this process afterwards talks to this stack. A stack that this
    process has started before ends, unless it belongs to a `with` block.

    Args:
        through: the last step that is done already, with all before it: `ingest` (notebook 03),
            `webhook` (04: the month has been stored), `etl` (05) or `analytics` (06); none where
            it is empty.
        **options: of `ministack.start_aws`.

    Raises:
        LocalStackError: if there is no such step, or a server does not start.
        SettingsError: if the environment holds a setting that cannot be read.
    """
    names = list(STEPS)
    if through and through not in names:
        raise ministack.refusal("step", through=through, steps=", ".join(names))
    for earlier in list(_running):
        earlier.stop()
    Settings.from_env()  # a setting that cannot be read is refused now, even if not used here
    steps = names[: names.index(through) + 1] if through else []
    stack, doing = LocalStack(), "steps to a local stack"
    with progress(doing, 1 + len(steps)) as advance, ExitStack() as failing:
        failing.push(stack)
        stack._start(**options)
        for step in steps:
            advance(1)
            _take(step, stack)
        advance(1)
        failing.pop_all()  # nothing failed: it goes on
    return stack


def _take(step: str, stack: LocalStack) -> None:
    for stage in STEPS[step]:
        deploy.stages.deploy(stage, stack.settings)
    if step == "webhook":
        kinds = sorted(updates.MESSAGE_KINDS | updates.EVENT_KINDS)
        stack.bot.get_updates(allowed_updates=kinds)
        replay.fill(replay.lines(), stack.telegram, stack.settings)
    if step == "etl":  # as the function would, but in this process: it need not start first
        month = range((replay.LAST - replay.FIRST).days + 1)
        list(handler.run(stack.settings, [replay.FIRST + timedelta(n) for n in month]))


class Ended(LocalStackError, AttributeError):
    """Raised where a cell uses a stack that has ended; a notebook shows it as one sentence."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class _Gone:
    """What a notebook has in the place of what was of the stack: whatever uses it is told why."""

    def __init__(self, why: str) -> None:
        self._why = why

    def __getattr__(self, *_: Any, **__: Any) -> NoReturn:
        raise Ended(self._why)

    __call__ = __getattr__


def _tell_notebook() -> None:
    """Have a notebook's cell that would use the stack say at once that it has ended.

    Otherwise a client would try again and again, and the reader would get a page of traceback.
    """
    shell: Any = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if not shell or _running:
        return
    for name, value in list(shell.user_ns.items()):
        if _is_of_stack(value):
            cells = [n for n, cell in enumerate(shell.user_ns["In"]) if "local.start(" in cell]
            why = ministack.refusal("ended", cell=f"cell [{cells[-1]}]" if cells else "the cell")
            shell.user_ns[name] = _Gone(str(why))


def _is_of_stack(value: Any) -> bool:
    """Whether it is a client or settings, or holds one, as a function does that another made."""
    cells = [cell.cell_contents for cell in getattr(value, "__closure__", None) or ()]
    held = [value, *getattr(value, "__dict__", {}).values(), *cells]
    return any(isinstance(v, _OURS) or type(v).__module__.startswith(_CLIENTS) for v in held)
