"""Settings: everything the environment says, read in one place."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import Field, dataclass, field, fields
from functools import cache
from typing import Any, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from tgpipeline.errors import SettingsError

SECRET_TOKEN = r"[A-Za-z0-9_-]{1,256}"  # noqa: S105, a pattern: https://core.telegram.org/bots/api#setwebhook


def _var(variable: str, default: Any = "", *, secret: bool = False, most: int | None = None) -> Any:
    return field(default=default, repr=not secret, metadata={"variable": variable, "most": most})


def refusal(of: str, **values: object) -> SettingsError:
    """The error that tells what `settings.toml` says of a setting that cannot be used."""
    from tgpipeline import resources  # a function on AWS that refuses nothing reads no such file

    return SettingsError(resources.data("settings.toml")[of].format(**values))


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the pipeline is told from outside. Secrets never show in its repr.

    Attributes:
        name: prefix of every AWS resource of this deployment.
        raw_bucket, enriched_bucket: of the two zones; the quarantine is in the former.
        queue_url: SQS queue that takes updates for a batch; each is stored by itself if empty.
        chat_ids: the chats whose messages are kept.
        bot_token: the token that BotFather gave.
        webhook_secret: what Telegram sends in `X-Telegram-Bot-Api-Secret-Token`. While a secret is
            being rotated, the new and the old one, separated by a comma.
        telegram_api_url: base URL of the Bot API.
        timezone: IANA name; days, hours and weekdays are asked of this zone.
        lookback_days: how many days before the scheduled one the ETL looks for late changes.
        bot_username, privacy_text, privacy_text_pt: what `telegram.privacy` answers /privacy with.
        raw_days: after these, raw messages are deleted; 0 keeps them.
        pseudonym_key: with it the ETL writes pseudonyms (`etl.pseudonyms`).
        region, endpoint_url: of AWS; the latter is empty where it is AWS's own.
        access_key_id: of credentials in the environment; empty where they come from elsewhere.
    """

    name: str = _var("TGPIPELINE_NAME", "tgpipeline")
    raw_bucket: str = _var("AWS_S3_BUCKET")
    enriched_bucket: str = _var("AWS_S3_ENRICHED")
    queue_url: str = _var("AWS_SQS_QUEUE_URL")
    chat_ids: tuple[int, ...] = _var("TELEGRAM_CHAT_ID", ())
    bot_token: str = _var("TELEGRAM_BOT_TOKEN", secret=True)
    webhook_secret: str = _var("TELEGRAM_WEBHOOK_SECRET", secret=True)
    telegram_api_url: str = _var("TELEGRAM_API_URL", "https://api.telegram.org")
    timezone: str = _var("TIMEZONE", "America/Sao_Paulo")
    lookback_days: int = _var("LOOKBACK_DAYS", 3, most=366)
    bot_username: str = _var("TELEGRAM_BOT_USERNAME")
    privacy_text: str = _var("PRIVACY_TEXT")
    privacy_text_pt: str = _var("PRIVACY_TEXT_PT")
    raw_days: int = _var("RAW_DAYS", 0)
    pseudonym_key: str = _var("PSEUDONYM_KEY", secret=True)
    region: str = _var("AWS_DEFAULT_REGION", "us-east-1")
    endpoint_url: str = _var("AWS_ENDPOINT_URL")
    access_key_id: str = _var("AWS_ACCESS_KEY_ID", secret=True)

    def __post_init__(self) -> None:
        zone(self.timezone)
        for name in ("telegram_api_url", "endpoint_url"):  # empty: AWS's own
            with suppress(ValueError):  # a port that is no number
                url = urlsplit(getattr(self, name) or "https://aws")
                if url.scheme in ("http", "https") and url.hostname and url.port != 0:
                    continue
            raise refusal("url", variable=variable(name))
        if not re.fullmatch(r"[a-z][a-z0-9-]{1,30}", self.name):
            raise refusal("name", name=self.name)
        for chat_id in self.chat_ids:
            if chat_id >= 0:
                raise refusal("chat_id", chat_id=chat_id, meant=_meant(chat_id))
        if not all(re.fullmatch(SECRET_TOKEN, one) for one in self.webhook_secrets):
            raise refusal("webhook_secret")

    @classmethod
    def from_env(
        cls, *require: str, env: Mapping[str, str] | None = None, **overrides: Any
    ) -> Self:
        """Read the settings: an override wins over the environment, that over the default.

        Args:
            *require: names of attributes that must not be empty.
            env: the environment to read; this process's own where it is None, so that no signature
                shows it.
            **overrides: attributes given directly.

        Raises:
            SettingsError: if a required one is missing, a chat id or another number is none, a URL
                cannot be read, or `TIMEZONE` is not an IANA name.

        >>> Settings.from_env(env={"TELEGRAM_CHAT_ID": "-1001234567890, -42"}).chat_ids
        (-1001234567890, -42)
        """
        env = os.environ if env is None else env
        texts = {item.name: env.get(item.metadata["variable"], "").strip() for item in fields(cls)}
        texts["region"] = texts["region"] or env.get("AWS_REGION", "").strip()  # as Lambda sets it
        if not texts["region"] and env is os.environ:
            texts["region"] = _configured_region()
        values = {item.name: _value_of(item, texts[item.name]) for item in fields(cls)}
        settings = cls(**values | {k: v for k, v in overrides.items() if v is not None})
        settings.require(*require)
        return settings

    def require(self, *names: str) -> None:
        """Check that the named attributes are not empty.

        Raises:
            SettingsError: naming each missing variable and where to put it.
        """
        missing = [variable(name) for name in names if not getattr(self, name)]
        if missing:
            raise refusal("missing", names=" and ".join(missing))

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """The accepted webhook secrets, the current one first."""
        return tuple(s.strip() for s in self.webhook_secret.split(",") if s.strip())

    @property
    def tz(self) -> ZoneInfo:
        """The time zone as an object."""
        return zone(self.timezone)


def aws_session(settings: Settings) -> Any:
    """A boto3 session of the settings' region, with credentials that are known to be there.

    Raises:
        SettingsError: if there are no credentials, or they cannot be read.
    """
    import boto3

    with _botocore() as core:
        session = boto3.Session(region_name=settings.region, botocore_session=core)
        if session.get_credentials() is None:
            raise refusal("credentials", reason="unable to locate any")
    return session


@contextmanager
def _botocore() -> Iterator[Any]:
    """botocore; says what to do if there are no credentials, no such profile, or a login ended."""
    from botocore.exceptions import BotoCoreError
    from botocore.session import get_session

    core = get_session()
    core.register_component("data_loader", _service_models())
    try:
        yield core
    except BotoCoreError as error:
        raise refusal("credentials", reason=str(error).rstrip(".")) from error


@cache
def _service_models() -> Any:
    """botocore's descriptions of AWS's services, read once: they are most of a client's making."""
    from botocore.loaders import create_loader

    return create_loader()


def aws_client(service: str, settings: Settings, **options: Any) -> Any:
    """A boto3 client of the settings' region and endpoint, whatever else the environment says.

    Raises:
        SettingsError: as `aws_session`.
    """
    endpoint = settings.endpoint_url or None
    return aws_session(settings).client(service, endpoint_url=endpoint, **options)


def _meant(chat_id: int) -> str:
    """What a group's id without its minus or -100 meant: https://core.telegram.org/api/bots/ids"""
    if str(chat_id).startswith("100") and len(str(chat_id)) > 12:
        return f"-{chat_id}"
    return f"-100{chat_id} (a supergroup, as in t.me/c/ links and exports) or -{chat_id} (a group)"


def variable(name: str) -> str:
    """Name of the environment variable behind an attribute of Settings."""
    return next(str(f.metadata["variable"]) for f in fields(Settings) if f.name == name)


def zone(name: str) -> ZoneInfo:
    """The IANA time zone of that name.

    Raises:
        SettingsError: if there is no such zone.
    """
    try:
        return ZoneInfo(name)
    except Exception as error:  # ZoneInfo raises KeyError, ValueError and OSError, by the name
        raise refusal("zone", name=name) from error


def _configured_region() -> str:
    """The region that `aws configure` has written down; empty where there is none.

    Raises:
        SettingsError: if the profile that the environment names is not there.
    """
    with _botocore() as core:  # without any file there is no profile that could be missing
        return str((core.available_profiles and core.get_config_variable("region")) or "")


def _value_of(item: Field[Any], text: str) -> Any:
    """A setting's value, read as what its default is: a number, chat ids or text."""
    if not text or isinstance(item.default, str):
        return text or item.default
    most, wanted = item.metadata["most"], "a chat id such as -1001234567890, or several with commas"
    with suppress(ValueError):
        if isinstance(item.default, int):
            wanted = "a whole number" + (f" from 0 to {most}" if most else "")
            if int(text) in range((most or 2**63) + 1):
                return int(text)
        else:
            chat_ids = dict.fromkeys(int(part) for part in text.split(",") if part.strip())
            if all(abs(chat_id) < 2**63 for chat_id in chat_ids):
                return tuple(chat_ids)
    raise refusal("value", variable=item.metadata["variable"], text=text[:60], wanted=wanted)
