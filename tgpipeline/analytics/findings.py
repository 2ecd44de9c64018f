"""What stands first on the page: at most seven sentences, the most surprising first.

Each candidate says a number, how sure it is, and what one could do. How surprising it is, is how
far its number is from what is usual in a group, in doublings: a share of 20 % where 5 % are usual
is two. What is usual is written in `USUAL`; what is not above it is no finding. Of an interval the
end that is nearer to what is usual counts, so that chance alone is no surprise.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from tgpipeline.analytics import charts
from tgpipeline.analytics.answers import Answers
from tgpipeline.analytics.charts.support import duration
from tgpipeline.analytics.language import many, mark, say
from tgpipeline.analytics.support import metrics, silence
from tgpipeline.analytics.support.outcomes import measures
from tgpipeline.analytics.support.rates import Rate
from tgpipeline.analytics.support.statistics import ENOUGH

MOST = 7
USUAL = {
    "unanswered": 0.05,  # of questions
    "unsolved": 0.25,  # of questions, even if all who fell silent were content
    "not by the bot": 0.50,  # of conversations that the bot wrote in, likewise
    "in a silence": 0.01,  # of questions, asked while the bot said nothing
    "a gap": 0.02,  # of days, without any message
    "outside": 4.0,  # waits outside of office hours, as a multiple of those within
    "long waits": 4 * 3600.0,  # seconds that nine in ten wait at most for a person
    "need": 0.10,  # of questions, about one problem
    "trend": 2.0,  # times as many questions about a problem as in the week before, or as few
    "teach": 0.10,  # of agents' minutes, on one problem
    "bands": 1.25,  # questions of the busiest hours, as a multiple of those of all hours
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
            waiting, rate=rate,
        )  # fmt: skip
        action = say("Begin with those of the last days: the list below has a link to each.")
        yield Finding(_surprise("unanswered", rate.interval[0]), text, action)


def solved(answers: Answers) -> Iterator[Finding]:
    """The range in which the share of solved questions lies, of all and of the bot's own."""
    rows = answers.outcomes.set_index("measure")
    for least, most, what, words, action in (
        ("confirmed", "solved_at_most", "unsolved",
         mark("Between {low:.0%} and {high:.0%} of {n:,} questions were solved: the first were "
              "confirmed, the others fell silent (with chance, {least:.0%} to {most:.0%})."),
         mark("Read some that were not: the CSV has each. What do they have in common?")),
        ("bot_at_least", "bot_at_most", "not by the bot",
         mark("The bot alone solved between {low:.0%} and {high:.0%} of the {n:,} conversations "
              "that it wrote in (with chance, {least:.0%} to {most:.0%})."),
         mark("Let it say early how to reach a person, and teach it what people ask most.")),
    ):  # fmt: skip
        low, high = rows.loc[least], rows.loc[most]
        if high["denominator"] >= ENOUGH:
            text = say(words, low=low["share"], high=high["share"], n=int(high["denominator"]),
                       least=low["low"], most=high["high"])  # fmt: skip
            yield Finding(_surprise(what, 1 - high["high"]), text, say(action))


def silences(answers: Answers) -> Iterator[Finding]:
    """When the bot said nothing while people asked, and days without any message."""
    c = answers.conversations
    found = silence.periods(c, answers.messages)
    days = max(1, len(silence.whole_days(c)))
    for row, text in zip(found.itertuples(), silence.sentences(found), strict=True):
        if row.what == "bot":
            rest = silence.without(c, found)
            rates = [_unanswered(part) for part in (c, rest)]
            if min(rate.denominator for rate in rates) >= ENOUGH:
                more = say("Unanswered are {share}; without that time, {rest}.", share=rates[0],
                           rest=rates[1])  # fmt: skip
                text = f"{text} {more}"
            action = say("Was it down? Answer who asked then, and have somebody told next time.")
            yield Finding(_surprise("in a silence", row.questions / len(c)), text, action)
        else:
            action = say("Rates of a period with a gap in it are those of the other days.")
            yield Finding(
                _surprise("a gap", ((row.last - row.first).days + 1) / days), text, action
            )


def outside(answers: Answers) -> Iterator[Finding]:
    """Who asks outside of office hours waits longer."""
    waits = answers.waits.set_index(["who", "asked"])
    rows = [("person", "office hours"), ("person", "outside")]
    if not set(rows) <= set(waits.index):
        return
    within, without = (waits.loc[row] for row in rows)
    if min(within["answered"], without["answered"]) < ENOUGH or not within["median"]:
        return
    if math.isfinite(without["median"]):
        text = say(
            "Half of those who ask outside of office hours wait longer than {time} for a person "
            "(95% interval {low} to {high}; {n:,} questions); within, longer than {within}.",
            time=duration(without["median"]), low=duration(without["low"]),
            high=duration(without["high"]), n=int(without["conversations"]),
            within=duration(within["median"]),
        )  # fmt: skip
        action = say("One shift at the busiest of these hours, or an answer that says when, helps.")
        yield Finding(_surprise("outside", without["low"] / within["median"]) / 2, text, action)


def long_waits(answers: Answers) -> Iterator[Finding]:
    """How long those wait for a person who wait longest."""
    row = answers.waits.set_index(["who", "asked"]).loc[("person", "any time")]
    if row["conversations"] < ENOUGH:
        return
    answered = Rate(int(row["answered"]), int(row["conversations"]))
    seconds = min(float(row["p90"]), float(metrics.WATCHED))
    text = say(
        "Of those who need a person, one in ten waits longer than {time}; {rate} got one at all.",
        time=duration(seconds), rate=answered,
    )  # fmt: skip
    action = say("See who waits longest, and at which hours: a promise of a time helps, too.")
    yield Finding(_surprise("long waits", seconds) / 2, text, action)


def need(answers: Answers) -> Iterator[Finding]:
    """The most frequent problem, and what has changed since the week before."""
    known = answers.frequent.dropna(subset=["problem"])
    if len(known) and int(known["of"].iloc[0]) >= ENOUGH:
        first = known.iloc[0]
        rate = Rate(int(first["conversations"]), int(first["of"]))
        text = say("No problem is asked about more than {what}: {rate}.", what=first["title"],
                   rate=rate)  # fmt: skip
        action = say("An answer that is pinned, or one that the bot gives, reaches all of them.")
        yield Finding(_surprise("need", rate.interval[0]), text, action)
    for row in known[known["trend"] != ""].itertuples():
        now, before = int(row.last_7_days), int(row.before)
        words = mark("More people ask about {what} in the last 7 days: {now:,}, before {before:,}.")
        action = say("Something has changed: find out what before it grows.")
        if now < before:
            words = mark(
                "Fewer people ask about {what} in the last 7 days: {now:,}, before {before:,}."
            )
            action = say("Find out what helped, and keep it.")
        ratio = (max(now, before) + 1) / (min(now, before) + 1)
        text = say(words, what=row.title, now=now, before=before)
        yield Finding(_surprise("trend", ratio), text, action)


def teach(answers: Answers) -> Iterator[Finding]:
    """The problem that takes most of agents' time."""
    frame = answers.teach
    total = float(frame["minutes"].sum())
    if not total or len(answers.conversations) < ENOUGH:
        return
    top = frame.iloc[0]
    same = Rate(int(top["same_answer"]), int(top["of"]))
    text = say(
        "{what} takes {share:.0%} of agents' time ({minutes:,.0f} of {total:,.0f} min); the "
        "same answer would do for {rate}.",
        what=top["title"], share=float(top["minutes"]) / total, minutes=float(top["minutes"]),
        total=total, rate=same,
    )  # fmt: skip
    action = say("Teach the bot that answer first: it is quoted below.")
    yield Finding(_surprise("teach", float(top["minutes"]) / total), text, action)


def bands(answers: Answers) -> Iterator[Finding]:
    """The hours in which most questions come."""
    frame = metrics.questions_by_hour(answers.conversations)
    found = frame.attrs.get("bands")
    if found:
        hours = sum(last - first for first, last in found.hours)
        text = f"{charts.questions_by_hour(frame).title}."
        action = say("Have people there at these hours first.")
        yield Finding(_surprise("bands", found.rate.interval[0] * 24 / hours), text, action)


def change(answers: Answers) -> Iterator[Finding]:
    """What is different since a day that was named."""
    frame = answers.ask("before_and_after", cut=answers.cut) if answers.cut else ()
    if len(frame) == 2:
        text = f"{charts.before_and_after(frame).title}."
        yield Finding(math.inf, text, say("Did anything else change on that day?"))


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


def fallen_silent(answers: Answers) -> Iterator[Finding]:
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


def _unanswered(conversations: pd.DataFrame) -> Rate:
    counted, of = measures(conversations)["unanswered"]
    return Rate(int((counted & of).sum()), int(of.sum()))


CANDIDATES: Sequence[Callable[[Answers], Iterator[Finding]]] = (
    unanswered, solved, silences, outside, long_waits, need, teach, bands, change, peak, few, stay,
    fallen_silent,
)  # fmt: skip
