"""The layer, built for this machine's own Python, is all that the ETL needs beside boto3.

Tests fetch nothing: this one runs where the wheels are at hand, in the folder that PIP_FIND_LINKS
names (`pip download` puts them there).
"""

import dataclasses
import hashlib
import io
import json
import platform
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tgpipeline import deploy, local
from tgpipeline.deploy import Stack, packages, stages
from tgpipeline.errors import DeployError
from tgpipeline.settings import Settings, aws_client

RUNTIME = f"python3.{sys.version_info.minor}"
ARCHITECTURE = {"aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x86_64")
BOTO3 = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six.py")


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> bytes:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    try:
        return packages.layer_zip(ARCHITECTURE, RUNTIME)
    except DeployError as error:
        pytest.skip(f"no wheels at hand: {error}")


def _bare_python(where: Path) -> list[str]:
    venv.create(where, symlinks=True)
    site = next(where.glob("lib/python*/site-packages"))
    here = next(Path(entry) for entry in sys.path if (Path(entry) / "botocore").is_dir())
    for name in BOTO3:
        if (here / name).exists():
            (site / name).symlink_to(here / name)
    return [str(where / "bin" / "python"), "-I"]


def test_the_etl_runs_on_the_layer_alone(
    built: bytes, settings: Settings, stack: local.LocalStack, tmp_path: Path
) -> None:
    with zipfile.ZipFile(io.BytesIO(built)) as archive:
        assert sum(entry.file_size for entry in archive.infolist()) < 150e6
        archive.extractall(tmp_path / "opt")
    with zipfile.ZipFile(io.BytesIO(packages.zip_of("etl"))) as archive:
        archive.extractall(tmp_path / "code")
    stages.deploy("lake", settings)
    message = {"message_id": 1, "date": 1764345600, "chat": {"id": -4123456789}, "text": "oi"}
    aws_client("s3", settings).put_object(
        Bucket=settings.raw_bucket,
        Key="telegram/context_date=2025-11-28/1.json",
        Body=json.dumps({"update_id": 1, "message": message}).encode(),
    )
    script = (
        f"import sys; sys.path[:0] = [{str(tmp_path / 'code')!r}, "
        f"{str(tmp_path / 'opt' / 'python')!r}]\n"
        "from tgpipeline.etl.handler import lambda_handler\n"
        "print(lambda_handler({'date': '2025-11-28'}, None)['totals']['messages'])\n"
    )
    done = subprocess.run(
        [*_bare_python(tmp_path / "python"), "-c", script],
        env={
            **stack.variables,
            "AWS_S3_BUCKET": settings.raw_bucket,
            "AWS_S3_ENRICHED": settings.enriched_bucket,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "1"), done.stderr


def test_a_layer_is_made_once_and_given_to_the_etl(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its zip lies under the hash of its recipe; what is in it is no matter here."""
    built: list[str] = []
    zipped = packages.pack({"python/a.py": b""})
    monkeypatch.setattr(packages, "layer_zip", lambda _: built.append("once") or zipped)
    wanted = dataclasses.replace(deploy.Deployment.of(settings), layer="build")
    for stage in ("lake", "etl"):
        stages.deploy(stage, wanted)
    assert stages.deploy("etl", wanted) == []
    assert built == ["once"]
    client = aws_client("lambda", settings)
    live = client.get_function_configuration(FunctionName=f"{settings.name}-etl")
    (attached,) = live["Layers"]
    made = Stack("etl", settings).resources()["Layer"]["PhysicalResourceId"]
    assert attached["Arn"] == made
    none = dataclasses.replace(wanted, layer="none")
    assert {change.resource for change in stages.deploy("etl", none)} >= {"Layer", "Function"}
    live = client.get_function_configuration(FunctionName=f"{settings.name}-etl")
    assert not live.get("Layers")


def test_the_same_wheels_make_the_same_layer(built: bytes) -> None:
    twice = packages.layer_zip(ARCHITECTURE, RUNTIME)
    assert hashlib.sha256(twice).digest() == hashlib.sha256(built).digest()


def test_where_there_is_no_pip_one_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """uv makes environments without pip; the layer's wheels are fetched by one of its own."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    python = packages._python_with_pip(tmp_path / "pip")
    done = subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert python != sys.executable
