"""Which days the table has from the webhook, which from an import, and what may still be missing.

In supergroups and channels message ids count up by one, so an id that is in no row was a message
that was deleted, one the export leaves out, or one that never arrived. The table cannot tell these
apart: what is counted here is an upper bound on what is missing. Other chats share their ids with
all chats of an account, where a hole says nothing.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tgpipeline.analytics.charts import shapes
from tgpipeline.analytics.charts.style import Chart, chart
from tgpipeline.analytics.language import mark, say
from tgpipeline.errors import LakeError
from tgpipeline.lake import keys, stores
from tgpipeline.settings import Settings

SOURCES = ["history", "webhook", "sent"]
_COLUMNS = ["chat_id", "message_id", "source", "sent_at"]
_SUPERGROUPS = -(10**12)  # ids of supergroups and channels: https://core.telegram.org/api/bots/ids
_SMALL_HOLE = 10  # ids; such holes tell how often messages are deleted


def arrivals(settings: Settings) -> pd.DataFrame:
    """Which messages the enriched zone has, and how each came.

    Args:
        settings: names the enriched bucket.

    Returns:
        One row per message: `chat_id`, `message_id`, `source`, and `sent_at`, which is local
        wall-clock time.

    Raises:
        LakeError: if the enriched zone cannot be read, or has no messages.
    """
    settings.require("enriched_bucket")
    bucket = settings.enriched_bucket
    store = stores.open_store(bucket, settings)

    def load(key: str) -> pa.Table:
        body = pa.BufferReader(store.get(key).bytes().to_bytes())
        return pq.ParquetFile(body).read(columns=_COLUMNS)

    advice = "Check that it exists and that you may read it."
    with stores.as_lake_error(bucket, "read it", advice), ThreadPoolExecutor(16) as pool:
        tables = list(pool.map(load, stores.paths(store, f"{keys.RAW}/messages/")))
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
    counted = pd.crosstab(day, messages["source"]).reindex(columns=SOURCES, fill_value=0)
    return counted.asfreq("D", fill_value=0)


def holes(messages: pd.DataFrame) -> pd.DataFrame:
    """Where ids are missing between two messages of a supergroup or channel.

    Args:
        messages: as `arrivals` returns them.

    Returns:
        One row per hole, the widest first: `chat_id`, the ids before and after (`after_id`,
        `before_id`), when these were sent (`from`, `to`), how many ids are missing between them,
        and `beyond_deletions`: whether these are more than 10, and more than messages deleted one
        by one explain. If each is deleted with the probability p, as holes of up to 10 ids tell it,
        a hole of w ids has the probability p ** w; of a wider one than is explained, less than a
        hundredth is expected among all messages of the chat.
    """
    is_own = (messages["chat_id"] <= _SUPERGROUPS) & (messages["message_id"] > 0)
    own = messages[is_own].sort_values(["chat_id", "message_id"])
    before = own.groupby("chat_id")[["message_id", "sent_at"]].shift()
    found = own.assign(after_id=before["message_id"], start=before["sent_at"])
    found = found.rename(columns={"message_id": "before_id", "start": "from", "sent_at": "to"})
    found["missing_ids"] = found["before_id"] - found["after_id"] - 1
    width, present = found["missing_ids"], own.groupby("chat_id")["message_id"].transform("size")
    small = width.where(width <= _SMALL_HOLE, 0).groupby(found["chat_id"]).transform("sum")
    chance = small.clip(lower=1) / (small + present)
    explained = np.log(0.01 / present) / np.log(chance)
    found["beyond_deletions"] = width > explained.clip(lower=_SMALL_HOLE)
    found = found[found["missing_ids"] > 0].astype({"after_id": int, "missing_ids": int})
    return found.sort_values("missing_ids", ascending=False, ignore_index=True)


@chart()
def plot(messages: pd.DataFrame) -> Chart:
    """Messages a day by source; hatched where more ids are missing than deletions explain.

    Args:
        messages: as `arrivals` returns them.
    """
    daily, wide = by_day(messages), holes(messages).query("beyond_deletions")
    imported = ((daily["history"] > 0) & (daily["webhook"] == 0)).sum()
    gap = say("no gap that deletions don't explain")
    if lost := wide["missing_ids"].sum():
        gap = say("up to {n:,} messages may be missing", n=lost)
    words = mark("{history:,} days come from history only, {webhook:,} from the webhook; {gap}")
    title = say(words, history=imported, webhook=(daily["webhook"] > 0).sum(), gap=gap)
    unit, binned = shapes.by_unit(daily)
    hatched = {"facecolor": "none", "edgecolor": "black", "hatch": "///", "lw": 0}

    def draw(ax: Any, table: pd.DataFrame) -> None:
        shapes.stack(ax, table)
        for number, hole in enumerate(zip(wide["from"], wide["to"], strict=True)):
            first, last = table.index.searchsorted(hole, "right") - 1
            label = say("ids missing beyond deletions") if not number else None
            ax.axvspan(first - 0.5, last + 0.5, label=label, **hatched)

    return shapes.over_time(title, binned.astype(int), unit, say(f"messages a {unit}"), draw)
