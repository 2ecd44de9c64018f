"""A new webhook secret in one call, without losing an update in between."""

import dataclasses
import secrets
from typing import TYPE_CHECKING

from tgpipeline.deploy import functions, gateway
from tgpipeline.deploy.cloud import Cloud
from tgpipeline.errors import DeployError
from tgpipeline.settings import Settings, variable

if TYPE_CHECKING:
    from tgpipeline.telegram.bot import Bot


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
    What Telegram is just posting with the old one, it repeats with the new one. Broken off at any
    point, it can be run again. The function's code and its other variables stay as they are.

    Args:
        settings: of the deployment.
        bot: whose webhook it is; where it has none, the function alone has the new secret.
        new: the new secret; a random one where it is empty.

    Returns:
        The settings with the new secret. Whoever holds the old one in TELEGRAM_WEBHOOK_SECRET
        takes it out: `up` then keeps what is deployed.

    Raises:
        DeployError: before anything is changed, if there is no secret to replace, or if the bot's
            webhook is another deployment's.
    """
    cloud = Cloud(settings)
    old, url = deployed_secret(cloud), gateway.deployed_url(cloud)
    if not (old and url):
        raise DeployError(
            f"nothing that is deployed as {settings.name} takes a secret, so there is none to "
            "replace: put one into TELEGRAM_WEBHOOK_SECRET and run `tgpipeline up`."
        )
    webhook = bot.get_webhook_info()
    if webhook.get("url") not in ("", None, url):
        raise DeployError(
            f"the bot's webhook does not lead to what is deployed as {settings.name}; no secret "
            "was changed. Use the other deployment's settings, or set the webhook to this one."
        )
    new = new or secrets.token_urlsafe(32)
    name = variable("webhook_secret")
    functions.set_variable("ingest", name, f"{new},{old}", cloud)
    if webhook.get("url"):
        connections = webhook.get("max_connections")
        bot.set_webhook(url, secret_token=new, max_connections=connections)
    functions.set_variable("ingest", name, new, cloud)
    return dataclasses.replace(settings, webhook_secret=new)
