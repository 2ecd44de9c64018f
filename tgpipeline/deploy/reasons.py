"""Why something failed, in words that say what to do next: of AWS's errors and of events.

The clients of this room come from here: whatever they raise is a `DeployError`.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tgpipeline import resources
from tgpipeline.errors import DeployError
from tgpipeline.settings import Settings, aws_client, aws_session

_KNOWN = resources.data("deploy/reasons.toml")


def refusal(of: str, **values: object) -> DeployError:
    """The error that `reasons.toml` has for what this package itself does not do."""
    return DeployError(_KNOWN["refusal"][of].format(**values))


def client(service: str, settings: Settings, **options: Any) -> Any:
    """A boto3 client that raises a `DeployError`, free of secrets, for each error of boto3's.

    The error names the call, and the call's first argument as the object that it was about.
    """
    return _explained(aws_client(service, settings, **options), settings)


def resource(service: str, settings: Settings) -> Any:
    """A boto3 resource whose errors are those of `client`."""
    made = aws_session(settings).resource(service, endpoint_url=settings.endpoint_url or None)
    _explained(made.meta.client, settings)
    return made


def _explained(made: Any, settings: Settings) -> Any:
    call = made._make_api_call  # all calls go through it, those of paginators and resources, too

    def explained(operation: str, arguments: dict[str, Any]) -> Any:
        try:
            return call(operation, arguments)
        except (BotoCoreError, ClientError) as error:
            reason = f"{type(error).__name__}: {error}"
            if isinstance(error, ClientError):
                found = error.response["Error"]
                reason = f"AWS refused ({found['Code']}: {found.get('Message', '').rstrip('.')})"
            about = f" of {next(iter(arguments.values()))}" if arguments else ""
            text = f"{operation}{about}: {reason[:1000].rstrip('.')}. {advice(reason)}".rstrip()
            for secret in (*settings.webhook_secrets, settings.bot_token, settings.pseudonym_key):
                text = text.replace(secret, "…") if secret else text
            raise DeployError(text) from None  # the request may hold a secret

    made._make_api_call = explained
    return made


@contextmanager
def ignored(answer: str) -> Iterator[None]:
    """Let an error pass if this, such as `NoSuchBucket`, is what AWS answered."""
    try:
        yield
    except DeployError as error:
        if answer not in str(error):
            raise


def advice(told: str, about: str = "reason") -> str:
    """What to do about a reason, or about a stack's status; empty where nothing special is."""
    known = _KNOWN[about].items()
    return next((text for pattern, text in known if re.search(pattern, told)), "")
