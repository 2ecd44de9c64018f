"""Who may do what: one role a function, one for the Scheduler, a policy for the analyst.

The permissions are written out in lambda_src (function.toml of each function, and roles.toml);
here they become policy documents.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from tgpipeline import resources
from tgpipeline.analytics.athena import RESULTS
from tgpipeline.deploy.cloud import Cloud, Resource, Target
from tgpipeline.deploy.deployment import Deployment
from tgpipeline.lake import keys

FUNCTIONS = ("ingest", "etl")
# And who takes them. The last is made only in an account where API Gateway has no role for logs.
ROLES = {
    "ingest": "lambda",
    "etl": "lambda",
    "scheduler": "scheduler",
    "gateway": "apigateway",
}


def trust(role: str, account: str) -> dict[str, Any]:
    """The policy that says which service may take a role, on behalf of this account alone."""
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": f"{ROLES[role]}.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    if (
        role == "scheduler"
    ):  # https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": account}}
    return {"Version": "2012-10-17", "Statement": [statement]}


def policy(holder: str, settings: Deployment, account: str) -> dict[str, Any]:
    """What a role, or the analyst, may do.

    Args:
        holder: `ingest`, `etl`, `scheduler` or `analyst`.
        settings: names the deployment, its buckets and its key.
        account: number of the AWS account.

    Returns:
        A policy document: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html
    """
    words = {
        "name": settings.name,
        "region": settings.region,
        "account": account,
        "database": settings.database,
        "raw_bucket": settings.raw_bucket,
        "enriched_bucket": settings.enriched_bucket,
        "RAW": keys.RAW,
        "QUARANTINE": keys.QUARANTINE,
        "MIGRATIONS": keys.MIGRATIONS,
        "RESULTS": RESULTS,
    }
    entries = _entries(holder)
    statements = [_statement(entry, words) for entry in entries]
    kms_actions = sorted({action for entry in entries for action in entry.get("kms", ())})
    if settings.kms_key and kms_actions:
        statements.append(_allow("UseTheKey", kms_actions, [settings.kms_key]))
    if holder in FUNCTIONS:
        log = "arn:aws:logs:{region}:{account}:log-group:/aws/lambda/{name}-{holder}:log-stream:*"
        actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
        statements.append(_allow("OwnLog", actions, [log.format(holder=holder, **words)]))
    return {"Version": "2012-10-17", "Statement": statements}


def ensure_role(role: str, target: Target) -> str:
    """Make a role with its trust and its permissions; returns its ARN.

    Args:
        role: `ingest`, `etl`, `scheduler` or `gateway`.
        target: the settings, or the cloud that `deploy.up` works on.
    """
    cloud = Cloud.of(target)
    iam, name = cloud.client("iam"), cloud.name(role)
    wanted = json.dumps(trust(role, cloud.account))
    found = cloud.find(iam.get_role, RoleName=name)
    if found is None:
        cloud.change(
            f"create role {name}",
            iam.create_role,
            RoleName=name,
            AssumeRolePolicyDocument=wanted,
            Description=f"tgpipeline: what {role} may do",
            Tags=cloud.tag_list,
        )
    elif found["Role"]["AssumeRolePolicyDocument"] != json.loads(wanted):
        cloud.change(
            f"set trust of role {name}",
            iam.update_assume_role_policy,
            RoleName=name,
            PolicyDocument=wanted,
        )
    document = policy(role, cloud.settings, cloud.account)
    inline = found and cloud.find(iam.get_role_policy, RoleName=name, PolicyName=name)
    if not inline or inline["PolicyDocument"] != document:
        cloud.change(
            f"set permissions of role {name}",
            iam.put_role_policy,
            RoleName=name,
            PolicyName=name,
            PolicyDocument=json.dumps(document),
        )
    return cloud.arn("iam", f"role/{name}")


def ensure_analyst_policy(target: Target) -> str:
    """Make the managed policy to attach to whoever queries the tables; returns its ARN."""
    cloud = Cloud.of(target)
    iam, name = cloud.client("iam"), cloud.name("analyst")
    arn = cloud.arn("iam", f"policy/{name}")
    document = policy("analyst", cloud.settings, cloud.account)
    found = cloud.find(iam.get_policy, PolicyArn=arn)
    if found is None:
        cloud.change(
            f"create policy {name}",
            iam.create_policy,
            PolicyName=name,
            PolicyDocument=json.dumps(document),
            Description="tgpipeline: query the tables, nothing else",
            Tags=cloud.tag_list,
        )
        return arn
    version = cloud.read(
        iam.get_policy_version, PolicyArn=arn, VersionId=found["Policy"]["DefaultVersionId"]
    )
    if version["PolicyVersion"]["Document"] == document:
        return arn
    _drop_old_versions(cloud, arn)  # IAM keeps five at most
    cloud.change(
        f"set policy {name}",
        iam.create_policy_version,
        PolicyArn=arn,
        PolicyDocument=json.dumps(document),
        SetAsDefault=True,
    )
    return arn


def deployed(cloud: Cloud) -> Iterator[Resource]:
    """The deployment's roles and the analyst's policy, of those that exist."""
    iam = cloud.client("iam")
    for name in map(cloud.name, ROLES):
        if cloud.find(iam.get_role, RoleName=name):
            yield Resource(cloud.arn("iam", f"role/{name}"), partial(_delete_role, cloud, name))
    analyst = cloud.arn("iam", f"policy/{cloud.name('analyst')}")
    if cloud.find(iam.get_policy, PolicyArn=analyst):
        yield Resource(analyst, partial(_delete_policy, cloud, analyst))


def _delete_role(cloud: Cloud, name: str) -> None:
    iam, role = cloud.client("iam"), {"RoleName": name}
    for inline in cloud.read(iam.list_role_policies, **role)["PolicyNames"]:
        what = f"delete permissions of role {name}"
        cloud.change(what, iam.delete_role_policy, PolicyName=inline, **role)
    for attached in cloud.read(iam.list_attached_role_policies, **role)["AttachedPolicies"]:
        what = f"detach {attached['PolicyName']} from role {name}"
        cloud.change(what, iam.detach_role_policy, PolicyArn=attached["PolicyArn"], **role)
    cloud.change(f"delete role {name}", iam.delete_role, **role)


def _delete_policy(cloud: Cloud, arn: str) -> None:
    """Remove the analyst's policy, from whoever it is attached to as well."""
    iam = cloud.client("iam")
    holders = cloud.read(iam.list_entities_for_policy, PolicyArn=arn)
    for kind, detach in (
        ("User", iam.detach_user_policy),
        ("Group", iam.detach_group_policy),
        ("Role", iam.detach_role_policy),
    ):
        for holder in holders.get(f"Policy{kind}s", []):
            name = {f"{kind}Name": holder[f"{kind}Name"]}
            what = f"detach {arn} from {holder[f'{kind}Name']}"
            cloud.change(what, detach, PolicyArn=arn, **name)
    _drop_old_versions(cloud, arn)
    cloud.change(f"delete policy {arn}", iam.delete_policy, PolicyArn=arn)


def _drop_old_versions(cloud: Cloud, arn: str) -> None:
    iam = cloud.client("iam")
    for version in cloud.read(iam.list_policy_versions, PolicyArn=arn)["Versions"]:
        if not version["IsDefaultVersion"]:
            which = {"PolicyArn": arn, "VersionId": version["VersionId"]}
            what = f"drop {version['VersionId']} of {arn}"
            cloud.change(what, iam.delete_policy_version, **which)


def _entries(holder: str) -> list[dict[str, Any]]:
    source = resources.folder("lambda_src")
    if holder in FUNCTIONS:
        text = (source / holder / "function.toml").read_text(encoding="utf-8")
        return list(tomllib.loads(text)["allow"])
    return list(tomllib.loads((source / "roles.toml").read_text(encoding="utf-8"))[holder])


def _statement(entry: Mapping[str, Any], words: Mapping[str, str]) -> dict[str, Any]:
    arns = [text.format(**words) for text in entry["resources"]]
    statement = _allow(entry["sid"], list(entry["actions"]), arns)
    if "prefixes" in entry:
        prefixes = [text.format(**words) for text in entry["prefixes"]]
        statement["Condition"] = {"StringLike": {"s3:prefix": prefixes}}
    return statement


def _allow(sid: str, actions: list[str], arns: list[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": arns}
