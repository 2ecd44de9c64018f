"""The report's and the charts' sentences in other languages: `make catalogue`.

    python -m tools.catalogue [--check]

Extracts what `say` and `mark` hold in analytics and exercises, puts what is new into the
catalogue of each language, and compiles it. What is new there is empty: translate it, and run this
again. With `--check` nothing is written; it names what is missing, and fails.
"""

import io
import string
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.messages import catalog, extract, mofile, pofile

from tgpipeline import resources
from tgpipeline.analytics import language, questions
from tgpipeline.analytics.support import metrics
from tgpipeline.lake import columns
from tgpipeline.telegram import updates

ROOM = Path(language.__file__).parent
EXERCISES = ROOM.parent / "notebook"
METHODS = [("**.py", "python"), ("**.html.j2", "jinja2.ext:babel_extract")]
NO_DATE = datetime(2025, 1, 1, tzinfo=UTC)  # the same sentences make the same file
# Of what the notebooks are given by display.record.
RECORDED = ["updates sent", "raw objects", "rows", "events", "quarantined", "queries run"]
KEYWORDS = {"say": None, "mark": None}


def sentences() -> catalog.Catalog:
    """All sentences there are, without translations."""
    found = catalog.Catalog(project="tgpipeline", creation_date=NO_DATE)
    named: list[Any] = [*metrics.definitions().values()]
    named += resources.data(metrics.MEASURES)["notes"].values()
    named += [name.replace("_", " ") for name in metrics.definitions()]
    words = language.words()
    for kind in ("heads", "labels", "parts"):
        named += words[kind].values()
    for names in words["axes"].values():
        named += names
    named += questions.names().values()
    for section in words["page"]:
        named += [section["title"], *(one.get("caption") for one in section.get("lists", ()))]
    told_in_files = list(words["sentences"].values())
    for kind in ("headings", "weekdays", "months", "cells", "emoji"):
        named += _listed(words[kind])
    named += [c.meaning for c in (*columns.MESSAGES[:8], *columns.EVENTS[:6])]  # in notebook 02
    named += RECORDED
    named += ["unknown", *(name for name in updates.CONTENT if name not in updates.SERVICE)]
    for told in resources.data("notebook/exercises.toml").values():
        named += told.values()
    for known in resources.data("analytics/findings.toml").values():
        told_in_files += [known["text"], known["action"]]
    named += [text if isinstance(text, str) else tuple(text) for text in told_in_files]
    for text in named:
        found.add(text)
    for room in (ROOM, EXERCISES):
        for _, _, text, _, _ in extract.extract_from_dir(room, METHODS, keywords=KEYWORDS):
            found.add(text)
    return found


def _listed(words: str) -> list[str]:
    return [" ".join(word.split()) for word in words.split(",")]


def update(code: str) -> tuple[catalog.Catalog, list[str]]:
    """A language's catalogue with what is new, without what is gone; and what has no translation.

    What has other values in braces than its original counts as having none.
    """
    with (_folder(code) / f"{language.DOMAIN}.po").open("rb") as file:
        known = pofile.read_po(file, code)
    known.update(sentences(), no_fuzzy_matching=True)
    known.obsolete.clear()
    missing = [str(message.id) for message in known if message.id and not _is_right(message)]
    return known, missing


def compiled(known: catalog.Catalog) -> bytes:
    """A catalogue as gettext reads it."""
    buffer = io.BytesIO()
    mofile.write_mo(buffer, known)
    return buffer.getvalue()


def _is_right(message: catalog.Message) -> bool:
    ids, texts = (t if isinstance(t, tuple) else (t,) for t in (message.id, message.string))
    named = set().union(*map(_values, ids))
    return all(texts) and all(_values(text) <= named for text in texts)


def _values(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def _folder(code: str) -> Path:
    return language.FOLDER / code / "LC_MESSAGES"


def main(arguments: list[str]) -> int:
    """Extract, or check; see the module."""
    failed = False
    for code in sorted(path.name for path in language.FOLDER.iterdir()):
        known, missing = update(code)
        target = _folder(code) / f"{language.DOMAIN}.mo"
        if "--check" in arguments:
            stale = target.read_bytes() != compiled(known)
            missing += ["the compiled catalogue is another"] if stale else []
        else:
            with target.with_suffix(".po").open("wb") as file:
                pofile.write_po(file, known, width=100, omit_header=False, no_location=True)
            target.write_bytes(compiled(known))
        for text in missing:
            print(f"{code}: not translated: {text[:100]}", file=sys.stderr)
        failed = failed or bool(missing)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
