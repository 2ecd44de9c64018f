"""Who writes: how many, who is new, who stays, who writes most."""

import math
from typing import Any

import pandas as pd

from tgpipeline.analytics.charts.colours import AGENTS, MARK, OPEN, OTHER, PEOPLE
from tgpipeline.analytics.charts.days import BAR_DAYS, LOCAL_TIME, by_unit, dated, every_day
from tgpipeline.analytics.charts.style import Drawn, axes, chart, heat, nothing
from tgpipeline.analytics.language import MONTHS, WEEKDAYS, many, mark, say


@chart()
def active_people(frame: pd.DataFrame) -> Drawn:
    """People active a day, in 7 and in 28 days."""
    if not frame["monthly"].sum():
        return nothing(frame)
    last, daily = frame.iloc[-1], frame["daily"].astype(float)
    sticky = daily.mean() / float(frame["monthly"].max())
    title = say(
        "{daily:,.0f} people a day on average; {weekly:,} in the last 7 days, {monthly:,} in the "
        "last 28 ({sticky:.0%} of a month's people write on a given day)",
        daily=daily.mean(), weekly=int(last["weekly"]), monthly=int(last["monthly"]),
        sticky=sticky,
    )  # fmt: skip
    on = axes(title, "", say("people who wrote"))
    on.plot(frame["day"], frame["monthly"].astype(float), ":", color=OTHER, label=say("28 days"))
    on.plot(frame["day"], frame["weekly"].astype(float), "--", color=MARK, label=say("7 days"))
    dot = "o" if len(frame) == 1 else ""  # one day is no line
    on.plot(frame["day"], daily, dot + "-", color=PEOPLE, label=say("day"))
    on.set_ylim(bottom=0)
    on.legend(frameon=False, ncols=3)
    return dated(on, say("day, local time")), frame[["day", "daily", "weekly", "monthly"]]


@chart()
def calendar(frame: pd.DataFrame) -> Drawn:
    """The days of the period as a calendar: one row per week, darker where less was written.

    Args:
        frame: answer of `messages_per_day`.
    """
    days = every_day(frame, ["messages"])
    week = days.index.to_period("W").start_time
    grid = days.assign(week=week, weekday=days.index.day_of_week)
    grid = grid.pivot_table(index="week", columns="weekday", values="messages")
    grid = grid.reindex(columns=range(7))
    quiet = int((days["messages"] == 0).sum())
    title = many("{n} day without any message, of {of}", "{n} days without any message, of {of}",
                 quiet, of=len(days))  # fmt: skip
    on = axes(title, "", say("week that begins on"), height=0.22 * len(grid) + 1.2)
    weeks = [_week(week) for week in grid.index]
    heat(on, range(8), weeks, grid.to_numpy(), say("messages"))
    on.set_xticks([n + 0.5 for n in range(7)], [say(name) for name in WEEKDAYS])
    data = grid.set_axis(WEEKDAYS, axis=1).rename_axis("week").reset_index()
    return on, data


@chart()
def new_and_returning(frame: pd.DataFrame) -> Drawn:
    """Each week's people, those seen before and those new to the lake."""
    rest = frame.iloc[1:] if len(frame) > 1 else frame
    new, people = int(rest["new_people"].sum()), int(rest["people"].sum())
    words = mark("{share:.0%} of a week's people are new ({n:,} of {of:,})")
    if len(frame) > 1:
        words = mark(
            "{share:.0%} of a week's people are new (after the first week: {n:,} of {of:,})"
        )
    on = axes(say(words, share=new / people, n=new, of=people), "", say("people who wrote"))
    starts, returning = frame["week"], frame["returning_people"].astype(float)
    on.bar(starts, returning, 5.5, color=OTHER, label=say("seen before"))
    on.bar(
        starts, frame["new_people"].astype(float), 5.5, returning, color=PEOPLE, label=say("new")
    )
    on.legend(frameon=False, ncols=2)
    dated(on, say("week that begins on"))
    some = starts[:: math.ceil(len(starts) / 8)]
    on.set_xticks(some, [f"{week.day} {say(MONTHS[week.month - 1])}\n{week.year}" for week in some])
    return on, frame[["week", "new_people", "returning_people"]]


@chart()
def weekly_retention(frame: pd.DataFrame) -> Drawn:
    """Which share of each week's new people writes again in the weeks after."""
    shares = frame.assign(share=(100 * frame["people"] / frame["cohort_size"]).astype(float))
    grid = shares.pivot_table(index="cohort", columns="weeks_later", values="share")
    latest = int(frame["weeks_later"].max())
    grid = grid.reindex(columns=range(latest + 1))
    later_weeks = frame[frame["weeks_later"] > 0]
    days = pd.to_timedelta(7 * later_weeks["weeks_later"].astype(int), "D")
    end = (later_weeks["cohort"] + days).max()
    for later in grid.columns:  # a whole week in which nobody came is 0, one to come is empty
        over = grid.index + pd.Timedelta(days=7 * later) <= end
        grid.loc[over, later] = grid.loc[over, later].fillna(0)
    first = frame[frame["weeks_later"] == 1]
    if len(first):
        kept, size = int(first["people"].sum()), int(first["cohort_size"].sum())
        title = say(
            "{share:.0%} of new people write again the week after ({n:,} of {of:,})",
            share=kept / size, n=kept, of=size,
        )  # fmt: skip
    else:
        title = say("No whole week after a first one in this period")
    on = axes(title, say("weeks after the first message"), say("week of the first message"))
    weeks = [_week(week) for week in grid.index]
    columns = [x - 0.5 for x in range(latest + 2)]
    heat(on, columns, weeks, grid.to_numpy(), say("% of the cohort"), vmin=0, vmax=100)
    on.set_xticks(range(0, latest + 1, math.ceil((latest + 1) / 14)))
    if grid.size <= 60:
        for y, row in enumerate(grid.to_numpy()):
            for x, share in enumerate(row):
                if not math.isnan(share):
                    colour = "black" if share > 55 else "white"
                    on.text(x, y + 0.5, f"{share:.0f}", ha="center", va="center", color=colour)
    return on, frame[["cohort", "weeks_later", "people", "cohort_size"]]


@chart()
def concentration(frame: pd.DataFrame) -> Drawn:
    """How much of all is written by how few."""
    people, total = len(frame), int(frame["messages"].sum())
    top = math.ceil(people / 10)
    share = int(frame["messages_so_far"].iloc[top - 1]) / total
    title = many(
        "The one who writes most (of {people:,} people) wrote {share:.0%} of {total:,} messages",
        "The {n:,} who write most (of {people:,} people) wrote {share:.0%} of {total:,} messages",
        top, people=people, share=share, total=total,
    )  # fmt: skip
    on = axes(title, say("people, those who write most first, %"), say("share of messages, %"))
    x = [0.0, *(100 * (i + 1) / people for i in range(people))]
    on.plot(x, [0.0, *(100 * frame["messages_so_far"].astype(float) / total)], color=PEOPLE)
    on.plot([0, 100], [0, 100], ":", color=OTHER)
    on.plot([100 * top / people] * 2, [0, 100 * share], color=MARK)
    on.set_xlim(0, 100)
    on.set_ylim(0, 101)
    tenths = [math.ceil(people * n / 10) for n in range(1, 11)]
    wrote = frame["messages_so_far"].iloc[[n - 1 for n in tenths]].to_numpy()
    return on, pd.DataFrame({"people": tenths, "messages": wrote})


@chart(mark("joins or leaves"))
def joins_and_leaves(frame: pd.DataFrame) -> Drawn:
    """Who comes (up) and who goes (down), a day (a week or a month, over a long time)."""
    changes = bool(frame["joined"].sum() + frame["left_group"].sum())
    names = ("joined", "left_group") if changes else ("join_notices", "leave_notices")
    days = every_day(frame, list(names))
    came, went = int(days[names[0]].sum()), int(days[names[1]].sum())
    title = say("{came:,} joined, {went:,} left: {more:+d}", came=came, went=went, more=came - went)
    if not changes:
        title += say(" (from notices in the chat: no membership changes were delivered)")
    unit, binned = by_unit(days)
    on = axes(title, "", say("people"))
    bars = {"width": BAR_DAYS[unit], "align": "center" if unit == "day" else "edge"}
    on.bar(binned.index, binned[names[0]], color=AGENTS, label=say("joined"), **bars)
    on.bar(binned.index, -binned[names[1]], color=OPEN, label=say("left"), **bars)
    on.axhline(0, color="black", linewidth=0.8)
    on.legend(frameon=False, ncols=2)
    data = binned.set_axis(["joined", "left"], axis=1).astype(int).rename_axis(unit).reset_index()
    return dated(on, say(LOCAL_TIME[unit])), data


def _week(week: Any) -> str:
    month = say(MONTHS[week.month - 1])
    return say("{day} {month} {year}", day=week.day, month=month, year=week.year)
