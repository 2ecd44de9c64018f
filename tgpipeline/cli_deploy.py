"""The commands that deploy, into AWS or on this machine, and that ask or change what is there."""

import argparse
import os
import threading
from collections.abc import Sequence
from functools import partial
from typing import Any

from tgpipeline import deploy
from tgpipeline.cli import agree, bot, not_known
from tgpipeline.deploy.webhook import Webhook
from tgpipeline.errors import SettingsError
from tgpipeline.settings import Settings
from tgpipeline.telegram.bot import confirm
from tgpipeline.telegram.updates import EVENT_KINDS, MESSAGE_KINDS


def _check(arguments: argparse.Namespace) -> object:
    """Examine the bot: token, group, rights, webhook, and what to do about each."""
    settings = Settings.from_env() if arguments.chat else Settings.from_env("chat_ids")
    webhook = _deployed(settings) if arguments.url is None else Webhook(arguments.url)
    client = bot(settings)
    if arguments.set_webhook:
        settings.require("webhook_secret")
        if not webhook.url:
            raise SettingsError("the webhook has no URL yet: run `tgpipeline up`, or say --url.")
        how: dict[str, Any] = {"replace": confirm, "max_connections": webhook.max_connections}
        how["allowed_updates"] = sorted(MESSAGE_KINDS | EVENT_KINDS)
        client.set_webhook(webhook.url, secret_token=settings.webhook_secrets[0], **how)
    logged = partial(deploy.refusal_logged, settings)
    return client.check(arguments.chat or settings.chat_ids[0], webhook.url, refusal_logged=logged)


def _deployed(settings: Settings) -> Webhook:
    """The webhook that is deployed; one without a URL where AWS cannot be asked."""
    with not_known("The deployed URL is not known, --url says it"):
        return deploy.webhook.deployed(settings)
    return Webhook("")


def _up(arguments: argparse.Namespace) -> object:
    """Deploy the stacks into AWS, run the ETL once, and examine the bot."""
    settings, how = Settings.from_env(), {"import_buckets": arguments.import_buckets}
    changes = deploy.up(settings, dry_run=arguments.dry_run, listener=print, **how)
    if arguments.dry_run or not changes:
        _say("would ", changes)
    if arguments.dry_run:
        return None
    proof = deploy.prove(settings)
    print("The ETL looked at {days} days, {documents} documents; Athena answers.".format(**proof))
    url = deploy.webhook.deployed(settings).url
    print(f"The webhook's URL, for setWebhook: {url}")
    if not os.environ.get("TELEGRAM_BOT_TOKEN"):
        print("With TELEGRAM_BOT_TOKEN, `tgpipeline check` examines the bot, too.")
        return None
    client = bot(settings)
    result = client.check(settings.chat_ids[0], url)
    if result[0].ok and not client.get_webhook_info().get("url"):  # so after each first `up`
        print("Telegram does not post to it yet. Next: `tgpipeline check --set-webhook`.")
        return None
    return result


def _local(arguments: argparse.Namespace) -> None:
    """Run the local stack until Ctrl-C, and say how another shell can use it."""
    from tgpipeline import local

    with local.start(through=arguments.through) as stack:
        lines = [f"export {name}={value}" for name, value in sorted(stack.variables.items())]
        print(*lines, "# Stop with Ctrl-C.", sep="\n", flush=True)
        threading.Event().wait()


def _status(arguments: argparse.Namespace) -> object:
    """Ask the stacks what is deployed, what was changed by hand, and how it is doing."""
    return deploy.status(Settings.from_env())


def _package(arguments: argparse.Namespace) -> bool:
    """Upload the functions' code, and print how `aws cloudformation deploy` makes the stacks."""
    lines = list(deploy.package(Settings.from_env()))
    print(*lines, sep="\n\n")
    if len(lines) == 1:
        print("Run it, then `tgpipeline package` again: code goes into a bucket of the lake.")
    return len(lines) > 1


def _rotate_secret(arguments: argparse.Namespace) -> None:
    """Give the webhook a new secret, the function first, then Telegram; no update is lost."""
    settings = Settings.from_env()
    deploy.rotate_secret(settings, bot(settings))
    print("The function takes a new secret and no other; Telegram sends it, if a webhook is set.")
    if settings.webhook_secret:
        print("Unset TELEGRAM_WEBHOOK_SECRET: it holds the former one, and `up` would deploy it.")


def _rollback(arguments: argparse.Namespace) -> None:
    """Run a function's former code again; once more takes that back."""
    code = deploy.rollback(arguments.function, Settings.from_env(), listener=print)
    print(f"{arguments.function} runs {code}.")


def _down(arguments: argparse.Namespace) -> None:
    """Delete all stacks but the lake's, unless told otherwise."""
    settings = Settings.from_env()
    _say("would delete ", deploy.resources(settings, lake=arguments.delete_data))
    if arguments.dry_run:
        return
    agree(arguments.yes, "Delete all this?", "nothing was deleted")
    url = _deployed(settings).url
    deploy.down(settings, delete_data=arguments.delete_data, listener=print)
    if url and os.environ.get("TELEGRAM_BOT_TOKEN"):
        client, question = bot(settings), "Telegram still posts to it. deleteWebhook?"
        ours = client.get_webhook_info().get("url") == url
        if ours and (arguments.yes or confirm(question)):
            client.delete_webhook()


def _say(what: str, changes: Sequence[object]) -> None:
    print("\n".join(f"{what}{change}" for change in changes) or "Nothing to change.")
