"""What people need, whether they get it, and from whom."""

import math
from typing import Any

import pandas as pd

from tgpipeline.analytics.charts.colours import AGENTS, BOT, MARK, OPEN, OTHER, PEOPLE
from tgpipeline.analytics.charts.style import Drawn, axes, chart, emoji, nothing
from tgpipeline.analytics.language import mark, say
from tgpipeline.analytics.support.metrics import WATCHED
from tgpipeline.analytics.support.statistics import ENOUGH

LABELS = {
    "confirmed": mark("confirmed by the customer"), "assumed": mark("answered, then silence"),
    "not_solved": mark("not solved"), "unanswered": mark("unanswered"),
    "open": mark("still open,\nof all"), "answered": mark("answered"),
    "solved_at_most": mark("solved at most"),
    "bot_at_least": mark("by the bot alone at least,\nof those it wrote in"),
    "bot_at_most": mark("by the bot alone at most,\nof those it wrote in"),
    "handed": mark("handed to a person,\nof those the bot wrote in"),
    "reopened": mark("reopened within 7 days,\nof those answered"),
    "satisfied": mark("satisfied, of who said so"),
}  # fmt: skip
WAITS = {  # why: words for the title, colour
    mark("no reply"): (mark("{n} without any reply"), OPEN),
    mark("members only"): (mark("{n} with replies of other members only"), OTHER),
    mark("no answer"): (mark("{n} with fallbacks and promises only"), AGENTS),
    mark("no person came"): (mark("{n} that asked for a person in vain"), MARK),
}
COLOURS = {"bot_at_least": BOT, "bot_at_most": BOT, "handed": AGENTS, "reopened": OPEN,
           "unanswered": OPEN, "not_solved": MARK, "open": OTHER}  # fmt: skip


@chart("conversations")
def frequent_problems(frame: pd.DataFrame) -> Drawn:
    """The problems by how many conversations they open, with intervals; what rises is marked.

    Args:
        frame: from `problems.frequent`.
    """
    known = frame[frame["problem"].notna()]
    first, of, named = frame.iloc[0], int(frame["of"].iloc[0]), int(known["conversations"].sum())
    if of < ENOUGH:
        title = say("Too few for shares: {of} conversations, quoted one by one", of=of)
    elif 2 * named < of:  # what is most frequent among a few says little
        title = say(
            "Only {named:,} of {of:,} conversations are about a problem that is defined",
            named=named, of=of,
        )  # fmt: skip
    else:
        title = say(
            "Most frequent: {problem}, {share:.0%} of {of:,} conversations",
            problem=first["title"], share=float(first["share"]), of=of,
        )  # fmt: skip
        for others, words in (
            (known["as_frequent"], mark("; perhaps as frequent: {problems}")),
            (known["trend"].isin(["rising", "new"]), mark("; rising this week: {problems}")),
        ):
            if others.any():
                title += say(words, problems=", ".join(known.loc[others, "title"]))
    on = axes(title, say("share of conversations, %"), "", height=0.32 * len(frame) + 1.3)
    shown = frame.iloc[::-1]
    colours = [
        OTHER if pd.isna(r.problem) else OPEN if r.trend in ("rising", "new") else PEOPLE
        for r in shown.itertuples()
    ]
    labels = [f"{r.title} {say(_ARROWS[r.trend])}".strip() for r in shown.itertuples()]
    if of < ENOUGH:
        on.barh(labels, shown["conversations"], 0.7, color=colours)
        on.set_xlabel(say("conversations"))
    else:
        _bars(on, labels, shown.rename(columns={"conversations": "n"}), colours)
    return on, frame[["title", "conversations", "of", "low", "high", "trend"]]


@chart("conversations")
def outcomes(frame: pd.DataFrame) -> Drawn:
    """What became of the questions: rates with intervals; what cannot be known says so.

    Args:
        frame: from `metrics.outcomes`.
    """
    found = frame.set_index("measure")
    if not found.loc["open", "denominator"]:
        return nothing(frame, "conversations")
    share = found["share"]
    total = int(found.loc["confirmed", "denominator"])
    n = int(found.loc["open", "denominator"])
    title = say("All {n} questions are still open", n=n)
    if total:
        title = say(
            "Between {low:.0%} and {high:.0%} of {total} questions were solved",
            low=share["confirmed"], high=share["solved_at_most"], total=total,
        )  # fmt: skip
    alone = say("; what the bot solved is not known")
    if found.loc["bot_at_least", "denominator"]:
        alone = say(
            "; {low:.0%} to {high:.0%} of those it wrote in by the bot alone",
            low=share["bot_at_least"], high=share["bot_at_most"],
        )  # fmt: skip
    on = axes(title + alone, say("%, with 95% interval"), "", height=5.8)
    shown = found.iloc[::-1].rename(columns={"numerator": "n", "denominator": "of"})
    colours = [COLOURS.get(m, PEOPLE) for m in shown.index]
    _bars(on, [say(LABELS[m]) for m in shown.index], shown, colours)
    on.set_xlim(0, 130)
    on.set_xticks(range(0, 101, 20))
    return on, frame[["measure", "numerator", "denominator", "share", "low", "high"]]


@chart("answers")
def response_times(frame: pd.DataFrame) -> Drawn:
    """How long customers wait for the first answer: median and 90th percentile.

    Args:
        frame: from `metrics.response_times`.
    """
    shown = frame[frame["answered"] > 0].iloc[::-1]
    if shown.empty:
        return nothing(frame, mark("answers"))
    most = int(frame["conversations"].max())
    if most < ENOUGH:
        return nothing(frame, say("waiting times: {n} conversations are too few", n=most))
    half = shown.set_index(["who", "asked"])["median"]
    person = [w for w in ("office hours", "outside") if ("person", w) in half]
    parts = [
        say(words, time=duration(half[row]))
        for row, words in (
            (("person", "office hours"), mark("a person in office hours {time}")),
            (
                ("person", "outside"),
                mark("outside {time}") if len(person) > 1 else mark("a person {time}"),
            ),
            (("bot", "any time"), mark("the bot {time}")),
        )
        if row in half
    ]
    title = say("Until half of those who ask have an answer: {waits}", waits="; ".join(parts))
    height = 0.36 * len(shown) + 1.2
    on = axes(
        title,
        say("until half (dot, with its interval) and nine in ten (bar)\nhave an answer"),
        "",
        height,
    )
    colour = {"anyone": PEOPLE, "bot": BOT, "person": AGENTS}
    seconds = shown[["low", "median", "high", "p90"]].clip(1, WATCHED)
    for place, (row, at) in enumerate(zip(shown.itertuples(), seconds.itertuples(), strict=True)):
        on.plot([at.low, at.high], [place, place], color=colour[row.who], linewidth=2, alpha=0.5)
        on.plot([at.median], [place], "o", color=colour[row.who], markersize=8)
        on.plot([at.p90], [place], "|", color=colour[row.who], markersize=13, markeredgewidth=2)
        text = f"{duration(row.median)} / {duration(row.p90)}"
        place_of = max(at.high, at.p90), place
        on.annotate(text, place_of, (8, -3), textcoords="offset points", fontsize=8)
    labels = [
        say("{who}, {asked} ({n} of {of})", who=say(str(r.who)), asked=say(str(r.asked)),
            n=r.answered, of=r.conversations)
        for r in shown.itertuples()
    ]  # fmt: skip
    on.set_yticks(range(len(shown)), labels)
    on.set_xscale("log")
    ticks = [t for t in _TICKS if t <= 3 * seconds["p90"].max()]
    on.set_xticks(ticks, [duration(t) for t in ticks])
    on.set_xticks([], minor=True)
    on.set_xlim(left=0.7, right=max(30.0, 6.0 * float(seconds["p90"].max())))
    on.set_ylim(-0.6, len(shown) - 0.4)
    return on, frame[["who", "asked", "conversations", "answered", "median", "low", "high", "p90"]]


@chart(mark("minutes of agents"))
def better_bot(frame: pd.DataFrame) -> Drawn:
    """Where a better bot pays: agents' minutes by problem, and how many one answer would save.

    Args:
        frame: from `problems.better_bot`.
    """
    if not frame["minutes"].sum():
        return nothing(frame, "minutes of agents")
    top = frame.iloc[0]
    title = say(
        "{what} takes the largest part of agents' time: {minutes:,.0f} of {total:,.0f} minutes; "
        "{same} of {of} other answers were nearly the same as the most typical one",
        what=top["title"], minutes=top["minutes"], total=frame["minutes"].sum(),
        same=top["same_answer"], of=top["of"],
    )  # fmt: skip
    on = axes(title, say("minutes of agents"), "", height=0.32 * len(frame) + 1.5)
    shown = frame.iloc[::-1]
    on.barh(range(len(shown)), shown["minutes"], color=AGENTS, label=say("all minutes"))
    saves = say("of these, for like answers (estimate)")
    on.barh(range(len(shown)), shown["saves"], color=BOT, label=saves)
    on.set_yticks(range(len(shown)), shown["title"])
    on.legend(frameon=False, loc="lower right")
    return on, frame[["title", "minutes", "saves", "same_answer", "of"]]


@chart(mark("reactions were delivered"))
def reactions(frame: pd.DataFrame) -> Drawn:
    """Which reactions are given to people and to bots."""
    total, shown = int(frame["reactions"].sum()), frame.head(10).iloc[::-1]
    first = frame.iloc[0]
    share = int(frame["to_bots"].sum()) / total
    often = emoji(first["emoji"])
    title = say(
        "{total:,} reactions, most often {emoji}; {share:.0%} of them to bots",
        total=total, emoji=often, share=share,
    )  # fmt: skip
    on = axes(title, say("reactions"), "", height=0.3 * len(shown) + 1.3)
    people, bots = shown["to_people"].astype(float), shown["to_bots"].astype(float)
    on.barh(range(len(shown)), people, color=PEOPLE, label=say("to people"))
    on.barh(range(len(shown)), bots, left=people, color=BOT, label=say("to bots"))
    unknown = shown["to_unknown"].astype(float)
    if unknown.sum():
        on.barh(
            range(len(shown)), unknown, left=people + bots, color=OTHER, label=say("to unknown")
        )
    on.set_yticks(range(len(shown)), [emoji(e) for e in shown["emoji"]])
    on.legend(frameon=False, loc="lower right")
    return on, frame[["emoji", "to_people", "to_bots", "to_unknown"]]


@chart(mark("questions wait for an answer"))
def unanswered(frame: pd.DataFrame) -> Drawn:
    """How long questions have been waiting that nobody answered.

    Args:
        frame: from `problems.unanswered`.
    """
    days = (frame["waiting_hours"].astype(float) / 24).clip(lower=0)
    parts = {reason: days[frame["reason"] == reason] for reason in WAITS}
    counts = ", ".join(say(words, n=len(parts[r])) for r, (words, _) in WAITS.items())
    title = say("{n} questions wait: {counts}", n=len(frame), counts=counts)
    on = axes(title, say("days waiting"), say("questions"))
    edges = range(0, math.ceil(days.max()) + 2, max(1, math.ceil(days.max() / 30)))
    colours = [colour for _, colour in WAITS.values()]
    named = [say(reason) for reason in WAITS]
    on.hist(list(parts.values()), list(edges), stacked=True, color=colours, label=named)
    on.legend(frameon=False)
    waiting = pd.crosstab(days.astype(int).rename("days"), frame["reason"]).reset_index()
    return on, waiting.rename_axis(columns=None)


def duration(seconds: float) -> str:
    """Seconds as people say them.

    >>> duration(45), duration(600), duration(7200), duration(200_000), duration(math.inf)
    ('45 s', '10 min', '2.0 h', '2.3 days', 'over 72 h')
    """
    if seconds > WATCHED:
        return say("over {hours} h", hours=WATCHED // 3600)
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    if seconds < 129_600:
        return say("{n:.1f} h", n=seconds / 3600)
    return say("{n:.1f} days", n=seconds / 86_400)


_TICKS = (1, 10, 60, 600, 7_200, 86_400)  # seconds
_ARROWS = {"rising": "▲", "new": mark("▲ new"), "falling": "▼", "": ""}


def _bars(on: Any, labels: list[str], rates: pd.DataFrame, colours: list[str]) -> None:
    """Shares with their intervals, of a frame with `n`, `of`, `share`, `low`, `high`."""
    known = (rates["of"] > 0).to_numpy()
    low, share, high = (100 * rates[c].astype(float) for c in ("low", "share", "high"))
    for place, row in enumerate(rates.itertuples()):
        if not known[place]:
            on.text(1, place, say("not known"), va="center", fontsize=9, color="#444444")
            continue
        reach = [[max(0.0, s.iloc[place])] for s in (share - low, high - share)]
        on.barh(place, share.iloc[place], 0.7, color=colours[place], xerr=reach,
                ecolor="#444444", capsize=2)  # fmt: skip
        counts = say("{share:.0%} ({n} of {of})", share=row.share, n=row.n, of=row.of)
        at = (high.iloc[place], place)
        on.annotate(counts, at, (5, -3), textcoords="offset points", fontsize=8)
    on.set_yticks(range(len(labels)), labels)
    on.set_xlim(0, 1.3 * max([*high[known], 1.0]))
