"""The benchmark measures what it says: its server answers as S3, ours makes what others make."""

import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from benchmarks import __main__ as bench
from benchmarks import inputs, report
from benchmarks.server import Buckets, _unchunked

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def url():
    with bench.server() as running:
        yield running


def test_inputs_are_the_same_every_time():
    assert inputs.update(19) == inputs.update(19)
    assert b"edited_message" in inputs.update(19)
    assert b"".join(inputs.objects(30).values()) == b"".join(inputs.lines(30).values()).replace(
        b"\n", b""
    )


def test_the_server_answers_as_s3_does(url, monkeypatch):
    for name, value in bench.ACCOUNT.items():
        monkeypatch.setenv(name, value)
    s3 = boto3.client("s3", endpoint_url=url)
    pages = list(
        s3.get_paginator("list_objects_v2").paginate(Bucket="objects-2500", Prefix=inputs.PREFIX)
    )
    keys = [o["Key"] for page in pages for o in page["Contents"]]
    assert keys == sorted(inputs.objects(2500))
    assert [page["KeyCount"] for page in pages] == [1000, 1000, 500]
    whole = s3.get_object(Bucket="objects-2500", Key=keys[7])["Body"].read()
    assert whole == inputs.update(7)
    part = s3.get_object(Bucket="objects-2500", Key=keys[7], Range="bytes=5-9")
    assert (part["Body"].read(), part["ContentRange"]) == (whole[5:10], f"bytes 5-9/{len(whole)}")
    assert s3.head_object(Bucket="objects-2500", Key=keys[7])["ContentLength"] == len(whole)
    s3.put_object(Bucket="x", Key="a/b c", Body=b"new")
    assert s3.get_object(Bucket="x", Key="a/b c")["Body"].read() == b"new"
    found = s3.list_objects_v2(Bucket="x", Delimiter="/")
    assert found["CommonPrefixes"] == [{"Prefix": "a/"}]
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket="x", Key="none")


def test_bodies_in_chunks_are_put_together():
    chunks = b"5;chunk-signature=x\r\nhello\r\n2\r\n, \r\n0\r\nx-amz-checksum-crc32:x\r\n\r\n"
    assert _unchunked(chunks) == b"hello, "
    assert Buckets().answer("PUT", "/x/y", {"x-amz-decoded-content-length": "7"}, chunks)[0] == 200


@pytest.mark.parametrize("name", ["ours", "limit", "course"])
@pytest.mark.parametrize("bucket", ["objects-300", "lines-300"])
def test_contenders_do_the_whole_job(url, name, bucket):
    if name == "course" and bucket.startswith("lines"):
        pytest.skip("the course's way knows no newline-delimited objects")
    seen = bench.run(url, "child", name, bucket, 0, 1)
    assert "error" not in seen, seen
    messages = 300 - 300 // 20
    assert seen["rows"] == {"ours": messages, "limit": 0, "course": 300}[name]


def test_curves():
    a, b = report.quadratic({n: 0.01 * n + 1e-6 * n * n for n in (1000, 3000, 10000)})
    assert (a, b) == (pytest.approx(0.01), pytest.approx(1e-6))
    assert report.exponent({10: 1.0, 100: 10.0, 1000: 100.0}) == pytest.approx(1)


def test_the_report_is_what_the_results_say():
    committed = ROOT / "benchmarks" / "results.md"
    if not committed.exists():
        pytest.skip("nothing measured yet")
    code = (
        "import json, pathlib; from benchmarks import report; "
        "r = json.loads(pathlib.Path('benchmarks/results.json').read_text(encoding='utf-8')); "
        "import sys; sys.stdout.reconfigure(encoding='utf-8'); sys.stdout.write(report.render(r))"
    )
    rendered = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, env=os.environ
    ).stdout.decode()
    assert rendered == committed.read_text(encoding="utf-8")
