"""Settings: everything the environment says, read in one place."""

import getpass
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any
from zoneinfo import ZoneInfo

from tgpipeline.errors import SettingsError

TELEGRAM_API_URL = "https://api.telegram.org"
SECRET_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,256}")  # https://core.telegram.org/bots/api#setwebhook
DEPLOYMENT_NAME = re.compile(r"[a-z][a-z0-9-]{1,30}")
# What boto3 and Settings look for in the environment; what `secret` fetches is not among it.
FROM_COLAB = (
    "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_DEFAULT_REGION AWS_S3_BUCKET "
    "AWS_S3_ENRICHED LOOKBACK_DAYS TELEGRAM_CHAT_ID TGPIPELINE_NAME TIMEZONE"
).split()


def _var(variable: str, default: Any = "", *, secret: bool = False, most: int | None = None) -> Any:
    return field(default=default, repr=not secret, metadata={"variable": variable, "most": most})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the pipeline is told from outside. Secrets never show in its repr.

    Attributes:
        name: prefix of every AWS resource of this deployment.
        raw_bucket: S3 bucket of the raw zone and the quarantine.
        enriched_bucket: S3 bucket of the enriched zone.
        chat_ids: the chats whose messages are kept.
        bot_token: the token that BotFather gave.
        webhook_secret: what Telegram sends in `X-Telegram-Bot-Api-Secret-Token`. While a secret is
            being rotated, the new and the old one, separated by a comma.
        telegram_api_url: base URL of the Bot API.
        timezone: IANA name; days, hours and weekdays are asked of this zone.
        lookback_days: how many days before the scheduled one the ETL looks for late changes.
        region: AWS region.
        endpoint_url: AWS endpoint where it is not AWS's own; empty otherwise.
        access_key_id: of credentials in the environment; empty where they come from elsewhere.
    """

    name: str = _var("TGPIPELINE_NAME", "tgpipeline")
    raw_bucket: str = _var("AWS_S3_BUCKET")
    enriched_bucket: str = _var("AWS_S3_ENRICHED")
    chat_ids: tuple[int, ...] = _var("TELEGRAM_CHAT_ID", ())
    bot_token: str = _var("TELEGRAM_BOT_TOKEN", secret=True)
    webhook_secret: str = _var("TELEGRAM_WEBHOOK_SECRET", secret=True)
    telegram_api_url: str = _var("TELEGRAM_API_URL", TELEGRAM_API_URL)
    timezone: str = _var("TIMEZONE", "America/Sao_Paulo")
    lookback_days: int = _var("LOOKBACK_DAYS", 3, most=366)
    region: str = _var("AWS_DEFAULT_REGION", "us-east-1")
    endpoint_url: str = _var("AWS_ENDPOINT_URL")
    access_key_id: str = _var("AWS_ACCESS_KEY_ID", secret=True)

    def __post_init__(self) -> None:
        zone(self.timezone)
        if not DEPLOYMENT_NAME.fullmatch(self.name):
            raise SettingsError(
                f"TGPIPELINE_NAME is {self.name!r}: use 2 to 31 lower-case letters, digits and "
                "hyphens, starting with a letter; it becomes part of bucket names."
            )
        for secret_token in self.webhook_secrets:
            if not SECRET_TOKEN.fullmatch(secret_token):
                raise SettingsError(
                    "TELEGRAM_WEBHOOK_SECRET holds a character that Telegram refuses: use 1 to 256 "
                    "of A-Z a-z 0-9 _ - (secrets.token_urlsafe(32) makes a good one)."
                )

    @classmethod
    def from_env(
        cls, *require: str, env: Mapping[str, str] | None = None, **overrides: Any
    ) -> "Settings":
        """Read the settings: an override wins over the environment, that over the default.

        Args:
            *require: names of attributes that must not be empty.
            env: the environment to read; this process's own where it is None.
            **overrides: attributes given directly.

        Returns:
            The settings, every value checked.

        Raises:
            SettingsError: if a required one is missing, a chat id or another number is none, or
                `TIMEZONE` is not an IANA name.

        >>> Settings.from_env(env={"TELEGRAM_CHAT_ID": "-1001234567890, -42"}).chat_ids
        (-1001234567890, -42)
        """
        env = os.environ if env is None else env
        values: dict[str, Any] = {}
        for item in fields(cls):
            text = env.get(item.metadata["variable"], "").strip()
            if not text and item.name == "region":
                text = env.get("AWS_REGION", "").strip()  # what Lambda itself sets
            if text:
                values[item.name] = _read(item, text)
        settings = cls(**{**values, **{k: v for k, v in overrides.items() if v is not None}})
        settings.require(*require)
        return settings

    def require(self, *names: str) -> None:
        """Check that the named attributes are not empty.

        Raises:
            SettingsError: naming each missing variable and where to put it.
        """
        missing = [variable(name) for name in names if not getattr(self, name)]
        if missing:
            raise SettingsError(
                f"{' and '.join(missing)} not set: put it into the environment of this process "
                "(in Lambda: Configuration → Environment variables; in a notebook: os.environ; "
                "in Colab: the key icon, Secrets), then run again."
            )

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """The accepted webhook secrets, the current one first."""
        return tuple(s.strip() for s in self.webhook_secret.split(",") if s.strip())

    @property
    def tz(self) -> ZoneInfo:
        """The time zone as an object."""
        return zone(self.timezone)


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
        raise SettingsError(
            f"TIMEZONE is {name!r}, which is not an IANA time zone. Write it as in "
            "America/Sao_Paulo, Europe/Lisbon or UTC."
        ) from error


def _read(item: Field[Any], text: str) -> Any:
    """A setting's value, read as what its default is: a number, chat ids or text."""
    variable, most = item.metadata["variable"], item.metadata["most"]
    wanted = "a whole number" + (f" from 0 to {most}" if most else "")
    try:
        if isinstance(item.default, int):
            number = int(text)
            if number < 0 or number > (most or number):
                raise ValueError(text)
            return number
        if isinstance(item.default, tuple):
            wanted = "a chat id such as -1001234567890, or several separated by commas"
            chat_ids = dict.fromkeys(int(part) for part in text.split(",") if part.strip())
            if any(abs(chat_id) >= 2**63 for chat_id in chat_ids):
                raise ValueError(text)
            return tuple(chat_ids)
    except ValueError:
        raise SettingsError(f"{variable} is {text[:60]!r}: it must be {wanted}.") from None
    return text


def secret(name: str) -> str:
    """Fetch a secret without ever showing it: Colab's userdata, the environment, then a prompt.

    Args:
        name: name of the variable, such as `TELEGRAM_BOT_TOKEN`.

    Returns:
        The secret, stripped of surrounding white space.

    Raises:
        SettingsError: if it is nowhere and there is nobody to ask.
    """
    on_this_machine = os.environ.get("TELEGRAM_API_URL", "").startswith("http://127.0.0.1")
    value = "" if on_this_machine else _in_colab(name)  # the local stack has its own
    value = value or os.environ.get(name, "").strip()
    if not value and ((sys.stdin and sys.stdin.isatty()) or "ipykernel" in sys.modules):
        try:
            value = getpass.getpass(f"{name}: ").strip()
        except Exception:  # a notebook that runs headless has no one at the keyboard
            value = ""
    if not value:
        raise SettingsError(
            f"{name} not found: in Colab add it under the key icon (Secrets); elsewhere set the "
            f"environment variable {name} before starting Python."
        )
    return value


def use_colab_secrets() -> list[str]:
    """In Colab, put its Secrets into the environment, where boto3 and `Settings` look.

    What the environment has already stays; what is missing, or not granted to this notebook, is
    left out.

    Returns:
        The names of the variables that were set, of those in `FROM_COLAB`.
    """
    values = {name: _in_colab(name) for name in FROM_COLAB if not os.environ.get(name)}
    found = {name: value for name, value in values.items() if value}
    os.environ.update(found)
    return list(found)


def _in_colab(name: str) -> str:
    """A secret of Colab's; empty where this is not Colab, it is not there or not granted."""
    if "google.colab" not in sys.modules:
        return ""
    from google.colab import userdata  # type: ignore[import-not-found]

    try:
        return (userdata.get(name) or "").strip()
    except Exception:  # each reason has an error of its own, and all mean: look elsewhere
        return ""
