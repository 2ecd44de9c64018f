"""AWS clients. All are made here: with the settings' region and endpoint, whatever else is set."""

from typing import Any

from tgpipeline.settings import Settings


def client(service: str, settings: Settings, **config: Any) -> Any:
    """A boto3 client of one service.

    Args:
        service: as boto3 names it, such as `s3`.
        settings: say which region, and which endpoint where it is not AWS's own.
        **config: options of `botocore.config.Config`.

    Raises:
        SettingsError: if the profile, the region or the endpoint is none.
    """
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    from tgpipeline.errors import SettingsError

    options = {"retries": {"mode": "standard", "total_max_attempts": 5}} | config
    try:
        return boto3.client(
            service,
            region_name=settings.region,
            endpoint_url=settings.endpoint_url or None,
            config=Config(**options),
        )
    except (BotoCoreError, ValueError) as error:
        raise SettingsError(
            f"no client of {service} can be made: {error}. Check AWS_PROFILE, AWS_DEFAULT_REGION "
            "and AWS_ENDPOINT_URL."
        ) from error
