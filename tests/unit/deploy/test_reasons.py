"""What AWS answers beyond the usual, in words that say what to do. Its answers are stubs."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from tgpipeline.deploy import Deployment, Stack, reasons, stack, stacks, stages
from tgpipeline.errors import DeployError, SettingsError

SECRET = "a-secret-that-nobody-may-see"
BUCKET = "acme-403-raw"
SETTINGS = Deployment(
    name="aurora", raw_bucket=BUCKET, enriched_bucket="acme-enriched", webhook_secret=SECRET
)
STACK_ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/aurora-ingest/the-guid"


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Stubber]]:
    """Stubs a service: calls are answered in the order in which answers are given, no others."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    made: dict[str, tuple[Any, Stubber]] = {}
    client = boto3.Session.client

    def stubbed(session: boto3.Session, service: str, **options: Any) -> Any:
        if service not in made:
            real = client(session, service, **options)
            made[service] = real, Stubber(real)
            made[service][1].activate()
        return made[service][0]

    monkeypatch.setattr(boto3.Session, "client", stubbed)
    monkeypatch.setattr(stack.time, "sleep", lambda seconds: None)
    yield lambda service: (reasons.client(service, SETTINGS), made[service][1])[1]
    for _, stub in made.values():
        stub.assert_no_pending_responses()


def described(stack_status: str) -> dict[str, Any]:
    when = datetime(2025, 11, 28, tzinfo=UTC)
    about = {"StackName": "aurora-ingest", "StackId": STACK_ID, "CreationTime": when}
    return {"Stacks": [about | {"StackStatus": stack_status}]}


def happened(name: str, kind: str, stack_status: str, reason: str = "") -> dict[str, Any]:
    return {
        "StackId": STACK_ID,
        "StackName": "aurora-ingest",
        "EventId": f"{name}-{stack_status}",
        "LogicalResourceId": name,
        "ResourceType": kind,
        "ResourceStatus": stack_status,
        "ResourceStatusReason": reason,
        "Timestamp": datetime(2025, 11, 28, tzinfo=UTC),
    }


@pytest.mark.parametrize(
    ("stack_status", "words"),
    [
        ("UPDATE_IN_PROGRESS", r"wait until it ends"),
        ("DELETE_FAILED", r"Role \(AWS::IAM::Role\) is in DELETE_FAILED: it is attached.*down"),
        ("UPDATE_ROLLBACK_FAILED", "Continue update rollback"),
        ("ROLLBACK_FAILED", "delete the stack"),
    ],
)
def test_a_stack_that_cannot_be_changed_now_says_why_and_what_to_do(
    answers: Any, stack_status: str, words: str
) -> None:
    answers("cloudformation").add_response("describe_stacks", described(stack_status))
    events = [happened("Role", "AWS::IAM::Role", "DELETE_FAILED", "it is attached")]
    found = {"StackEvents": events if stack_status == "DELETE_FAILED" else []}
    answers("cloudformation").add_response("describe_stack_events", found)
    with pytest.raises(DeployError, match=words):
        Stack("ingest", SETTINGS).deploy({})


def test_the_first_failure_is_the_cause_and_what_it_stopped_is_none(answers: Any) -> None:
    events = [  # the newest first
        happened("aurora-ingest", "AWS::CloudFormation::Stack", "ROLLBACK_COMPLETE"),
        happened("Log", "AWS::Logs::LogGroup", "CREATE_FAILED", "Resource creation cancelled"),
        happened(
            "Role", "AWS::IAM::Role", "CREATE_FAILED",
            "User: arn:aws:iam::1:user/a is not authorized to perform: iam:CreateRole on …",
        ),
    ]  # fmt: skip
    answers("cloudformation").add_response("describe_stacks", described("CREATE_COMPLETE"))
    answers("cloudformation").add_response("delete_stack", {})
    token = {"ClientRequestToken": "mine"}
    found = {"StackEvents": [event | token for event in events]}
    answers("cloudformation").add_response("describe_stack_events", found)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stack.uuid, "uuid4", lambda: type("Id", (), {"hex": "mine"}))
        with pytest.raises(DeployError, match=r"Role \(AWS::IAM::Role\).*deployer\.json") as caught:
            Stack("ingest", SETTINGS).delete()
    assert "cancelled" not in str(caught.value)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("… is not authorized to perform: iam:CreateRole on resource: …", "may not make roles"),
        ("API: s3:CreateBucket Access Denied AccessDenied", "has all that they need"),
        ("The requested bucket name is not available.", "Another account may own that name"),
        ("Specified ReservedConcurrentExecutions … decreases", "RESERVED_INSTANCES to 0"),
        ("/aws/lambda/aurora-etl already exists in stack", "an earlier version deployed"),
        ("Function not found: arn:aws:lambda:…", "removed or changed outside the stack"),
        ("Cannot delete a policy attached to entities. DeleteConflict", "detach it"),
        ("Internal Failure", "run it again"),
    ],
)
def test_each_reason_has_its_advice(answers: Any, reason: str, words: str) -> None:
    failed = stack.Event("CREATE_FAILED", "AWS::S3::Bucket", "Raw", reason)
    assert words in str(Stack("ingest", SETTINGS)._error(failed))


@pytest.mark.parametrize(
    ("code", "http", "words"),
    [
        ("403", 403, "belongs to another account.*choose another name"),
        ("500", 500, r"AWS refused \(500"),
    ],
)
def test_a_bucket_is_judged_by_the_answer_not_by_its_name(
    answers: Any, code: str, http: int, words: str
) -> None:
    answers("s3").add_client_error("head_bucket", code, f"about {BUCKET}", http_status_code=http)
    with pytest.raises(DeployError, match=words):
        stages.existing(SETTINGS)


def test_what_is_deleted_sooner_is_not_moved_to_a_cold_class(answers: Any) -> None:
    """S3 refuses a rule that would move objects on or after the day on which they are deleted."""
    for raw_days, wanted in ((0, "90"), (30, "0"), (90, "0"), (365, "90")):
        answers("cloudformation").add_client_error(
            "describe_stacks", "ValidationError", "Stack does not exist"
        )
        lake = Stack("lake", replace(SETTINGS, raw_days=raw_days, chat_ids=(-1,)))
        assert stages.wanted_parameters(lake)["RawColdDays"] == wanted, raw_days


def test_a_bucket_in_another_region_is_found_before_anything_is_made(answers: Any) -> None:
    answers("s3").add_response("head_bucket", {"BucketRegion": "eu-west-1"})
    with pytest.raises(DeployError, match="lies in eu-west-1, not in us-east-1"):
        stages.existing(SETTINGS)


def test_a_bucket_is_emptied_page_by_page_and_versions_count(answers: Any) -> None:
    s3 = answers("s3")
    page = {"Versions": [{"Key": "a", "VersionId": "1"}], "DeleteMarkers": []}
    page["DeleteMarkers"] = [{"Key": "a", "VersionId": "2"}]
    s3.add_response("list_object_versions", {**page, "IsTruncated": True, "NextKeyMarker": "a"})
    both = {"Objects": [{"Key": "a", "VersionId": "1"}, {"Key": "a", "VersionId": "2"}]}
    s3.add_response("delete_objects", {}, {"Bucket": BUCKET, "Delete": both})
    s3.add_response("list_object_versions", {"Versions": [{"Key": "b", "VersionId": "3"}]})
    one = {"Objects": [{"Key": "b", "VersionId": "3"}]}
    s3.add_response("delete_objects", {}, {"Bucket": BUCKET, "Delete": one})
    s3.add_response("list_multipart_uploads", {"Uploads": [{"Key": "c", "UploadId": "9"}]})
    upload = {"Bucket": BUCKET, "Key": "c", "UploadId": "9"}
    s3.add_response("abort_multipart_upload", {}, upload)
    s3.add_response("delete_bucket", {})
    stacks.empty(BUCKET, SETTINGS)


def test_an_error_of_boto3_itself_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    client = reasons.client("lambda", SETTINGS)
    with pytest.raises(DeployError, match="Parameter validation failed") as caught:
        client.invoke(FunctionName=[SECRET])
    assert SECRET not in str(caught.value)
    assert "…" in str(caught.value)


def test_a_function_that_is_not_deployed_is_named(answers: Any) -> None:
    answers("lambda").add_client_error("invoke", "ResourceNotFoundException", "Function not found")
    with pytest.raises(DeployError, match=r"Invoke of aurora-etl: AWS refused.*tgpipeline up"):
        stacks.invoke("etl", {}, SETTINGS)


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1"])
def test_a_region_whose_resources_have_other_names_is_refused(region: str) -> None:
    with pytest.raises(SettingsError, match=f"AWS_DEFAULT_REGION is {region}"):
        Deployment(region=region)


def test_both_zones_in_one_bucket_are_refused() -> None:
    with pytest.raises(SettingsError, match="give each zone a bucket of its own"):
        Deployment(raw_bucket="one", enriched_bucket="one")


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(SettingsError, match="TGPIPELINE_THROTTLE is 'many'"):
        Deployment.from_env(env={"TGPIPELINE_THROTTLE": "many"})
