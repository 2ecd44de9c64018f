"""The stage: the API as it is live, how often it can be called, and a line a request in a log.

API Gateway writes logs under one role for the whole account. Where the account has none yet, this
deployment makes one and takes it away again; where it has one, that is used and left alone.
"""

import hashlib
import json
from typing import Any

from tgpipeline.deploy import logs, roles
from tgpipeline.deploy.cloud import Cloud, covers
from tgpipeline.deploy.deployment import Deployment

NAME = "v1"
# The path is half a secret, the body is somebody's message: neither is in the log.
# Variables: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
FORMAT = json.dumps(
    {
        "time": "$context.requestTime",
        "ip": "$context.identity.sourceIp",
        "method": "$context.httpMethod",
        "status": "$context.status",
        "ms": "$context.responseLatency",
        "request": "$context.requestId",
    }
)


def group(settings: Deployment) -> str:
    """Name of the log group."""
    return f"/aws/apigateway/{settings.name}-webhook"


def destination(settings: Deployment, account: str) -> str:
    """The log group as a stage names it."""
    return f"arn:aws:logs:{settings.region}:{account}:log-group:{group(settings)}"


def ensure_stage(cloud: Cloud, api_id: str, document: dict[str, Any]) -> None:
    """Deploy the API unless what is live was made of this very document; set limits and log.

    Args:
        cloud: the account.
        api_id: API Gateway's id of the API, or `(new)` in a dry run.
        document: the API's, as `gateway.document` has it.
    """
    _ensure_access_log(cloud)
    stage = _ensure_live(cloud, api_id, document)
    wanted = document["stage"]
    limits = (stage.get("methodSettings") or {}).get("*/*") or {}
    log = stage.get("accessLogSettings") or {}
    found = {
        "/*/*/throttling/rateLimit": limits.get("throttlingRateLimit"),
        "/*/*/throttling/burstLimit": limits.get("throttlingBurstLimit"),
        "/accessLogSettings/destinationArn": log.get("destinationArn"),
        "/accessLogSettings/format": log.get("format"),
    }
    if not covers(found, wanted):
        cloud.change(
            "limit how often it can be called, and log who does",
            cloud.client("apigateway").update_stage,
            wait_for="CloudWatch Logs role",  # a new role takes seconds to be known
            restApiId=api_id,
            stageName=NAME,
            patchOperations=replacing(wanted),
        )


def _ensure_live(cloud: Cloud, api_id: str, document: dict[str, Any]) -> dict[str, Any]:
    """Deploy the API unless it is; returns the stage as it was found or made.

    What is live says itself, as a hash, what it was made of: a run that is broken off between a
    change and its deployment is made up for by the next.
    """
    client, where = cloud.client("apigateway"), {"restApiId": api_id, "stageName": NAME}
    made_of = {part: document[part] for part in ("policy", "method", "integration")}
    digest = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()
    known = api_id != "(new)"
    stage = cloud.find(client.get_stage, **where) if known else None
    if stage:
        number = {"restApiId": api_id, "deploymentId": stage["deploymentId"]}
        live = cloud.find(client.get_deployment, **number) or {}
        if live.get("description") == f"tgpipeline {digest}":
            return dict(stage)
    cloud.change(
        "deploy the API",
        client.create_deployment,
        wait_for="TooManyRequests",
        **where,
        description=f"tgpipeline {digest}",
    )
    return dict(cloud.find(client.get_stage, **where) or {}) if known else {}


def _ensure_access_log(cloud: Cloud) -> None:
    """Make the log group, and the account's role if there is none."""
    logs.ensure_log(cloud, group(cloud.settings))
    client = cloud.client("apigateway")
    if cloud.read(client.get_account).get("cloudwatchRoleArn"):
        return
    role = roles.ensure_role("gateway", cloud)
    name = cloud.name("gateway")
    _set_account(cloud, role, f"let API Gateway write logs, in the whole account: {name}")


def withdraw_role(cloud: Cloud) -> None:
    """Take our role from the account, if it is the account's; `roles` knows the role itself."""
    found = cloud.read(cloud.client("apigateway").get_account).get("cloudwatchRoleArn")
    if found == cloud.arn("iam", f"role/{cloud.name('gateway')}"):
        _set_account(cloud, "", "let API Gateway write no logs any more, in the whole account")


def _set_account(cloud: Cloud, arn: str, what: str) -> None:
    cloud.change(
        what,
        cloud.client("apigateway").update_account,
        wait_for="role",  # a new role takes seconds to be known
        patchOperations=replacing({"/cloudwatchRoleArn": arn}),
    )


def replacing(values: dict[str, Any]) -> list[dict[str, str]]:
    """What a patch is made of."""
    return [{"op": "replace", "path": key, "value": str(value)} for key, value in values.items()]
