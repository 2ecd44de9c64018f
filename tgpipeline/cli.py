"""The command line: `tgpipeline COMMAND`. Each command calls one function of the package.

What a command takes is in `cli.toml`. Command `rotate-secret` is function `_rotate_secret`, here or
in `cli_deploy`, and its help is the docstring. A command returns False, or something that
is shown and is not `ok`, where it ran and found something to mend.

Exit codes: 0 done; 1 it failed, the reason is on standard error; 2 the command line is wrong;
3 it ran and found something to mend (`rows`, `import`, `quarantine retry`, `check`, `up`, `status`,
`package`, `erase`); 130 interrupted.
"""

import argparse
import io
import json
import logging
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

from tgpipeline import __version__, deploy, history, ingest, resources
from tgpipeline.errors import DeployError, SettingsError, TgPipelineError
from tgpipeline.history.content import int_of
from tgpipeline.lake import quarantine, versions
from tgpipeline.secrets import secret
from tgpipeline.settings import Settings, aws_client
from tgpipeline.telegram.bot import Bot, confirm

# Options of `report` that are parameters of its answers.
_ANSWERS = "start end timezone horizon office agents topics_file language names salt cut".split()


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command, with this process's own arguments where `argv` is None; its exit code."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level="INFO" if arguments.verbose else "WARNING")
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal may not know each letter of a name
        sys.stdout.reconfigure(errors="replace")
    try:
        done = arguments.run(arguments)
        if hasattr(done, "ok"):
            print(done)
        return 0 if getattr(done, "ok", done is not False) else 3
    except (TgPipelineError, ModuleNotFoundError) as error:
        told = _missing_extra(error) if isinstance(error, ModuleNotFoundError) else error
        print(f"tgpipeline {arguments.command}: {told}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    """Settings come from the environment: AWS_S3_BUCKET, AWS_S3_ENRICHED, TELEGRAM_CHAT_ID,
    TELEGRAM_WEBHOOK_SECRET, TIMEZONE, LOOKBACK_DAYS, TGPIPELINE_NAME.
    """  # with this the help of the command itself ends
    from tgpipeline import cli_deploy

    about, epilog = "A Telegram group's messages, from a bot's webhook to answers.", _parser.__doc__
    parser = argparse.ArgumentParser("tgpipeline", description=about, epilog=epilog)
    parser.add_argument("--version", action="version", version=f"tgpipeline {__version__}")
    parser.add_argument("-v", "--verbose", action="store_true", help="log what is being done")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    known = vars(cli_deploy) | globals()
    for name, options in resources.data("cli.toml").items():
        run = known["_" + name.replace("-", "_")]
        sub = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        sub.set_defaults(run=run)
        for kind, read in (("day", date.fromisoformat), ("whole number", int), ("ids", _ids)):
            sub.register("type", kind, read)
        for names, how in options.items():
            sub.add_argument(*names.split(), **how)
    return parser


def _ids(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _missing_extra(error: ModuleNotFoundError) -> str:
    """What to do about a module that is not there; the error itself where no extra brings it."""
    module = (error.name or "").partition(".")[0]
    extra = resources.data("extras.toml").get(module)
    if extra is None:
        raise error
    return f"{module} is not installed in this environment: run pip install 'tgpipeline[{extra}]'."


@contextmanager
def not_known(what: str) -> Iterator[None]:
    """Go on where AWS cannot be asked, and say so: who uses this need not be allowed to ask."""
    try:
        yield
    except (DeployError, SettingsError) as error:
        print(f"{what}: {error}", file=sys.stderr)


def agree(yes: bool, question: str, otherwise: str) -> None:
    """Ask before what cannot be taken back.

    Raises:
        TgPipelineError: if nobody says yes, with what did not happen.
    """
    if not (yes or confirm(question)):
        raise TgPipelineError(f"{otherwise} without a yes: say --yes where nobody can be asked.")


def bot(settings: Settings) -> Bot:
    return Bot(secret("TELEGRAM_BOT_TOKEN"), settings.telegram_api_url)


def _rows(arguments: argparse.Namespace) -> bool:
    """Print the row that each update becomes, one JSON object a line."""
    # JSON has escapes for what standard output cannot hold.
    escaped = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    good = True
    for row in versions.rows_of(arguments.paths, Settings.from_env().tz):
        print(json.dumps(row, ensure_ascii=escaped))
        good = good and "error" not in row
    return good


def _etl(arguments: argparse.Namespace) -> None:
    """Bring the enriched zone up to date with the raw zone, from this machine."""
    from tgpipeline.etl import handler

    settings = Settings.from_env("raw_bucket", "enriched_bucket")
    run: Callable[..., Iterator[object]] = partial(handler.run, jobs=arguments.jobs)
    if arguments.engine == "spark":
        from tgpipeline.etl import spark

        run = spark.run
    for ledger in run(settings, _days(arguments, settings), rebuild=arguments.rebuild):
        print(ledger)


def _days(arguments: argparse.Namespace, settings: Settings) -> list[date]:
    """The days that --date, or --from and --to, ask for; yesterday if nothing does."""
    yesterday = datetime.now(settings.tz).date() - timedelta(1)
    end = arguments.end or arguments.date or max(yesterday, arguments.start or yesterday)
    start = arguments.start or arguments.date or end
    if start > end:
        raise SettingsError(f"the first day, {start}, lies after the last, {end}.")
    return [start + timedelta(n) for n in range((end - start).days + 1)]


def _import(arguments: argparse.Namespace) -> bool:
    """Put a Telegram Desktop export into the raw zone, beside what the webhook brought."""
    settings, unseen = Settings.from_env("raw_bucket"), 0
    print(history.import_export(arguments.path, settings, chat=arguments.chat))
    with not_known("Whether Athena sees all days is not known"):
        unseen = deploy.unseen_days(settings)
    if unseen:
        print(f"run `tgpipeline up`: {unseen} days are not yet seen by Athena")
    return not unseen


def _quarantine(arguments: argparse.Namespace) -> bool | None:
    """List what could not be read, show it, or try it again after a fix: one object, or all."""
    settings, key = Settings.from_env("raw_bucket"), arguments.key
    all_of_days = quarantine.items(settings, arguments.start, arguments.end)
    found = [quarantine.get(settings, key)[0]] if key else list(all_of_days)
    if arguments.action == "show":
        print(*(quarantine.show(settings, one.key) for one in found), sep="\n\n")
        return None
    if arguments.action == "list":
        print(*found, f"{len(found)} in quarantine", sep="\n")
        return None
    s3, left, readable = aws_client("s3", settings), 0, Counter[date]()
    for one in found:
        outcome = quarantine.retry(settings, one.key, ingest.store, s3)
        print(f"{one.key}  {outcome}")
        left += outcome not in quarantine.LET_GO
        readable.update([one.day] if outcome == "readable" else [])
    for day, count in sorted(readable.items()):
        print(f"{count} readable now: tgpipeline etl --date {day} --rebuild")
    print(f"{left} in quarantine")
    return not left


def _demo(arguments: argparse.Namespace) -> None:
    """Run the seven notebooks on this machine, and say what they did."""
    from tgpipeline.notebook import runner

    runner.demo(Path(arguments.out))


def _report(arguments: argparse.Namespace) -> None:
    """Write one page for a manager, from an export or the lake: findings, charts, definitions."""
    from tgpipeline.analytics import athena, engine, from_export, report

    send = _sender(arguments) if arguments.send or arguments.send_to else None
    path, chat, timezone = arguments.path, arguments.chat, arguments.timezone or ""
    if path:
        group: engine.Engine = from_export.read_export(path, chat, timezone, arguments.keep)
    else:
        try:
            group = athena.connect(Settings.from_env("enriched_bucket"))
            group.chat = int_of(chat) or chat or 0  # of a title the lake says which ids it holds
        except SettingsError as error:
            raise SettingsError(f"name an export, say result.json; for the lake: {error}") from None
    if arguments.days is not None:
        if arguments.days < 1:
            raise SettingsError(f"--days {arguments.days} are no days: say 1 or more.")
        last = group.period(end=arguments.end)["end"]
        arguments.start = last - timedelta(arguments.days - 1)
    how = {n: getattr(arguments, n) for n in _ANSWERS if getattr(arguments, n) is not None}
    answers = group.answers(**how)
    page = report.write(answers, arguments.output, arguments.csv)
    print(page, *(f"  {note}" for note in group.notes), sep="\n")
    if send:
        send(page, report.text_of(answers))


def _sender(arguments: argparse.Namespace) -> Callable[[Path, str], object]:
    """What sends a page to the chat that was asked for; asks before anything is worked out."""
    from tgpipeline.analytics import report

    settings = Settings.from_env()
    targets = (arguments.send_to,) if arguments.send_to else settings.chat_ids
    if len(targets) != 1:
        raise SettingsError("which chat shall get the page? Name its id with --send-to.")
    client, target = bot(settings), targets[0]
    chat = report.recipient(client, target, names=arguments.names)
    agree(arguments.yes, f"Send the page and its findings to {chat}?", f"nothing is sent to {chat}")
    return partial(report.send, client, target)


def _erase(arguments: argparse.Namespace) -> bool:
    """Erase a person from the raw zone, the tables, the quarantine and query results; prove it."""
    from tgpipeline.privacy import erase

    return erase.command(arguments, Settings.from_env("raw_bucket", "enriched_bucket"))


def _export(arguments: argparse.Namespace) -> None:
    """Write all that the lake holds of a person into a zip, as they may ask for it."""
    from tgpipeline.privacy import export

    export.command(arguments, Settings.from_env("raw_bucket", "enriched_bucket"))
