"""What people need, whether they get it, and from whom."""

import math
from typing import Any

import pandas as pd

from tgpipeline.analytics.charts import shapes, style
from tgpipeline.analytics.charts.style import Chart, chart, nothing
from tgpipeline.analytics.language import mark, say, sentence, words
from tgpipeline.analytics.support.metrics import WATCHED
from tgpipeline.analytics.support.outcomes import OUTCOMES
from tgpipeline.analytics.support.statistics import ENOUGH

_REASONS = ["no reply", "members only", "no answer", "no person came"]
_ARROWS = {"rising": "▲", "new": mark("▲ new"), "falling": "▼", "": ""}


@chart("conversations")
def frequent_problems(frame: pd.DataFrame) -> Chart:
    """The problems by how many conversations they open, with intervals; what rises is marked.

    Args:
        frame: from `problems.frequent`.
    """
    is_known, rises = frame["problem"].notna(), frame["trend"].isin(["rising", "new"])
    of, named = int(frame["of"].iloc[0]), frame["conversations"][is_known].sum()
    data = frame[["title", "conversations", "of", "low", "high", "trend"]]
    names = (frame["title"] + [f" {say(_ARROWS[trend])}" for trend in frame["trend"]]).str.strip()
    rates = frame.rename(columns={"conversations": "n"}).set_axis(names)
    if of < ENOUGH:
        title = sentence("few_conversations", n=of)
        return shapes.across(title, say("conversations"), rates[["n"]], data)
    title = sentence("few_defined", named=named, of=of)
    if 2 * named >= of:  # what is most frequent among a few says little
        problem, share = frame[["title", "share"]].iloc[0]
        title = sentence("frequent_problems", problem=problem, share=share, of=of)
        for others, name in ((frame["as_frequent"], "as_frequent"), (rises, "rising")):
            if (others & is_known).any():
                title += sentence(name, problems=", ".join(frame["title"][others & is_known]))
    colours = [style.colour(trend) for trend in frame["trend"].where(is_known, "unknown")]
    return shapes.shares(title, say("share of conversations, %"), rates, colours, data)


@chart("conversations")
def outcomes(frame: pd.DataFrame) -> Chart:
    """What became of the questions: rates with intervals; what cannot be known is left out.

    Args:
        frame: from `metrics.outcomes`.
    """
    found = frame.set_index("measure")
    total, closed = (int(found.loc[name, "denominator"]) for name in ("open", "confirmed"))
    if not total:
        return nothing(frame, "conversations")
    named, share = {name: say(text) for name, text in words()["labels"].items()}, found["share"]
    if closed < ENOUGH:
        counts = found.loc[[*OUTCOMES], ["numerator"]]
        title = sentence("few_questions", n=total, counts=_counted(counts["numerator"]))
        table = counts.rename(index=named)
        return shapes.across(title, say("questions"), table, counts.reset_index())
    title = sentence("outcomes", low=share["confirmed"], high=share["solved_at_most"], n=closed)
    low, high = share[["bot_at_least", "bot_at_most"]]
    title += sentence("bot_not_known" if pd.isna(low) else "bot_alone", low=low, high=high)
    rates = found.dropna(subset="share").rename(columns={"numerator": "n", "denominator": "of"})
    colours = [style.colour(measure) for measure in rates.index]
    data = frame[["measure", "numerator", "denominator", "share", "low", "high"]]
    rates = rates.rename(index=named)
    return shapes.shares(title, say("%, with 95% interval"), rates, colours, data)


@chart("answers")
def response_times(frame: pd.DataFrame) -> Chart:
    """How long customers wait for the first answer: median and 90th percentile.

    Args:
        frame: from `metrics.response_times`.
    """
    some = (frame["asked"] == "any time") | (frame["who"] == "person")
    shown, most = frame[some & (frame["answered"] > 0)], int(frame["conversations"].max())
    if shown.empty:
        return nothing(frame, mark("answers"))
    if most < ENOUGH:
        return nothing(frame, sentence("few_waits", n=most))
    half = shown.set_index(["who", "asked"])["median"]
    waits = {
        ("person", "office hours"): "wait_in_office_hours",
        ("person", "outside"): "wait_outside",
        ("bot", "any time"): "wait_for_the_bot",
    }
    if ("person", "office hours") not in half:
        waits["person", "outside"] = "wait_for_a_person"
    told = [sentence(name, time=duration(half[row])) for row, name in waits.items() if row in half]
    title = sentence("response_times", waits="; ".join(told))
    names = [
        say("{who}, {asked} ({n} of {of})", who=say(str(r.who)), asked=say(str(r.asked)),
            n=r.answered, of=r.conversations).replace(" (", "\n(")
        for r in shown.itertuples()
    ]  # fmt: skip

    def draw(ax: Any) -> None:
        shapes.rows(ax, names)
        seconds = shown[["low", "median", "high", "p90"]].clip(1, WATCHED)
        both = zip(shown.itertuples(), seconds.itertuples(), strict=True)
        for place, (row, at) in enumerate(both):
            colour = style.colour(row.who)
            ax.plot([at.low, at.high], [place, place], color=colour, linewidth=2, alpha=0.5)
            ax.plot([at.median], [place], "o", color=colour, markersize=8)
            ax.plot([at.p90], [place], "|", color=colour, markersize=13, markeredgewidth=2)
            text = f"{duration(row.median)} / {duration(row.p90)}"
            shapes.behind(ax, max(at.high, at.p90), place, text, gap=8)
        longest, is_wide = float(seconds["p90"].max()), style.is_wide()
        ticks = [t for t in (1, 60, 600, 7_200, 86_400) if t <= 3 * longest]
        ticks = ticks if is_wide else ticks[::2]
        ax.set_xscale("log")
        ax.set_xticks(ticks, [duration(t) for t in ticks])
        ax.set_xticks([], minor=True)
        ax.set_xlim(left=0.7, right=max(30.0, (8.0 if is_wide else 3e4) * longest))

    below = say("until half (dot, with its interval) and nine in ten (bar) have an answer")
    data = frame[["who", "asked", "conversations", "answered", "median", "low", "high", "p90"]]
    return Chart(title, data, below, "", draw)


@chart(mark("minutes of agents"))
def better_bot(frame: pd.DataFrame) -> Chart:
    """Where a better bot pays: agents' minutes by problem, and how many one answer would save.

    Args:
        frame: from `problems.better_bot`.
    """
    minutes, top = frame["minutes"], frame.iloc[0]
    if not minutes.sum():
        return nothing(frame, "minutes of agents")
    takes = {"what": top["title"], "minutes": top["minutes"], "total": minutes.sum()}
    title = sentence("better_bot", n=int(top["of"]), same=top["same_answer"], **takes)
    table = frame.assign(rest=minutes - frame["saves"]).set_index("title")[["saves", "rest"]]
    data = frame[["title", "minutes", "saves", "same_answer", "of"]]
    return shapes.across(title, say("minutes of agents"), table, data)


@chart(mark("reactions were delivered"))
def reactions(frame: pd.DataFrame) -> Chart:
    """Which reactions are given to people and to bots."""
    total, given = int(frame["reactions"].sum()), ["to_people", "to_bots", "to_unknown"]
    table = frame.head(10).set_index("emoji")[given].rename(index=style.emoji)
    share = int(frame["to_bots"].sum()) / total
    title = sentence("reactions", n=total, emoji=table.index[0], share=share)
    return shapes.across(title, say("reactions"), table, frame[["emoji", *given]])


@chart(mark("questions wait for an answer"))
def unanswered(frame: pd.DataFrame) -> Chart:
    """How long questions have been waiting that nobody answered, and what they got instead.

    Args:
        frame: from `problems.unanswered`.
    """
    days = frame["waiting_hours"].astype(float) / 24
    ages = [say(name) for name in words()["axes"]["ages"]]
    age = pd.cut(days, [-1, 2, 7, 30, math.inf], labels=ages)
    table = pd.crosstab(age.rename("waiting"), frame["reason"], dropna=False)
    table = table.reindex(columns=_REASONS, fill_value=0).rename_axis(columns=None)
    title = sentence("unanswered", n=len(frame), why=_counted(table.sum()))
    return shapes.across(title, say("questions"), table)


def _counted(counts: "pd.Series[int]") -> str:
    """How many there are of each, but for those of which there are none."""
    return ", ".join(f"{say(k.replace('_', ' '))} {n:,}" for k, n in counts.items() if n)


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
