"""The AWS side of the pipeline: one module a service, each step usable alone and again.

`up` is all of them in order. What is there already is compared with what is wanted, and only the
difference is changed; a step that finds nothing to change changes nothing.
"""

import logging
from dataclasses import dataclass, field

from tgpipeline.deploy import catalog, functions, gateway, layer, roles, schedule, storage
from tgpipeline.deploy.cloud import Cloud, Deployment
from tgpipeline.errors import DeployError
from tgpipeline.settings import Settings

__all__ = [
    "Cloud",
    "Deployed",
    "Deployment",
    "catalog",
    "down",
    "existing",
    "functions",
    "gateway",
    "layer",
    "roles",
    "schedule",
    "storage",
    "up",
]
logger = logging.getLogger(__name__)


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
        settings: what to deploy.
        dry_run: change nothing, say what would be changed.

    Raises:
        SettingsError: if a setting is missing, before anything is changed.
        DeployError: if AWS refuses something. Run it again: what exists already is kept.
    """
    settings.require("raw_bucket", "enriched_bucket", "chat_ids", "webhook_secret")
    cloud = Cloud(settings, dry_run=dry_run)
    for bucket in storage.buckets(cloud.settings):
        storage.ensure_bucket(bucket, cloud)
    for role in roles.ROLES:
        roles.ensure_role(role, cloud)
    roles.ensure_analyst_policy(cloud)
    schedule.ensure_queue(cloud)
    for function in roles.FUNCTIONS:
        functions.ensure_function(function, cloud)
    api = gateway.ensure_api(cloud)
    schedule.ensure_schedule(cloud)
    catalog.ensure_tables(cloud)
    return Deployed(api.url, cloud.changes)


def existing(settings: Settings | Cloud) -> list[str]:
    """The ARNs of all that is deployed under this name, buckets included."""
    cloud = Cloud.of(settings)
    modules = (gateway, schedule, functions, layer, roles, catalog, storage)
    return [arn for module in modules for arn in module.existing(cloud)]


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
    gateway.delete_api(cloud)
    schedule.delete_schedule(cloud)
    functions.delete_functions(cloud)
    layer.delete_layer(cloud)
    roles.delete_roles(cloud)
    catalog.delete_tables(cloud)
    if delete_data:
        for bucket in storage.buckets(cloud.settings):
            storage.delete_bucket(bucket, cloud)
    kept = () if delete_data else storage.existing(cloud)
    left = [arn for arn in existing(cloud) if arn not in kept]
    if left and not dry_run:
        raise DeployError(f"still there: {', '.join(left)}. Run it again in a minute.")
    return cloud.changes
