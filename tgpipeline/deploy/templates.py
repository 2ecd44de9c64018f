"""The templates in lambda_src/, one per stage: what they can be told, what in them comes from code.

`make templates` fills those parts in: the tables' columns, from `lake.columns`, and the hash in
the name of the API's deployment, which makes CloudFormation deploy a changed API.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from tgpipeline import resources
from tgpipeline.deploy import reasons
from tgpipeline.lake.columns import TABLES
from tgpipeline.settings import Settings, _var, refusal

STAGES = ("lake", "batch", "ingest", "etl", "analytics")  # in the order of deployment
_APART = ("cn-", "us-gov-", "us-iso", "eusc-")  # regions whose ARNs do not start with arn:aws:


@dataclass(frozen=True, kw_only=True)
class Deployment(Settings):
    """Settings, and what else a deployment can be told, each with a default that is safe.

    Attributes:
        architecture: of both functions, `arm64` or `x86_64`.
        layer: where the ETL finds PyArrow: `build` it from lambda_src/layer, the ARN of a layer
            version that exists, or `none` where the function's own environment has it.
        telegram_ranges: addresses that may call the webhook, separated by commas; Telegram's are
            at https://core.telegram.org/bots/webhooks#the-short-version.
        invoke_url: how the webhook's URL is spelled.
        throttle: requests a second that the webhook takes; twice as many in a burst.
        reserved_instances: of ingest, taken from what the account may run at once; 0 reserves none.
        quiet_hours: alarm after so many hours without an update; 0 is never.
        batch_seconds: updates are gathered so long and stored together, by stack `batch`; 0 stores
            each by itself, at once.
        schedule: when the ETL runs, in `timezone`.
        scan_limit: bytes that one query may read; 10 GB cost 5 cents.
        kms_key: ARN of the key that encrypts both buckets; S3's own key where it is empty.
        alarm_topic: ARN of the SNS topic that alarms are sent to; nowhere if it is empty.
        log_days: how long the functions' logs are kept.
        quarantine_days: after these, what could not be read is deleted.
        enriched_days: after these, the tables' objects are deleted; 0 keeps them. `raw_days` says
            the same of raw messages.
        results_days: after these, query results are deleted.
        raw_cold_days: after these, large raw objects (imported history) move to `raw_cold_class`;
            0 leaves them.
        raw_cold_class: a storage class of S3.
        versioning_days: for so many days both buckets keep replaced and deleted objects; 0 keeps
            none, and what was kept before goes after a day.
    """

    architecture: str = _var("TGPIPELINE_ARCHITECTURE", "arm64")
    layer: str = _var("TGPIPELINE_LAYER", "build")
    telegram_ranges: str = _var("TGPIPELINE_TELEGRAM_RANGES", "149.154.160.0/20,91.108.4.0/22")
    invoke_url: str = _var(
        "TGPIPELINE_INVOKE_URL", "https://{api}.execute-api.{region}.amazonaws.com/{stage}/{path}"
    )
    throttle: int = _var("TGPIPELINE_THROTTLE", 100)
    reserved_instances: int = _var("TGPIPELINE_RESERVED_INSTANCES", 0)
    quiet_hours: int = _var("TGPIPELINE_QUIET_HOURS", 0, most=168)
    batch_seconds: int = _var("TGPIPELINE_BATCH_SECONDS", 0, most=300)
    schedule: str = _var("TGPIPELINE_SCHEDULE", "cron(15 0 * * ? *)")
    scan_limit: int = _var("TGPIPELINE_SCAN_LIMIT", 10_000_000_000)
    kms_key: str = _var("TGPIPELINE_KMS_KEY")
    alarm_topic: str = _var("TGPIPELINE_ALARM_TOPIC")
    log_days: int = _var("TGPIPELINE_LOG_DAYS", 30)
    quarantine_days: int = _var("TGPIPELINE_QUARANTINE_DAYS", 90)
    enriched_days: int = _var("TGPIPELINE_ENRICHED_DAYS", 0)
    results_days: int = _var("TGPIPELINE_RESULTS_DAYS", 7)
    raw_cold_days: int = _var("TGPIPELINE_RAW_COLD_DAYS", 90)
    raw_cold_class: str = _var("TGPIPELINE_RAW_COLD_CLASS", "GLACIER_IR")
    versioning_days: int = _var("TGPIPELINE_VERSIONING", 0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.region.startswith(_APART):
            raise refusal("region", region=self.region)
        if self.raw_bucket and self.raw_bucket == self.enriched_bucket:
            raise refusal("one_bucket", bucket=self.raw_bucket)

    @classmethod
    def of(cls, settings: Settings) -> "Deployment":
        """These settings, and the rest from the environment."""
        return settings if isinstance(settings, cls) else cls.from_env(**vars(settings))

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that are deployed, in that order: `batch` only where it is asked for."""
        return tuple(stage for stage in STAGES if stage != "batch" or self.batch_seconds)


def path(stage: str) -> Path:
    """The file of a stage's template."""
    return resources.folder("lambda_src") / f"{stage}.yaml"


def template(stage: str) -> str:
    """The template of a stage.

    Raises:
        DeployError: if the parts that come from code are not what the code says.
    """
    text = path(stage).read_text(encoding="utf-8")
    if text != filled(text):
        raise reasons.refusal("template", stage=stage)
    return text


def parameter_names(stage: str) -> dict[str, str]:
    """The names of a template's parameters → those of the settings that they hold.

    >>> list(parameter_names("lake").items())[:2]
    [('RawBucket', 'raw_bucket'), ('EnrichedBucket', 'enriched_bucket')]
    """
    section = template(stage).partition("\nParameters:\n")[2].partition("\nConditions:\n")[0]
    names = re.findall(r"^  (\w+):$", section, re.MULTILINE)
    return {name: re.sub(r"\B([A-Z])", r"_\1", name).lower() for name in names}


def section(stage: str, resource: str) -> str:
    """What a template says of one resource, with the comment above it."""
    pattern = rf"(?:^  #.*\n)*^  {resource}:.*\n(?:    .*\n|\n(?=    ))+"
    (found,) = re.findall(pattern, template(stage), re.MULTILINE)
    return str(found)


def filled(text: str) -> str:
    """A template with the parts that come from code filled in anew."""
    for table, columns in TABLES.items():
        lines = "".join(
            f'            - {{Name: {c.name}, Type: "{c.athena_type}", Comment: "{c.meaning}"}}\n'
            for c in columns
        )
        text = re.sub(rf"(?<=# <{table}>\n)(?:.*\n)*?(?= *# </{table}>)", lines, text)
    # What a deployment copies of the API: the API itself with its policy, its path, its method.
    copied = re.findall(r"^  (?:Api|Path|Method):\n(?:    .*\n)+", text, re.MULTILINE)
    digest = hashlib.sha256(re.sub(r" +#.*", "", "".join(copied)).encode()).hexdigest()
    return re.sub(r"\bDeployment[0-9a-f]{8}\b", f"Deployment{digest[:8]}", text)
