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
_ARROWS = {"rising": "▲", "new": "▲", "falling": "▼", "": ""}
_TICKS = [1, 60, 600, 7_200, 86_400]  # seconds


@chart("conversations")
def frequent_problems(frame: pd.DataFrame) -> Chart:
    """The problems by how many conversations they open, with intervals; what rises is marked.

    Args:
        frame: from `problems.frequent`.
    """
    is_known, rises = frame["problem"].notna(), frame["trend"].isin(["rising", "new"])
    of, named = int(frame["of"].iloc[0]), frame["conversations"][is_known].sum()
    names = (frame["title"] + " " + frame["trend"].map(_ARROWS)).str.strip().rename("title")
    rates = frame.rename(columns={"conversations": "n"}).set_index(names)
    if of < ENOUGH:
        title = sentence("few_conversations", n=of)
        return shapes.across(title, say("conversations"), rates[["n"]])
    title = sentence("few_defined", named=named, of=of)
    if 2 * named >= of:  # what is most frequent among a few says little
        problem, share = frame[["title", "share"]].iloc[0]
        title = sentence("frequent_problems", problem=problem, share=share, of=of)
        for others, name in ((frame["as_frequent"], "as_frequent"), (rises, "rising")):
            if (others & is_known).any():
                title += sentence(name, problems=", ".join(frame["title"][others & is_known]))
    colours = [style.colour(trend) for trend in frame["trend"].where(is_known, "unknown")]
    return shapes.shares(title, say("share of conversations, %"), rates, colours)


@chart("conversations", "denominator")
def outcomes(frame: pd.DataFrame) -> Chart:
    """What became of the questions: rates with intervals; what cannot be known is left out.

    Args:
        frame: from `metrics.outcomes`.
    """
    found = frame.set_index("measure")
    total, closed = (int(found.loc[name, "denominator"]) for name in ("open", "confirmed"))
    named, share = {name: say(text) for name, text in words()["labels"].items()}, found["share"]
    if closed < ENOUGH:
        counts = found.loc[[*OUTCOMES], ["numerator"]]
        title = sentence("few_questions", n=total, counts=_counted(counts["numerator"]))
        return shapes.across(title, say("questions"), counts.rename(index=named))
    title = sentence("outcomes", low=share["confirmed"], high=share["solved_at_most"], n=closed)
    low, high = share[["bot_at_least", "bot_at_most"]]
    title += sentence("bot_not_known" if pd.isna(low) else "bot_alone", low=low, high=high)
    rates = found.dropna(subset="share").rename(columns={"numerator": "n", "denominator": "of"})
    colours = [style.colour(measure) for measure in rates.index]
    return shapes.shares(title, say("%, with 95% interval"), rates.rename(index=named), colours)


@chart(mark("answers"), "answered")
def response_times(frame: pd.DataFrame) -> Chart:
    """How long customers wait for the first answer: median and 90th percentile.

    Args:
        frame: from `metrics.response_times`.
    """
    if (most := int(frame["conversations"].max())) < ENOUGH:
        return nothing(frame, sentence("few_waits", n=most))
    split = (frame["asked"] == "any time") ^ (frame["who"] == "person")  # persons by office hours
    shown, told, names = frame[split & (frame["answered"] > 0)], list[str](), list[str]()
    for row in shown.itertuples():
        kind = f"{say(row.who)}, {say(row.asked)}"
        told.append(f"{kind} {duration(row.median)}")
        counts = {"n": row.answered, "of": row.conversations}
        names.append(say("{kind} ({n}\xa0of\xa0{of})", kind=kind, **counts))
    title = sentence("response_times", waits="; ".join(told))

    def draw(ax: Any) -> None:
        at, places = shown[["low", "median", "high", "p90"]].clip(1, WATCHED), range(len(shown))
        colours, is_wide = [style.colour(who) for who in shown["who"]], style.is_wide()
        ax.hlines(places, at["low"], at["high"], colours, linewidth=2, alpha=0.5)
        ax.scatter(at["median"], places, 60, colours)
        ax.scatter(at["p90"], places, 150, colours, marker="|", linewidth=2)
        for place, row in enumerate(shown.itertuples()):
            text = f"{duration(row.median)} / {duration(row.p90)}"
            ax.text(1.5 * WATCHED, place, text, fontsize=8, va="center")
        shapes.rows(ax, names)
        ticks = _TICKS if is_wide else _TICKS[::2]
        ax.set(xscale="log", xlim=(0.7, WATCHED * (8 if is_wide else 3e4)))
        ax.set_xticks(ticks, [duration(t) for t in ticks])
        ax.set_xticks([], minor=True)

    below = say("until half (dot, with its interval) and nine in ten (bar) have an answer")
    return Chart(title, frame, below, "", draw)


@chart(mark("minutes of agents"), "minutes")
def better_bot(frame: pd.DataFrame) -> Chart:
    """Where a better bot pays: agents' minutes by problem, and how many one answer would save.

    Args:
        frame: from `problems.better_bot`.
    """
    minutes, top = frame["minutes"], frame.iloc[0]
    takes = {"what": top["title"], "minutes": top["minutes"], "total": minutes.sum()}
    title = sentence("better_bot", n=int(top["of"]), same=top["same_answer"], **takes)
    table = frame.assign(rest=minutes - frame["saves"]).set_index("title")[["saves", "rest"]]
    return shapes.across(title, say("minutes of agents"), table)


@chart(mark("reactions were delivered"))
def reactions(frame: pd.DataFrame) -> Chart:
    """Which reactions are given to people and to bots."""
    total, given = int(frame["reactions"].sum()), ["to_people", "to_bots", "to_unknown"]
    table = frame.head(10).set_index("emoji")[given].rename(index=style.emoji)
    share = int(frame["to_bots"].sum()) / total
    title = sentence("reactions", n=total, emoji=table.index[0], share=share)
    return shapes.across(title, say("reactions"), table)


@chart(mark("questions wait for an answer"))
def unanswered(frame: pd.DataFrame) -> Chart:
    """How long questions have been waiting that nobody answered, and what they got instead.

    Args:
        frame: from `problems.unanswered`.
    """
    days = frame["waiting_hours"].astype(float) / 24
    age = pd.cut(days, [-1, 2, 7, 30, math.inf], labels=list(map(say, words()["axes"]["ages"])))
    table = pd.crosstab(age.rename("waiting"), frame["reason"], dropna=False)
    table = table.reindex(columns=_REASONS, fill_value=0)
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
