"""The commands about a person's data; `cli` has the others."""

import argparse

from tgpipeline.cli import command
from tgpipeline.settings import Settings


@command
def _erase(arguments: argparse.Namespace) -> int:
    """Erase a person from the raw zone, the tables, the quarantine and query results; prove it."""
    from tgpipeline.privacy import erase

    return erase.command(arguments, Settings.from_env("raw_bucket", "enriched_bucket"))


@command
def _export(arguments: argparse.Namespace) -> int:
    """Write all that the lake holds of a person into a zip, as they may ask for it."""
    from tgpipeline.privacy import export

    return export.command(arguments, Settings.from_env("raw_bucket", "enriched_bucket"))
