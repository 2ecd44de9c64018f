"""Spark makes the very rows and ledgers that the function makes, whatever the day holds."""

import hashlib
import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import boto3
import obstore
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer
from pyspark.sql import SparkSession

from tests import payloads as p
from tgpipeline.errors import LakeError
from tgpipeline.etl import handler, spark
from tgpipeline.lake import columns, keys, stores
from tgpipeline.settings import Settings

UPDATES = int(os.environ.get("TGPIPELINE_SPARK_UPDATES", "100_000"))
# Executors as processes of their own: two, with a core each.
MASTER = os.environ.get("TGPIPELINE_SPARK_MASTER", "local[2,4]")
DAY = date.fromisoformat(p.DAY)
SAMPLE = Path(__file__).parents[2] / "data" / "sample" / "updates.ndjson.gz"


@pytest.fixture(scope="module")
def settings() -> Iterator[Settings]:
    """S3 on this machine; executors are processes and cannot see a store in memory."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "local")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        url = f"http://127.0.0.1:{server.get_host_and_port()[1]}"
        patch.setenv("AWS_ENDPOINT_URL", url)
        yield Settings.from_env(raw_bucket="raw", enriched_bucket="of-function")
    server.stop()


@pytest.fixture(scope="module")
def session(settings: Settings) -> Iterator[SparkSession]:
    """Spark on this machine."""
    config = {
        "spark.master": MASTER,
        "spark.sql.shuffle.partitions": "4",
        "spark.ui.enabled": "false",
        "spark.executor.memory": "1g",
        "spark.driver.host": "127.0.0.1",
    }
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    SparkSession.builder.config(map=config).getOrCreate()
    made = spark.session()  # the one that is there
    made.sparkContext.setLogLevel("ERROR")
    yield made
    made.stop()


@pytest.fixture
def zones(settings: Settings) -> tuple[Settings, Settings]:
    """One raw zone, and an enriched one for each of the two engines."""
    number = time.monotonic_ns()
    function = replace(settings, raw_bucket=f"r{number}", enriched_bucket=f"f{number}")
    other = replace(function, enriched_bucket=f"s{number}")
    s3 = boto3.client("s3")
    for bucket in (function.raw_bucket, function.enriched_bucket, other.enriched_bucket):
        s3.create_bucket(Bucket=bucket)
    return function, other


def put(settings: Settings, objects: dict[str, bytes]) -> None:
    raw = stores.open_store(settings.raw_bucket, settings)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda item: obstore.put(raw, *item), objects.items()))


def parts(settings: Settings, table: str, day: date) -> list[pa.Table]:
    """A table's Parquets of one day, all of one ledger, `context_timestamp` left out."""
    store = stores.open_store(settings.enriched_bucket, settings)
    prefix = keys.enriched_key(table, day).rpartition("/")[0]
    found = sorted(o["path"] for page in store.list(prefix) for o in page)
    bodies = [obstore.get(store, key).bytes().to_bytes() for key in found]
    files = [pq.ParquetFile(pa.BufferReader(body)) for body in bodies]
    assert all(
        f.metadata.metadata[b"ledger"] == files[0].metadata.metadata[b"ledger"] for f in files
    )
    return [file.read().drop_columns(["context_timestamp"]) for file in files]


def digest(tables: list[pa.Table]) -> tuple[str, int]:
    """Of all values of all rows, whatever their order, and how many rows there are."""
    rows = sorted(repr(tuple(row.values())) for one in tables for row in one.to_pylist())
    return hashlib.sha256("\n".join(rows).encode("utf-8", "backslashreplace")).hexdigest(), len(
        rows
    )


def assert_equal(zones: tuple[Settings, Settings], days: list[date]) -> int:
    """Both enriched zones hold the same; the number of rows."""
    total = 0
    for day in days:
        for table in columns.TABLES:
            function, other = (digest(parts(zone, table, day)) for zone in zones)
            assert function == other, (day, table)
            total += function[1]
    return total


def by_date(ledgers: Any) -> dict[str, dict[str, Any]]:
    made = {ledger.date: ledger for ledger in ledgers}
    assert all(ledger.balanced for ledger in made.values())
    return {day: asdict(ledger) | {"parts": 1} for day, ledger in made.items()}


def test_the_sample_and_each_kind_of_update(
    zones: tuple[Settings, Settings], session: SparkSession, tmp_path: Path
) -> None:
    import gzip

    from tgpipeline.telegram import updates

    objects: dict[str, bytes] = {}
    with gzip.open(SAMPLE, "rt", encoding="utf-8") as lines:
        bodies = [one["body"] for one in map(json.loads, lines) if "body" in one]
    number = 10**9
    for kind, (content, _) in p.EVENTS.items():
        bodies.append(p.update(number := number + 1, kind, content))
    for name, value in p.CONTENTS.items():
        content = p.message(number, **{name: value})
        bodies.append(p.update(number := number + 1, content=content))
    noon = spark.datetime(2025, 12, 1, 15, tzinfo=spark.UTC)
    batches: dict[date, list[bytes]] = {}
    for count, body in enumerate(bodies):
        day = updates.context_date(updates.payload(body), zones[0].tz, noon)
        if count % 3:
            batches.setdefault(day, []).append(p.raw(body))
        else:
            objects[keys.update_key(body["update_id"], day)] = p.raw(body)
    for day, told in batches.items():
        whole = b"\n".join([*told, told[0], b"{broken", b'{"update_id": 1}']) + b"\n"
        objects[keys.batch_key(whole, day)] = whole
    poll = p.raw(p.update(77, "poll", {"id": "9", "question": "?", "options": []}))
    for day in (DAY, DAY + timedelta(1)):  # sent again after midnight
        objects[keys.update_key(77, day)] = poll
    put(zones[0], objects)
    days = sorted({keys.day_of(key) for key in objects})
    days = [days[0] - timedelta(1), *days]
    function = by_date(handler.run(zones[0], days))
    other = by_date(spark.run(zones[1], days, spark=session))
    for day, ledger in function.items():  # the markers of the first run are there for the second
        assert ledger == other[day]
    assert assert_equal(zones, days[1:]) > 2_500
    store = stores.open_store(zones[1].enriched_bucket, zones[1])
    for table in columns.TABLES:  # Spark reads what all read
        path = tmp_path / f"{table}.parquet"
        path.write_bytes(obstore.get(store, keys.enriched_key(table, DAY)).bytes().to_bytes())
        found = session.read.parquet(str(path)).drop("context_timestamp").collect()
        told = sorted(repr(tuple(row)) for row in found)
        rows = (one for part in parts(zones[0], table, DAY) for one in part.to_pylist())
        assert told == sorted(repr(tuple(row.values())) for row in rows)
    again = by_date(spark.run(zones[1], days, spark=session))
    assert {one["status"] for one in again.values()} == {"unchanged", "empty"}


def generated(count: int) -> Iterator[bytes]:
    """Updates with edits, repeats and broken ones; one group has nine of ten messages."""
    chance = random.Random(7)
    people = [p.BIA | {"id": 10**9 + n, "first_name": f"Pessoa {n}"} for n in range(500)]
    for number in range(1, count + 1):
        message_id = number if chance.random() < 0.9 else max(1, number - chance.randrange(1_000))
        chat = p.CHAT if number % 10 else p.CHAT | {"id": -1_000_000 - number % 97}
        fields = {"edit_date": p.NOON + number} if message_id != number else {}
        words = f"mensagem {message_id} de {number} 👋"
        told = p.message(message_id, sender=chance.choice(people), chat=chat, text=words, **fields)
        body = p.raw(p.update(number, "edited_message" if fields else "message", told))
        yield body
        if number % 50 == 0:
            yield body
        if number % 1_000 == 0:
            yield b'{"update_id": ' + str(number).encode()


@pytest.fixture(scope="module")
def large(settings: Settings) -> tuple[Settings, Settings]:
    """A day of many generated updates in batches, and what the function makes of it."""
    s3 = boto3.client("s3")
    function = replace(settings, raw_bucket="large", enriched_bucket="large-of-function")
    other = replace(function, enriched_bucket="large-of-spark")
    for bucket in (function.raw_bucket, function.enriched_bucket, other.enriched_bucket):
        s3.create_bucket(Bucket=bucket)
    raw, lines = stores.open_store(function.raw_bucket, function), []

    def end() -> None:
        whole = b"\n".join(lines)
        obstore.put(raw, keys.batch_key(whole, DAY), whole)
        lines.clear()

    for body in generated(UPDATES):
        lines.append(body)
        if len(lines) == 9_000:
            end()
    end()
    start = time.perf_counter()
    (ledger,) = handler.run(function, [DAY])
    print(f"function: {ledger.documents} documents in {time.perf_counter() - start:.1f} s")
    assert ledger.balanced
    assert ledger.superseded > UPDATES / 20
    return function, other


@pytest.fixture
def several(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small parts and pieces, as a day of a hundred times more would have."""
    monkeypatch.setattr(spark, "PART_ROWS", UPDATES // 4)
    monkeypatch.setattr(spark, "PIECE", 4_000_000)


def test_a_large_day_has_several_parts_and_the_function_can_make_it_again(
    large: tuple[Settings, Settings], session: SparkSession, several: None
) -> None:
    start = time.perf_counter()
    (ledger,) = spark.run(large[1], [DAY], spark=session)
    print(f"spark: {ledger.documents} documents in {time.perf_counter() - start:.1f} s")
    assert ledger.balanced
    assert ledger.parts >= 3
    made = parts(large[1], "messages", DAY)
    assert len(made) == ledger.parts
    assert all(len(part) for part in made)
    rows = assert_equal(large, [DAY])
    (unchanged,) = handler.run(large[1], [DAY])
    assert unchanged.status == "unchanged"
    (again,) = handler.run(large[1], [DAY], rebuild=True)
    assert (again.status, again.parts) == ("written", 1)
    assert assert_equal(large, [DAY]) == rows


@pytest.mark.parametrize("victim", ["worker", "executor"])
def test_a_worker_or_executor_killed_in_the_middle_changes_nothing(
    large: tuple[Settings, Settings], session: SparkSession, several: None, victim: str
) -> None:
    if victim == "executor" and not MASTER.startswith("local-cluster"):
        pytest.skip("TGPIPELINE_SPARK_MASTER=local-cluster[2,1,1024] has executors of their own")
    find = workers if victim == "worker" else executors
    killed: list[int] = []
    over = threading.Event()

    def kill() -> None:
        """The first two that are at work, one after the other."""
        while not over.wait(0.3) and len(killed) < 2:
            for pid in find(os.getpid()):
                if pid not in killed:
                    time.sleep(0.5)
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
                    break

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    try:
        (ledger,) = spark.run(large[1], [DAY], rebuild=True, spark=session)
    finally:
        over.set()
        thread.join()
    assert killed
    assert ledger.balanced
    assert_equal(large, [DAY])


def test_what_fails_on_an_executor_is_told(
    zones: tuple[Settings, Settings], session: SparkSession
) -> None:
    put(zones[0], {keys.update_key(1, DAY): p.raw(p.text(1, "segredo"))})
    nowhere = replace(zones[0], enriched_bucket="not-there-at-all")
    with pytest.raises(LakeError, match=r"Spark failed: .*not-there-at-all") as caught:
        list(spark.run(nowhere, [DAY], spark=session))
    assert "segredo" not in str(caught.value)
    assert "Run again" in str(caught.value)


def workers(ancestor: int) -> list[int]:
    """Descendants of a process that run Spark's Python worker and are no daemon of it."""
    daemons = below(ancestor, b"pyspark.daemon")
    return [pid for pid, parent in daemons.items() if parent in daemons]


def executors(ancestor: int) -> list[int]:
    """Descendants of a process that are executors, each a JVM of its own."""
    return list(below(ancestor, b"CoarseGrainedExecutorBackend"))


def below(ancestor: int, name: bytes) -> dict[int, int]:
    """Descendants of a process whose command holds a name, and the parent of each."""
    parents: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, _, rest = status.read_text().rpartition(") ")
            parents[int(status.parent.name)] = int(rest.split()[1])
        except (OSError, ValueError):
            continue
    found = {}
    for pid, parent in parents.items():
        above = pid
        while above in parents and above != ancestor:
            above = parents[above]
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if above == ancestor and name in command:
            found[pid] = parent
    return found
