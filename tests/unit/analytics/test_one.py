"""One of everything: no chart, finding or page counts it as several, in either language."""

import html
import re

import pandas as pd
import pytest

from tests.unit.analytics.duck import Duck
from tests.unit.analytics.test_charts import NAMES, draw, frames
from tests.unit.analytics.test_report import PERIOD, message
from tgpipeline.analytics import findings, language, report
from tgpipeline.analytics.answers import Answers

SEVERAL = re.compile(r"(?<![\d.,:/-])1 (?:[a-zà-ú]+ )?[a-zà-ú]{2,}s\b(?! (?:que|of|de) )")
SINGULAR = re.compile(r" (?:is|was|has|waits|mais|menos|às|as|das)$")


def several(text: str) -> list[str]:
    """What the text says of one as if it were several."""
    found = [match[0] for match in SEVERAL.finditer(text)]
    return [
        said
        for said in found
        if not re.search(r" (?:is|was|has|waits|mais|menos|às|as|das)$", said)
    ]


def test_what_is_looked_for_is_found() -> None:
    assert several("1 mensagens; 1 messages a day; on 1 days") == [
        "1 mensagens", "1 messages", "1 days",
    ]  # fmt: skip
    assert several("1 message is text; 21 messages; 1.1 times; 0.1 days; 1 de 1 visita") == []


@pytest.mark.parametrize("code", language.LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_a_chart_of_one(name: str, code: str) -> None:
    frame = frames(1)[name].head(1)
    attrs = frame.attrs
    numbers = [c for c in frame.select_dtypes("number") if c not in ("user_id", "hour", "weekday")]
    frame[numbers] = frame[numbers].clip(1, 1)
    frame.attrs = attrs
    if name == "outcomes":
        frame = frames(1)[name].assign(numerator=1, denominator=1)
    with language.use(code):
        chart = draw(name, frame)
        labels = [text.get_text() for text in chart.axes.get_yticklabels()]
        assert several(" | ".join([chart.title, *labels])) == []


@pytest.mark.parametrize("code", language.LANGUAGES)
def test_a_page_of_one(code: str) -> None:
    told = [message(1, 1, "Ana", "cadê meu pedido?")]
    page = report.render(Answers(Duck(told), **PERIOD, language=code))
    shown = html.unescape(
        re.sub(r"<style.*?</style>|<svg.*?</svg>|<[^>]+>", "\n", page, flags=re.S)
    )
    assert "1 m" in shown
    assert several(shown) == []


def _busy() -> list[dict]:
    """Thirty people who ask once, a bot that answers all but one."""
    told = []
    for n in range(30):
        told.append(message(3 * n + 1, 50 + n, "Ana", "cadê meu pedido?"))
        if n:
            reply = {"reply_to_message": told[-1]["message"]}
            told.append(message(3 * n + 2, 9, "Bot", f"O pedido {n} chega hoje.", **reply))
    return told


@pytest.mark.parametrize("code", language.LANGUAGES)
def test_findings_of_one(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = pd.DataFrame({"user_id": [1]})
    answers = Answers(Duck(_busy()), **PERIOD, language=code)
    answers.ask("fallen_silent")
    answers.asked["fallen_silent"] = gone
    with language.use(code):
        told = [f"{one.text} {one.action}" for find in findings.CANDIDATES for one in find(answers)]
    assert any("1 " in text for text in told)
    assert [said for text in told for said in several(text)] == []
