"""Who writes: how many, who is new, who stays, who writes most."""

import math
from typing import Any

import pandas as pd
from matplotlib.ticker import MaxNLocator

from tgpipeline.analytics.charts import shapes, style
from tgpipeline.analytics.charts.style import AGENTS, MARK, OPEN, OTHER, PEOPLE
from tgpipeline.analytics.language import MONTHS, WEEKDAYS, many, mark, say

_YEAR = 53  # weeks of the calendar, at most
_COHORTS = 26  # weeks of the retention, at most
_WRITERS = {
    "returning_people": (mark("seen before"), OTHER),
    "new_people": (mark("new people"), PEOPLE),
}
_MOVES = {"joined": (mark("joined"), AGENTS), "left": (mark("left"), OPEN)}


@style.chart()
def active_people(frame: pd.DataFrame) -> style.Drawn:
    """People active a day, in 7 and in 28 days; means of a week or a month over a long time."""
    if not frame["monthly"].sum():
        return style.nothing(frame)
    last, names = frame.iloc[-1], ["daily", "weekly", "monthly"]
    mean = float(frame["daily"].mean())
    title = many("{n:,} person wrote", "{n:,} people wrote", int(last["monthly"]))
    if len(frame) > 1:
        title = many(
            "{n:,} person wrote in the last 28 days, {weekly:,} in the last 7; {daily:,.1f} on the "
            "average day",
            "{n:,} people wrote in the last 28 days, {weekly:,} in the last 7; {daily:,.1f} on the "
            "average day",
            int(last["monthly"]), weekly=int(last["weekly"]), daily=mean,
        )  # fmt: skip
    unit, lines = shapes.by_unit(frame.set_index("day")[names].astype(float), "mean")
    ax, places = style.axes(title, "", say("people who wrote")), range(len(lines))
    ax.plot(places, lines["monthly"], ":", color=OTHER, label=say("28 days"))
    ax.plot(places, lines["weekly"], "--", color=MARK, label=say("7 days"))
    ax.plot(places, lines["daily"], ".-", color=PEOPLE, label=say("day"))
    return shapes.from_zero(ax, lines, unit)


@style.chart()
def calendar(frame: pd.DataFrame) -> style.Drawn:
    """The days of the period as a calendar, one column per week; of a long time, the last year.

    Args:
        frame: answer of `messages_per_day`.
    """
    days = shapes.every_day(frame, ["messages"])
    quiet = int((days["messages"] == 0).sum())
    title = many("{n} day without any message, of {of:,}",
                 "{n:,} days without any message, of {of:,}", quiet, of=len(days))  # fmt: skip
    if not quiet:
        title = many("Messages on the one day", "Messages on each of {n:,} days", len(days))
    week, weekday = days.index.to_period("W").start_time, days.index.day_of_week
    grid = days.assign(week=week, weekday=weekday).pivot_table(
        index="week", columns="weekday", values="messages"
    )
    if len(grid) > _YEAR:
        title += say("; the last year:")
    grid = grid.reindex(columns=range(7)).tail(_YEAR)
    ax = style.axes(title, "", "", height=2.4)
    shapes.heat(ax, grid.to_numpy().T, [say(name) for name in WEEKDAYS], say("messages"), vmin=0)
    shapes.tell_time(ax, grid.index, "week")
    return ax, grid.set_axis(WEEKDAYS, axis=1).rename_axis("week").reset_index()


@style.chart()
def new_and_returning(frame: pd.DataFrame) -> style.Drawn:
    """Each week's people, those seen before and those new to the lake; the last two years."""
    if len(frame) == 1:  # of the first week all are new
        return style.nothing(frame, mark("weeks to compare"))
    rest = frame.iloc[1:]
    new, people = int(rest["new_people"].sum()), int(rest["people"].sum())
    title = say(
        "{share:.0%} of a week's people are new (after the first week: {n:,} of {of:,})",
        share=new / people, n=new, of=people,
    )  # fmt: skip
    weeks = frame.set_index("week")[[*_WRITERS]].astype(float)
    weeks = weeks.asfreq("7D", fill_value=0).tail(shapes.WEEKS)
    ax = style.axes(title, "", say("people who wrote"))
    shapes.stack(ax, weeks, _WRITERS)
    shapes.tell_time(ax, weeks.index, "week")
    return ax, weeks.astype(int).reset_index()


@style.chart()
def weekly_retention(frame: pd.DataFrame) -> style.Drawn:
    """Which share of each week's new people writes again in the weeks after; the last 26 weeks."""
    first = frame[frame["weeks_later"] == 1]
    kept, size = int(first["people"].sum()), int(first["cohort_size"].sum())
    if not size:
        return style.nothing(frame, mark("weeks to compare"))
    title = say(
        "{share:.0%} of new people write again the week after ({n:,} of {of:,})",
        share=kept / size, n=kept, of=size,
    )  # fmt: skip
    shares = frame.assign(share=(100 * frame["people"] / frame["cohort_size"]).astype(float))
    grid = shares.pivot_table(index="cohort", columns="weeks_later", values="share")
    weeks = range(int(frame["weeks_later"].max()) + 1)
    grid, sizes = grid.reindex(columns=weeks), frame.groupby("cohort")["cohort_size"].first()
    later = frame[frame["weeks_later"] > 0]
    end = (later["cohort"] + pd.to_timedelta(7 * later["weeks_later"].astype(int), "D")).max()
    for week in weeks:  # a whole week in which nobody came is 0, one to come is empty
        over = grid.index + pd.Timedelta(days=7 * week) <= end
        grid.loc[over, week] = grid.loc[over, week].fillna(0)
    grid = grid.iloc[-_COHORTS:, :_COHORTS]
    ax = style.axes(title, say("weeks after the first message"), say("week of the first message"))
    label = say("% of the cohort")
    shapes.heat(ax, grid.to_numpy(), [_week(week) for week in grid.index], label, vmin=0, vmax=100)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    for (y, x), share in grid.set_axis(range(len(grid))).stack().items() if grid.size < 61 else ():
        colour = "black" if share > 55 else "white"
        ax.text(x, y, f"{share:.0f}", ha="center", va="center", color=colour)
    data = grid.round(1).rename(columns=str).reset_index()
    data.insert(1, "cohort_size", data["cohort"].map(sizes).astype(int))
    return ax, data


@style.chart()
def concentration(frame: pd.DataFrame) -> style.Drawn:
    """How much of all is written by how few."""
    people, total = len(frame), int(frame["messages"].sum())
    top = math.ceil(people / 10)
    so_far = frame["messages_so_far"].astype(int)
    title = many(
        "The one who writes most (of {people:,} people) wrote {share:.0%} of {total:,} messages",
        "The {n:,} who write most (of {people:,} people) wrote {share:.0%} of {total:,} messages",
        top, people=people, share=so_far.iloc[top - 1] / total, total=total,
    )  # fmt: skip
    if people == 1:
        title = say("Of all people one alone wrote")
    ax = style.axes(
        title, say("people, those who write most first, %"), say("share of messages, %")
    )
    some = sorted({math.ceil(people * n / 100) for n in range(1, 101)})
    share = [100 * so_far.iloc[n - 1] / total for n in some]
    ax.plot([0.0, *(100 * n / people for n in some)], [0.0, *share], color=PEOPLE)
    ax.plot([0, 100], [0, 100], ":", color=OTHER)
    ax.plot([100 * top / people] * 2, [0, 100 * so_far.iloc[top - 1] / total], color=MARK)
    ax.set_xlim(0, 100)
    ax.set_ylim(0, 101)
    tenths = sorted({math.ceil(people * n / 10) for n in range(1, 11)})
    return ax, pd.DataFrame({"people": tenths, "messages": so_far.iloc[[n - 1 for n in tenths]]})


@style.chart(mark("joins or leaves"))
def joins_and_leaves(frame: pd.DataFrame) -> style.Drawn:
    """Who comes (up) and who goes (down), a day (a week or a month, over a long time)."""
    changes = bool(frame["joined"].sum() + frame["left_group"].sum())
    names = ["joined", "left_group"] if changes else ["join_notices", "leave_notices"]
    unit, binned = shapes.by_unit(shapes.every_day(frame, names))
    binned = binned.set_axis([*_MOVES], axis=1)
    came, went = (int(binned[name].sum()) for name in _MOVES)
    title = say("{came:,} joined, {went:,} left: {more:+d}", came=came, went=went, more=came - went)
    if not changes:
        title += say(" (from notices in the chat: no membership changes were delivered)")
    ax = style.axes(title, "", say("people"))
    shapes.stack(ax, binned.assign(left=-binned["left"]), _MOVES)
    ax.axhline(0, color="black", linewidth=0.8)
    shapes.tell_time(ax, binned.index, unit)
    return ax, binned.astype(int).rename_axis(unit).reset_index()


def _week(week: Any) -> str:
    month = say(MONTHS[week.month - 1])
    return say("{day} {month} {year}", day=week.day, month=month, year=week.year)
