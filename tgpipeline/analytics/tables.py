"""The tables of a report: heard while notebook 06 runs, written as CSV, handed over as Markdown."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from tgpipeline.analytics import athena
from tgpipeline.analytics.support import metrics
from tgpipeline.notebook.display import Shown, show_table

TABLES = "application/vnd.tgpipeline.analytics.report+json"
RAW = {"conversation_messages", "conversation_events", "first_rows"}  # texts: never as CSV
IDS = ("user_id", "from_id", "customer", "target_user_id")
NAMES = ("name", "first_name", "username")
MOST = 40  # rows of a table on the page
# Below the charts of a section: a table's columns, and the column of quotes listed after it.
_BELOW = {
    "What people need": ("frequent", "title conversations low high trend", "questions"),
    "Does the bot solve it?": ("outcomes", "measure numerator denominator share low high", ""),
    "Where a better bot pays": ("teach", "title minutes with_agent same_answer of", "answer"),
    "Unanswered now": ("waiting", "local_time problem customer reason link", ""),
}
NEED = "What people need"
_NO_FORUM = "The group is no forum: nobody wrote in a topic."
_LITTLE = (
    "The definitions name a problem in only {named:,} of {of:,} conversations. These are groups of "
    "like questions, the largest first, found without definitions: what a `topics.toml` of the "
    "group's own may name."
)
_HEADS = {
    "title": "problem", "with_agent": "answered by agents", "same_answer": "same answer",
    "local_time": "asked", "numerator": "cases", "denominator": "of", "low": "95% interval",
}  # fmt: skip
# What tells who somebody is: addresses, mentions, long numbers (orders, documents, telephones).
_REVEALING = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|@\w{3,}|\+?\d[\d .()-]{3,}\d")


class Tables:
    """Listens to the questions of a notebook and keeps what the report shows of them.

    Args:
        folder: where to write the tables as CSV; None for nowhere.
        names: whether people's names may be shown.
    """

    def __init__(self, folder: str | None = None, names: bool = False) -> None:
        self.folder, self.names = Path(folder) if folder else None, names
        self.answers: list[tuple[str, pd.DataFrame]] = []
        self.asked: list[dict[str, Any]] = []
        athena.LISTENERS.append(self._hear)

    def _hear(self, frame: pd.DataFrame) -> None:
        attrs = frame.attrs
        kept = {k: attrs[k] for k in ("query", "bytes_scanned", "usd", "milliseconds")}
        self.asked.append(kept | {"rows": len(frame)})
        if attrs["query"] not in RAW:
            self.answers.append((attrs["query"], frame))

    def hand_over(self, found: Mapping[str, Any]) -> Shown:
        """Write the CSV files and show what the page needs, for `report.arrange`.

        Args:
            found: the notebook's variables.
        """
        athena.LISTENERS.remove(self._hear)
        labels = found.get("labels", {})
        hidden = self._hidden(found.get("talk"))
        derived = {
            name: self._safe(found[name], labels, hidden)
            for name in ("outcomes", "frequent", "waits", "teach", "waiting", "clusters")
            if isinstance(found.get(name), pd.DataFrame)
        }
        if self.folder:
            self.folder.mkdir(parents=True, exist_ok=True)
            for name, frame in (*self.answers, *derived.items()):
                safe = self._safe(frame, labels, hidden)
                safe.to_csv(self.folder / f"{name}.csv", index=False)
        notes = derived["outcomes"]["note"].unique() if "outcomes" in derived else ()
        definitions = pd.DataFrame(metrics.DEFINITIONS.items(), columns=["measure", "definition"])
        shown = {
            "sections": self._sections(derived),
            "end": ["## What the words mean", self.markdown(definitions)],
            "asked": self.asked,
            "notes": [note for note in notes if note and not note.startswith("by people")],
        }
        return Shown("tables handed over", {TABLES: shown})

    def _sections(self, t: Mapping[str, pd.DataFrame]) -> dict[str, list[str]]:
        """For sections of the page, what stands below their charts."""
        found = {
            section: self._below(t[name], columns, quotes)
            for section, (name, columns, quotes) in _BELOW.items()
            if name in t and len(t[name])
        }
        if "Unanswered now" in found:
            found["Unanswered now"].insert(0, metrics.DEFINITIONS["unanswered"])
        problems = t.get("frequent", pd.DataFrame({"problem": [], "conversations": []}))
        known, of = problems.dropna(subset="problem"), int(problems["conversations"].sum())
        named = int(known["conversations"].sum())
        if 2 * named < of and len(t.get("clusters", ())):
            lead = _LITTLE.format(named=named, of=of)
            quotes = self._quotes(t["clusters"], "about", "questions")
            found[NEED] += [lead, quotes]
        by_topic = dict(self.answers).get("messages_by_topic", pd.DataFrame())
        if len(by_topic) and by_topic["message_thread_id"].isna().all():
            found["How much is written"] = [_NO_FORUM]
        return found

    def _below(self, frame: pd.DataFrame, columns: str, quotes: str) -> list[str]:
        """A table's first rows, how many more there are, and the quotes that belong to them."""
        shown, more = frame.head(MOST), len(frame) - MOST
        found = [self.markdown(shown[columns.split()])]
        if more > 0:
            found.append(f"… and {more} more, in the CSV.")
        return [*found, self._quotes(shown, "title", quotes)] if quotes else found

    @staticmethod
    def _quotes(frame: pd.DataFrame, of: str, quotes: str) -> str:
        """A list: of what, and its quotes."""
        texts = [_cell(quotes, quote).replace("\n", " · ") for quote in frame[quotes]]
        pairs = zip(frame[of], texts, strict=True)
        return "\n".join(f"- **{_cell(of, a)}**: {b}" for a, b in pairs if b)

    def _hidden(self, talk: Any) -> "re.Pattern[str] | None":
        """What to hide in quotes: the names of who writes."""
        if self.names or not isinstance(talk, pd.DataFrame):
            return None
        called = pd.concat([talk["first_name"], talk["username"]]).dropna().unique()
        words = {word for name in called for word in name.split() if len(word) > 2}
        longest = sorted(map(re.escape, words), key=lambda word: (-len(word), word))
        return re.compile(rf"\b(?:{'|'.join(longest)})\b", re.I) if longest else None

    def _safe(
        self, frame: pd.DataFrame, labels: Mapping[int, str], hidden: "re.Pattern[str] | None"
    ) -> pd.DataFrame:
        """A table without what names people, unless names are to be shown."""
        safe = frame.copy()
        for column in safe.columns.intersection(IDS):
            safe[column] = [labels.get(v, "someone") if pd.notna(v) else None for v in safe[column]]
        if self.names:
            return safe
        safe = safe.drop(columns=safe.columns.intersection(NAMES))
        for column in safe.columns.intersection(["questions", "answer"]):
            safe[column] = [_masked(value, hidden) for value in safe[column]]
        return safe

    @staticmethod
    def markdown(frame: pd.DataFrame) -> str:
        """A table as Markdown that scrolls by itself: shares in percent, links to click on.

        >>> print(Tables.markdown(pd.DataFrame({"low": [0.25], "high": [0.75]})))
        <div style="overflow-x:auto">
        <BLANKLINE>
        | 95% interval |
        |---|
        | 25% to 75% |
        <BLANKLINE>
        </div>
        """
        text = {name: [_cell(name, v) for v in frame[name]] for name in frame.columns}
        if "low" in text:
            both = zip(text["low"], text.pop("high"), strict=True)
            text["low"] = [f"{low} to {high}" if low else "not known" for low, high in both]
        text = {_HEADS.get(name, name.replace("_", " ")): values for name, values in text.items()}
        rows = [dict(zip(text, values, strict=True)) for values in zip(*text.values(), strict=True)]
        return f'<div style="overflow-x:auto">\n\n{show_table(rows, *text)}\n\n</div>'


def _masked(value: Any, hidden: "re.Pattern[str] | None") -> Any:
    if isinstance(value, list):
        return [_masked(item, hidden) for item in value]
    if not isinstance(value, str):
        return value
    text, mark, number = value.rpartition(" (message ")  # the id at the end stays
    text = _REVEALING.sub("…", text)
    return (hidden.sub("…", text) if hidden else text) + mark + number


def _cell(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(_cell(name, item) for item in value)
    if value is None or pd.isna(value):
        return ""
    if name in ("share", "low", "high"):
        return f"{value:.0%}"
    if name == "link":
        return f"[open]({value})"
    if name == "usd":
        return f"{value:.5f}"
    if isinstance(value, float):
        return f"{value:,.1f}"
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d %H:%M}"
    return re.sub(r"([\\`*_\[\]<>&])", r"\\\1", str(value))  # people wrote it: no HTML, no links
