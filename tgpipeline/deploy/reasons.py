"""Why something failed, in words that say what to do next: of boto3's errors and of events."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tgpipeline.errors import DeployError
from tgpipeline.settings import Settings

if TYPE_CHECKING:
    from tgpipeline.deploy.stacks import Event

_AGAIN = "Mend that, then run it again: the stack is as it was before."
# The first pattern that is found in a reason says what to do about it.
_ADVICE = {
    r"iam:\w*(Role|Policy)": "These credentials may not make roles: hand lambda_src/deployer.json "
    "to whoever administers the account.",
    r"AccessDenied|not authorized|Unauthorized|InvalidClientTokenId": "Use credentials that may "
    "deploy: lambda_src/deployer.json has all that they need.",
    r"BucketAlreadyExists|bucket name is not available": "Another account may own that name: "
    "choose another one (AWS_S3_BUCKET, AWS_S3_ENRICHED).",
    r"ConcurrentExecution": "The account has no instances left to reserve: set "
    "TGPIPELINE_RESERVED_INSTANCES to 0.",
    r"already exists|AlreadyExists": "Something of that name is there outside the stack: remove it "
    "(what an earlier version deployed, with that version), or choose another TGPIPELINE_NAME.",
    r"not exist|not found|NotFound|NoSuch": "It was removed or changed outside the stack: "
    "`tgpipeline down`, then `tgpipeline up`, makes all but the buckets anew.",
    r"not empty|NotEmpty|attached|DeleteConflict": "Empty or detach it, then run it again.",
    r"ConnectTimeout|EndpointConnection|Could not connect|credentials": "Check the credentials, "
    "the region and AWS_ENDPOINT_URL, then run it again.",
}
_STATUS = {
    "DELETE_FAILED": "Its deletion was not completed: remove what stands in the way, then run "
    "`tgpipeline down` again.",
    "UPDATE_ROLLBACK_FAILED": "An update could not be taken back: choose Continue update rollback "
    "in CloudFormation's console, then run it again.",
    "ROLLBACK_FAILED": "Its first deployment could not be taken back: delete the stack in "
    "CloudFormation's console, then run it again.",
}


def of_status(status: str) -> str:
    """What to do about a stack in a status in which it cannot be changed; empty where it can."""
    if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
        return "Another change of it is under way: wait until it ends (`tgpipeline status`)."
    return _STATUS.get(status, "")


def of_event(stack: str, cause: "Event", what_next: str = "") -> DeployError:
    """The error of an operation that failed, by the event that tells why."""
    what = f"stack {stack}: {cause.resource} ({cause.type}) is in {cause.status}: {cause.reason}"
    return DeployError(f"{what[:1000].rstrip('.: ')}. {what_next or advice(cause.reason)}")


def advice(reason: str) -> str:
    """What to do about a reason."""
    return next((text for pattern, text in _ADVICE.items() if re.search(pattern, reason)), _AGAIN)


@contextmanager
def explained(what: str, settings: Settings) -> Iterator[None]:
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
