"""The AWS side of the pipeline: one module a service, each step usable alone and again.

`up` is all of them in order. What is there already is compared with what is wanted, and only the
difference is changed; a step that finds nothing to change changes nothing.
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tgpipeline.deploy import (
    alarms,
    catalog,
    costs,
    functions,
    gateway,
    layer,
    roles,
    rotation,
    schedule,
    stage,
    storage,
)
from tgpipeline.deploy.cloud import TAG, Cloud, Resource
from tgpipeline.deploy.deployment import Deployment
from tgpipeline.deploy.functions import rollback
from tgpipeline.deploy.rotation import rotate_secret
from tgpipeline.deploy.status import Status
from tgpipeline.deploy.status import status as _status
from tgpipeline.errors import DeployError
from tgpipeline.settings import Settings

__all__ = [
    "Cloud",
    "Deployed",
    "Deployment",
    "Status",
    "alarms",
    "catalog",
    "costs",
    "down",
    "existing",
    "functions",
    "gateway",
    "layer",
    "roles",
    "rollback",
    "rotate_secret",
    "schedule",
    "status",
    "storage",
    "up",
]
_PATIENCE = 90  # seconds that AWS may take to forget: SQS finds a deleted queue for 60
_PARTS = (alarms, gateway, schedule, functions, layer, roles, catalog, storage)


@dataclass(frozen=True)
class Deployed:
    """What `up` left behind. Its repr leaves out the URL, which is half a secret.

    Attributes:
        url: what Telegram is to be told by setWebhook.
        changes: what was changed, in words; empty if all was there already.
    """

    url: str = field(repr=False)
    changes: list[str]


def up(settings: Settings, *, dry_run: bool = False) -> Deployed:
    """Deploy everything; what is there already and right is left alone.

    Args:
        settings: what to deploy. Where they hold no webhook secret, the deployed one is kept.
        dry_run: change nothing, say what would be changed.

    Raises:
        SettingsError: if a setting is missing, before anything is changed.
        DeployError: if AWS refuses something. Run it again: what exists already is kept.
    """
    if not settings.webhook_secret:
        settings = replace(settings, webhook_secret=rotation.deployed_secret(Cloud(settings)))
    settings.require("raw_bucket", "enriched_bucket", "chat_ids", "webhook_secret")
    cloud = Cloud(settings, dry_run=dry_run)
    for bucket in storage.buckets(cloud.settings):
        storage.ensure_bucket(bucket, cloud)
    for role in ("ingest", "etl", "scheduler"):
        roles.ensure_role(role, cloud)
    roles.ensure_analyst_policy(cloud)
    schedule.ensure_queue(cloud)
    for function in roles.FUNCTIONS:
        functions.ensure_function(function, cloud)
    api = gateway.ensure_api(cloud)
    schedule.ensure_schedule(cloud)
    catalog.ensure_tables(cloud)
    alarms.ensure_alarms(cloud)
    return Deployed(api.url, cloud.changes)


def existing(settings: Settings | Cloud) -> list[str]:
    """The ARNs of all that is deployed under this name, buckets included."""
    return [resource.arn for resource in _resources(Cloud.of(settings))]


def _resources(cloud: Cloud) -> list[Resource]:
    """All that is deployed, in the order in which it can be removed."""
    return [resource for part in _PARTS for resource in part.deployed(cloud)]


def status(settings: Settings | Cloud) -> Status:
    """What is deployed and how it is doing."""
    cloud = Cloud.of(settings)
    return _status(cloud, existing(cloud))


def down(settings: Settings, *, delete_data: bool = False, dry_run: bool = False) -> list[str]:
    """Remove everything that `up` made, then look whether anything is left.

    Args:
        settings: what was deployed.
        delete_data: remove both buckets too, with every message in them.
        dry_run: remove nothing, say what would be removed.

    Returns:
        What was removed, in words.

    Raises:
        DeployError: if AWS refuses something, or if something is left.
    """
    cloud = Cloud(settings, dry_run=dry_run)
    found = _resources(cloud)
    kept = [] if delete_data else [bucket.arn for bucket in storage.deployed(cloud)]
    stage.withdraw_role(cloud)
    for resource in found:
        if resource.arn not in kept:
            resource.delete()
    if not dry_run:
        _prove_gone(cloud, [resource.arn for resource in found], kept)
    return cloud.changes


def _prove_gone(cloud: Cloud, known: Sequence[str], kept: Sequence[str]) -> None:
    """Ask each service by name, and for what has no name here AWS as a whole, by tag."""
    deadline = time.monotonic() + _PATIENCE
    while left := [arn for arn in _left(cloud, known) if arn not in kept]:
        if time.monotonic() > deadline:
            raise DeployError(
                f"still there: {', '.join(left)}. What is not yours to keep, delete in the console."
            )
        time.sleep(5)


def _left(cloud: Cloud, known: Sequence[str]) -> list[str]:
    by_tag = cloud.every(
        "resourcegroupstaggingapi",
        "get_resources",
        "ResourceTagMappingList",
        TagFilters=[{"Key": TAG, "Values": [cloud.settings.name]}],
    )
    # By tag AWS finds for a while what is gone: of what has been asked for by name, that counts.
    parts = ("ingest", "etl", "failed", "webhook")
    named = {cloud.settings.name, cloud.settings.database, *map(cloud.name, parts)}
    others = [
        arn
        for arn in (one["ResourceARN"] for one in by_tag)
        if arn not in known and re.split("[:/]", arn)[-1] not in named
    ]
    return list(dict.fromkeys(existing(cloud) + others))
