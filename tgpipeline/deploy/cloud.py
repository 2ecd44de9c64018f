"""What every part of the deployment needs: AWS clients, one way to ask and one to change things.

Each part reads what exists, compares it with what is wanted and changes only the difference, always
through `Cloud.change`. So the list of changes is what a deployment did, and a dry run is the same
code with the changes left out.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tgpipeline.deploy.deployment import Deployment
from tgpipeline.errors import DeployError
from tgpipeline.settings import Settings

logger = logging.getLogger(__name__)

TAG = (
    "tgpipeline"  # key of the tag that every resource of a deployment bears; its value is the name
)
_GONE = {
    "404",
    "EntityNotFoundException",
    "NoSuchBucket",
    "NoSuchBucketPolicy",
    "NoSuchEntity",
    "NoSuchLifecycleConfiguration",
    "NoSuchPublicAccessBlockConfiguration",
    "NoSuchTagSet",
    "NotFoundException",
    "OwnershipControlsNotFoundError",
    "QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue",
    "ResourceNotFound",
    "ResourceNotFoundException",
    "ServerSideEncryptionConfigurationNotFoundError",
}
_PATIENCE = 75  # seconds that a new role, or what was just deleted, may take to be known of


class Cloud:
    """An AWS account and region, seen as the place of one deployment.

    Attributes:
        settings: what is to be deployed.
        dry_run: whether changes are only noted.
        changes: what was done, or would be, in words; it grows with every call.
    """

    def __init__(self, settings: Settings, *, dry_run: bool = False) -> None:
        self.settings = Deployment.of(settings)
        self.dry_run = dry_run
        self.changes: list[str] = []
        self._clients: dict[tuple[str, bool], Any] = {}

    @classmethod
    def of(cls, target: "Target") -> "Cloud":
        """The cloud itself, or a new one of these settings."""
        return target if isinstance(target, Cloud) else cls(target)

    def client(self, service: str, *, patient: bool = False) -> Any:
        """A boto3 client, made once a service; a patient one waits long and never asks twice."""
        if (service, patient) not in self._clients:
            config = Config(retries={"mode": "standard", "total_max_attempts": 1 if patient else 5})
            if patient:
                config = config.merge(Config(read_timeout=930, tcp_keepalive=True))
            try:
                self._clients[service, patient] = boto3.client(
                    service,
                    region_name=self.settings.region,
                    endpoint_url=self.settings.endpoint_url or None,
                    config=config,
                )
            except (BotoCoreError, ValueError) as error:  # a profile or an endpoint that is none
                raise self.explained(f"use {service}", error) from error
        return self._clients[service, patient]

    @cached_property
    def account(self) -> str:
        """Number of the account."""
        return str(self.read(self.client("sts").get_caller_identity)["Account"])

    def name(self, part: str) -> str:
        """Name of one of this deployment's resources."""
        return f"{self.settings.name}-{part}"

    def arn(self, service: str, resource: str) -> str:
        """ARN of a resource in this account and region."""
        region = "" if service == "iam" else self.settings.region
        return f"arn:aws:{service}:{region}:{self.account}:{resource}"

    @property
    def tags(self) -> dict[str, str]:
        """What every resource is tagged with."""
        return {TAG: self.settings.name}

    @property
    def tag_list(self) -> list[dict[str, str]]:
        """The same tags as the other half of AWS's services spells them."""
        return [{"Key": key, "Value": value} for key, value in self.tags.items()]

    def read(self, call: Callable[..., Any], **arguments: Any) -> Any:
        """What a reading call answers.

        Raises:
            DeployError: if it fails, saying what was asked about which resource.
        """
        found = self.find(call, **arguments)
        if found is None:
            raise DeployError(
                f"{_words(call, arguments)}: there is no such thing in {self.settings.region}."
            )
        return found

    def find(self, call: Callable[..., Any], **arguments: Any) -> Any:
        """What a reading call answers; None where the resource does not exist.

        Raises:
            DeployError: if it fails for another reason.
        """
        try:
            return call(**arguments)
        except (BotoCoreError, ClientError) as error:
            if _is_gone(error):
                return None
            raise self.explained(_words(call, arguments), error) from error

    def pages(self, service: str, operation: str, **arguments: Any) -> Iterator[Any]:
        """What a call answers, page by page; nothing where the resource does not exist.

        Raises:
            DeployError: if it fails for another reason.
        """
        try:
            yield from self.client(service).get_paginator(operation).paginate(**arguments)
        except (BotoCoreError, ClientError) as error:
            if not _is_gone(error):
                raise self.explained(operation.replace("_", " "), error) from error

    def every(self, service: str, operation: str, key: str, **arguments: Any) -> Iterator[Any]:
        """All that the pages of a call hold under one key, held in memory a page at a time."""
        for page in self.pages(service, operation, **arguments):
            yield from page.get(key, [])

    def resource(
        self, what: str, arn: str, delete: Callable[..., Any], **arguments: Any
    ) -> "Resource":
        """Something that exists, and the change that removes it."""
        return Resource(arn, partial(self.change, f"delete {what}", delete, **arguments))

    def existing(
        self,
        what: str,
        arn: str,
        find: Callable[..., Any],
        delete: Callable[..., Any],
        **names: Any,
    ) -> Iterator["Resource"]:
        """The same of what may exist or not, where finding and removing it take the same names."""
        if self.find(find, **names) is not None:
            yield self.resource(what, arn, delete, **names)

    def change(
        self, what: str, call: Callable[..., Any], *, wait_for: str = "\0", **arguments: Any
    ) -> Any:
        """Make a change and note it; in a dry run only note it.

        Args:
            what: the change in words, for people.
            call: a method of a boto3 client.
            wait_for: text of an error that passes by itself, such as a new role that another
                service does not know yet.
            **arguments: of the call.

        Returns:
            What the call answered; an empty dictionary in a dry run.

        Raises:
            DeployError: if AWS refuses it.
        """
        self.changes.append(what)
        logger.info("%s%s", "would " if self.dry_run else "", what)
        if self.dry_run:
            return {}
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return call(**arguments)
            except ClientError as error:
                if wait_for not in str(error) or time.monotonic() > deadline:
                    raise self.explained(what, error) from None  # the request may hold a secret
                time.sleep(2)
            except BotoCoreError as error:
                raise self.explained(what, error) from None  # the request may hold a secret

    def explained(self, what: str, error: Exception) -> DeployError:
        """An error of boto3's in our words, free of the secrets."""
        reason = str(error)
        advice = "Check the credentials, the region and AWS_ENDPOINT_URL, then run again; what "
        advice += "exists already is kept."
        if isinstance(error, ClientError):
            code, text = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
            denied = "AccessDenied" in code or "Unauthorized" in code
            reason = f"AWS refused ({code}: {text})"
            advice = "Use credentials that may deploy, or have this permission added." * denied
        for secret in (*self.settings.webhook_secrets, self.settings.bot_token):
            reason = reason.replace(secret, "…") if secret else reason
        return DeployError(f"{what}: {reason[:600]} {advice}".rstrip())


@dataclass(frozen=True)
class Resource:
    """Something in AWS that a deployment made.

    Attributes:
        arn: its ARN.
        delete: removes it, and notes that.
    """

    arn: str
    delete: Callable[[], object]


Target = Settings | Cloud


def covers(found: Any, wanted: Any) -> bool:
    """Whether all that is wanted is there; AWS adds fields and defaults of its own.

    >>> covers({"a": 1, "b": [{"c": 2, "d": 3}]}, {"b": [{"c": 2}]})
    True
    >>> covers({"b": [{"c": 2}]}, {"b": []})
    False
    """
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            key in found and covers(found[key], value) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(found, list)
            and len(found) == len(wanted)
            and all(map(covers, found, wanted))
        )
    return bool(found == wanted)


def _is_gone(error: Exception) -> bool:
    details = error.response["Error"] if isinstance(error, ClientError) else {}
    return details.get("Code") in _GONE or "not found" in details.get("Message", "").lower()


def _words(call: Callable[..., Any], arguments: Mapping[str, Any]) -> str:
    names = [str(v) for v in arguments.values() if isinstance(v, str) and len(v) < 200]
    return " ".join([call.__name__.replace("_", " "), *names])
