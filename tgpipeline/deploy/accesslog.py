"""Who called the webhook: a line a request, without its body and without the path.

API Gateway writes logs under one role for the whole account. Where the account has none yet, this
deployment makes one and takes it away again; where it has one, that is used and left alone.
"""

import json

from tgpipeline.deploy import logs, roles
from tgpipeline.deploy.cloud import Cloud, Deployment

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


def ensure_access_log(cloud: Cloud) -> None:
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
        patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": arn}],
    )
