"""The two buckets: private, encrypted, TLS only, with an end for what need not be kept."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tgpipeline import lake
from tgpipeline.deploy.cloud import RESULTS, TAG, Cloud, Deployment, Target, covers
from tgpipeline.errors import DeployError


def buckets(settings: Deployment) -> list[str]:
    """The deployment's buckets, each once: both zones may share one."""
    return list(dict.fromkeys(filter(None, (settings.raw_bucket, settings.enriched_bucket))))


def tls_only(bucket: str) -> dict[str, Any]:
    """The statement of a bucket policy that refuses requests without TLS."""
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        # The one wildcard action of this package: it takes away, it gives nothing.
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def lifecycle(bucket: str, settings: Deployment) -> list[dict[str, Any]]:
    """The bucket's lifecycle rules.

    Raw objects of under 128 KB stay where they are, whatever the rule says: moving them would cost
    more than it saves (https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html).
    """
    rules: list[dict[str, Any]] = [
        {
            "ID": "tgpipeline-uploads",
            "Filter": {"Prefix": ""},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        }
    ]
    if bucket == settings.raw_bucket:
        rules.append(_expire("quarantine", f"{lake.QUARANTINE}/", settings.quarantine_days))
        if settings.raw_cold_days:
            move = {"Days": settings.raw_cold_days, "StorageClass": settings.raw_cold_class}
            rule = {"ID": "tgpipeline-raw", "Filter": {"Prefix": f"{lake.RAW}/"}}
            rules.append({**rule, "Transitions": [move]})
    if bucket == settings.enriched_bucket:
        rules.append(_expire("results", f"{RESULTS}/", settings.results_days))
    if settings.versioning:
        old = {"NoncurrentDays": settings.versioning}
        rule = {"ID": "tgpipeline-versions", "Filter": {"Prefix": ""}}
        rules.append({**rule, "NoncurrentVersionExpiration": old})
    return [{**rule, "Status": "Enabled"} for rule in rules]


def _expire(name: str, prefix: str, days: int) -> dict[str, Any]:
    return {
        "ID": f"tgpipeline-{name}",
        "Filter": {"Prefix": prefix},
        "Expiration": {"Days": days},
    }


def encryption(settings: Deployment) -> dict[str, Any]:
    """How objects are encrypted: by S3's own key, or by the deployment's."""
    default = {"SSEAlgorithm": "AES256"}
    if settings.kms_key:
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": settings.kms_key}
    # One key a bucket, not one an object: a request to KMS an object would cost more than S3.
    return {
        "Rules": [
            {
                "ApplyServerSideEncryptionByDefault": default,
                "BucketKeyEnabled": bool(settings.kms_key),
            }
        ]
    }


def ensure_bucket(bucket: str, target: Target) -> str:
    """Make the bucket what it has to be, keeping what others have configured on it.

    Args:
        bucket: its name: `settings.raw_bucket` or `settings.enriched_bucket`.
        target: the settings, or the cloud that `deploy.up` works on.

    Returns:
        The bucket's ARN.

    Raises:
        DeployError: if the name is another account's, or AWS refuses a change.
    """
    cloud = Cloud.of(target)
    cloud.settings.require(
        "raw_bucket" if bucket == cloud.settings.raw_bucket else "enriched_bucket"
    )
    s3 = cloud.client("s3")
    exists = _exists(cloud, bucket)
    if not exists:
        where: dict[str, Any] = {}
        if cloud.settings.region != "us-east-1":
            where = {"CreateBucketConfiguration": {"LocationConstraint": cloud.settings.region}}
        cloud.change(f"create bucket {bucket}", s3.create_bucket, Bucket=bucket, **where)
    for what, field, get, put, wanted in _aspects(cloud, bucket):
        found = cloud.find(get, Bucket=bucket) if exists or not cloud.dry_run else None
        arguments: dict[str, Any] = {"Bucket": bucket, field: wanted}
        if what == "versioning":
            found = {field: found}
        if found is None or not covers(found.get(field), wanted):
            cloud.change(f"set {what} of bucket {bucket}", put, **arguments)
    _ensure_lists(cloud, bucket, fresh=not exists and cloud.dry_run)
    return f"arn:aws:s3:::{bucket}"


def _aspects(
    cloud: Cloud, bucket: str
) -> Iterable[tuple[str, str, Callable[..., Any], Callable[..., Any], Mapping[str, Any]]]:
    s3 = cloud.client("s3")
    yield (
        "public access block",
        "PublicAccessBlockConfiguration",
        s3.get_public_access_block,
        s3.put_public_access_block,
        dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"),
            True,
        ),
    )
    yield (
        "ownership",
        "OwnershipControls",
        s3.get_bucket_ownership_controls,
        s3.put_bucket_ownership_controls,
        {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    )
    yield (
        "encryption",
        "ServerSideEncryptionConfiguration",
        s3.get_bucket_encryption,
        s3.put_bucket_encryption,
        encryption(cloud.settings),
    )
    if cloud.settings.versioning:
        yield (
            "versioning",
            "VersioningConfiguration",
            s3.get_bucket_versioning,
            s3.put_bucket_versioning,
            {"Status": "Enabled"},
        )


def _ensure_lists(cloud: Cloud, bucket: str, *, fresh: bool) -> None:
    """Policy, lifecycle and tags: lists in which others may have entries, which are kept."""
    s3 = cloud.client("s3")
    found: dict[str, Any] = {}
    for get in (s3.get_bucket_policy, s3.get_bucket_lifecycle_configuration, s3.get_bucket_tagging):
        found |= (None if fresh else cloud.find(get, Bucket=bucket)) or {}
    statements = json.loads(found.get("Policy") or "{}").get("Statement", [])
    merged = _merged(statements, [tls_only(bucket)], "Sid")
    if merged is not None:
        cloud.change(
            f"set policy of bucket {bucket}",
            s3.put_bucket_policy,
            Bucket=bucket,
            Policy=json.dumps({"Version": "2012-10-17", "Statement": merged}),
        )
    merged = _merged(found.get("Rules", []), lifecycle(bucket, cloud.settings), "ID")
    if merged is not None:
        cloud.change(
            f"set lifecycle of bucket {bucket}",
            s3.put_bucket_lifecycle_configuration,
            Bucket=bucket,
            LifecycleConfiguration={"Rules": merged},
        )
    tags = [{"Key": key, "Value": value} for key, value in cloud.tags.items()]
    merged = _merged(found.get("TagSet", []), tags, "Key")
    if merged is not None:
        cloud.change(
            f"tag bucket {bucket}",
            s3.put_bucket_tagging,
            Bucket=bucket,
            Tagging={"TagSet": merged},
        )


def _merged(
    found: list[dict[str, Any]], wanted: list[dict[str, Any]], key: str
) -> list[dict[str, Any]] | None:
    """Others' entries and ours; None where ours are there already and none of ours is left over."""
    ours = {entry[key] for entry in wanted}
    others = [
        entry
        for entry in found
        if entry.get(key) not in ours and not str(entry.get(key, "")).startswith(f"{TAG}-")
    ]
    present = {entry.get(key): entry for entry in found}
    if len(found) == len(others) + len(wanted) and all(
        covers(present.get(entry[key]), entry) for entry in wanted
    ):
        return None
    return others + wanted


def _exists(cloud: Cloud, bucket: str) -> bool:
    try:
        return cloud.find(cloud.client("s3").head_bucket, Bucket=bucket) is not None
    except DeployError as error:
        if "301" in str(error):
            raise DeployError(
                f"bucket {bucket} is not in {cloud.settings.region}: set AWS_DEFAULT_REGION to its "
                "region, or choose another name."
            ) from error
        if "403" not in str(error):
            raise
        raise DeployError(
            f"bucket {bucket} belongs to another account, or these credentials may not see it: "
            "choose another name (AWS_S3_BUCKET, AWS_S3_ENRICHED), or other credentials."
        ) from error


def existing(cloud: Cloud) -> list[str]:
    """The ARNs of the deployment's buckets that exist."""
    return [f"arn:aws:s3:::{name}" for name in buckets(cloud.settings) if _exists(cloud, name)]


def count(cloud: Cloud, bucket: str, prefix: str = "") -> int:
    """How many objects are under a prefix of a bucket."""
    return len(cloud.every("s3", "list_objects_v2", "Contents", Bucket=bucket, Prefix=prefix))


def delete_bucket(bucket: str, target: Target) -> None:
    """Remove a bucket with every version of every object in it."""
    cloud = Cloud.of(target)
    if not _exists(cloud, bucket):
        return
    s3 = cloud.client("s3")
    n = count(cloud, bucket)
    if not cloud.dry_run:
        _empty(cloud, bucket)
    cloud.change(
        f"delete bucket {bucket} and the {n:,} objects in it", s3.delete_bucket, Bucket=bucket
    )


def _empty(cloud: Cloud, bucket: str) -> None:
    """Remove every version of every object, and uploads that were not finished."""
    s3 = cloud.client("s3")
    for kind in ("Versions", "DeleteMarkers"):
        found = cloud.every("s3", "list_object_versions", kind, Bucket=bucket)
        objects = [{"Key": v["Key"], "VersionId": v["VersionId"]} for v in found]
        for start in range(0, len(objects), 1000):
            batch = {"Objects": objects[start : start + 1000], "Quiet": True}
            cloud.read(s3.delete_objects, Bucket=bucket, Delete=batch)
    for upload in cloud.every("s3", "list_multipart_uploads", "Uploads", Bucket=bucket):
        which = {"Key": upload["Key"], "UploadId": upload["UploadId"]}
        cloud.read(s3.abort_multipart_upload, Bucket=bucket, **which)
