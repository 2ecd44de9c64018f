"""How much is written, what, and when."""

from collections.abc import Mapping, Sequence
from datetime import date

import pandas as pd

from tgpipeline.analytics.charts.colours import BOT, MARK, OTHER, PEOPLE
from tgpipeline.analytics.charts.days import (
    BAR_DAYS,
    LOCAL_TIME,
    UNIT_DAYS,
    by_unit,
    dated,
    every_day,
)
from tgpipeline.analytics.charts.style import Drawn, axes, chart, heat, nothing
from tgpipeline.analytics.language import WEEKDAYS, many, mark, say

PER_UNIT = {
    "day": mark("messages a day"), "week": mark("messages a week"),
    "month": mark("messages a month"),
}  # fmt: skip


@chart()
def messages_per_day(frame: pd.DataFrame) -> Drawn:
    """Messages a day (a week or a month, over a long time), of people and of bots, stacked."""
    days = every_day(frame, ["messages", "by_people", "by_bots"])
    top = days["messages"].idxmax()
    middle = float(days["messages"].median())
    total, most = int(days["messages"].sum()), int(days["messages"].max())
    title = say("{total:,} messages; most on {day}: {n:,}", total=total, day=top, n=most)
    if middle and len(days) > 1:
        title += say(", {ratio:.1f} times the median day", ratio=most / middle)
    unit, binned = by_unit(days)
    on = axes(title, "", say(PER_UNIT[unit]))
    bars = {"width": BAR_DAYS[unit], "align": "center" if unit == "day" else "edge"}
    on.bar(binned.index, binned["by_people"], color=PEOPLE, label=say("people"), **bars)
    if binned["by_bots"].sum():
        bars["bottom"] = binned["by_people"]
        on.bar(binned.index, binned["by_bots"], color=BOT, label=say("bots"), **bars)
        on.legend(frameon=False, ncols=2)
    data = binned[["by_people", "by_bots"]].astype(int).rename_axis(unit).reset_index()
    return dated(on, say(LOCAL_TIME[unit])), data


@chart()
def messages_per_user_per_day(
    frame: pd.DataFrame, labels: Mapping[int, str], top: int = 12
) -> Drawn:
    """Who wrote how much when: a row a person, of those who wrote most.

    Args:
        frame: answer of `messages_per_user_per_day`.
        labels: for each user id, what to call them: see `metrics.labels`.
        top: how many people.
    """
    people = frame[~frame["is_bot"].fillna(False).astype(bool)].dropna(subset=["user_id"])
    if people.empty:
        return nothing(frame)
    totals = people.groupby("user_id")["messages"].sum().sort_values(ascending=False, kind="stable")
    shown = totals.head(top)
    grid = people.pivot_table(index="day", columns="user_id", values="messages", aggfunc="sum")
    days = every_day(grid.reset_index(), list(shown.index), frame.attrs)
    unit, binned = by_unit(days)
    share = shown.sum() / totals.sum()
    title = many(
        "{name} wrote {share:.0%} of the {total:,} messages of people",
        "The {n} who write most wrote {share:.0%} of the {total:,} messages of people",
        len(shown), name=labels.get(int(shown.index[0])), share=share, total=int(totals.sum()),
    )  # fmt: skip
    on = axes(title, "", "")
    columns = [*binned.index, binned.index[-1] + pd.Timedelta(days=UNIT_DAYS[unit])]
    rows = [labels[int(user)] for user in shown.index]
    heat(on, columns, rows, binned[shown.index].to_numpy(dtype=float).T, say(PER_UNIT[unit]))
    data = binned[shown.index].astype(int).set_axis(rows, axis=1).rename_axis(unit).reset_index()
    return dated(on, say(LOCAL_TIME[unit]), grid=False), data


@chart()
def message_length_per_day(frame: pd.DataFrame) -> Drawn:
    """Average and quantiles of the length of people's messages, a day."""
    half, tenth = frame["p50"].median(), frame["p90"].median()
    title = say(
        "On the median day, half of the messages have at most {half:,.0f} characters, one in ten "
        "more than {tenth:,.0f}",
        half=half, tenth=tenth,
    )  # fmt: skip
    on = axes(title, "", say("characters a message"))
    points = {"marker": "o", "markersize": 3} if len(frame) < 100 else {}
    days = frame["day"]
    low, high = frame["p50"].astype(float), frame["p90"].astype(float)
    on.fill_between(
        days, low, high, color=PEOPLE, alpha=0.18, lw=0, label=say("half to nine in ten")
    )
    on.plot(days, low, color=PEOPLE, label=say("median"), **points)
    on.plot(days, frame["average"], color=MARK, linestyle="--", label=say("average"), **points)
    on.set_ylim(bottom=0)
    on.legend(frameon=False, ncols=3)
    return dated(on, say("day, local time")), frame[["day", "average", "p50", "p90"]]


@chart()
def messages_by_hour_and_weekday(frame: pd.DataFrame) -> Drawn:
    """Heat map of when people write."""
    grid = frame.pivot_table(index="weekday", columns="hour", values="messages", aggfunc="sum")
    grid = grid.reindex(index=range(1, 8), columns=range(24)).astype("float64").fillna(0)
    grid = grid.div([max(1, n) for n in _weekdays(frame)], axis=0)
    day = grid.sum(axis=1)
    top, hour = int(day.idxmax()) - 1, int(grid.sum().idxmax())
    title = say(
        "Most messages of people are written on {weekday} ({most:.1f} a day; mean of weekdays "
        "{mean:.1f}) and at {hour:02d}-{end:02d}h",
        weekday=say(WEEKDAYS[top]), most=float(day.max()), mean=float(day.mean()), hour=hour,
        end=hour + 1,
    )  # fmt: skip
    on = axes(title, _hour(frame), "")
    names = [say(name) for name in WEEKDAYS]
    heat(on, range(25), names, grid.to_numpy(), say("messages a day"))
    on.set_xticks(range(0, 25, 3))
    data = grid.T.round(2).set_axis(WEEKDAYS, axis=1).rename_axis("hour").reset_index()
    return on, data


def _weekdays(frame: pd.DataFrame) -> list[int]:
    """How many Mondays, Tuesdays and so on the period has; one of each without a period."""
    period = frame.attrs.get("parameters", {})
    if "start" not in period:
        return [1] * 7
    first, last = (date.fromisoformat(period[end]) for end in ("start", "end"))
    whole, rest = divmod((last - first).days + 1, 7)
    return [whole + ((day - first.weekday()) % 7 < rest) for day in range(7)]


@chart()
def messages_by_content_type(frame: pd.DataFrame) -> Drawn:
    """What is sent, of people and of bots."""
    total, edited = int(frame["sent"].sum()), int(frame["edited"].sum())
    texts = int(frame.loc[frame["content_type"] == "text", "sent"].sum())
    title = say(
        "{text:.0%} of {total:,} messages are text; {edited:.0%} were edited",
        text=texts / total, total=total, edited=edited / total,
    )  # fmt: skip
    on = axes(title, say("messages (logarithmic scale)"), "")
    shown = frame.head(12).iloc[::-1]
    places = range(len(shown))
    people, bots = shown["by_people"].astype(float), shown["by_bots"].astype(float)
    on.barh([p + 0.2 for p in places], people, 0.4, color=PEOPLE, label=say("people"))
    on.barh([p - 0.2 for p in places], bots, 0.4, color=BOT, label=say("bots"))
    on.set_yticks(list(places), shown["content_type"])
    on.set_xscale("symlog", linthresh=1)
    on.set_xlim(left=0)
    on.legend(frameon=False)
    return on, frame[["content_type", "by_people", "by_bots"]].head(12)


@chart()
def messages_by_topic(frame: pd.DataFrame) -> Drawn:
    """Which topics of a forum people write in."""
    if frame["message_thread_id"].isna().all():
        return nothing(frame, mark("forum topics"))
    total, shown = int(frame["messages"].sum()), frame.head(12).iloc[::-1]
    names = [
        say("main topic") if pd.isna(t) else say("topic {id}", id=t)
        for t in shown["message_thread_id"]
    ]
    share = frame["messages"].iloc[0] / total
    title = say(
        "{n} topics; most is written in {name}: {share:.0%} of people's messages",
        n=len(frame), name=names[-1], share=share,
    )  # fmt: skip
    on = axes(title, say("messages of people"), "")
    on.barh(range(len(shown)), shown["messages"].astype(float), color=PEOPLE)
    on.set_yticks(range(len(shown)), names)
    on.set_ylim(-0.6, max(len(shown), 4) - 0.4)
    return on, pd.DataFrame({"topic": names, "messages": shown["messages"]}).iloc[::-1]


@chart()
def visits_by_hour(frame: pd.DataFrame) -> Drawn:
    """Which hours people write in, each person once an hour of a day.

    Args:
        frame: answer of `visits_by_hour`.
    """
    visits = frame.set_index("hour")["visits"].astype(int).reindex(range(24), fill_value=0)
    top, total = int(visits.idxmax()), int(visits.sum())
    title = say(
        "Most people write at {top:02d}-{end:02d}h: {n:,} of {total:,} visits (a person, an hour)",
        top=top, end=top + 1, n=int(visits[top]), total=total,
    )  # fmt: skip
    return _by_hour(frame, visits.rename("visits"), title, [(top, top + 1)])


@chart(mark("questions"))
def questions_by_hour(frame: pd.DataFrame) -> Drawn:
    """Which hours questions come in; the busiest bands stand out.

    Args:
        frame: from `metrics.questions_by_hour`.
    """
    counts, bands = frame.set_index("hour")["questions"], frame.attrs.get("bands")
    title = say("Too few to say which hours are busiest: {n} questions", n=int(counts.sum()))
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
) -> Drawn:
    on = axes(title, _hour(frame), say(str(counts.name)))
    inside = [any(first <= hour < last for first, last in marked) for hour in counts.index]
    colours = [MARK if busy else PEOPLE for busy in inside]
    on.bar(counts.index + 0.5, counts, 0.85, color=colours)
    on.set_xticks(range(0, 25, 3))
    return on, counts.reset_index()


def _hour(frame: pd.DataFrame) -> str:
    zone = frame.attrs.get("parameters", {}).get("timezone")
    return say("hour, {zone}", zone=zone or say("local time"))


@chart()
def before_and_after(frame: pd.DataFrame) -> Drawn:
    """People's messages a day before a date and from it on, with 95 % intervals of the means."""
    cut = frame.attrs.get("parameters", {}).get("cut", "")
    sides = {bool(row.is_after): row for row in frame.itertuples()}
    if len(sides) < 2:
        return nothing(frame, say("messages on both sides of {cut}", cut=cut))
    before, after = (float(sides[side].messages_per_day) for side in (False, True))
    errors = [1.96 * float(sides[s].deviation) / float(sides[s].days) ** 0.5 for s in (False, True)]
    apart = abs(after - before) > (errors[0] ** 2 + errors[1] ** 2) ** 0.5
    words = mark("No sure change on {cut}: {after:.1f} messages a day, before {before:.1f}")
    if apart and after > before:
        words = mark("{by:.0%} more messages a day from {cut} on: {after:.1f}, before {before:.1f}")
    elif apart:
        words = mark(
            "{by:.0%} fewer messages a day from {cut} on: {after:.1f}, before {before:.1f}"
        )
    title = say(words, by=abs(after / before - 1), cut=cut, after=after, before=before)
    on = axes(title, "", say("people's messages a day"))
    on.bar([0, 1], [before, after], 0.55, yerr=errors, color=[OTHER, PEOPLE], capsize=4)
    on.set_xticks([0, 1], [
        say("before ({n} days)", n=sides[False].days),
        say("from {cut} on ({n} days)", cut=cut, n=sides[True].days),
    ])  # fmt: skip
    on.set_xlim(-0.7, 1.7)
    return on, frame[["is_after", "days", "messages", "messages_per_day", "deviation"]]
