"""Deploying to the local stack: all of it, each step alone, again, changed, back, and away."""

import dataclasses
import io
import json
import time
from typing import Any

import pytest
import requests

from tgpipeline import deploy, local
from tgpipeline.deploy import Cloud, catalog, functions, gateway, packages, roles, schedule, storage
from tgpipeline.deploy.cloud import covers
from tgpipeline.errors import DeployError, SettingsError
from tgpipeline.lake.columns import TABLES
from tgpipeline.settings import Settings

HEADER = "X-Telegram-Bot-Api-Secret-Token"


def _update(update_id: int = 1, **message: Any) -> dict[str, Any]:
    chat = {"id": -4123456789, "type": "group", "title": "Suporte Loja Aurora"}
    sender = {"id": 5, "is_bot": False, "first_name": "Ana"}
    content = {"message_id": update_id, "date": 1764345600, "chat": chat, "from": sender}
    return {"update_id": update_id, "message": {**content, "text": "oi", **message}}


def test_up_then_up_again_changes_nothing(settings: Settings) -> None:
    planned = deploy.up(settings, dry_run=True)
    assert deploy.existing(settings) == []
    first = deploy.up(settings)
    assert len(planned.changes) >= len(first.changes) > 30
    again = deploy.up(settings)
    assert again.changes == []
    assert again.url == first.url
    assert deploy.up(settings, dry_run=True).changes == []


def test_an_update_goes_all_the_way(settings: Settings) -> None:
    url = deploy.up(settings).url
    secret = {HEADER: settings.webhook_secrets[0]}
    answer = requests.post(url, json=_update(7), headers=secret, timeout=30)
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    wrong = requests.post(url, json=_update(8), headers={HEADER: "wrong"}, timeout=30)
    assert wrong.status_code == 403
    s3 = Cloud(settings).client("s3")
    keys = [o["Key"] for o in s3.list_objects_v2(Bucket=settings.raw_bucket)["Contents"]]
    assert keys == ["telegram/context_date=2025-11-28/7.json"]
    made = functions.invoke("etl", {"date": "2025-11-28"}, settings)
    assert made["totals"]["messages"] == 1
    parquet = s3.list_objects_v2(Bucket=settings.enriched_bucket)["Contents"]
    assert len(parquet) == len(TABLES)


def test_the_url_takes_post_and_nothing_else_on_one_path(settings: Settings) -> None:
    url = deploy.up(settings).url
    secret = {HEADER: settings.webhook_secrets[0]}
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        assert requests.request(method, url, headers=secret, timeout=30).status_code == 403
    parent = url.rsplit("/", 1)[0]
    for path in ("", "/", "/webhook", "/telegram", f"/{url.rsplit('/', 1)[1]}/more"):
        answer = requests.post(f"{parent}{path}", json=_update(), headers=secret, timeout=30)
        assert answer.status_code in (403, 404), path


def test_each_step_alone_twice(settings: Settings) -> None:
    def twice(step: Any, *arguments: Any) -> Any:
        first = step(*arguments, settings)
        cloud = Cloud(settings)
        assert step(*arguments, cloud) == first
        assert cloud.changes == []
        return first

    assert twice(storage.ensure_bucket, settings.raw_bucket).endswith(settings.raw_bucket)
    assert twice(roles.ensure_role, "ingest").endswith(f":role/{settings.name}-ingest")
    ingest = twice(functions.ensure_function, "ingest")
    assert ingest.digest == packages.digest(packages.build("ingest"))
    assert settings.name not in repr(twice(gateway.ensure_api).url)
    twice(storage.ensure_bucket, settings.enriched_bucket)
    twice(roles.ensure_role, "etl")
    twice(schedule.ensure_queue)
    twice(functions.ensure_function, "etl")
    twice(roles.ensure_role, "scheduler")
    assert twice(schedule.ensure_schedule).timezone == "America/Sao_Paulo"
    assert twice(catalog.ensure_tables) == settings.name.replace("-", "_")
    twice(roles.ensure_analyst_policy)


def test_drift_is_mended_and_what_others_made_is_kept(settings: Settings) -> None:
    deploy.up(settings)
    cloud = Cloud(settings)
    s3, bucket = cloud.client("s3"), settings.raw_bucket
    theirs = {"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObjectAcl"}
    policy = {
        "Version": "2012-10-17",
        "Statement": [{**theirs, "Resource": f"arn:aws:s3:::{bucket}/*"}],
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    s3.put_public_access_block(
        Bucket=bucket, PublicAccessBlockConfiguration={"BlockPublicAcls": False}
    )
    cloud.client("lambda").update_function_configuration(
        FunctionName=f"{settings.name}-ingest", MemorySize=128
    )
    cloud.client("iam").put_role_policy(
        RoleName=f"{settings.name}-etl",
        PolicyName=f"{settings.name}-etl",
        PolicyDocument=json.dumps(policy),
    )
    changes = deploy.up(settings).changes
    assert f"set public access block of bucket {bucket}" in changes
    assert f"set policy of bucket {bucket}" in changes
    assert f"update configuration of function {settings.name}-ingest" in changes
    assert f"set permissions of role {settings.name}-etl" in changes
    statements = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    assert [statement["Sid"] for statement in statements] == ["Theirs", "TlsOnly"]
    assert deploy.up(settings).changes == []


def test_new_settings_reach_what_they_concern_and_nothing_else(settings: Settings) -> None:
    url = deploy.up(settings).url
    changed = dataclasses.replace(settings, timezone="Europe/Lisbon")
    deployed = deploy.up(changed)
    assert deployed.url == url
    assert [change.split()[0] for change in deployed.changes] == [
        *("update", "publish", "make") * 2,
        "update",
    ]
    assert requests.post(url, json=_update(), timeout=30).status_code == 403


def test_a_key_encrypts_what_is_stored_and_is_allowed_to_who_needs_it(settings: Settings) -> None:
    deploy.up(settings)
    name, key = settings.name, "arn:aws:kms:us-east-1:000000000000:key/0"
    keyed = dataclasses.replace(deploy.Deployment.of(settings), kms_key=key)
    assert deploy.up(keyed).changes == [
        f"set encryption of bucket {settings.raw_bucket}",
        f"set encryption of bucket {settings.enriched_bucket}",
        f"set permissions of role {name}-ingest",
        f"set permissions of role {name}-etl",
        f"set policy {name}-analyst",
        f"update workgroup {name}",
    ]
    assert deploy.up(keyed).changes == []


def test_changed_code_is_live_at_once_and_rollback_takes_it_back(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = deploy.up(settings)
    real = packages.files("ingest")
    broken = b"def lambda_handler(event, context):\n    return {'statusCode': 503, 'body': ''}\n"
    monkeypatch.setattr(packages, "files", lambda name: {**real, "tgpipeline/ingest.py": broken})
    functions.ensure_function("ingest", settings)
    monkeypatch.undo()
    secret = {HEADER: settings.webhook_secrets[0]}
    assert requests.post(before.url, json=_update(), headers=secret, timeout=30).status_code == 503
    back = functions.rollback("ingest", settings)
    assert back.digest == packages.digest(packages.build("ingest"))
    assert requests.post(before.url, json=_update(), headers=secret, timeout=30).status_code == 200
    with pytest.raises(DeployError, match="no version before"):
        functions.rollback("ingest", settings)


def test_rollback_keeps_a_secret_that_was_rotated_since(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = deploy.up(settings).url
    real, code = packages.files("ingest"), packages.build("ingest")
    newer = {**real, "tgpipeline/errors.py": real["tgpipeline/errors.py"] + b"#\n"}
    monkeypatch.setattr(packages, "files", lambda name: newer)
    rotated = dataclasses.replace(settings, webhook_secret="the-new-one")
    live = functions.ensure_function("ingest", rotated)
    monkeypatch.undo()
    # MiniStack's link leads to the newest code, whatever version was asked for: that is noticed.
    with pytest.raises(DeployError, match="nothing was changed"):
        functions.rollback("ingest", rotated)
    assert functions.ensure_function("ingest", rotated).version != live.version
    # AWS's link leads to the version's own code.
    monkeypatch.setattr(packages, "files", lambda name: newer)
    functions.ensure_function("ingest", dataclasses.replace(rotated, webhook_secret="newest"))
    monkeypatch.undo()
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: io.BytesIO(code))
    latest = dataclasses.replace(settings, webhook_secret="newest")
    back = functions.rollback("ingest", latest)
    assert back.digest == packages.digest(code)
    for secret, status in (("newest", 200), ("the-new-one", 403), (settings.webhook_secret, 403)):
        answer = requests.post(url, json=_update(), headers={HEADER: secret}, timeout=30)
        assert answer.status_code == status
    # A secret that is changed now is changed in the code that was gone back to.
    assert functions.set_variable("ingest", "NEW", "1", latest).digest == back.digest


def test_a_run_that_raises_is_an_error_that_says_so(settings: Settings) -> None:
    deploy.up(settings)
    with pytest.raises(DeployError, match=r"etl raised [\w.]+: .*which day is meant"):
        functions.invoke("etl", {"day": "yesterday"}, settings)


def test_a_run_that_fails_to_the_last_try_waits_in_the_queue(settings: Settings) -> None:
    deploy.up(settings)
    cloud = Cloud(settings)
    states = {what: right for what, _, right in deploy.status(settings).rows}
    # Before its first day is over a deployment has an alarm that rings: no day was done yet.
    assert [what for what, right in states.items() if not right] in ([], ["alarms"])
    cloud.client("lambda").invoke(
        FunctionName=f"{settings.name}-etl",
        Qualifier=functions.LIVE,
        InvocationType="Event",
        Payload=b'{"day": "yesterday"}',
    )
    deadline = time.monotonic() + 20
    while not schedule.failed(cloud) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert schedule.failed(cloud) == 1
    status = deploy.status(settings)
    assert not status.ok
    assert "1 wait in the queue" in str(status)


def test_a_new_secret_in_one_call_loses_nothing(settings: Settings, stack: local.Stack) -> None:
    ana = {"id": 5, "is_bot": False, "first_name": "Ana"}
    stack.bot.set_webhook(deploy.up(settings).url, secret_token=settings.webhook_secret)
    stack.telegram.say(ana, "antes")
    # Of a shell that knows neither the zone nor the chats, it changes the secret alone.
    strange = dataclasses.replace(settings, timezone="Asia/Tokyo", chat_ids=(-5,))
    rotated = deploy.rotate_secret(strange, stack.bot)
    rotated = dataclasses.replace(settings, webhook_secret=rotated.webhook_secret)
    assert deploy.up(rotated).changes == []
    stack.telegram.say(ana, "depois")
    stack.telegram.wait_delivered()
    stack.bot.delete_webhook()
    assert storage.count(Cloud(settings), settings.raw_bucket, "telegram/") == 2
    assert rotated.webhook_secret not in ("", settings.webhook_secret)
    unknown = dataclasses.replace(settings, webhook_secret="")
    assert deploy.up(unknown).changes == []  # who deploys again need not know it
    old = {HEADER: settings.webhook_secret}
    url = deploy.up(rotated).url
    assert requests.post(url, json=_update(), headers=old, timeout=30).status_code == 403


def test_a_secret_is_replaced_where_there_is_one_and_the_webhook_is_ours(
    settings: Settings, stack: local.Stack
) -> None:
    with pytest.raises(DeployError, match="none to replace"):
        deploy.rotate_secret(settings, stack.bot)
    assert deploy.existing(settings) == []
    url = deploy.up(settings).url
    assert gateway.deployed_url(settings) == url
    stack.bot.set_webhook(f"{url}-of-another", secret_token="theirs")
    with pytest.raises(DeployError, match="no secret was changed"):
        deploy.rotate_secret(settings, stack.bot)
    stack.bot.delete_webhook()
    assert deploy.up(settings).changes == []
    assert deploy.rotate_secret(settings, stack.bot, "given").webhook_secret == "given"


def test_down_leaves_the_data_unless_told_and_then_nothing(settings: Settings) -> None:
    deploy.up(settings)
    s3 = Cloud(settings).client("s3")
    s3.put_object(Bucket=settings.raw_bucket, Key="telegram/x", Body=b"{}")
    planned = deploy.down(settings, dry_run=True)
    assert len(deploy.existing(settings)) > 15
    assert deploy.down(settings) == planned
    kept = [f"arn:aws:s3:::{name}" for name in (settings.raw_bucket, settings.enriched_bucket)]
    assert deploy.existing(settings) == kept
    assert s3.get_object(Bucket=settings.raw_bucket, Key="telegram/x")["Body"].read() == b"{}"
    assert len(deploy.down(settings, delete_data=True)) == 2
    assert deploy.existing(settings) == []
    assert deploy.down(settings, delete_data=True) == []


def test_the_ddl_makes_the_table_that_glue_was_given(settings: Settings) -> None:
    deploy.up(settings)
    cloud = Cloud(settings)
    glue, athena = cloud.client("glue"), cloud.client("athena")
    for table in TABLES:
        glue.delete_table(DatabaseName=cloud.settings.database, Name=table)
        query = athena.start_query_execution(
            QueryString=catalog.ddl(table, cloud.settings), WorkGroup=settings.name
        )
        state = {"State": "QUEUED"}
        while state["State"] in ("QUEUED", "RUNNING"):
            found = athena.get_query_execution(QueryExecutionId=query["QueryExecutionId"])
            state = found["QueryExecution"]["Status"]
        assert state["State"] == "SUCCEEDED", state
        made = glue.get_table(DatabaseName=cloud.settings.database, Name=table)["Table"]
        made["StorageDescriptor"]["Location"] += "/"  # MiniStack takes the slash off, Athena not
        assert covers(made, catalog.table_input(table, cloud.settings))


def test_missing_settings_are_named_before_anything_is_made(settings: Settings) -> None:
    empty = dataclasses.replace(settings, chat_ids=(), webhook_secret="")
    with pytest.raises(SettingsError, match="TELEGRAM_CHAT_ID and TELEGRAM_WEBHOOK_SECRET not set"):
        deploy.up(empty)
    assert deploy.existing(settings) == []


def test_what_is_not_deployed_is_named(settings: Settings) -> None:
    with pytest.raises(DeployError, match=f"{settings.name}-ingest.* no such thing"):
        functions.rollback("ingest", settings)
    with pytest.raises(DeployError, match=f"{settings.name}-etl could not be invoked"):
        functions.invoke("etl", {}, settings)
