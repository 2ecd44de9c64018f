"""What is deployed and how it is doing, for people: in a notebook and on the command line."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from tgpipeline.deploy import reasons
from tgpipeline.deploy.stack import Stack, polled
from tgpipeline.deploy.stages import first_day, list_objects
from tgpipeline.deploy.templates import Deployment
from tgpipeline.errors import DeployError, LakeError, SettingsError
from tgpipeline.lake import keys
from tgpipeline.lake.ledger import days_with_other_columns
from tgpipeline.settings import Settings

# No change by hand: API Gateway writes the API's id into its policy, `up` may deploy the API again,
# and a bucket that never had versions is as good as one whose versions are suspended.
_EXPECTED = ("/Policy", "/DeploymentId", "/VersioningConfiguration")
_QUEUES = ("QueueUrl", "DeadLettersUrl", "FailedQueue")  # outputs of the stacks
StatusRow = tuple[str, str, bool]


class Status(NamedTuple):
    """The state of a deployment; shown as a table.

    Attributes:
        name: of the deployment.
        rows: what was looked at, its state, and whether that is right.
    """

    name: str
    rows: list[StatusRow]

    @property
    def ok(self) -> bool:
        """Whether there is nothing to mend."""
        return all(right for _, _, right in self.rows)

    def __str__(self) -> str:
        rows = [f"{'ok' if right else '!!'}  {what:<26} {how}" for what, how, right in self.rows]
        return "\n".join([f"deployment {self.name}", *rows])


def status(settings: Settings) -> Status:
    """Ask the stacks, and what they hold.

    Returns:
        Each stack and what was changed in it by hand, the days that Athena sees, days
        made with other columns, runs that failed, alarms, and who is to be erased.

    Raises:
        DeployError: if AWS cannot be asked.
    """
    wanted = Deployment.of(settings)
    looks = [_days, _columns, _failed_runs, _alarms, _requests, _erasures]
    looks += [_queue] if wanted.batch_seconds else []
    rows = [_stack(Stack(stage, wanted)) for stage in wanted.stages]
    return Status(wanted.name, rows + [look(wanted) for look in looks])


def unseen_days(settings: Settings) -> int:
    """How many days of the raw zone lie before the first day that Athena looks at."""
    stack = Stack("analytics", settings)
    sees, first = stack.parameters().get("FirstDay"), first_day(stack.settings)
    if not (sees and first):
        return 0
    return max(0, (date.fromisoformat(sees) - date.fromisoformat(first)).days)


def _stack(stack: Stack) -> StatusRow:
    what, state = f"stack {stack.name}", stack.status or "not deployed"
    right = stack.exists and not state.endswith(("_IN_PROGRESS", "_FAILED"))
    if not (drifted := list(_drifted(stack)) if right else []):
        return what, state, right
    mend = f"Change it back, or put the change into lambda_src/{stack.stage}.yaml"
    return what, f"{state}; changed by hand: {', '.join(drifted)}. {mend}", False


def _drifted(stack: Stack) -> Iterator[str]:
    """The resources that are not as the stack made them, each with what differs."""
    asked = stack.client.detect_stack_drift(StackName=stack.name)["StackDriftDetectionId"]
    ask = stack.client.describe_stack_drift_detection_status
    answers = polled(ask, StackDriftDetectionId=asked)
    next(one for one in answers if one["DetectionStatus"] != "DETECTION_IN_PROGRESS")
    which = {"StackName": stack.name, "StackResourceDriftStatusFilters": ["MODIFIED", "DELETED"]}
    for one in stack.client.describe_stack_resource_drifts(**which)["StackResourceDrifts"]:
        paths = [difference["PropertyPath"] for difference in one.get("PropertyDifferences", ())]
        paths = [path for path in paths if not path.startswith(_EXPECTED)]
        if one["StackResourceDriftStatus"] == "DELETED":
            paths = ["deleted"]
        if paths:
            yield f"{one['LogicalResourceId']} ({', '.join(paths)})"


def _days(settings: Deployment) -> StatusRow:
    if unseen := unseen_days(settings):
        return "days", f"run `tgpipeline up`: {unseen} days are not yet seen by Athena", False
    sees = Stack("analytics", settings).parameters().get("FirstDay")
    return "days", f"Athena sees all from {sees}" if sees else "no tables yet", bool(sees)


def _columns(settings: Deployment) -> StatusRow:
    with suppress(LakeError):
        if days := days_with_other_columns(settings):
            command = f"tgpipeline etl --from {days[0]} --to {days[-1]}"
            state = f"{len(days):,} days were made with other columns: run `{command}`"
            return "columns", state, False
        return "columns", "the same on every day", True
    return "columns", "no tables yet", True


def queued(settings: Settings, stage: str = "batch") -> int:
    """How many messages wait in the queues of a stage, those in work just now included.

    Of `batch` they are updates, of `etl` events whose every try failed.
    """
    outputs, sqs, waiting = Stack(stage, settings).outputs(), reasons.client("sqs", settings), 0
    names = [f"ApproximateNumberOfMessages{which}" for which in ("", "NotVisible")]
    for url in (outputs[name] for name in _QUEUES if name in outputs):
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        waiting += sum(map(int, found.values()))
    return waiting


def _queue(settings: Deployment) -> StatusRow:
    """What waits in the queue, and how old CloudWatch last saw the oldest of it."""
    name = Stack("batch", settings).outputs().get("QueueUrl", "").rpartition("/")[2]
    now = datetime.now(UTC)
    what = {"Namespace": "AWS/SQS", "MetricName": "ApproximateAgeOfOldestMessage"}
    queue = [{"Name": "QueueName", "Value": name}]
    span = {"StartTime": now - timedelta(minutes=15), "EndTime": now, "Period": 300}
    watch = reasons.client("cloudwatch", settings)
    found = watch.get_metric_statistics(**what, **span, Dimensions=queue, Statistics=["Maximum"])
    age = max((point["Maximum"] for point in found["Datapoints"]), default=0)
    state = f"{queued(settings)} updates wait, the oldest for {age:.0f} seconds"
    return "queue", state, age < 900


def _failed_runs(settings: Deployment) -> StatusRow:
    waiting = queued(settings, "etl")
    return "failed runs", f"{waiting} wait in the queue" if waiting else "none", not waiting


def _alarms(settings: Deployment) -> StatusRow:
    watch = reasons.client("cloudwatch", settings)
    found = watch.describe_alarms(AlarmNamePrefix=f"{settings.name}-", StateValue="ALARM")
    ringing = [alarm["AlarmName"] for alarm in found["MetricAlarms"]]
    return "alarms", ", ".join(ringing) or "none rings", not ringing


def _requests(settings: Deployment) -> StatusRow:
    """Who wrote /forget and is not erased yet."""
    found = list_objects(settings, settings.raw_bucket, keys.REQUESTS)
    users = [item["Key"][len(keys.REQUESTS) :].removesuffix(".json") for item in found]
    named = ", ".join(f"--user {user}" for user in users[:20])
    state = f"{len(users)} people asked: `tgpipeline erase {named}`" if users else "none"
    return "requests to forget", state, not users


def _erasures(settings: Deployment) -> StatusRow:
    """Erasures that broke off, and those that Telegram may still bring something back of."""
    s3, since, recent = reasons.client("s3", settings), datetime.now(UTC) - timedelta(hours=48), 0
    for item in list_objects(settings, settings.raw_bucket, f"{keys.ERASED}/"):
        if item["Key"].endswith(".json"):
            body = s3.get_object(Bucket=settings.raw_bucket, Key=item["Key"])["Body"].read()
            if b'"days"' in body:
                state = "one broke off or is under way: give the same `tgpipeline erase` once more"
                return "erasures", state, False
            recent += item["LastModified"] > since
    again = f"{recent} in the last 48 hours: erase them once more after two days; --before keeps"
    again += " what they have written since"
    return "erasures", again if recent else "none in the last 48 hours", True


def refusal_logged(settings: Settings, when: int) -> bool | None:
    """Whether ingest's log has a wrong secret within a minute of then; None if it is not known.

    Args:
        settings: of the deployment.
        when: Unix seconds.
    """
    span = {"startTime": (when - 60) * 1000, "endTime": (when + 60) * 1000}
    with suppress(DeployError, SettingsError):
        logs = reasons.client("logs", settings).get_paginator("filter_log_events")
        group = f"/aws/lambda/{settings.name}-ingest"
        found = logs.paginate(logGroupName=group, filterPattern='"forbidden"', **span)
        return any(found.search("events[]"))
    return None
