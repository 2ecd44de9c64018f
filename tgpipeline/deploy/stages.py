"""Each stage's stack: its template's parameters, made of the settings and the lake; its code."""

import json
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

from tgpipeline.deploy import packages, reasons, webhook
from tgpipeline.deploy.stack import KEEP, Change, Parameters, Stack
from tgpipeline.deploy.templates import Deployment, parameter_names
from tgpipeline.lake import keys
from tgpipeline.settings import Settings


def list_objects(settings: Deployment, bucket: str, prefix: str = "", **how: Any) -> Iterator[Any]:
    """The objects under a prefix, or with `Delimiter` the prefixes; none where there is no bucket.

    Raises:
        DeployError: if S3 refuses.
    """
    pages = reasons.client("s3", settings).get_paginator("list_objects_v2")
    with reasons.ignored("NoSuchBucket"):
        found = pages.paginate(Bucket=bucket, Prefix=prefix, **how)
        yield from found.search("[Contents, CommonPrefixes][]")


def first_day(settings: Deployment) -> str:
    """The first day that has a partition in the raw zone, such as `2025-11-10`; empty for none."""
    prefix = f"{keys.RAW}/{keys.PARTITION}"
    found = list_objects(settings, settings.raw_bucket, prefix, Delimiter="/")
    return next((keys.day_of(one["Prefix"]).isoformat() for one in found if "Prefix" in one), "")


def existing(settings: Deployment) -> dict[str, str]:
    """The lake's buckets that exist already: name in the template → name of the bucket.

    Raises:
        DeployError: if one lies in another region, or in another account.
    """
    s3, found = reasons.client("s3", settings), {}
    for resource, bucket in (("Raw", settings.raw_bucket), ("Enriched", settings.enriched_bucket)):
        with reasons.ignored("AWS refused (404:"):
            region = s3.head_bucket(Bucket=bucket).get("BucketRegion", settings.region)
            if region != settings.region:  # botocore has followed it there by itself
                raise reasons.refusal("bucket_region", bucket=bucket, lies_in=region, here=settings)
            found[resource] = bucket
    return found


def wanted_parameters(stack: Stack) -> Parameters:
    """What a stage's template is to be told. `RawBucket` is the setting `raw_bucket`, and so on.

    A secret that the settings do not hold stays as it is deployed.

    Raises:
        SettingsError: if a setting is missing.
    """
    settings, live = stack.settings, stack.parameters() if stack.exists else {}
    names = parameter_names(stack.stage)
    settings.require(*({"raw_bucket", "enriched_bucket", "chat_ids"} & set(names.values())))
    held = ((name, getattr(settings, attribute, None)) for name, attribute in names.items())
    found: dict[str, str | None] = {name: str(value) for name, value in held if value is not None}
    if stack.stage == "lake" and 0 < settings.raw_days <= settings.raw_cold_days:
        found["RawColdDays"] = "0"  # S3 refuses to move what is deleted by then
    if "CodeKey" in names:
        found["CodeBucket"] = Stack("lake", settings).outputs().get("CodeBucket", "")
        found["CodeKey"] = packages.package_key(stack.stage, packages.zip_of(stack.stage))
        former = live.get("CodeKey", "")
        found["PreviousCode"] = KEEP if former == found["CodeKey"] else former
    if stack.stage == "ingest":
        settings.require(*(() if live else ("webhook_secret",)))
        found["ChatIds"] = ",".join(map(str, settings.chat_ids))
        found["Burst"] = str(2 * settings.throttle)
        queue = Stack("batch", settings).outputs() if settings.batch_seconds else {}
        found |= {name: queue.get(name, "") for name in ("QueueUrl", "QueueArn")}
    if stack.stage == "etl":
        made = settings.layer == "build"
        found["LayerKey"] = packages.layer_key(settings.architecture) if made else ""
        found["LayerArn"] = "" if settings.layer in ("build", "none") else settings.layer
    for secret in {"WebhookSecret", "PseudonymKey"} & set(live):
        found[secret] = found[secret] or KEEP
    if stack.stage == "analytics":
        today = datetime.now(settings.tz).date().isoformat()
        found["FirstDay"] = first_day(settings) or live.get("FirstDay", today)
    return found


def deploy(stage: str, settings: Settings, dry_run: bool = False, **how: Any) -> list[Change]:
    """Make the stack of one stage what its template says; the stages before it must be there.

    Args:
        stage: `lake`, `batch`, `ingest`, `etl` or `analytics`.
        settings: of the deployment.
        dry_run: change nothing.
        **how: of `Stack`: a `listener`, told of each event while it runs.

    Returns:
        What was changed, or would be; empty if nothing differed.

    Raises:
        SettingsError: if a setting is missing, before anything is changed.
        DeployError: if it fails: which resource, why, and what to do.
    """
    stack = Stack(stage, settings, **how)
    given = wanted_parameters(stack)
    if stage == "lake" and not stack.exists and (found := existing(stack.settings)):
        names = " and ".join(found.values())
        raise reasons.refusal("bucket_exists", buckets=names, stack=stack.name)
    if not dry_run:
        upload(stack, given)
    changes = stack.deploy(given, dry_run)
    if stage == "ingest" and not dry_run:
        webhook.deploy_again(stack)
    return changes


def plan(stage: str, settings: Settings) -> list[Change]:
    """What `deploy` would change: a change set, of which nothing stays behind."""
    return deploy(stage, settings, dry_run=True)


def upload(stack: Stack, given: Parameters) -> None:
    """Put a function's zip, and the ETL's layer, where the stack's parameters say they are.

    Raises:
        DeployError: if the lake's stack is not there, or S3 refuses.
    """
    if "CodeKey" not in given:
        return
    settings, bucket = stack.settings, given["CodeBucket"]
    if not bucket:
        raise reasons.refusal("no_lake", name=settings.name, stack=stack.name)
    s3 = reasons.client("s3", settings)
    zips = {given["CodeKey"]: partial(packages.zip_of, stack.stage)}
    zips[given.get("LayerKey")] = partial(packages.layer_zip, settings.architecture)
    for key, zipped in zips.items():
        if key and not s3.list_objects_v2(Bucket=bucket, Prefix=key)["KeyCount"]:
            s3.put_object(Bucket=bucket, Key=key, Body=zipped())


def import_buckets(settings: Settings, dry_run: bool = False, **how: Any) -> list[Change]:
    """Take the lake's buckets that exist already into its stack, with all that is in them.

    The change set of type IMPORT tells their names alone. So the deployment that follows sees all
    else as new, and makes the buckets what the template says.
    """
    stack = Stack("lake", settings, **how)
    found = {} if dry_run or stack.exists else existing(stack.settings)
    if not found:
        return []
    kind, named, wanted = "AWS::S3::Bucket", {}, []
    for key, bucket in found.items():
        name = {"BucketName": bucket}
        named[key] = {"Type": kind, "DeletionPolicy": "Retain", "Properties": name}
        wanted.append({"ResourceType": kind, "LogicalResourceId": key, "ResourceIdentifier": name})
    template = json.dumps({"Resources": named})
    asked: Any = {"ChangeSetType": "IMPORT", "Tags": [], "ResourcesToImport": wanted}
    return stack.deploy({}, TemplateBody=template, **asked)


def rollback(function: str, settings: Settings, **how: Any) -> str:
    """Run a function's former code again, with all its present settings.

    A second call takes that back. `up` deploys the code of this package again.

    Args:
        function: `ingest` or `etl`.
        settings: of the deployment.
        **how: of `Stack`: a `listener`, told of each event while it runs.

    Returns:
        The key of the code that runs now.

    Raises:
        DeployError: if it never had other code, or the change fails.
    """
    stack = Stack(function, settings, **how)
    before, now = stack.outputs().get("PreviousCode"), stack.parameters().get("CodeKey", "")
    if not before:
        raise reasons.refusal("no_former_code", stack=stack.name)
    stack.update(CodeKey=before, PreviousCode=now)
    return before
