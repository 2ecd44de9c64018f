"""Who writes: how many, who is new, who stays, who writes most."""

import math

import pandas as pd

from tgpipeline.analytics.charts.style import (
    AGENTS,
    MARK,
    OPEN,
    OTHER,
    PEOPLE,
    Drawn,
    axes,
    chart,
    dated,
    every_day,
    heat,
    nothing,
)


@chart()
def active_people(frame: pd.DataFrame) -> Drawn:
    """People active a day, in 7 and in 28 days."""
    if not frame["monthly"].sum():
        return nothing(frame)
    last, daily = frame.iloc[-1], frame["daily"].astype(float)
    sticky = daily.mean() / float(frame["monthly"].max())
    title = (
        f"{daily.mean():.0f} people a day on average; {last['weekly']} in the last 7 days, "
        f"{last['monthly']} in the last 28 ({sticky:.0%} of a month's people write on a given day)"
    )
    on = axes(title, "", "people who wrote")
    on.plot(frame["day"], frame["monthly"].astype(float), ":", color=OTHER, label="28 days")
    on.plot(frame["day"], frame["weekly"].astype(float), "--", color=MARK, label="7 days")
    on.plot(frame["day"], daily, color=PEOPLE, label="day")
    on.set_ylim(bottom=0)
    on.legend(frameon=False, ncols=3)
    return dated(on, "day, local time"), frame[["day", "daily", "weekly", "monthly"]]


@chart()
def new_and_returning(frame: pd.DataFrame) -> Drawn:
    """Each week's people, those seen before and those new to the lake."""
    rest = frame.iloc[1:] if len(frame) > 1 else frame
    new, people = int(rest["new_people"].sum()), int(rest["people"].sum())
    weeks = "weeks after the first; " if len(frame) > 1 else ""
    title = f"{new / people:.0%} of a week's people are new ({weeks}{new:,} of {people:,})"
    on = axes(title, "", "people who wrote")
    starts, returning = frame["week"], frame["returning_people"].astype(float)
    on.bar(starts, returning, 5.5, color=OTHER, label="seen before")
    on.bar(starts, frame["new_people"].astype(float), 5.5, returning, color=PEOPLE, label="new")
    on.legend(frameon=False, ncols=2)
    dated(on, "week that begins on")
    some = starts[:: math.ceil(len(starts) / 8)]
    on.set_xticks(some, [f"{week.day} {week:%b}\n{week:%Y}" for week in some])
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
        title = f"{kept / size:.0%} of new people write again the week after ({kept:,} of {size:,})"
    else:
        title = "No whole week after a first one in this period"
    on = axes(title, "weeks after the first message", "week of the first message")
    weeks = [f"{week:%d %b %Y}" for week in grid.index]
    columns = [x - 0.5 for x in range(latest + 2)]
    heat(on, columns, weeks, grid.to_numpy(), "% of the cohort", vmin=0, vmax=100)
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
    who = f"The {top} who write most (10% of {people} people)"
    title = f"{who} wrote {share:.0%} of {total:,} messages"
    on = axes(title, "people, those who write most first, %", "share of messages, %")
    x = [0.0, *(100 * (i + 1) / people for i in range(people))]
    on.plot(x, [0.0, *(100 * frame["messages_so_far"].astype(float) / total)], color=PEOPLE)
    on.plot([0, 100], [0, 100], ":", color=OTHER)
    on.plot([100 * top / people] * 2, [0, 100 * share], color=MARK)
    on.set_xlim(0, 100)
    on.set_ylim(0, 101)
    tenths = [math.ceil(people * n / 10) for n in range(1, 11)]
    wrote = frame["messages_so_far"].iloc[[n - 1 for n in tenths]].to_numpy()
    return on, pd.DataFrame({"people": tenths, "messages": wrote})


@chart("joins or leaves")
def joins_and_leaves(frame: pd.DataFrame) -> Drawn:
    """Who comes (up) and who goes (down), a day."""
    changes = bool(frame["joined"].sum() + frame["left_group"].sum())
    names = ("joined", "left_group") if changes else ("join_notices", "leave_notices")
    days = every_day(frame, list(names))
    came, went = int(days[names[0]].sum()), int(days[names[1]].sum())
    source = "" if changes else " (from notices in the chat: no membership changes were delivered)"
    on = axes(f"{came} joined, {went} left: {came - went:+d}{source}", "", "people a day")
    on.bar(days.index, days[names[0]], color=AGENTS, label="joined")
    on.bar(days.index, -days[names[1]], color=OPEN, label="left")
    on.axhline(0, color="black", linewidth=0.8)
    on.legend(frameon=False, ncols=2)
    data = days.set_axis(["joined", "left"], axis=1).astype(int).rename_axis("day").reset_index()
    return dated(on, "day, local time"), data
