"""One page for a manager: answers → charts and tables, section by section → a template.

Notebook 06 shows the same sections; the page is HTML that loads nothing from elsewhere.
"""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from tgpipeline.analytics import charts
from tgpipeline.analytics.answers import Answers
from tgpipeline.analytics.charts import Chart
from tgpipeline.analytics.charts.style import page as page_of
from tgpipeline.analytics.findings import findings
from tgpipeline.analytics.language import mark, say, sentence, use, words
from tgpipeline.analytics.support import metrics
from tgpipeline.analytics.support.rates import NO_SIGNALS, TOO_FEW
from tgpipeline.analytics.support.statistics import ENOUGH
from tgpipeline.analytics.tables import Table
from tgpipeline.errors import QueryError

WIDE, NARROW = 7.4, 3.7  # inches of a chart: on a desk, on a phone
LANG = {"en": "en", "pt": "pt-BR"}
MOST = 20  # rows of a list on the page
RAW = {"conversation_messages", "conversation_events", "first_rows"}  # texts: never as CSV


@dataclass
class Section:
    """A part of the page.

    Attributes:
        title: its heading.
        charts: those without data are left out, and of those with few the picture.
        tables: below them, but for empty ones.
        quotes: of what, and what people said of it.
        notes: sentences between them and the tables.
    """

    title: str
    charts: list[Chart]
    tables: list[Table] = field(default_factory=list)
    quotes: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.charts = [chart for chart in self.charts if len(chart.data)]
        self.tables = [table for table in self.tables if table.rows]


def write(
    answers: Answers, output: str | Path = "report.html", csv: str | Path | None = None
) -> Path:
    """Write the report of a period.

    Args:
        answers: about the period.
        output: the page to write.
        csv: folder for the tables, as CSV; none are written if not given.

    Returns:
        The path of the page.

    Raises:
        QueryError: if a question fails, or the page cannot be written.
        SettingsError: if there is no such language.
    """
    page, html = Path(output), render(answers)
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(html, "utf-8")
        if csv:
            Path(csv).mkdir(parents=True, exist_ok=True)
            for name, frame in (answers.derived() | answers.asked).items():
                if name not in RAW:
                    answers.masked(frame).to_csv(Path(csv, f"{name}.csv"), index=False)
    except OSError as error:
        raise QueryError(f"{error.filename or page} cannot be written: {error.strerror}.") from None
    return page


def render(answers: Answers) -> str:
    """The page, as HTML, in the language of the answers."""
    from jinja2 import Environment, PackageLoader

    loader = PackageLoader("tgpipeline.analytics", "")
    environment = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    told = {
        function.__name__: function for function in (title, about, findings, unknown, cost, say)
    }
    environment.globals |= told | {"table": Table.of}
    with use(answers.language), page_of(WIDE):
        made = [make(answers) for make in SECTIONS]
        return environment.get_template("report.html.j2").render(
            answers=answers,
            lang=LANG[answers.language],
            widths=(WIDE, NARROW),
            nothing=charts.messages_per_day(answers.ask("messages_per_day")).title,
            sections=[section for section in made if section.charts or section.tables],
            definitions=_definitions(),
        )


def title(answers: Answers) -> str:
    """What the page is called."""
    if answers.first == answers.last:
        return say("Report, {day}", day=answers.first)
    return say("Report, {start} to {end}", start=answers.first, end=answers.last)


def about(answers: Answers) -> list[str]:
    """Of which group, in which zone, and whether with names: a sentence each."""
    known, said = answers.groups, [say("Of all groups.")]
    if known["group_id"].nunique() == 1:
        called = [*known["chat_title"].dropna(), answers.chat]
        said = [say("Of group {chat}.", chat=called[0])]
    said.append(say("Days and hours are those of {timezone}.", timezone=answers.timezone))
    if not answers.is_zone_named:
        said.append(say("No zone was named, so it is the default; --timezone names another."))
    said.append(say("Names are shown.") if answers.names else say("People have pseudonyms."))
    return said


def needs(answers: Answers) -> Section:
    """What do people need?"""
    frequent, notes = answers.frequent, []
    quotes = _quoted(answers.masked(frequent), "title", "questions")
    of = int(frequent["conversations"].sum())
    named = int(frequent["conversations"][frequent["problem"].notna()].sum())
    if 2 * named < of and of >= ENOUGH and len(answers.clusters):
        notes = [sentence("few_named", named=named, of=of)]
        quotes += _quoted(answers.masked(answers.clusters), "about", "questions")
    shown = [charts.frequent_problems(frequent)]
    return Section(say("What people need"), shown, quotes=quotes, notes=notes)


def solved(answers: Answers) -> Section:
    """Does the bot solve it, and how long do people wait?"""
    shown = [charts.outcomes(answers.outcomes), charts.response_times(answers.waits)]
    section = Section(say("Does the bot solve it?"), shown + _asked(answers, "reactions"))
    if 0 < answers.conversations["outcome"].ne("not_judged").sum() < ENOUGH:
        columns = ["local_time", "problem", "customer", "outcome", "link"]
        each = mark("Each question")
        section.tables = [_listed(answers, answers.cases, columns, each, 400)]
    return section


def when(answers: Answers) -> Section:
    """When do people come?"""
    asked = metrics.questions_by_hour(answers.conversations)
    shown = [charts.questions_by_hour(asked)]
    shown += _asked(answers, "visits_by_hour", "messages_by_hour_and_weekday")
    if answers.cut:
        shown.append(charts.before_and_after(answers.ask("before_and_after", cut=answers.cut)))
    return Section(say("When people come"), shown)


def better(answers: Answers) -> Section:
    """Where does a better bot pay?"""
    quotes = _quoted(answers.masked(answers.teach), "title", "answer")
    return Section(say("Where a better bot pays"), [charts.better_bot(answers.teach)], [], quotes)


def waiting(answers: Answers) -> Section:
    """Who waits for an answer now?"""
    columns = ["local_time", "problem", "customer", "reason", "link"]
    table = _listed(answers, answers.waiting.iloc[::-1], columns)
    return Section(say("Unanswered now"), [charts.unanswered(answers.waiting)], [table])


def volume(answers: Answers) -> Section:
    """How much is written, and what?"""
    days, users = answers.ask("messages_per_day"), answers.ask("messages_per_user_per_day")
    shown = [charts.messages_per_day(days), charts.calendar(days)]
    shown.append(charts.messages_per_user_per_day(users, answers.labels))
    rest = ("message_length_per_day", "messages_by_content_type", "messages_by_topic")
    return Section(say("How much is written"), shown + _asked(answers, *rest))


def people(answers: Answers) -> Section:
    """Who comes, who stays, who answers whom, and who has fallen silent?"""
    shown = _asked(answers, "active_people", "new_and_returning", "weekly_retention",
                   "concentration", "joins_and_leaves")  # fmt: skip
    tables = []
    for known in words()["lists"]:
        frame = answers.ask(known["question"])
        if known["question"] == "people":
            frame = frame[~frame["is_bot"]].sort_values("messages", ascending=False, kind="stable")
        tables.append(_listed(answers, frame, known["columns"], known["caption"], known["most"]))
    return Section(say("Who comes"), shown, tables)


SECTIONS = needs, solved, when, better, waiting, volume, people  # what is asked first is first


def unknown(answers: Answers) -> list[str]:
    """What cannot be known, and why: once, and only where it could have been otherwise."""
    notes = set(answers.outcomes["note"]) if len(answers.conversations) else set()
    notes -= {TOO_FEW}  # charts say so
    if not answers.ask("coverage")["from_webhook"].sum():  # an export needs no allowed_updates
        notes -= {NO_SIGNALS}
    told = sorted(say(note) for note in notes if note and not note.startswith("by people"))
    first, days = answers.days_before()
    return [sentence("tables_begin", day=first, n=days), *told] if days else told


def cost(answers: Answers) -> str:
    """What the answers scanned and cost; nothing where they came from this machine."""
    if answers.engine.local:
        return ""
    runs = [frame.attrs for frame in answers.asked.values()]
    scanned, usd = (sum(run.get(name, 0) for run in runs) for name in ("bytes_scanned", "usd"))
    return sentence("cost", n=len(runs), scanned=scanned, usd=usd)


def _asked(answers: Answers, *names: str) -> list[Chart]:
    """The charts of these questions."""
    return [getattr(charts, name)(answers.ask(name)) for name in names]


def _listed(
    answers: Answers, frame: pd.DataFrame, columns: list[str], caption: str = "", most: int = MOST
) -> Table:
    """A table with pseudonyms, and problems' titles in the language that is set."""
    if "problem" in frame:
        known = answers.topics.problems.items()
        titles = {name: problem.title.get(use.current, name) for name, problem in known}
        frame = frame.assign(problem=frame["problem"].map(titles))
    return Table.of(answers.masked(frame), *columns, caption=say(caption), most=most)


def _definitions() -> pd.DataFrame:
    found = [(name.replace("_", " "), say(text)) for name, text in metrics.definitions().items()]
    return pd.DataFrame(found, columns=["measure", "definition"])


def _quoted(frame: pd.DataFrame, of: str, quotes: str) -> list[tuple[str, str]]:
    pairs = zip(frame[of], Table.of(frame, quotes).rows, strict=False)
    return [(str(name), text) for name, (text,) in pairs if text]
