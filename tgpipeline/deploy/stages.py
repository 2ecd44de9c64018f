"""Each stage's stack: its template's parameters, made of the settings; its code, called, undone."""

import json
from datetime import datetime
from typing import Any

from botocore.config import Config

from tgpipeline.deploy import buckets, layer, packages, reasons, templates, webhook
from tgpipeline.deploy.deployment import Deployment
from tgpipeline.deploy.events import Change, Listener, nobody
from tgpipeline.deploy.stack import KEEP, Parameters, Stack
from tgpipeline.progress import progress
from tgpipeline.settings import Settings


def wanted_parameters(stack: Stack) -> Parameters:
    """What a stage's template is to be told. `RawBucket` is the setting `raw_bucket`, and so on.

    A secret that the settings do not hold stays as it is deployed.

    Raises:
        SettingsError: if a setting is missing.
    """
    settings, live = stack.settings, stack.parameters() if stack.exists else {}
    names = templates.parameter_names(stack.stage)
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
        queue = Stack("batch", settings).outputs() if settings.batch_seconds else {}
        found |= {name: queue.get(name, "") for name in ("QueueUrl", "QueueArn")}
    if stack.stage == "etl":
        made = settings.layer == "build"
        found["LayerKey"] = layer.layer_key(settings.architecture) if made else ""
        found["LayerArn"] = "" if settings.layer in ("build", "none") else settings.layer
    for secret in {"WebhookSecret", "PseudonymKey"} & set(live):
        found[secret] = found[secret] or KEEP
    if stack.stage == "analytics":
        today = datetime.now(settings.tz).date().isoformat()
        found["FirstDay"] = buckets.first_day(settings) or live.get("FirstDay", today)
    return found


def plan(stage: str, settings: Settings) -> list[Change]:
    """What `deploy` would change: a change set, of which nothing stays behind."""
    stack = Stack(stage, settings)
    given = wanted_parameters(stack)
    buckets.refuse_existing(stack)
    return stack.plan(given)


def deploy(stage: str, settings: Settings, listener: Listener = nobody) -> list[Change]:
    """Make the stack of one stage what its template says; the stages before it must be there.

    Args:
        stage: `lake`, `batch`, `ingest`, `etl` or `analytics`.
        settings: of the deployment.
        listener: told of each event while it runs.

    Returns:
        What was changed; empty if nothing differed.

    Raises:
        SettingsError: if a setting is missing, before anything is changed.
        DeployError: if it fails: which resource, why, and what to do.
    """
    stack = Stack(stage, settings)
    given = wanted_parameters(stack)
    buckets.refuse_existing(stack)
    upload(stack, given)
    changes = stack.deploy(given, listener)
    if stage == "ingest":
        webhook.deploy_again(stack)
    return changes


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
    for key in filter(None, (given["CodeKey"], given.get("LayerKey"))):
        if not s3.list_objects_v2(Bucket=bucket, Prefix=key)["KeyCount"]:
            is_code = key == given["CodeKey"]
            zipped = packages.zip_of(stack.stage) if is_code else _layer_zip(settings.architecture)
            s3.put_object(Bucket=bucket, Key=key, Body=zipped)


def _layer_zip(architecture: str) -> bytes:
    return packages.pack(layer.contents(architecture), compress=True)


def import_buckets(settings: Deployment, listener: Listener = nobody) -> list[Change]:
    """Take the lake's buckets that exist already into its stack, with all that is in them.

    The change set of type IMPORT tells their names alone. So the deployment that follows sees all
    else as new, and makes the buckets what the template says.
    """
    stack = Stack("lake", settings)
    found = {} if stack.exists else buckets.existing(settings)
    if not found:
        return []
    kind, named, wanted = "AWS::S3::Bucket", {}, []
    for key, bucket in found.items():
        name = {"BucketName": bucket}
        named[key] = {"Type": kind, "DeletionPolicy": "Retain", "Properties": name}
        wanted.append({"ResourceType": kind, "LogicalResourceId": key, "ResourceIdentifier": name})
    how = {"TemplateBody": json.dumps({"Resources": named}), "ResourcesToImport": wanted}
    return stack.deploy({}, listener, ChangeSetType="IMPORT", Tags=[], **how)


def invoke(function: str, event: dict[str, Any], settings: Settings) -> Any:
    """Call a function, wait for it, and return what it returned.

    Args:
        function: `ingest` or `etl`.
        event: what it is called with.
        settings: of the deployment.

    Raises:
        DeployError: if it is not deployed, or raised, with what it raised.
    """
    name = f"{settings.name}-{function}"
    # It waits as long as a function may run, and asks once: a second call would do the work again.
    patient = Config(read_timeout=930, tcp_keepalive=True, retries={"total_max_attempts": 1})
    client = reasons.client("lambda", settings, config=patient)
    with progress(f"function {name} ran"):
        answer = client.invoke(FunctionName=name, Payload=json.dumps(event).encode())
    returned = json.loads(answer["Payload"].read() or b"null")
    if answer.get("FunctionError"):
        kind, said = returned.get("errorType"), returned.get("errorMessage")
        raise reasons.refusal("raised", name=name, kind=kind, said=said)
    return returned


def rollback(function: str, settings: Settings, listener: Listener = nobody) -> str:
    """Run a function's former code again, with all its present settings.

    A second call takes that back. `up` deploys the code of this package again.

    Args:
        function: `ingest` or `etl`.
        settings: of the deployment.
        listener: told of each event while it runs.

    Returns:
        The key of the code that runs now.

    Raises:
        DeployError: if it never had other code, or the change fails.
    """
    stack = Stack(function, settings)
    before, now = stack.outputs().get("PreviousCode"), stack.parameters().get("CodeKey", "")
    if not before:
        raise reasons.refusal("no_former_code", stack=stack.name)
    stack.update(listener, CodeKey=before, PreviousCode=now)
    return before
