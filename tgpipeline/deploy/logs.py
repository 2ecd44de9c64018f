"""Log groups in CloudWatch, made here so that they end: AWS's own would be kept for ever."""

from collections.abc import Iterator
from typing import Any

from tgpipeline.deploy.cloud import Cloud, Resource


def ensure_log(cloud: Cloud, group: str) -> None:
    """Make a log group that keeps its lines for `log_days`."""
    client, days = cloud.client("logs"), cloud.settings.log_days
    found = _find(cloud, group)
    if found is None:
        cloud.change(
            f"create log {group}", client.create_log_group, logGroupName=group, tags=cloud.tags
        )
    if found is None or found.get("retentionInDays") != days:
        cloud.change(
            f"keep log {group} for {days} days",
            client.put_retention_policy,
            logGroupName=group,
            retentionInDays=days,
        )


def deployed(cloud: Cloud, group: str) -> Iterator[Resource]:
    """The log group, if it exists, with all that is in it."""
    if _find(cloud, group):
        arn, delete = cloud.arn("logs", f"log-group:{group}"), cloud.client("logs").delete_log_group
        yield cloud.resource(f"log {group}", arn, delete, logGroupName=group)


def _find(cloud: Cloud, group: str) -> dict[str, Any] | None:
    call = cloud.client("logs").describe_log_groups
    found = cloud.read(call, logGroupNamePrefix=group)["logGroups"]
    return next((one for one in found if one["logGroupName"] == group), None)
