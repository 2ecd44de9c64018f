"""The two functions: their code, their configuration, their log, and the version that is live.

Every change is published as a version, and the alias `live` is what API Gateway and the Scheduler
call: a deployment takes effect at once, and can be taken back.
"""

import json
import logging
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from tgpipeline.deploy import layer, logs, packages
from tgpipeline.deploy.cloud import Cloud, Resource, Target, covers
from tgpipeline.deploy.roles import FUNCTIONS
from tgpipeline.errors import DeployError

logger = logging.getLogger(__name__)

LIVE = "live"


@dataclass(frozen=True)
class Function:
    """A Lambda function of this deployment, as it is live.

    Attributes:
        name: its full name, such as `tgpipeline-ingest`.
        arn: ARN of the alias that is called.
        version: the version behind that alias.
        digest: SHA-256 of that version's zip, base64.
    """

    name: str
    arn: str
    version: str
    digest: str


def configuration(function: str, cloud: Cloud) -> dict[str, Any]:
    """The configuration that a function has to have, as Lambda's API spells it."""
    spec = packages.spec(function)
    wanted: dict[str, Any] = {
        "Runtime": packages.RUNTIME,
        "Handler": spec.handler,
        "Description": spec.description,
        "MemorySize": spec.memory,
        "Timeout": spec.timeout,
        "Role": cloud.arn("iam", f"role/{cloud.name(function)}"),
        "Environment": {"Variables": packages.environment(function, cloud.settings)},
        "Layers": layer.ensure_layer(cloud) if spec.layer else [],
    }
    if function == "etl":  # a run that raises is tried twice more; then its event goes there
        wanted["DeadLetterConfig"] = {"TargetArn": cloud.arn("sqs", cloud.name("failed"))}
    return wanted


def ensure_function(function: str, target: Target) -> Function:
    """Deploy a function from the package's files and make it live; unchanged, it is left alone.

    Its role must exist (`roles.ensure_role`), and for `etl` the queue (`schedule.ensure_queue`).

    Args:
        function: `ingest` or `etl`.
        target: the settings, or the cloud that `deploy.up` works on.
    """
    cloud = Cloud.of(target)
    client, name = cloud.client("lambda"), cloud.name(function)
    code, wanted = packages.build(function), configuration(function, cloud)
    architecture: dict[str, Any] = {"Architectures": [cloud.settings.architecture]}
    logs.ensure_log(cloud, f"/aws/lambda/{name}")  # before the function: its role may not make one
    found = cloud.find(client.get_function_configuration, FunctionName=name)
    if found is None:
        cloud.change(
            f"create function {name}",
            client.create_function,
            wait_for="role",
            FunctionName=name,
            Code={"ZipFile": code},
            Tags=cloud.tags,
            **architecture,
            **wanted,
        )
        _settle(cloud, name)
    else:
        if not covers(found, {"CodeSha256": packages.digest(code), **architecture}):
            cloud.change(
                f"update code of function {name}",
                client.update_function_code,
                FunctionName=name,
                ZipFile=code,
                **architecture,
            )
            _settle(cloud, name)
        if not _configured(found, wanted):
            cloud.change(
                f"update configuration of function {name}",
                client.update_function_configuration,
                wait_for="role",
                FunctionName=name,
                **wanted,
            )
            _settle(cloud, name)
    _ensure_concurrency(cloud, name, packages.spec(function).concurrency)
    live = cloud.find(client.get_function_configuration, FunctionName=name, Qualifier=LIVE)
    if live is None or not (
        _configured(live, wanted) and covers(live, {"CodeSha256": packages.digest(code)})
    ):
        live = _publish(cloud, name, live)
    return _function(cloud, name, live)


def set_variable(function: str, variable: str, value: str, target: Target) -> Function:
    """Give the live function another value of one variable; its code and all else stay.

    Raises:
        DeployError: if it is not deployed, or the change does not come into force.
    """
    cloud = Cloud.of(target)
    client, name = cloud.client("lambda"), cloud.name(function)
    latest = cloud.read(client.get_function_configuration, FunctionName=name)
    live = cloud.read(client.get_function_configuration, FunctionName=name, Qualifier=LIVE)
    variables = {**live["Environment"]["Variables"], variable: value}
    if live["Environment"]["Variables"] != variables:
        if latest["CodeSha256"] != live["CodeSha256"]:  # it was rolled back, and is to stay so
            _take_code(cloud, name, live)
        cloud.change(
            f"set {variable} of function {name}",
            client.update_function_configuration,
            FunctionName=name,
            Environment={"Variables": variables},
        )
        _settle(cloud, name)
        live = _publish(cloud, name, live)
    return _function(cloud, name, live)


def rollback(function: str, target: Target) -> Function:
    """Make the code before the present one live again, with the present configuration.

    The alias is switched where the older version has the very configuration of today; otherwise
    (a secret was rotated since) its code is published once more, with today's configuration.

    Raises:
        DeployError: if there is no version with other code.
    """
    cloud = Cloud.of(target)
    client, name = cloud.client("lambda"), cloud.name(function)
    live = cloud.read(client.get_function_configuration, FunctionName=name, Qualifier=LIVE)
    before = next(
        (
            version
            for version in _versions(cloud, name)
            if int(version["Version"]) < int(live["Version"])
            and version["CodeSha256"] != live["CodeSha256"]
        ),
        None,
    )
    if before is None:
        raise DeployError(
            f"function {name} has no version before {live['Version']} with other code: there is "
            "nothing to go back to. Deploy the code you want with `tgpipeline up`."
        )
    if before.get("Environment") == live.get("Environment"):
        return _function(cloud, name, _switch(cloud, name, before, exists=True))
    _take_code(cloud, name, before)
    return _function(cloud, name, _publish(cloud, name, live))


def _take_code(cloud: Cloud, name: str, version: dict[str, Any]) -> None:
    """Make a published version's code the function's code again; not yet the live one's."""
    client, number = cloud.client("lambda"), version["Version"]
    stored = cloud.read(client.get_function, FunctionName=name, Qualifier=number)
    try:
        with urllib.request.urlopen(stored["Code"]["Location"], timeout=60) as answer:
            code = answer.read()
    except (OSError, HTTPException) as error:
        raise DeployError(
            f"function {name}: the code of version {number} could not be fetched "
            f"({type(error).__name__}: {error}); nothing was changed. Run it again."
        ) from None  # the link is as good as a key, for ten minutes
    if packages.digest(code) != version["CodeSha256"]:
        raise DeployError(
            f"function {name}: what came as the code of version {number} is not that "
            "code; nothing was changed. Deploy from a checkout of that code with `tgpipeline up`."
        )
    cloud.change(
        f"update code of function {name} from version {number}",
        client.update_function_code,
        FunctionName=name,
        ZipFile=code,
    )
    _settle(cloud, name)


def invoke(function: str, event: dict[str, Any], target: Target) -> Any:
    """Call the live function, wait for it, and return what it returned.

    Raises:
        DeployError: if it raised, with what it raised.
    """
    cloud = Cloud.of(target)
    try:
        answer = cloud.client("lambda", patient=True).invoke(
            FunctionName=cloud.name(function), Qualifier=LIVE, Payload=json.dumps(event).encode()
        )
    except (BotoCoreError, ClientError) as error:
        raise DeployError(
            f"function {cloud.name(function)} could not be invoked: {error} Is it deployed?"
        ) from error
    returned = json.loads(answer["Payload"].read() or b"null")
    if answer.get("FunctionError"):
        raise DeployError(
            f"function {cloud.name(function)} raised {returned.get('errorType')}: "
            f"{returned.get('errorMessage')}"
        )
    return returned


def deployed(cloud: Cloud) -> Iterator[Resource]:
    """The functions, with all their versions, and their logs, of those that exist."""
    client = cloud.client("lambda")
    for name in map(cloud.name, FUNCTIONS):
        yield from cloud.existing(
            f"function {name}",
            cloud.arn("lambda", f"function:{name}"),
            client.get_function_configuration,
            client.delete_function,
            FunctionName=name,
        )
        yield from logs.deployed(cloud, f"/aws/lambda/{name}")


def _configured(found: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether a function has this configuration, and no variable more.

    Where its queue for failures is not reported, it cannot be compared.
    """
    if "DeadLetterConfig" not in found:
        wanted = {name: value for name, value in wanted.items() if name != "DeadLetterConfig"}
    layers = [entry["Arn"] for entry in found.get("Layers", [])]
    return found.get("Environment", {}).get("Variables") == wanted["Environment"][
        "Variables"
    ] and covers({**found, "Layers": layers}, wanted)


def _publish(cloud: Cloud, name: str, live: dict[str, Any] | None) -> dict[str, Any]:
    version = cloud.change(
        f"publish function {name}", cloud.client("lambda").publish_version, FunctionName=name
    )
    return _switch(cloud, name, version, exists=live is not None)


def _switch(cloud: Cloud, name: str, version: dict[str, Any], *, exists: bool) -> dict[str, Any]:
    client, number = cloud.client("lambda"), version.get("Version", "new")
    cloud.change(
        f"make version {number} of function {name} live",
        client.update_alias if exists else client.create_alias,
        FunctionName=name,
        Name=LIVE,
        FunctionVersion=number,
    )
    return version


def _versions(cloud: Cloud, name: str) -> list[dict[str, Any]]:
    """The published versions of a function, the newest first."""
    found = cloud.every("lambda", "list_versions_by_function", "Versions", FunctionName=name)
    published = [version for version in found if version["Version"] != "$LATEST"]
    return sorted(published, key=lambda version: -int(version["Version"]))


def _function(cloud: Cloud, name: str, live: dict[str, Any]) -> Function:
    arn = cloud.arn("lambda", f"function:{name}:{LIVE}")
    return Function(name, arn, live.get("Version", ""), live.get("CodeSha256", ""))


def _settle(cloud: Cloud, name: str) -> None:
    """Wait until a change is in force; Lambda refuses the next one before."""
    if cloud.dry_run:
        return
    waiter = cloud.client("lambda").get_waiter("function_updated_v2")
    try:
        waiter.wait(FunctionName=name, WaiterConfig={"Delay": 0.25, "MaxAttempts": 480})
    except WaiterError as error:
        state = error.last_response.get("Configuration", {})
        raise DeployError(
            f"function {name}: the change is not in force ({error}; "
            f"{state.get('LastUpdateStatusReason') or 'no reason given'}). What is live is as it "
            "was: mend that and run again."
        ) from None  # what it carries holds the function's environment
    except BotoCoreError as error:
        raise cloud.explained(f"wait for function {name}", error) from error


def _ensure_concurrency(cloud: Cloud, name: str, wanted: int) -> None:
    client = cloud.client("lambda")
    found = cloud.find(client.get_function_concurrency, FunctionName=name) or {}
    if found.get("ReservedConcurrentExecutions") == wanted:
        return
    try:
        cloud.change(
            f"reserve {wanted} instances for function {name}",
            client.put_function_concurrency,
            FunctionName=name,
            ReservedConcurrentExecutions=wanted,
        )
    except DeployError as error:
        # A new account has 10 instances in all, of which AWS lets none be reserved.
        if "UnreservedConcurrentExecution" not in str(error):
            raise
        cloud.changes.pop()
        logger.warning("%s. The function works without it.", error)
