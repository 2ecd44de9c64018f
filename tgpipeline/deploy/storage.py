"""The two buckets: private, encrypted, TLS only, with an end for what need not be kept."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from tgpipeline.analytics.athena import RESULTS
from tgpipeline.deploy.cloud import TAG, Cloud, Resource, Target, covers
from tgpipeline.deploy.deployment import Deployment
from tgpipeline.errors import DeployError
from tgpipeline.lake import keys


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
        rules.append(_expire("quarantine", f"{keys.QUARANTINE}/", settings.quarantine_days))
        if settings.raw_cold_days:
            move = {"Days": settings.raw_cold_days, "StorageClass": settings.raw_cold_class}
            rule = {"ID": "tgpipeline-raw", "Filter": {"Prefix": f"{keys.RAW}/"}}
            rules.append({**rule, "Transitions": [move]})
    if bucket == settings.enriched_bucket:
        rules.append(_expire("results", f"{RESULTS}/", settings.results_days))
    # Also where there is no versioning any more: what it kept has to end.
    old = {"NoncurrentDays": settings.versioning or 1}
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
    for what, (field, wanted) in _aspects(cloud.settings).items():
        get, put = getattr(s3, f"get_{what}"), getattr(s3, f"put_{what}")
        found = (cloud.find(get, Bucket=bucket) if exists or not cloud.dry_run else None) or {}
        if what == "bucket_versioning":  # which says nothing of a bucket that never had it
            found = {field: {"Status": found.get("Status", "Suspended")}}
        if not covers(found.get(field), wanted):
            words = what.removeprefix("bucket_").replace("_", " ")
            value: dict[str, Any] = {field: wanted}
            cloud.change(f"set {words} of bucket {bucket}", put, Bucket=bucket, **value)
    _ensure_lists(cloud, bucket, fresh=not exists and cloud.dry_run)
    return f"arn:aws:s3:::{bucket}"


def _aspects(settings: Deployment) -> dict[str, tuple[str, dict[str, Any]]]:
    """What S3's `get_…` and `put_…` calls tell and set: under which name, and what it has to be."""
    private = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    owner = [{"ObjectOwnership": "BucketOwnerEnforced"}]
    return {
        "public_access_block": ("PublicAccessBlockConfiguration", dict.fromkeys(private, True)),
        "bucket_ownership_controls": ("OwnershipControls", {"Rules": owner}),
        "bucket_encryption": ("ServerSideEncryptionConfiguration", encryption(settings)),
        "bucket_versioning": (
            "VersioningConfiguration",
            {"Status": "Enabled" if settings.versioning else "Suspended"},
        ),
    }


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
    merged = _merged(found.get("TagSet", []), cloud.tag_list, "Key")
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
        answer = getattr(error.__cause__, "response", {})
        code = answer.get("Error", {}).get("Code")  # of a HEAD request it is the status alone
        if code == "301":
            raise DeployError(
                f"bucket {bucket} is not in {cloud.settings.region}: set AWS_DEFAULT_REGION to its "
                "region, or choose another name."
            ) from error
        if code != "403":
            raise
        raise DeployError(
            f"bucket {bucket} belongs to another account, or these credentials may not see it: "
            "choose another name (AWS_S3_BUCKET, AWS_S3_ENRICHED), or other credentials."
        ) from error


def deployed(cloud: Cloud) -> Iterator[Resource]:
    """The deployment's buckets that exist, with all that is in them."""
    for name in buckets(cloud.settings):
        if _exists(cloud, name):
            yield Resource(f"arn:aws:s3:::{name}", partial(_delete, cloud, name))


def objects(cloud: Cloud, bucket: str, prefix: str = "") -> Iterator[dict[str, Any]]:
    """The objects under a prefix, as S3 lists them; none where there is no bucket."""
    if bucket:
        yield from cloud.every("s3", "list_objects_v2", "Contents", Bucket=bucket, Prefix=prefix)


def count(cloud: Cloud, bucket: str, prefix: str = "") -> int:
    """How many objects are under a prefix of a bucket."""
    return sum(1 for _ in objects(cloud, bucket, prefix))


def _delete(cloud: Cloud, bucket: str) -> None:
    """Remove a bucket with every version of every object, and uploads that were not finished."""
    s3, what = cloud.client("s3"), f"bucket {bucket} and the {count(cloud, bucket):,} objects in it"
    if not cloud.dry_run:
        for page in cloud.pages("s3", "list_object_versions", Bucket=bucket):
            found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            batch = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
            if batch:
                delete = {"Objects": batch, "Quiet": True}
                cloud.read(s3.delete_objects, Bucket=bucket, Delete=delete)
        for upload in cloud.every("s3", "list_multipart_uploads", "Uploads", Bucket=bucket):
            which = {"Key": upload["Key"], "UploadId": upload["UploadId"]}
            cloud.read(s3.abort_multipart_upload, Bucket=bucket, **which)
    cloud.change(f"delete {what}", s3.delete_bucket, Bucket=bucket)
