"""Secrets of Colab, Kaggle and the environment: which is taken, and what is said without any."""

import os
import sys
from types import ModuleType, SimpleNamespace

import pytest

from tgpipeline import secrets
from tgpipeline.errors import SettingsError
from tgpipeline.secrets import secret
from tgpipeline.settings import Settings


def test_a_secret_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("A_SECRET", " value ")
    assert secret("A_SECRET") == "value"


class Userdata:
    """What Colab's Secrets answer: a value, or an error of their own."""

    def __init__(self, **known):
        self.known = known

    def get(self, name):
        if self.known.get(name) is None:
            raise RuntimeError(f"{name} does not exist, or this notebook may not read it")
        return self.known[name]


def in_colab(monkeypatch, **known):
    colab = ModuleType("google.colab")
    colab.userdata = Userdata(**known)
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    monkeypatch.setitem(sys.modules, "google", ModuleType("google"))
    for name in (*secrets.STORED, "TELEGRAM_API_URL"):
        monkeypatch.setenv(name, "")  # so that what is set here goes when the test is over
        monkeypatch.delenv(name)


def test_colabs_secrets_are_found_by_settings_and_boto3(monkeypatch):
    in_colab(monkeypatch, AWS_S3_BUCKET=" raw ", AWS_SECRET_ACCESS_KEY="k", TIMEZONE="UTC")
    monkeypatch.setenv("TIMEZONE", "Europe/Lisbon")
    assert secrets.use_notebook_secrets() == ["AWS_SECRET_ACCESS_KEY", "AWS_S3_BUCKET"]
    assert os.environ["AWS_SECRET_ACCESS_KEY"] == "k"
    found = Settings.from_env("raw_bucket")
    assert (found.raw_bucket, found.timezone) == ("raw", "Europe/Lisbon"), "what is set stays"


def test_in_colab_a_secret_comes_from_there_first(monkeypatch):
    in_colab(monkeypatch, A_SECRET=" colab ")
    monkeypatch.setenv("A_SECRET", "environment")
    assert secret("A_SECRET") == "colab"
    monkeypatch.setenv("TELEGRAM_API_URL", "http://127.0.0.1:1")
    assert secret("A_SECRET") == "environment", "the local stack has its own"
    in_colab(monkeypatch)
    assert secret("A_SECRET") == "environment"


def test_kaggles_secrets_are_found_likewise(monkeypatch):
    in_colab(monkeypatch)
    monkeypatch.delitem(sys.modules, "google.colab")
    kaggle = ModuleType("kaggle_secrets")
    stored = Userdata(AWS_S3_BUCKET="raw", A_SECRET=" kaggle ")
    kaggle.UserSecretsClient = lambda: SimpleNamespace(get_secret=stored.get)
    monkeypatch.setitem(sys.modules, "kaggle_secrets", kaggle)
    monkeypatch.setenv("KAGGLE_KERNEL_RUN_TYPE", "Interactive")
    assert secrets.use_notebook_secrets() == ["AWS_S3_BUCKET"]
    assert secret("A_SECRET") == "kaggle"
    monkeypatch.setenv("B_SECRET", "environment")
    assert secret("B_SECRET") == "environment"


def test_elsewhere_there_are_no_colab_secrets(monkeypatch):
    monkeypatch.delitem(sys.modules, "google.colab", raising=False)
    before = dict(os.environ)
    assert secrets.use_notebook_secrets() == []
    assert dict(os.environ) == before


def test_a_secret_that_is_nowhere(monkeypatch):
    monkeypatch.delenv("A_SECRET", raising=False)
    monkeypatch.setattr(sys, "stdin", None)
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    with pytest.raises(SettingsError, match="A_SECRET not found"):
        secret("A_SECRET")
