"""Why something failed, in words that say what to do next: of boto3's errors and of events."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tgpipeline import resources
from tgpipeline.errors import DeployError
from tgpipeline.settings import Settings

if TYPE_CHECKING:
    from tgpipeline.deploy.stacks import Event

_KNOWN = resources.data("deploy/reasons.toml")
_AGAIN = "Mend that, then run it again: the stack is as it was before."


def of_status(status: str) -> str:
    """What to do about a stack in a status in which it cannot be changed; empty where it can."""
    if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
        return "Another change of it is under way: wait until it ends (`tgpipeline status`)."
    return str(_KNOWN["status"].get(status, ""))


def of_event(stack: str, cause: "Event", what_next: str = "") -> DeployError:
    """The error of an operation that failed, by the event that tells why."""
    what = f"stack {stack}: {cause.resource} ({cause.type}) is in {cause.status}: {cause.reason}"
    return DeployError(f"{what[:1000].rstrip('.: ')}. {what_next or advice(cause.reason)}")


def advice(reason: str) -> str:
    """What to do about a reason."""
    known = _KNOWN["advice"].items()
    return next((text for pattern, text in known if re.search(pattern, reason)), _AGAIN)


@contextmanager
def as_deploy_error(what: str, settings: Settings) -> Iterator[None]:
    """Let boto3's errors become errors in our words, free of secrets.

    Args:
        what: what is being done, to which object.
        settings: whose secrets are left out.

    Raises:
        DeployError: for each error of boto3's.
    """
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        reason = f"{type(error).__name__}: {error}"
        if isinstance(error, ClientError):
            found = error.response["Error"]
            reason = f"AWS refused ({found['Code']}: {found.get('Message', '').rstrip('.')})"
        text = f"{what}: {reason[:1000].rstrip('.')}. {advice(reason).replace(_AGAIN, '')}"
        for secret in (*settings.webhook_secrets, settings.bot_token):
            text = text.replace(secret, "…") if secret else text
        raise DeployError(text.rstrip()) from None  # the request may hold a secret
