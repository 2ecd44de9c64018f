"""The commands that deploy, ask and remove what is deployed; `cli` has the others."""

import argparse
import os
import sys
from collections.abc import Sequence

from tgpipeline.cli import bot, command, deployed_url
from tgpipeline.errors import TgPipelineError
from tgpipeline.settings import Settings


@command
def _up(arguments: argparse.Namespace) -> int:
    """Deploy the stacks into AWS, run the ETL once, and examine the bot."""
    from tgpipeline import deploy

    settings, how = Settings.from_env(), {"import_buckets": arguments.import_buckets}
    if arguments.dry_run:
        _say("would ", deploy.up(settings, dry_run=True, **how).changes)
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
    client = bot(settings)
    result = client.check(settings.chat_ids[0], done.url)
    if result[0].ok and not client.get_webhook_info().get("url"):  # so after each first `up`
        print("Telegram does not post to it yet. Next: `tgpipeline check --set-webhook`.")
        return 0
    print(result)
    return 0 if result.ok else 3


@command
def _status(arguments: argparse.Namespace) -> int:
    """Ask the stacks what is deployed, what was changed by hand, and how it is doing."""
    from tgpipeline import deploy

    status = deploy.status(Settings.from_env())
    print(status)
    return 0 if status.ok else 3


@command
def _package(arguments: argparse.Namespace) -> int:
    """Upload the functions' code, and print how `aws cloudformation deploy` makes the stacks."""
    from tgpipeline import deploy

    lines = list(deploy.package(Settings.from_env()))
    print(*lines, sep="\n\n")
    if len(lines) == 1:
        print("Run it, then `tgpipeline package` again: code goes into a bucket of the lake.")
        return 3
    return 0


@command
def _rotate_secret(arguments: argparse.Namespace) -> None:
    """Give the webhook a new secret, the function first, then Telegram; no update is lost."""
    from tgpipeline import deploy

    settings = Settings.from_env()
    deploy.rotate_secret(settings, bot(settings))
    print("The function takes a new secret and no other; Telegram sends it, if a webhook is set.")
    if settings.webhook_secret:
        print("Unset TELEGRAM_WEBHOOK_SECRET: it holds the former one, and `up` would deploy it.")


@command
def _rollback(arguments: argparse.Namespace) -> int:
    """Run a function's former code again; once more takes that back."""
    from tgpipeline import deploy

    code = deploy.rollback(arguments.function, Settings.from_env(), listener=print)
    print(f"{arguments.function} runs {code}.")
    return 0


@command
def _down(arguments: argparse.Namespace) -> int:
    """Delete the stacks of analytics, etl and ingest; the lake stays unless told otherwise."""
    from tgpipeline import deploy

    settings = Settings.from_env()
    _say("would delete ", deploy.down(settings, delete_data=arguments.delete_data, dry_run=True))
    if arguments.dry_run or not _agreed("Delete all this?", arguments.yes):
        return 0 if arguments.dry_run else 1
    url = deployed_url(settings)
    deploy.down(settings, delete_data=arguments.delete_data, listener=print)
    if url and os.environ.get("TELEGRAM_BOT_TOKEN"):
        ours = bot(settings).get_webhook_info().get("url") == url
        if ours and _agreed("Telegram still posts to it. deleteWebhook?", arguments.yes):
            bot(settings).delete_webhook()
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


def _say(what: str, changes: Sequence[object]) -> None:
    for change in changes:
        print(f"{what}{change}")
    if not changes:
        print("Nothing to change.")
