"""One page for a manager: answers → charts and tables, section by section → a template.

Notebook 06 shows the same sections; the page is HTML that loads nothing from elsewhere.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

import pandas as pd

from tgpipeline.analytics import charts
from tgpipeline.analytics.answers import Answers
from tgpipeline.analytics.charts import Chart
from tgpipeline.analytics.charts.style import page as page_of
from tgpipeline.analytics.findings import findings
from tgpipeline.analytics.language import say, sentence, use
from tgpipeline.analytics.support import metrics
from tgpipeline.analytics.support.rates import NO_SIGNALS, TOO_FEW
from tgpipeline.analytics.support.statistics import ENOUGH
from tgpipeline.analytics.tables import Table, write_csv
from tgpipeline.errors import QueryError

WIDE, NARROW = 7.4, 3.7  # inches of a chart: on a desk, on a phone
LANG = {"en": "en", "pt": "pt-BR"}
MOST = 20  # rows of a list on the page


@dataclass
class Section:
    """A part of the page.

    Attributes:
        title: its heading.
        charts: those without data are left out, and of those with few the picture.
        tables: below them.
        notes: sentences below these.
        quotes: of what, and what people said of it.
    """

    title: str
    charts: list[Chart]
    tables: list[Table] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    quotes: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.charts = [chart for chart in self.charts if len(chart.data)]


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
            write_csv(answers, Path(csv))
    except OSError as error:
        raise QueryError(f"{error.filename or page} cannot be written: {error.strerror}.") from None
    return page


def render(answers: Answers) -> str:
    """The page, as HTML, in the language of the answers."""
    from jinja2 import Environment

    with use(answers.language), page_of(WIDE):
        sections = [make(answers) for make in SECTIONS]
        template = resources.files(__package__).joinpath("report.html.j2").read_text("utf-8")
        environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
        environment.filters["svg"] = lambda chart: [chart.svg(width) for width in (WIDE, NARROW)]
        environment.globals |= {"say": say, "lang": LANG[answers.language], "table": Table.of}
        return environment.from_string(template).render(
            title=title(answers),
            about=about(answers),
            findings=findings(answers),
            nothing=charts.messages_per_day(answers.ask("messages_per_day")).title,
            unknown=unknown(answers),
            sections=[section for section in sections if section.charts or section.tables],
            definitions=Table.of(_definitions()),
            cost=cost(answers),
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
    if answers.zone_hint is not None:
        said.append(say("No zone was named, so it is the default; --timezone names another."))
    if answers.zone_hint:
        said.append(say("The export was made where clocks show {zone}.", zone=answers.zone_hint))
    said.append(say("Names are shown.") if answers.names else say("People have pseudonyms."))
    return said


def needs(answers: Answers) -> Section:
    """What do people need?"""
    frequent = answers.masked(answers.frequent)
    section = Section(say("What people need"), [charts.frequent_problems(answers.frequent)])
    section.quotes = _quoted(frequent, "title", "questions")
    of = int(frequent["conversations"].sum())
    named = int(frequent.dropna(subset="problem")["conversations"].sum())
    if 2 * named < of and of >= ENOUGH and len(answers.clusters):
        section.notes.append(sentence("few_named", named=named, of=of))
        section.quotes += _quoted(answers.masked(answers.clusters), "about", "questions")
    return section


def solved(answers: Answers) -> Section:
    """Does the bot solve it, and how long do people wait?"""
    shown = [charts.outcomes(answers.outcomes), charts.response_times(answers.waits),
             charts.reactions(answers.ask("reactions"))]  # fmt: skip
    section = Section(say("Does the bot solve it?"), shown)
    judged = answers.conversations["outcome"].ne("not_judged").sum()
    if 0 < judged < ENOUGH:
        cases = _called(answers, answers.cases)
        columns = ("local_time", "problem", "customer", "outcome", "link")
        section.tables.append(Table.of(cases, *columns, caption=say("Each question")))
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
    shown = [charts.better_bot(answers.teach)]
    return Section(say("Where a better bot pays"), shown, quotes=quotes)


def waiting(answers: Answers) -> Section:
    """Who waits for an answer now?"""
    latest = _called(answers, answers.waiting.iloc[::-1])
    columns = ("local_time", "problem", "customer", "reason", "link")
    tables = [Table.of(latest, *columns, most=MOST)] if len(latest) else []
    return Section(say("Unanswered now"), [charts.unanswered(answers.waiting)], tables)


def volume(answers: Answers) -> Section:
    """How much is written, and what?"""
    days, users = answers.ask("messages_per_day"), answers.ask("messages_per_user_per_day")
    shown = [charts.messages_per_day(days), charts.calendar(days)]
    shown.append(charts.messages_per_user_per_day(users, answers.labels))
    shown += _asked(
        answers, "message_length_per_day", "messages_by_content_type", "messages_by_topic"
    )
    return Section(say("How much is written"), shown)


def people(answers: Answers) -> Section:
    """Who comes, who stays, who answers whom, and who has fallen silent?"""
    shown = _asked(answers, "active_people", "new_and_returning", "weekly_retention",
                   "concentration", "joins_and_leaves")  # fmt: skip
    wrote = answers.ask("people").sort_values("messages", ascending=False, kind="stable")
    lists = (
        (wrote[~wrote["is_bot"]], 10, say("Who wrote most"),
         "user_id messages active_days first_day last_day"),
        (answers.ask("fallen_silent"), MOST,
         say("Who has fallen silent: wrote every week, not for three weeks"),
         "user_id messages last_day"),
        (answers.ask("reply_pairs"), 10, say("Who answers whom"), "user_id target_user_id replies"),
        (answers.ask("shared_domains"), 10, say("Sites that are linked to most"),
         "domain links people"),
    )  # fmt: skip
    tables = [
        Table.of(answers.masked(frame), *columns.split(), caption=caption, most=most)
        for frame, most, caption, columns in lists
        if len(frame)
    ]
    return Section(say("Who comes"), shown, tables)


# What is asked first stands first.
SECTIONS: Sequence[Callable[[Answers], Section]] = (
    needs, solved, when, better, waiting, volume, people,
)  # fmt: skip


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


def _called(answers: Answers, cases: pd.DataFrame) -> pd.DataFrame:
    """The cases with pseudonyms, and their problems' titles in the language that is set."""
    known = answers.topics.problems
    titles = {name: problem.title.get(use.current, name) for name, problem in known.items()}
    return answers.masked(cases.assign(problem=cases["problem"].map(titles)))


def _definitions() -> pd.DataFrame:
    found = [(name.replace("_", " "), say(text)) for name, text in metrics.definitions().items()]
    return pd.DataFrame(found, columns=["measure", "definition"])


def _quoted(frame: pd.DataFrame, of: str, quotes: str) -> list[tuple[str, str]]:
    pairs = zip(frame[of], Table.of(frame, quotes).rows, strict=False)
    return [(str(name), text) for name, (text,) in pairs if text]
