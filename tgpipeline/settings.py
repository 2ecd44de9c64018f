"""Settings: everything the environment says, read in one place."""

import getpass
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import Field, dataclass, field, fields
from functools import cache
from typing import Any, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from tgpipeline.errors import SettingsError

SECRET_TOKEN = r"[A-Za-z0-9_-]{1,256}"  # noqa: S105, a pattern: https://core.telegram.org/bots/api#setwebhook
# What boto3 and Settings look for in the environment; what `secret` fetches is not among it.
STORED = (
    "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_DEFAULT_REGION AWS_S3_BUCKET "
    "AWS_S3_ENRICHED LOOKBACK_DAYS TELEGRAM_CHAT_ID TGPIPELINE_NAME TIMEZONE"
).split()


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
        for name in ("telegram_api_url", "endpoint_url"):
            _check_url(variable(name), getattr(self, name))
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
            env: the environment to read; this process's own where it is None.
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
    from botocore.exceptions import NoCredentialsError
    from botocore.session import get_session

    core = get_session()
    core.register_component("data_loader", _service_models())
    with _as_settings_error():
        session = boto3.Session(region_name=settings.region, botocore_session=core)
        if session.get_credentials() is None:
            raise NoCredentialsError
    return session


@contextmanager
def _as_settings_error() -> Iterator[None]:
    """Say what to do where there are no credentials, no such profile, or a login has ended."""
    from botocore.exceptions import BotoCoreError

    try:
        yield
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


def _check_url(variable: str, url: str) -> None:
    """Refuse what no client could call; an empty one is AWS's own."""
    with suppress(ValueError):  # a port that is no number
        parts = urlsplit(url)
        if not url or (parts.scheme in ("http", "https") and parts.hostname and parts.port != 0):
            return
    raise refusal("url", variable=variable)


def _configured_region() -> str:
    """The region that `aws configure` has written down; empty where there is none.

    Raises:
        SettingsError: if the profile that the environment names is not there.
    """
    from botocore.session import get_session

    core = get_session()
    with _as_settings_error():  # without any file there is no profile that could be missing
        return str((core.available_profiles and core.get_config_variable("region")) or "")


def _value_of(item: Field[Any], text: str) -> Any:
    """A setting's value, read as what its default is: a number, chat ids or text."""
    variable, most = item.metadata["variable"], item.metadata["most"]
    if not text or isinstance(item.default, str):
        return text or item.default
    wanted = "a whole number" + (f" from 0 to {most}" if most else "")
    with suppress(ValueError):
        if isinstance(item.default, int):
            if int(text) in range((most or 2**63) + 1):
                return int(text)
        else:
            wanted = "a chat id such as -1001234567890, or several separated by commas"
            chat_ids = dict.fromkeys(int(part) for part in text.split(",") if part.strip())
            if all(abs(chat_id) < 2**63 for chat_id in chat_ids):
                return tuple(chat_ids)
    raise refusal("value", variable=variable, text=text[:60], wanted=wanted)


def secret(name: str) -> str:
    """Fetch a secret without ever showing it: the notebook's host, the environment, or a prompt.

    Args:
        name: name of the variable, such as `TELEGRAM_BOT_TOKEN`.

    Returns:
        The secret, stripped of surrounding white space.

    Raises:
        SettingsError: if it is nowhere and there is nobody to ask.
    """
    on_this_machine = os.environ.get("TELEGRAM_API_URL", "").startswith("http://127.0.0.1")
    value = "" if on_this_machine else _stored(name)  # the local stack has its own
    value = value or os.environ.get(name, "").strip()
    if not value and ((sys.stdin and sys.stdin.isatty()) or "ipykernel" in sys.modules):
        with suppress(Exception):  # a notebook that runs headless has no one at the keyboard
            value = getpass.getpass(f"{name}: ").strip()
    if value:
        return value
    raise refusal("secret", name=name)


def use_notebook_secrets() -> list[str]:
    """In Colab and Kaggle, put their Secrets into the environment, for boto3 and `Settings`.

    What the environment has already stays.

    Returns:
        The names of the variables that were set, of those in `STORED`.
    """
    values = {name: _stored(name) for name in STORED if not os.environ.get(name)}
    found = {name: value for name, value in values.items() if value}
    os.environ.update(found)
    return list(found)


def _stored(name: str) -> str:
    """A secret that the notebook's host keeps; empty elsewhere, or where it is not granted."""
    with suppress(Exception):  # each reason has an error of its own, and all mean: look elsewhere
        if "google.colab" in sys.modules:
            from google.colab import userdata  # type: ignore[import-not-found]

            return (userdata.get(name) or "").strip()
        if "KAGGLE_KERNEL_RUN_TYPE" in os.environ:
            from kaggle_secrets import UserSecretsClient  # type: ignore[import-not-found]

            return (UserSecretsClient().get_secret(name) or "").strip()
    return ""
