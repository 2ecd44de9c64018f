"""What is deployed and how it is doing, for people: in a notebook and on the command line."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tgpipeline.deploy import alarms, costs, functions, roles, schedule, storage
from tgpipeline.deploy.cloud import Cloud
from tgpipeline.lake import keys

_KINDS = ("s3:", "iam:", "lambda:", "apigateway:", "sqs:", "scheduler:", "glue:", "athena:")
_ERRORS = '?ERROR ?"Task timed out" ?"failed"'


@dataclass(frozen=True)
class Status:
    """The state of a deployment; shown as a table.

    Attributes:
        name: of the deployment.
        rows: what was looked at, its state, and whether that is right.
    """

    name: str
    rows: list[tuple[str, str, bool]]

    @property
    def ok(self) -> bool:
        """Whether there is nothing to mend."""
        return all(right for _, _, right in self.rows)

    def __str__(self) -> str:
        width = max(len(what) for what, _, _ in self.rows)
        lines = [
            f"{'ok ' if right else '!! '} {what:<{width}}  {state}"
            for what, state, right in self.rows
        ]
        return "\n".join([f"deployment {self.name}", *lines])

    def _repr_markdown_(self) -> str:
        lines = [
            f"| {'✓' if right else '✗'} | {what} | {state} |" for what, state, right in self.rows
        ]
        return "\n".join(["| | what | state |", "|---|---|---|", *lines])


def status(cloud: Cloud, present: list[str]) -> Status:
    """Look at everything that `up` makes.

    Args:
        cloud: the account.
        present: the ARNs of what exists.

    Returns:
        What exists, the functions' versions, the last ETL run, the last error, this month's cost.
    """
    missing = [kind for kind in _KINDS if not any(f":{kind}" in arn for arn in present)]
    state = f"{len(present)} exist" + (f", no {', no '.join(missing)}" if missing else "")
    rows = [("resources", state, not missing)]
    for function in roles.FUNCTIONS:
        rows.append(_function(cloud, function))
    rows.append(_schedule(cloud))
    rows.append(_last_run(cloud))
    rows.append(_queue(cloud))
    ringing = alarms.ringing(cloud)
    rows.append(("alarms", ", ".join(ringing) or "none rings", not ringing))
    for function in roles.FUNCTIONS:
        rows.append((f"last error of {function}", _last_error(cloud, function), True))
    rows.append(_month(cloud))
    return Status(cloud.settings.name, rows)


def _function(cloud: Cloud, function: str) -> tuple[str, str, bool]:
    found = cloud.find(
        cloud.client("lambda").get_function_configuration,
        FunctionName=cloud.name(function),
        Qualifier=functions.LIVE,
    )
    if found is None:
        return (f"function {function}", "not deployed", False)
    state = f"version {found['Version']} is live, {found.get('State', 'Active')}"
    return (f"function {function}", state, found.get("State", "Active") in ("Active", "Inactive"))


def _schedule(cloud: Cloud) -> tuple[str, str, bool]:
    where = {"Name": cloud.name("etl"), "GroupName": cloud.settings.name}
    found = cloud.find(cloud.client("scheduler").get_schedule, **where)
    if found is None:
        return ("schedule", "none", False)
    when = f"{found['ScheduleExpression']} {found['ScheduleExpressionTimezone']}"
    return ("schedule", f"{when}, {found['State'].lower()}", found["State"] == "ENABLED")


def _last_run(cloud: Cloud) -> tuple[str, str, bool]:
    """The newest Parquet: every run that finds something to do writes some."""
    found = storage.objects(cloud, cloud.settings.enriched_bucket, f"{keys.RAW}/messages/")
    newest = max(found, key=lambda item: item["LastModified"], default=None)
    if newest is None:
        return ("last ETL run", "none yet", True)
    when = newest["LastModified"].astimezone(UTC)
    return ("last ETL run", f"{when:%Y-%m-%d %H:%M} UTC, of {keys.day_of(newest['Key'])}", True)


def _queue(cloud: Cloud) -> tuple[str, str, bool]:
    waiting = schedule.failed(cloud)
    return ("failed runs", f"{waiting} wait in the queue" if waiting else "none", not waiting)


def _last_error(cloud: Cloud, function: str) -> str:
    """The end of the last line that tells of an error, of the last 14 days."""
    since = datetime.now(UTC) - timedelta(14)
    found = cloud.every(
        "logs",
        "filter_log_events",
        "events",
        logGroupName=f"/aws/lambda/{cloud.name(function)}",
        filterPattern=_ERRORS,
        startTime=int(since.timestamp() * 1000),
    )
    # CloudWatch gives the oldest first, on pages of which any may be empty.
    last = max(found, key=lambda event: event["timestamp"], default=None)
    if last is None:
        return "none in 14 days"
    when = datetime.fromtimestamp(last["timestamp"] / 1000, UTC)
    return f"{when:%Y-%m-%d %H:%M} UTC: {last['message'].strip()[:160]}"


def _month(cloud: Cloud) -> tuple[str, str, bool]:
    today = datetime.now(cloud.settings.tz).date()
    month = keys.partition(keys.RAW, today)[: -len("-DD/") + 1]
    objects = storage.count(cloud, cloud.settings.raw_bucket, month)
    region = cloud.settings.region if cloud.settings.region in costs.PRICES else costs.REGION
    dollars = sum(costs.monthly(objects, region=region).values())
    state = f"{objects:,} raw objects, about {dollars:.2f} US dollars at prices of {region}"
    return ("this month", state, True)
