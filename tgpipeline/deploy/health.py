"""What is deployed and how it is doing, for people: in a notebook and on the command line."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

from tgpipeline.deploy import reasons
from tgpipeline.deploy.stack import Stack, polled
from tgpipeline.deploy.stages import first_day, list_objects
from tgpipeline.deploy.templates import Deployment
from tgpipeline.errors import DeployError, LakeError, SettingsError
from tgpipeline.lake import keys
from tgpipeline.lake.ledger import days_with_other_columns
from tgpipeline.settings import Settings
from tgpipeline.telegram.check import CheckFinding, CheckReport

# No change by hand: API Gateway writes the API's id into its policy, `up` may deploy the API again,
# and a bucket that never had versions is as good as one whose versions are suspended.
_EXPECTED = ("/Policy", "/DeploymentId", "/VersioningConfiguration")


def status(settings: Settings) -> CheckReport:
    """Ask the stacks, and what they hold.

    Returns:
        A finding for each stack and what was changed in it by hand, the days that Athena sees, when
        the ETL ran last, days made with other columns, runs that failed, alarms, and who is to be
        erased.

    Raises:
        DeployError: if AWS cannot be asked.
    """
    wanted = Deployment.of(settings)
    looks = [_days, _last_run, _columns, _failed_runs, _alarms, _requests, _erasures]
    looks += [_queue] if wanted.batch_seconds else []
    stacks = [_stack(Stack(stage, wanted)) for stage in wanted.stages]
    return CheckReport(stacks + [look(wanted) for look in looks])


def unseen_days(settings: Settings) -> int:
    """How many days of the raw zone lie before the first day that Athena looks at."""
    stack = Stack("analytics", settings)
    sees, first = stack.parameters().get("FirstDay"), first_day(stack.settings)
    if not (sees and first):
        return 0
    return max(0, (date.fromisoformat(sees) - date.fromisoformat(first)).days)


def _stack(stack: Stack) -> CheckFinding:
    name, state = f"stack {stack.name}", stack.status or "not deployed"
    ok = stack.exists and not state.endswith(("_IN_PROGRESS", "_FAILED"))
    advice = reasons.advice(state, "status").strip() or "Run `tgpipeline up`."
    if which := ", ".join(_drifted(stack)) if ok else "":
        ok, state = False, f"{state}; changed by hand: {which}"
        advice = f"Change it back, or put the change into lambda_src/{stack.stage}.yaml."
    return CheckFinding(name, ok, state, advice)


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


def _days(settings: Deployment) -> CheckFinding:
    sees = Stack("analytics", settings).parameters().get("FirstDay")
    detail = f"Athena sees all from {sees}" if sees else "no tables yet"
    if unseen := unseen_days(settings):
        sees, detail = "", f"{unseen} days are not yet seen by Athena"
    return CheckFinding("days", bool(sees), detail, "Run `tgpipeline up`.")


def _last_run(settings: Deployment) -> CheckFinding:
    """When the ETL wrote a table last; the alarm `no-run` rings where that is too long ago."""
    found = list_objects(settings, settings.enriched_bucket, f"{keys.RAW}/messages/")
    written = max((item["LastModified"] for item in found), default=None)
    detail = f"{written.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if written else "none yet"
    return CheckFinding("last ETL run", True, detail)


def _columns(settings: Deployment) -> CheckFinding:
    with suppress(LakeError):
        if days := days_with_other_columns(settings):
            detail = f"{len(days):,} days were made with other columns"
            advice = f"Run `tgpipeline etl --from {days[0]} --to {days[-1]}`."
            return CheckFinding("columns", False, detail, advice)
        return CheckFinding("columns", True, "the same on every day")
    return CheckFinding("columns", True, "no tables yet")


def queued(settings: Settings, stage: str = "batch") -> int:
    """How many messages wait in the queues of a stage, those in work just now included.

    Of `batch` they are updates, of `etl` events whose every try failed.
    """
    outputs, sqs, waiting = Stack(stage, settings).outputs(), reasons.client("sqs", settings), 0
    names = [f"ApproximateNumberOfMessages{which}" for which in ("", "NotVisible")]
    for url in (value for value in outputs.values() if value.startswith("http")):
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        waiting += sum(map(int, found.values()))
    return waiting


def _queue(settings: Deployment) -> CheckFinding:
    """What waits in the queue, and how old CloudWatch last saw the oldest of it."""
    name = Stack("batch", settings).outputs().get("QueueUrl", "").rpartition("/")[2]
    now = datetime.now(UTC)
    what = {"Namespace": "AWS/SQS", "MetricName": "ApproximateAgeOfOldestMessage"}
    queue = [{"Name": "QueueName", "Value": name}]
    span = {"StartTime": now - timedelta(minutes=15), "EndTime": now, "Period": 300}
    watch = reasons.client("cloudwatch", settings)
    found = watch.get_metric_statistics(**what, **span, Dimensions=queue, Statistics=["Maximum"])
    age = max((point["Maximum"] for point in found["Datapoints"]), default=0)
    detail = f"{queued(settings)} updates wait, the oldest for {age:.0f} seconds"
    advice = f"Look at the log of function {settings.name}-batch."
    return CheckFinding("queue", age < 900, detail, advice)


def _failed_runs(settings: Deployment) -> CheckFinding:
    waiting = queued(settings, "etl")
    advice = f"Look at the log of function {settings.name}-etl, and at what waits."
    return CheckFinding("failed runs", not waiting, f"{waiting} wait in the queue", advice)


def _alarms(settings: Deployment) -> CheckFinding:
    watch = reasons.client("cloudwatch", settings)
    found = watch.describe_alarms(AlarmNamePrefix=f"{settings.name}-", StateValue="ALARM")
    ringing = ", ".join(alarm["AlarmName"] for alarm in found["MetricAlarms"])
    advice = "Each alarm's description in CloudWatch says what it means."
    return CheckFinding("alarms", not ringing, ringing or "none rings", advice)


def _requests(settings: Deployment) -> CheckFinding:
    """Who wrote /forget and is not erased yet."""
    found = list_objects(settings, settings.raw_bucket, keys.REQUESTS)
    users = [item["Key"][len(keys.REQUESTS) :].removesuffix(".json") for item in found]
    advice = f"Run `tgpipeline erase {', '.join(f'--user {user}' for user in users[:20])}`."
    return CheckFinding("requests to forget", not users, f"{len(users)} people asked", advice)


def _erasures(settings: Deployment) -> CheckFinding:
    """Erasures that broke off, and those that Telegram may still bring something back of."""
    s3, since, recent = reasons.client("s3", settings), datetime.now(UTC) - timedelta(hours=48), 0
    for item in list_objects(settings, settings.raw_bucket, f"{keys.ERASED}/"):
        if item["Key"].endswith(".json"):
            body = s3.get_object(Bucket=settings.raw_bucket, Key=item["Key"])["Body"].read()
            if b'"days"' in body:
                advice = "Give the same `tgpipeline erase` once more."
                return CheckFinding("erasures", False, "one broke off or is under way", advice)
            recent += item["LastModified"] > since
    again = f"{recent} in the last 48 hours: erase them once more after two days; --before keeps"
    again += " what they have written since"
    return CheckFinding("erasures", True, again if recent else "none in the last 48 hours")


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
