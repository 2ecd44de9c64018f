"""What stands first on the page: at most seven sentences, the most surprising first.

Each candidate says a number, how sure it is, and what one could do. How surprising it is, is how
far its number is from what is usual in a group, in doublings: a share of 20 % where 5 % are usual
is two. What is usual is written in `findings.toml`, with the sentences; what is not above it is no
finding. Of an interval the end that is nearer to what is usual counts: chance is no surprise.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tgpipeline import resources
from tgpipeline.analytics import charts
from tgpipeline.analytics.answers import Answers
from tgpipeline.analytics.charts.shapes import every_day
from tgpipeline.analytics.charts.support import duration
from tgpipeline.analytics.language import say, told
from tgpipeline.analytics.support import metrics, silence
from tgpipeline.analytics.support.outcomes import measures
from tgpipeline.analytics.support.rates import Rate, in_words
from tgpipeline.analytics.support.statistics import ENOUGH, clustered

MOST = 7


@dataclass(frozen=True)
class Finding:
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
    """The most surprising of what can be said, at most seven."""
    found = [finding for find in CANDIDATES for finding in find(answers)]
    surprising = [finding for finding in found if finding.surprise > 0]
    return sorted(surprising, key=lambda finding: -finding.surprise)[:MOST]


def _found(name: str, value: float, *, weight: float = 1.0, **values: Any) -> Finding:
    """A candidate by its name, its number, and what its sentence says."""
    known = resources.data("analytics/findings.toml")[name]
    action = known["action"]
    surprise = weight * math.log2(value / known["usual"]) if value > 0 else -math.inf
    return Finding(surprise, told(known["text"], **values), say(action))


def unanswered(answers: Answers) -> Iterator[Finding]:
    """Questions that wait."""
    c, key = answers.conversations, ["local_time", "message_id"]
    if len(c) >= ENOUGH:
        waits = c.set_index(key).index.isin(answers.waiting.set_index(key).index)
        rate = clustered(waits, c["customer"], c["local_time"].dt.normalize())
        yield _found("unanswered", rate.interval[0], n=rate.numerator, rate=rate)


def solved(answers: Answers) -> Iterator[Finding]:
    """The range in which the share of solved questions lies, of all and of the bot's own."""
    rows = answers.outcomes.set_index("measure")
    for name, least, most in (
        ("unsolved", "confirmed", "solved_at_most"),
        ("not_by_the_bot", "bot_at_least", "bot_at_most"),
    ):
        low, high = rows.loc[least], rows.loc[most]
        if (n := int(high["denominator"])) >= ENOUGH:
            said = {"low": low["share"], "high": high["share"], "n": n}
            yield _found(name, 1 - high["high"], least=low["low"], most=high["high"], **said)


def silences(answers: Answers) -> Iterator[Finding]:
    """When the bot said nothing while people asked, and days without any message."""
    c = answers.conversations
    found = silence.periods(c, answers.messages)
    shares = [_unanswered(c), _unanswered(silence.without(c, found))] if len(found) else []
    for row, what in zip(found.itertuples(), silence.sentences(found), strict=True):
        if row.what == "bot":
            part = row.questions / len(c)
            yield _found("silence_of_the_bot", part, what=what, share=shares[0], rest=shares[1])
        else:
            days = (row.last - row.first).days + 1
            yield _found("gap", days / len(silence.whole_days(c)), what=what)


def outside(answers: Answers) -> Iterator[Finding]:
    """Who asks outside of office hours waits longer."""
    waits = answers.waits.set_index(["who", "asked"]).loc["person"]
    within, late = waits.loc["office hours"], waits.loc["outside"]
    is_known = math.isfinite(late["median"]) and within["median"]
    if is_known and min(within["answered"], late["answered"]) >= ENOUGH:
        said = {"n": int(late["conversations"]), "within": duration(within["median"])}
        said |= {"time": duration(late["median"])}
        said |= {end: duration(late[end]) for end in ("low", "high")}
        yield _found("outside", late["low"] / within["median"], weight=0.5, **said)


def long_waits(answers: Answers) -> Iterator[Finding]:
    """How long those wait for a person who wait longest."""
    row = answers.waits.set_index(["who", "asked"]).loc["person", "any time"]
    rate = Rate(int(row["answered"]), int(row["conversations"]))
    seconds = min(float(row["p90"]), float(metrics.WATCHED))
    if rate.denominator >= ENOUGH:
        yield _found("long_waits", seconds, weight=0.5, time=duration(seconds), rate=rate)


def need(answers: Answers) -> Iterator[Finding]:
    """The most frequent problem, and what has changed since the week before."""
    known = answers.frequent.dropna(subset=["problem"])
    if len(known) and int(known["of"].iloc[0]) >= ENOUGH:
        first = known.iloc[0]
        rate = in_words(*first[["conversations", "of", "low", "high"]])
        yield _found("need", first["low"], what=first["title"], rate=rate)
    for row in known[known["trend"] != ""].itertuples():
        now, before = int(row.last_7_days), int(row.before)
        ratio = (max(now, before) + 1) / (min(now, before) + 1)
        name = "more" if now > before else "fewer"
        yield _found(name, ratio, what=row.title, now=now, before=before)


def teach(answers: Answers) -> Iterator[Finding]:
    """The problem that takes most of agents' time."""
    total = float(answers.teach["minutes"].sum())
    if total and len(answers.conversations) >= ENOUGH:
        top = answers.teach.iloc[0]
        said = {"share": top["minutes"] / total, "minutes": top["minutes"], "total": total}
        rate = in_words(*top[["same_answer", "of", "low", "high"]])
        yield _found("teach", said["share"], what=top["title"], rate=rate, **said)


def bands(answers: Answers) -> Iterator[Finding]:
    """The hours in which most questions come."""
    frame = metrics.questions_by_hour(answers.conversations)
    if found := frame.attrs.get("bands"):
        hours = sum(last - first for first, last in found.hours)
        what = charts.questions_by_hour(frame).title
        yield _found("bands", found.rate.interval[0] * 24 / hours, what=what)


def change(answers: Answers) -> Iterator[Finding]:
    """What is different since a day that was named."""
    frame = answers.ask("before_and_after", cut=answers.cut) if answers.cut else ()
    if len(frame) == 2:
        yield _found("change", math.inf, what=charts.before_and_after(frame).title)


def peak(answers: Answers) -> Iterator[Finding]:
    """A day on which far more was written than on others."""
    said = every_day(answers.ask("messages_per_day"), ["messages"])["messages"]
    middle, most = float(said.median()), int(said.max())
    if len(said) >= 7 and middle:
        least = most - 1.96 * math.sqrt(most)  # chance is no surprise
        yield _found("peak", least / middle, day=said.idxmax(), n=most, ratio=most / middle)


def few(answers: Answers) -> Iterator[Finding]:
    """A few write most of it."""
    frame = answers.ask("concentration")
    if len(frame) >= ENOUGH:
        top = math.ceil(len(frame) / 10)
        share = int(frame["messages_so_far"].iloc[top - 1]) / int(frame["messages"].sum())
        yield _found("few", share, top=top, people=len(frame), share=share)


def stay(answers: Answers) -> Iterator[Finding]:
    """New people who are not seen again."""
    frame = answers.ask("weekly_retention")
    first = frame[frame["weeks_later"] == 1]
    size = int(first["cohort_size"].sum())
    if size >= ENOUGH:
        rate = Rate(size - int(first["people"].sum()), size)
        yield _found("stay", rate.interval[0], rate=rate)


def fallen_silent(answers: Answers) -> Iterator[Finding]:
    """Weekly writers who have stopped."""
    gone, people = len(answers.ask("fallen_silent")), len(answers.labels)
    if gone and people >= ENOUGH:
        yield _found("fallen_silent", gone / people, n=gone)


def _unanswered(conversations: pd.DataFrame) -> Rate:
    counted, of = measures(conversations)["unanswered"]
    c = conversations[of]
    return clustered(counted[of], c["customer"], c["local_time"].dt.normalize())


CANDIDATES: Sequence[Callable[[Answers], Iterator[Finding]]] = (
    unanswered, solved, silences, outside, long_waits, need, teach, bands, change, peak, few, stay,
    fallen_silent,
)  # fmt: skip
