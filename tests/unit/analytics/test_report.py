"""What the page holds, in which order, and what it hides."""

import re
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from tests.unit.analytics.duck import Duck
from tgpipeline.analytics import report
from tgpipeline.analytics.answers import Answers
from tgpipeline.analytics.language import use, words
from tgpipeline.analytics.tables import Table
from tgpipeline.errors import QueryError, SettingsError

GROUP = -1004100
PERIOD = {"start": "2025-11-24", "end": "2025-12-07"}
START = 1763985600  # 2025-11-24 09:00 in São Paulo
EVIL = "<img src=https://x.example/a> <script>alert(1)</script> cadê meu pedido, Josefa?"


def message(number: int, who: int, name: str, text: str, **more: object) -> dict:
    said = {
        "message_id": number,
        "from": {"id": who, "is_bot": who == 9, "first_name": name},
        "chat": {"id": GROUP, "type": "supergroup", "title": "Loja"},
        "date": START + 3600 * number,
        "text": text,
    }
    return {"update_id": number, "message": said | more}


def updates() -> list[dict]:
    found = []
    for n in range(1, 61, 3):
        text = "cadê meu pedido 48113? sou a Josefa" if n % 2 else EVIL
        found.append(message(n, 100 + n % 7, "Josefa", text))
        reply = {"reply_to_message": found[-1]["message"]}
        found.append(message(n + 1, 9, "Bot", "Seu pedido está a caminho.", **reply))
        if n % 2:
            found.append(message(n + 2, 100 + n % 7, "Josefa", "obrigada!"))
    return found


@pytest.fixture(scope="module")
def engine() -> Duck:
    return Duck(updates())


@pytest.fixture(scope="module")
def answers(engine: Duck) -> Answers:
    return Answers(engine, **PERIOD, language="en")


@pytest.fixture(scope="module")
def written(engine: Duck, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    output, csv = folder / "out" / "r.html", folder / "csv"
    report.write(Answers(engine, **PERIOD, language="en"), output, csv)
    return folder


@pytest.fixture(scope="module")
def page(written: Path) -> str:
    return (written / "out" / "r.html").read_text("utf-8")


def section(answers: Answers, title: str) -> dict:
    (known,) = (known for known in words()["page"] if known["title"] == title)
    made = report.section(answers, known)
    return made | {"tables": [table for table in made["tables"] if table.rows]}


class Balanced(HTMLParser):
    """Fails on a tag that is not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_page_stands_alone(page: str) -> None:
    assert page.startswith("<!DOCTYPE html>")
    reader = Balanced()
    reader.feed(page)
    assert reader.open == []
    assert not re.search(r"<script|<link[^>]+href=\"http|src=\"http|@import|<img", page)
    assert len(page) < 2_000_000
    assert not re.search('role="img" aria-label=""', page)
    widths = set(re.findall(r'viewBox="0 0 ([\d.]+)', page))
    assert widths == {"532.8", "266.4"}, "each chart for a desk and for a phone, in points"


def test_findings_stand_first_then_needs_then_volume_and_definitions_last(page: str) -> None:
    order = [page.index(f"<h2>{title}</h2>") for title in ("Findings", "What people need",
             "Does the bot solve it?", "How much is written", "What the words mean")]  # fmt: skip
    assert order == sorted(order)


def test_every_chart_carries_its_numbers(page: str, answers: Answers) -> None:
    assert page.count("<summary>Show data</summary>") == page.count("<figure>") > 10
    per_day = answers.ask("messages_per_day")
    with_most = page[page.index("How much is written") :]
    assert f'<td data-head="by people">{per_day["by_people"].iloc[0]}</td>' in with_most


def test_what_people_write_is_no_html_and_nobody_is_named(page: str) -> None:
    assert "alert(1)" in page
    assert "&lt;script&gt;" in page
    assert not re.search("Josefa|48113", page)


def test_names_are_shown_where_asked_for(engine: Duck, answers: Answers) -> None:
    named = section(Answers(engine, **PERIOD, names=True, language="en"), "Who comes")["tables"]
    assert named[0].caption == "Who wrote most"
    assert named[0].rows[0][0].startswith("Josefa")
    assert section(answers, "Who comes")["tables"][0].rows[0][0].startswith("person ")


def test_an_empty_period_says_so_and_draws_nothing(engine: Duck) -> None:
    page = report.render(Answers(engine, start="2024-01-01", end="2024-01-02", language="en"))
    assert "No messages from 2024-01-01 to 2024-01-02" in page
    assert "<svg" not in page


def test_tables_are_written_beside_the_page(written: Path) -> None:
    tables = {file.stem: file.read_text("utf-8") for file in (written / "csv").iterdir()}
    assert pd.read_csv(written / "csv" / "messages_per_day.csv")["messages"].sum() == 50
    assert {"outcomes", "reply_pairs", "shared_domains", "fallen_silent"} <= tables.keys()
    assert "conversation_messages" not in tables
    assert not any(re.search("Josefa|48113", text) for text in tables.values())


@pytest.mark.parametrize(
    ("given", "error", "names"),
    [
        ({"chat": -5}, QueryError, "not in the lake"),
        ({"chat": "Loja"}, QueryError, "chat .Loja. is not in the lake. Chats in it: -"),
        ({"start": "28.11.2025"}, QueryError, "start"),
        ({"office": "sometimes"}, SettingsError, "sometimes"),
        ({"language": "xx"}, SettingsError, "xx"),
        ({"no_such": 1}, TypeError, "no_such"),
        ({"horizon": 200}, SettingsError, "168"),
        ({"horizon": 0}, SettingsError, "horizon 0"),
    ],
)
def test_what_cannot_be_reported_is_refused(engine, tmp_path, given, error, names) -> None:
    with pytest.raises(error, match=names):
        report.write(Answers(engine, **(PERIOD | given)), tmp_path / "r.html")
    assert not (tmp_path / "r.html").exists()


def test_a_longer_horizon_leaves_more_open(engine: Duck) -> None:
    def still_open(**how: float) -> int:
        found = Answers(engine, **PERIOD, **how).conversations
        assert found.attrs["horizon"] == how.get("horizon", 72)
        return int((found["outcome"] == "open").sum())

    assert still_open(horizon=1) < still_open() <= still_open(horizon=168)


def test_each_question_is_asked_once(engine: Duck) -> None:
    found = Answers(engine, **PERIOD, language="en")
    assert found.ask("people") is found.ask("people")
    assert list(found.asked) == ["people"]


def test_costs_are_those_of_aws_alone(engine: Duck, monkeypatch) -> None:
    answers = Answers(engine, **PERIOD, language="en")
    assert "questions scanned" not in report.render(answers)
    monkeypatch.setattr(engine, "local", False, raising=False)
    page, n = report.render(answers), len(answers.asked)
    assert n > 20
    assert f"{n} questions scanned {7 * n} bytes, for {5e-05 * n:.5f} USD" in page


def test_quotes_hide_who_wrote_and_what_identifies_them(answers: Answers) -> None:
    quote = "“Sou Josefa, ana@x.example, @bob77, CPF 111.222.333-44, banana” (message 12345678)"
    frame = pd.DataFrame({"questions": [[quote]], "customer": [101], "name": ["Josefa Lima"]})
    safe = answers.masked(frame).to_dict("records")
    assert safe[0]["questions"] == ["“Sou …, …, …, CPF …, banana” (message 12345678)"]
    assert safe[0]["customer"] == answers.labels[101]
    assert "name" not in safe[0]


def test_a_table_has_no_empty_column_and_no_interval_from_one_value_to_the_same() -> None:
    rows = {"median": [9.0], "low": [1e9], "high": [2e9], "problem": [None], "trend": [""]}
    table = Table.of(pd.DataFrame(rows))
    assert (table.heads, table.rows) == (["median", "95% interval"], [["9 s", "over 72 h"]])


def test_a_quote_names_its_message_in_the_language_of_the_page() -> None:
    with use("pt"):
        table = Table.of(pd.DataFrame({"questions": [["“(message 3)” (message 4)"]]}))
    assert table.rows == [["“(message 3)” (mensagem 4)"]]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("oi josefa", "oi …"),
        ("JOSÉFA", "…"),
        ("josfa e jozefa e josefaa e jsoefa", "… e … e … e …"),
        ("josué", "josué"),  # two letters
        ("Ian disse que Iam", "… disse que Iam"),  # short: a letter makes it another word
        ("a branca", "a branca"),  # three people write it: no misspelt Bianca
        ("a blanca, a biancas", "a …, a …"),
        ("o Resolve responde", "o Resolve responde"),  # the bot is nobody
    ],
)
def test_names_with_a_letter_wrong_are_hidden_where_nobody_else_says_so(
    said: str, shown: str
) -> None:
    people = [("Josefa", 1), ("Ian", 2), ("Bianca Lima", 3)]
    told = [message(n, who, name, "a camisa branca") for n, (name, who) in enumerate(people, 1)]
    told.append(message(9, 9, "Resolve", "oi"))
    frame = pd.DataFrame({"answer": [f"{said} (message 7)"]})
    safe = Answers(Duck(told), **PERIOD, language="en").masked(frame)
    assert safe["answer"][0] == f"{shown} (message 7)"


def test_tables_are_written_for_people() -> None:
    frame = pd.DataFrame(
        {"title": ["a"], "low": [0.1], "high": [0.25], "link": ["https://t.me/c/1/2"], "n": [1e6]}
    )
    table = Table.of(frame)
    assert table.heads == ["problem", "95% interval", "link", "n"]
    assert table.rows == [["a", "10% to 25%", "https://t.me/c/1/2", "1,000,000"]]
    nothing = pd.DataFrame({"low": [float("nan")], "high": [float("nan")]})
    assert Table.of(nothing).rows == [["not known"]]
    many = Table.of(pd.DataFrame({"n": range(45)}), most=40)
    assert (len(many.rows), many.more) == (40, 5)
    waits = pd.DataFrame({"who": ["bot"], "median": [6.0], "low": [5.0], "high": [7.0]})
    assert Table.of(waits).rows == [["bot", "6 s", "5 s to 7 s"]]


def test_where_definitions_name_little_groups_of_questions_are_shown(engine: Duck) -> None:
    colours = "azul verde preta branca amarela roxa cinza laranja".split()
    things = "papel caderno cartaz envelope adesivo".split()
    asked = [f"a impressora {c} imprime {t}?" for c in colours for t in things]
    unknown = [message(2 * n, 50 + n, "Ana", text) for n, text in enumerate(asked, 1)]
    few = section(Answers(Duck(unknown), **PERIOD, language="en"), "What people need")
    assert few["tables"][0].caption.startswith(
        "Groups of like questions, found without definitions"
    )
    assert any("impressora" in row[0] for row in few["tables"][0].rows)
    assert section(Answers(engine, **PERIOD), "What people need")["tables"] == []


def test_each_question_is_listed_where_there_are_too_few_for_shares(engine: Duck) -> None:
    few = section(Answers(engine, **PERIOD, language="en"), "Does the bot solve it?")
    assert [(table.caption, len(table.rows)) for table in few["tables"]] == [("Each question", 20)]
    many = [message(n, 200 + n, "Ana", "cadê meu pedido?") for n in range(1, 40)]
    assert section(Answers(Duck(many), **PERIOD), "Does the bot solve it?")["tables"] == []


def test_of_a_problem_that_nobody_answered_no_answer_is_quoted() -> None:
    alone = Answers(Duck([message(1, 7, "Ana", "cadê meu pedido?")]), **PERIOD, language="en")
    assert alone.teach["answer"].tolist() == [""]
    (quotes,) = section(alone, "Where a better bot pays")["quotes"]
    assert quotes.rows == []


def test_who_waits_is_listed_the_last_first() -> None:
    asked = [message(n, 200 + n, "Ana", f"cadê o pedido {n}?") for n in range(1, 40)]
    (table,) = section(Answers(Duck(asked), **PERIOD, language="en"), "Unanswered now")["tables"]
    assert [row[0] for row in table.rows[:2]] == ["Wed 26 Nov 2025", "Tue 25 Nov 2025, 23:00"]
    assert (len(table.rows), table.more) == (20, 19)


def test_a_section_leaves_out_charts_of_nothing(answers: Answers) -> None:
    shown = section(answers, "How much is written")["charts"]
    assert not any("topic" in chart.title for chart in shown)
    assert all(len(chart.data) for chart in shown)


@pytest.mark.parametrize(("before", "told"), [(0, []), (5, ["begin on Mon 24 Nov 2025", "5 days"])])
def test_a_period_beyond_retention_is_told(before: int, told: list[str]) -> None:
    first = date(2025, 11, 24)
    start = first - timedelta(before)
    answers = Answers(Duck([message(1, 50, "Ana", "oi?")]), start=start, end=first, language="en")
    notes = [note for note in report.unknown(answers) if "begin on" in note]
    assert len(notes) == bool(told)
    assert all(part in note for note in notes for part in told)
