"""Who writes: how many, who is new, who stays, who writes most."""

import math
from typing import Any

import pandas as pd
from matplotlib.ticker import MaxNLocator

from tgpipeline.analytics.charts import shapes
from tgpipeline.analytics.charts.style import Chart, chart, colour, nothing
from tgpipeline.analytics.language import MONTHS, WEEKDAYS, mark, say, sentence

_YEAR = 53  # weeks of the calendar, at most
_COHORTS = 26  # weeks of the retention, at most


@chart()
def active_people(frame: pd.DataFrame) -> Chart:
    """People active a day, in 7 and in 28 days; means of a week or a month over a long time."""
    if not frame["monthly"].sum():
        return nothing(frame)
    days = frame.set_index("day")[["daily", "weekly", "monthly"]].astype(float)
    last, mean = days.iloc[-1].astype(int), days["daily"].mean()
    name = "active_people" if len(days) > 1 else "active_on_one_day"
    title = sentence(name, n=last["monthly"], weekly=last["weekly"], daily=mean)
    unit, means = shapes.by_unit(days, "mean")
    return shapes.over_time(title, means, unit, say("people who wrote"), shapes.lines)


@chart()
def calendar(frame: pd.DataFrame) -> Chart:
    """The days of the period as a calendar, one column per week; of a long time, the last year.

    Args:
        frame: answer of `messages_per_day`.
    """
    days = shapes.every_day(frame, ["messages"])
    quiet = int((days["messages"] == 0).sum())
    title = sentence("calendar", n=quiet, of=len(days))
    if not quiet:
        title = sentence("calendar_full", n=len(days))
    week, weekday = days.index.to_period("W").start_time, days.index.day_of_week
    grid = days["messages"].set_axis([week, weekday]).unstack().reindex(columns=range(7))
    if len(grid) > _YEAR:
        title += sentence("calendar_of_a_year")

    def draw(ax: Any, table: pd.DataFrame) -> None:
        ax.get_figure().set_figheight(2.4)
        shapes.heat(ax, table.T, say("messages"), vmin=0)

    return shapes.over_time(title, grid.tail(_YEAR).set_axis(WEEKDAYS, axis=1), "week", "", draw)


@chart()
def new_and_returning(frame: pd.DataFrame) -> Chart:
    """Each week's people, those seen before and those new to the lake; the last two years."""
    if len(frame) == 1:  # of the first week all are new
        return nothing(frame, mark("weeks to compare"))
    new, people = frame.iloc[1:][["new_people", "people"]].astype(int).sum()
    title = sentence("new_and_returning", share=new / people, n=new, of=people)
    weeks = frame.set_index("week")[["returning_people", "new_people"]].astype(int)
    weeks = weeks.asfreq("7D", fill_value=0).tail(shapes.WEEKS)
    return shapes.over_time(title, weeks, "week", say("people who wrote"))


@chart()
def weekly_retention(frame: pd.DataFrame) -> Chart:
    """Which share of each week's new people writes again in the weeks after; the last 26 weeks."""
    first = frame[frame["weeks_later"] == 1]
    kept, size = int(first["people"].sum()), int(first["cohort_size"].sum())
    if not size:
        return nothing(frame, mark("weeks to compare"))
    title = sentence("weekly_retention", share=kept / size, n=kept, of=size)
    shares = frame.assign(share=(100 * frame["people"] / frame["cohort_size"]).astype(float))
    grid = shares.pivot_table(index="cohort", columns="weeks_later", values="share")
    grid = grid.reindex(columns=range(int(frame["weeks_later"].max()) + 1))
    starts = pd.DataFrame({n: grid.index + pd.Timedelta(weeks=n) for n in grid}, grid.index)
    last = starts.drop(columns=0).where(grid.notna()).max().max()
    # A whole week in which nobody came is 0, one to come is empty.
    grid = grid.mask(grid.isna() & (starts <= last), 0).iloc[-_COHORTS:, :_COHORTS]

    def draw(ax: Any) -> None:
        shapes.heat(ax, grid.rename(index=_week), say("% of the cohort"), vmin=0, vmax=100)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        cells = grid.set_axis(range(len(grid))).stack().dropna() if grid.size < 61 else {}
        for (y, x), share in cells.items():
            ink = "black" if share > 55 else "white"
            ax.text(x, y, f"{share:.0f}", ha="center", va="center", color=ink)

    data = grid.round(1).rename(columns=str).reset_index()
    sizes = frame.groupby("cohort")["cohort_size"].first()
    data.insert(1, "cohort_size", data["cohort"].map(sizes).astype(int))
    labels = say("weeks after the first message"), say("week of the first message")
    return Chart(title, data, *labels, draw)


@chart()
def concentration(frame: pd.DataFrame) -> Chart:
    """How much of all is written by how few."""
    people, total = len(frame), int(frame["messages"].sum())
    so_far, top = pd.Series([0, *frame["messages_so_far"].astype(int)]), math.ceil(people / 10)
    name = "concentration" if people > 1 else "one_wrote_all"
    title = sentence(name, n=top, people=people, share=so_far[top] / total, total=total)

    def draw(ax: Any) -> None:
        some = sorted({math.ceil(people * n / 100) for n in range(101)})
        shares = 100 * so_far / total
        ax.plot([100 * n / people for n in some], shares[some], color=colour("people"))
        ax.plot([0, 100], [0, 100], ":", color=colour("other"))
        ax.plot([100 * top / people] * 2, [0, shares[top]], color=colour("mark"))
        ax.set_xlim(0, 100)
        ax.set_ylim(0, 101)

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


def _week(week: Any) -> str:
    month = say(MONTHS[week.month - 1])
    return say("{day} {month} {year}", day=week.day, month=month, year=week.year)
