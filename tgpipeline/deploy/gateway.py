"""The webhook's address: a REST API that takes POST on one path nobody can guess."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tgpipeline.deploy import logs, stage
from tgpipeline.deploy.cloud import TAG, Cloud, Resource, Target, covers
from tgpipeline.deploy.deployment import Deployment
from tgpipeline.deploy.functions import LIVE
from tgpipeline.errors import DeployError

_SID = "webhook"


@dataclass(frozen=True)
class Api:
    """The deployed API. Its repr leaves out the URL, which is half a secret.

    Attributes:
        id: API Gateway's id of it.
        url: what Telegram is told by setWebhook.
    """

    id: str
    url: str = field(repr=False)


def document(settings: Deployment, account: str, api_id: str, path: str) -> dict[str, Any]:
    """What the API consists of, as API Gateway's calls spell it.

    Args:
        settings: names the deployment and who may call it.
        account: number of the AWS account.
        api_id: API Gateway's id of the API.
        path: last part of the URL.

    Returns:
        The parts by name: `policy`, `method`, `integration` and `stage`. Nothing in them transforms
        the request: the function gets it whole
        (https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html).
    """
    function = f"arn:aws:lambda:{settings.region}:{account}:function:{settings.name}-ingest:{LIVE}"
    invoke = f"arn:aws:apigateway:{settings.region}:lambda:path/2015-03-31/functions/{function}"
    ranges = [text.strip() for text in settings.telegram_ranges.split(",")]
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "execute-api:Invoke",
        "Resource": source_arn(settings, account, api_id, path),
        "Condition": {"IpAddress": {"aws:SourceIp": ranges}},
    }
    return {
        "policy": {"Version": "2012-10-17", "Statement": [statement]},
        "method": {"httpMethod": "POST", "authorizationType": "NONE", "apiKeyRequired": False},
        "integration": {
            "type": "AWS_PROXY",
            "httpMethod": "POST",
            "uri": f"{invoke}/invocations",
            "passthroughBehavior": "WHEN_NO_MATCH",
            "timeoutInMillis": 29_000,
        },
        "stage": {
            "/*/*/throttling/rateLimit": settings.throttle,
            "/*/*/throttling/burstLimit": 2 * settings.throttle,
            "/accessLogSettings/destinationArn": stage.destination(settings, account),
            "/accessLogSettings/format": stage.FORMAT,
        },
    }


def source_arn(settings: Deployment, account: str, api_id: str, path: str) -> str:
    """The ARN under which a call of the webhook goes, and nothing else does."""
    return f"arn:aws:execute-api:{settings.region}:{account}:{api_id}/{stage.NAME}/POST/{path}"


def ensure_api(target: Target) -> Api:
    """Make the API, let it call the ingest function, and deploy it.

    The function must exist (`functions.ensure_function`). The path is made up once and stays.

    Args:
        target: the settings, or the cloud that `deploy.up` works on.
    """
    cloud = Cloud.of(target)
    client, name = cloud.client("apigateway"), cloud.name("webhook")
    api = _find(cloud)
    if api is None:
        api = cloud.change(
            f"create API {name}",
            client.create_rest_api,
            name=name,
            description="tgpipeline: takes what Telegram posts",
            endpointConfiguration={"types": ["REGIONAL"]},
            tags=cloud.tags,
        )
    api_id = api.get("id", "(new)")
    resource = _resource(cloud, api_id) if "id" in api else None
    path = resource["pathPart"] if resource else secrets.token_urlsafe(24)
    wanted = document(cloud.settings, cloud.account, api_id, path)
    _ensure_method(cloud, api_id, path, resource, wanted)
    if _policy(api) != _plain(wanted["policy"]):
        cloud.change(
            f"set who may call API {name}",
            client.update_rest_api,
            restApiId=api_id,
            patchOperations=stage.replacing({"/policy": json.dumps(wanted["policy"])}),
        )
    _ensure_permission(cloud, api_id, path)
    stage.ensure_stage(cloud, api_id, wanted)
    return Api(api_id, _url(cloud.settings, api_id, path))


def deployed(cloud: Cloud) -> Iterator[Resource]:
    """The API, and with it the webhook's address, and its log, of those that exist."""
    if api := _find(cloud):
        yield cloud.resource(
            f"API {api['name']}",
            f"arn:aws:apigateway:{cloud.settings.region}::/restapis/{api['id']}",
            cloud.client("apigateway").delete_rest_api,
            wait_for="TooManyRequests",  # AWS takes one such request in 30 seconds
            restApiId=api["id"],
        )
    yield from logs.deployed(cloud, stage.group(cloud.settings))


def deployed_url(target: Target) -> str:
    """What Telegram is to be told by setWebhook; empty where no API is deployed."""
    cloud = Cloud.of(target)
    api = _find(cloud)
    resource = _resource(cloud, api["id"]) if api else None
    return _url(cloud.settings, api["id"], resource["pathPart"]) if api and resource else ""


def _url(settings: Deployment, api_id: str, path: str) -> str:
    where = {"api": api_id, "region": settings.region, "stage": stage.NAME, "path": path}
    return settings.invoke_url.format(**where)


def _find(cloud: Cloud) -> dict[str, Any] | None:
    """The API of this deployment: names are not unique, the tag tells it from others."""
    found = [
        api
        for api in cloud.every("apigateway", "get_rest_apis", "items")
        if api["name"] == cloud.name("webhook") and (api.get("tags") or {}).get(TAG)
    ]
    if len(found) > 1:
        raise DeployError(
            f"there are {len(found)} APIs named {cloud.name('webhook')}: delete all but "
            "the one that Telegram's getWebhookInfo shows, in API Gateway's console."
        )
    return found[0] if found else None


def _resource(cloud: Cloud, api_id: str) -> dict[str, Any] | None:
    client = cloud.client("apigateway")
    items = cloud.read(client.get_resources, restApiId=api_id, embed=["methods"])["items"]
    return next((item for item in items if item.get("pathPart")), None)


def _ensure_method(
    cloud: Cloud, api_id: str, path: str, resource: dict[str, Any] | None, wanted: dict[str, Any]
) -> None:
    client = cloud.client("apigateway")
    if resource is None:
        root = "" if cloud.dry_run else _root(cloud, api_id)
        resource = cloud.change(
            "add the webhook's path",
            client.create_resource,
            restApiId=api_id,
            parentId=root,
            pathPart=path,
        )
    where = {"restApiId": api_id, "resourceId": resource.get("id", "(new)")}
    method = resource.get("resourceMethods", {}).get("POST")
    if method is None:
        cloud.change("let it take POST", client.put_method, **where, **wanted["method"])
    if not covers((method or {}).get("methodIntegration"), _as_read(wanted["integration"])):
        integration = dict(wanted["integration"])
        integration["integrationHttpMethod"] = integration.pop("httpMethod")
        cloud.change(
            "connect it with the ingest function",
            client.put_integration,
            **where,
            httpMethod="POST",
            **integration,
        )


def _ensure_permission(cloud: Cloud, api_id: str, path: str) -> None:
    client = cloud.client("lambda")
    function = {"FunctionName": cloud.name("ingest"), "Qualifier": LIVE}
    source = source_arn(cloud.settings, cloud.account, api_id, path)
    found = cloud.find(client.get_policy, **function)
    statements = json.loads(found["Policy"])["Statement"] if found else []
    ours = next((entry for entry in statements if entry["Sid"] == _SID), None)
    if ours and ours.get("Condition", {}).get("ArnLike", {}).get("AWS:SourceArn") == source:
        return
    if ours:
        cloud.change(
            "withdraw the former API's permission",
            client.remove_permission,
            **function,
            StatementId=_SID,
        )
    cloud.change(
        "let the API invoke the ingest function",
        client.add_permission,
        **function,
        StatementId=_SID,
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=source,
    )


def _root(cloud: Cloud, api_id: str) -> str:
    client = cloud.client("apigateway")
    items = cloud.read(client.get_resources, restApiId=api_id)["items"]
    return str(next(item["id"] for item in items if item["path"] == "/"))


def _as_read(integration: dict[str, Any]) -> dict[str, Any]:
    return {key: integration[key] for key in ("type", "httpMethod", "uri")}


def _policy(api: dict[str, Any]) -> Any:
    """The API's policy: API Gateway answers with a text in which every quote is escaped."""
    text = str(api.get("policy") or "null")
    return _plain(json.loads(json.loads(f'"{text}"') if text.startswith("{\\") else text))


def _plain(value: Any) -> Any:
    """The same policy with lists of one as what they hold, as AWS likes to write them."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return _plain(value[0]) if len(value) == 1 else sorted(map(_plain, value), key=str)
    return value
