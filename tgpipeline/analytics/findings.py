"""What stands first on the page: at most seven sentences, the most surprising first.

Each candidate says a number, how sure it is, and what one could do. How surprising it is, is how
far its number is from what is usual in a group, in doublings: a share of 20 % where 5 % are usual
is two. What is usual is written in `findings.toml`, with the sentences; what is not above it is no
finding. Of an interval the end that is nearer to what is usual counts: chance is no surprise.
"""

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import pandas as pd

from tgpipeline import resources
from tgpipeline.analytics import charts
from tgpipeline.analytics.answers import Answers
from tgpipeline.analytics.charts.shapes import every_day
from tgpipeline.analytics.charts.support import duration
from tgpipeline.analytics.language import say
from tgpipeline.analytics.support import metrics, silence
from tgpipeline.analytics.support.outcomes import measures
from tgpipeline.analytics.support.statistics import ENOUGH, Rate, clustered, in_words


class Finding(NamedTuple):
    """A sentence of the page's top.

    Attributes:
        surprise: how far from what is usual, in doublings.
        text: what is so, with its number and its interval.
        action: what one could do.
    """

    surprise: float
    text: str
    action: str


def findings(answers: Answers) -> list[Finding]:
    """The most surprising of what can be said, at most seven; of nothing, how much was written."""
    found = [one for find in CANDIDATES for one in find(answers) if one.surprise > 0]
    if not found:
        return [Finding(0, charts.messages_per_day(answers.ask("messages_per_day")).title, "")]
    return sorted(found, key=lambda one: -one.surprise)[:7]


def _found(name: str, value: float, of: float = ENOUGH, **values: Any) -> list[Finding]:
    """A candidate by its name, its number, and what its sentence says; none of too few cases."""
    known = resources.data("analytics/findings.toml")[name]
    if of < ENOUGH or not value > 0:
        return []
    text, action, weight = known["text"], known["action"], known.get("weight", 1)
    return [Finding(weight * math.log2(value / known["usual"]), say(text, **values), say(action))]


def unanswered(answers: Answers) -> list[Finding]:
    """Questions that wait."""
    c, key = answers.conversations, ["local_time", "message_id"]
    waits = c.set_index(key).index.isin(answers.waiting.set_index(key).index)
    rate = clustered(waits, c["customer"], c["local_time"].dt.normalize())
    return _found("unanswered", rate.interval[0], len(c), n=rate.numerator, rate=rate)


def solved(answers: Answers) -> Iterable[Finding]:
    """The range in which the share of solved questions lies, of all and of the bot's own."""
    rows = answers.outcomes.set_index("measure")
    all_of_them, its_own = ("confirmed", "solved_at_most"), ("bot_at_least", "bot_at_most")
    for name, (least, most) in (("unsolved", all_of_them), ("not_by_the_bot", its_own)):
        low, high = rows.loc[least], rows.loc[most]
        yield from _found(name, 1 - high["high"], low=low, high=high, n=high["denominator"])


def silences(answers: Answers) -> Iterable[Finding]:
    """When the bot said nothing while people asked, and days without any message."""
    c = answers.conversations
    found = silence.periods(c, answers.messages)
    share, rest = _unanswered(c), _unanswered(silence.without(c, found))
    for row, what in zip(found.itertuples(), silence.sentences(found), strict=True):
        days = ((row.last - row.first).days + 1) / len(silence.whole_days(c))
        name, part = ("gap", days) if row.what == "data" else ("bot_silent", row.questions / len(c))
        yield from _found(name, part, what=what, share=share, rest=rest)


def waits(answers: Answers) -> Iterable[Finding]:
    """Who asks outside of office hours waits longer, and how long those wait who wait longest."""
    rows = answers.waits.set_index(["who", "asked"]).loc["person"]
    within, late, all_day = (rows.loc[k] for k in ("office hours", "outside", "any time"))
    if math.isfinite(late["median"]) and within["median"]:
        times = {end: duration(late[end]) for end in ("median", "low", "high")}
        times["within"] = duration(within["median"])
        of, ratio = min(within["answered"], late["answered"]), late["low"] / within["median"]
        yield from _found("outside", ratio, of, n=int(late["conversations"]), **times)
    rate = Rate(int(all_day["answered"]), int(all_day["conversations"]))
    seconds = min(all_day["p90"], metrics.WATCHED)
    yield from _found("long_waits", seconds, rate.denominator, time=duration(seconds), rate=rate)


def need(answers: Answers) -> Iterable[Finding]:
    """The most frequent problem, and what has changed since the week before."""
    known = answers.frequent.dropna(subset=["problem"])
    for row in known.head(1).itertuples():
        rate = in_words(row.conversations, row.of, row.low, row.high)
        yield from _found("need", row.low, row.of, what=row.title, rate=rate)
    for row in known[known["trend"] != ""].itertuples():
        now, before = row.last_7_days, row.before
        ratio = (max(now, before) + 1) / (min(now, before) + 1)
        name = "more" if now > before else "fewer"
        yield from _found(name, ratio, what=row.title, now=now, before=before)


def teach(answers: Answers) -> Iterable[Finding]:
    """The problem that takes most of agents' time."""
    total, of = answers.teach["minutes"].sum(), len(answers.conversations)
    for row in answers.teach.head(1 if total else 0).itertuples():
        rate, share = in_words(row.same_answer, row.of, row.low, row.high), row.minutes / total
        said = {"share": share, "minutes": row.minutes, "total": total, "rate": rate}
        yield from _found("teach", share, of, what=row.title, **said)


def bands(answers: Answers) -> Iterable[Finding]:
    """The hours in which most questions come."""
    frame = answers.questions_by_hour
    if found := frame.attrs.get("bands"):
        times = found.rate.interval[0] * 24 / sum(last - first for first, last in found.hours)
        yield from _found("bands", times, what=charts.questions_by_hour(frame).title)


def change(answers: Answers) -> Iterable[Finding]:
    """What is different since a day that was named."""
    if len(answers.change) == 2:
        yield from _found("change", math.inf, what=charts.before_and_after(answers.change).title)


def peak(answers: Answers) -> Iterable[Finding]:
    """A day on which far more was written than on others."""
    said = every_day(answers.ask("messages_per_day"), ["messages"])["messages"]
    middle, most = said.median(), said.max()
    if len(said) >= 7 and middle:
        least = most - 1.96 * math.sqrt(most)  # chance is no surprise
        ratio = most / middle
        yield from _found("peak", least / middle, day=said.idxmax(), n=int(most), ratio=ratio)


def few(answers: Answers) -> list[Finding]:
    """A few write most of it."""
    said = answers.ask("concentration")["messages"]
    top = math.ceil(len(said) / 10)
    share = said.head(top).sum() / max(1, said.sum())
    return _found("few", share, len(said), top=top, people=len(said), share=share)


def stay(answers: Answers) -> list[Finding]:
    """New people who are not seen again."""
    frame = answers.ask("weekly_retention")
    kept, size = frame.loc[frame["weeks_later"] == 1, ["people", "cohort_size"]].sum().astype(int)
    rate = Rate(size - kept, size)
    return _found("stay", rate.interval[0], size, rate=rate)


def fallen_silent(answers: Answers) -> list[Finding]:
    """Weekly writers who have stopped."""
    gone, people = len(answers.ask("fallen_silent")), len(answers.labels)
    return _found("fallen_silent", gone / max(1, people), people, n=gone)


def _unanswered(conversations: pd.DataFrame) -> Rate:
    waits = measures(conversations)["unanswered"].dropna()
    c = conversations.loc[waits.index]
    return clustered(waits, c["customer"], c["local_time"].dt.normalize())


CANDIDATES = (
    unanswered, solved, silences, waits, need, teach, bands, change, peak, few, stay, fallen_silent,
)  # fmt: skip
