"""One stage of the deployment as a CloudFormation stack: planned, deployed, asked, deleted.

CloudFormation compares, orders, waits and rolls back. What is here makes change sets, follows the
events while one is executed, and says in a reader's words what went wrong.
"""

import re
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tgpipeline.deploy import reasons, templates
from tgpipeline.deploy.deployment import Deployment
from tgpipeline.deploy.events import FAILED, STACK, Change, Event, Listener, nobody
from tgpipeline.errors import DeployError
from tgpipeline.settings import Settings

KEEP = None  # as the value of a parameter: what the stack has now
_EMPTY = ("", "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE")  # in these a stack holds nothing
_NO_CHANGES = "didn't contain changes|No updates"
_AGAIN = "Mend that, then run it again: the stack is as it was before."
Parameters = Mapping[str, str | None]
Planned = tuple[dict[str, str], list[Change]]


class Stack:
    """The stack of one stage, whether it exists or not.

    Attributes:
        stage: one of `STAGES`, such as `lake` or `batch`.
        settings: of the deployment.
        name: of the stack, such as `tgpipeline-lake`.
        client: of CloudFormation; its errors are `DeployError`.
    """

    def __init__(self, stage: str, settings: Settings) -> None:
        self.stage, self.settings = stage, Deployment.of(settings)
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
        with reasons.ignored("does not exist"):
            where = {"StackName": self.name}
            found = self._all("list_stack_resources", "StackResourceSummaries[]", where)
            there = [one for one in found if one["ResourceStatus"] != "DELETE_COMPLETE"]
            return {one["LogicalResourceId"]: one for one in there}
        return {}

    def _all(self, operation: str, key: str, where: dict[str, str]) -> Iterator[Any]:
        """What CloudFormation answers page by page."""
        yield from self.client.get_paginator(operation).paginate(**where).search(key)

    def plan(self, parameters: Parameters) -> list[Change]:
        """What `deploy` would do. Nothing stays behind, of a stack that is not there yet either."""
        if self.status == "ROLLBACK_COMPLETE":
            return [Change(self.name, "Replace", STACK, self.name)]
        with self._change_set(parameters) as (_, changes):
            return changes

    def deploy(
        self, parameters: Parameters, listener: Listener = nobody, **how: Any
    ) -> list[Change]:
        """Make the stack what template and parameters say; returns when that is done.

        Args:
            parameters: of the template; those that are left out have their default.
            listener: told of each event while it runs.
            **how: arguments of CreateChangeSet in place of the stage's own template.

        Returns:
            What was changed; empty if nothing differed.

        Raises:
            DeployError: if the stack cannot be changed now, or the change fails; CloudFormation
                then has put back what was there before.
        """
        status = self.status
        here = Event(status, STACK, self.name, "its first deployment failed: made anew")
        if status == "ROLLBACK_COMPLETE":
            listener(here)
            self.delete(listener)
        elif advice := reasons.advice(status, "status"):
            failed = [e for e in self._events(self.name) if e.status.endswith("_FAILED")]
            raise self._error([*failed, here._replace(reason="")][0], advice)
        with self._change_set(parameters, **how) as (made, changes):
            if changes:
                token = uuid.uuid4().hex
                self.client.execute_change_set(**made, ClientRequestToken=token)
                self._follow(made["StackName"], token, listener)
        return changes

    def update(self, listener: Listener = nobody, **parameters: str) -> list[Change]:
        """Change some parameters of the stack; its template and all else stay.

        Raises:
            DeployError: if the change fails.
        """
        kept: dict[str, str | None] = dict.fromkeys(self.parameters(), KEEP)
        return self.deploy(kept | parameters, listener, UsePreviousTemplate=True)

    def delete(self, listener: Listener = nobody) -> None:
        """Delete the stack, if there is one; its buckets stay.

        Raises:
            DeployError: if something cannot be deleted: which resource, and why.
        """
        found, token = self.describe(), uuid.uuid4().hex
        if found:
            self.client.delete_stack(StackName=self.name, ClientRequestToken=token)
        if found.get("StackStatus") == "REVIEW_IN_PROGRESS":  # nothing is in it, so no event tells
            next(wait for wait in waits() if not self.status)
        elif found:
            self._follow(found["StackId"], token, listener)

    def _events(self, stack: str, token: str = "") -> Iterator[Event]:
        """The stack's events, the newest first; those of one operation, if its token is given."""
        for one in self._all("describe_stack_events", "StackEvents[]", {"StackName": stack}):
            if token not in ("", one.get("ClientRequestToken")):
                return
            what = (one["ResourceStatus"], one["ResourceType"], one["LogicalResourceId"])
            yield Event(*what, one.get("ResourceStatusReason", ""))

    def _follow(self, stack: str, token: str, listener: Listener) -> None:
        """Tell of the events of one operation until the stack's own last one."""
        told: list[Event] = []
        for _ in waits():
            events = list(self._events(stack, token))[::-1]
            for event in events[len(told) :]:
                listener(event)
            told = events
            if told and told[-1].type == STACK and not told[-1].status.endswith("_IN_PROGRESS"):
                break
        if FAILED.search(told[-1].status):
            # The first failure is the cause; what it stopped is "cancelled".
            causes = [e for e in told if "_FAILED" in e.status and "cancelled" not in e.reason]
            own = [e for e in causes if e.type != STACK]
            raise self._error([*own, *causes, told[-1]][0])

    def _error(self, cause: Event, what_next: str = "", **which: str) -> DeployError:
        """The error of an operation that failed, by the event that tells why.

        What CloudFormation refused before it changed anything is in a list that the reason only
        refers to.
        """
        if "DescribeEvents" in cause.reason:
            which = which or {"StackName": self.name}
            found = self.client.describe_events(**which, Filters={"FailedEvents": True})
            refused = [e for e in found["OperationEvents"] if "ValidationStatusReason" in e]
            for e in refused[:1]:
                what = (e["ResourceType"], e["LogicalResourceId"], e["ValidationStatusReason"])
                cause = Event("VALIDATION_FAILED", *what)
        text = f"stack {self.name}: {cause.resource} ({cause.type}) is in {cause.status}: "
        text = (text + cause.reason)[:1000].rstrip(".: ")
        return DeployError(f"{text}. {what_next or reasons.advice(cause.reason) or _AGAIN}")

    @contextmanager
    def _change_set(self, parameters: Parameters, **how: Any) -> Iterator[Planned]:
        """A change set, gone afterwards: what names it to AWS, and what it would change."""
        arguments = {
            "ChangeSetName": f"tgpipeline-{uuid.uuid4().hex[:8]}",
            "ChangeSetType": "UPDATE" if self.exists else "CREATE",
            "Parameters": [
                {"ParameterKey": key}
                | ({"UsePreviousValue": True} if value is KEEP else {"ParameterValue": value})
                for key, value in parameters.items()
            ],
            "Capabilities": ["CAPABILITY_IAM"],
            "Tags": [{"Key": "tgpipeline", "Value": self.settings.name}],
        } | (how or {"TemplateBody": templates.template(self.stage)})
        created = self.client.create_change_set(StackName=self.name, **arguments)
        made = {"StackName": created["StackId"], "ChangeSetName": created["Id"]}
        try:
            for _ in waits():
                found = self.client.describe_change_set(**made)
                if found["Status"] not in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
                    break
            reason = found.get("StatusReason", "")
            if found["Status"] == "FAILED" and not re.search(_NO_CHANGES, reason):
                raise self._error(Event("FAILED", STACK, self.name, reason), **made)
            changes = self._all("describe_change_set", "Changes[].ResourceChange", made)
            yield made, [self._change(one) for one in changes]
        finally:
            self.client.delete_change_set(**made)
            if self.status == "REVIEW_IN_PROGRESS":  # a new stack, of which nothing was made
                self.delete()

    def _change(self, found: Mapping[str, Any]) -> Change:
        action = "Replace" if found.get("Replacement") == "True" else found["Action"]
        return Change(self.name, action, found["ResourceType"], found["LogicalResourceId"])


def waits(first: float = 0.05, longest: float = 3) -> Iterator[None]:
    """Waits, longer each time, for ever: how often to ask whether something is done."""
    while True:
        yield
        time.sleep(first)
        first = min(first * 1.4, longest)
