"""When the ETL runs: EventBridge Scheduler, in the deployment's own time zone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tgpipeline.deploy.cloud import Cloud, Resource, Target, covers
from tgpipeline.deploy.deployment import Deployment
from tgpipeline.deploy.functions import LIVE

DAY = 86_400


@dataclass(frozen=True)
class Schedule:
    """The schedule of the daily run.

    Attributes:
        name: its name, and that of its group.
        expression: when, such as `cron(15 0 * * ? *)`.
        timezone: IANA name of the zone in which that is meant.
    """

    name: str
    expression: str
    timezone: str


def definition(settings: Deployment, account: str) -> dict[str, Any]:
    """The schedule as EventBridge Scheduler's API spells it.

    The function is told the time the run was scheduled for, not the time it runs at: a retry after
    midnight still means the same day
    (https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html).
    """
    where = f"{settings.region}:{account}"
    return {
        "ScheduleExpression": settings.schedule,
        "ScheduleExpressionTimezone": settings.timezone,
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "State": "ENABLED",
        "Description": "tgpipeline: the ETL of the day before",
        "Target": {
            "Arn": f"arn:aws:lambda:{where}:function:{settings.name}-etl:{LIVE}",
            "RoleArn": f"arn:aws:iam::{account}:role/{settings.name}-scheduler",
            "Input": '{"scheduled_time": "<aws.scheduler.scheduled-time>"}',
            "RetryPolicy": {"MaximumRetryAttempts": 10, "MaximumEventAgeInSeconds": DAY // 4},
            "DeadLetterConfig": {"Arn": f"arn:aws:sqs:{where}:{settings.name}-failed"},
        },
    }


def ensure_queue(target: Target) -> str:
    """Make the queue that keeps the events of runs that failed for 14 days; returns its ARN."""
    cloud = Cloud.of(target)
    sqs, name = cloud.client("sqs"), cloud.name("failed")
    wanted = {"MessageRetentionPeriod": str(14 * DAY), "SqsManagedSseEnabled": "true"}
    url = _queue_url(cloud)
    if url is None:
        cloud.change(
            f"create queue {name}",
            sqs.create_queue,
            wait_for="wait 60 seconds",  # as SQS wants it after a queue of that name
            QueueName=name,
            Attributes=wanted,
            tags=cloud.tags,
        )
    else:
        found = cloud.read(sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["All"])
        if not covers(found, {"Attributes": wanted}):
            cloud.change(
                f"set retention of queue {name}",
                sqs.set_queue_attributes,
                QueueUrl=url,
                Attributes=wanted,
            )
    return cloud.arn("sqs", name)


def ensure_schedule(target: Target) -> Schedule:
    """Make the daily run.

    The function must exist (`functions.ensure_function`), the Scheduler's role
    (`roles.ensure_role`) and the queue (`ensure_queue`).

    Args:
        target: the settings, or the cloud that `deploy.up` works on.
    """
    cloud = Cloud.of(target)
    client, name = cloud.client("scheduler"), cloud.name("etl")
    if not _has_group(cloud):
        cloud.change(
            f"create schedule group {cloud.settings.name}",
            client.create_schedule_group,
            wait_for="Conflict",  # the former one is still being deleted
            Name=cloud.settings.name,
            Tags=cloud.tag_list,
        )
    wanted = definition(cloud.settings, cloud.account)
    where = {"Name": name, "GroupName": cloud.settings.name}
    found = cloud.find(client.get_schedule, **where)
    if not covers(found, wanted):
        cloud.change(
            f"{'create' if found is None else 'update'} schedule {name}",
            client.create_schedule if found is None else client.update_schedule,
            wait_for="assume",  # a new role takes seconds to be known
            **where,
            **wanted,
        )
    return Schedule(name, cloud.settings.schedule, cloud.settings.timezone)


def failed(cloud: Cloud) -> int:
    """How many events wait in the queue because every try of them failed."""
    url = _queue_url(cloud)
    if url is None:
        return 0
    name = "ApproximateNumberOfMessages"
    sqs = cloud.client("sqs")
    found = cloud.read(sqs.get_queue_attributes, QueueUrl=url, AttributeNames=[name])
    return int(found.get("Attributes", {}).get(name, 0))


def deployed(cloud: Cloud) -> Iterator[Resource]:
    """The schedule, its group and the queue, of those that exist."""
    client, group, name = cloud.client("scheduler"), cloud.settings.name, cloud.name("etl")
    yield from cloud.existing(
        f"schedule {name}",
        cloud.arn("scheduler", f"schedule/{group}/{name}"),
        client.get_schedule,
        client.delete_schedule,
        Name=name,
        GroupName=group,
    )
    if _has_group(cloud):
        arn = cloud.arn("scheduler", f"schedule-group/{group}")
        yield cloud.resource(
            f"schedule group {group}", arn, client.delete_schedule_group, Name=group
        )
    if url := _queue_url(cloud):
        queue, delete = cloud.name("failed"), cloud.client("sqs").delete_queue
        yield cloud.resource(f"queue {queue}", cloud.arn("sqs", queue), delete, QueueUrl=url)


def _has_group(cloud: Cloud) -> bool:
    """Whether there is a group; one that is being deleted is none."""
    found = cloud.find(cloud.client("scheduler").get_schedule_group, Name=cloud.settings.name)
    return bool(found) and found.get("State") != "DELETING"


def _queue_url(cloud: Cloud) -> str | None:
    found = cloud.find(cloud.client("sqs").get_queue_url, QueueName=cloud.name("failed"))
    return found["QueueUrl"] if found else None
