"""How much is written, what, and when."""

import math
from collections.abc import Mapping, Sequence
from datetime import date

import pandas as pd

from tgpipeline.analytics.charts import shapes, style
from tgpipeline.analytics.charts.style import MARK, OTHER, PEOPLE
from tgpipeline.analytics.language import WEEKDAYS, many, mark, number, say

_SHOWN = 12  # bars or rows of a chart, at most


@style.chart()
def messages_per_day(frame: pd.DataFrame) -> style.Drawn:
    """Messages a day (a week or a month, over a long time), of people and of bots, stacked."""
    days = shapes.every_day(frame, ["messages", "by_people", "by_bots"])
    top, most = days["messages"].idxmax(), int(days["messages"].max())
    total, middle = int(days["messages"].sum()), float(days["messages"].median())
    if total == most:
        title = many("{n:,} message, on {day}", "{n:,} messages, all on {day}", total, day=top)
    else:
        title = say("{n:,} messages; most on {day}: {most:,}", n=total, day=top, most=most)
        if (days["messages"] == most).sum() > 1:
            title = say("{n:,} messages; at most {most:,} on a day", n=total, most=most)
        if 0 < middle < most:
            title += say(", {ratio:.1f} times the median day", ratio=most / middle)
    unit, binned = shapes.by_unit(days)
    ax = style.axes(title, "", say(shapes.PER_UNIT[unit]))
    shapes.stack(ax, binned, shapes.SAID)
    shapes.tell_time(ax, binned.index, unit)
    return ax, binned[[*shapes.SAID]].astype(int).rename_axis(unit).reset_index()


@style.chart()
def messages_per_user_per_day(
    frame: pd.DataFrame, labels: Mapping[int, str], top: int = _SHOWN
) -> style.Drawn:
    """Who wrote how much when: one row per person, of those who wrote most.

    Args:
        frame: answer of `messages_per_user_per_day`.
        labels: for each user id, what to call them: see `metrics.labels`.
        top: how many people.
    """
    people = frame[~frame["is_bot"].fillna(False).astype(bool)].dropna(subset=["user_id"])
    if people.empty:
        return style.nothing(frame)
    totals = people.groupby("user_id")["messages"].sum().sort_values(ascending=False, kind="stable")
    shown = totals.head(top)
    of_shown = people[people["user_id"].isin(shown.index)]
    grid = of_shown.pivot_table(index="day", columns="user_id", values="messages", aggfunc="sum")
    days = shapes.every_day(grid.reset_index(), list(shown.index), frame.attrs)
    unit, binned = shapes.by_unit(days)
    total, share = int(totals.sum()), shown.sum() / totals.sum()
    if len(shown) == len(totals):
        title = many(
            "{name} wrote all messages of people",
            "{n} people wrote all messages of people",
            len(shown), name=labels.get(int(shown.index[0])),
        )  # fmt: skip
    else:
        title = say(
            "The {n} who write most wrote {share:.0%} of the {total:,} messages of people",
            n=len(shown), share=share, total=total,
        )  # fmt: skip
    ax = style.axes(title, "", "")
    rows = [labels[int(user)] for user in shown.index]
    shapes.heat(ax, binned.to_numpy().T, rows, say(shapes.PER_UNIT[unit]), vmin=0)
    shapes.tell_time(ax, binned.index, unit)
    return ax, binned.astype(int).set_axis(rows, axis=1).rename_axis(unit).reset_index()


@style.chart()
def message_length_per_day(frame: pd.DataFrame) -> style.Drawn:
    """Average and quantiles of the length of people's messages; means of a week or a month."""
    half, tenth = frame["p50"].median(), frame["p90"].median()
    title = say(
        "Characters a message on the median day: half have at most {half:,.0f}, one in ten more "
        "than {tenth:,.0f}",
        half=half, tenth=tenth,
    )  # fmt: skip
    if half == tenth:
        title = say(
            "Characters a message on the median day: nine in ten have at most {n:,.0f}", n=tenth
        )
    columns = ["average", "p50", "p90"]
    unit, lines = shapes.by_unit(frame.set_index("day")[columns].astype(float), "mean")
    ax, places = style.axes(title, "", say("characters a message")), range(len(lines))
    ax.fill_between(places, lines["p50"], lines["p90"], color=PEOPLE, alpha=0.18, lw=0,
                    label=say("half to nine in ten"))  # fmt: skip
    ax.plot(places, lines["p50"], ".-", color=PEOPLE, label=say("median"))
    ax.plot(places, lines["average"], "--", color=MARK, label=say("average"))
    return shapes.from_zero(ax, lines, unit)


@style.chart()
def messages_by_hour_and_weekday(frame: pd.DataFrame) -> style.Drawn:
    """Heat map of when people write."""
    grid = frame.pivot_table(index="weekday", columns="hour", values="messages", aggfunc="sum")
    grid = grid.reindex(index=range(1, 8), columns=range(24)).astype("float64").fillna(0)
    grid = grid.div([n or math.nan for n in _weekdays(frame)], axis=0)  # what was not, is empty
    day = grid.sum(axis=1, min_count=1)
    hours = grid.sum()
    top, hour = int(day.idxmax()) - 1, int(hours.idxmax())
    title = say("Most messages of people are written at {hour:02d}-{end:02d}h", hour=hour,
                end=hour + 1)  # fmt: skip
    if (hours == hours.max()).sum() > 1 or (day == day.max()).sum() > 1:
        title = say(
            "Messages of people: at most {most:.1f} in an hour of a weekday, on average",
            most=float(grid.max().max()),
        )  # fmt: skip
    elif day.notna().all():
        title = say(
            "Most messages of people are written on {weekday} ({most:.1f} a day; mean of weekdays "
            "{mean:.1f}) and at {hour:02d}-{end:02d}h",
            weekday=say(WEEKDAYS[top]), most=float(day.max()), mean=float(day.mean()), hour=hour,
            end=hour + 1,
        )  # fmt: skip
    ax = style.axes(title, _hour(frame), "")
    shapes.heat(
        ax, grid.to_numpy(), [say(name) for name in WEEKDAYS], say("messages a day"), vmin=0
    )
    ax.set_xticks([hour - 0.5 for hour in range(0, 25, 3)], range(0, 25, 3))
    return ax, grid.T.round(2).set_axis(WEEKDAYS, axis=1).rename_axis("hour").reset_index()


def _weekdays(frame: pd.DataFrame) -> list[int]:
    """How many Mondays, Tuesdays and so on the period has; one of each without a period."""
    period = frame.attrs.get("parameters", {})
    if "start" not in period:
        return [1] * 7
    days = pd.date_range(period["start"], period["end"]).day_of_week
    return [int((days == weekday).sum()) for weekday in range(7)]


@style.chart()
def messages_by_content_type(frame: pd.DataFrame) -> style.Drawn:
    """What is sent, of people and of bots."""
    total, edited = int(frame["sent"].sum()), int(frame["edited"].sum())
    texts = int(frame.loc[frame["content_type"] == "text", "sent"].sum())
    title = many(
        "{text:.0%} of {n:,} message is text; {edited:.0%} were edited",
        "{text:.0%} of {n:,} messages are text; {edited:.0%} were edited",
        total, text=texts / total, edited=edited / total,
    )  # fmt: skip
    shown = frame.head(_SHOWN).assign(content_type=lambda f: f["content_type"].map(say))
    if total == 1:
        title = say("One message: {kind}", kind=shown["content_type"].iloc[0])
    ax = shapes.row_axes(title, say("messages"), shown["content_type"].tolist())
    shapes.stack(ax, shown, shapes.SAID, across=True)
    return ax, shown[["content_type", *shapes.SAID]]


@style.chart()
def messages_by_topic(frame: pd.DataFrame) -> style.Drawn:
    """Which topics of a forum people write in."""
    if frame["message_thread_id"].isna().all():
        return style.nothing(frame, mark("forum topics"))
    shown = frame.head(_SHOWN)
    names = [
        say("main topic") if pd.isna(t) else say("topic {id}", id=t)
        for t in shown["message_thread_id"]
    ]
    share = frame["messages"].iloc[0] / int(frame["messages"].sum())
    title = many(
        "{n} topic is written in, {name}: {share:.0%} of people's messages",
        "{n} topics; most is written in {name}: {share:.0%} of people's messages",
        len(frame), name=names[0], share=share,
    )  # fmt: skip
    ax = shapes.row_axes(title, say("messages of people"), names)
    shapes.stack(ax, shown, {"messages": (mark("people"), PEOPLE)}, across=True)
    return ax, pd.DataFrame({"topic": names, "messages": shown["messages"]})


@style.chart()
def visits_by_hour(frame: pd.DataFrame) -> style.Drawn:
    """Which hours people write in, each person once an hour of a day.

    Args:
        frame: answer of `visits_by_hour`.
    """
    visits = frame.set_index("hour")["visits"].astype(int).reindex(range(24), fill_value=0)
    top, total = int(visits.idxmax()), int(visits.sum())
    title = many(
        "Most people write at {top:02d}-{end:02d}h: {most:,} of {n:,} visit (a person, an hour)",
        "Most people write at {top:02d}-{end:02d}h: {most:,} of {n:,} visits (a person, an hour)",
        total, top=top, end=top + 1, most=int(visits[top]),
    )  # fmt: skip
    is_alone = total > 1 and int((visits == visits[top]).sum()) == 1
    if not is_alone:
        title = many(
            "{n:,} visit (a person, an hour)",
            "{n:,} visits (a person, an hour); at most {most:,} in one of the day's hours",
            total, most=int(visits[top]),
        )  # fmt: skip
    return _by_hour(frame, visits.rename("visits"), title, [(top, top + 1)] if is_alone else ())


@style.chart(mark("questions"))
def questions_by_hour(frame: pd.DataFrame) -> style.Drawn:
    """Which hours questions come in; the busiest bands stand out.

    Args:
        frame: from `metrics.questions_by_hour`.
    """
    counts, bands = frame.set_index("hour")["questions"], frame.attrs.get("bands")
    title = many(
        "Too few to say which hours are busiest: {n} question",
        "Too few to say which hours are busiest: {n} questions", int(counts.sum()),
    )  # fmt: skip
    if bands:
        low, high = bands.rate.interval
        title = say(
            "Busiest: {bands} hold {share:.0%} of questions (95% interval {low:.0%} to {high:.0%}; "
            "{n:,} of {of:,} on the days that did not choose these hours)",
            bands=bands, share=bands.rate.share, low=low, high=high, n=bands.rate.numerator,
            of=bands.rate.denominator,
        )  # fmt: skip
    return _by_hour(frame, counts, title, bands.hours if bands else ())


def _by_hour(
    frame: pd.DataFrame, counts: "pd.Series[int]", title: str, marked: Sequence[tuple[int, int]]
) -> style.Drawn:
    ax = style.axes(title, _hour(frame), say(str(counts.name)))
    inside = [any(first <= hour < last for first, last in marked) for hour in counts.index]
    colours = [MARK if busy else PEOPLE for busy in inside]
    ax.bar(counts.index + 0.5, counts, 0.85, color=colours)
    ax.set_xticks(range(0, 25, 3))
    return ax, counts.reset_index()


def _hour(frame: pd.DataFrame) -> str:
    zone = frame.attrs.get("parameters", {}).get("timezone")
    return say("hour, {zone}", zone=zone or say("local time"))


@style.chart()
def before_and_after(frame: pd.DataFrame) -> style.Drawn:
    """People's messages a day before a date and from it on, with 95 % intervals of the means."""
    cut = frame.attrs.get("parameters", {}).get("cut", "")
    sides = {bool(row.is_after): row for row in frame.itertuples()}
    if len(sides) < 2:
        return style.nothing(frame, say("messages on both sides of {cut}", cut=cut))
    rows = [sides[False], sides[True]]
    before, after = (float(row.messages_per_day) for row in rows)
    errors = [1.96 * float(row.deviation) / float(row.days) ** 0.5 for row in rows]
    is_sure = abs(after - before) > (errors[0] ** 2 + errors[1] ** 2) ** 0.5
    words = mark("No sure change on {cut}: {after} messages a day, before {before}")
    if is_sure and after > before:
        words = mark("{by:.0%} more messages a day from {cut} on: {after}, before {before}")
    elif is_sure:
        words = mark("{by:.0%} fewer messages a day from {cut} on: {after}, before {before}")
    said = [
        say("{mean:.1f} ± {error:.1f}", mean=mean, error=error)
        if row.days > 1
        else number(mean, ".1f")
        for row, mean, error in zip(rows, (before, after), errors, strict=True)
    ]
    by = abs(after / before - 1)
    title = say(words, by=by, cut=date.fromisoformat(cut), before=said[0], after=said[1])
    ax = style.axes(title, "", say("people's messages a day"))
    ax.bar([0, 1], [before, after], 0.55, yerr=errors, color=[OTHER, PEOPLE], capsize=4)
    names = [
        many("before ({n} day)", "before ({n} days)", int(rows[0].days)),
        many("from {cut} on ({n} day)", "from {cut} on ({n} days)", int(rows[1].days), cut=cut),
    ]
    ax.set_xticks([0, 1], names)
    ax.set_xlim(-0.7, 1.7)
    return ax, frame[["is_after", "days", "messages", "messages_per_day", "deviation"]]
