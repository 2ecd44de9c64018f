"""All stacks together: deployed in order, proved, listed, packaged, deleted."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tgpipeline.deploy import buckets, reasons, stages, templates, webhook
from tgpipeline.deploy.deployment import Deployment
from tgpipeline.deploy.events import Change, Listener, nobody
from tgpipeline.deploy.health import queued
from tgpipeline.deploy.stack import Stack, waits
from tgpipeline.deploy.stages import invoke
from tgpipeline.deploy.templates import STAGES
from tgpipeline.settings import Settings

# Parameters that no command shows: the shell fills them in from the environment.
_SECRETS = {"WebhookSecret": "$TELEGRAM_WEBHOOK_SECRET", "PseudonymKey": "$PSEUDONYM_KEY"}


@dataclass(frozen=True)
class Deployed:
    """What `up` left behind. Its repr leaves out the URL, which is half a secret.

    Attributes:
        url: what Telegram is to be told by setWebhook; empty after a dry run of a new deployment.
        changes: what was changed; empty if all was there already.
    """

    url: str = field(repr=False)
    changes: list[Change]


def up(
    settings: Settings,
    *,
    dry_run: bool = False,
    import_buckets: bool = False,
    listener: Listener = nobody,
) -> Deployed:
    """Deploy the stacks; what differs in nothing is left alone.

    Args:
        settings: what to deploy. Where they hold no webhook secret, the deployed one is kept.
        dry_run: change nothing, say what would be changed.
        import_buckets: take the lake's buckets into its stack where they exist outside it.
        listener: told of each event while it runs.

    Raises:
        SettingsError: if a setting is missing, before anything is changed.
        DeployError: if something fails. CloudFormation puts back what was there before.
    """
    wanted = Deployment.of(settings)
    stages.wanted_parameters(Stack("ingest", wanted))  # is a setting missing, such as the secret?
    taken_in = import_buckets and not dry_run
    changes = stages.import_buckets(wanted, listener) if taken_in else []
    for stage in wanted.stages:
        changes += stages.plan(stage, wanted) if dry_run else stages.deploy(stage, wanted, listener)
    return Deployed(webhook.deployed(wanted).url, changes)


def prove(settings: Settings) -> dict[str, int]:
    """Run the ETL once and ask Athena once: roles, layer and tables do their work.

    Returns:
        `days` that the ETL looked at, and the `documents` in them.

    Raises:
        DeployError: if one of them fails, with its reason.
    """
    days = invoke("etl", {"scheduled_time": datetime.now(UTC).isoformat()}, settings)["days"]
    athena, database = reasons.client("athena", settings), settings.name.replace("-", "_")
    sql = f"SELECT count(*) FROM messages WHERE context_date = DATE '{days[-1]['date']}'"
    where = {"WorkGroup": settings.name, "QueryExecutionContext": {"Database": database}}
    asked = athena.start_query_execution(**where, QueryString=sql)["QueryExecutionId"]
    for _ in waits():
        state = athena.get_query_execution(QueryExecutionId=asked)["QueryExecution"]["Status"]
        if state["State"] not in ("QUEUED", "RUNNING"):
            break
    if state["State"] != "SUCCEEDED":
        reason = state.get("StateChangeReason")
        raise reasons.refusal("query", name=settings.name, state=state["State"], reason=reason)
    return {"days": len(days), "documents": sum(day["documents"] for day in days)}


def resources(settings: Settings, stages: Sequence[str] = STAGES) -> list[str]:
    """What the stacks of these stages hold, one line each: stack, type, name in the template."""
    return [
        f"{stack.name}: {one['ResourceType']} {name}"
        for stack in (Stack(stage, settings) for stage in stages)
        for name, one in stack.resources().items()
    ]


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
        words = ["aws", "cloudformation", "deploy", "--stack-name", stack.name]
        words += ["--template-file", str(templates.path(stage)), "--capabilities", "CAPABILITY_IAM"]
        words += ["--tags", f"tgpipeline={settings.name}", "--parameter-overrides"]
        words += [f"{k}={v}" for k, v in given.items() if v is not None and k not in _SECRETS]
        hidden = [f' {k}="{v}"' for k, v in _SECRETS.items() if given.get(k)]
        yield "".join([shlex.join(words), *hidden])
        if stage == "lake" and not stack.exists:
            return


def down(
    settings: Settings,
    *,
    delete_data: bool = False,
    dry_run: bool = False,
    listener: Listener = nobody,
) -> list[str]:
    """Delete all stacks but the lake's, which stays with all messages.

    Args:
        settings: of what was deployed.
        delete_data: delete the lake too: every version of every object, the buckets, the stack.
        dry_run: delete nothing, say what would be deleted.
        listener: told of each event while it runs.

    Returns:
        What was deleted, one line per resource.

    Raises:
        DeployError: if something cannot be deleted: which resource, and why.
    """
    doomed = STAGES[::-1] if delete_data else STAGES[:0:-1]  # the lake comes first
    deleted = resources(settings, doomed)
    for stage in () if dry_run else doomed:
        stack = Stack(stage, settings)
        if stage == "batch" and (waiting := queued(settings)):
            raise reasons.refusal("queued", waiting=waiting, stack=stack.name)
        for one in stack.resources().values():
            if prepare := _BEFORE_DELETION.get(one["ResourceType"]):
                prepare(one["PhysicalResourceId"], settings)
        stack.delete(listener)
    return deleted


def _detach(policy: str, settings: Settings) -> None:
    """Take the analyst's policy from whoever has it: IAM deletes none that is attached."""
    held = reasons.resource("iam", settings).Policy(policy)
    for holders in (held.attached_users, held.attached_groups, held.attached_roles):
        for holder in holders.all():
            holder.detach_policy(PolicyArn=policy)


_BEFORE_DELETION = {"AWS::S3::Bucket": buckets.delete, "AWS::IAM::ManagedPolicy": _detach}
