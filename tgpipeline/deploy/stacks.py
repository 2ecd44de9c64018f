"""All stacks together: deployed in order, proved, listed, packaged, deleted."""

import json
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.config import Config

from tgpipeline.deploy import reasons, stages, templates
from tgpipeline.deploy.health import queued
from tgpipeline.deploy.stack import Change, Stack, polled
from tgpipeline.deploy.templates import STAGES, Deployment
from tgpipeline.progress import progress
from tgpipeline.settings import Settings

# Parameters that no command shows: the shell fills them in from the environment.
_SECRETS = {"WebhookSecret": "$TELEGRAM_WEBHOOK_SECRET", "PseudonymKey": "$PSEUDONYM_KEY"}


def up(settings: Settings, *, import_buckets: bool = False, **how: Any) -> list[Change]:
    """Deploy the stacks; what differs in nothing is left alone.

    Args:
        settings: what to deploy. Where they hold no webhook secret, the deployed one is kept.
        import_buckets: take the lake's buckets into its stack where they exist outside it.
        **how: of `stages.deploy`: a `listener`; `dry_run=True` to change nothing, and say what
            would be changed.

    Returns:
        What was changed; empty if all was there already.

    Raises:
        SettingsError: if a setting is missing, before anything is changed.
        DeployError: if something fails. CloudFormation puts back what was there before.
    """
    wanted = Deployment.of(settings)
    stages.wanted_parameters(Stack("ingest", wanted))  # is a setting missing, such as the secret?
    changes = stages.import_buckets(wanted, **how) if import_buckets else []
    for stage in wanted.stages:
        changes += stages.deploy(stage, wanted, **how)
    return changes


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
        raise reasons.refusal("raised", name=name, **{"errorType": "an error"} | returned)
    return returned


def prove(settings: Settings) -> dict[str, int]:
    """Run the ETL once and ask Athena once: roles, layer and tables do their work.

    Returns:
        `days` that the ETL looked at, and the `documents` in them.

    Raises:
        DeployError: if one of them fails, with its reason.
    """
    days = invoke("etl", {"scheduled_time": datetime.now(UTC).isoformat()}, settings)["days"]
    athena, database = reasons.client("athena", settings), settings.name.replace("-", "_")
    sql = f"SELECT count(*) FROM {database}.messages WHERE context_date = DATE '{days[-1]['date']}'"
    asked = athena.start_query_execution(WorkGroup=settings.name, QueryString=sql)
    answers = polled(athena.get_query_execution, QueryExecutionId=asked["QueryExecutionId"])
    states = (answer["QueryExecution"]["Status"] for answer in answers)
    ended = next(state for state in states if state["State"] not in ("QUEUED", "RUNNING"))
    if ended["State"] != "SUCCEEDED":
        reason = ended.get("StateChangeReason")
        raise reasons.refusal("query", name=settings.name, state=ended["State"], reason=reason)
    return {"days": len(days), "documents": sum(day["documents"] for day in days)}


def resources(settings: Settings, *, lake: bool = True) -> list[str]:
    """What the stacks hold, one line each: stack, type, name in the template.

    Args:
        settings: of the deployment.
        lake: also what the lake's stack holds, which only `down(delete_data=True)` deletes.
    """
    return [
        f"{stack.name}: {one['ResourceType']} {name}"
        for stack in _last_first(settings, lake)
        for name, one in stack.resources().items()
    ]


def _last_first(settings: Settings, lake: bool, **how: Any) -> Iterator[Stack]:
    return (Stack(stage, settings, **how) for stage in reversed(STAGES if lake else STAGES[1:]))


def package(settings: Settings) -> Iterator[str]:
    """Upload the zips and the layer, and say how `aws cloudformation deploy` makes each stack.

    Yields:
        One command per stage; while there is no lake to upload to, the lake's command alone.
        Secrets are left to the shell, such as `$TELEGRAM_WEBHOOK_SECRET`.
    """
    for stage in Deployment.of(settings).stages:
        stack = Stack(stage, settings)
        given = stages.wanted_parameters(stack)
        stages.upload(stack, given)
        words = f"aws cloudformation deploy --stack-name {stack.name} --template-file".split()
        words += [str(templates.path(stage)), "--capabilities", "CAPABILITY_IAM"]
        words += ["--tags", f"tgpipeline={settings.name}", "--parameter-overrides"]
        words += [f"{k}={v}" for k, v in given.items() if v is not None and k not in _SECRETS]
        hidden = [f' {k}="{v}"' for k, v in _SECRETS.items() if given.get(k)]
        yield "".join([shlex.join(words), *hidden])
        if stage == "lake" and not stack.exists:
            return


def down(settings: Settings, *, delete_data: bool = False, **how: Any) -> list[str]:
    """Delete all stacks but the lake's, which stays with all messages.

    Args:
        settings: of what was deployed.
        delete_data: delete the lake too: every version of every object, the buckets, the stack.
        **how: of `Stack`: a `listener`, told of each event while it runs.

    Returns:
        What was deleted, one line per resource, as `resources` lists it.

    Raises:
        DeployError: if something cannot be deleted: which resource, and why.
    """
    deleted = resources(settings, lake=delete_data)
    for stack in _last_first(settings, delete_data, **how):
        if stack.stage == "batch" and (waiting := queued(settings)):
            raise reasons.refusal("queued", waiting=waiting, stack=stack.name)
        for one in stack.resources().values():
            if prepare := _BEFORE_DELETION.get(one["ResourceType"]):
                prepare(one["PhysicalResourceId"], settings)
        stack.delete()
    return deleted


def empty(bucket: str, settings: Settings) -> None:
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


def _detach(policy: str, settings: Settings) -> None:
    """Take the analyst's policy from whoever has it: IAM deletes none that is attached."""
    held = reasons.resource("iam", settings).Policy(policy)
    for holders in (held.attached_users, held.attached_groups, held.attached_roles):
        for holder in holders.all():
            holder.detach_policy(PolicyArn=policy)


_BEFORE_DELETION = {"AWS::S3::Bucket": empty, "AWS::IAM::ManagedPolicy": _detach}
