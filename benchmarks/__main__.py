"""Runs everything, prints it, and writes results.md, results.json and results.png.

python -m benchmarks [--quick] [--render]
"""

import argparse
import json
import math
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
PATIENCE = 900  # seconds; some contenders wait for ever at times
Result = dict[str, Any]


@contextmanager
def server(delay: float = 0) -> Iterator[str]:
    """The benchmark's own S3, which ends with the block."""
    command = [sys.executable, "-m", "benchmarks.server", "0", str(delay)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        port = process.stdout.readline().split()[0].decode()
        yield f"http://127.0.0.1:{port}"
        process.communicate(b"")


def run(url: str, module: str, *arguments: object) -> Result:
    """Run one measurement in a process of its own; what it says, or why it failed."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    environment = os.environ | ACCOUNT | {"AWS_ENDPOINT_URL": url}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, check=False, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        return {"error": f"not done after {PATIENCE} s"}
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["no reason given"])[-1][:300]}
    found: Result = json.loads(done.stdout.splitlines()[-1])
    return found


class Series:
    """Measures case after case into one dict: section, contender, size."""

    def __init__(self) -> None:
        self.results: Result = {"objects": {}, "latency": {}, "lines": {}, "ministack": {}}

    def case(
        self, section: str, url: str, name: str, bucket: str, seconds: float, most: int
    ) -> None:
        """Measure one contender on one bucket, for about that many seconds."""
        if section != "ministack":  # the server makes a bucket when it is first asked for it
            urllib.request.urlopen(f"{url}/{bucket}?list-type=2&max-keys=1").read()
        seen = run(url, "child", name, bucket, seconds, most)
        count = bucket.rpartition("-")[2]
        for limit, figures in seen.pop("limits", {}).items():
            self.results[section].setdefault(limit, {})[count] = figures
        self.results[section].setdefault(name, {})[count] = seen
        wall = f"{report.median(seen['wall']):8.2f} s" if "wall" in seen else seen["error"]
        print(f"  {section:<10}{name:<12}{bucket:<16}{wall}", flush=True)

    def fast(self, section: str, count: int, seconds: float) -> list[str]:
        """The peers that took no longer than that for so many."""
        walls = {n: report.wall(seen.get(str(count))) for n, seen in self.results[section].items()}
        return [name for name in PEERS if walls.get(name, math.inf) <= seconds]


def measure(series: Series, *, quick: bool) -> Result:
    """Everything there is to measure."""
    case, results = series.case, series.results
    with server() as url:
        for count in (1000, 10_000):
            for name in ("ours", *PEERS):
                case("objects", url, name, f"objects-{count}", 15, 9 if name == "ours" else 3)
        for count in (1000, 3000, 10_000)[: 2 if quick else 3]:
            case("objects", url, "course", f"objects-{count}", 20, 3)
        if not quick:
            best = min(PEERS, key=lambda peer: report.wall(results["objects"][peer].get("10000")))
            for name in ("ours", best):
                case("objects", url, name, "objects-100000", 90, 3)
        for count in (1000, 10_000, 100_000):
            for name in ("ours", *PEERS):
                case("lines", url, name, f"lines-{count}", 15, 5)
        if not quick:
            for name in ("ours", *series.fast("lines", 100_000, 3)):
                case("lines", url, name, "lines-1000000", 50, 3)
        results["ingest"] = run(url, "ingest")
    with server(delay=0.02) as url:
        for count in (1000, 10_000):
            peers = PEERS if count == 1000 else series.fast("latency", 1000, 1)
            for name in ("ours", *peers):
                case("latency", url, name, f"objects-{count}", 12, 3)
        case("latency", url, "course", "objects-300", 1, 1)
    if not quick:
        with server() as url:  # on its own: the server holds a gigabyte by then
            case("objects", url, "ours", "objects-1000000", 1, 1)
    _ministack(series)
    results["imports"] = {name: _import(code) for name, code in report.IMPORTS.items()}
    results["topics"] = _topics()
    return results


def _ministack(series: Series) -> None:
    """The same against an S3 that others wrote: that ours decides nothing."""
    from benchmarks import inputs, peers
    from tgpipeline.local import ministack

    with ministack.start_aws() as stack:
        os.environ.update(stack.environment)
        import boto3
        import obstore

        from tgpipeline.lake import stores
        from tgpipeline.settings import Settings

        client = boto3.client("s3")
        settings = Settings.from_env()
        client.create_bucket(Bucket=peers.OUT)
        for count in (100, 2000):
            client.create_bucket(Bucket=f"objects-{count}")
            store = stores.open_store(f"objects-{count}", settings)
            for key, body in inputs.objects(count).items():
                obstore.put(store, key, body)
        for name in ("ours", *series.fast("objects", 1000, 1), "course"):
            series.case("ministack", stack.endpoint_url, name, "objects-2000", 10, 3)


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
    parser.add_argument(
        "--quick", action="store_true", help="the small sizes alone; writes nothing"
    )
    parser.add_argument("--render", action="store_true", help="only write anew from results.json")
    arguments = parser.parse_args()
    if arguments.render:
        results = json.loads((HERE / "results.json").read_text(encoding="utf-8"))
    else:
        machine = report.machine()
        results = measure(Series(), quick=arguments.quick)
        results |= {"machine": machine, "load_after": os.getloadavg()}
        # Through JSON, so that what is rendered now and later is the same.
        text = json.dumps(results, indent=1, ensure_ascii=False)
        results = json.loads(text)
        if not arguments.quick:
            (HERE / "results.json").write_text(text + "\n", encoding="utf-8")
    rendered = report.render(results)
    if not arguments.quick:
        (HERE / "results.md").write_text(rendered, encoding="utf-8")
        report.plot(results, HERE / "results.png")
    print(rendered)


if __name__ == "__main__":
    main()
