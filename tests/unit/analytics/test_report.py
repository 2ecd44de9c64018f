"""What the page holds, in which order, and what it hides."""

import re

import pandas as pd
import pytest
from nbconvert.filters import markdown2html
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tgpipeline.analytics import athena, report
from tgpipeline.analytics.tables import TABLES, Tables

GIVEN = {"names": False, "chat": 0, "timezone": "America/Sao_Paulo"}
ASKED = {
    "query": "messages_per_day",
    "rows": 3,
    "bytes_scanned": 7,
    "usd": 5e-05,
    "milliseconds": 9,
}


def chart(alt: str) -> object:
    data, metadata = {"image/png": "iVBORw0KGgo="}, {"image/png": {"alt": alt}}
    return new_code_cell(
        "charts.show(…)", outputs=[new_output("display_data", data, metadata=metadata)]
    )


def page() -> str:
    handed = {"sections": {"What people need": ["below"]}, "end": ["## Words"], "asked": [ASKED],
              "notes": ["no bot"]}  # fmt: skip
    executed = new_notebook(
        cells=[
            new_markdown_cell("## How much is written\n\n### A day"),
            new_code_cell("rows", outputs=[new_output("display_data", {"text/plain": "raw rows"})]),
            chart("3 messages. Chart: messages by day."),
            new_markdown_cell("## What people need"),
            chart("Most frequent: Refund. Chart: share."),
            new_code_cell("", outputs=[new_output("display_data", {TABLES: handed})]),
        ]
    )
    found = report.arrange(executed, "Report", GIVEN, athena.Estimate(3, 1000, 5e-05))
    return "\n".join(cell.source for cell in found.cells)


def test_findings_stand_first_and_needs_before_volume() -> None:
    text = page()
    assert text.index("- Most frequent: Refund.") < text.index("- 3 messages.")
    assert text.index("- 3 messages.") < text.index("## What people need")
    assert text.index("## What people need") < text.index("below")
    assert text.index("below") < text.index("### A day") < text.index("## Words")
    assert "> Not known: no bot" in text


def test_the_page_says_what_it_cost_and_shows_neither_code_nor_rows() -> None:
    text = page()
    assert "at most 1,000 bytes (3 files)" in text
    assert "1 questions, 7 bytes, 0.00005 USD" in text
    assert "raw rows" not in text
    assert "charts.show" not in text


@pytest.fixture
def tables() -> Tables:
    made = Tables()
    athena.LISTENERS.clear()
    return made


def test_quotes_hide_who_wrote_and_what_identifies_them(tables: Tables) -> None:
    talk = pd.DataFrame({"first_name": ["Ana Lima", None], "username": ["ana_l", "bob77"]})
    quote = "“Sou Ana, ana@x.example, @bob77, CPF 111.222.333-44, banana” (message 12345678)"
    frame = pd.DataFrame({"questions": [[quote]], "customer": [7], "name": ["Ana Lima"]})
    safe = tables._safe(frame, {7: "person 1"}, tables._hidden(talk))
    assert safe.to_dict("records") == [
        {"questions": ["“Sou …, …, …, CPF …, banana” (message 12345678)"], "customer": "person 1"}
    ]
    tables.names = True
    assert tables._safe(frame, {7: "Ana"}, None)["questions"][0] == [quote]


def test_tables_are_written_for_people() -> None:
    frame = pd.DataFrame({"title": ["a|b"], "low": [0.1], "high": [float("nan")], "link": [None]})
    frame.loc[0, "high"] = 0.25
    text = Tables.markdown(frame.assign(link="https://t.me/c/1/2"))
    assert "| problem | 95% interval | link |" in text
    assert "| a\\|b | 10% to 25% | [open](https://t.me/c/1/2) |" in text
    unknown = Tables.markdown(pd.DataFrame({"low": [float("nan")], "high": [float("nan")]}))
    assert "not known" in unknown


def test_what_people_write_is_no_html_and_no_link(tables: Tables) -> None:
    evil = "<img src=https://x.example/a> [a](https://x.example) <script>alert(1)</script>"
    frame = pd.DataFrame({"title": [evil], "customer": [evil], "questions": [[f"“{evil}” | b"]]})
    for text in (tables.markdown(frame), tables._quotes(frame, "title", "questions")):
        page = markdown2html(text)
        assert "alert(1)" in page
        assert not re.search("<script|<img|>a</a>", page)


def frequent(known: int, unknown: int) -> pd.DataFrame:
    rows = [("refund", "Refund", known), (None, "No known problem", unknown)]
    frame = pd.DataFrame(rows, columns=["problem", "title", "conversations"])
    return frame.assign(low=0.1, high=0.2, trend="", questions=[["“q” (message 1)"]] * 2)


@pytest.mark.parametrize(("known", "shown"), [(1, True), (8, False)])
def test_where_definitions_name_little_groups_of_questions_are_shown(
    tables: Tables, known: int, shown: bool
) -> None:
    clusters = pd.DataFrame(
        {"about": ["impressora"], "messages": [4], "questions": [["“a impressora?” (message 9)"]]}
    )
    found = tables._sections({"frequent": frequent(known, 5), "clusters": clusters})
    text = "\n".join(found["What people need"])
    assert ("- **impressora**: “a impressora?” (message 9)" in text) is shown
    assert (f"only {known} of {known + 5} conversations" in text) is shown


def test_a_group_that_is_no_forum_is_said_to_be_none(tables: Tables) -> None:
    topics = pd.DataFrame({"message_thread_id": pd.array([None, None], "Int64")})
    tables.answers = [("messages_by_topic", topics)]
    assert tables._sections({}) == {
        "How much is written": ["The group is no forum: nobody wrote in a topic."]
    }
    tables.answers = [("messages_by_topic", topics.fillna(7))]
    assert tables._sections({}) == {}


def test_bytes_of_the_local_stack_are_not_passed_off_as_those_of_aws() -> None:
    estimate = athena.Estimate(3, 1000, 5e-05, "weekly_retention")
    assert "the local stack's own figure, not AWS's" in report._costs([ASKED], estimate, True)
    on_aws = report._costs([ASKED], estimate, False)
    assert "local stack" not in on_aws
    assert "the dearest is weekly_retention" in on_aws
