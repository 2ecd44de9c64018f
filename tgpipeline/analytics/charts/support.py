"""What people need, whether they get it, and from whom."""

from typing import Any

import pandas as pd

from tgpipeline.analytics.charts import shapes, style
from tgpipeline.analytics.charts.style import AGENTS, BOT, MARK, OPEN, OTHER, PEOPLE, SOFT
from tgpipeline.analytics.language import many, mark, say, words
from tgpipeline.analytics.support.metrics import WATCHED
from tgpipeline.analytics.support.statistics import ENOUGH

FATES = ("confirmed", "assumed", "not_solved", "unanswered", "open")  # of all questions
COLOURS = {"bot_at_least": BOT, "bot_at_most": BOT, "handed": AGENTS, "reopened": OPEN,
           "unanswered": OPEN, "not_solved": MARK, "open": OTHER}  # fmt: skip
REASONS = {"no reply": OPEN, "members only": OTHER, "no answer": AGENTS, "no person came": MARK}
AGES = {  # days that a question has waited, up to
    2: mark("up to 2 days"), 7: mark("up to a week"), 30: mark("up to 30 days"),
    1e9: mark("longer than 30 days"),
}  # fmt: skip
MINUTES = {"saves": (mark("for like answers (estimate)"), BOT),
           "rest": (mark("for other answers"), AGENTS)}  # fmt: skip
_TICKS = (1, 60, 600, 7_200, 86_400)  # seconds
_ARROWS = {"rising": "▲", "new": mark("▲ new"), "falling": "▼", "": ""}


@style.chart("conversations")
def frequent_problems(frame: pd.DataFrame) -> style.Drawn:
    """The problems by how many conversations they open, with intervals; what rises is marked.

    Args:
        frame: from `problems.frequent`.
    """
    known = frame[frame["problem"].notna()]
    first, of, named = frame.iloc[0], int(frame["of"].iloc[0]), int(known["conversations"].sum())
    if of < ENOUGH:
        title = many(
            "Too few for shares: {n} conversation, quoted below",
            "Too few for shares: {n} conversations, quoted below", of,
        )  # fmt: skip
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
        for others, more in (
            (known["as_frequent"], mark("; perhaps as frequent: {problems}")),
            (known["trend"].isin(["rising", "new"]), mark("; rising this week: {problems}")),
        ):
            if others.any():
                title += say(more, problems=", ".join(known.loc[others, "title"]))
    colours = [
        OTHER if pd.isna(r.problem) else OPEN if r.trend in ("rising", "new") else PEOPLE
        for r in frame.itertuples()
    ]
    labels = [f"{r.title} {say(_ARROWS[r.trend])}".strip() for r in frame.itertuples()]
    if of < ENOUGH:
        ax = shapes.row_axes(title, say("conversations"), labels)
        shapes.stack(ax, frame, {"conversations": (mark("conversations"), PEOPLE)}, across=True)
    else:
        ax = shapes.row_axes(title, say("share of conversations, %"), labels)
        _shares(ax, frame.rename(columns={"conversations": "n"}), colours)
    return ax, frame[["title", "conversations", "of", "low", "high", "trend"]]


@style.chart("conversations")
def outcomes(frame: pd.DataFrame) -> style.Drawn:
    """What became of the questions: rates with intervals; what cannot be known is left out.

    Args:
        frame: from `metrics.outcomes`.
    """
    found = frame.set_index("measure")
    total, closed = (int(found.loc[name, "denominator"]) for name in ("open", "confirmed"))
    if not total:
        return style.nothing(frame, "conversations")
    share, parts, named = found["share"], found.loc[[*FATES]], words()["labels"]
    if closed < ENOUGH:
        counts = ", ".join(
            f"{say(name.replace('_', ' '))} {n:,}" for name, n in parts["numerator"].items() if n
        )
        title = many(
            "Too few for shares: {n:,} question, {counts}",
            "Too few for shares: {n:,} questions, {counts}", total, counts=counts,
        )  # fmt: skip
        ax = shapes.row_axes(title, say("questions"), [say(named[name]) for name in FATES])
        shapes.stack(ax, parts, {"numerator": (mark("questions"), PEOPLE)}, across=True)
        return ax, parts["numerator"].reset_index()
    title = say(
        "Between {low:.0%} and {high:.0%} of {n:,} questions were solved",
        low=share["confirmed"], high=share["solved_at_most"], n=closed,
    )  # fmt: skip
    alone = say("; what the bot solved is not known")
    if pd.notna(share["bot_at_least"]):
        alone = say(
            "; the bot alone solved {low:.0%} to {high:.0%} of those it wrote in",
            low=share["bot_at_least"], high=share["bot_at_most"],
        )  # fmt: skip
    shown = found.dropna(subset="share").rename(columns={"numerator": "n", "denominator": "of"})
    labels = [say(named[measure]) for measure in shown.index]
    ax = shapes.row_axes(title + alone, say("%, with 95% interval"), labels)
    _shares(ax, shown, [COLOURS.get(measure, PEOPLE) for measure in shown.index])
    return ax, frame[["measure", "numerator", "denominator", "share", "low", "high"]]


@style.chart("answers")
def response_times(frame: pd.DataFrame) -> style.Drawn:
    """How long customers wait for the first answer: median and 90th percentile.

    Args:
        frame: from `metrics.response_times`.
    """
    some = (frame["asked"] == "any time") | (frame["who"] == "person")
    shown = frame[some & (frame["answered"] > 0)]
    if shown.empty:
        return style.nothing(frame, mark("answers"))
    most = int(frame["conversations"].max())
    if most < ENOUGH:
        few = many("waiting times: {n} conversation is too few",
                   "waiting times: {n} conversations are too few", most)  # fmt: skip
        return style.nothing(frame, few)
    half = shown.set_index(["who", "asked"])["median"]
    person = [w for w in ("office hours", "outside") if ("person", w) in half]
    outside = mark("outside {time}") if len(person) > 1 else mark("a person {time}")
    parts = [
        say(text, time=duration(half[row]))
        for row, text in (
            (("person", "office hours"), mark("a person in office hours {time}")),
            (("person", "outside"), outside),
            (("bot", "any time"), mark("the bot {time}")),
        )
        if row in half
    ]
    title = say("Until half of those who ask have an answer: {waits}", waits="; ".join(parts))
    told = say("until half (dot, with its interval) and nine in ten (bar)\nhave an answer")
    labels = [
        say("{who}, {asked} ({n} of {of})", who=say(str(r.who)), asked=say(str(r.asked)),
            n=r.answered, of=r.conversations).replace(" (", "\n(")
        for r in shown.itertuples()
    ]  # fmt: skip
    ax = shapes.row_axes(title, told, labels)
    colour = {"anyone": PEOPLE, "bot": BOT, "person": AGENTS}
    seconds = shown[["low", "median", "high", "p90"]].clip(1, WATCHED)
    for place, (row, at) in enumerate(zip(shown.itertuples(), seconds.itertuples(), strict=True)):
        ax.plot([at.low, at.high], [place, place], color=colour[row.who], linewidth=2, alpha=0.5)
        ax.plot([at.median], [place], "o", color=colour[row.who], markersize=8)
        ax.plot([at.p90], [place], "|", color=colour[row.who], markersize=13, markeredgewidth=2)
        text = f"{duration(row.median)} / {duration(row.p90)}"
        ax.annotate(text, (max(at.high, at.p90), place), (8, -3), textcoords="offset points",
                    fontsize=8)  # fmt: skip
    ax.set_xscale("log")
    ticks = [t for t in _TICKS if t <= 3 * seconds["p90"].max()]
    is_wide = style.Place.width > style.NARROW
    ticks = ticks if is_wide else ticks[::2]
    ax.set_xticks(ticks, [duration(t) for t in ticks])
    ax.set_xticks([], minor=True)
    ax.set_xlim(left=0.7, right=max(30.0, (8.0 if is_wide else 3e4) * float(seconds["p90"].max())))
    return ax, frame[["who", "asked", "conversations", "answered", "median", "low", "high", "p90"]]


@style.chart(mark("minutes of agents"))
def better_bot(frame: pd.DataFrame) -> style.Drawn:
    """Where a better bot pays: agents' minutes by problem, and how many one answer would save.

    Args:
        frame: from `problems.better_bot`.
    """
    if not frame["minutes"].sum():
        return style.nothing(frame, "minutes of agents")
    top = frame.iloc[0]
    title = many(
        "{what} takes the largest part of agents' time: {minutes:,.0f} of {total:,.0f} min; {same} "
        "of {n} other answer was nearly the same as the most typical one",
        "{what} takes the largest part of agents' time: {minutes:,.0f} of {total:,.0f} min; {same} "
        "of {n} other answers were nearly the same as the most typical one",
        int(top["of"]), what=top["title"], minutes=top["minutes"], total=frame["minutes"].sum(),
        same=top["same_answer"],
    )  # fmt: skip
    ax = shapes.row_axes(title, say("minutes of agents"), frame["title"].tolist())
    shapes.stack(ax, frame.assign(rest=frame["minutes"] - frame["saves"]), MINUTES, across=True)
    return ax, frame[["title", "minutes", "saves", "same_answer", "of"]]


@style.chart(mark("reactions were delivered"))
def reactions(frame: pd.DataFrame) -> style.Drawn:
    """Which reactions are given to people and to bots."""
    total, shown = int(frame["reactions"].sum()), frame.head(10)
    title = many(
        "{n:,} reaction: {emoji}",
        "{n:,} reactions, most often {emoji}; {share:.0%} of them to bots",
        total, emoji=style.emoji(frame["emoji"].iloc[0]), share=int(frame["to_bots"].sum()) / total,
    )  # fmt: skip
    ax = shapes.row_axes(title, say("reactions"), [style.emoji(e) for e in shown["emoji"]])
    shapes.stack(ax, shown, shapes.GIVEN, across=True)
    return ax, frame[["emoji", *shapes.GIVEN]]


@style.chart(mark("questions wait for an answer"))
def unanswered(frame: pd.DataFrame) -> style.Drawn:
    """How long questions have been waiting that nobody answered, and what they got instead.

    Args:
        frame: from `problems.unanswered`.
    """
    days = frame["waiting_hours"].astype(float) / 24
    age = pd.cut(days, [-1, *AGES], labels=[say(name) for name in AGES.values()]).rename("waiting")
    table = pd.crosstab(age, frame["reason"], dropna=False).reindex(
        columns=[*REASONS], fill_value=0
    )
    counts = ", ".join(f"{say(name)} {n:,}" for name, n in table.sum().items() if n)
    title = many("{n:,} question waits: {why}", "{n:,} questions wait: {why}", len(frame),
                 why=counts)  # fmt: skip
    ax = shapes.row_axes(title, say("questions"), table.index.tolist())
    parts = {reason: (reason, colour) for reason, colour in REASONS.items()}
    shapes.stack(ax, table, parts, across=True)
    return ax, table.reset_index().rename_axis(columns=None)


def duration(seconds: float) -> str:
    """Seconds as people say them.

    >>> duration(45), duration(600), duration(7200), duration(200_000), duration(float("inf"))
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


def _shares(ax: Any, rates: pd.DataFrame, colours: list[str]) -> None:
    """Shares with their intervals, the first on top: `n`, `of`, `share`, `low`, `high`."""
    low, share, high = (100 * rates[c].astype(float) for c in ("low", "share", "high"))
    reach = [(share - low).clip(lower=0), (high - share).clip(lower=0)]
    ax.barh(range(len(rates)), share, shapes.thickness(), color=colours, xerr=reach, ecolor=SOFT,
            capsize=2)  # fmt: skip
    for place, row in enumerate(rates.itertuples()):
        counts = say("{share:.0%} ({n} of {of})", share=row.share, n=row.n, of=row.of)
        at = (high.iloc[place], place)
        ax.annotate(counts, at, (5, -3), textcoords="offset points", fontsize=8)
    ax.set_xlim(0, (1.3 if style.Place.width > style.NARROW else 1.6) * max([*high, 1.0]))
    ax.set_xticks([tick for tick in ax.get_xticks() if 0 <= tick <= 100])  # beyond are words
