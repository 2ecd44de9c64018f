"""A second opinion: the same deployment on moto's server, which shares no code with MiniStack.

moto keeps what it is told but runs nothing: what the deployed parts do is tested on MiniStack.
"""

import dataclasses
from collections.abc import Iterator

import pytest
import requests
from botocore.exceptions import EndpointConnectionError
from moto.server import ThreadedMotoServer

from tgpipeline import deploy
from tgpipeline.deploy import Cloud, functions, packages
from tgpipeline.deploy.cloud import TAG
from tgpipeline.errors import DeployError
from tgpipeline.settings import Settings

LOG = "/aws/apigateway/aurora-webhook"


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings of an empty account of moto's."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "moto")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "moto")
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)  # it remembers credentials
    made = deploy.Deployment(
        name="aurora",
        raw_bucket="aurora-raw",
        enriched_bucket="aurora-enriched",
        chat_ids=(-42,),
        webhook_secret="secret",
        endpoint_url="http://{}:{}".format(*server.get_host_and_port()),
        layer="none",
    )
    yield made
    requests.post(f"{made.endpoint_url}/moto-api/reset", timeout=10)
    server.stop()


def test_up_again_changed_rolled_back_and_down(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy.up(settings)
    assert deploy.up(settings).changes == []
    code = packages.digest(packages.build("ingest"))
    newer = {**packages.files("ingest"), "tgpipeline/new.py": b"\n"}
    with monkeypatch.context() as patch:
        patch.setattr(packages, "files", lambda name: newer)
        changed = functions.ensure_function("ingest", settings)
        assert changed.digest != code
        assert functions.ensure_function("ingest", settings) == changed
    assert deploy.rollback("ingest", settings).digest == code
    assert deploy.status(settings).ok
    removed = deploy.down(settings)
    assert "delete API aurora-webhook" in removed
    assert [arn.split(":")[2] for arn in deploy.existing(settings)] == ["s3", "s3"]
    assert len(deploy.down(settings, delete_data=True)) == 2
    assert deploy.down(settings, delete_data=True) == []


def test_a_setting_reaches_what_it_concerns(settings: Settings) -> None:
    deploy.up(settings)
    assert deploy.up(settings).changes == []
    # Not the key: it changes the workgroup too, and moto has no UpdateWorkGroup; MiniStack has.
    changed = dataclasses.replace(settings, versioning=30, log_days=7, throttle=5)
    changes = deploy.up(changed).changes
    for change in (
        "set versioning of bucket aurora-enriched",
        "keep log /aws/lambda/aurora-etl for 7 days",
        "limit how often it can be called, and log who does",
    ):
        assert change in changes
    assert deploy.up(changed).changes == []
    s3 = Cloud(settings).client("s3")
    s3.delete_bucket_policy(Bucket="aurora-raw")  # moto enforces it, without its condition
    for body in (b"1", b"2"):
        s3.put_object(Bucket="aurora-raw", Key="telegram/x", Body=body)
    s3.delete_object(Bucket="aurora-raw", Key="telegram/x")
    s3.create_multipart_upload(Bucket="aurora-raw", Key="telegram/y")
    deploy.down(changed, delete_data=True)
    assert deploy.existing(changed) == []


def test_versioning_that_is_turned_off_is_off_and_what_it_kept_ends(settings: Settings) -> None:
    s3 = Cloud(settings).client("s3")
    for days, status, ends in ((0, None, 1), (30, "Enabled", 30), (0, "Suspended", 1)):
        wanted = dataclasses.replace(settings, versioning=days)
        deploy.storage.ensure_bucket("aurora-raw", wanted)
        assert s3.get_bucket_versioning(Bucket="aurora-raw").get("Status") == status
        rules = s3.get_bucket_lifecycle_configuration(Bucket="aurora-raw")["Rules"]
        (kept,) = [r["NoncurrentVersionExpiration"] for r in rules if r["ID"].endswith("-versions")]
        assert kept == {"NoncurrentDays": ends}
        cloud = Cloud(wanted)
        deploy.storage.ensure_bucket("aurora-raw", cloud)
        assert cloud.changes == []


def test_a_deployment_of_the_api_that_was_broken_off_is_made_up_for(settings: Settings) -> None:
    deploy.up(settings)
    narrow = dataclasses.replace(settings, telegram_ranges="149.154.160.0/20")
    cloud = Cloud(narrow)
    gateway = cloud.client("apigateway")
    (api,) = gateway.get_rest_apis()["items"]
    before = gateway.get_stage(restApiId=api["id"], stageName="v1")["deploymentId"]

    def fail(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="the line is cut")

    gateway.meta.events.register("before-send.api-gateway.CreateDeployment", fail)
    with pytest.raises(DeployError, match="the line is cut"):
        deploy.gateway.ensure_api(cloud)
    assert "set who may call API aurora-webhook" in cloud.changes
    # moto, unlike AWS, forgets a stage's settings when it is given another deployment.
    assert deploy.up(narrow).changes[0] == "deploy the API"
    assert gateway.get_stage(restApiId=api["id"], stageName="v1")["deploymentId"] != before
    assert deploy.up(narrow).changes == []


def test_the_access_log_uses_the_account_s_role_or_lends_one(settings: Settings) -> None:
    gateway, iam = Cloud(settings).client("apigateway"), Cloud(settings).client("iam")
    deploy.up(settings)
    lent = gateway.get_account()["cloudwatchRoleArn"]
    assert lent.endswith("role/aurora-gateway")
    deploy.down(settings)
    assert not gateway.get_account().get("cloudwatchRoleArn")
    theirs = lent.replace("aurora-gateway", "theirs")
    gateway.update_account(
        patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": theirs}]
    )
    deploy.up(settings)
    assert "aurora-gateway" not in [role["RoleName"] for role in iam.list_roles()["Roles"]]
    (api,) = gateway.get_rest_apis()["items"]
    stage = gateway.get_stage(restApiId=api["id"], stageName="v1")
    assert stage["accessLogSettings"]["destinationArn"].endswith(LOG)
    for secret in ("path", "body", "header", "secret"):
        assert secret not in stage["accessLogSettings"]["format"].lower()
    gateway.delete_rest_api(restApiId=api["id"])
    deploy.up(settings)
    assert gateway.get_account()["cloudwatchRoleArn"] == theirs


def test_everything_that_can_bear_a_tag_does(settings: Settings) -> None:
    deploy.up(settings)
    cloud = Cloud(settings)
    tags = [{"Key": TAG, "Value": "aurora"}]
    iam, logs = cloud.client("iam"), cloud.client("logs")
    for role in deploy.roles.ROLES:  # the last is for the access log
        assert iam.list_role_tags(RoleName=f"aurora-{role}")["Tags"] == tags
    policy = cloud.arn("iam", "policy/aurora-analyst")
    assert iam.list_policy_tags(PolicyArn=policy)["Tags"] == tags
    for group in ("/aws/lambda/aurora-ingest", "/aws/lambda/aurora-etl", LOG):
        assert logs.list_tags_log_group(logGroupName=group)["tags"] == {TAG: "aurora"}
    for function in deploy.roles.FUNCTIONS:
        arn = cloud.arn("lambda", f"function:aurora-{function}")
        assert cloud.client("lambda").list_tags(Resource=arn)["Tags"] == {TAG: "aurora"}
    for bucket in ("aurora-raw", "aurora-enriched"):
        assert cloud.client("s3").get_bucket_tagging(Bucket=bucket)["TagSet"] == tags
    sqs = cloud.client("sqs")
    url = sqs.get_queue_url(QueueName="aurora-failed")["QueueUrl"]
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {TAG: "aurora"}
    (api,) = cloud.client("apigateway").get_rest_apis()["items"]
    assert api["tags"] == {TAG: "aurora"}
    group = cloud.arn("scheduler", "schedule-group/aurora")
    assert cloud.client("scheduler").list_tags_for_resource(ResourceArn=group)["Tags"] == tags
    workgroup = cloud.arn("athena", "workgroup/aurora")
    assert cloud.client("athena").list_tags_for_resource(ResourceARN=workgroup)["Tags"] == tags
    alarm = cloud.arn("cloudwatch", "alarm:aurora-no-etl")
    assert cloud.client("cloudwatch").list_tags_for_resource(ResourceARN=alarm)["Tags"] == tags
    database = cloud.arn("glue", "database/aurora")
    assert cloud.client("glue").get_tags(ResourceArn=database)["Tags"] == {TAG: "aurora"}


def test_what_bears_the_tag_and_is_not_ours_is_found_at_the_end(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deploy, "_PATIENCE", 0)
    deploy.up(settings)
    cloud = Cloud(settings)
    sns = cloud.client("sns")
    sns.create_topic(Name="forgotten", Tags=[{"Key": TAG, "Value": "aurora"}])
    with pytest.raises(deploy.DeployError, match=r"still there: .*forgotten"):
        deploy.down(settings, delete_data=True)
