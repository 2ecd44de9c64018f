"""How much is written, what, and when."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from tgpipeline.analytics.charts import shapes
from tgpipeline.analytics.charts.style import Chart, chart, colour, nothing
from tgpipeline.analytics.language import WEEKDAYS, mark, number, say, sentence

_SHOWN = 12  # bars or rows of a chart, at most
_SAID = ["by_people", "by_bots"]
_MONDAY, _SUNDAY = "2024-01-01", "2024-01-07"  # one of each weekday, where no period is known


@chart()
def messages_per_day(frame: pd.DataFrame) -> Chart:
    """Messages a day (a week or a month, over a long time), of people and of bots, stacked."""
    days = shapes.every_day(frame, ["messages", *_SAID])
    messages = days["messages"]
    total, most, middle = int(messages.sum()), int(messages.max()), float(messages.median())
    name = "messages_at_most" if (messages == most).sum() > 1 else "messages_per_day"
    if total == most:
        name = "messages_on_one_day"
    title = sentence(name, n=total, day=messages.idxmax(), most=most)
    if 0 < middle < most:
        title += sentence("messages_more_than_usual", ratio=most / middle)
    unit, binned = shapes.by_unit(days[_SAID])
    return shapes.over_time(title, binned.astype(int), unit, say(f"messages a {unit}"))


@chart()
def messages_per_user_per_day(frame: pd.DataFrame, labels: Mapping[int, str]) -> Chart:
    """Who wrote how much when: one row per person, of those who wrote most.

    Args:
        frame: answer of `messages_per_user_per_day`.
        labels: for each user id, what to call them: see `metrics.labels`.
    """
    people = frame[~frame["is_bot"].fillna(False).astype(bool)].dropna(subset=["user_id"])
    if people.empty:
        return nothing(frame)
    totals = people.groupby("user_id")["messages"].sum().sort_values(ascending=False, kind="stable")
    shown, total = totals.head(_SHOWN), int(totals.sum())
    of_shown = people[people["user_id"].isin(shown.index)]
    grid = of_shown.pivot_table(index="day", columns="user_id", values="messages", aggfunc="sum")
    days = shapes.every_day(grid.reset_index(), list(shown.index), frame.attrs)
    days.columns = pd.Index([labels[int(user)] for user in shown.index])
    unit, binned = shapes.by_unit(days)
    name = "messages_of_all" if len(shown) == len(totals) else "messages_per_user_per_day"
    share = shown.sum() / total
    title = sentence(name, n=len(shown), name=days.columns[0], share=share, total=total)
    per_unit = say(f"messages a {unit}")

    def draw(ax: Any, table: pd.DataFrame) -> None:
        shapes.heat(ax, table.T, per_unit, vmin=0)

    return shapes.over_time(title, binned.astype(int), unit, "", draw)


@chart()
def message_length_per_day(frame: pd.DataFrame) -> Chart:
    """Average and quantiles of the length of people's messages; means of a week or a month."""
    half, tenth = frame["p50"].median(), frame["p90"].median()
    title = sentence("message_length_per_day", half=half, tenth=tenth)
    if half == tenth:
        title = sentence("message_length_alike", n=tenth)
    days = frame.set_index("day")[["average", "p50", "p90"]].astype(float)
    unit, means = shapes.by_unit(days, "mean")

    def draw(ax: Any, table: pd.DataFrame) -> None:
        how = {"color": colour("people"), "alpha": 0.18, "lw": 0}
        between = range(len(table)), table["p50"], table["p90"]
        ax.fill_between(*between, label=say("half to nine in ten"), **how)
        shapes.lines(ax, table)

    return shapes.over_time(title, means, unit, say("characters a message"), draw)


@chart()
def messages_by_hour_and_weekday(frame: pd.DataFrame) -> Chart:
    """Heat map of when people write."""
    grid = frame.pivot_table(index="weekday", columns="hour", values="messages", aggfunc="sum")
    grid = grid.reindex(index=range(1, 8), columns=range(24)).astype("float64").fillna(0)
    period = {"start": _MONDAY, "end": _SUNDAY} | frame.attrs.get("parameters", {})
    days = pd.date_range(period["start"], period["end"]).day_of_week + 1
    grid = grid.div(days.value_counts(), axis=0)  # a weekday that was not is empty
    grid = grid.set_axis([*WEEKDAYS])
    day, hours = grid.sum(axis=1, min_count=1), grid.sum()
    hour = int(hours.idxmax())
    title = sentence("messages_by_hour", hour=hour, end=hour + 1)
    if (hours == hours.max()).sum() > 1 or (day == day.max()).sum() > 1:
        title = sentence("messages_in_an_hour", most=float(grid.max().max()))
    elif day.notna().all():
        best = {"weekday": say(day.idxmax()), "most": day.max(), "mean": day.mean()}
        title = sentence("messages_by_hour_and_weekday", hour=hour, end=hour + 1, **best)

    def draw(ax: Any) -> None:
        shapes.heat(ax, grid, say("messages a day"), vmin=0)
        ax.set_xticks([hour - 0.5 for hour in range(0, 25, 3)], range(0, 25, 3))

    return Chart(title, grid.T.round(2).rename_axis("hour").reset_index(), _hour(frame), "", draw)


@chart()
def messages_by_content_type(frame: pd.DataFrame) -> Chart:
    """What is sent, of people and of bots."""
    total, edited = int(frame["sent"].sum()), int(frame["edited"].sum())
    texts = int(frame.loc[frame["content_type"] == "text", "sent"].sum())
    table = frame.head(_SHOWN).set_index("content_type")[_SAID].rename(index=say)
    name = "one_message" if total == 1 else "messages_by_content_type"
    title = sentence(name, n=total, text=texts / total, edited=edited / total, kind=table.index[0])
    return shapes.across(title, say("messages"), table)


@chart()
def messages_by_topic(frame: pd.DataFrame) -> Chart:
    """Which topics of a forum people write in."""
    if frame["message_thread_id"].isna().all():
        return nothing(frame, mark("forum topics"))
    topics = frame["message_thread_id"].head(_SHOWN)
    names = [say("main topic") if pd.isna(t) else say("topic {id}", id=t) for t in topics]
    share = frame["messages"].iloc[0] / int(frame["messages"].sum())
    title = sentence("messages_by_topic", n=len(frame), name=names[0], share=share)
    table = frame[["messages"]].head(_SHOWN).set_axis(pd.Index(names, name="topic"))
    return shapes.across(title, say("messages of people"), table)


@chart()
def visits_by_hour(frame: pd.DataFrame) -> Chart:
    """Which hours people write in, each person once an hour of a day.

    Args:
        frame: answer of `visits_by_hour`.
    """
    visits = frame.set_index("hour")["visits"].astype(int).reindex(range(24), fill_value=0)
    top, total, most = int(visits.idxmax()), int(visits.sum()), int(visits.max())
    is_alone = total > 1 and int((visits == most).sum()) == 1
    name = "visits_by_hour" if is_alone else "visits_alike"
    title = sentence(name, n=total, top=top, end=top + 1, most=most)
    return _by_hour(frame, visits, title, [(top, top + 1)] if is_alone else ())


@chart(mark("questions"))
def questions_by_hour(frame: pd.DataFrame) -> Chart:
    """Which hours questions come in; the busiest bands stand out.

    Args:
        frame: from `metrics.questions_by_hour`.
    """
    counts, bands = frame.set_index("hour")["questions"], frame.attrs.get("bands")
    if not bands:
        return _by_hour(frame, counts, sentence("questions_too_few", n=int(counts.sum())), ())
    rate, (low, high) = bands.rate, bands.rate.interval
    how = {"share": rate.share, "low": low, "high": high, "of": rate.denominator}
    title = sentence("questions_by_hour", n=rate.numerator, bands=bands, **how)
    return _by_hour(frame, counts, title, bands.hours)


def _by_hour(
    frame: pd.DataFrame, counts: "pd.Series[int]", title: str, marked: Sequence[tuple[int, int]]
) -> Chart:
    def draw(ax: Any) -> None:
        inside = [any(first <= hour < last for first, last in marked) for hour in counts.index]
        colours = [colour("mark" if busy else "people") for busy in inside]
        ax.bar(counts.index + 0.5, counts, 0.85, color=colours)
        ax.set_xticks(range(0, 25, 3))

    return Chart(title, counts.reset_index(), _hour(frame), say(str(counts.name)), draw)


def _hour(frame: pd.DataFrame) -> str:
    zone = frame.attrs.get("parameters", {}).get("timezone")
    return say("hour, {zone}", zone=zone or say("local time"))


@chart()
def before_and_after(frame: pd.DataFrame) -> Chart:
    """People's messages a day before a date and from it on, with 95 % intervals of the means."""
    cut = frame.attrs.get("parameters", {}).get("cut", "")
    if len(frame) < 2:
        return nothing(frame, say("messages on both sides of {cut}", cut=cut))
    sides = frame.sort_values("is_after")
    means, days = sides["messages_per_day"].astype(float), sides["days"].astype(int)
    errors = 1.96 * sides["deviation"].astype(float) / days**0.5
    (before, after), change = means, "no_change"
    if abs(after - before) > (errors**2).sum(skipna=False) ** 0.5:  # of one day no error is known
        change = "more_messages" if after > before else "fewer_messages"
    said = [
        say("{mean:.1f} ± {error:.1f}", mean=mean, error=error) if n > 1 else number(mean, ".1f")
        for mean, error, n in zip(means, errors, days, strict=True)
    ]
    by = abs(after / before - 1)
    title = sentence(change, by=by, cut=date.fromisoformat(cut), before=said[0], after=said[1])
    names = [
        sentence(name, n=n, cut=cut) for name, n in zip(("before", "after"), days, strict=True)
    ]

    def draw(ax: Any) -> None:
        colours = [colour("other"), colour("people")]
        ax.bar([0, 1], means, 0.55, yerr=errors, color=colours, capsize=4)
        ax.set_xticks([0, 1], names)
        ax.set_xlim(-0.7, 1.7)

    data = frame[["is_after", "days", "messages", "messages_per_day", "deviation"]]
    return Chart(title, data, "", say("people's messages a day"), draw)
