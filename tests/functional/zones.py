"""A raw and an enriched bucket on the local stack, and short ways to fill and read them."""

import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import boto3
import obstore
import pytest

from tests import edge
from tgpipeline import local
from tgpipeline.etl import handler
from tgpipeline.lake import keys, stores
from tgpipeline.lake.ledger import Ledger
from tgpipeline.settings import Settings
from tgpipeline.telegram import updates


@dataclass
class Zones:
    """Both buckets of one test.

    Attributes:
        settings: that name them.
        s3: a boto3 client of the stack.
    """

    settings: Settings
    s3: Any

    @property
    def raw(self) -> Any:
        """The raw bucket as the ETL sees it."""
        return stores.open_store(self.settings.raw_bucket, self.settings)

    @property
    def enriched(self) -> Any:
        """The enriched bucket as the ETL sees it."""
        return stores.open_store(self.settings.enriched_bucket, self.settings)

    def put(self, *given: dict[str, Any]) -> None:
        """Store updates where the ingest function would."""
        raw = self.raw

        def one(update: dict[str, Any]) -> None:
            day = updates.context_date(updates.payload(update), self.settings.tz, edge.RECEIVED)
            obstore.put(raw, keys.update_key(update["update_id"], day), json.dumps(update).encode())

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(one, given))

    def run(self, *days: date, **options: Any) -> dict[str, Ledger]:
        """Run the ETL; every ledger must add up."""
        ledgers = list(handler.run(self.settings, days, **options))
        assert all(ledger.balanced for ledger in ledgers), ledgers
        return {ledger.date: ledger for ledger in ledgers}

    def rows(self, day: date, table: str = "messages") -> list[dict[str, Any]]:
        """The rows of a day, `context_timestamp` left out."""
        found = edge.table(self.enriched, table, day)
        assert found is not None, f"no {table} of {day}"
        return found.to_pylist()

    def everything(self) -> dict[str, tuple[str, Any]]:
        """Each object of the enriched zone with its ETag and when it was written."""
        found = [o for page in self.enriched.list() for o in page]
        return {o["path"]: (o["e_tag"], o["last_modified"]) for o in found}


def make(stack: local.LocalStack) -> Zones:
    """Two new buckets."""
    name = f"zones-{uuid.uuid4().hex[:8]}"
    settings = replace(stack.settings, raw_bucket=f"{name}-raw", enriched_bucket=f"{name}-enriched")
    s3 = boto3.client("s3")
    for bucket in (settings.raw_bucket, settings.enriched_bucket):
        s3.create_bucket(Bucket=bucket)
    return Zones(settings, s3)


@pytest.fixture
def zones(stack: local.LocalStack) -> Iterator[Zones]:
    """Two empty buckets of this test alone."""
    made = make(stack)
    yield made
    for bucket in (made.settings.raw_bucket, made.settings.enriched_bucket):
        whole = boto3.resource("s3").Bucket(bucket)
        whole.objects.all().delete()
        whole.delete()
