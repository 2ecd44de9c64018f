"""Runs everything, prints it, and writes results.md, results.json and results.png.

python -m benchmarks [--million] [--server URL] [--quick]
"""

import argparse
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import report

HERE = Path(__file__).parent
PEERS = ("polars", "duckdb", "pandas", "awswrangler", "pyarrow")
ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "PYTHONWARNINGS": "ignore",
}
Result = dict[str, Any]


@contextmanager
def server(delay: float = 0, url: str = "") -> Iterator[str]:
    """The benchmark's own S3 (or the one that was asked for), which ends with the block."""
    if url and not delay:
        yield url
        return
    command = [sys.executable, "-m", "benchmarks.server", "0", str(delay)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        port = process.stdout.readline().split()[0].decode()
        yield f"http://127.0.0.1:{port}"
        process.communicate(b"")


def run(url: str, module: str, *arguments: object) -> Result:
    """Run one measurement in a process of its own; what it says, or why it failed."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=os.environ | ACCOUNT | {"AWS_ENDPOINT_URL": url},
        check=False,
    )
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["no reason given"])[-1][:300]}
    found: Result = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(arguments: argparse.Namespace) -> Result:
    """Everything there is to measure, by section, contender and size."""
    quick, only = arguments.quick, set(arguments.only)
    results: Result = {"objects": {}, "latency": {}, "lines": {}, "ministack": {}}
    if only:
        results = json.loads((HERE / "results.json").read_text(encoding="utf-8"))
        results["again"] = sorted({*results.get("again", ()), *only})

    def case(section: str, url: str, name: str, bucket: str, seconds: float, most: int) -> None:
        if only and not {section, f"{section}/{name}"} & only:
            return
        if section != "ministack":  # the server makes a bucket when it is first asked for it
            urllib.request.urlopen(f"{url}/{bucket}?list-type=2&max-keys=1").read()
        seen = run(url, "child", name, bucket, seconds, most)
        count = bucket.rpartition("-")[2]
        results[section].setdefault(name, {})[count] = seen
        if "limit" in seen:
            results[section].setdefault("limit", {})[count] = seen.pop("limit")
        wall = f"{report.median(seen['wall']):8.2f} s" if "wall" in seen else seen["error"]
        print(f"  {section:<10}{name:<12}{bucket:<16}{wall}", flush=True)

    with server(url=arguments.server) as url:
        for name in ("ours", *PEERS):
            case("objects", url, name, "objects-1000", 6, 5)
        case("objects", url, "ours", "objects-10000", 12, 9)
        for name in PEERS:
            case("objects", url, name, "objects-10000", 12, 3)
        for count, seconds, most in ((1000, 20, 3), (3000, 1, 1), (10000, 1, 1)):
            if not (quick and count > 3000):
                case("objects", url, "course", f"objects-{count}", seconds, most)
        if not quick:
            case("objects", url, "ours", "objects-100000", 40, 3)
            best = min(PEERS, key=lambda peer: report.wall(results["objects"][peer].get("10000")))
            case("objects", url, best, "objects-100000", 1, 1)
        if arguments.million:
            case("objects", url, "ours", "objects-1000000", 1, 1)
        for name in ("ours", "polars", "duckdb"):
            for count in (100_000,) if quick else (100_000, 1_000_000):
                case("lines", url, name, f"lines-{count}", 50, 3)
        if not only:
            results["ingest"] = run(url, "ingest")
    with server(delay=0.02) as url:
        for name in ("ours", "polars"):
            case("latency", url, name, "objects-10000", 12, 3)
        case("latency", url, "course", "objects-300", 1, 1)
    if only and not any(name.startswith("ministack") for name in only):
        return results
    results["ministack"] = _ministack(case, results)
    results["imports"] = {name: _import(code) for name, code in report.IMPORTS.items()}
    results["topics"] = _topics()
    return results


def _ministack(case: Any, results: Result) -> Result:
    """The same two against an S3 that others wrote: that ours decides nothing."""
    from benchmarks import contenders, inputs
    from tgpipeline.local import aws

    with aws.start() as stack:
        os.environ.update(stack.environment)
        import boto3
        import obstore

        from tgpipeline import lake
        from tgpipeline.settings import Settings

        client = boto3.client("s3")
        settings = Settings.from_env()
        client.create_bucket(Bucket=contenders.OUT)
        for count in (100, 2000):
            client.create_bucket(Bucket=f"objects-{count}")
            store = lake.open_store(f"objects-{count}", settings)
            for key, body in inputs.objects(count).items():
                obstore.put(store, key, body)
        for name in ("ours", "course"):
            case("ministack", stack.endpoint_url, name, "objects-2000", 10, 3)
    return dict(results["ministack"])


def _import(code: str) -> Result:
    """Milliseconds of CPU to import and make ready, in a fresh interpreter; median of five."""
    timed = f"import time; t = time.process_time(); {code}; print((time.process_time() - t) * 1000)"
    env = os.environ | ACCOUNT
    seen = [
        float(subprocess.check_output([sys.executable, "-c", timed], env=env).split()[-1])
        for _ in range(5)
    ]
    return {"ms": sorted(seen)}


def _topics() -> str:
    """What bench_topics.py prints."""
    command = [sys.executable, str(HERE / "bench_topics.py"), "--messages", "20000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout if not done.returncode else done.stderr.strip().splitlines()[-1]


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--million", action="store_true", help="also 1,000,000 objects (minutes)")
    parser.add_argument("--quick", action="store_true", help="the small sizes alone")
    parser.add_argument("--server", default="", help="another S3 to measure on, already filled")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="SECTION[/NAME]", help="measure these again"
    )
    parser.add_argument("--render", action="store_true", help="only write anew from results.json")
    arguments = parser.parse_args()
    if arguments.render:
        results = json.loads((HERE / "results.json").read_text(encoding="utf-8"))
    else:
        machine = report.machine()
        results = {**measure(arguments), "machine": machine, "load_after": os.getloadavg()}
        # Through JSON, so that what is rendered now and later is the same.
        text = json.dumps(results, indent=1, ensure_ascii=False)
        (HERE / "results.json").write_text(text + "\n", encoding="utf-8")
        results = json.loads(text)
    rendered = report.render(results)
    (HERE / "results.md").write_text(rendered, encoding="utf-8")
    report.plot(results, HERE / "results.png")
    print(rendered)


if __name__ == "__main__":
    main()
