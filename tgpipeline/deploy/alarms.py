"""What must not go unnoticed: CloudWatch alarms, sent to a topic if the settings name one."""

from collections.abc import Iterator
from typing import Any

from tgpipeline.deploy.cloud import Cloud, Resource, Target, covers
from tgpipeline.deploy.deployment import Deployment

# Metric, function, and the lines of its log that count. Ingest writes bare JSON; around the ETL's
# lines, one a day done and one an object set aside, is Lambda's own format.
_COUNTED = (
    ("Quarantined", "ingest", '{ $.outcome = "quarantined" }'),
    ("Quarantined", "etl", '"[WARNING]" quarantined'),
    ("DaysDone", "etl", '"[INFO]" documents'),
)


def metric_filters(settings: Deployment) -> list[dict[str, Any]]:
    """How lines of the functions' logs become metrics.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
    """
    return [
        {
            "logGroupName": f"/aws/lambda/{settings.name}-{function}",
            "filterName": f"{settings.name}-{metric}",
            "filterPattern": pattern,
            "metricTransformations": [
                {"metricName": metric, "metricNamespace": settings.name, "metricValue": "1"}
            ],
        }
        for metric, function, pattern in _COUNTED
    ]


def definitions(settings: Deployment) -> list[dict[str, Any]]:
    """The alarms as CloudWatch's API spells them.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    name = settings.name
    alarms = [
        _alarm(
            "webhook-failed",
            "Telegram was answered with an error of ours; it sends again, but look at ingest's log",
            ("AWS/ApiGateway", "5XXError", {"ApiName": f"{name}-webhook"}),
        ),
        _alarm(
            "quarantined",
            "something could not be read as an update: tgpipeline quarantine",
            (name, "Quarantined", {}),
        ),
        _alarm(
            "failed-runs",
            "the ETL's event was given up after every retry and waits in the queue",
            ("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": f"{name}-failed"}),
        ),
        {
            **_alarm("no-etl", "a day without a run of the ETL", (name, "DaysDone", {})),
            "Period": 86_400,
            "ComparisonOperator": "LessThanThreshold",
            "Threshold": 1.0,
            "TreatMissingData": "breaching",
        },
    ]
    for function in ("ingest", "etl"):
        where = {"FunctionName": f"{name}-{function}"}
        alarms += [
            _alarm(f"{function}-errors", f"{function} raised", ("AWS/Lambda", "Errors", where)),
            _alarm(
                f"{function}-throttles",
                f"{function} was called more often than it may run at once",
                ("AWS/Lambda", "Throttles", where),
            ),
        ]
    actions = [settings.alarm_topic] if settings.alarm_topic else []
    return [
        {**alarm, "AlarmName": f"{name}-{alarm['AlarmName']}", "AlarmActions": actions}
        for alarm in alarms
    ]


def ensure_alarms(target: Target) -> list[str]:
    """Make the alarms and what they count; returns the alarms' names.

    The functions' logs must exist (`functions.ensure_function`).
    """
    cloud = Cloud.of(target)
    logs, watch = cloud.client("logs"), cloud.client("cloudwatch")
    for wanted in metric_filters(cloud.settings):
        where = {"logGroupName": wanted["logGroupName"]}
        found = cloud.find(
            logs.describe_metric_filters, **where, filterNamePrefix=wanted["filterName"]
        )
        if not found or not any(covers(one, wanted) for one in found["metricFilters"]):
            cloud.change(
                f"count {wanted['filterName']} in {wanted['logGroupName']}",
                logs.put_metric_filter,
                **wanted,
            )
    alarms = {alarm["AlarmName"]: alarm for alarm in definitions(cloud.settings)}
    before = {alarm["AlarmName"]: alarm for alarm in _find(cloud)}
    for name, wanted in alarms.items():
        if not covers(before.get(name), wanted):
            more: dict[str, Any] = {} if name in before else {"Tags": cloud.tag_list}
            cloud.change(f"set alarm {name}", watch.put_metric_alarm, **wanted, **more)
    return list(alarms)


def deployed(cloud: Cloud) -> Iterator[Resource]:
    """The alarms that exist; what they count goes with the logs."""
    delete = cloud.client("cloudwatch").delete_alarms
    for alarm in _find(cloud):
        name = alarm["AlarmName"]
        arn = cloud.arn("cloudwatch", f"alarm:{name}")
        yield cloud.resource(f"alarm {name}", arn, delete, AlarmNames=[name])


def ringing(cloud: Cloud) -> list[str]:
    """The names of the alarms that ring."""
    return [alarm["AlarmName"] for alarm in _find(cloud) if alarm.get("StateValue") == "ALARM"]


def _find(cloud: Cloud) -> list[dict[str, Any]]:
    names = [alarm["AlarmName"] for alarm in definitions(cloud.settings)]
    found = cloud.read(cloud.client("cloudwatch").describe_alarms, AlarmNames=names)
    return list(found["MetricAlarms"])


def _alarm(name: str, meaning: str, metric: tuple[str, str, dict[str, str]]) -> dict[str, Any]:
    namespace, metric_name, dimensions = metric
    return {
        "AlarmName": name,
        "AlarmDescription": meaning,
        "Namespace": namespace,
        "MetricName": metric_name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        "Statistic": "Sum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 0.0,
        "TreatMissingData": "notBreaching",
    }
