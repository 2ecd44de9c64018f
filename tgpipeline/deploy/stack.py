"""One stage of the deployment as a CloudFormation stack: planned, deployed, asked, deleted.

CloudFormation compares, orders, waits and rolls back. What is here makes change sets, follows the
events while one is executed, and says in a reader's words what went wrong.
"""

import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from tgpipeline.deploy import reasons
from tgpipeline.deploy.templates import Deployment, template
from tgpipeline.errors import DeployError
from tgpipeline.settings import Settings

KEEP = None  # as the value of a parameter: what the stack has now
STACK = "AWS::CloudFormation::Stack"
_FAILED = re.compile("FAILED|ROLLBACK")  # in the status of an event
_NO_CHANGES = "didn't contain changes|No updates"
_AGAIN = "Mend that, then run it again: the stack is as it was before."
Parameters = Mapping[str, str | None]


class Change(NamedTuple):
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


class Event(NamedTuple):
    """What happened to one resource; its reason, mostly empty, says why it failed."""

    status: str
    type: str
    resource: str
    reason: str = ""

    def __str__(self) -> str:
        reason = f": {self.reason}" if self.reason and _FAILED.search(self.status) else ""
        return f"{self.status:<18} {self.type:<27} {self.resource}{reason}"


Listener = Callable[[Event], object]


def nobody(event: Event) -> None:
    """Listens to events and says nothing."""


class Stack:
    """The stack of one stage, whether it exists or not.

    Attributes:
        stage: one of `STAGES`, such as `lake` or `batch`.
        settings: of the deployment.
        listener: told of each event while it is changed.
        name: of the stack, such as `tgpipeline-lake`.
        client: of CloudFormation; its errors are `DeployError`.
    """

    def __init__(self, stage: str, settings: Settings, listener: Listener = nobody) -> None:
        self.stage, self.settings, self.listener = stage, Deployment.of(settings), listener
        self.name = f"{self.settings.name}-{stage}"
        self.client = reasons.client("cloudformation", self.settings)

    def describe(self) -> dict[str, Any]:
        """What DescribeStacks says of it; empty where it does not exist."""
        with reasons.ignored("does not exist"):
            return dict(self.client.describe_stacks(StackName=self.name)["Stacks"][0])
        return {}

    @property
    def status(self) -> str:
        """Such as `CREATE_COMPLETE`; empty where it does not exist."""
        return str(self.describe().get("StackStatus", ""))

    @property
    def exists(self) -> bool:
        """Whether there is a stack that holds something."""
        return self.status not in ("", "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE")

    def outputs(self) -> dict[str, str]:
        """What the stack says about itself, such as `CodeBucket`; empty where it does not exist."""
        return {o["OutputKey"]: o["OutputValue"] for o in self.describe().get("Outputs", ())}

    def parameters(self) -> dict[str, str]:
        """What it was deployed with, a secret's value hidden; empty where it does not exist."""
        found = self.describe().get("Parameters", ())
        return {p["ParameterKey"]: p.get("ParameterValue", "") for p in found}

    def resources(self) -> dict[str, dict[str, Any]]:
        """Name in the template → type, status and physical id of what the stack holds."""
        there = "StackResourceSummaries[?ResourceStatus != 'DELETE_COMPLETE']"
        with reasons.ignored("does not exist"):
            found = self._all("list_stack_resources", there, StackName=self.name)
            return {one["LogicalResourceId"]: one for one in found}
        return {}

    def _all(self, operation: str, key: str, **where: str) -> Iterator[Any]:
        """What CloudFormation answers page by page."""
        yield from self.client.get_paginator(operation).paginate(**where).search(key)

    def deploy(self, parameters: Parameters, dry_run: bool = False, **how: Any) -> list[Change]:
        """Make the stack what template and parameters say; returns when that is done.

        Args:
            parameters: of the template; those that are left out have their default.
            dry_run: change nothing; a stack that is not there yet leaves nothing behind.
            **how: arguments of CreateChangeSet in place of the stage's own template.

        Returns:
            What was changed, or would be; empty if nothing differed.

        Raises:
            DeployError: if it cannot be changed now, or fails; then all is as it was before.
        """
        status = self.status
        here = Event(status, STACK, self.name, "its first deployment failed: made anew")
        if status == "ROLLBACK_COMPLETE" and dry_run:
            return [Change(self.name, "Replace", STACK, self.name)]
        if status == "ROLLBACK_COMPLETE":
            self.listener(here)
            self.delete()
        elif advice := reasons.advice(status, "status"):
            failed = [e for e in self._events(self.name) if e.status.endswith("_FAILED")]
            raise self._error([*failed, here._replace(reason="")][0], advice)
        with self._change_set(parameters, **how) as (made, changes):
            if changes and not dry_run:
                token = uuid.uuid4().hex
                self.client.execute_change_set(**made, ClientRequestToken=token)
                self._follow(made["StackName"], token)
        return changes

    def update(self, **parameters: str) -> list[Change]:
        """Change some parameters of the stack; its template and all else stay.

        Raises:
            DeployError: if the change fails.
        """
        kept: dict[str, str | None] = dict.fromkeys(self.parameters(), KEEP)
        return self.deploy(kept | parameters, UsePreviousTemplate=True)

    def delete(self) -> None:
        """Delete the stack, if there is one; its buckets stay.

        Raises:
            DeployError: if something cannot be deleted: which resource, and why.
        """
        found, token = self.describe(), uuid.uuid4().hex
        if found:
            self.client.delete_stack(StackName=self.name, ClientRequestToken=token)
        if found.get("StackStatus") == "REVIEW_IN_PROGRESS":  # nothing is in it, so no event tells
            next(live for live in polled(self.describe) if not live)
        elif found:
            self._follow(found["StackId"], token)

    def _events(self, stack: str, token: str = "") -> Iterator[Event]:
        """The stack's events, the newest first; those of one operation, if its token is given."""
        what = "ClientRequestToken, ResourceStatus, ResourceType, LogicalResourceId"
        told = f"StackEvents[].[{what}, ResourceStatusReason || '']"
        for its_token, *event in self._all("describe_stack_events", told, StackName=stack):
            if token not in ("", its_token):
                return
            yield Event(*event)

    def _follow(self, stack: str, token: str) -> None:
        """Tell of the events of one operation until the stack's own last one."""
        told: list[Event] = []
        for found in polled(self._events, stack, token):
            events = list(found)[::-1]
            for event in events[len(told) :]:
                self.listener(event)
            told = events
            if told and told[-1].type == STACK and not told[-1].status.endswith("_IN_PROGRESS"):
                break
        if _FAILED.search(told[-1].status):
            # The first failure is the cause; what it stopped is "cancelled".
            causes = [e for e in told if "_FAILED" in e.status and "cancelled" not in e.reason]
            own = [e for e in causes if e.type != STACK]
            raise self._error([*own, *causes, told[-1]][0])

    def _error(self, cause: Event, what_next: str = "") -> DeployError:
        """The error of an operation that failed; what was refused at once is in a list apart."""
        if "DescribeEvents" in cause.reason:
            what = "ResourceType, LogicalResourceId, ValidationStatusReason"
            told = f"OperationEvents[?ValidationStatusReason].[{what}]"
            for refused in self._all("describe_events", told, StackName=self.name):
                cause = Event("VALIDATION_FAILED", *refused)
        text = f"stack {self.name}: {cause.resource} ({cause.type}) is in {cause.status}: "
        text = (text + cause.reason)[:1000].rstrip(".: ")
        return DeployError(f"{text}. {what_next or reasons.advice(cause.reason) or _AGAIN}")

    @contextmanager
    def _change_set(self, parameters: Parameters, **how: Any) -> Iterator[tuple[Any, list[Change]]]:
        """A change set, gone afterwards: what names it to AWS, and what it would change."""
        values = parameters.items()
        new = [{"ParameterKey": k, "ParameterValue": v} for k, v in values if v is not KEEP]
        kept = [{"ParameterKey": k, "UsePreviousValue": True} for k, v in values if v is KEEP]
        arguments = {
            "ChangeSetName": f"tgpipeline-{uuid.uuid4().hex[:8]}",
            "ChangeSetType": "UPDATE" if self.exists else "CREATE",
            "Parameters": [*new, *kept],
            "Capabilities": ["CAPABILITY_IAM"],
            "Tags": [{"Key": "tgpipeline", "Value": self.settings.name}],
        } | (how or {"TemplateBody": template(self.stage)})
        created = self.client.create_change_set(StackName=self.name, **arguments)
        made = {"StackName": created["StackId"], "ChangeSetName": created["Id"]}
        try:
            answers = polled(self.client.describe_change_set, **made)
            found = next(a for a in answers if a["Status"] in ("CREATE_COMPLETE", "FAILED"))
            reason = found.get("StatusReason", "")
            if found["Status"] == "FAILED" and not re.search(_NO_CHANGES, reason):
                raise self._error(Event("FAILED", STACK, self.name, reason))
            what = "Replacement == 'True' && 'Replace' || Action, ResourceType, LogicalResourceId"
            told = self._all("describe_change_set", f"Changes[].ResourceChange.[{what}]", **made)
            yield made, [Change(self.name, *one) for one in told]
        finally:
            self.client.delete_change_set(**made)
            if self.status == "REVIEW_IN_PROGRESS":  # a new stack, of which nothing was made
                self.delete()


def polled(ask: Callable[..., Any], *about: str, **more: str) -> Iterator[Any]:
    """What a question is answered, again and again, with longer and longer waits in between."""
    wait = 0.05
    while True:
        yield ask(*about, **more)
        time.sleep(wait)
        wait = min(wait * 1.4, 3)
