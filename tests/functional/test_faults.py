"""What breaks, breaks at the edge of the network; after it, the lake is as if nothing had happened.

The ETL is killed at every stage and run again. S3 fails, throttles, stalls or loses its answer
while updates come in, and the Bot API stand-in delivers them again.
"""

import http.client
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from http.server import BaseHTTPRequestHandler
from threading import Thread
from urllib.parse import urlsplit

import obstore
import pytest

from telegram_standin import Clock, Telegram
from tests import edge
from tests import payloads as p
from tests.functional.proxy import Fault, Proxy, Server
from tgpipeline import ingest
from tgpipeline.errors import LakeError
from tgpipeline.etl import handler
from tgpipeline.lake import keys, stores
from tgpipeline.settings import Settings
from tgpipeline.telegram.bot import Bot

DAY = date(2025, 11, 28)
SECRET = "a-secret-for-faults"
COUNT = 60


def fill(zones):
    zones.put(*(p.text(n, f"n{n}") for n in range(1, COUNT + 1)))
    zones.put(p.update(900, "message_reaction", p.EVENTS["message_reaction"][0]))
    bad = f"{keys.partition(keys.RAW, DAY)}901.json"
    obstore.put(zones.raw, bad, b"{")


def run_elsewhere(zones, proxy):
    """Run the ETL in a process of its own, behind the proxy, which may kill it."""
    code = (
        "import sys; from tgpipeline.etl.handler import lambda_handler as run; "
        "run({'date': sys.argv[1]}, None)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, DAY.isoformat()],
        env=os.environ
        | {
            "AWS_ENDPOINT_URL": proxy.url,
            "AWS_S3_BUCKET": zones.settings.raw_bucket,
            "AWS_S3_ENRICHED": zones.settings.enriched_bucket,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    proxy.client = process.pid
    return process.wait(60)


STAGES = {
    "before it has listed the migrations": Fault("GET", "migrations", kill="before"),
    "before it has listed the day": Fault("GET", "list-type", skip=2, kill="before"),
    "before it knows what was there": Fault("HEAD", "messages", kill="before"),
    "while it reads": Fault("GET", ".json", skip=COUNT // 2, kill="before"),
    "before it writes to the quarantine": Fault("PUT", "quarantine", kill="before"),
    "after it has written to the quarantine": Fault("PUT", "quarantine", kill="after"),
    "before it writes the first table": Fault("PUT", "parquet", kill="before"),
    "after it has written the first table": Fault("PUT", "parquet", kill="after"),
    "before it writes the second table": Fault("PUT", "parquet", skip=1, kill="before"),
    "after it has written the second table": Fault("PUT", "parquet", skip=1, kill="after"),
}


@pytest.mark.parametrize("before", ["nothing", "an earlier run"])
@pytest.mark.parametrize("stage", STAGES)
def test_the_etl_killed(zones, stage, before):
    if before == "an earlier run":
        zones.put(p.text(1, "n1"))
        zones.run(DAY)
    fill(zones)
    fault = replace(STAGES[stage])
    with Proxy(zones.settings.endpoint_url, fault) as proxy:
        assert run_elsewhere(zones, proxy) == -9, f"it was not killed {stage}"
    ledger = zones.run(DAY)[DAY.isoformat()]
    assert (ledger.messages, ledger.events, ledger.quarantined) == (COUNT, 1, 1)
    assert {r["message_id"]: r["text"] for r in zones.rows(DAY)} == {
        n: f"n{n}" for n in range(1, COUNT + 1)
    }
    assert len(zones.rows(DAY, "events")) == 1
    assert len(zones.everything()) == 2
    keys = [o["path"] for page in zones.raw.list("quarantine/") for o in page]
    assert len(keys) == 1
    assert zones.run(DAY)[DAY.isoformat()].status == "unchanged"


@pytest.mark.parametrize(
    "faults",
    [
        [Fault("GET", ".json", count=20, status=503)],
        [Fault("GET", ".json", skip=10, count=5, status=500)],
        [Fault("GET", ".json", count=3, lose=True)],
        [Fault("GET", "list-type", count=2, status=503)],
        [Fault("PUT", "parquet", count=2, status=500)],
        [Fault("PUT", "parquet", count=1, lose=True)],
        [Fault("GET", ".json", skip=5, count=20, seconds=0.2)],
    ],
    ids=lambda faults: f"{faults[0].method}-{faults[0].status or faults[0].seconds or 'lost'}",
)
def test_the_etl_goes_through_passing_faults(zones, faults):
    fill(zones)
    with Proxy(zones.settings.endpoint_url, *map(replace, faults)) as proxy:
        beyond = replace(zones.settings, endpoint_url=proxy.url)
        (ledger,) = handler.run(beyond, [DAY])
    assert (ledger.messages, ledger.events, ledger.quarantined) == (COUNT, 1, 1)
    assert zones.run(DAY)[DAY.isoformat()].status == "unchanged"


@pytest.mark.parametrize(("method", "part"), [("GET", ".json"), ("PUT", "parquet"), ("HEAD", "")])
def test_what_is_refused_fails_the_run_and_says_so(zones, method, part):
    fill(zones)
    with Proxy(zones.settings.endpoint_url, Fault(method, part, status=403)) as proxy:
        beyond = replace(zones.settings, endpoint_url=proxy.url)
        with pytest.raises(LakeError, match="then run again") as caught:
            list(handler.run(beyond, [DAY]))
    assert zones.settings.raw_bucket in str(caught.value)
    assert zones.run(DAY)[DAY.isoformat()].messages == COUNT


class Gateway:
    """API Gateway's part: hands what is posted to the function, and its answer back."""

    def __init__(self):
        statuses = self.statuses = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                event = {"headers": dict(self.headers), "body": body, "isBase64Encoded": False}
                answer = ingest.lambda_handler(event, None)
                statuses.append(answer["statusCode"])
                self.send_response(answer["statusCode"])
                self.send_header("Content-Length", str(len(answer["body"])))
                self.end_headers()
                self.wfile.write(answer["body"].encode())

            def log_message(self, *args):
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def hook(zones, monkeypatch):
    """The ingest function behind a proxy and a gateway; tells the proxy and the gateway."""
    caches = (ingest._settings.cache_clear, ingest._our_chats.clear, stores.client.cache_clear)
    with Proxy(zones.settings.endpoint_url) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        monkeypatch.setenv("AWS_S3_BUCKET", zones.settings.raw_bucket)
        monkeypatch.setenv("TELEGRAM_WEBHOOK_SECRET", SECRET)
        monkeypatch.setenv("TELEGRAM_CHAT_ID", str(p.SUPERGROUP))
        for clear in caches:
            clear()
        gateway = Gateway()
        yield proxy, gateway
        gateway.stop()
    for clear in caches:
        clear()


def stored(zones):
    return {
        int(o["path"].rsplit("/", 1)[1].removesuffix(".json"))
        for page in zones.raw.list("telegram/")
        for o in page
    }


@pytest.mark.parametrize(
    "fault",
    [
        Fault("PUT", "telegram", skip=3, count=20, status=500),
        Fault("PUT", "telegram", skip=2, count=9, status=503),
        Fault("PUT", "telegram", count=4, lose=True),
        Fault("PUT", "telegram", skip=5, count=1, seconds=6),  # longer than the client waits
        Fault("PUT", "telegram", count=1, status=403),
    ],
    ids=["fails", "throttles", "loses its answer", "stalls", "refuses"],
)
def test_updates_sent_while_s3_is_faulty_are_there_exactly_once(zones, hook, fault):
    proxy, gateway = hook
    clock = Clock(p.NOON, running=False)
    with Telegram(clock=clock) as telegram:
        bot = Bot(telegram.token, telegram.url)
        bot.set_webhook(gateway.url, secret_token=SECRET)
        proxy.faults = [replace(fault)]
        sent = [telegram.inject(_without_id(p.text(n)))[0] for n in range(1, 13)]
        telegram.wait_delivered(300)  # its clock is put forward to each retry
    assert stored(zones) == set(sent)
    assert zones.run(DAY)[DAY.isoformat()].messages == 12
    if fault.status in (500, 403):
        assert 500 in gateway.statuses
    assert set(gateway.statuses) <= {200, 500}


def _without_id(update):
    return {name: value for name, value in update.items() if name != "update_id"}


def test_fifty_webhooks_at_once_lose_nothing(zones, hook):
    _, gateway = hook
    host = urlsplit(gateway.url).netloc

    def post(number):
        connection = http.client.HTTPConnection(host, timeout=60)
        headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
        connection.request("POST", "/", p.raw(p.text(number % 400)), headers)
        return connection.getresponse().status

    with ThreadPoolExecutor(50) as pool:
        statuses = list(pool.map(post, range(500)))
    assert set(statuses) == {200}
    assert stored(zones) == set(range(400))
    assert zones.run(DAY)[DAY.isoformat()].objects == 400


def test_the_clock_of_the_function_decides_only_where_nothing_else_does(zones):
    settings = replace(zones.settings, chat_ids=(p.SUPERGROUP,))
    dated, undated = p.raw(p.text(1)), p.raw(p.update(2, "poll", p.CONTENTS["poll"]))
    for body in (dated, undated):
        ingest.store(body, settings, zones.s3, edge.RECEIVED.replace(year=2031))
    keys = sorted(o["path"] for page in zones.raw.list("telegram/") for o in page)
    assert keys == [
        "telegram/context_date=2025-11-28/1.json",
        "telegram/context_date=2031-12-01/2.json",
    ]


def test_a_date_that_is_wrong_lands_where_queries_look(zones):
    settings: Settings = replace(zones.settings, chat_ids=(p.SUPERGROUP,))
    for number, seconds in enumerate((0, 5, -1, 2**40, 1e20), 1):
        body = json.dumps(p.text(number, date=seconds)).encode()
        ingest.store(body, settings, zones.s3, edge.RECEIVED)
    received = edge.RECEIVED.astimezone(settings.tz).date()
    assert zones.run(received)[received.isoformat()].messages == 5
