"""Which days the table has from the webhook, which from an import, and what may still be missing.

In supergroups and channels message ids count up by one, so an id that is in no row was a message
that was deleted, one the export leaves out, or one that never arrived. The table cannot tell these
apart: what is counted here is an upper bound on what is missing. Other chats share their ids with
all chats of an account, where a hole says nothing.
"""

import io
import math
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import obstore
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tgpipeline.analytics.language import mark, say
from tgpipeline.errors import LakeError
from tgpipeline.lake import keys, stores
from tgpipeline.settings import Settings

if TYPE_CHECKING:
    from tgpipeline.analytics.charts.style import Chart

SOURCES = ["history", "webhook", "sent"]
_COLUMNS = ["chat_id", "group_id", "message_id", "source", "sent_at"]
_SUPERGROUPS = -(10**12)  # ids of supergroups and channels: https://core.telegram.org/api/bots/ids
_SMALL_HOLE = 10


def arrivals(settings: Settings) -> pd.DataFrame:
    """Which messages the enriched zone has, and how each came.

    Args:
        settings: names the enriched bucket.

    Returns:
        One row per message: `chat_id`, `group_id`, `message_id`, `source`, and `sent_at`, which is
        local wall-clock time.

    Raises:
        LakeError: if the enriched zone cannot be read, or has no messages.
    """
    settings.require("enriched_bucket")
    bucket, prefix = settings.enriched_bucket, f"{keys.RAW}/messages/"
    store = stores.open_store(bucket, settings)

    def load(key: str) -> pa.Table:
        found = obstore.get(store, key).bytes().to_bytes()
        return pq.ParquetFile(io.BytesIO(found)).read(columns=_COLUMNS)

    advice = "Check that it exists and that you may read it."
    with stores.as_lake_error(bucket, "read it", advice), ThreadPoolExecutor(16) as pool:
        parts = [item["path"] for page in store.list(prefix) for item in page]
        tables = list(pool.map(load, parts))
    if not tables:
        raise LakeError(f"s3://{bucket} has no messages: run the ETL first.")
    return pa.concat_tables(tables).drop_null().to_pandas()


def by_day(messages: pd.DataFrame) -> pd.DataFrame:
    """How many messages of each day came which way, from the first day to the last.

    Args:
        messages: as `arrivals` returns them.

    Returns:
        One row per day, with that index; a column for each of `SOURCES`.
    """
    day = messages["sent_at"].dt.normalize().rename("day")
    counted = pd.crosstab(day, messages["source"]).asfreq("D", fill_value=0)
    return counted.reindex(columns=SOURCES, fill_value=0)


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
    is_own = (messages["chat_id"] <= _SUPERGROUPS) & (messages["message_id"] > 0)
    found = messages[is_own].sort_values(["chat_id", "message_id"])
    found = found.rename(columns={"message_id": "before_id", "sent_at": "to"})
    chats = found.groupby("chat_id")
    found["after_id"] = chats["before_id"].shift().fillna(found["before_id"] - 1).astype("int64")
    found["from"], found["missing_ids"] = chats["to"].shift(), chats["before_id"].diff() - 1
    found = found[found["missing_ids"] > 0].astype({"missing_ids": "int64"})
    limits = {
        chat: likely_width(widths.tolist(), int(chats.size()[chat]))
        for chat, widths in found.groupby("chat_id")["missing_ids"]
    }
    found["beyond_deletions"] = found["missing_ids"] > found["chat_id"].map(limits)
    columns = "group_id chat_id after_id before_id from to missing_ids beyond_deletions".split()
    return found[columns].sort_values("missing_ids", ascending=False, ignore_index=True)


def likely_width(widths: list[int], present: int) -> int:
    """The widest hole that messages deleted one by one explain.

    If every message is deleted with the same probability p, a hole of w ids has the probability
    p ** w. The width is the one of which less than a hundredth is expected among all messages; p is
    estimated from the holes that are not wider.

    Args:
        widths: of all holes of a chat.
        present: how many of its messages there are.

    >>> likely_width([1, 1, 2, 500], present=1000)
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
    daily, wide = by_day(messages), holes(messages).query("beyond_deletions")
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
