"""What the deployment asks S3 itself: whether a bucket is there, its first day, to empty it."""

from collections.abc import Iterator
from typing import Any

from tgpipeline.deploy import reasons
from tgpipeline.deploy.deployment import Deployment
from tgpipeline.deploy.stack import Stack
from tgpipeline.lake import keys
from tgpipeline.settings import Settings


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
                where = {"lies_in": region, "region": settings.region}
                raise reasons.refusal("bucket_region", bucket=bucket, **where)
            found[resource] = bucket
    return found


def refuse_existing(stack: Stack) -> None:
    """Refuse to make the lake's stack where its buckets exist already, outside of it.

    Raises:
        DeployError: naming the two ways out.
    """
    found = {} if stack.stage != "lake" or stack.exists else existing(stack.settings)
    if found:
        names = " and ".join(found.values())
        raise reasons.refusal("bucket_exists", buckets=names, stack=stack.name)


def list_objects(settings: Deployment, bucket: str, prefix: str = "", **how: Any) -> Iterator[Any]:
    """The objects under a prefix, or with `Delimiter` the prefixes; none where there is no bucket.

    Raises:
        DeployError: if S3 refuses.
    """
    pages = reasons.client("s3", settings).get_paginator("list_objects_v2")
    with reasons.ignored("NoSuchBucket"):
        for page in pages.paginate(Bucket=bucket, Prefix=prefix, **how):
            yield from page.get("CommonPrefixes" if how else "Contents", ())


def first_day(settings: Deployment) -> str:
    """The first day that has a partition in the raw zone, such as `2025-11-10`; empty for none."""
    found = list_objects(settings, settings.raw_bucket, f"{keys.RAW}/", Delimiter="/")
    first = next((one for one in found if keys.PARTITION in one["Prefix"]), None)
    return keys.day_of(first["Prefix"]).isoformat() if first else ""


def delete(bucket: str, settings: Settings) -> None:
    """Delete a bucket with every version of every object, and uploads that were not finished.

    Raises:
        DeployError: if S3 refuses.
    """
    doomed = reasons.resource("s3", settings).Bucket(bucket)
    with reasons.ignored("NoSuchBucket"):
        doomed.object_versions.delete()
        for upload in doomed.multipart_uploads.all():
            upload.abort()
        doomed.delete()  # refused if anything is left in it
