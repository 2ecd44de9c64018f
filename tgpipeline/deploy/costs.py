"""What the pipeline costs a month, from the unit prices and the usage in costs.toml."""

from types import SimpleNamespace

from tgpipeline import resources

_DATA = resources.data("deploy/costs.toml")
REGION: str = _DATA["region"]
DATE: str = _DATA["date"]
MESSAGES = (1_000, 100_000, 10_000_000)


def monthly(messages: int, region: str = REGION, **use: float) -> dict[str, float]:
    """US dollars a month, by service, for so many messages a month.

    Storage is that of one month's messages for one month: a year of them costs twelve times that
    line in its last month.

    Args:
        messages: a month.
        region: `us-east-1` or `sa-east-1`, whose prices are known.
        **use: what differs from the usage in costs.toml, such as `queries=3_000`, or
            `batched=True`, where many updates become one object, through a queue.
    """
    uses = SimpleNamespace(**_DATA["use"] | use)
    prices = {what: by_region[region] for what, by_region in _DATA["prices"].items()}
    # 6 MB of records, each with a kilobyte of SQS's own around it, end a batch before its time.
    spans = 2 * 30 * 86_400 / uses.batch_seconds + messages * (uses.raw_bytes + 1_000) / 6e6
    objects = min(messages, spans) if uses.batched else messages
    a_day = objects / 30
    lists = 30 * ((1 + uses.lookback) * (a_day / 1_000 + 1) + 4) + uses.queries * uses.days_listed
    again = 1 + uses.made_again / 30
    # Of lines in large objects it makes 50,000 rows per second, of objects as many as it reads.
    etl_seconds = uses.etl_start + again * (a_day / uses.etl_rate + messages / 30 / 50_000)
    scanned = max(uses.scanned, messages * uses.row_bytes)
    # Sent, received and deleted in tens; and two queues are asked every 20 seconds by five pollers.
    extra = (1.2 * messages + 2 * 5 * 30 * 86_400 / 20) * prices["queue request"]
    extra += objects * (prices["invocation"] + 0.25 * 1 * prices["GB-second"])
    ingest = prices["invocation"] + uses.ingest_gb_seconds * prices["GB-second"]
    written_and_read = prices["put or list"] + again * prices["get"]
    logs = messages * uses.log_bytes / 1e9 * prices["GB of log"]
    return ({"SQS and batches": extra} if uses.batched else {}) | {
        "API Gateway": messages * prices["api request"],
        "Lambda ingest": messages * ingest,
        "Lambda etl": 30 * (prices["invocation"] + etl_seconds * uses.etl_gb * prices["GB-second"]),
        "S3 requests": objects * written_and_read + lists * prices["put or list"],
        "S3 storage": messages * (uses.raw_bytes + uses.row_bytes) / 1e9 * prices["GB-month"],
        "CloudWatch": logs + (uses.alarms + 2 * uses.batched) * prices["alarm"],
        "Scheduler": 30 * prices["schedule"],
        "Athena": uses.queries * scanned / 1e12 * prices["TB scanned"],
    }


def table(volumes: tuple[int, ...] = MESSAGES, region: str = REGION) -> list[dict[str, object]]:
    """The costs as rows: a service each and the total, a column a volume, in US dollars.

    >>> [row["service"] for row in table()][-1]
    'total'
    """
    columns = {f"{volume:,} messages": monthly(volume, region) for volume in volumes}
    services = {name: bill | {"total": sum(bill.values())} for name, bill in columns.items()}
    return [
        {"service": service, **{name: round(bill[service], 2) for name, bill in services.items()}}
        for service in next(iter(services.values()))
    ]
