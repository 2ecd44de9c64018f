"""Deploying to the local stack: all of it, again, changed, back, away; what stands in the way."""

import dataclasses
import json
import time
from typing import Any

import pytest
import requests

from tgpipeline import deploy, local
from tgpipeline.deploy import Stack, packages, stages, webhook
from tgpipeline.errors import DeployError, SettingsError
from tgpipeline.ingest import SECRET_HEADER
from tgpipeline.lake.columns import TABLES
from tgpipeline.settings import Settings, aws_client

DAY = "2025-11-28"
UPDATE = {
    "update_id": 7,
    "message": {
        "message_id": 7,
        "date": 1764345600,  # of that day
        "chat": {"id": -4123456789, "type": "group", "title": "Suporte Loja Aurora"},
        "from": {"id": 5, "is_bot": False, "first_name": "Ana"},
        "text": "oi",
    },
}


def post(url: str, secret: str, update: Any = UPDATE) -> int:
    return requests.post(url, json=update, headers={SECRET_HEADER: secret}, timeout=30).status_code


def keys_in(bucket: str, settings: Settings) -> list[str]:
    return [one["Key"] for one in stages.list_objects(stages.Deployment.of(settings), bucket)]


def test_a_dry_run_leaves_nothing_and_up_twice_changes_nothing(settings: Settings) -> None:
    planned = deploy.up(settings, dry_run=True)
    assert deploy.resources(settings) == []
    assert [Stack(stage, settings).status for stage in deploy.STAGES] == [""] * 5
    first = deploy.up(settings)
    assert planned == first
    assert len(first) == len(deploy.resources(settings)) > 30
    url = webhook.deployed(settings).url
    assert (deploy.up(settings), webhook.deployed(settings).url) == ([], url)
    assert deploy.up(settings, dry_run=True) == []


def test_an_update_goes_all_the_way_and_up_proves_it(settings: Settings) -> None:
    deploy.up(settings)
    url = webhook.deployed(settings).url
    assert post(url, settings.webhook_secrets[0]) == 200
    assert post(url, "wrong") == 403
    assert keys_in(settings.raw_bucket, settings) == [f"telegram/context_date={DAY}/7.json"]
    made = deploy.invoke("etl", {"date": DAY}, settings)
    assert made["totals"]["messages"] == 1
    assert len(keys_in(settings.enriched_bucket, settings)) == len(TABLES)
    assert deploy.prove(settings)["days"] == 1 + settings.lookback_days


def test_the_url_takes_post_and_nothing_else_on_one_path(settings: Settings) -> None:
    deploy.up(settings)
    url, secret = webhook.deployed(settings).url, {SECRET_HEADER: settings.webhook_secrets[0]}
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        assert requests.request(method, url, headers=secret, timeout=30).status_code == 403
    parent, path = url.rsplit("/", 1)
    assert path == Stack("ingest", settings).describe()["StackId"].split("/")[2]
    for other in ("", "/", "/webhook", "/telegram", f"/{path}/more"):
        answer = requests.post(f"{parent}{other}", json=UPDATE, headers=secret, timeout=30)
        assert answer.status_code in (403, 404), other


def test_a_setting_reaches_what_it_concerns_and_nothing_else(settings: Settings) -> None:
    deploy.up(settings)
    url = webhook.deployed(settings).url
    wanted = deploy.Deployment.of(settings)
    for stage, changed, concerned in (
        ("etl", {"timezone": "Europe/Lisbon"}, {"Function", "Nightly"}),
        ("ingest", {"log_days": 7}, {"Log"}),
        ("ingest", {"throttle": 5}, {"Stage"}),
        ("analytics", {"scan_limit": 20_000_000}, {"WorkGroup"}),
        ("lake", {"quarantine_days": 30}, {"Raw"}),
        ("ingest", {"quiet_hours": 12}, {"QuietAlarm"}),
        ("ingest", {"quiet_hours": 0}, {"QuietAlarm"}),
    ):
        wanted = dataclasses.replace(wanted, **changed)
        made = stages.deploy(stage, wanted)
        # What refers to a changed resource is listed, too; nothing is made anew.
        assert concerned <= {change.resource for change in made}, changed
        assert not any(change.action == "Replace" for change in made)
        assert stages.plan(stage, wanted) == []
    assert post(url, settings.webhook_secrets[0]) == 200


def test_ranges_that_a_parameter_changes_are_live(settings: Settings) -> None:
    """CloudFormation changes the API's policy; only a new copy of the API makes it live."""
    deploy.up(settings)
    stack, gateway = Stack("ingest", settings), aws_client("apigateway", settings)
    api = stack.resources()["Api"]["PhysicalResourceId"]
    copies = len(gateway.get_deployments(restApiId=api)["items"])
    deploy.up(settings)
    assert len(gateway.get_deployments(restApiId=api)["items"]) == copies
    time.sleep(1.1)  # API Gateway dates its copies by the second
    closed = dataclasses.replace(
        deploy.Deployment.of(settings), telegram_ranges="149.154.160.0/20,91.108.4.0/22"
    )
    deploy.up(closed)
    assert len(gateway.get_deployments(restApiId=api)["items"]) == copies + 1
    policy = gateway.get_rest_api(restApiId=api)["policy"]
    assert "149.154.160.0/20" in policy
    deploy.up(closed)
    assert len(gateway.get_deployments(restApiId=api)["items"]) == copies + 1


def test_a_key_is_allowed_to_who_needs_it_and_an_alias_is_refused(settings: Settings) -> None:
    deploy.up(settings)
    key = "arn:aws:kms:us-east-1:000000000000:key/0"
    keyed = dataclasses.replace(deploy.Deployment.of(settings), kms_key=key)
    changed = {(c.stack.rpartition("-")[2], c.resource) for c in deploy.up(keyed)}
    wanted = {("lake", "Raw"), ("lake", "Enriched"), ("ingest", "Role"), ("etl", "Role")}
    assert wanted | {("analytics", "Analyst"), ("analytics", "WorkGroup")} <= changed
    assert deploy.up(keyed) == []
    alias = dataclasses.replace(keyed, kms_key=key.replace("key/0", "alias/mine"))
    with pytest.raises(DeployError, match=r"KmsKey.*not of an alias"):
        deploy.up(alias)


BROKEN = b"def lambda_handler(event, context):\n    return {'statusCode': 503, 'body': ''}\n"


def test_changed_code_is_live_at_once_and_rollback_takes_it_back(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy.up(settings)
    url, secret = webhook.deployed(settings).url, settings.webhook_secrets[0]
    with pytest.raises(DeployError, match="no code before the present one"):
        deploy.rollback("ingest", settings)
    real = packages.files("ingest")
    monkeypatch.setattr(packages, "files", lambda name: {**real, "tgpipeline/ingest.py": BROKEN})
    changes = stages.deploy("ingest", settings)
    monkeypatch.undo()
    assert "Function" in {change.resource for change in changes}
    assert post(url, secret) == 503
    good = packages.package_key("ingest", packages.zip_of("ingest"))
    # Of a shell that knows neither the zone nor the chats, it changes the code alone.
    strange = dataclasses.replace(settings, timezone="Asia/Tokyo", chat_ids=(-5,))
    assert deploy.rollback("ingest", strange) == good
    assert post(url, secret) == 200
    assert stages.deploy("ingest", settings) == []
    assert deploy.rollback("ingest", settings) != good
    assert post(url, secret) == 503


def test_a_new_secret_in_one_call_loses_nothing(
    settings: Settings, stack: local.LocalStack
) -> None:
    ana = {"id": 5, "is_bot": False, "first_name": "Ana"}
    deploy.up(settings)
    url = webhook.deployed(settings).url
    stack.bot.set_webhook(url, secret_token=settings.webhook_secret, max_connections=7)
    stack.telegram.say(ana, "antes")
    # Of a shell that knows neither the zone nor the chats, it changes the secret alone.
    strange = dataclasses.replace(settings, timezone="Asia/Tokyo", chat_ids=(-5,))
    rotated = deploy.rotate_secret(strange, stack.bot)
    rotated = dataclasses.replace(settings, webhook_secret=rotated.webhook_secret)
    assert stages.deploy("ingest", rotated) == []
    stack.telegram.say(ana, "depois")
    stack.telegram.wait_delivered()
    assert stack.bot.get_webhook_info()["max_connections"] == 7
    stack.bot.delete_webhook()
    assert len(keys_in(settings.raw_bucket, settings)) == 2
    unknown = dataclasses.replace(settings, webhook_secret="")
    assert stages.deploy("ingest", unknown) == []  # who deploys again need not know it
    assert webhook.deployed_secret(settings) == rotated.webhook_secret
    for secret, status in ((rotated.webhook_secret, 200), (settings.webhook_secret, 403)):
        assert post(url, secret) == status
    told = json.dumps(Stack("ingest", settings).describe(), default=str)
    assert rotated.webhook_secret not in told


def test_a_secret_is_replaced_where_there_is_one_and_the_webhook_is_ours(
    settings: Settings, stack: local.LocalStack
) -> None:
    with pytest.raises(DeployError, match="none to replace"):
        deploy.rotate_secret(settings, stack.bot)
    assert deploy.resources(settings) == []
    for stage in ("lake", "ingest"):
        stages.deploy(stage, settings)
    url = webhook.deployed(settings).url
    stack.bot.set_webhook(f"{url}-of-another", secret_token="theirs")
    with pytest.raises(DeployError, match="no secret was changed"):
        deploy.rotate_secret(settings, stack.bot)
    stack.bot.delete_webhook()
    assert stages.deploy("ingest", settings) == []
    assert deploy.rotate_secret(settings, stack.bot, "given").webhook_secret == "given"


def test_telegram_opens_no_more_connections_than_instances_can_answer(settings: Settings) -> None:
    assert webhook.deployed(settings).url == ""
    for stage in ("lake", "ingest"):
        stages.deploy(stage, settings)
    made = webhook.deployed(settings)
    assert made.max_connections == 40  # of an account that may run a thousand
    assert made.url not in repr(made)
    reserved = dataclasses.replace(deploy.Deployment.of(settings), reserved_instances=5)
    stages.deploy("ingest", reserved)
    assert webhook.deployed(settings).max_connections == 5


def test_a_run_that_raises_says_so_and_waits_in_the_queue(settings: Settings) -> None:
    deploy.up(settings)
    assert deploy.status(settings).ok, deploy.status(settings)
    with pytest.raises(DeployError, match=r"etl raised [\w.]+: .*which day is meant"):
        deploy.invoke("etl", {"day": "yesterday"}, settings)
    aws_client("lambda", settings).invoke(
        FunctionName=f"{settings.name}-etl",
        InvocationType="Event",
        Payload=b'{"day": "yesterday"}',
    )
    deadline = time.monotonic() + 20
    while not deploy.queued(settings, "etl") and time.monotonic() < deadline:
        time.sleep(0.2)
    status = deploy.status(settings)
    assert not status.ok
    assert "1 wait in the queue" in str(status)


def test_down_leaves_the_lake_unless_told_and_then_nothing(settings: Settings) -> None:
    deploy.up(settings)
    s3, bucket = aws_client("s3", settings), settings.raw_bucket
    s3.put_object(Bucket=bucket, Key="telegram/x", Body=b"{}")
    planned = deploy.resources(settings, lake=False)
    assert len(deploy.resources(settings)) > 30
    iam = aws_client("iam", settings)
    policy = Stack("analytics", settings).outputs()["AnalystPolicy"]
    iam.create_user(UserName=settings.name)
    iam.attach_user_policy(UserName=settings.name, PolicyArn=policy)
    assert deploy.down(settings) == planned
    assert iam.list_attached_user_policies(UserName=settings.name)["AttachedPolicies"] == []
    left = deploy.resources(settings)
    assert {line.partition(":")[0] for line in left} == {f"{settings.name}-lake"}
    assert s3.get_object(Bucket=bucket, Key="telegram/x")["Body"].read() == b"{}"
    stages.deploy("ingest", settings)  # up after down
    assert s3.get_object(Bucket=bucket, Key="telegram/x")["Body"].read() == b"{}"
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key="telegram/x", Body=b"{2}")
    s3.delete_object(Bucket=bucket, Key="telegram/x")
    deploy.down(settings, delete_data=True)
    assert deploy.resources(settings) == []
    ours = [b["Name"] for b in s3.list_buckets()["Buckets"] if settings.name in b["Name"]]
    assert ours == []
    assert deploy.down(settings, delete_data=True) == []


def test_a_bucket_outside_the_stack_has_two_ways_out(settings: Settings) -> None:
    """As after the removal of the stack by hand, or of what an earlier version deployed."""
    s3 = aws_client("s3", settings)
    s3.create_bucket(Bucket=settings.raw_bucket)
    s3.put_object(Bucket=settings.raw_bucket, Key="telegram/x", Body=b"{}")
    for dry_run in (True, False):
        with pytest.raises(DeployError, match=r"another name .*--import-buckets") as caught:
            deploy.up(settings, dry_run=dry_run)
    assert settings.raw_bucket in str(caught.value)
    assert deploy.resources(settings) == []
    made = deploy.up(settings, import_buckets=True)
    assert [str(change) for change in made[:1]] == [
        f"{settings.name}-lake: import AWS::S3::Bucket Raw"
    ]
    assert s3.get_object(Bucket=settings.raw_bucket, Key="telegram/x")["Body"].read() == b"{}"
    blocked = s3.get_public_access_block(Bucket=settings.raw_bucket)
    assert set(blocked["PublicAccessBlockConfiguration"].values()) == {True}
    assert deploy.up(settings, import_buckets=True) == []


def test_a_first_deployment_that_failed_is_made_anew_and_that_is_said(settings: Settings) -> None:
    s3, lake = aws_client("s3", settings), Stack("lake", settings)
    s3.create_bucket(Bucket=settings.raw_bucket)  # by somebody else, after `up` has looked
    with pytest.raises(DeployError, match=r"Raw \(AWS::S3::Bucket\).*outside the stack"):
        lake.deploy(stages.wanted_parameters(lake))
    assert lake.status == "ROLLBACK_COMPLETE"
    s3.delete_bucket(Bucket=settings.raw_bucket)
    assert [change.action for change in stages.plan("lake", settings)] == ["Replace"]
    told: list[str] = []
    stages.deploy("lake", settings, listener=lambda event: told.append(str(event)))
    assert told[0].endswith(f"{lake.name}: its first deployment failed: made anew")
    assert all(": " not in line for line in told[1:]), "why what went well went well is no news"
    assert lake.status == "CREATE_COMPLETE"


def test_what_was_changed_by_hand_is_shown_with_what_to_do(settings: Settings) -> None:
    deploy.up(settings)
    logs = aws_client("logs", settings)
    logs.put_retention_policy(logGroupName=f"/aws/lambda/{settings.name}-etl", retentionInDays=1)
    status = deploy.status(settings)
    assert not status.ok
    assert "changed by hand: Log (/RetentionInDays)" in str(status)
    assert "lambda_src/etl.yaml" in str(status)


def test_athena_sees_the_lake_s_first_day(settings: Settings) -> None:
    deploy.up(settings)
    assert deploy.unseen_days(settings) == 0
    s3 = aws_client("s3", settings)
    for day in ("2025-11-28", "2025-11-10"):
        key = f"telegram/context_date={day}/1.json"
        s3.put_object(Bucket=settings.raw_bucket, Key=key, Body=b"{}")
    for stray in ("telegram/a-folder/x", "telegram/messages/readme.txt"):
        for bucket in (settings.raw_bucket, settings.enriched_bucket):
            s3.put_object(Bucket=bucket, Key=stray, Body=b"of nobody")
    unseen = deploy.unseen_days(settings)
    assert unseen > 0
    assert f"{unseen} days are not yet seen by Athena" in str(deploy.status(settings))
    made = deploy.up(settings)
    assert {change.resource for change in made} >= {"Messages", "Events"}
    assert Stack("analytics", settings).parameters()["FirstDay"] == "2025-11-10"
    assert deploy.unseen_days(settings) == 0
    glue, database = aws_client("glue", settings), settings.name.replace("-", "_")
    table = glue.get_table(DatabaseName=database, Name="messages")["Table"]
    assert table["Parameters"]["projection.context_date.range"] == "2025-11-10,NOW+1DAYS"


def test_missing_settings_are_named_before_anything_is_made(settings: Settings) -> None:
    empty = dataclasses.replace(settings, chat_ids=(), webhook_secret="")
    with pytest.raises(SettingsError, match="TELEGRAM_CHAT_ID not set"):
        deploy.up(empty)
    with pytest.raises(SettingsError, match="TELEGRAM_WEBHOOK_SECRET not set"):
        deploy.up(dataclasses.replace(settings, webhook_secret=""))
    assert deploy.resources(settings) == []


def test_what_is_not_deployed_is_named(settings: Settings) -> None:
    with pytest.raises(DeployError, match=f"stack {settings.name}-ingest has no code before"):
        deploy.rollback("ingest", settings)
    with pytest.raises(DeployError, match=f"Invoke of {settings.name}-etl: AWS refused"):
        deploy.invoke("etl", {}, settings)
    with pytest.raises(DeployError, match=f"stack {settings.name}-lake is not there"):
        stages.deploy("etl", settings)
    assert not deploy.status(settings).ok


def test_package_uploads_the_code_and_prints_one_command_per_stage(settings: Settings) -> None:
    (first,) = deploy.package(settings)
    assert f"--stack-name {settings.name}-lake" in first
    stages.deploy("lake", settings)
    commands = list(deploy.package(dataclasses.replace(settings, pseudonym_key="a-key-of-hers")))
    stacks = [f"{settings.name}-{s}" for s in deploy.STAGES if s != "batch"]
    assert [c.split()[4] for c in commands] == stacks
    code = Stack("lake", settings).outputs()["CodeBucket"]
    assert len(keys_in(code, settings)) == 2
    assert all(key in " ".join(commands) for key in keys_in(code, settings))
    assert settings.webhook_secret not in " ".join(commands)
    assert "a-key-of-hers" not in " ".join(commands)
    assert "$TELEGRAM_WEBHOOK_SECRET" in commands[1]
    assert "$PSEUDONYM_KEY" in commands[2]


def test_every_client_goes_to_the_settings_endpoint(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    stages.deploy("lake", settings)
    assert Stack("lake", settings).status == "CREATE_COMPLETE"
