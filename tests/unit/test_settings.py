"""Settings: precedence, what is refused and how the refusal reads, and that secrets never show."""

import inspect
import os
from zoneinfo import ZoneInfo

import pytest

from tgpipeline import settings
from tgpipeline.errors import SettingsError
from tgpipeline.settings import Settings

EVERYTHING = {
    "TGPIPELINE_NAME": "loja-teste",
    "AWS_S3_BUCKET": "raw",
    "AWS_S3_ENRICHED": "enriched",
    "TELEGRAM_CHAT_ID": " -1001234567890, -42,-42 ,",
    "TELEGRAM_BOT_TOKEN": "7000000001:NOT-A-REAL-ONE",
    "TELEGRAM_WEBHOOK_SECRET": "new-one,old_one",
    "TELEGRAM_API_URL": "http://127.0.0.1:1/",
    "TIMEZONE": "Europe/Lisbon",
    "LOOKBACK_DAYS": "7",
    "AWS_DEFAULT_REGION": "sa-east-1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:2",
    "AWS_ACCESS_KEY_ID": "AKIAnotreal",
}


def test_everything_is_read_from_the_environment():
    found = Settings.from_env(env=EVERYTHING)
    assert (found.name, found.raw_bucket, found.enriched_bucket) == (
        "loja-teste",
        "raw",
        "enriched",
    )
    assert found.chat_ids == (-1001234567890, -42)
    assert found.webhook_secrets == ("new-one", "old_one")
    assert found.tz == ZoneInfo("Europe/Lisbon")
    assert (found.lookback_days, found.region) == (7, "sa-east-1")


def test_defaults():
    found = Settings.from_env(env={})
    assert (found.timezone, found.lookback_days) == ("America/Sao_Paulo", 3)
    assert (found.name, found.region, found.chat_ids) == ("tgpipeline", "us-east-1", ())
    assert found.telegram_api_url == "https://api.telegram.org"


def test_an_argument_wins_over_the_environment_and_none_is_no_argument():
    found = Settings.from_env(env=EVERYTHING, raw_bucket="mine", timezone=None)
    assert (found.raw_bucket, found.timezone) == ("mine", "Europe/Lisbon")


def test_lambdas_own_region_counts_where_no_other_is_set():
    assert Settings.from_env(env={"AWS_REGION": "eu-west-1"}).region == "eu-west-1"


def test_secrets_never_show():
    shown = repr(Settings.from_env(env=EVERYTHING))
    for hidden in ("NOT-A-REAL-ONE", "new-one", "old_one", "AKIAnotreal"):
        assert hidden not in shown
    assert os.environ["PATH"] not in str(inspect.signature(Settings.from_env)), "help shows it"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("TELEGRAM_CHAT_ID", "@grupo", "a chat id such as -1001234567890"),
        ("TELEGRAM_CHAT_ID", "-100 123", "a chat id such as"),
        ("LOOKBACK_DAYS", "a week", "a whole number from 0 to 366"),
        ("LOOKBACK_DAYS", "-1", "a whole number from 0 to 366"),
        ("TIMEZONE", "Brasilia", "not an IANA time zone"),
        ("TIMEZONE", "../etc/passwd", "not an IANA time zone"),
        ("TIMEZONE", "America", "not an IANA time zone"),
        ("TGPIPELINE_NAME", "Minha Loja", "lower-case letters"),
        ("TELEGRAM_WEBHOOK_SECRET", "não", "A-Z a-z 0-9"),
        ("TELEGRAM_WEBHOOK_SECRET", "x" * 257, "1 to 256"),
    ],
)
def test_what_is_refused_names_the_variable_and_what_it_must_be(name, value, words):
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(env={name: value})
    assert name in str(caught.value)
    assert words in str(caught.value)
    if "SECRET" in name:
        assert value not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("1001234567890", "probably -1001234567890."),
        ("1234567890", "probably -1001234567890 (a supergroup, as in t.me/c/ links and exports)"),
        ("4123456789", "or -4123456789 (a group)"),
        ("10012345", "probably -10010012345 (a supergroup"),
        ("100123456789", "probably -100100123456789 (a supergroup"),
        ("-1001234567890, 42", "-10042"),
    ],
)
def test_a_group_id_without_its_minus_is_refused_with_the_one_that_was_meant(given, meant):
    with pytest.raises(SettingsError, match="but a group's id is negative") as caught:
        Settings.from_env(env={"TELEGRAM_CHAT_ID": given})
    assert meant in str(caught.value)


def test_ids_that_groups_have_are_taken():
    ids = "-1, -4123456789, -999999999999, -1001234567890, -1997852516352"
    assert len(Settings.from_env(env={"TELEGRAM_CHAT_ID": ids}).chat_ids) == 5


def test_what_is_missing_is_named_with_where_to_put_it():
    with pytest.raises(SettingsError) as caught:
        Settings.from_env("raw_bucket", "chat_ids", "webhook_secret", env={"AWS_S3_BUCKET": " "})
    for words in ("AWS_S3_BUCKET", "TELEGRAM_CHAT_ID", "TELEGRAM_WEBHOOK_SECRET", "Environment"):
        assert words in str(caught.value)


def test_a_region_that_only_aws_configure_knows(monkeypatch, tmp_path):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    config = tmp_path / "config"
    config.write_text("[default]\nregion = sa-east-1\n[profile work]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    assert Settings.from_env().region == "sa-east-1"
    assert Settings.from_env(region="us-west-2").region == "us-west-2"
    monkeypatch.setenv("AWS_DEFAULT_PROFILE", "work")
    assert Settings.from_env().region == "eu-west-1"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-east-1")
    assert Settings.from_env().region == "ap-east-1", "the environment comes first"
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_DEFAULT_PROFILE", "nowhere")
    with pytest.raises(SettingsError, match="nowhere"):
        Settings.from_env()
    config.unlink()
    assert Settings.from_env().region == "us-east-1"


@pytest.mark.parametrize("value", ["api.telegram.org", "htp://x", "http://", "http://x:port"])
@pytest.mark.parametrize("variable", ["TELEGRAM_API_URL", "AWS_ENDPOINT_URL"])
def test_a_url_that_no_client_could_call_is_refused(variable, value):
    with pytest.raises(SettingsError, match=f"{variable} cannot be read as a URL"):
        Settings.from_env(env={variable: value})


def test_variables_have_names():
    assert settings.variable("raw_bucket") == "AWS_S3_BUCKET"


def test_a_chat_id_has_64_bits():
    with pytest.raises(SettingsError, match="TELEGRAM_CHAT_ID") as caught:
        Settings.from_env(env={"TELEGRAM_CHAT_ID": "9" * 4000})
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("variable", "least", "most"),
    [("TGPIPELINE_NAME", 2, 31), ("TELEGRAM_WEBHOOK_SECRET", 1, 256)],
)
def test_names_and_secrets_have_bounds(variable, least, most):
    for length in (least, most):
        Settings.from_env(env={variable: "a" * length})
    for length in {least - 1, most + 1} - {0}:
        with pytest.raises(SettingsError, match=variable):
            Settings.from_env(env={variable: "a" * length})


def test_ids_of_chats_and_days_of_look_back_have_bounds():
    assert Settings.from_env(env={"TELEGRAM_CHAT_ID": str(1 - 2**63)}).chat_ids == (1 - 2**63,)
    assert Settings.from_env(env={"LOOKBACK_DAYS": "366"}).lookback_days == 366
    for variable, text in (("TELEGRAM_CHAT_ID", str(-(2**63))), ("LOOKBACK_DAYS", "367")):
        with pytest.raises(SettingsError, match=f"{variable} is '{text}'"):
            Settings.from_env(env={variable: text})
