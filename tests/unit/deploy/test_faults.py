"""What AWS answers beyond the usual: many pages, failures, refusals. Its answers are stubs."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from tgpipeline.deploy import Cloud, Deployment, functions, layer, storage
from tgpipeline.deploy.status import _last_error
from tgpipeline.errors import DeployError, SettingsError

SECRET = "a-secret-that-nobody-may-see"
BUCKET = "acme-403-raw"


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    return Cloud(Deployment(name="aurora", raw_bucket=BUCKET, webhook_secret=SECRET))


@pytest.fixture
def aws(cloud: Cloud) -> Iterator[Callable[[str], Stubber]]:
    """Stubs a service: calls are answered in the order in which answers are given, no others."""
    stubs: dict[str, Stubber] = {}

    def stub(service: str) -> Stubber:
        if service not in stubs:
            stubs[service] = Stubber(cloud.client(service))
            stubs[service].activate()
        return stubs[service]

    yield stub
    for one in stubs.values():
        one.assert_no_pending_responses()


def _line(minute: int) -> dict[str, Any]:
    when = datetime(2025, 11, 28, 12, minute, tzinfo=UTC)
    return {"timestamp": int(when.timestamp() * 1000), "message": f"ERROR of minute {minute}\n"}


def test_the_last_error_is_the_last_of_all_pages(cloud: Cloud, aws: Any) -> None:
    for page in (
        {"events": [], "nextToken": "1"},
        {"events": [_line(1), _line(2)], "nextToken": "2"},
        {"events": [_line(7), _line(5)]},
    ):
        aws("logs").add_response("filter_log_events", page)
    assert _last_error(cloud, "ingest") == "2025-11-28 12:07 UTC: ERROR of minute 7"


def test_a_function_that_never_ran_has_no_error(cloud: Cloud, aws: Any) -> None:
    aws("logs").add_client_error("filter_log_events", "ResourceNotFoundException")
    assert _last_error(cloud, "ingest") == "none in 14 days"


def _layer_versions(aws: Any, *marks: str) -> None:
    for n, mark in enumerate(marks, 1):
        arn = f"arn:aws:lambda:us-east-1:123456789012:layer:aurora-pyarrow:{n}"
        version = {"LayerVersionArn": arn, "Version": n, "Description": mark}
        more = {"NextMarker": "more"} if n < len(marks) else {}
        aws("lambda").add_response("list_layer_versions", {"LayerVersions": [version], **more})


def test_every_version_of_the_layer_is_known(cloud: Cloud, aws: Any) -> None:
    mark = f"arm64 {layer.fingerprint('arm64')}"
    _layer_versions(aws, "older", mark)
    assert [arn[-2:] for arn in layer.ensure_layer(cloud)] == [":2"]
    assert cloud.changes == []
    _layer_versions(aws, "older", mark)
    found = list(layer.deployed(cloud))
    aws("lambda").add_response(
        "delete_layer_version", {}, {"LayerName": "aurora-pyarrow", "VersionNumber": 2}
    )
    found[-1].delete()
    assert cloud.changes == ["delete layer aurora-pyarrow:2"]


def test_a_bucket_is_emptied_page_by_page(cloud: Cloud, aws: Any) -> None:
    s3 = aws("s3")
    s3.add_response("head_bucket", {})
    s3.add_response(
        "list_objects_v2",
        {"IsTruncated": True, "NextContinuationToken": "1", "Contents": [{"Key": "a"}]},
    )
    s3.add_response("list_objects_v2", {"Contents": [{"Key": "b"}]})
    page = {
        "Versions": [{"Key": "a", "VersionId": "1"}],
        "DeleteMarkers": [{"Key": "a", "VersionId": "2"}],
    }
    s3.add_response("list_object_versions", {**page, "IsTruncated": True, "NextKeyMarker": "a"})
    both = [{"Key": "a", "VersionId": "1"}, {"Key": "a", "VersionId": "2"}]
    s3.add_response(
        "delete_objects", {}, {"Bucket": BUCKET, "Delete": {"Objects": both, "Quiet": True}}
    )
    s3.add_response("list_object_versions", {"Versions": [{"Key": "b", "VersionId": "3"}]})
    one = [{"Key": "b", "VersionId": "3"}]
    s3.add_response(
        "delete_objects", {}, {"Bucket": BUCKET, "Delete": {"Objects": one, "Quiet": True}}
    )
    s3.add_response("list_multipart_uploads", {})
    s3.add_response("delete_bucket", {})
    (bucket,) = storage.deployed(cloud)
    bucket.delete()
    assert cloud.changes == [f"delete bucket {BUCKET} and the 2 objects in it"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("403", "belongs to another account"),
        ("301", "is not in us-east-1"),
        ("500", r"AWS refused \(500"),
    ],
)
def test_a_bucket_is_judged_by_the_answer_not_by_its_name(
    cloud: Cloud, aws: Any, code: str, words: str
) -> None:
    aws("s3").add_client_error("head_bucket", code, f"about {BUCKET}")
    with pytest.raises(DeployError, match=words):
        list(storage.deployed(cloud))


def test_a_change_that_lambda_cannot_make_says_why_and_shows_no_secret(
    cloud: Cloud, aws: Any
) -> None:
    variables = {"TELEGRAM_WEBHOOK_SECRET": SECRET}
    state = {"LastUpdateStatus": "Failed", "LastUpdateStatusReason": "the key is disabled"}
    found = {"Configuration": {**state, "Environment": {"Variables": variables}}}
    aws("lambda").add_response("get_function", found)
    with pytest.raises(DeployError, match=r"aurora-ingest.*the key is disabled") as caught:
        functions._settle(cloud, "aurora-ingest")
    assert SECRET not in str(caught.value)


def test_code_that_cannot_be_fetched_is_not_rolled_back_to(cloud: Cloud, aws: Any) -> None:
    client = aws("lambda")
    old, new = {"Version": "1", "CodeSha256": "old"}, {"Version": "2", "CodeSha256": "new"}
    client.add_response(
        "get_function_configuration", {**new, "Environment": {"Variables": {"A": "1"}}}
    )
    client.add_response("list_versions_by_function", {"Versions": [old, new]})
    link = "http://127.0.0.1:1/code.zip?signature=as-good-as-a-key"
    client.add_response("get_function", {"Code": {"Location": link}})
    with pytest.raises(DeployError, match="version 1 could not be fetched") as caught:
        functions.rollback("ingest", cloud)
    assert "nothing was changed" in str(caught.value)
    assert "signature" not in str(caught.value)
    assert cloud.changes == []


def test_an_error_of_boto3_itself_shows_no_secret(cloud: Cloud) -> None:
    update = cloud.client("lambda").update_function_configuration
    wrong = {"Variables": {"TELEGRAM_WEBHOOK_SECRET": [SECRET]}}
    with pytest.raises(DeployError, match="Parameter validation failed") as caught:
        cloud.change("update it", update, FunctionName="aurora-ingest", Environment=wrong)
    assert SECRET not in str(caught.value)
    assert "…" in str(caught.value)


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1"])
def test_a_region_whose_resources_have_other_names_is_refused(region: str) -> None:
    with pytest.raises(SettingsError, match=f"AWS_DEFAULT_REGION is {region}"):
        Deployment(region=region)
