"""How much is written, what, and when."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

from tgpipeline.analytics.charts import shapes
from tgpipeline.analytics.charts.style import Chart, broken, chart, colour, nothing
from tgpipeline.analytics.language import WEEKDAYS, mark, say, sentence

_SHOWN = 12  # bars or rows of a chart, at most
_SAID = ["by_people", "by_bots"]


@chart()
def messages_per_day(frame: pd.DataFrame) -> Chart:
    """Messages a day (a week or a month, over a long time), of people and of bots, stacked."""
    days = shapes.every_day(frame, ["messages", *_SAID])
    messages = days["messages"]
    total, most, middle = int(messages.sum()), int(messages.max()), float(messages.median())
    name = "messages_at_most" if (messages == most).sum() > 1 else "messages_per_day"
    name = "messages_on_one_day" if total == most else name
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
    people = frame[~frame["is_bot"].astype(bool)].dropna(subset=["user_id"])
    if people.empty:
        return nothing(frame)
    totals = people.groupby("user_id")["messages"].sum().sort_values(ascending=False, kind="stable")
    shown, total = totals.head(_SHOWN), int(totals.sum())
    of_shown = people[people["user_id"].isin(shown.index)]
    grid = of_shown.pivot(index="day", columns="user_id", values="messages").reset_index()
    days = shapes.every_day(grid, list(shown.index), frame.attrs)
    names = [labels[int(user)] for user in shown.index]
    unit, binned = shapes.by_unit(days.set_axis(names, axis=1))
    known = {"name": names[0], "share": shown.sum() / total, "total": total}
    name = "messages_of_all" if len(shown) == len(totals) else "messages_per_user_per_day"
    title = sentence(name, n=len(shown), **known)
    draw = shapes.heat_over_time(say(f"messages a {unit}"))
    return shapes.over_time(title, binned, unit, "", draw)


@chart()
def message_length_per_day(frame: pd.DataFrame) -> Chart:
    """Average and quantiles of the length of people's messages; means of a week or a month."""
    half, tenth = frame["p50"].median(), frame["p90"].median()
    title = sentence("message_length_per_day", half=half, tenth=tenth)
    days = frame.set_index("day")[["average", "p50", "p90"]].astype(float)
    unit, means = shapes.by_unit(days, "mean")

    def draw(ax: Any, table: pd.DataFrame) -> None:
        how = {"color": colour("people"), "label": say("half to nine in ten")}
        ax.fill_between(range(len(table)), table["p50"], table["p90"], alpha=0.18, lw=0, **how)
        shapes.lines(ax, table)

    return shapes.over_time(title, means, unit, say("characters a message"), draw)


@chart(counted="messages")
def messages_by_hour_and_weekday(frame: pd.DataFrame) -> Chart:
    """Heat map of when people write."""
    grid = frame.pivot(index="weekday", columns="hour", values="messages_per_day")
    grid = grid.reindex(range(1, 8)).set_axis(WEEKDAYS)
    day, hours = grid.sum(axis=1, min_count=1), grid.sum()
    hour = int(hours.idxmax())
    title = sentence("messages_in_an_hour", most=float(grid.max().max()))
    if day.notna().all() and (hours == hours.max()).sum() == (day == day.max()).sum() == 1:
        best = {"weekday": say(day.idxmax()), "most": day.max(), "mean": day.mean()}
        title = sentence("messages_by_hour_and_weekday", hour=hour, end=hour + 1, **best)

    def draw(ax: Any) -> None:
        shapes.heat(ax, grid, say("messages a day"))
        ax.set_xticks([hour - 0.5 for hour in range(0, 25, 3)], range(0, 25, 3))

    return Chart(title, grid.T.round(2).rename_axis("hour").reset_index(), _hour(frame), "", draw)


@chart()
def messages_by_content_type(frame: pd.DataFrame) -> Chart:
    """What is sent, of people and of bots."""
    total, edited = int(frame["sent"].sum()), int(frame["edited"].sum())
    texts = int(frame.loc[frame["content_type"] == "text", "sent"].sum())
    table = frame.head(_SHOWN).set_index("content_type")[_SAID].rename(index=say)
    known = {"text": texts / total, "edited": edited / total, "kind": table.index[0]}
    title = sentence("messages_by_content_type", n=total, **known)
    return shapes.across(title, say("messages"), table)


@chart(mark("forum topics"), "message_thread_id")
def messages_by_topic(frame: pd.DataFrame) -> Chart:
    """Which topics of a forum people write in."""
    topics = frame["message_thread_id"].head(_SHOWN)
    names = [say("main topic") if pd.isna(t) else say("topic {id}", id=t) for t in topics]
    share = frame["messages"].iloc[0] / int(frame["messages"].sum())
    title = sentence("messages_by_topic", n=len(frame), name=names[0], share=share)
    table = frame[["messages"]].head(_SHOWN).set_axis(pd.Index(names, name="topic"))
    return shapes.across(title, say("messages of people"), table)


@chart(counted="visits")
def visits_by_hour(frame: pd.DataFrame) -> Chart:
    """Which hours people write in, each person once an hour of a day.

    Args:
        frame: answer of `visits_by_hour`.
    """
    visits = frame.set_index("hour")["visits"].astype(int)
    top, total, most = int(visits.idxmax()), visits.sum(), visits.max()
    is_alone = total > 1 and (visits == most).sum() == 1
    name = "visits_by_hour" if is_alone else "visits_alike"
    title = sentence(name, n=total, top=top, end=top + 1, most=most)
    return _by_hour(frame, "visits", title, [top] if is_alone else [])


@chart(mark("questions"))
def questions_by_hour(frame: pd.DataFrame) -> Chart:
    """Which hours questions come in; the busiest bands stand out.

    Args:
        frame: from `metrics.questions_by_hour`.
    """
    title, busy = sentence("questions_too_few", n=frame["questions"].sum()), list[int]()
    if bands := frame.attrs.get("bands"):
        title = sentence("questions_by_hour", bands=bands, rate=bands.rate)
        busy = [hour for first, last in bands.hours for hour in range(first, last)]
    return _by_hour(frame, "questions", title, busy)


def _by_hour(frame: pd.DataFrame, counted: str, title: str, marked: list[int]) -> Chart:
    def draw(ax: Any) -> None:
        colours = [colour("mark" if hour in marked else "people") for hour in frame["hour"]]
        ax.bar(frame["hour"] + 0.5, frame[counted], 0.85, color=colours)
        ax.set_xticks(range(0, 25, 3))

    return Chart(title, frame[["hour", counted]], _hour(frame), say(counted), draw)


def _hour(frame: pd.DataFrame) -> str:
    zone = frame.attrs.get("parameters", {}).get("timezone", say("local time"))
    return say("hour, {zone}", zone=zone)


@chart()
def before_and_after(frame: pd.DataFrame) -> Chart:
    """People's messages a day before a date and from it on, with 95 % intervals of the means."""
    cut = frame.attrs.get("parameters", {}).get("cut", "")
    if len(frame) < 2:
        return nothing(frame, say("messages on both sides of {cut}", cut=cut))
    means, days = frame["messages_per_day"].astype(float), frame["days"].astype(int)
    errors = (1.96 * frame["deviation"] / days**0.5).where(days > 1)  # of one day none is known
    (before, after), change = means, "no_change"
    if abs(after - before) > (errors**2).sum(skipna=False) ** 0.5:
        change = "more_messages" if after > before else "fewer_messages"
    sides = pd.DataFrame({"mean": means, "error": errors}).to_dict("records")
    said = [say("{mean:.1f} ± {error:.1f}", **side).removesuffix(" ± nan") for side in sides]
    known = {"before": said[0], "after": said[1], "cut": date.fromisoformat(cut)}
    title = sentence(change, by=abs(after / before - 1), **known)

    def draw(ax: Any) -> None:
        colours = [colour("other"), colour("people")]
        ax.bar([0, 1], means, 0.55, yerr=errors, color=colours, capsize=4)
        names = [sentence("before", n=days[0]), sentence("after", n=days[1], cut=cut)]
        ax.set_xticks([0, 1], [broken(name, 5) for name in names])
        ax.set_xlim(-0.7, 1.7)

    return Chart(title, frame, "", say("people's messages a day"), draw)
