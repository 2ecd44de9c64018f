"""What CloudFormation would change, and what it tells while it does so: one line each."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

STACK = "AWS::CloudFormation::Stack"
FAILED = re.compile("FAILED|ROLLBACK")  # in the status of an event


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


class Event(NamedTuple):
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
        reason = f": {self.reason}" if self.reason and FAILED.search(self.status) else ""
        return f"{self.status:<18} {self.type:<27} {self.resource}{reason}"


Listener = Callable[[Event], object]


def nobody(event: Event) -> None:
    """Listens to events and says nothing."""
