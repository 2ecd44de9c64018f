"""One page for a manager: answers → charts and tables, section by section → a template.

`words.toml` says what the sections hold, and notebook 06 shows the same; the page is HTML that
loads nothing from elsewhere. A bot may bring it to a chat: what a weekly job sends.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from tgpipeline.analytics import charts
from tgpipeline.analytics.answers import Answers
from tgpipeline.analytics.charts.style import page as page_of
from tgpipeline.analytics.findings import findings
from tgpipeline.analytics.language import say, sentence, use, words
from tgpipeline.analytics.support import metrics
from tgpipeline.analytics.support.statistics import ENOUGH
from tgpipeline.analytics.tables import QUOTES, Table
from tgpipeline.errors import QueryError, SettingsError
from tgpipeline.telegram.bot import Bot

WIDE, NARROW = 7.4, 3.7  # inches of a chart: on a desk, on a phone
RAW = {"conversation_messages", "conversation_events", "first_rows"}  # texts: never as CSV
MAX_TEXT = 4096  # UTF-16 units of a message; https://core.telegram.org/bots/api#sendmessage
MAX_FILE = 50 * 10**6  # bytes of a document; https://core.telegram.org/bots/api#senddocument


def write(answers: Answers, output: str | Path = "report.html", csv: str | Path = "") -> Path:
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
    environment.globals |= {"say": say, "sentence": sentence, "table": Table.of}
    defined = pd.DataFrame(metrics.definitions().items(), columns=["measure", "definition"])
    with use(answers.language), page_of(WIDE):
        return environment.get_template("report.html.j2").render(
            answers=answers,
            widths=(WIDE, NARROW),
            title=title(answers),
            sections=[section(answers, known) for known in words()["page"]],
            findings=findings(answers),
            unknown=unknown(answers),
            defined=defined,
        )


def title(answers: Answers) -> str:
    """What the page is called."""
    if answers.first == answers.last:
        return say("Report, {day}", day=answers.first)
    return say("Report, {start} to {end}", start=answers.first, end=answers.last)


def section(answers: Answers, known: Mapping[str, Any]) -> dict[str, Any]:
    """A section as the template takes it: `title`, `charts` that have data, `tables`, `quotes`.

    Args:
        answers: about the period.
        known: what `words.toml` says of it: its `title`, in English; what is `shown`: charts by
            name, of an answer with another name as in "calendar of days"; `lists` and `quotes`:
            arguments of `listed`.
    """
    made = []
    for chart, _, answer in (text.partition(" of ") for text in known["shown"]):
        more = [answers.labels] if chart == "messages_per_user_per_day" else []
        made.append(getattr(charts, chart)(answers[answer or chart], *more))
    return {
        "title": known["title"],
        "charts": [chart for chart in made if len(chart.data)],
        "tables": [listed(answers, **one) for one in known.get("lists", ())],
        "quotes": [listed(answers, **one) for one in known.get("quotes", ())],
    }


def listed(answers: Answers, answer: str, columns: list[str], by: str = "", **more: Any) -> Table:
    """An answer as a table of people, with pseudonyms and the titles of problems.

    Args:
        answers: about the period.
        answer: its name.
        columns: that are shown.
        by: the column by which its rows are sorted, the largest first.
        **more: as for `Table.of`; 20 rows are shown at most, where nothing else is said.
    """
    frame = answers[answer] if _is_needed(answers, answer) else pd.DataFrame(columns=columns)
    if "is_bot" in frame:
        frame = frame[~frame["is_bot"]]
    for column in {*columns} & {*QUOTES}:  # of some problems there is nothing to quote
        frame = frame[frame[column].map(len) > 0]
    if by:
        frame = frame.sort_values(by, ascending=False, kind="stable")
    if "problem" in frame:
        known = answers.topics.problems.items()
        titles = {name: problem.title.get(use.current, name) for name, problem in known}
        frame = frame.assign(problem=frame["problem"].map(titles))
    return Table.of(answers.masked(frame), *columns, **{"most": 20} | more)


def _is_needed(answers: Answers, answer: str) -> bool:
    """Each case stands where they are too few for shares, clusters where few have a name."""
    counts = answers.frequent["conversations"]
    judged, named = counts.sum(), counts[answers.frequent["problem"].notna()].sum()
    if answer == "cases":
        return bool(0 < judged < ENOUGH)
    return answer != "clusters" or bool(2 * named < judged >= ENOUGH)


def unknown(answers: Answers) -> list[str]:
    """What cannot be known, and why: once, and only where it could have been otherwise."""
    notes = set(answers.outcomes["note"]) if len(answers.conversations) else set()
    notes -= {metrics.note("too_few")}  # charts say so
    if not answers.ask("coverage")["from_webhook"].sum():  # an export needs no allowed_updates
        notes -= {metrics.note("no_signals")}
    told = sorted(say(note) for note in notes if note and not note.startswith("by people"))
    first = answers.groups["first_day"].min()
    days = int((pd.date_range(answers.first, answers.last) < first).sum())
    return [sentence("tables_begin", day=first, n=days), *told] if days else told


def recipient(bot: Bot, chat_id: int, *, names: bool) -> str:
    """What the chat is called that shall get the page.

    Args:
        bot: who will send it.
        chat_id: of the chat.
        names: whether the page shows people's names.

    Raises:
        BotApiError: if the bot does not know the chat.
        SettingsError: if a page with names would go to more than one person.
    """
    chat = bot.get_chat(chat_id)
    if names and chat.get("type") != "private":
        raise SettingsError(
            f"chat {chat_id} is a {chat.get('type')}: a page with names goes to one person alone. "
            "Leave out --names, or send it to yourself."
        )
    return f"{chat.get('type')} {chat.get('title') or chat.get('username') or chat_id!r}"


def text_of(answers: Answers) -> str:
    """The title of the page and its findings, as many as one message holds."""
    with use(answers.language):
        lines = [title(answers), *(f"• {one.text} {one.action}" for one in findings(answers))]
    while len("\n\n".join(lines).encode("utf-16-le")) > 2 * MAX_TEXT:
        lines.pop()
    return "\n\n".join(lines).rstrip()


def send(bot: Bot, chat_id: int, page: Path, text: str) -> dict[str, Any]:
    """Send the page as a file, and the text as a reply to it.

    Returns:
        The Message with the text.

    Raises:
        BotApiError: if the Bot API refuses one of them.
        QueryError: if the page is larger than a bot may send.
    """
    if page.stat().st_size > MAX_FILE:
        raise QueryError(f"{page} is larger than the 50 MB that a bot may send.")
    sent = bot.call("sendDocument", chat_id=chat_id, document=page)
    return bot.send_message(chat_id, text, reply_parameters={"message_id": sent["message_id"]})
