"""MiniStack as a process of ours: alone on 127.0.0.1, two at once, gone with whoever started it."""

import dataclasses
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import date
from pathlib import Path

import boto3
import obstore
import pytest

from telegram_standin import Telegram
from tgpipeline import deploy, local
from tgpipeline.errors import LocalStackError, SettingsError
from tgpipeline.lake import stores
from tgpipeline.local import ministack, replay
from tgpipeline.settings import Settings, aws_client
from tgpipeline.telegram import updates
from tgpipeline.telegram.bot import Bot


def _port(stack: ministack.AwsStack) -> int:
    return int(stack.endpoint_url.rpartition(":")[2])


def _client(stack: ministack.AwsStack, service: str = "s3") -> object:
    return boto3.client(
        service,
        endpoint_url=stack.endpoint_url,
        region_name=ministack.VARIABLES["clients"]["AWS_REGION"],
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def _group(pid: int) -> list[int]:
    """The processes of a process group."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(after_name[2]) == pid and after_name[0] != "Z":
            found.append(int(path.parent.name))
    return found


def _listening(pid: int) -> set[str]:
    """The addresses, as /proc spells them, on which a process listens for TCP."""
    inodes = {
        os.readlink(link).partition("[")[2].rstrip("]")
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if "socket:" in os.readlink(link)
    }
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and words[9] in inodes:
                found.add(words[1])
    return found


def _gone(pid: int, seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while _group(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not _group(pid)


linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")


def test_two_stacks_know_nothing_of_each_other() -> None:
    with ministack.start_aws() as one, ministack.start_aws() as other:
        assert one.endpoint_url != other.endpoint_url
        _client(one).create_bucket(Bucket="only-here")
        assert [b["Name"] for b in _client(one).list_buckets()["Buckets"]] == ["only-here"]
        assert _client(other).list_buckets()["Buckets"] == []


@linux
def test_it_listens_on_the_loopback_address_alone() -> None:
    with ministack.start_aws() as stack:
        _client(stack, "lambda").list_functions()
        assert _listening(stack.process.pid) == {f"0100007F:{_port(stack):04X}"}


def test_stop_leaves_no_process_no_port_no_file() -> None:
    with ministack.start_aws() as stack:
        assert stack.directory.is_dir()
    assert stack.process.poll() is not None
    assert not stack.directory.exists()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", _port(stack))) != 0


@linux
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_the_process_that_started_it(how: signal.Signals) -> None:
    code = (
        "import signal, time\nfrom tgpipeline.local import ministack\n"
        # What runs in the background of a shell takes no notice of SIGINT, nor do its children.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "running = ministack.start_aws()\nstack = running.__enter__()\n"
        "print(stack.process.pid, stack.directory, flush=True)\ntime.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid, directory = parent.stdout.readline().split()
    assert _group(int(pid))
    parent.send_signal(how)
    parent.wait(10)
    parent.stdout.close()
    assert _gone(int(pid))
    assert not Path(directory).exists()


def test_no_answer_in_time_shows_the_log_and_leaves_nothing(tmp_path: Path) -> None:
    with (
        pytest.raises(LocalStackError, match="did not answer within 0 seconds"),
        ministack.start_aws(timeout=0),
    ):
        pass


def test_an_end_at_the_start_shows_the_end_of_the_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "hypercorn").mkdir()
    (tmp_path / "hypercorn" / "__init__.py").write_text("raise ImportError('a broken install')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with (
        pytest.raises(LocalStackError, match=r"ended at its start[\s\S]*a broken install"),
        ministack.start_aws(),
    ):
        pass


def test_missing_ministack_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(LocalStackError, match="pip install 'tgpipeline\\[local\\]'"):
        ministack.start_aws().__enter__()


def test_functions_inherit_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "7000000001:A-TOKEN-THAT-FUNCTIONS-NEVER-SEE")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a-real-session")
    with ministack.start_aws() as stack:
        environment = Path(f"/proc/{stack.process.pid}/environ")
        if environment.exists():
            assert b"NEVER-SEE" not in environment.read_bytes()
            assert b"a-real-session" not in environment.read_bytes()


def test_a_replay_outlives_a_webhook_that_fails_for_a_while() -> None:
    """Its clock stands still, but what is to be repeated after two seconds is repeated."""
    with local.start("ingest") as stack:
        stack.bot.set_webhook(
            deploy.webhook.deployed(stack.settings).url, secret_token=local.SECRET
        )
        s3, bucket = aws_client("s3", stack.settings), {"Bucket": stack.settings.raw_bucket}
        s3.delete_bucket(**bucket)

        def mend() -> None:
            while "last_error_message" not in stack.bot.get_webhook_info():
                time.sleep(0.05)
            s3.create_bucket(**bucket)

        mending = threading.Thread(target=mend, daemon=True)
        mending.start()
        sent = stack.replay(replay.FIRST, replay.FIRST)
        mending.join()
        assert "Wrong response" in stack.bot.get_webhook_info()["last_error_message"]
        assert stack.telegram.pending() == 0
        assert sent.updates > 50
        assert stack.telegram.clock.now() == int(stack.telegram.clock.now())


@pytest.mark.parametrize(
    ("variable", "value"), [("TIMEZONE", "Mars/Olympus"), ("TELEGRAM_CHAT_ID", "abc")]
)
def test_a_setting_that_cannot_be_read_is_refused_at_the_start(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=variable):
        local.start()


def test_start_points_everything_at_the_stack_and_stop_puts_it_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_S3_BUCKET", "a-real-bucket")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.delenv("TELEGRAM_API_URL", raising=False)
    before = dict(os.environ)
    with local.start() as stack:
        assert os.environ["AWS_ENDPOINT_URL"] == stack.aws.endpoint_url
        assert os.environ["TELEGRAM_API_URL"] == stack.telegram.url
        assert stack.settings.raw_bucket == "tgpipeline-local-raw"
        assert not {"AWS_PROFILE", "AWS_ENDPOINT_URL_S3"} & set(os.environ)
        boto3.client("s3").list_buckets()
        assert stack.variables["TELEGRAM_BOT_TOKEN"] == stack.telegram.token
        assert stack.telegram.token not in repr(stack)
        assert local.SECRET not in repr(stack)
        stack.stop()
    assert dict(os.environ) == before


def test_an_unknown_step_is_refused_before_anything_starts() -> None:
    with pytest.raises(LocalStackError, match="the steps are ingest, webhook, etl, analytics"):
        local.start(through="notebook-3")


def test_private_names_that_have_changed_cost_a_warning(monkeypatch, tmp_path, caplog) -> None:
    """A MiniStack whose modules are there, and whose private names are others."""
    (tmp_path / "sitecustomize.py").write_text(
        "from ministack.core.lambda_runtime import Worker\ndel Worker._drain_stderr_bounded\n"
        "from ministack.services import apigateway_v1\n"
        "del apigateway_v1._build_lambda_event_v1\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with ministack.start_aws() as stack:
        _client(stack).list_buckets()
    told = sorted(record.getMessage() for record in caplog.records)
    assert "5 ms longer" in told[0]
    assert "updates without a date" in told[1]


def test_a_full_disk_is_told_before_anything_starts(monkeypatch) -> None:
    monkeypatch.setattr(ministack, "_ROOM", 2**70)
    with pytest.raises(LocalStackError, match=r"no room for its data in .* free some, or name"):
        ministack.start_aws().__enter__()
    monkeypatch.setattr(ministack.tempfile, "gettempdir", lambda: "/nowhere/at/all")
    with pytest.raises(LocalStackError, match="No such file"):
        ministack.start_aws().__enter__()


def test_a_laptops_environment_does_not_lead_away_from_the_stack(monkeypatch) -> None:
    laptop = {
        "AWS_DEFAULT_PROFILE": "work",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        "no_proxy": "intranet.example",
        **dict.fromkeys(("http_proxy", "HTTPS_PROXY", "all_proxy"), "http://127.0.0.1:9"),
    }
    for name, value in laptop.items():
        monkeypatch.setenv(name, value)
    with local.start() as stack:
        boto3.client("s3").create_bucket(Bucket="here")
        assert os.environ["no_proxy"] == "127.0.0.1,localhost,intranet.example"
        assert list(stores.open_store("here", stack.settings).list()) == []
        assert stack.bot.get_me()["is_bot"]
    assert {name: os.environ[name] for name in laptop} == laptop


def test_what_is_stored_at_the_start_is_what_the_webhook_would_bring(zones) -> None:
    """The same keys, bytes and reasons: days with edits, a migration and what is no update."""
    start, end = date(2025, 11, 12), date(2025, 11, 14)
    kinds = sorted(updates.MESSAGE_KINDS | updates.EVENT_KINDS)
    with local.start("ingest") as stack:
        stack.bot.set_webhook(
            deploy.webhook.deployed(stack.settings).url,
            secret_token=local.SECRET,
            allowed_updates=kinds,
        )
        stack.replay(start, end)
        played = _everything(stack.settings)
    with Telegram() as telegram:
        Bot(telegram.token, telegram.url).get_updates(allowed_updates=kinds)
        ours = dataclasses.replace(zones.settings, chat_ids=(telegram.group_id,))
        assert replay.fill(replay.lines(start, end), telegram, ours) == len(played)
        assert telegram.pending() == 0
    assert _everything(zones.settings) == played
    assert any(key.startswith("quarantine/") for key in played)
    assert any(key.startswith("migrations/") for key in played)


def _everything(settings: Settings) -> dict[str, tuple[bytes, str | None]]:
    """Each object of the raw zone, with the reason why it is in quarantine."""
    raw = stores.open_store(settings.raw_bucket, settings)
    found = {}
    for key in [item["path"] for page in raw.list() for item in page]:
        got = obstore.get(raw, key)
        found[key] = got.bytes().to_bytes(), got.attributes.get("reason")
    return found
