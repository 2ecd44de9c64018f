"""Least privilege, tried rather than read: by two emulators of IAM that know nothing of each other.

The policies are read from the roles that MiniStack made of the templates. Each is given to a user
of its own, who then does all that its holder must, and a list of what it must not. MiniStack
moreover runs both functions under their roles with IAM enforced; moto judges policies alone.
"""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from tgpipeline import deploy, local
from tgpipeline.deploy import Stack, stages
from tgpipeline.lake import stores
from tgpipeline.local import ministack as local_aws
from tgpipeline.settings import Settings, aws_client

HEADER = "X-Telegram-Bot-Api-Secret-Token"
GROUP = -4123456789
RAW, ENRICHED = "aurora-raw", "aurora-enriched"
HOLDERS = ("ingest", "batch", "etl", "analyst")


@dataclasses.dataclass
class Judge:
    """An AWS that enforces IAM, with the buckets and one user a holder."""

    name: str
    endpoint_url: str
    keys: dict[str, tuple[str, str]]

    def client(self, holder: str, service: str) -> Any:
        key, secret = self.keys[holder]
        return boto3.client(
            service,
            endpoint_url=self.endpoint_url,
            region_name=local_aws.VARIABLES["clients"]["AWS_REGION"],
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=None,
        )


@pytest.fixture(scope="module")
def policies() -> dict[str, Any]:
    """What each holder may do, read from what MiniStack made of the templates."""
    with local.start() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_S3_BUCKET", RAW)
        patch.setenv("AWS_S3_ENRICHED", ENRICHED)
        patch.setenv("TGPIPELINE_NAME", "aurora")
        patch.setenv("TGPIPELINE_BATCH_SECONDS", "60")
        patch.setenv("PSEUDONYM_KEY", "k" * 32)
        settings = Settings.from_env()
        deploy.up(settings)
        iam = aws_client("iam", settings)
        found = {}
        for stage in ("ingest", "batch", "etl"):
            role = Stack(stage, settings).resources()["Role"]["PhysicalResourceId"]
            inline = iam.get_role_policy(RoleName=role, PolicyName=stage)
            found[stage] = inline["PolicyDocument"]
        arn = Stack("analytics", settings).outputs()["AnalystPolicy"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        managed = iam.get_policy_version(PolicyArn=arn, VersionId=version)
        found["analyst"] = managed["PolicyVersion"]["Document"]
        assert stack.settings.raw_bucket != RAW
        return found


def _prepare(judge: Judge, policies: dict[str, Any]) -> None:
    iam, s3 = judge.client("root", "iam"), judge.client("root", "s3")
    for bucket in (RAW, ENRICHED, "somebody-elses"):
        s3.create_bucket(Bucket=bucket)
    for bucket, key in (
        (RAW, "telegram/x"),
        (RAW, "quarantine/x"),
        (RAW, "migrations/x"),
        (RAW, "bots/x"),
        (RAW, "erased/key"),
        (RAW, "requests/x"),
        (ENRICHED, "telegram/x"),
        (ENRICHED, "athena-results/x"),
        ("somebody-elses", "telegram/x"),
    ):
        s3.put_object(Bucket=bucket, Key=key, Body=b"{}")
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    admin = {"Version": "2012-10-17", "Statement": [everything]}
    for holder, policy in (policies | {"admin": admin}).items():
        iam.create_user(UserName=holder)
        iam.put_user_policy(UserName=holder, PolicyName=holder, PolicyDocument=json.dumps(policy))
        made = iam.create_access_key(UserName=holder)["AccessKey"]
        judge.keys[holder] = made["AccessKeyId"], made["SecretAccessKey"]


@pytest.fixture(scope="module")
def ministack(policies: dict[str, Any]) -> Iterator[Judge]:
    with local_aws.start_aws(enforce_iam=True) as stack:
        judge = Judge("ministack", stack.endpoint_url, {"root": ("local", "local")})
        _prepare(judge, policies)
        yield judge


@pytest.fixture(scope="module")
def moto(policies: dict[str, Any]) -> Iterator[Judge]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    judge = Judge("moto", url, {"root": ("root", "root")})
    try:
        _prepare(judge, policies)
        # From here on moto asks IAM about every call.
        requests.post(f"{url}/moto-api/reset-auth", data=b"0", timeout=10).raise_for_status()
        yield judge
    finally:
        server.stop()


@pytest.fixture(params=["ministack", "moto"])
def judge(request: pytest.FixtureRequest) -> Judge:
    found: Judge = request.getfixturevalue(request.param)
    return found


MAY = {
    "ingest": [
        ("put_object", RAW, "telegram/context_date=2025-11-28/1.json"),
        ("put_object", RAW, "quarantine/context_date=2025-11-28/0.bin"),
        ("put_object", RAW, "migrations/-100.json"),
        ("put_object", RAW, "requests/forget-5.json"),
        ("list_objects_v2", RAW, "migrations/-100.json"),
        ("list_objects_v2", RAW, "telegram/context_date=2025-11-28/1.json"),
    ],
    "batch": [
        ("put_object", RAW, "telegram/context_date=2025-11-28/batch-0.ndjson"),
        ("put_object", RAW, "quarantine/context_date=2025-11-28/0.bin"),
    ],
    "etl": [
        ("list_objects_v2", RAW, "telegram/context_date=2025-11-28/"),
        ("list_objects_v2", RAW, "migrations/"),
        ("get_object", RAW, "telegram/x"),
        ("get_object", RAW, "migrations/x"),
        ("get_object", RAW, "bots/x"),
        ("get_object", RAW, "erased/key"),
        ("list_objects_v2", RAW, "erased/"),
        ("put_object", RAW, "bots/5.json"),
        ("put_object", RAW, "quarantine/context_date=2025-11-28/0.bin"),
        ("put_object", ENRICHED, "telegram/messages/context_date=2025-11-28/part-0.parquet"),
        ("get_object", ENRICHED, "telegram/x"),
        ("create_multipart_upload", ENRICHED, "telegram/large"),
    ],
    "analyst": [
        ("list_objects_v2", ENRICHED, "telegram/"),
        ("get_object", ENRICHED, "telegram/x"),
        ("put_object", ENRICHED, "athena-results/y.csv"),
        ("get_object", ENRICHED, "athena-results/x"),
    ],
}
MUST_NOT = {
    "ingest": [
        ("get_object", RAW, "telegram/x"),
        ("get_object", RAW, "quarantine/x"),
        # /forget only asks: nothing that a member writes erases, or takes a request back.
        ("put_object", RAW, "erased/x.json"),
        ("get_object", RAW, "erased/key"),
        ("get_object", RAW, "requests/x"),
        ("delete_object", RAW, "requests/x"),
        ("put_object", RAW, "elsewhere/x"),
        ("put_object", ENRICHED, "telegram/x"),
        ("put_object", "somebody-elses", "telegram/x"),
        ("delete_object", RAW, "telegram/x"),
        ("list_objects_v2", ENRICHED, ""),
        ("put_bucket_policy", RAW, ""),
    ],
    "batch": [
        ("get_object", RAW, "telegram/x"),
        ("list_objects_v2", RAW, "telegram/"),
        ("put_object", RAW, "requests/x"),
        ("put_object", RAW, "erased/x.json"),
        ("get_object", RAW, "erased/key"),
        ("delete_object", RAW, "telegram/x"),
        ("put_object", ENRICHED, "telegram/x"),
        ("get_object", ENRICHED, "telegram/x"),
    ],
    "etl": [
        ("put_object", RAW, "telegram/x"),
        ("put_object", RAW, "migrations/x"),
        ("put_object", RAW, "erased/key"),
        ("get_object", RAW, "requests/x"),
        ("get_object", RAW, "quarantine/x"),
        ("delete_object", RAW, "telegram/x"),
        ("delete_object", ENRICHED, "telegram/x"),
        ("put_object", ENRICHED, "athena-results/x"),
        ("get_object", ENRICHED, "athena-results/x"),
        ("get_object", "somebody-elses", "telegram/x"),
        ("delete_bucket", ENRICHED, ""),
    ],
    "analyst": [
        ("get_object", RAW, "telegram/x"),
        ("list_objects_v2", RAW, "telegram/"),
        ("get_object", RAW, "quarantine/x"),
        ("get_object", RAW, "erased/key"),
        ("get_object", RAW, "requests/x"),
        ("put_object", ENRICHED, "telegram/x"),
        ("delete_object", ENRICHED, "telegram/x"),
        ("delete_object", ENRICHED, "athena-results/x"),
        ("get_object", "somebody-elses", "telegram/x"),
    ],
}


def _call(s3: Any, action: str, bucket: str, key: str) -> int:
    """The HTTP status of a call."""
    arguments: dict[str, Any] = {"Bucket": bucket}
    if action == "list_objects_v2":
        arguments["Prefix"] = key
    elif action == "put_bucket_policy":
        arguments["Policy"] = "{}"
    elif key:
        arguments["Key"] = key
    if action == "put_object":
        arguments["Body"] = b"{}"
    try:
        return int(getattr(s3, action)(**arguments)["ResponseMetadata"]["HTTPStatusCode"])
    except ClientError as error:
        return int(error.response["ResponseMetadata"]["HTTPStatusCode"])


@pytest.mark.parametrize("holder", HOLDERS)
def test_each_can_do_all_it_must(judge: Judge, holder: str) -> None:
    s3 = judge.client(holder, "s3")
    answers = {call: _call(s3, *call) for call in MAY[holder]}
    assert {call: status for call, status in answers.items() if status != 200} == {}


@pytest.mark.parametrize("holder", HOLDERS)
def test_none_can_do_what_it_must_not(judge: Judge, holder: str) -> None:
    s3 = judge.client(holder, "s3")
    answers = {call: _call(s3, *call) for call in MUST_NOT[holder]}
    assert {call: status for call, status in answers.items() if status != 403} == {}


# What a column of the table in docs/privacy.md means.
COLUMNS = {
    "raw messages": ("get_object", RAW, "telegram/x"),
    "quarantine": ("get_object", RAW, "quarantine/x"),
    "requests": ("get_object", RAW, "requests/x"),
    "erasures' key": ("get_object", RAW, "erased/key"),
    "tables": ("get_object", ENRICHED, "telegram/x"),
    "query results": ("get_object", ENRICHED, "athena-results/x"),
    "delete messages": ("delete_object", RAW, "telegram/none"),
    "delete tables": ("delete_object", ENRICHED, "telegram/none"),
}


def test_the_table_of_who_may_read_what_is_enforced(judge: Judge) -> None:
    text = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text("utf-8")
    table = text.partition("## Who may read what")[2].strip().split("\n\n")[0].splitlines()
    names, _, *lines = ([cell.strip() for cell in line.strip("|").split("|")] for line in table)
    assert names[1:] == [*COLUMNS, "key of pseudonyms"]
    asked = 0
    for role, *cells in lines:
        holder = {"administrator": "admin"}.get(role.split()[0], role.split()[0].lower())
        if holder not in (*HOLDERS, "admin"):
            continue
        for name, cell in zip(COLUMNS, cells, strict=False):
            may = cell.startswith("yes")
            status = _call(judge.client(holder, "s3"), *COLUMNS[name])
            assert (status < 300) == may, (judge.name, role, name, status)
            asked += 1
    assert asked == (len(HOLDERS) + 1) * len(COLUMNS)


def test_listing_is_allowed_by_prefix(ministack: Judge) -> None:
    """On MiniStack alone: moto takes no notice of a policy's conditions."""
    for holder, prefixes in (("ingest", ("", "telegram/", "quarantine/")), ("etl", ("", "qu"))):
        s3 = ministack.client(holder, "s3")
        for prefix in prefixes:
            assert _call(s3, "list_objects_v2", RAW, prefix) == 403, (holder, prefix)


def test_etl_can_tell_missing_from_forbidden(judge: Judge) -> None:
    assert _call(judge.client("etl", "s3"), "head_object", ENRICHED, "telegram/missing") == 404


def test_nobody_reaches_another_service(judge: Judge) -> None:
    for holder in HOLDERS:
        for service, action, arguments in (
            ("iam", "list_users", {}),
            ("sqs", "list_queues", {}),
            ("secretsmanager", "list_secrets", {}),
            ("glue", "delete_database", {"Name": "aurora"}),
        ):
            with pytest.raises(ClientError) as caught:
                getattr(judge.client(holder, service), action)(**arguments)
            status = caught.value.response["ResponseMetadata"]["HTTPStatusCode"]
            assert status in (400, 403), (holder, service, caught.value)
            assert "Denied" in str(caught.value) or "not authorized" in str(caught.value)


def test_the_key_of_pseudonyms_is_read_by_no_role(judge: Judge) -> None:
    """It is in the ETL function's environment; a role reads no function's configuration."""
    for holder in HOLDERS:
        with pytest.raises(ClientError) as caught:
            judge.client(holder, "lambda").get_function_configuration(FunctionName="aurora-etl")
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403, holder


def test_the_analyst_queries_in_the_own_workgroup_alone(ministack: Judge) -> None:
    key, secret = ministack.keys["root"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", key)
        patch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        ours = Settings(
            name="aurora",
            raw_bucket=RAW,
            enriched_bucket=ENRICHED,
            endpoint_url=ministack.endpoint_url,
        )
        stages.deploy("analytics", ours)
    athena = ministack.client("analyst", "athena")
    started = athena.start_query_execution(
        QueryString="SELECT count(*) FROM events",
        QueryExecutionContext={"Database": "aurora"},
        WorkGroup="aurora",
    )
    state = "QUEUED"
    # MiniStack asks about this call without its resource, which AWS says is the workgroup.
    watching = ministack.client("root", "athena")
    while state in ("QUEUED", "RUNNING"):
        found = watching.get_query_execution(QueryExecutionId=started["QueryExecutionId"])
        state = found["QueryExecution"]["Status"]["State"]
    assert state == "SUCCEEDED", found
    with pytest.raises(ClientError, match="AccessDenied"):
        athena.start_query_execution(QueryString="SELECT 1", WorkGroup="primary")


@pytest.fixture(scope="module")
def enforced() -> Iterator[local.LocalStack]:
    """Everything deployed on a stack that enforces IAM."""
    with local.start(enforce_iam=True) as stack:
        deploy.up(stack.settings)
        yield stack


def _update(update_id: int, chat: int = GROUP, **content: Any) -> dict[str, Any]:
    message = {
        "message_id": update_id,
        "date": 1764345600,
        "chat": {"id": chat, "type": "group", "title": "Suporte Loja Aurora"},
        "from": {"id": 5, "is_bot": False, "first_name": "Ana"},
    }
    return {"update_id": update_id, "message": {**message, **content}}


def test_a_bucket_takes_nothing_without_tls(enforced: local.LocalStack) -> None:
    url, secret = deploy.webhook.deployed(enforced.settings).url, {HEADER: local.SECRET}
    answer = requests.post(url, json=_update(1, text="oi"), headers=secret, timeout=30)
    assert answer.status_code == 500  # the stack speaks plain HTTP: the bucket's policy refuses
    s3 = aws_client("s3", enforced.settings)
    assert s3.list_objects_v2(Bucket=enforced.settings.raw_bucket)["KeyCount"] == 0


def test_both_functions_do_their_work_under_their_roles(enforced: local.LocalStack) -> None:
    settings, s3 = enforced.settings, aws_client("s3", enforced.settings)
    for bucket in (settings.raw_bucket, settings.enriched_bucket):  # plain HTTP, from here on
        s3.delete_bucket_policy(Bucket=bucket)
    new = -1004123456789
    bodies: list[Any] = [
        _update(1, text="oi"),
        _update(2, migrate_to_chat_id=new),
        _update(3, chat=new, text="oi de novo"),
        _update(4, chat=-999, text="not ours"),
        {"no": "update"},
    ]
    for body in bodies:
        url = deploy.webhook.deployed(enforced.settings).url
        answer = requests.post(url, json=body, headers={HEADER: local.SECRET}, timeout=30)
        assert answer.status_code == 200, body
    stores.archive(settings, s3)(_update(9, text="sou o bot")["message"])
    s3.put_object(
        Bucket=settings.raw_bucket, Key="telegram/context_date=2025-11-28/8.json", Body=b"{"
    )
    for status in ("written", "unchanged"):
        done = deploy.invoke("etl", {"date": "2025-11-28"}, settings)
        assert [day["status"] for day in done["days"]] == [status]
    assert done["totals"]["messages"] == 4
    assert done["totals"]["quarantined"] == 1
    logs = aws_client("logs", settings).describe_log_streams(
        logGroupName=f"/aws/lambda/{settings.name}-ingest"
    )
    assert logs["logStreams"]


def test_the_roles_as_aws_would_simulate_them(enforced: local.LocalStack) -> None:
    settings = enforced.settings
    raw, enriched = (
        f"arn:aws:s3:::{settings.raw_bucket}",
        f"arn:aws:s3:::{settings.enriched_bucket}",
    )
    made = {stage: Stack(stage, settings).resources() for stage in ("ingest", "etl")}
    iam, functions = aws_client("iam", settings), "arn:aws:lambda:us-east-1:000000000000:function:"
    etl, queue = f"{functions}{settings.name}-etl", made["etl"]["Failed"]["PhysicalResourceId"]
    failed = f"arn:aws:sqs:us-east-1:000000000000:{queue.rpartition('/')[2]}"
    for stage, role, action, resource, expected in (
        ("ingest", "Role", "s3:PutObject", f"{raw}/telegram/x", True),
        ("ingest", "Role", "s3:GetObject", f"{raw}/telegram/x", False),
        ("ingest", "Role", "s3:PutObject", f"{enriched}/telegram/x", False),
        ("etl", "Role", "s3:GetObject", f"{raw}/telegram/x", True),
        ("etl", "Role", "s3:DeleteObject", f"{raw}/telegram/x", False),
        ("etl", "Role", "lambda:InvokeFunction", etl, False),
        ("etl", "SchedulerRole", "lambda:InvokeFunction", etl, True),
        ("etl", "SchedulerRole", "lambda:InvokeFunction", f"{functions}tgpipeline-ingest", False),
        ("etl", "SchedulerRole", "sqs:SendMessage", failed, True),
        ("etl", "SchedulerRole", "s3:GetObject", f"{raw}/telegram/x", False),
    ):
        name = made[stage][role]["PhysicalResourceId"]
        arn = iam.get_role(RoleName=name)["Role"]["Arn"]
        found = iam.simulate_principal_policy(
            PolicySourceArn=arn, ActionNames=[action], ResourceArns=[resource]
        )["EvaluationResults"]
        allowed = [one["EvalDecision"] == "allowed" for one in found]
        assert allowed == [expected], (stage, role, action)


def test_the_webhook_is_closed_to_other_addresses() -> None:
    with local.start(enforce_iam=True) as stack:
        narrow = dataclasses.replace(
            deploy.Deployment.of(stack.settings), telegram_ranges="149.154.160.0/20"
        )
        for stage in ("lake", "ingest"):
            stages.deploy(stage, narrow)
        url = deploy.webhook.deployed(narrow).url
        headers = {HEADER: local.SECRET}
        answer = requests.post(url, json=_update(1), headers=headers, timeout=30)
        assert answer.status_code == 403
        assert "not authorized" in answer.text
