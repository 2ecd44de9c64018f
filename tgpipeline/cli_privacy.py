"""The commands about a person's data; `cli` has the others."""

import argparse
from datetime import date

from tgpipeline.cli import command, option
from tgpipeline.settings import Settings

_USER = option("--user", type=int, required=True, metavar="ID", help="`from.id` of the person")


@command(
    "erase",
    _USER,
    option("--chat", type=int, metavar="ID", help="in this group alone"),
    option(
        "--before", metavar="DATE", type=date.fromisoformat, help="only what is older than this day"
    ),
    option("--dry-run", action="store_true", help="say what would be touched"),
)
def _erase(arguments: argparse.Namespace) -> int:
    """Erase a person from the raw zone, the tables, the quarantine and query results; prove it."""
    from tgpipeline.privacy import erase

    return erase.command(arguments, Settings.from_env("raw_bucket", "enriched_bucket"))


@command("export", _USER, option("-o", "--output", default="person.zip", help="(person.zip)"))
def _export(arguments: argparse.Namespace) -> int:
    """Write all that the lake holds of a person into a zip, as they may ask for it."""
    from tgpipeline.privacy import export

    return export.command(arguments, Settings.from_env("raw_bucket", "enriched_bucket"))
