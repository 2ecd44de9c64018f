"""Who writes: how many, who is new, who stays, who writes most."""

import math
from typing import Any

import pandas as pd
from matplotlib.ticker import MaxNLocator

from tgpipeline.analytics.charts import shapes
from tgpipeline.analytics.charts.style import Chart, chart, colour, nothing
from tgpipeline.analytics.language import WEEKDAYS, date_text, mark, say, sentence

_YEAR = 365  # days of the calendar, at most
_COHORTS = 26  # weeks of the retention, at most


@chart(counted="monthly")
def active_people(frame: pd.DataFrame) -> Chart:
    """People active a day, in 7 and in 28 days; means of a week or a month over a long time."""
    days = frame.set_index("day")[["daily", "weekly", "monthly"]].astype(float)
    last, mean = days.iloc[-1].astype(int), days["daily"].mean()
    title = sentence("active_people", n=last["monthly"], weekly=last["weekly"], daily=mean)
    unit, means = shapes.by_unit(days, "mean")
    return shapes.over_time(title, means, unit, say("people who wrote"), shapes.lines)


@chart()
def calendar(frame: pd.DataFrame) -> Chart:
    """The days of the period as a calendar, one column per week; of a long time, the last year.

    Args:
        frame: answer of `messages_per_day`.
    """
    days = shapes.every_day(frame, ["messages"])["messages"].tail(_YEAR)
    title = sentence("calendar", n=int((days == 0).sum()), of=len(days))
    title += say("; the last year") if len(days) == _YEAR else ""
    weeks, weekdays = days.index.to_period("W").start_time, days.index.day_of_week
    grid = days.set_axis([weeks, weekdays]).unstack().reindex(columns=range(7))
    draw = shapes.heat_over_time(say("messages"))
    return shapes.over_time(title, grid.set_axis(WEEKDAYS, axis=1), "week", "", draw)


@chart()
def new_and_returning(frame: pd.DataFrame) -> Chart:
    """Each week's people, those seen before and those new to the lake; the last two years."""
    if len(frame) == 1:  # of the first week all are new
        return nothing(frame, mark("weeks to compare"))
    new, people = frame.iloc[1:][["new_people", "people"]].astype(int).sum()
    title = sentence("new_and_returning", share=new / people, n=new, of=people)
    weeks = frame.set_index("week")[["returning_people", "new_people"]].asfreq("7D", fill_value=0)
    return shapes.over_time(title, weeks.tail(shapes.WEEKS), "week", say("people who wrote"))


@chart()
def weekly_retention(frame: pd.DataFrame) -> Chart:
    """Which share of each week's new people writes again in the weeks after; the last 26 weeks."""
    first = frame[frame["weeks_later"] == 1]
    kept, size = first[["people", "cohort_size"]].sum().astype(int)
    if not size:
        return nothing(frame, mark("weeks to compare"))
    title = sentence("weekly_retention", share=kept / size, n=kept, of=size)
    shares = frame.assign(share=(100 * frame["people"] / frame["cohort_size"]).astype(float))
    grid = shares.pivot(index=["cohort", "cohort_size"], columns="weeks_later", values="share")
    grid = grid.iloc[-_COHORTS:, :_COHORTS]

    def draw(ax: Any) -> None:
        weeks = grid.droplevel("cohort_size").rename(index=date_text)
        shapes.heat(ax, weeks, say("% of the cohort"), 100)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        cells = grid.set_axis(range(len(grid))).stack().dropna() if grid.size < 61 else {}
        for (y, x), share in cells.items():
            ink = "black" if share > 55 else "white"
            ax.text(x, y, f"{share:.0f}", ha="center", va="center", color=ink)

    data = grid.round(1).rename(columns=str).reset_index()
    labels = say("weeks after the first message"), say("week of the first message")
    return Chart(title, data, *labels, draw)


@chart()
def concentration(frame: pd.DataFrame) -> Chart:
    """How much of all is written by how few."""
    people, top = len(frame), math.ceil(len(frame) / 10)
    so_far = pd.Series([0, *frame["messages_so_far"].astype(int)])
    shares, reach = 100 * so_far / so_far[people], 100 * so_far.index / people
    known = {"people": people, "share": shares[top] / 100, "total": so_far[people]}
    title = sentence("concentration" if people > 1 else "one_wrote_all", n=top, **known)

    def draw(ax: Any) -> None:
        ax.plot(reach, shares, color=colour("people"))
        ax.plot([0, 100], [0, 100], ":", color=colour("other"))
        ax.plot([reach[top]] * 2, [0, shares[top]], color=colour("mark"))
        ax.set(xlim=(0, 100), ylim=(0, 101))

    tenths = sorted({math.ceil(people * n / 10) for n in range(1, 11)})
    data = pd.DataFrame({"people": tenths, "messages": so_far[tenths]})
    labels = say("people, those who write most first, %"), say("share of messages, %")
    return Chart(title, data, *labels, draw)


@chart(mark("joins or leaves"))
def joins_and_leaves(frame: pd.DataFrame) -> Chart:
    """Who comes (up) and who goes (down), a day (a week or a month, over a long time)."""
    changes = bool(frame["joined"].sum() + frame["left_group"].sum())
    names = ["joined", "left_group"] if changes else ["join_notices", "leave_notices"]
    days = shapes.every_day(frame, names).set_axis(["joined", "left"], axis=1).astype(int)
    unit, binned = shapes.by_unit(days)
    came, went = binned.sum()
    title = sentence("joins_and_leaves", came=came, went=went, more=came - went)
    if not changes:
        title += sentence("joins_from_notices")

    def draw(ax: Any, table: pd.DataFrame) -> None:
        shapes.stack(ax, table.assign(left=-table["left"]))
        ax.axhline(0, color="black", linewidth=0.8)

    return shapes.over_time(title, binned, unit, say("people"), draw)
