"""Which days the table has from the webhook, which from an import, and what may still be missing.

In supergroups and channels message ids count up by one, so an id that is in no row was a message
that was deleted, one the export leaves out, or one that never arrived. The table cannot tell these
apart: what is counted here is an upper bound on what is missing. Other chats share their ids with
all chats of an account, where a hole says nothing.
"""

import io
import math
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TYPE_CHECKING, Any

import obstore
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from obstore.exceptions import BaseError

from tgpipeline.analytics.language import mark, say
from tgpipeline.errors import LakeError
from tgpipeline.lake import keys, stores
from tgpipeline.settings import Settings

if TYPE_CHECKING:
    from tgpipeline.analytics.charts.style import Chart

SOURCES = ("history", "webhook", "sent")
_COLUMNS = ["chat_id", "group_id", "message_id", "source", "sent_at"]
_SUPERGROUPS = -(10**12)  # ids of supergroups and channels: https://core.telegram.org/api/bots/ids
_SMALL_HOLE = 10


def arrivals(
    settings: Settings, start: date | None = None, end: date | None = None
) -> pd.DataFrame:
    """Which messages the enriched zone has, and how each came.

    Args:
        settings: names the enriched bucket.
        start: first local day; the first there is where it is None.
        end: last local day, included; the last there is where it is None.

    Returns:
        One row per message: `chat_id`, `group_id`, `message_id`, `source`, and `sent_at`, which is
        local wall-clock time.

    Raises:
        LakeError: if the enriched zone cannot be read, or has no messages of these days.
    """
    settings.require("enriched_bucket")
    store = stores.open_store(settings.enriched_bucket, settings)

    def load(key: str) -> pa.Table:
        found = obstore.get(store, key).bytes().to_bytes()
        return pq.ParquetFile(io.BytesIO(found)).read(columns=_COLUMNS)

    try:
        listed = [item["path"] for page in store.list(f"{keys.RAW}/messages/") for item in page]
        parts = [
            key
            for key in listed
            if key.endswith(".parquet")
            and (start or date.min) <= keys.day_of(key) <= (end or date.max)
        ]
        with ThreadPoolExecutor(16) as pool:
            tables = list(pool.map(load, parts))
    except BaseError as error:
        raise LakeError(
            f"s3://{settings.enriched_bucket} cannot be read: {str(error)[:300]}. Check that it "
            "exists and that you may read it."
        ) from error
    if not tables:
        raise LakeError(
            f"s3://{settings.enriched_bucket} has no messages of these days: run the ETL first."
        )
    message, chat, sent = (pc.field(name) for name in ("message_id", "chat_id", "sent_at"))
    whole = message.is_valid() & chat.is_valid() & sent.is_valid()
    return pa.concat_tables(tables).filter(whole).to_pandas()


def by_day(messages: pd.DataFrame) -> pd.DataFrame:
    """The coverage table: one row per group and day, from its first day to its last.

    Args:
        messages: as `arrivals` returns them.

    Returns:
        `group_id`, `day`, the messages by source (`history`, `webhook`, `sent`), and `missing_ids`:
        the ids in holes that begin on that day, an upper bound on the messages that are missing.
    """
    names = [*SOURCES, "missing_ids"]
    counted = messages.assign(day=messages["sent_at"].dt.normalize())
    if counted.empty:  # the days read may hold events only
        return counted[["group_id", "day"]].assign(**dict.fromkeys(names, 0))
    table = counted.pivot_table(
        index=["group_id", "day"], columns="source", aggfunc="size", fill_value=0
    )
    missing = holes(messages).assign(day=lambda h: h["from"].dt.normalize())
    table["missing_ids"] = missing.groupby(["group_id", "day"])["missing_ids"].sum()
    filled = [
        part.droplevel(0).asfreq("D").assign(group_id=group).reset_index()
        for group, part in table.groupby(level="group_id")
    ]
    whole = pd.concat(filled).reindex(columns=["group_id", "day", *names])
    return whole.fillna(dict.fromkeys(names, 0)).astype(dict.fromkeys(names, "int64"))


def holes(messages: pd.DataFrame) -> pd.DataFrame:
    """Where ids are missing between two messages of a supergroup or channel.

    Args:
        messages: as `arrivals` returns them.

    Returns:
        One row per hole, the widest first: `group_id`, `chat_id`, the ids before and after
        (`after_id`, `before_id`), when these were sent (`from`, `to`), how many ids are missing
        between them, and `beyond_deletions`: whether the hole is wider than messages deleted one
        by one explain, at the rate at which small holes occur in that chat.
    """
    chats = messages[(messages["chat_id"] <= _SUPERGROUPS) & (messages["message_id"] > 0)]
    ordered = chats.sort_values(["chat_id", "message_id"])
    earlier = ordered.groupby("chat_id")[["message_id", "sent_at"]].shift()
    found = pd.DataFrame(
        {
            "group_id": ordered["group_id"],
            "chat_id": ordered["chat_id"],
            "after_id": earlier["message_id"].astype("Int64"),
            "before_id": ordered["message_id"],
            "from": earlier["sent_at"],
            "to": ordered["sent_at"],
            "missing_ids": (ordered["message_id"] - earlier["message_id"].astype("Int64") - 1),
        }
    ).dropna(subset=["after_id"])
    found = found[found["missing_ids"] > 0].astype({"after_id": "int64", "missing_ids": "int64"})
    present = chats.groupby("chat_id").size()
    limits = {
        chat: explained(part.tolist(), int(present[chat]))
        for chat, part in found.groupby("chat_id")["missing_ids"]
    }
    found["beyond_deletions"] = found["missing_ids"] > found["chat_id"].map(limits)
    return found.sort_values("missing_ids", ascending=False, ignore_index=True)


def explained(widths: list[int], present: int) -> int:
    """The widest hole that messages deleted one by one explain.

    If every message is deleted with the same probability p, a hole of w ids has the probability
    p ** w. The width is the one of which less than a hundredth is expected among all messages; p is
    estimated from the holes that are not wider.

    Args:
        widths: of all holes of a chat.
        present: how many of its messages there are.

    >>> explained([1, 1, 2, 500], present=1000)
    10
    """
    width = _SMALL_HOLE
    for _ in range(20):
        lost = sum(w for w in widths if w <= width)
        likely = math.log(0.01 / present) / math.log(lost / (lost + present)) if lost else 0
        if likely <= width:
            break
        width = math.ceil(likely)
    return width


def plot(messages: pd.DataFrame) -> "Chart":
    """Messages a day by source; hatched where more ids are missing than deletions explain.

    Args:
        messages: as `arrivals` returns them.
    """
    from tgpipeline.analytics.charts import shapes, style

    if messages.empty:
        return style.nothing(messages)
    daily = by_day(messages).groupby("day")[list(SOURCES)].sum().asfreq("D", fill_value=0)
    wide = holes(messages).query("beyond_deletions")
    imported = int(((daily["history"] > 0) & (daily["webhook"] == 0)).sum())
    lost = int(wide["missing_ids"].sum())
    gap = say("no gap that deletions don't explain")
    if lost:
        gap = say("up to {n:,} messages may be missing", n=lost)
    words = mark("{history:,} days come from history only, {webhook:,} from the webhook; {gap}")
    title = say(words, history=imported, webhook=int((daily["webhook"] > 0).sum()), gap=gap)
    unit, binned = shapes.by_unit(daily)

    def draw(ax: Any, table: pd.DataFrame) -> None:
        shapes.stack(ax, table)
        for number, hole in enumerate(zip(wide["from"], wide["to"], strict=True)):
            first, last = table.index.searchsorted(hole, "right") - 1
            label = say("ids missing beyond deletions") if not number else None
            ax.axvspan(first - 0.5, last + 0.5, facecolor="none", edgecolor="black", hatch="///",
                       lw=0, label=label)  # fmt: skip

    return shapes.over_time(title, binned.astype(int), unit, say(f"messages a {unit}"), draw)
