"""The command line: `tgpipeline COMMAND`. Each command calls one function of the package.

Exit codes: 0 done; 1 it failed, the reason is on standard error; 2 the command line is wrong;
3 it ran and found something to mend (`rows`, `quarantine retry`, `check`,
`status`); 130 interrupted.
"""

import argparse
import io
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from tgpipeline import __version__
from tgpipeline.errors import DeployError, SettingsError, TgPipelineError, missing_extra
from tgpipeline.settings import Settings, secret

if TYPE_CHECKING:
    from tgpipeline.telegram.bot import Bot

Run = Callable[[argparse.Namespace], int | None]
_COMMANDS: list[tuple[str, str, Run, tuple[tuple[tuple[str, ...], dict[str, Any]], ...]]] = []


def _option(*names: str, **how: Any) -> tuple[tuple[str, ...], dict[str, Any]]:
    return names, how


def _command(name: str, *options: tuple[tuple[str, ...], dict[str, Any]]) -> Callable[[Run], Run]:
    """Declare a command: its help is the function's docstring."""

    def declare(run: Run) -> Run:
        _COMMANDS.append((name, (run.__doc__ or "").strip(), run, options))
        return run

    return declare


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the arguments; this process's own where it is None.

    Returns:
        The exit code.
    """
    arguments = _parser().parse_args(argv)
    level = logging.INFO if arguments.verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s")
    for stream in (sys.stdout, sys.stderr):  # a terminal may not know each letter of a name
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        return arguments.run(arguments) or 0
    except TgPipelineError as error:
        print(f"tgpipeline {arguments.command}: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        print(f"tgpipeline {arguments.command}: {missing_extra(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tgpipeline",
        description="A Telegram group's messages, from a bot's webhook to answers.",
        epilog="Settings come from the environment: AWS_S3_BUCKET, AWS_S3_ENRICHED, "
        "TELEGRAM_CHAT_ID, TELEGRAM_WEBHOOK_SECRET, TIMEZONE, LOOKBACK_DAYS, TGPIPELINE_NAME.",
    )
    parser.add_argument("--version", action="version", version=f"tgpipeline {__version__}")
    parser.add_argument("-v", "--verbose", action="store_true", help="log what is being done")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, description, run, options in _COMMANDS:
        summary = description.split("\n", 1)[0]
        sub = commands.add_parser(name, help=summary, description=description)
        for names, how in options:
            sub.add_argument(*names, **how)
        sub.set_defaults(run=run)
    return parser


_DAY: dict[str, Any] = {"metavar": "DATE", "type": date.fromisoformat}
_FROM = _option("--from", dest="start", **_DAY, help="first day")
_TO = _option("--to", dest="end", **_DAY, help="last day, included")


@_command("rows", _option("paths", nargs="+", metavar="PATH", help="file, folder or - (stdin)"))
def _rows(arguments: argparse.Namespace) -> int:
    """Print the row that each update becomes, one JSON object a line."""
    from tgpipeline.lake.preview import rows_of

    failed = False
    for row in rows_of(arguments.paths, Settings.from_env().tz):
        print(json.dumps(row, ensure_ascii=not _unicode()))
        failed = failed or "error" in row
    return 3 if failed else 0


def _unicode() -> bool:
    """Whether standard output can hold every character; JSON has escapes for those it cannot."""
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


@_command(
    "etl",
    _option("--date", type=date.fromisoformat, help="one day; yesterday where none is given"),
    _FROM,
    _TO,
    _option("--rebuild", action="store_true", help="remake days that have not changed, too"),
)
def _etl(arguments: argparse.Namespace) -> int:
    """Bring the enriched zone up to date with the raw zone, from this machine."""
    settings = Settings.from_env("raw_bucket", "enriched_bucket")
    days = _days(arguments, settings)
    from tgpipeline.etl import handler

    for ledger in handler.run(settings, days, rebuild=arguments.rebuild):
        print(
            f"{ledger.date} {ledger.status:<9} {ledger.documents:>7} documents → "
            f"{ledger.messages} messages, {ledger.events} events, {ledger.superseded} superseded, "
            f"{ledger.repeated} repeated, {ledger.quarantined} quarantined"
        )
    return 0


@_command(
    "import",
    _option("path", help="result.json of a Telegram Desktop export, its folder, or a zip of it"),
    _option("--chat", help="import this chat alone: its id, or its title"),
)
def _import(arguments: argparse.Namespace) -> int:
    """Put a Telegram Desktop export into the raw zone, beside what the webhook brought."""
    from tgpipeline import deploy, history

    settings = Settings.from_env("raw_bucket")
    print(history.import_export(arguments.path, settings, chat=arguments.chat))
    unseen = deploy.unseen_days(settings)
    if unseen:
        print(f"run `tgpipeline up`: {unseen} days are not yet seen by Athena")
    return 3 if unseen else 0


@_command(
    "quarantine",
    _option("action", choices=("list", "show", "retry"), nargs="?", default="list"),
    _option("key", nargs="?", help="of one object; all where none is given"),
    _FROM,
    _TO,
)
def _quarantine(arguments: argparse.Namespace) -> int:
    """List what could not be read, show one such object, or try them all again after a fix."""
    from tgpipeline.lake import quarantine

    return quarantine.command(arguments, Settings.from_env("raw_bucket"))


@_command(
    "check",
    _option("--chat", type=int, help="the group; the first of TELEGRAM_CHAT_ID"),
    _option("--url", help="where updates should go; the deployed URL, or nowhere"),
)
def _check(arguments: argparse.Namespace) -> int:
    """Examine the bot: token, group, rights, webhook, and what to do about each."""
    settings = Settings.from_env() if arguments.chat else Settings.from_env("chat_ids")
    url = _deployed_url(settings) if arguments.url is None else arguments.url
    result = _bot(settings).check(arguments.chat or settings.chat_ids[0], url)
    print(result)
    return 0 if result.ok else 3


def _bot(settings: Settings) -> "Bot":
    from tgpipeline.telegram.bot import Bot

    return Bot(secret("TELEGRAM_BOT_TOKEN"), settings.telegram_api_url)


def _deployed_url(settings: Settings) -> str:
    """The webhook's URL; empty where nothing is deployed, or where AWS cannot be asked."""
    from tgpipeline import deploy

    try:
        return deploy.webhook.deployed(settings).url
    except DeployError as error:
        print(f"The deployed URL is not known, --url says it: {error}", file=sys.stderr)
        return ""


@_command("demo", _option("--out", default="out", help="folder for what is made (out)"))
def _demo(arguments: argparse.Namespace) -> int:
    """Run the six notebooks on this machine, and say what they did."""
    from pathlib import Path

    from tgpipeline.notebook import demo

    return demo.main(Path(arguments.out))


@_command(
    "report",
    _FROM,
    _TO,
    _option("--chat", type=int, default=0, help="one group alone, by any id it has had"),
    _option("--names", action="store_true", help="show people's names instead of pseudonyms"),
    _option("--csv", metavar="FOLDER", help="also write the tables there"),
    _option("-o", "--output", default="report.html", help="the page to write (report.html)"),
)
def _report(arguments: argparse.Namespace) -> int:
    """Write one page for a manager, of the last 30 days: findings, charts, definitions."""
    from tgpipeline.analytics import athena, report

    settings = Settings.from_env("enriched_bucket")
    days = _days(arguments, settings, usual=30)
    chosen = {name: getattr(arguments, name) for name in ("chat", "names", "csv", "output")}
    print(report.build(athena.connect(settings), start=days[0], end=days[-1], **chosen))
    return 0


@_command(
    "up",
    _option("--dry-run", action="store_true", help="say what would be changed"),
    _option(
        "--import-buckets",
        action="store_true",
        help="take buckets that exist into the lake's stack",
    ),
)
def _up(arguments: argparse.Namespace) -> int:
    """Deploy the four stacks into AWS, run the ETL once, and examine the bot."""
    from tgpipeline import deploy

    settings, how = Settings.from_env(), {"import_buckets": arguments.import_buckets}
    if arguments.dry_run:
        _say_changes("would ", deploy.up(settings, dry_run=True, **how).changes)
        return 0
    done = deploy.up(settings, listener=print, **how)
    if not done.changes:
        print("Nothing to change.")
    proof = deploy.prove(settings)
    print(
        f"The ETL looked at {proof['days']} days, {proof['documents']} documents; Athena answers."
    )
    print(f"The webhook's URL, for setWebhook: {done.url}")
    if not os.environ.get("TELEGRAM_BOT_TOKEN"):
        print("With TELEGRAM_BOT_TOKEN, `tgpipeline check` examines the bot, too.")
        return 0
    result = _bot(settings).check(settings.chat_ids[0], done.url)
    print(result)
    return 0 if result.ok else 3


@_command("status")
def _status(arguments: argparse.Namespace) -> int:
    """Ask the stacks what is deployed, what was changed by hand, and how it is doing."""
    from tgpipeline import deploy

    status = deploy.status(Settings.from_env())
    print(status)
    return 0 if status.ok else 3


@_command("package")
def _package(arguments: argparse.Namespace) -> int:
    """Upload the functions' code, and print how `aws cloudformation deploy` makes the stacks."""
    from tgpipeline import deploy

    commands = 0
    for command in deploy.package(Settings.from_env()):
        print(command)
        commands += 1
    if commands < len(deploy.STAGES):
        print("Run it, then `tgpipeline package` again: code goes into a bucket of the lake.")
        return 3
    return 0


@_command("rotate-secret")
def _rotate_secret(arguments: argparse.Namespace) -> None:
    """Give the webhook a new secret, the function first, then Telegram; no update is lost."""
    from tgpipeline import deploy

    settings = Settings.from_env()
    deploy.rotate_secret(settings, _bot(settings))
    print("The function takes a new secret and no other; Telegram sends it, if a webhook is set.")
    if settings.webhook_secret:
        print("Unset TELEGRAM_WEBHOOK_SECRET: it holds the former one, and `up` would deploy it.")


@_command("rollback", _option("function", choices=("ingest", "etl")))
def _rollback(arguments: argparse.Namespace) -> int:
    """Run a function's former code again; once more takes that back."""
    from tgpipeline import deploy

    code = deploy.rollback(arguments.function, Settings.from_env(), listener=print)
    print(f"{arguments.function} runs {code}.")
    return 0


@_command(
    "down",
    _option("--delete-data", action="store_true", help="delete the lake and all messages, too"),
    _option("--yes", action="store_true", help="do not ask"),
    _option("--dry-run", action="store_true", help="say what would be deleted"),
)
def _down(arguments: argparse.Namespace) -> int:
    """Delete the stacks of analytics, etl and ingest; the lake stays unless told otherwise."""
    from tgpipeline import deploy

    settings = Settings.from_env()
    _say_changes(
        "would delete ", deploy.down(settings, delete_data=arguments.delete_data, dry_run=True)
    )
    if arguments.dry_run or not _agreed("Delete all this?", arguments.yes):
        return 0 if arguments.dry_run else 1
    url = _deployed_url(settings)
    deploy.down(settings, delete_data=arguments.delete_data, listener=print)
    if url and os.environ.get("TELEGRAM_BOT_TOKEN"):
        bot = _bot(settings)
        ours = bot.get_webhook_info().get("url") == url
        if ours and _agreed("Telegram still posts to it. deleteWebhook?", arguments.yes):
            bot.delete_webhook()
    return 0


def _agreed(question: str, yes: bool) -> bool:
    """Whether somebody says yes.

    Raises:
        TgPipelineError: if nobody can be asked.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise TgPipelineError("nothing was deleted: say --yes where nobody can be asked.")
    return input(f"{question} Type yes: ").strip().lower() == "yes"


@_command("local", _option("--through", default="", help="ingest, webhook, etl or analytics"))
def _local(arguments: argparse.Namespace) -> int:
    """Run the local stack until Ctrl-C, and say how another shell can use it."""
    import threading

    from tgpipeline import local

    with local.start(through=arguments.through) as stack:
        for name, value in sorted(stack.variables.items()):
            print(f"export {name}={value}")
        print("# Stop with Ctrl-C.", flush=True)
        threading.Event().wait()
    return 0


def _say_changes(what: str, changes: Sequence[object]) -> None:
    for change in changes:
        print(f"{what}{change}")
    if not changes:
        print("Nothing to change.")


def _days(arguments: argparse.Namespace, settings: Settings, usual: int = 1) -> list[date]:
    """The days that --date, or --from and --to, ask for; the `usual` last ones if nothing does."""
    from datetime import datetime

    day = getattr(arguments, "date", None)
    yesterday = datetime.now(settings.tz).date() - timedelta(1)
    end = arguments.end or day or max(yesterday, arguments.start or yesterday)
    start = arguments.start or day or end - timedelta(usual - 1)
    if start > end:
        raise SettingsError(f"the first day, {start}, lies after the last, {end}.")
    return [start + timedelta(n) for n in range((end - start).days + 1)]
