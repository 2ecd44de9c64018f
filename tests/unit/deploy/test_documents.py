"""Policies, the API's document, the schedule, the tables: pure functions, read line by line."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tgpipeline.deploy import catalog, gateway, roles, schedule, storage
from tgpipeline.deploy.cloud import covers
from tgpipeline.deploy.deployment import Deployment
from tgpipeline.errors import SettingsError
from tgpipeline.lake.columns import TABLES
from tgpipeline.settings import Settings

ACCOUNT = "123456789012"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/0"
HOLDERS = ("ingest", "etl", "scheduler", "analyst")


def _settings(**more: Any) -> Deployment:
    return Deployment(
        **{
            "name": "aurora",
            "raw_bucket": "aurora-raw",
            "enriched_bucket": "aurora-enriched",
            "chat_ids": (-42,),
            "webhook_secret": "secret",
            **more,
        }
    )


def _statements(holder: str, **more: Any) -> Iterator[dict[str, Any]]:
    yield from roles.policy(holder, _settings(**more), ACCOUNT)["Statement"]


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("key", ["", KEY])
def test_no_action_has_a_wildcard_and_no_resource_is_everything(holder: str, key: str) -> None:
    for statement in _statements(holder, kms_key=key):
        assert statement["Effect"] == "Allow"
        assert all("*" not in action for action in statement["Action"]), statement
        for arn in statement["Resource"]:
            # At most one wildcard, at the end, below a prefix that names a bucket, table or log.
            assert arn.startswith("arn:aws:")
            assert "*" not in arn[:-1]
            assert arn.split(":", 5)[5].rstrip("*") not in ("", "/")


@pytest.mark.parametrize("holder", HOLDERS)
def test_every_resource_is_of_this_deployment(holder: str) -> None:
    for statement in _statements(holder):
        for arn in statement["Resource"]:
            assert "aurora" in arn or arn == f"arn:aws:glue:us-east-1:{ACCOUNT}:catalog"


def test_what_each_may_do_is_this_and_no_more() -> None:
    allowed = {
        holder: sorted({action for s in _statements(holder) for action in s["Action"]})
        for holder in HOLDERS
    }
    logs = ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert allowed["ingest"] == [*logs, "s3:ListBucket", "s3:PutObject"]
    assert allowed["etl"] == [
        *logs,
        *("s3:AbortMultipartUpload", "s3:GetObject", "s3:ListBucket", "s3:PutObject"),
        "sqs:SendMessage",
    ]
    assert allowed["scheduler"] == ["lambda:InvokeFunction", "sqs:SendMessage"]
    assert not {a for a in allowed["analyst"] if a.startswith(("lambda:", "iam:", "logs:"))}


def test_the_analyst_never_sees_the_raw_zone() -> None:
    assert "aurora-raw" not in json.dumps(list(_statements("analyst")))


def test_nobody_may_delete() -> None:
    for holder in HOLDERS:
        assert "Delete" not in json.dumps(list(_statements(holder)))


def test_a_key_adds_only_what_each_does_with_it() -> None:
    for holder, wanted in (
        ("ingest", ["kms:GenerateDataKey"]),
        ("etl", ["kms:Decrypt", "kms:GenerateDataKey"]),
        ("analyst", ["kms:Decrypt", "kms:GenerateDataKey"]),
    ):
        (statement,) = [s for s in _statements(holder, kms_key=KEY) if s["Resource"] == [KEY]]
        assert statement["Action"] == wanted
    assert KEY not in json.dumps(list(_statements("scheduler", kms_key=KEY)))


def test_the_one_wildcard_resource_is_the_one_that_aws_asks_for() -> None:
    (statement,) = _statements("gateway")
    assert statement["Resource"] == ["*"]
    assert all(action.startswith("logs:") and "*" not in action for action in statement["Action"])


@pytest.mark.parametrize("role", roles.ROLES)
def test_a_role_is_taken_by_its_own_service(role: str) -> None:
    (statement,) = roles.trust(role, ACCOUNT)["Statement"]
    assert statement["Principal"] == {"Service": f"{roles.ROLES[role]}.amazonaws.com"}


def test_the_webhook_is_open_to_telegram_alone_on_one_path() -> None:
    document = gateway.document(_settings(), ACCOUNT, "api1", "a-long-path")
    (statement,) = document["policy"]["Statement"]
    assert statement["Condition"] == {
        "IpAddress": {"aws:SourceIp": ["149.154.160.0/20", "91.108.4.0/22"]}
    }
    arn = f"arn:aws:execute-api:us-east-1:{ACCOUNT}:api1/v1/POST/a-long-path"
    assert statement["Resource"] == arn
    assert document["method"]["httpMethod"] == "POST"
    assert document["integration"]["type"] == "AWS_PROXY"
    assert document["integration"]["uri"].endswith("function:aurora-ingest:live/invocations")


def test_the_schedule_tells_the_function_its_scheduled_time_in_the_zone() -> None:
    made = schedule.definition(_settings(timezone="Europe/Lisbon"), ACCOUNT)
    assert made["ScheduleExpression"] == "cron(15 0 * * ? *)"
    assert made["ScheduleExpressionTimezone"] == "Europe/Lisbon"
    assert json.loads(made["Target"]["Input"]) == {
        "scheduled_time": "<aws.scheduler.scheduled-time>"
    }
    assert made["Target"]["RetryPolicy"]["MaximumRetryAttempts"] > 0
    assert made["Target"]["DeadLetterConfig"]["Arn"].endswith(":aurora-failed")


@pytest.mark.parametrize("table", TABLES)
def test_ddl_and_glue_say_the_same(table: str) -> None:
    settings = _settings()
    made, text = catalog.table_input(table, settings), catalog.ddl(table, settings)
    assert [c["Name"] for c in made["StorageDescriptor"]["Columns"]] == [
        column.name for column in TABLES[table]
    ]
    for column in TABLES[table]:
        assert f"`{column.name}` {column.athena_type}" in text
    assert "PARTITIONED BY (`context_date` date" in text
    for key, value in made["Parameters"].items():
        assert key == "EXTERNAL" or f"'{key}' = '{value}'" in text


def test_projection_reaches_tomorrow_and_the_first_message_ever() -> None:
    properties = catalog.parameters("messages", _settings())
    assert properties["projection.context_date.range"] == "2013-08-14,NOW+1DAYS"
    assert properties["storage.location.template"] == (
        "s3://aurora-enriched/telegram/messages/context_date=${context_date}/"
    )


def test_a_workgroup_limits_a_query_and_keeps_its_results_apart() -> None:
    made = catalog.workgroup(_settings(scan_limit=10_000_000))
    assert made["BytesScannedCutoffPerQuery"] == 10_000_000
    assert made["EnforceWorkGroupConfiguration"] is True
    assert made["ResultConfiguration"]["OutputLocation"] == "s3://aurora-enriched/athena-results/"


def test_lifecycle_ends_what_need_not_be_kept_and_never_the_messages() -> None:
    raw = {rule["ID"]: rule for rule in storage.lifecycle("aurora-raw", _settings())}
    assert raw["tgpipeline-quarantine"]["Expiration"] == {"Days": 90}
    assert raw["tgpipeline-raw"]["Transitions"] == [{"Days": 90, "StorageClass": "GLACIER_IR"}]
    # Also without versioning: what was kept while it was on must end.
    assert raw["tgpipeline-versions"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}
    enriched = {rule["ID"]: rule for rule in storage.lifecycle("aurora-enriched", _settings())}
    assert enriched["tgpipeline-results"]["Filter"] == {"Prefix": "athena-results/"}
    both = storage.lifecycle("aurora-raw", _settings(enriched_bucket="aurora-raw", versioning=30))
    assert {"tgpipeline-quarantine", "tgpipeline-results", "tgpipeline-versions"} <= {
        rule["ID"] for rule in both
    }
    for rule in [*raw.values(), *enriched.values(), *both]:
        assert not (rule.get("Expiration") and rule["Filter"]["Prefix"].startswith("telegram"))


def test_the_one_wildcard_action_takes_away() -> None:
    statement = storage.tls_only("aurora-raw")
    assert (statement["Effect"], statement["Action"]) == ("Deny", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_encryption_is_s3_s_own_or_the_given_key() -> None:
    assert "AES256" in json.dumps(storage.encryption(_settings()))
    assert KEY in json.dumps(storage.encryption(_settings(kms_key=KEY)))


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(SettingsError, match="TGPIPELINE_THROTTLE is 'many'"):
        Deployment.from_env(env={"TGPIPELINE_THROTTLE": "many"})
    assert Deployment.from_env(env={"TGPIPELINE_THROTTLE": "7"}).throttle == 7  # type: ignore[attr-defined]


def test_settings_are_completed_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TGPIPELINE_LAYER", "none")
    made = Deployment.of(Settings(name="aurora"))
    assert (made.name, made.layer, made.architecture) == ("aurora", "none", "arm64")
    assert Deployment.of(made) is made
    assert covers({"a": [1]}, {"a": [1]})
