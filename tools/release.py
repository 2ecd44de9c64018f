"""See that a release is what it says: `make release`, before and after the tag is made.

    python -m tools.release [TAG]

The version in the package, the newest section of CHANGELOG.md, the setup cells and the tag must
agree. The tag is the given one, or the one that git finds at this commit; without one, it is said
which to make.
"""

import re
import subprocess
import sys
from pathlib import Path

from tgpipeline import __version__
from tools import badges

ROOT = Path(__file__).parents[1]


def problems(version: str, changelog: str, tag: str, notebooks: list[str]) -> list[str]:
    """What speaks against a release; empty if nothing does.

    >>> problems("1.0.0", "## [1.0.0] - 2026-01-31", "v1.0.1", [])
    ['the tag is v1.0.1, the version 1.0.0: tag the commit with v1.0.0']
    """
    found = []
    newest = re.search(r"(?m)^## \[(\d[^\]]*)\](?: - (\S+))?", changelog)
    if not newest or newest[1] != version:
        found.append(f"CHANGELOG.md has no section '## [{version}] - YYYY-MM-DD' at its top")
    elif not re.fullmatch(r"\d{4}-\d{2}-\d{2}", newest[2] or ""):
        found.append(f"the section [{version}] of CHANGELOG.md bears no date: YYYY-MM-DD")
    if tag and tag != f"v{version}":
        found.append(f"the tag is {tag}, the version {version}: tag the commit with v{version}")
    if any(f"v{version}" not in text for text in notebooks):
        found.append("a setup cell names another version: run `make badges`")
    return found


def notes(changelog: str, version: str) -> str:
    """The section of one version, for the release's page."""
    section = re.search(rf"(?ms)^## \[{re.escape(version)}\][^\n]*\n(.*?)(?=^## \[|\Z)", changelog)
    return section[1].strip() if section else ""


def main(arguments: list[str]) -> int:
    """Check, and print the notes of the version; the exit code says whether all agrees."""
    ask = ["git", "tag", "--points-at", "HEAD", "--list", "v*"]
    done = subprocess.run(ask, cwd=ROOT, capture_output=True, text=True, check=False)
    tag = (arguments or done.stdout.split() or [""])[0]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    notebooks = [p.read_text(encoding="utf-8") for p in (ROOT / "notebooks").rglob("*.ipynb")]
    found = problems(__version__, changelog, tag, notebooks)
    if "/OWNER/" in badges.repository():
        found.append("[project.urls] still says OWNER: run `make badges` where origin is the real")
    for problem in found:
        print(f"not ready: {problem}", file=sys.stderr)
    if not found:
        print(notes(changelog, __version__))
        if not tag:
            print(f"\nReady: git tag v{__version__} && git push origin v{__version__}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
