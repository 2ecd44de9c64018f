"""The command line: `tgpipeline COMMAND`. Each command calls one function of the package.

Exit codes: 0 done; 1 it failed, the reason is on standard error; 2 the command line is wrong;
3 it ran and found something to mend (`rows`, `import`, `quarantine retry`, `check`, `up`, `status`,
`package`); 130 interrupted.
"""

import argparse
import io
import json
import logging
import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tgpipeline import __version__, resources
from tgpipeline.errors import DeployError, LakeError, SettingsError, TgPipelineError, missing_extra
from tgpipeline.settings import Settings, aws_client, secret

if TYPE_CHECKING:
    from tgpipeline.telegram.bot import Bot

Run = Callable[[argparse.Namespace], int | None]
_COMMANDS: dict[str, Run] = {}


def command(run: Run) -> Run:
    """Declare a command: `_rotate_secret` is `rotate-secret`, its help is the docstring.

    What it takes is in `cli.toml`.
    """
    _COMMANDS[run.__name__.strip("_").replace("_", "-")] = run
    return run


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
    except (TgPipelineError, ModuleNotFoundError) as error:
        told = missing_extra(error) if isinstance(error, ModuleNotFoundError) else error
        print(f"tgpipeline {arguments.command}: {told}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    from tgpipeline import cli_deploy, cli_privacy  # noqa: F401, they declare commands

    parser = argparse.ArgumentParser(
        prog="tgpipeline",
        description="A Telegram group's messages, from a bot's webhook to answers.",
        epilog="Settings come from the environment: AWS_S3_BUCKET, AWS_S3_ENRICHED, "
        "TELEGRAM_CHAT_ID, TELEGRAM_WEBHOOK_SECRET, TIMEZONE, LOOKBACK_DAYS, TGPIPELINE_NAME.",
    )
    parser.add_argument("--version", action="version", version=f"tgpipeline {__version__}")
    parser.add_argument("-v", "--verbose", action="store_true", help="log what is being done")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, run in _COMMANDS.items():
        description = (run.__doc__ or "").strip()
        sub = commands.add_parser(name, help=description.split("\n", 1)[0], description=description)
        for names, how in resources.data("cli.toml").get(name, {}).items():
            sub.add_argument(*names.split(), **how | _TYPES.get(how.get("type"), {}))
        sub.set_defaults(run=run)
    return parser


def day(text: str) -> date:  # argparse says its name where a text is none
    return date.fromisoformat(text)


_TYPES = {"day": {"type": day, "metavar": "YYYY-MM-DD"}, "int": {"type": int}}


@command
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


@command
def _etl(arguments: argparse.Namespace) -> int:
    """Bring the enriched zone up to date with the raw zone, from this machine."""
    settings = Settings.from_env("raw_bucket", "enriched_bucket")
    days = _days(arguments, settings)
    from tgpipeline.etl import jobs

    run = jobs.engine(arguments.engine, arguments.jobs)
    for ledger in run(settings, days, rebuild=arguments.rebuild):
        print(ledger)
    return 0


@command
def _import(arguments: argparse.Namespace) -> int:
    """Put a Telegram Desktop export into the raw zone, beside what the webhook brought."""
    from tgpipeline import deploy, history

    settings = Settings.from_env("raw_bucket")
    print(history.import_export(arguments.path, settings, chat=arguments.chat))
    try:
        unseen = deploy.unseen_days(settings)
    except DeployError as error:  # who imports need not be allowed to ask
        print(f"Whether Athena sees all days is not known: {error}", file=sys.stderr)
        return 0
    if unseen:
        print(f"run `tgpipeline up`: {unseen} days are not yet seen by Athena")
    return 3 if unseen else 0


@command
def _quarantine(arguments: argparse.Namespace) -> int:
    """List what could not be read, show one such object, or try them all again after a fix."""
    from tgpipeline import ingest
    from tgpipeline.lake import quarantine

    settings, key = Settings.from_env("raw_bucket"), arguments.key
    if arguments.action == "show":
        if not key:
            raise LakeError("which object? `tgpipeline quarantine list` says what is there.")
        print(quarantine.show(settings, key))
        return 0
    found = (
        [quarantine.item(settings, key)]
        if key
        else quarantine.items(settings, arguments.start, arguments.end)
    )
    s3 = aws_client("s3", settings) if arguments.action == "retry" else None
    left, readable = 0, Counter[date]()
    for one in list(found):
        outcome = ""
        if arguments.action == "retry":
            outcome = quarantine.retry(settings, one, ingest.store, s3)
        print(f"{one.key}  {outcome}" if outcome else one)
        left += outcome not in quarantine.LET_GO
        readable.update([one.day] if outcome == "readable" else [])
    for day, count in sorted(readable.items()):
        print(f"{count} readable now: tgpipeline etl --date {day} --rebuild")
    print(f"{left} in quarantine")
    return 3 if left and arguments.action == "retry" else 0


@command
def _check(arguments: argparse.Namespace) -> int:
    """Examine the bot: token, group, rights, webhook, and what to do about each."""
    settings = Settings.from_env() if arguments.chat else Settings.from_env("chat_ids")
    url = deployed_url(settings) if arguments.url is None else arguments.url
    client = bot(settings)
    if arguments.set_webhook:
        _set_webhook(client, url, settings, deployed=arguments.url is None)
    chat_id = arguments.chat or settings.chat_ids[0]
    result = client.check(chat_id, url, refusal_logged=partial(_refusal_logged, settings))
    print(result)
    return 0 if result.ok else 3


def _set_webhook(client: "Bot", url: str, settings: Settings, *, deployed: bool) -> None:
    """Set the webhook, for every kind of update; asks before another host's is replaced."""
    from tgpipeline import deploy
    from tgpipeline.telegram.bot import confirm
    from tgpipeline.telegram.updates import EVENT_KINDS, MESSAGE_KINDS

    settings.require("webhook_secret")
    if not url:
        raise SettingsError("there is no URL for the webhook: run `tgpipeline up`, or say --url.")
    client.set_webhook(
        url,
        secret_token=settings.webhook_secrets[0],
        allowed_updates=sorted(MESSAGE_KINDS | EVENT_KINDS),
        max_connections=deploy.webhook.deployed(settings).max_connections if deployed else None,
        replace=confirm,
    )


def _refusal_logged(settings: Settings, when: int) -> bool | None:
    """Whether ingest's log has a wrong secret within a minute of then; None if it is not known."""
    from tgpipeline import deploy

    try:
        return bool(deploy.log_events("ingest", settings, '"forbidden"', when - 60, when + 60))
    except (DeployError, SettingsError):
        return None


def bot(settings: Settings) -> "Bot":
    from tgpipeline.telegram.bot import Bot

    return Bot(secret("TELEGRAM_BOT_TOKEN"), settings.telegram_api_url)


def deployed_url(settings: Settings) -> str:
    """The webhook's URL; empty where nothing is deployed, or where AWS cannot be asked."""
    from tgpipeline import deploy

    try:
        return deploy.webhook.deployed(settings).url
    except (DeployError, SettingsError) as error:
        print(f"The deployed URL is not known, --url says it: {error}", file=sys.stderr)
        return ""


@command
def _demo(arguments: argparse.Namespace) -> int:
    """Run the seven notebooks on this machine, and say what they did."""
    from pathlib import Path

    from tgpipeline.notebook import demo

    return demo.main(Path(arguments.out))


@command
def _report(arguments: argparse.Namespace) -> int:
    """Write one page for a manager, from an export or the lake: findings, charts, definitions."""
    from tgpipeline.analytics import digest, from_export, report

    send = _recipient(arguments) if arguments.send or arguments.send_to else None
    chat, timezone = arguments.chat, arguments.timezone or ""
    if arguments.path:
        found = from_export.read_export(arguments.path, chat, timezone, arguments.keep)
    else:
        from tgpipeline.analytics import athena

        try:
            settings = Settings.from_env("enriched_bucket")
        except SettingsError as error:
            raise SettingsError(f"name an export, say result.json; for the lake: {error}") from None
        found = from_export.Group(athena.connect(settings), _whole(chat, "--chat") if chat else 0)
    if arguments.days is not None:
        if arguments.days < 1:
            raise SettingsError(f"--days {arguments.days} are no days: say 1 or more.")
        last = found.period(end=arguments.end)["end"]
        arguments.start = last - timedelta(arguments.days - 1)
    names = "start end timezone horizon office topics_file language names salt cut".split()
    how = {n: getattr(arguments, n) for n in names if getattr(arguments, n) is not None}
    if arguments.agents:
        how["agents"] = [_whole(part, "--agents") for part in arguments.agents.split(",")]
    answers = found.answers(**how)
    page = report.write(answers, arguments.output, arguments.csv)
    print(page)
    for note in found.notes:
        print(f"  {note}")
    if send:
        send(page, digest.text_of(answers))
    return 0


def _recipient(arguments: argparse.Namespace) -> Callable[[Path, str], object]:
    """What sends a page to the chat that was asked for; asks before anything is worked out."""
    from tgpipeline.analytics import digest
    from tgpipeline.telegram.bot import confirm

    settings = Settings.from_env()
    if not arguments.send_to and len(settings.chat_ids) != 1:
        raise SettingsError("which chat shall get the page? Name its id with --send-to.")
    target = _whole(arguments.send_to, "--send-to") if arguments.send_to else settings.chat_ids[0]
    client = bot(settings)
    called = digest.recipient(client, target, names=arguments.names)
    if not arguments.yes and not confirm(f"Send the page and its findings to {called}?"):
        raise SettingsError(f"nothing is sent to {called} without a yes: say --yes.")
    return partial(digest.send, client, target)


def _whole(text: str, option: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise SettingsError(f"{option} {text!r} is not an id: ids are whole numbers.") from None


@command
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


def _days(arguments: argparse.Namespace, settings: Settings) -> list[date]:
    """The days that --date, or --from and --to, ask for; yesterday if nothing does."""
    from datetime import datetime

    day = getattr(arguments, "date", None)
    yesterday = datetime.now(settings.tz).date() - timedelta(1)
    end = arguments.end or day or max(yesterday, arguments.start or yesterday)
    start = arguments.start or day or end
    if start > end:
        raise SettingsError(f"the first day, {start}, lies after the last, {end}.")
    return [start + timedelta(n) for n in range((end - start).days + 1)]
