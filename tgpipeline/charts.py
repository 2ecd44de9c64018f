"""One chart a question: a DataFrame as `athena.query` or `metrics` gave it → matplotlib Axes.

The title of each states what it shows, in numbers; axes say their units. Colours are those of Okabe
and Ito, which colour-blind people tell apart, and the same thing has the same colour in all charts.
No function touches pyplot: nothing is displayed but by `show`, and no figure stays open.
"""

import io
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

if TYPE_CHECKING:
    from IPython.display import Image

# https://jfly.uni-koeln.de/color/
PEOPLE, BOT, AGENTS = "#0072B2", "#E69F00", "#009E73"
OPEN, OTHER, MARK = "#D55E00", "#999999", "#CC79A7"
HEAT = "cividis"
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SIZE = (8.0, 3.6)  # inches


def show(ax: Axes) -> "Image":
    """The chart as a PNG with its text alternative, for the end of a notebook's cell."""
    from IPython.display import Image

    figure = ax.get_figure()
    assert isinstance(figure, Figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100, metadata={"Software": None})
    return Image(data=buffer.getvalue(), format="png", alt=alternative(ax))  # type: ignore[no-untyped-call]


def alternative(ax: Axes) -> str:
    """What a chart says to who does not see it: its finding, and what is drawn over what."""
    title = " ".join(ax.get_title(loc="left").split())
    axes = [text for text in (ax.get_ylabel(), ax.get_xlabel()) if text]
    return f"{title}. Chart: {' by '.join(axes)}." if axes else f"{title}."


def messages_per_day(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Messages a day (a week or a month, over a long time), of people and of bots, stacked.

    Args:
        frame: answer of `messages_per_day`.
        ax: where to draw; a figure of its own if not given.
    """
    if frame.empty:
        return _nothing(frame, ax)
    days = _every_day(frame, ["messages", "by_people", "by_bots"])
    top = days["messages"].idxmax()
    middle = float(days["messages"].median())
    ratio = f", {days['messages'].max() / middle:.1f} times the median day" if middle else ""
    total, top_count = int(days["messages"].sum()), int(days["messages"].max())
    title = f"{total:,} messages; most on {_date(top)}: {top_count:,}{ratio}"
    unit, binned = _binned(days)
    on = _axes(ax, title, "", f"messages a {unit}")
    width = {"day": 0.85, "week": 6.0, "month": 25.0}[unit]
    align = {"align": "center" if unit == "day" else "edge"}
    on.bar(binned.index, binned["by_people"], width, color=PEOPLE, label="people", **align)
    if binned["by_bots"].sum():
        bottom = binned["by_people"]
        on.bar(binned.index, binned["by_bots"], width, bottom, color=BOT, label="bots", **align)
        on.legend(frameon=False, ncols=2)
    return _dated(on, f"{unit}, local time")


def messages_per_user_per_day(
    frame: pd.DataFrame, labels: Mapping[int, str], ax: Axes | None = None, top: int = 12
) -> Axes:
    """Who wrote how much when: a row a person, of those who wrote most.

    Args:
        frame: answer of `messages_per_user_per_day`.
        labels: for each user id, what to call them: see `metrics.labels`.
        ax: where to draw.
        top: how many people.
    """
    people = frame[~frame["is_bot"].fillna(False).astype(bool)].dropna(subset=["user_id"])
    if people.empty:
        return _nothing(frame, ax)
    totals = people.groupby("user_id")["messages"].sum().sort_values(ascending=False, kind="stable")
    shown = totals.head(top)
    grid = people.pivot_table(index="day", columns="user_id", values="messages", aggfunc="sum")
    days = _every_day(grid.reset_index(), list(shown.index), frame.attrs)
    unit, binned = _binned(days)
    share = shown.sum() / totals.sum()
    who = f"The {len(shown)} who write most" if len(shown) > 1 else labels.get(int(shown.index[0]))
    title = f"{who} wrote {share:.0%} of the {int(totals.sum()):,} messages of people"
    on = _axes(ax, title, "", "")
    image = on.pcolormesh(
        [*binned.index, binned.index[-1] + pd.Timedelta(days=_DAYS[unit])],
        range(len(shown) + 1),
        binned[shown.index].to_numpy(dtype=float).T,
        cmap=HEAT,
    )
    on.set_yticks([i + 0.5 for i in range(len(shown))], [labels[int(u)] for u in shown.index])
    on.invert_yaxis()
    on.get_figure().colorbar(image, ax=on, label=f"messages a {unit}")
    return _dated(on, f"{unit}, local time", grid=False)


def message_length_per_day(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Average and quantiles of the length of people's messages, a day.

    Args:
        frame: answer of `message_length_per_day`.
        ax: where to draw.
    """
    if frame.empty:
        return _nothing(frame, ax)
    half, tenth = frame["p50"].median(), frame["p90"].median()
    title = (
        f"On the median day, half of the messages have at most {half:.0f} characters,\n"
        f"one in ten more than {tenth:.0f}"
    )
    on = _axes(ax, title, "", "characters a message")
    mark = {"marker": "o", "markersize": 3} if len(frame) < 100 else {}
    days = frame["day"]
    low, high = frame["p50"].astype(float), frame["p90"].astype(float)
    on.fill_between(days, low, high, color=PEOPLE, alpha=0.18, lw=0, label="p50 to p90")
    on.plot(days, low, color=PEOPLE, label="median", **mark)
    on.plot(days, frame["average"], color=MARK, linestyle="--", label="average", **mark)
    on.set_ylim(bottom=0)
    on.legend(frameon=False, ncols=3)
    return _dated(on, "day, local time")


def messages_by_hour_and_weekday(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Heat map of when people write.

    Args:
        frame: answer of `messages_by_hour_and_weekday`.
        ax: where to draw.
    """
    if frame.empty:
        return _nothing(frame, ax)
    grid = frame.pivot_table(index="weekday", columns="hour", values="messages", aggfunc="sum")
    grid = grid.reindex(index=range(1, 8), columns=range(24)).astype("float64").fillna(0)
    hours = grid.sum()
    top, share = int(hours.idxmax()), hours.max() / hours.sum()
    day = grid.sum(axis=1)
    title = (
        f"Busiest hour: {top:02d}–{top + 1:02d}h, {share:.1%} of people's messages; "
        f"busiest weekday: {WEEKDAYS[int(day.idxmax()) - 1]}, {day.max() / day.sum():.1%}"
    )
    zone = frame.attrs.get("parameters", {}).get("timezone", "local time")
    on = _axes(ax, title, f"hour, {zone}", "")
    image = on.pcolormesh(range(25), range(8), grid.to_numpy(), cmap=HEAT)
    on.set_yticks([i + 0.5 for i in range(7)], WEEKDAYS)
    on.set_xticks(range(0, 25, 3))
    on.invert_yaxis()
    on.get_figure().colorbar(image, ax=on, label="messages")
    return _done(on)


_DAYS = {"day": 1, "week": 7, "month": 31}


def _axes(ax: Axes | None, title: str, xlabel: str, ylabel: str) -> Any:
    if ax is None:
        ax = Figure(figsize=SIZE, layout="constrained").add_subplot()
    ax.set_title(title, loc="left", fontsize=10.5, fontweight="bold", wrap=True)
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    ax.spines[["top", "right"]].set_visible(False)
    ax.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    return ax


def _nothing(frame: pd.DataFrame, ax: Axes | None, what: str = "messages") -> Axes:
    period = frame.attrs.get("parameters", {})
    between = f" from {period['start']} to {period['end']}" if "start" in period else ""
    on = _axes(ax, f"No {what}{between}", "", "")
    on.set_xticks([])
    on.set_yticks([])
    return _done(on)


def _dated(ax: Any, label: str, *, grid: bool = True) -> Axes:
    locator = AutoDateLocator(minticks=3, maxticks=9)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    ax.set_xlabel(label)
    if grid:
        ax.grid(axis="y", alpha=0.25)
        ax.set_axisbelow(True)
    return _done(ax)


def _done(ax: Any) -> Axes:
    assert isinstance(ax, Axes)
    return ax


def _every_day(
    frame: pd.DataFrame, columns: list[Any], attrs: Mapping[str, Any] | None = None
) -> pd.DataFrame:
    """The columns with a row for each day of the period, 0 where there is none."""
    period = (frame.attrs if attrs is None else attrs).get("parameters", {})
    first, last = frame["day"].min(), frame["day"].max()
    start, end = pd.Timestamp(period.get("start", first)), pd.Timestamp(period.get("end", last))
    days = pd.date_range(min(start, first), max(end, last), freq="D")
    series = {
        c: pd.Series(frame[c].to_numpy(dtype=float, na_value=0), frame["day"]) for c in columns
    }
    full = pd.DataFrame(series).reindex(days.astype(frame["day"].dtype)).fillna(0)
    return full.set_index(days)


def _binned(days: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """By day, or by week or month where days would be too thin to see."""
    if len(days) <= 120:
        return "day", days
    unit, period = ("week", "W") if len(days) <= 730 else ("month", "M")
    starts = pd.DatetimeIndex(days.index).to_period(period).start_time
    return unit, days.groupby(starts).sum()


def _date(day: Any) -> str:
    stamp = pd.Timestamp(day)
    return f"{WEEKDAYS[stamp.weekday()]} {stamp.day} {stamp:%b %Y}"


def emoji_name(text: str) -> str:
    """What an emoji is called, for fonts that lack it.

    >>> emoji_name("👍")
    'thumbs up sign'
    """
    return " ".join(
        unicodedata.name(c, c).lower() for c in text if c != "\N{VARIATION SELECTOR-16}"
    )
