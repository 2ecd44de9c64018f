"""No sentence is missing in another language, and numbers are written as it writes them."""

import re
from datetime import date

import pandas as pd
import pytest

from tests.unit.analytics.duck import Duck
from tests.unit.analytics.test_report import PERIOD, message, updates
from tgpipeline.analytics import report
from tgpipeline.analytics.answers import Answers
from tgpipeline.analytics.language import FOLDER, date_text, say, use
from tgpipeline.analytics.tables import Table
from tgpipeline.errors import SettingsError
from tools import catalogue

PO = FOLDER / "pt" / "LC_MESSAGES" / "analytics.po"


def test_nothing_is_missing_and_what_is_compiled_is_what_is_written() -> None:
    known, missing = catalogue.update("pt")
    assert missing == [], "run `make catalogue`, translate what is empty, and run it again"
    assert PO.with_suffix(".mo").read_bytes() == catalogue.compiled(known)
    assert catalogue.main(["--check"]) == 0


def test_a_new_sentence_without_a_translation_is_named(monkeypatch, capsys) -> None:
    found = catalogue.sentences()
    found.add("A sentence that nobody has translated.")
    monkeypatch.setattr(catalogue, "sentences", lambda: found)
    assert catalogue.main(["--check"]) == 1
    assert "A sentence that nobody has translated." in capsys.readouterr().err


def test_a_translation_with_other_values_counts_as_none(monkeypatch) -> None:
    known, _ = catalogue.update("pt")
    known.get("Of group {chat}.").string = "Do grupo {grupo}."
    assert not catalogue._is_right(known.get("Of group {chat}."))
    assert catalogue._is_right(known.get("Of all groups."))


def test_numbers_dates_and_plurals() -> None:
    assert say("{n:,.1f}", n=3166.5) == "3,166.5"
    with use("pt"):
        assert say("{n:,.1f}", n=3166.5) == "3.166,5"
        assert say("{share:.0%}", share=0.5) == "50%"
        assert date_text(date(2025, 11, 28)) == "sex, 28 nov 2025"
        assert Table.of(pd.DataFrame({"low": [0.1], "high": [0.2]})).rows == [["10% a 20%"]]
        words = [
            "{n} day without any message, of {of:,}",
            "{n:,} days without any message, of {of:,}",
        ]
        assert say(words, n=1, of=9) == "1 dia sem nenhuma mensagem, de 9"
        assert say(words, n=2, of=9) == "2 dias sem nenhuma mensagem, de 9"
        assert say(words, n=0, of=9) == "0 dias sem nenhuma mensagem, de 9"
    assert use.current == "en"


def test_a_language_without_a_catalogue_is_refused() -> None:
    with pytest.raises(SettingsError, match="there are en, pt"):
        use("de")
    assert use.current == "en"


def test_the_language_is_that_of_the_data() -> None:
    answers = Answers(Duck(updates()), **PERIOD)
    assert answers.language == "pt"
    for texts in (("where is my order, please?", "thank you very much for the help"), ("", "12")):
        told = [message(n, 50, "Ana", text) for n, text in enumerate(texts, 1)]
        assert Answers(Duck(told), **PERIOD).language == "en"


def test_a_page_in_portuguese_has_no_english_heading() -> None:
    answers = Answers(Duck(updates()), **PERIOD)
    page = report.render(answers)
    assert '<html lang="pt-BR">' in page
    english = {m.id for m in catalogue.sentences() if m.id and isinstance(m.id, str)}
    with use("pt"):
        other = {text for text in english if "{" not in text and say(text) != text}
    shown = set(re.findall(r"<(?:h2|th[^>]*|caption|summary|figcaption|p)>([^<]+)<", page))
    assert not shown & other
    assert "O bot resolve?" in shown
