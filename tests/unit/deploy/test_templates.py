"""The templates, read line by line: who may do what, what is kept, what rings, what it is told."""

import json
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from tests import cloudformation as cfn
from tgpipeline import resources
from tgpipeline.analytics import athena
from tgpipeline.deploy import Deployment, packages, templates
from tgpipeline.deploy.templates import STAGES
from tgpipeline.errors import DeployError
from tgpipeline.ingest import SECRET_HEADER
from tgpipeline.lake import keys
from tgpipeline.lake.columns import TABLES

KEY = "arn:aws:kms:us-east-1:123456789012:key/0"
ROLES = {"ingest": ["Role"], "batch": ["Role"], "etl": ["Role", "SchedulerRole"]}


def statements(stage: str, role: str, **parameters: Any) -> list[dict[str, Any]]:
    properties = cfn.resources(stage, **parameters)[role]["Properties"]
    if "PolicyDocument" in properties:
        return list(properties["PolicyDocument"]["Statement"])
    return [s for p in properties["Policies"] for s in p["PolicyDocument"]["Statement"]]


HOLDERS = [("ingest", "Role"), ("batch", "Role"), ("etl", "Role"), ("etl", "SchedulerRole")]
HOLDERS.append(("analytics", "Analyst"))


@pytest.mark.parametrize(("stage", "role"), HOLDERS)
@pytest.mark.parametrize("key", ["", KEY])
def test_no_action_has_a_wildcard_and_every_resource_is_of_this_deployment(stage, role, key):
    for statement in statements(stage, role, KmsKey=key):
        assert statement["Effect"] == "Allow"
        assert all("*" not in action for action in statement["Action"]), statement
        for arn in statement["Resource"]:
            assert "*" not in arn[:-1]
            ours = "aurora" in arn or arn == KEY or re.fullmatch(r"<\w+\.Arn>", arn)
            catalog = "arn:aws:glue:us-east-1:123456789012:"
            named = arn.endswith((":workgroup/<WorkGroup>", ":catalog", "/<Database>"))
            assert ours or named or arn == f"{catalog}table/<Database>/*", arn


def test_what_each_may_do_is_this_and_no_more() -> None:
    allowed = {
        f"{stage}.{role}": sorted({a for s in statements(stage, role) for a in s["Action"]})
        for stage, role in HOLDERS
    }
    logs = ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert allowed["ingest.Role"] == [*logs, "s3:ListBucket", "s3:PutObject"]
    queue = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
    assert allowed["batch.Role"] == [*logs, "s3:PutObject", *queue]
    assert allowed["etl.Role"] == [
        *logs,
        *("s3:AbortMultipartUpload", "s3:GetObject", "s3:ListBucket", "s3:PutObject"),
        "sqs:SendMessage",
    ]
    assert allowed["etl.SchedulerRole"] == ["lambda:InvokeFunction", "sqs:SendMessage"]
    services = {action.partition(":")[0] for action in allowed["analytics.Analyst"]}
    assert services == {"athena", "glue", "s3"}


def test_nobody_may_delete_and_the_analyst_never_sees_the_raw_zone() -> None:
    for stage, role in HOLDERS:
        assert "s3:Delete" not in json.dumps(statements(stage, role))
    assert "aurora-raw" not in json.dumps(statements("analytics", "Analyst"))


def test_a_key_adds_only_what_each_does_with_it() -> None:
    for stage, role, wanted in (
        ("ingest", "Role", ["kms:GenerateDataKey"]),
        ("batch", "Role", ["kms:GenerateDataKey"]),
        ("etl", "Role", ["kms:Decrypt", "kms:GenerateDataKey"]),
        ("analytics", "Analyst", ["kms:Decrypt", "kms:GenerateDataKey"]),
    ):
        (statement,) = (s for s in statements(stage, role, KmsKey=KEY) if s["Resource"] == [KEY])
        assert statement["Action"] == wanted
    assert KEY not in json.dumps(statements("etl", "SchedulerRole", KmsKey=KEY))


@pytest.mark.parametrize("stage", STAGES)
def test_a_setting_and_its_parameter_have_one_default(stage: str) -> None:
    usual = Deployment(name="tgpipeline")
    for name, parameter in cfn.load(stage)["Parameters"].items():
        setting = re.sub(r"\B([A-Z])", r"_\1", name).lower()
        if hasattr(usual, setting) and "Default" in parameter and name != "BatchSeconds":
            assert str(parameter["Default"]) == str(getattr(usual, setting)), name
        if name == "Burst":
            assert parameter["Default"] == 2 * usual.throttle


@pytest.mark.parametrize("stage", STAGES)
def test_a_key_s_alias_is_refused_since_it_matches_nothing_in_a_policy(stage: str) -> None:
    pattern = cfn.load(stage)["Parameters"]["KmsKey"]["AllowedPattern"]
    assert re.fullmatch(pattern, KEY)
    assert re.fullmatch(pattern, "")
    assert not re.fullmatch(pattern, "arn:aws:kms:us-east-1:123456789012:alias/mine")


def test_no_role_has_a_name_of_its_own_so_two_regions_never_share_one() -> None:
    for stage in STAGES:
        for resource in cfn.load(stage)["Resources"].values():
            if resource["Type"].startswith("AWS::IAM::"):
                assert not {"RoleName", "ManagedPolicyName"} & set(resource["Properties"])


def test_a_role_is_taken_by_its_own_service_alone() -> None:
    for stage, roles in ROLES.items():
        for role in roles:
            trust = cfn.resources(stage)[role]["Properties"]["AssumeRolePolicyDocument"]
            (statement,) = trust["Statement"]
            service = "scheduler" if role == "SchedulerRole" else "lambda"
            assert statement["Principal"] == {"Service": f"{service}.amazonaws.com"}


def test_the_webhook_is_open_to_telegram_alone_and_the_console_s_test_may_call() -> None:
    made = cfn.resources("ingest")
    (statement,) = made["Api"]["Properties"]["Policy"]["Statement"]
    assert statement["Condition"] == {
        "IpAddress": {"aws:SourceIp": ["149.154.160.0/20", "91.108.4.0/22"]}
    }
    assert statement["Resource"] == "execute-api:/*"  # AWS puts the API's id in front
    assert made["Path"]["Properties"]["PathPart"] == "the-guid"
    assert made["Method"]["Properties"]["HttpMethod"] == "POST"
    source = made["Permission"]["Properties"]["SourceArn"]
    # Any stage: Test calls come from one named test-invoke-stage.
    assert source.endswith(":<Api>/*/POST/the-guid")


def test_a_changed_api_is_deployed_under_another_name_and_a_comment_changes_none() -> None:
    text = templates.template("ingest")
    name = re.search(r"Deployment[0-9a-f]{8}", text)[0]
    assert name in cfn.load("ingest")["Resources"]
    assert text.count(name) == 2, "the stage must name the deployment that there is"
    for was, new in (
        ("HttpMethod: POST", "HttpMethod: PUT"),
        ("Resource: execute-api:/*", "Resource: execute-api:/v1/*"),
        ("Types: [REGIONAL]", "Types: [EDGE]"),
        ("TimeoutInMillis: 29000", "TimeoutInMillis: 9000"),
    ):
        assert name not in templates.filled(text.replace(was, new, 1)), was
    assert name in templates.filled(text.replace("# Telegram cannot sign", "# Nobody signs"))
    assert name in templates.filled(text.replace("MemorySize: 256", "MemorySize: 512"))


@pytest.mark.parametrize("table", TABLES)
def test_the_tables_are_what_the_code_says(table: str) -> None:
    (made,) = (
        t["TableInput"]
        for t in cfn.of_type("AWS::Glue::Table", "analytics").values()
        if t["TableInput"]["Name"] == table
    )
    columns = made["StorageDescriptor"]["Columns"]
    assert [(c["Name"], c["Type"], c["Comment"]) for c in columns] == [
        (c.name, c.athena_type, c.meaning) for c in TABLES[table]
    ]
    where = f"s3://aurora-enriched/{keys.RAW}/{table}/"
    assert made["StorageDescriptor"]["Location"] == where
    assert made["Parameters"]["storage.location.template"] == (
        where + "context_date=${context_date}/"
    )


def test_athena_looks_at_no_day_before_the_first_and_at_tomorrow() -> None:
    """A range from years ago would list thousands of folders that are empty."""
    for table in cfn.of_type("AWS::Glue::Table", "analytics", FirstDay="2024-02-29").values():
        parameters = table["TableInput"]["Parameters"]
        assert parameters["projection.context_date.range"] == "2024-02-29,NOW+1DAYS"
    assert "Default" not in cfn.load("analytics")["Parameters"]["FirstDay"]


def test_the_database_takes_no_hyphens() -> None:
    made = cfn.of_type("AWS::Glue::Database", "analytics", Name="a-long-name")
    assert made["Database"]["DatabaseInput"]["Name"] == "a_long_name"


def test_a_workgroup_limits_a_query_and_keeps_its_results_apart() -> None:
    (made,) = cfn.of_type("AWS::Athena::WorkGroup", "analytics").values()
    configuration = made["WorkGroupConfiguration"]
    assert configuration["BytesScannedCutoffPerQuery"] == 10_000_000_000
    assert configuration["EnforceWorkGroupConfiguration"] is True
    results = configuration["ResultConfiguration"]["OutputLocation"]
    assert results == f"s3://aurora-enriched/{athena.RESULTS}/"


def rules(bucket: str, **parameters: Any) -> dict[str, Any]:
    made = cfn.of_type("AWS::S3::Bucket", "lake", **parameters)[bucket]
    return {rule["Id"]: rule for rule in made["LifecycleConfiguration"]["Rules"]}


def test_lifecycle_ends_what_need_not_be_kept_and_never_the_messages() -> None:
    raw, enriched = rules("Raw"), rules("Enriched")
    assert (raw["quarantine"]["Prefix"], raw["quarantine"]["ExpirationInDays"]) == (
        f"{keys.QUARANTINE}/",
        90,
    )
    assert raw["raw"]["Transitions"] == [{"StorageClass": "GLACIER_IR", "TransitionInDays": 90}]
    assert raw["raw"]["Prefix"] == f"{keys.RAW}/"
    assert enriched["results"]["Prefix"] == f"{athena.RESULTS}/"
    assert "Transitions" not in json.dumps(enriched), "Parquet is read every day"
    for rule in [*raw.values(), *enriched.values(), *rules("Code").values()]:
        ends = rule.get("Expiration") or rule.get("ExpirationInDays")
        assert not ends or rule["Prefix"] in (f"{keys.QUARANTINE}/", f"{athena.RESULTS}/")


def test_messages_and_tables_end_only_after_the_days_that_somebody_decided() -> None:
    assert "retention" not in {**rules("Raw"), **rules("Enriched")}
    raw = rules("Raw", RawDays=365, EnrichedDays=730)["retention"]
    enriched = rules("Enriched", RawDays=365, EnrichedDays=730)["retention"]
    assert (raw["Prefix"], raw["ExpirationInDays"], raw["Status"]) == ("telegram/", 365, "Enabled")
    assert (enriched["Prefix"], enriched["ExpirationInDays"]) == ("telegram/", 730)


def test_versions_that_are_off_are_off_and_what_they_kept_ends() -> None:
    for days, status, ends in ((0, "Suspended", 1), (30, "Enabled", 30)):
        made = cfn.of_type("AWS::S3::Bucket", "lake", VersioningDays=days)
        for bucket in ("Raw", "Enriched"):
            assert made[bucket]["VersioningConfiguration"] == {"Status": status}
            kept = rules(bucket, VersioningDays=days)["versions"]["NoncurrentVersionExpiration"]
            assert kept == {"NoncurrentDays": ends}


def test_cold_storage_that_is_off_is_off_and_never_one_that_the_etl_cannot_read() -> None:
    assert "raw" not in rules("Raw", RawColdDays=0)
    classes = cfn.load("lake")["Parameters"]["RawColdClass"]["AllowedValues"]
    assert not {"GLACIER", "DEEP_ARCHIVE"} & set(classes)


def test_buckets_are_private_encrypted_and_outlive_their_stack() -> None:
    for name, resource in cfn.resources("lake", KmsKey=KEY).items():
        if resource["Type"] != "AWS::S3::Bucket":
            continue
        assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
        assert resource["UpdateReplacePolicy"] == "Retain"
        made = resource["Properties"]
        assert set(made["PublicAccessBlockConfiguration"].values()) == {True}
        assert made["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        encryption = json.dumps(made["BucketEncryption"])
        assert (KEY in encryption) == (name != "Code")
        assert ("AES256" in encryption) == (name == "Code")
    for bucket in cfn.of_type("AWS::S3::Bucket", "lake").values():
        assert "AES256" in json.dumps(bucket["BucketEncryption"])


def test_the_one_wildcard_action_takes_away() -> None:
    for policy in cfn.of_type("AWS::S3::BucketPolicy", "lake").values():
        (statement,) = policy["PolicyDocument"]["Statement"]
        assert (statement["Effect"], statement["Action"]) == ("Deny", "s3:*")
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def alarms(**parameters: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for stage in STAGES:
        for alarm in cfn.of_type("AWS::CloudWatch::Alarm", stage, **parameters).values():
            found[alarm["AlarmName"].removeprefix("aurora-")] = alarm
    return found


def test_alarms_are_ten_at_most_and_ring_at_the_topic_if_there_is_one() -> None:
    topic = "arn:aws:sns:us-east-1:123456789012:on-call"
    batched = {"queue-age", "dead-letters"}
    assert len(set(alarms()) - batched) == resources.data("deploy/costs.toml")["use"]["alarms"]
    assert set(alarms(QuietHours=12)) - set(alarms()) == {"quiet"}
    assert len(set(alarms(QuietHours=12)) - batched) == 10
    for alarm in alarms(AlarmTopic=topic).values():
        assert alarm["AlarmActions"] == [topic]
        assert alarm["AlarmDescription"]
    assert all("AlarmActions" not in alarm for alarm in alarms().values())


def test_a_day_without_a_run_rings_within_hours_and_silence_elsewhere_does_not() -> None:
    made = alarms(QuietHours=12)
    run, quiet = made.pop("no-run"), made.pop("quiet")
    # One period of a day would keep older data points in the evaluation, and ring days late.
    assert (run["Period"], run["EvaluationPeriods"], run["Threshold"]) == (3600, 26, 1)
    assert (quiet["Period"], quiet["EvaluationPeriods"]) == (3600, 12)
    assert run["MetricName"] == quiet["MetricName"] == "Invocations"
    # An alarm that is new would ring for the hours before it was made.
    assert run["WarmUpConfiguration"]["WarmUpPeriodDurationInMinutes"] == 26 * 60
    assert quiet["WarmUpConfiguration"]["WarmUpPeriodDurationInMinutes"] == 2 * 24 * 60
    assert run["TreatMissingData"] == quiet["TreatMissingData"] == "breaching"
    assert {alarm["TreatMissingData"] for alarm in made.values()} == {"notBreaching"}


def test_refusals_ring_only_where_they_last_longer_than_scanners() -> None:
    refused = alarms()["webhook-refused"]
    assert refused["MetricName"] == "4XXError"
    assert refused["Period"] * refused["EvaluationPeriods"] == 3600
    assert refused["Threshold"] >= 1


def test_the_schedule_tells_the_function_its_scheduled_time_in_the_zone() -> None:
    (made,) = cfn.of_type("AWS::Scheduler::Schedule", "etl", Timezone="Europe/Lisbon").values()
    assert made["ScheduleExpression"] == "cron(15 0 * * ? *)"
    assert made["ScheduleExpressionTimezone"] == "Europe/Lisbon"
    told = json.loads(made["Target"]["Input"])
    assert told == {"scheduled_time": "<aws.scheduler.scheduled-time>"}
    assert made["Target"]["RetryPolicy"]["MaximumRetryAttempts"] > 0
    assert made["Target"]["DeadLetterConfig"] == {"Arn": "<Failed.Arn>"}


def test_a_run_that_fails_to_the_last_try_leaves_its_event_in_the_queue() -> None:
    made = cfn.resources("etl")["Retries"]["Properties"]
    assert (made["FunctionName"], made["MaximumRetryAttempts"]) == ("<Function>", 2)
    assert made["DestinationConfig"] == {"OnFailure": {"Destination": "<Failed.Arn>"}}
    assert cfn.resources("etl")["Failed"]["Properties"]["MessageRetentionPeriod"] == 14 * 86_400


def function(stage: str, **parameters: Any) -> dict[str, Any]:
    return dict(cfn.resources(stage, **parameters)["Function"]["Properties"])


def test_a_function_is_given_its_own_settings_and_no_token() -> None:
    assert function("ingest", ChatIds="-42,-1001")["Environment"]["Variables"] == {
        "AWS_S3_BUCKET": "aurora-raw",
        "AWS_SQS_QUEUE_URL": "",
        "TELEGRAM_CHAT_ID": "-42,-1001",
        "TELEGRAM_WEBHOOK_SECRET": "secret",
        "TIMEZONE": "America/Sao_Paulo",
        "TELEGRAM_BOT_USERNAME": "",
        "PRIVACY_TEXT": "",
        "PRIVACY_TEXT_PT": "",
        "RAW_DAYS": 0,
    }
    assert function("etl")["Environment"]["Variables"] == {
        "AWS_S3_BUCKET": "aurora-raw",
        "AWS_S3_ENRICHED": "aurora-enriched",
        "TIMEZONE": "America/Sao_Paulo",
        "LOOKBACK_DAYS": 3,
        "PSEUDONYM_KEY": "",
    }
    assert cfn.load("etl")["Parameters"]["PseudonymKey"]["NoEcho"] is True
    assert cfn.load("ingest")["Parameters"]["WebhookSecret"]["NoEcho"] is True
    about = cfn.load("ingest")["Parameters"]["WebhookSecret"]["Description"]
    assert SECRET_HEADER in about.lower()


def test_instances_are_reserved_only_where_somebody_says_so() -> None:
    assert "ReservedConcurrentExecutions" not in function("ingest")
    reserved = function("ingest", ReservedInstances=20)
    assert reserved["ReservedConcurrentExecutions"] == 20
    assert "ReservedConcurrentExecutions" not in function("etl")


def test_the_layer_is_made_or_named_or_none() -> None:
    assert "Layers" not in function("etl")
    assert not cfn.of_type("AWS::Lambda::LayerVersion", "etl")
    assert function("etl", LayerArn="arn:x")["Layers"] == ["arn:x"]
    assert function("etl", LayerKey="layers/x.zip")["Layers"] == ["<Layer>"]
    (made,) = cfn.of_type("AWS::Lambda::LayerVersion", "etl", LayerKey="layers/x.zip").values()
    assert made["Content"] == {"S3Bucket": "aurora-code", "S3Key": "layers/x.zip"}


def test_functions_have_no_versions_and_nothing_of_the_whole_account_is_touched() -> None:
    kinds = {r["Type"] for stage in STAGES for r in cfn.load(stage)["Resources"].values()}
    assert not kinds & {
        "AWS::ApiGateway::Account",
        "AWS::Lambda::Alias",
        "AWS::Lambda::Version",
        "AWS::CloudFormation::CustomResource",
    }


def test_a_resource_waits_for_none_of_another_stage() -> None:
    for stage in STAGES:
        assert "ImportValue" not in templates.template(stage)


@pytest.mark.parametrize("stage", STAGES)
def test_a_template_is_current_short_enough_and_commented(stage: str) -> None:
    text = templates.path(stage).read_text("utf-8")
    assert templates.filled(text) == text, "run `make templates`"
    assert len(text.encode()) <= 51_200, "CloudFormation takes no more in TemplateBody"
    for name, resource in cfn.load(stage)["Resources"].items():
        said = "AlarmDescription" in resource["Properties"]
        said = said or templates.section(stage, name).startswith("  #")
        assert said, f"{stage}.yaml does not say what {name} is for"


def test_a_template_that_is_out_of_date_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TABLES, "events", TABLES["events"][:-1])
    with pytest.raises(DeployError, match=r"analytics.yaml is out of date.*make templates"):
        templates.template("analytics")


def test_the_handlers_are_in_the_templates() -> None:
    assert packages.handler("ingest") == "tgpipeline.ingest.lambda_handler"
    assert packages.handler("batch") == "tgpipeline.batch.lambda_handler"
    assert packages.handler("etl") == "tgpipeline.etl.handler.lambda_handler"


def deployer() -> tuple[str, list[str]]:
    text = (templates.path("lake").parent / "deployer.json").read_text("utf-8")
    return text, [a for s in json.loads(text)["Statement"] for a in s["Action"]]


def test_the_deployer_may_make_each_kind_of_resource_and_read_all_of_it() -> None:
    """Held against AWS's schemas: what CloudFormation asks for to compare, import and remove."""
    schemas = Path(pytest.importorskip("cfnlint").__file__).parent / "data" / "schemas"
    kinds = json.loads((schemas / "providers" / "us-east-1.json").read_text("utf-8"))
    _, allowed = deployer()
    # Only where functions are in a network of one's own, or Lake Formation manages the tables.
    elsewhere = ("ec2:", "lakeformation:", "glue:DeleteConnection")
    for kind in {r["Type"] for stage in STAGES for r in cfn.load(stage)["Resources"].values()}:
        schema = json.loads((schemas / "resources" / f"{kinds[kind]}.json").read_text("utf-8"))
        handlers = schema.get("handlers", {})
        assert any(fnmatch(a, p) for a in handlers["create"]["permissions"] for p in allowed), kind
        for named in (
            handlers[operation].get("permissions", []) for operation in ("read", "delete")
        ):
            missing = {a for a in named if not any(fnmatch(a, pattern) for pattern in allowed)}
            assert not {a for a in missing if not a.startswith(elsewhere)}, kind


def test_the_deployer_changes_only_what_is_ours_and_fits_into_one_policy() -> None:
    text, allowed = deployer()
    for action in (a for a in allowed if "*" in a):
        assert re.fullmatch(r"\w+:(Get|List|Describe)\*", action), (
            "wildcards read, and nothing else"
        )
    for long in (("NAME", "n" * 31), ("ACCOUNT", "1" * 12), ("ENRICHED_BUCKET", "b" * 63)):
        text = text.replace(*long)
    text = text.replace("RAW_BUCKET", "b" * 63)
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: blanks are free
    assert len(re.sub(r"\s", "", text)) <= 6144
