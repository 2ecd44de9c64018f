"""One stage of the deployment as a CloudFormation stack: planned, deployed, asked, deleted.

CloudFormation compares, orders, waits and rolls back. What is here makes change sets, follows the
events while one is executed, and says in a reader's words what went wrong.
"""

import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tgpipeline.deploy import reasons, templates
from tgpipeline.deploy.deployment import Deployment
from tgpipeline.errors import DeployError
from tgpipeline.settings import Settings, aws_client

KEEP = None  # as the value of a parameter: what the stack has now
_STACK = "AWS::CloudFormation::Stack"
_EMPTY = ("", "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE")  # in these a stack holds nothing
_NO_CHANGES = "didn't contain changes|No updates"
Parameters = Mapping[str, str | None]


@dataclass(frozen=True)
class Change:
    """What a change set would do to one resource.

    Attributes:
        stack: name of its stack.
        action: `Add`, `Modify`, `Remove`, `Import`, or `Replace`: a new one takes its place.
        type: such as `AWS::S3::Bucket`.
        resource: its name in the template.
    """

    stack: str
    action: str
    type: str
    resource: str

    def __str__(self) -> str:
        return f"{self.stack}: {self.action.lower()} {self.type} {self.resource}"


@dataclass(frozen=True)
class Event:
    """What happened to one resource, as CloudFormation tells it.

    Attributes:
        status: such as `CREATE_COMPLETE`.
        type: such as `AWS::S3::Bucket`.
        resource: its name in the template; the stack's own where the stack is meant.
        reason: why it failed; mostly empty otherwise.
    """

    status: str
    type: str
    resource: str
    reason: str = ""

    def __str__(self) -> str:
        failed = "FAILED" in self.status or "ROLLBACK" in self.status
        reason = f": {self.reason}" if self.reason and failed else ""
        return f"{self.status:<18} {self.type:<27} {self.resource}{reason}"


Listener = Callable[[Event], object]


def nobody(event: Event) -> None:
    """Listens to events and says nothing."""


class Stack:
    """The stack of one stage, whether it exists or not.

    Attributes:
        stage: `lake`, `ingest`, `etl` or `analytics`.
        settings: of the deployment.
        name: of the stack, such as `tgpipeline-lake`.
    """

    def __init__(self, stage: str, settings: Settings) -> None:
        self.stage, self.settings = stage, Deployment.of(settings)
        self.name = f"{self.settings.name}-{stage}"

    @cached_property
    def client(self) -> Any:
        """A boto3 client of CloudFormation."""
        return aws_client("cloudformation", self.settings)

    def call(self, operation: str, **arguments: Any) -> Any:
        """Call CloudFormation about this stack.

        Raises:
            DeployError: if it refuses.
        """
        with reasons.as_deploy_error(f"{operation} of stack {self.name}", self.settings):
            return getattr(self.client, operation)(StackName=self.name, **arguments)

    def _all(self, operation: str, key: str, **arguments: str) -> Iterator[Any]:
        """What CloudFormation answers about this stack page by page."""
        pages = self.client.get_paginator(operation)
        with reasons.as_deploy_error(f"{operation} of stack {self.name}", self.settings):
            for page in pages.paginate(**{"StackName": self.name} | arguments):
                yield from page[key]

    def describe(self) -> dict[str, Any]:
        """What DescribeStacks says of it; empty where it does not exist."""
        try:
            return dict(self.call("describe_stacks")["Stacks"][0])
        except DeployError as error:
            if "does not exist" in str(error):
                return {}
            raise

    @property
    def status(self) -> str:
        """Such as `CREATE_COMPLETE`; empty where it does not exist."""
        return str(self.describe().get("StackStatus", ""))

    @property
    def exists(self) -> bool:
        """Whether there is a stack that holds something."""
        return self.status not in _EMPTY

    def outputs(self) -> dict[str, str]:
        """What the stack says about itself, such as `CodeBucket`; empty where it does not exist."""
        return {o["OutputKey"]: o["OutputValue"] for o in self.describe().get("Outputs", ())}

    def parameters(self) -> dict[str, str]:
        """What it was deployed with, a secret's value hidden; empty where it does not exist."""
        found = self.describe().get("Parameters", ())
        return {p["ParameterKey"]: p.get("ParameterValue", "") for p in found}

    def resources(self) -> dict[str, dict[str, Any]]:
        """Name in the template → type, status and physical id of what the stack holds."""
        if not self.status:
            return {}
        found = self._all("list_stack_resources", "StackResourceSummaries")
        there = [one for one in found if one["ResourceStatus"] != "DELETE_COMPLETE"]
        return {one["LogicalResourceId"]: one for one in there}

    def plan(self, parameters: Parameters) -> list[Change]:
        """What `deploy` would do. Nothing stays behind, of a stack that is not there yet either."""
        before = self.status
        if before == "ROLLBACK_COMPLETE":
            return [Change(self.name, "Replace", _STACK, self.name)]
        with self._change_set(parameters) as (_, changes):
            pass
        if before in _EMPTY:
            self.delete()
        return changes

    def deploy(
        self, parameters: Parameters, listener: Listener = nobody, **how: Any
    ) -> list[Change]:
        """Make the stack what template and parameters say; returns when that is done.

        Args:
            parameters: of the template; those that are left out have their default.
            listener: told of each event while it runs.
            **how: arguments of CreateChangeSet in place of the usual ones.

        Returns:
            What was changed; empty if nothing differed.

        Raises:
            DeployError: if the stack cannot be changed now, or the change fails; CloudFormation
                then has put back what was there before.
        """
        status = self.status
        if status == "ROLLBACK_COMPLETE":
            listener(Event(status, _STACK, self.name, "its first deployment failed: made anew"))
            self.delete(listener)
        elif advice := reasons.of_status(status):
            cause = next((e for e in self.events() if e.status.endswith("_FAILED")), None)
            raise reasons.of_event(self.name, cause or Event(status, _STACK, self.name), advice)
        with self._change_set(parameters, **how) as (change_set, changes):
            if changes:
                token = {"ClientRequestToken": uuid.uuid4().hex}
                self.call("execute_change_set", ChangeSetName=change_set, **token)
                self._follow(self.describe()["StackId"], listener, **token)
        return changes

    def update(self, listener: Listener = nobody, **parameters: str) -> list[Change]:
        """Change some parameters of the stack; its template and all else stay.

        Raises:
            DeployError: if there is no such stack, or the change fails.
        """
        kept: dict[str, str | None] = dict.fromkeys(self.parameters(), KEEP)
        if not kept:
            raise DeployError(
                f"there is no stack {self.name} in {self.settings.region}: run `tgpipeline up`."
            )
        how = {"TemplateBody": None, "UsePreviousTemplate": True}
        return self.deploy(kept | parameters, listener, **how)

    def delete(self, listener: Listener = nobody) -> None:
        """Delete the stack, if there is one; its buckets stay.

        Raises:
            DeployError: if something cannot be deleted: which resource, and why.
        """
        found, token = self.describe(), {"ClientRequestToken": uuid.uuid4().hex}
        if found:
            self.call("delete_stack", **token)
        if found.get("StackStatus") == "REVIEW_IN_PROGRESS":  # nothing is in it, so no event tells
            next(wait for wait in waits() if not self.status)
        elif found:
            self._follow(found["StackId"], listener, **token)

    def events(self, stack_id: str = "", **token: str) -> Iterator[Event]:
        """The stack's events, the newest first; those of one operation, if its token is given."""
        where = {"StackName": stack_id or self.name}
        for one in self._all("describe_stack_events", "StackEvents", **where):
            if token and one.get("ClientRequestToken") != token["ClientRequestToken"]:
                return
            what = (one["ResourceStatus"], one["ResourceType"], one["LogicalResourceId"])
            yield Event(*what, one.get("ResourceStatusReason", ""))

    def _follow(self, stack_id: str, listener: Listener, **token: str) -> None:
        """Tell of the events of one operation until the stack's own last one."""
        told: list[Event] = []
        for _ in waits():
            events = list(self.events(stack_id, **token))[::-1]
            for event in events[len(told) :]:
                listener(event)
            told = events
            if told and told[-1].type == _STACK and not told[-1].status.endswith("_IN_PROGRESS"):
                break
        if told[-1].status.endswith("_FAILED") or "ROLLBACK" in told[-1].status:
            # The first failure is the cause; what it stopped is "cancelled".
            causes = [e for e in told if "_FAILED" in e.status and "cancelled" not in e.reason]
            own = [e for e in causes if e.type != _STACK]
            refused = self._refused() if any("DescribeEvents" in e.reason for e in causes) else []
            raise reasons.of_event(self.name, [*refused, *own, *causes, told[-1]][0])

    def _refused(self, **change_set: str) -> list[Event]:
        """What CloudFormation refused before it changed anything; the reason only refers to it."""
        found = self.call("describe_events", Filters={"FailedEvents": True}, **change_set)
        return [
            Event("VALIDATION_FAILED", e["ResourceType"], e["LogicalResourceId"], e[reason])
            for e in found["OperationEvents"]
            if (reason := "ValidationStatusReason") in e
        ]

    @contextmanager
    def _change_set(self, parameters: Parameters, **how: Any) -> Iterator[tuple[str, list[Change]]]:
        """A change set, gone afterwards: its ARN, and what it would change."""
        arguments = {
            "ChangeSetName": f"tgpipeline-{uuid.uuid4().hex[:8]}",
            "ChangeSetType": "UPDATE" if self.exists else "CREATE",
            "TemplateBody": templates.template(self.stage),
            "Parameters": [
                {"ParameterKey": key}
                | ({"UsePreviousValue": True} if value is KEEP else {"ParameterValue": value})
                for key, value in parameters.items()
            ],
            "Capabilities": ["CAPABILITY_IAM"],
            "Tags": [{"Key": "tgpipeline", "Value": self.settings.name}],
        } | how
        given = {key: value for key, value in arguments.items() if value is not None}
        made = {"ChangeSetName": self.call("create_change_set", **given)["Id"]}
        try:
            for _ in waits():
                found = self.call("describe_change_set", **made)
                if found["Status"] not in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
                    break
            reason = found.get("StatusReason", "")
            if found["Status"] == "FAILED" and not re.search(_NO_CHANGES, reason):
                refused = self._refused(**made) if "DescribeEvents" in reason else []
                refused.append(Event("FAILED", _STACK, self.name, reason))
                raise reasons.of_event(self.name, refused[0])
            changes = self._all("describe_change_set", "Changes", **made)
            yield made["ChangeSetName"], [self._change(one["ResourceChange"]) for one in changes]
        finally:
            if self.status not in ("", "REVIEW_IN_PROGRESS"):  # else it goes with the stack
                self.call("delete_change_set", **made)

    def _change(self, found: Mapping[str, Any]) -> Change:
        action = "Replace" if found.get("Replacement") == "True" else found["Action"]
        return Change(self.name, action, found["ResourceType"], found["LogicalResourceId"])


def waits(first: float = 0.05, longest: float = 3) -> Iterator[None]:
    """Waits, longer each time, for ever: how often to ask whether something is done."""
    while True:
        yield
        time.sleep(first)
        first = min(first * 1.4, longest)
