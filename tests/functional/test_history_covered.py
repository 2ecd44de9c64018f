"""The coverage of an enriched zone that an import and the webhook made together."""

import json
from datetime import date
from pathlib import Path

import boto3
import pytest

from tgpipeline import history
from tgpipeline.analytics.support import coverage
from tgpipeline.errors import LakeError
from tgpipeline.etl import handler
from tgpipeline.lake import keys, stores
from tgpipeline.local import ministack
from tgpipeline.settings import Settings

pytestmark = pytest.mark.functional
GROUP = -1002198765432
START = 1764331200  # 2025-11-28 09:00 in São Paulo


def test_coverage_reads_what_the_etl_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ministack.start_aws() as stack:
        for name, value in stack.environment.items():
            monkeypatch.setenv(name, value)
        settings = Settings.from_env(
            raw_bucket="raw", enriched_bucket="enriched", chat_ids=(GROUP,)
        )
        s3 = boto3.client("s3")
        for bucket in ("raw", "enriched"):
            s3.create_bucket(Bucket=bucket)
        with pytest.raises(LakeError, match="run the ETL first"):
            coverage.arrivals(settings)

        told = {"type": "private_supergroup", "id": 2198765432, "messages": []}
        for number in range(1, 31):
            sent = {"id": number, "date_unixtime": str(START + number), "from_id": "user1"}
            told["messages"].append({**sent, "type": "message", "text": "oi"})
        path = tmp_path / "result.json"
        path.write_text(json.dumps(told))
        history.import_export(path, settings)
        for number in range(61, 71):
            message = {"message_id": number, "date": START + 86400 + number, "text": "oi"}
            message["chat"] = {"id": GROUP, "type": "supergroup"}
            body = json.dumps({"update_id": number, "message": message}).encode()
            stores.put_new(s3, "raw", keys.update_key(number, date(2025, 11, 29)), body)
        list(handler.run(settings, [date(2025, 11, 28), date(2025, 11, 29)]))

        messages = coverage.arrivals(settings)
        days = coverage.by_day(messages)
        assert days[["history", "webhook"]].to_numpy().tolist() == [[30, 0], [0, 10]]
        (hole,) = coverage.holes(messages).to_dict("records")
        assert (hole["after_id"], hole["before_id"], hole["beyond_deletions"]) == (30, 61, True)
