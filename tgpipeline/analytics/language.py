"""The language of charts and report: sentences from a catalogue, numbers and dates as it has them.

Catalogues are gettext's, in `locale/`; `python -m tools.catalogue` extracts, compiles and checks
them. A sentence is written once, in English: a short one where it is used, as in
`say("{n:,} messages", n=3166)`, the others in `words.toml`.
"""

import gettext
import string
from datetime import date
from pathlib import Path
from typing import Any

from tgpipeline import resources
from tgpipeline.errors import SettingsError

LANGUAGES = ("en", "pt")
FOLDER = Path(__file__).with_name("locale")
DOMAIN = "analytics"


def mark(text: str) -> str:
    """Marks a constant's text for the catalogue; it is translated where it is said."""
    return text


WEEKDAYS = "Mon Tue Wed Thu Fri Sat Sun".split()
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


class use:  # noqa: N801, reads as a verb
    """Sets the language, for good or for a `with` block.

    Args:
        language: `en` or `pt`.

    Raises:
        SettingsError: if there is no catalogue of it.

    >>> with use("pt"):
    ...     say("{low} to {high}", low=say("{n:,.1f}", n=3166.5), high=date(2025, 12, 1))
    '3.166,5 a seg, 1 dez 2025'
    """

    current = "en"
    _catalogue: gettext.NullTranslations = gettext.NullTranslations()

    def __init__(self, language: str) -> None:
        if language not in LANGUAGES:
            raise SettingsError(f"language {language!r}: there are {', '.join(LANGUAGES)}.")
        self._before = use.current, use._catalogue
        use.current = language
        use._catalogue = gettext.translation(DOMAIN, FOLDER, [language], fallback=language == "en")

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        use.current, use._catalogue = self._before


def say(text: str | list[str], /, **values: Any) -> str:
    """A sentence in the language that is set, with its values.

    Args:
        text: in English, as `str.format` takes it; or two of them, the first for one `n`. A number
            with `,` or `.` in its format gets the language's separators; a date is written as
            `date_text` does.
        **values: by name.
    """
    if isinstance(text, list):
        told = use._catalogue.ngettext(text[0], text[1], int(values["n"]))
    else:
        told = use._catalogue.gettext(text) if text else ""
    return _FORMAT.vformat(told, (), values) if values else told  # a name may have braces


def sentence(name: str, /, **values: Any) -> str:
    """A sentence by its name in `words.toml`: the title of a chart, a note."""
    text = words()["sentences"][name]
    return say(text, **values)


def number(value: float, spec: str = ",") -> str:
    """A number with the separators of the language that is set.

    >>> with use("pt"):
    ...     number(3166), number(0.5, ",.2f")
    ('3.166', '0,50')
    """
    return _FORMAT.format_field(value, spec)


def date_text(day: date) -> str:
    """A day as in `Fri 28 Nov 2025`.

    >>> date_text(date(2025, 11, 28))
    'Fri 28 Nov 2025'
    """
    named = {"weekday": say(WEEKDAYS[day.weekday()]), "month": say(MONTHS[day.month - 1])}
    return say("{weekday} {day} {month} {year}", day=day.day, year=day.year, **named)


class _Format(string.Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, date) and not format_spec:
            return date_text(value)
        text = str(super().format_field(value, format_spec))
        if use.current == "pt" and set(format_spec) & set(",.%"):
            return text.translate(_SWAPPED)
        return text


_FORMAT = _Format()
_SWAPPED = str.maketrans(",.", ".,")


def words() -> dict[str, Any]:
    """Headings, labels and the words of cells, as `words.toml` has them, in English."""
    return resources.data("analytics/words.toml")
