"""A new webhook secret in one call, without losing an update in between."""

import dataclasses
import secrets
from typing import TYPE_CHECKING

from tgpipeline.deploy import functions, gateway
from tgpipeline.deploy.cloud import Cloud
from tgpipeline.settings import Settings, variable

if TYPE_CHECKING:
    from tgpipeline.bot_api import Bot


def deployed_secret(cloud: Cloud) -> str:
    """The secret that the deployed function takes; empty where there is none.

    It lives there and nowhere else: who deploys again need not know it.
    """
    found = cloud.find(
        cloud.client("lambda").get_function_configuration, FunctionName=cloud.name("ingest")
    )
    variables = (found or {}).get("Environment", {}).get("Variables", {})
    return str(variables.get(variable("webhook_secret"), ""))


def rotate_secret(settings: Settings, bot: "Bot", new: str = "") -> Settings:
    """Replace the webhook's secret.

    First the function takes both, then Telegram is told the new one, then the old one is dropped.
    What Telegram is just posting with the old one, it repeats with the new one.

    Args:
        settings: of the deployment.
        bot: whose webhook it is.
        new: the new secret; a random one where it is empty.

    Returns:
        The settings with the new secret. Whoever holds the old one in TELEGRAM_WEBHOOK_SECRET
        takes it out: `up` then keeps what is deployed.
    """
    cloud = Cloud(settings)
    new = new or secrets.token_urlsafe(32)
    old = deployed_secret(cloud) or settings.webhook_secret
    both = dataclasses.replace(settings, webhook_secret=f"{new},{old}")
    functions.ensure_function("ingest", both)
    webhook = bot.get_webhook_info()
    if webhook.get("url"):
        bot.set_webhook(
            gateway.ensure_api(both).url,
            secret_token=new,
            max_connections=webhook.get("max_connections"),
        )
    alone = dataclasses.replace(settings, webhook_secret=new)
    functions.ensure_function("ingest", alone)
    return alone
