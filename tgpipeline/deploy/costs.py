"""What the pipeline costs a month, from unit prices that are written down in one place."""

from dataclasses import dataclass

REGION, DATE = "us-east-1", "2026-09"
# US dollars, list price beyond any free tier, first step of volume: in us-east-1 and in sa-east-1.
# AWS's price list is at https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/<offer>/<version>/
# <region>/index.csv, explained at
# https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-the-aws-price-list-bulk-api.html
_PRICES = {
    # REST. https://aws.amazon.com/api-gateway/pricing/, in figures at
    # https://docs.aws.amazon.com/whitepapers/latest/best-practices-api-gateway-private-apis-integration/cost-optimization.html
    # and, for São Paulo, offer AmazonApiGateway of 2026-09-21.
    "api request": (3.50 / 1e6, 4.25 / 1e6),
    # https://aws.amazon.com/lambda/pricing/; offer AWSLambda, version 20260919002359. Arm.
    "invocation": (0.20 / 1e6, 0.20 / 1e6),
    "GB-second": (0.0000133334, 0.0000133334),
    # https://aws.amazon.com/s3/pricing/; offer AmazonS3, version 20260926015512. Standard.
    "put or list": (0.005 / 1e3, 0.007 / 1e3),
    "get": (0.0004 / 1e3, 0.00056 / 1e3),
    "GB-month": (0.023, 0.0405),
    # Written and kept a month. https://aws.amazon.com/cloudwatch/pricing/; for São Paulo offer
    # AmazonCloudWatch of 2026-09-22; its alarms were not looked up and are taken to cost the same.
    "GB of log": (0.50 + 0.03, 0.90 + 0.0408),
    "alarm": (0.10, 0.10),
    # https://aws.amazon.com/athena/pricing/; offer AmazonAthena of 2026-03-01 for us-east-1. São
    # Paulo's is what public tools reckon with, not seen in the list itself.
    "TB scanned": (5.00, 9.00),
    # https://aws.amazon.com/eventbridge/pricing/; São Paulo's was not looked up: 30 calls a month.
    # https://aws.amazon.com/sqs/pricing/, standard queue, per 64 KB; not seen in the list itself.
    "queue request": (0.40 / 1e6, 0.40 / 1e6),
    "schedule": (1.00 / 1e6, 1.00 / 1e6),
}
PRICES = {
    region: {what: prices[column] for what, prices in _PRICES.items()}
    for column, region in enumerate((REGION, "sa-east-1"))
}
MESSAGES = (1_000, 100_000, 10_000_000)


@dataclass(frozen=True)
class Use:
    """What one message, one day and one query use, as measured or as configured.

    Attributes:
        ingest_gb_seconds: of one invocation of ingest: 256 MB for 50 ms.
        raw_bytes: of one update in the raw zone.
        row_bytes: of one row in the enriched zone.
        log_bytes: that one invocation leaves in CloudWatch.
        etl_rate: objects a second that the ETL reads.
        etl_start: seconds that a run takes before it reads the first.
        etl_gb: memory of the ETL.
        alarms: how many there are.
        lookback: days that each run looks at beside its own.
        made_again: days made once more a month, for a late message or an edit: all their objects.
        queries: a month.
        days_listed: days that a query asks about; Athena lists the folder of each.
        scanned: bytes that a query is billed for at least, by Athena's terms.
        batch_seconds: that a batch gathers; two are gathered at once, so a month has at most twice
            as many objects as it has such spans, and one per update where there are fewer.
    """

    ingest_gb_seconds: float = 0.25 * 0.05
    raw_bytes: int = 800
    row_bytes: int = 80
    log_bytes: int = 500
    etl_rate: int = 2_000
    etl_start: int = 5
    etl_gb: float = 1769 / 1024
    alarms: int = 9
    lookback: int = 3
    made_again: int = 10
    queries: int = 300
    days_listed: int = 30
    scanned: int = 10_000_000
    batch_seconds: int = 60


def monthly(
    messages: int, use: Use | None = None, region: str = REGION, *, batched: bool = False
) -> dict[str, float]:
    """US dollars a month, by service, for so many messages a month.

    Storage is that of one month's messages for one month: a year of them costs twelve times that
    line in its last month.

    Args:
        messages: a month.
        use: what each uses; as measured where it is None.
        region: a key of `PRICES`.
        batched: whether many updates become one object, through a queue.
    """
    use, prices = use or Use(), PRICES[region]
    # 6 MB of records, each with a kilobyte of SQS's own around it, end a batch before its time.
    spans = 2 * 30 * 86_400 / use.batch_seconds + messages * (use.raw_bytes + 1_000) / 6e6
    objects = min(messages, spans) if batched else messages
    a_day = objects / 30
    lists = 30 * ((1 + use.lookback) * (a_day / 1_000 + 1) + 4) + use.queries * use.days_listed
    again = 1 + use.made_again / 30
    # Of lines in large objects it makes 50,000 rows per second, of objects as many as it reads.
    etl_seconds = use.etl_start + again * (a_day / use.etl_rate + messages / 30 / 50_000)
    scanned = max(use.scanned, messages * use.row_bytes)
    # Sent, received and deleted in tens; and two queues are asked every 20 seconds by five pollers.
    queue = 1.2 * messages + 2 * 5 * 30 * 86_400 / 20
    extra = objects * (prices["invocation"] + 0.25 * 1 * prices["GB-second"])
    extra += queue * prices["queue request"]
    return ({"SQS and batches": extra} if batched else {}) | {
        "API Gateway": messages * prices["api request"],
        "Lambda ingest": messages
        * (prices["invocation"] + use.ingest_gb_seconds * prices["GB-second"]),
        "Lambda etl": 30 * (prices["invocation"] + etl_seconds * use.etl_gb * prices["GB-second"]),
        "S3 requests": objects * (prices["put or list"] + again * prices["get"])
        + lists * prices["put or list"],
        "S3 storage": messages * (use.raw_bytes + use.row_bytes) / 1e9 * prices["GB-month"],
        "CloudWatch": messages * use.log_bytes / 1e9 * prices["GB of log"]
        + (use.alarms + 2 * batched) * prices["alarm"],
        "Scheduler": 30 * prices["schedule"],
        "Athena": use.queries * scanned / 1e12 * prices["TB scanned"],
    }


def table(
    volumes: tuple[int, ...] = MESSAGES, use: Use | None = None, region: str = REGION
) -> list[dict[str, object]]:
    """The costs as rows: a service each and the total, a column a volume, in US dollars.

    >>> [row["service"] for row in table()][-1]
    'total'
    """
    columns = {f"{volume:,} messages": monthly(volume, use, region) for volume in volumes}
    services = list(monthly(0, use))
    rows: list[dict[str, object]] = [
        {"service": service, **{name: round(c[service], 2) for name, c in columns.items()}}
        for service in services
    ]
    totals = {name: round(sum(cost.values()), 2) for name, cost in columns.items()}
    return [*rows, {"service": "total", **totals}]
