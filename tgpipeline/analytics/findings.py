"""What stands first on the page: at most seven sentences, the most surprising first.

Each candidate says a number, how sure it is, and what one could do. How surprising it is, is how
far its number is from what is usual in a group, in doublings: a share of 20 % where 5 % are usual
is two. What is usual is written in `USUAL`; what is not above it is no finding.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tgpipeline.analytics.answers import Answers
from tgpipeline.analytics.language import many, say
from tgpipeline.analytics.support.rates import Rate

MOST = 7
ENOUGH = 30  # conversations, of which shares can be told
USUAL = {
    "unanswered": 0.05,  # of questions
    "outside": 4.0,  # waits outside of office hours, as a multiple of those within
    "need": 0.10,  # of questions, about one problem
    "teach": 0.10,  # of agents' minutes, on one problem
    "peak": 2.0,  # messages of the busiest day, as a multiple of the median day
    "few": 0.35,  # of messages, by the tenth of people who write most
    "stay": 0.50,  # of new people, who do not write again the week after
    "silent": 0.01,  # of people, who wrote weekly and stopped
}


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


def _surprise(what: str, value: float) -> float:
    return math.log2(value / USUAL[what]) if value > 0 else -math.inf


def unanswered(answers: Answers) -> Iterator[Finding]:
    """Questions that wait."""
    waiting, of = len(answers.waiting), len(answers.conversations)
    if of >= ENOUGH:
        rate = Rate(waiting, of)
        text = many(
            "{n:,} question waits for an answer: {rate}.",
            "{n:,} questions wait for an answer: {rate}.",
            waiting,
            rate=rate,
        )
        action = say("Begin with those of the last days: the list below has a link to each.")
        yield Finding(_surprise("unanswered", rate.interval[0]), text, action)


def outside(answers: Answers) -> Iterator[Finding]:
    """Who asks outside of office hours waits longer."""
    waits = answers.waits.set_index(["who", "asked"])
    rows = [("person", "office hours"), ("person", "outside")]
    if not set(rows) <= set(waits.index):
        return
    within, without = (waits.loc[row] for row in rows)
    if min(within["answered"], without["answered"]) < ENOUGH or not within["median"]:
        return
    hours = float(without["median"]) / 3600
    if math.isfinite(hours):
        text = say(
            "Who asks outside of office hours waits {hours:,.1f} hours for a person in the median "
            "({n:,} questions); within, {minutes:,.0f} minutes.",
            hours=hours, n=int(without["conversations"]), minutes=float(within["median"]) / 60,
        )  # fmt: skip
        action = say("One shift at the busiest of these hours, or an answer that says when, helps.")
        ratio = float(without["median"]) / float(within["median"])
        yield Finding(_surprise("outside", ratio) / 2, text, action)


def need(answers: Answers) -> Iterator[Finding]:
    """The most frequent problem."""
    known = answers.frequent.dropna(subset=["problem"])
    if len(known) and int(known["of"].iloc[0]) >= ENOUGH:
        first = known.iloc[0]
        rate = Rate(int(first["conversations"]), int(first["of"]))
        text = say("No problem is asked about more than {what}: {rate}.", what=first["title"],
                   rate=rate)  # fmt: skip
        action = say("An answer that is pinned, or one that the bot gives, reaches all of them.")
        yield Finding(_surprise("need", rate.interval[0]), text, action)
    for row in known[known["trend"].isin(["rising", "new"])].head(1).itertuples():
        text = say("More people than the week before ask about {what}.", what=row.title)
        yield Finding(2.0, text, say("Something has changed: find out what before it grows."))


def teach(answers: Answers) -> Iterator[Finding]:
    """The problem that takes most of agents' time."""
    frame = answers.teach
    total = float(frame["minutes"].sum())
    if not total or len(answers.conversations) < ENOUGH:
        return
    top = frame.iloc[0]
    same = Rate(int(top["same_answer"]), int(top["of"]))
    text = say(
        "{what} takes {share:.0%} of agents' time ({minutes:,.0f} of {total:,.0f} minutes); the "
        "same answer would do for {rate}.",
        what=top["title"], share=float(top["minutes"]) / total, minutes=float(top["minutes"]),
        total=total, rate=same,
    )  # fmt: skip
    action = say("Teach the bot that answer first: it is quoted below.")
    yield Finding(_surprise("teach", float(top["minutes"]) / total), text, action)


def peak(answers: Answers) -> Iterator[Finding]:
    """A day on which far more was written than on others."""
    frame = answers.ask("messages_per_day")
    if len(frame) < 7:
        return
    median, top = float(frame["messages"].median()), frame.loc[frame["messages"].idxmax()]
    text = say(
        "On {day} {n:,} messages were written, {ratio:.1f} times those of the median day.",
        day=top["day"], n=int(top["messages"]), ratio=int(top["messages"]) / median,
    )  # fmt: skip
    action = say("Was it a campaign or a fault? Before the next one, plan who answers.")
    yield Finding(_surprise("peak", int(top["messages"]) / median), text, action)


def few(answers: Answers) -> Iterator[Finding]:
    """A few write most of it."""
    frame = answers.ask("concentration")
    if len(frame) < ENOUGH:
        return
    top = math.ceil(len(frame) / 10)
    share = int(frame["messages_so_far"].iloc[top - 1]) / int(frame["messages"].sum())
    text = say(
        "{top:,} of {people:,} people wrote {share:.0%} of all messages.",
        top=top, people=len(frame), share=share,
    )  # fmt: skip
    action = say("Know them by name: the group is theirs, and misses them first.")
    yield Finding(_surprise("few", share), text, action)


def stay(answers: Answers) -> Iterator[Finding]:
    """New people who are not seen again."""
    frame = answers.ask("weekly_retention")
    first = frame[frame["weeks_later"] == 1]
    size = int(first["cohort_size"].sum())
    if size >= ENOUGH:
        rate = Rate(size - int(first["people"].sum()), size)
        text = say("Of new people, {rate} do not write again the week after.", rate=rate)
        action = say("Where the group is meant to last, greet them and ask what they came for.")
        yield Finding(_surprise("stay", rate.interval[0]), text, action)


def silent(answers: Answers) -> Iterator[Finding]:
    """Weekly writers who have stopped."""
    gone, people = len(answers.ask("fallen_silent")), len(answers.labels)
    if gone and people >= ENOUGH:
        text = many(
            "{n:,} person who wrote every week has not written for three weeks.",
            "{n:,} people who wrote every week have not written for three weeks.",
            gone,
        )
        action = say("Ask them why: the list is below.")
        yield Finding(_surprise("silent", gone / people), text, action)


CANDIDATES: Sequence[Callable[[Answers], Iterator[Finding]]] = (
    unanswered, outside, need, teach, peak, few, stay, silent,
)  # fmt: skip
