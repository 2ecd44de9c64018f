"""The webhook's address: its URL, how many connections fit it, and a new secret for it."""

import secrets
from dataclasses import dataclass, field, replace

from tgpipeline.deploy import reasons
from tgpipeline.deploy.stack import Stack
from tgpipeline.settings import Settings, variable
from tgpipeline.telegram.bot import Bot

STAGE = "v1"
# Connections, unless told otherwise: https://core.telegram.org/bots/api#setwebhook
_TELEGRAM_OPENS = 40


@dataclass(frozen=True)
class Webhook:
    """Where Telegram is to post. Its repr leaves out the URL, which is half a secret.

    Attributes:
        url: for setWebhook; empty where nothing is deployed.
        max_connections: for setWebhook: as many as instances of the function can answer at once.
    """

    url: str = field(repr=False)
    max_connections: int = _TELEGRAM_OPENS


def deployed(settings: Settings) -> Webhook:
    """The webhook that is deployed.

    Raises:
        DeployError: if AWS cannot be asked.
    """
    stack = Stack("ingest", settings)
    found, live = stack.resources(), stack.describe()
    if not {"Api", "Path"} <= set(found):
        return Webhook("")
    names = {"api": found["Api"]["PhysicalResourceId"], "path": live["StackId"].split("/")[2]}
    url = stack.settings.invoke_url.format(region=settings.region, stage=STAGE, **names)
    return Webhook(url, _connections(stack))


def _connections(stack: Stack) -> int:
    """Reserved instances, or all that the account may run at once but one, which is the ETL's."""
    reserved = int(stack.parameters()["ReservedInstances"])
    account = reasons.client("lambda", stack.settings).get_account_settings()
    limit: int = account["AccountLimit"]["ConcurrentExecutions"]
    return max(1, min(reserved or _TELEGRAM_OPENS, limit - 1, 100))  # setWebhook takes 100 at most


def deploy_again(stack: Stack) -> None:
    """Deploy the API once more if what is live is a copy from before the API's last change.

    CloudFormation does so where the template changed. Where a parameter alone changes the API
    (`TelegramRanges`), it does not.

    Args:
        stack: of ingest.
    """
    gateway, api = reasons.client("apigateway", stack.settings), stack.resources()["Api"]
    where = {"restApiId": api["PhysicalResourceId"]}
    live = gateway.get_stage(**where, stageName=STAGE)["deploymentId"]
    copied = gateway.get_deployment(**where, deploymentId=live)["createdDate"]
    if copied < api["LastUpdatedTimestamp"].replace(microsecond=0):
        gateway.create_deployment(**where, stageName=STAGE)


def deployed_secret(settings: Settings) -> str:
    """The secret that the deployed function takes; empty where there is none.

    It lives there and nowhere else: CloudFormation does not tell it.
    """
    if not Stack("ingest", settings).exists:
        return ""
    client, name = reasons.client("lambda", settings), f"{settings.name}-ingest"
    found = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    return str(found[variable("webhook_secret")])


def rotate_secret(settings: Settings, bot: Bot, new: str = "") -> Settings:
    """Replace the webhook's secret, without losing an update in between.

    First the function takes both, then Telegram is told the new one, then the old one is dropped.
    What Telegram is just posting with the old one, it repeats with the new one. Broken off at any
    point, it can be run again. The function's code and all other parameters stay as they are.

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
    old, here = deployed_secret(settings), deployed(settings)
    if not (old and here.url):
        raise reasons.refusal("no_secret", name=settings.name)
    there = bot.get_webhook_info()
    if there.get("url") not in ("", None, here.url):
        raise reasons.refusal("other_webhook", name=settings.name)
    new = new or secrets.token_urlsafe(32)
    stack = Stack("ingest", settings)
    stack.update(WebhookSecret=f"{new},{old.partition(',')[0]}")
    if there.get("url"):
        connections = there.get("max_connections") or here.max_connections
        bot.set_webhook(here.url, secret_token=new, max_connections=connections)
    stack.update(WebhookSecret=new)
    return replace(settings, webhook_secret=new)
