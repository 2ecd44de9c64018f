"""Questions to Athena, answers as DataFrames.

The questions are the files in `queries/`: see `questions`. The SQL is Athena's; it is translated
for DuckDB only where the endpoint is the local stack.
"""

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tgpipeline.analytics import questions
from tgpipeline.errors import LakeError, QueryError
from tgpipeline.lake import keys, stores
from tgpipeline.lake.columns import TABLES
from tgpipeline.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

USD_PER_TB = 5.0  # us-east-1; https://aws.amazon.com/athena/pricing/
MINIMUM_BYTES = 10_000_000  # what a query is billed for at least
RESULTS = "athena-results"  # where Athena leaves them, in the enriched bucket
LISTENERS: list[Callable[["pd.DataFrame"], None]] = []  # told of every answer: see report_tables


@dataclass(frozen=True)
class Estimate:
    """What a question about a period scans at most.

    Attributes:
        files: Parquet objects that it reads, each as often as it does.
        bytes: their size; Athena reads only the columns that are asked for, so it scans less.
        usd: the price of that, never below the 10 MB that a query is billed for at least.
        query: of the questions asked about, the one that scans most.
    """

    files: int
    bytes: int
    usd: float
    query: str = ""


@lru_cache(maxsize=8)
def connect(settings: Settings) -> Any:
    """A PyAthena connection: workgroup, database and place of results are the deployment's own.

    The connection of equal settings is made once.

    Raises:
        SettingsError: if the enriched bucket is not set.
    """
    import pyathena

    settings.require("enriched_bucket")
    endpoint: dict[str, Any] = {"endpoint_url": settings.endpoint_url or None}
    return pyathena.connect(
        s3_staging_dir=f"s3://{settings.enriched_bucket}/{RESULTS}/",
        work_group=settings.name,
        schema_name=settings.name.replace("-", "_"),
        region_name=settings.region,
        poll_interval=0.05 if is_local(settings) else 0.5,
        **endpoint,
    )


def is_local(settings: Settings) -> bool:
    """Whether the endpoint is the local stack, whose Athena is DuckDB."""
    host = urlsplit(settings.endpoint_url).hostname or ""
    return bool(host) and not host.endswith(("amazonaws.com", "amazonaws.com.cn", "vpce.aws"))


def query(name_or_sql: str, settings: Settings, **values: Any) -> "pd.DataFrame":
    """Ask a question.

    Args:
        name_or_sql: name of a file in `queries/`, or SQL in Athena's dialect.
        settings: name the deployment, the enriched bucket and the zone.
        **values: the question's parameters: `start` and `end` (local days, both included), `chat`
            (a group's id, the newer or the older one; all groups if not given), `timezone` (IANA
            name; the settings' own if not given), and what else the SQL names.

    Returns:
        The answer. Whole numbers are Int64, truth values boolean, texts string, dates and times
        datetime64 without zone. `attrs` hold `query`, `question`, `parameters`, `query_id`,
        `bytes_scanned`, `usd` and `milliseconds`.

    Raises:
        QueryError: if the question or a parameter is not right, or Athena refuses or fails.
    """
    named = re.fullmatch(r"\w+", name_or_sql) is not None
    name, sql = (name_or_sql, questions.read(name_or_sql)) if named else ("SQL", name_or_sql)
    types = questions.parameters(sql)
    if "timezone" in types:
        values["timezone"] = values.get("timezone") or settings.timezone
    if "chat" in types and values.get("chat"):
        values["chat"] = group_of(values["chat"], settings)
    filled = questions.fill(sql, values, name)
    cursor = connect(settings).cursor()
    try:
        cursor.execute(questions.translate(filled) if is_local(settings) else filled)
        frame = to_frame(cursor.description or [], cursor.fetchall())
    except Exception as error:  # of PyAthena or of botocore, by where it went wrong
        reason = str(error).strip()[:500] or type(error).__name__
        raise QueryError(
            f"{name} failed: {reason}. Check that workgroup {settings.name!r} and its database are "
            "deployed and that you may query them; the SQL is in tgpipeline/queries."
        ) from error
    scanned = int(cursor.data_scanned_in_bytes or 0)
    frame.attrs = {
        "query": name,
        "question": questions.question(sql) if named else "",
        "parameters": {k: str(v) for k, v in values.items() if v is not None},
        "query_id": cursor.query_id,
        "bytes_scanned": scanned,
        "usd": price(scanned),
        "milliseconds": int(cursor.total_execution_time_in_millis or 0),
    }
    logger.info("%s: %d rows, %d bytes scanned", name, len(frame), scanned)
    for listener in LISTENERS:
        listener(frame)
    return frame


def group_of(chat: int, settings: Settings) -> int:
    """The id under which a group was first known, from any id it has had.

    Raises:
        QueryError: if the lake holds no such chat; names those it holds.
    """
    known = _groups(settings, chat)
    if chat not in known:
        ids = ", ".join(str(k) for k in sorted(known)[:10]) or "none"
        raise QueryError(f"chat {chat!r} is not in the lake. Chats in it: {ids}.")
    return known[chat]


def _groups(settings: Settings, chat: int) -> dict[int, int]:
    key = (settings, chat)
    if key not in _GROUPS:
        frame = query("groups", settings)
        pairs = zip(frame["chat_id"], frame["group_id"], strict=True)
        known = {int(chat_id): int(group_id) for chat_id, group_id in pairs}
        known |= {group_id: group_id for group_id in known.values()}
        if chat not in known:
            return known  # it may come in later: not remembered
        _GROUPS[key] = known
    return _GROUPS[key]


_GROUPS: dict[tuple[Settings, int], dict[int, int]] = {}


def estimate(settings: Settings, start: date | str, end: date | str, *names: str) -> Estimate:
    """What a question about a period scans at most, from the sizes of the Parquet it reads.

    Args:
        settings: name the enriched bucket.
        start: first local day of the period.
        end: last local day, included.
        *names: questions, of which the dearest counts; all there are if none is named. What a
            question reads before and after the period, and of events, is what its SQL says.

    Raises:
        QueryError: if a date is not one, or there is no such question.
        LakeError: if the enriched bucket cannot be listed.
    """
    period = {"start": questions.day("start", start, "estimate"),
              "end": questions.day("end", end, "estimate")}  # fmt: skip
    sizes = {table: _sizes(settings, table) for table in TABLES}
    found = []
    for name in names or questions.names():
        sql = questions.read(name)
        given = {k: v for k, v in period.items() if k in questions.parameters(sql)}
        reads = questions.scans(questions.fill(sql, given, name))
        read = [n for table, a, b in reads for day, n in sizes[table] if a <= day <= b]
        found.append(Estimate(len(read), sum(read), price(sum(read)), name))
    return max(found, key=lambda one: one.bytes)


def _sizes(settings: Settings, table: str) -> list[tuple[date, int]]:
    """The day and the bytes of each Parquet object of a table."""
    from obstore.exceptions import BaseError

    prefix = f"{keys.RAW}/{table}/"
    try:
        store = stores.open_store(settings.enriched_bucket, settings)
        listed = [item for page in store.list(prefix) for item in page]
    except BaseError as error:
        raise LakeError(
            f"s3://{settings.enriched_bucket}/{prefix} cannot be listed: {str(error)[:300]}"
        ) from error
    return [(keys.day_of(item["path"]), item["size"]) for item in listed]


def price(scanned: int) -> float:
    """What Athena charges for a query that scanned so many bytes, in US dollars.

    >>> price(1), price(2 * 10**12)
    (5e-05, 10.0)
    """
    return round(max(scanned, MINIMUM_BYTES) / 1e12 * USD_PER_TB, 8)


def to_frame(description: Sequence[Sequence[Any]], rows: Sequence[Sequence[Any]]) -> "pd.DataFrame":
    """Rows as a DataFrame, each column with the pandas type of its Athena type.

    Args:
        description: a DB-API cursor's: name and type first.
        rows: tuples of Python values.

    Source of the types: https://docs.aws.amazon.com/athena/latest/ug/data-types.html
    """
    import pandas as pd

    types = [_TYPES.get(str(c[1]).partition("(")[0].strip(), "object") for c in description]
    # By number until the end: two columns may have the same name.
    frame = pd.DataFrame(list(rows), columns=range(len(types)), dtype=object)
    frame = frame.astype(dict(enumerate(types)))
    frame.columns = pd.Index([c[0] for c in description], dtype=object)
    return frame


_TYPES = {
    **dict.fromkeys(("tinyint", "smallint", "integer", "int", "bigint"), "Int64"),
    **dict.fromkeys(("float", "real", "double"), "float64"),
    **dict.fromkeys(("varchar", "char", "string"), "string"),
    "boolean": "boolean",
    "date": "datetime64[s]",
    "timestamp": "datetime64[ms]",
}
