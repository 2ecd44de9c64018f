"""Secrets: where a notebook's host or the environment keeps them, and who is asked for the rest."""

import getpass
import os
import sys
from contextlib import suppress

from tgpipeline import resources
from tgpipeline.settings import refusal

# What boto3 and Settings look for in the environment; what `secret` fetches is not among it.
STORED: list[str] = resources.data("settings.toml")["stored"]


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
    # The local stack has its own, in the environment.
    value = ("" if on_this_machine else _stored(name)) or os.environ.get(name, "").strip()
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
