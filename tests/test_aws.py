"""The whole way in a real AWS account: `pytest --aws tests/test_aws.py`, about five minutes.

Takes the account and the region that boto3 finds, makes everything under a name of its own, opens
the webhook to this machine, and removes it all, data included. It costs a few cents. With
AWS_ENDPOINT_URL it runs against whatever answers there.
"""

import dataclasses
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests

from tests import payloads as p
from tgpipeline import deploy
from tgpipeline.analytics import athena
from tgpipeline.deploy import Deployment
from tgpipeline.ingest import SECRET_HEADER

pytestmark = [pytest.mark.aws, pytest.mark.enable_socket]


@pytest.fixture
def settings() -> Iterator[Deployment]:
    name = f"tgpipeline-test-{uuid.uuid4().hex[:8]}"
    made = Deployment.from_env(
        name=name,
        raw_bucket=f"{name}-raw",
        enriched_bucket=f"{name}-enriched",
        chat_ids=(p.SUPERGROUP,),
        webhook_secret=uuid.uuid4().hex,
        timezone="America/Sao_Paulo",
        telegram_ranges="0.0.0.0/0",
    )
    yield made
    deploy.down(made, delete_data=True)


def post(url: str, update: object, secret: str) -> int:
    """Post as Telegram does; what was deployed a moment ago may take a minute to answer."""
    for _ in range(12):
        answer = requests.post(url, json=update, headers={SECRET_HEADER: secret}, timeout=30)
        if answer.status_code == 200 or secret == "wrong":
            break
        time.sleep(5)
    return answer.status_code


def test_the_whole_way(settings: Deployment) -> None:
    deploy.up(settings)
    url = deploy.webhook.deployed(settings).url
    now = int(datetime.now(UTC).timestamp())
    updates = [p.update(n, content=p.message(n, text="oi", date=now)) for n in (1, 2)]
    edit = p.update(3, "edited_message", p.message(2, text="olá", date=now, edit_date=now + 1))
    for update in (*updates, edit, edit):
        assert post(url, update, settings.webhook_secret) == 200
    assert post(url, updates[0], "wrong") == 403
    day = datetime.fromtimestamp(now, settings.tz).date().isoformat()
    done = deploy.invoke("etl", {"date": day}, settings)
    assert (done["totals"]["objects"], done["totals"]["messages"]) == (3, 2)
    sql = f"SELECT message_id, text FROM messages WHERE context_date = DATE '{day}' ORDER BY 1"
    found = athena.query(sql, settings)
    assert found.to_dict("list") == {"message_id": [1, 2], "text": ["oi", "olá"]}
    assert deploy.prove(settings)["days"] == 1 + settings.lookback_days
    assert deploy.up(settings) == []
    assert deploy.status(settings).ok, deploy.status(settings)
    old = dataclasses.replace(settings, log_days=7)
    assert {change.resource for change in deploy.up(old)} >= {"Log"}
    deploy.down(settings)
    assert {line.partition(":")[0] for line in deploy.resources(settings)} == {
        f"{settings.name}-lake"
    }
    deploy.up(settings)
    assert deploy.webhook.deployed(settings).url != url  # another stack has another path
    deploy.down(settings, delete_data=True)
    assert deploy.resources(settings) == []
