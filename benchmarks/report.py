"""From what was measured to a table of ratios and a plot. No figure is typed in by hand."""

import math
import os
import platform
import statistics
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import inputs, shape

IMPORTS = {
    "ingest, as it is": "import tgpipeline.ingest as i; i.stores.client('s3')",
    "boto3 and a client, as the course": "import boto3; boto3.client('s3')",
    "etl, as it is": "import tgpipeline.etl.handler",
    "pyarrow.parquet alone": "import pyarrow.parquet",
}
_PACKAGES = (
    "obstore pyarrow orjson boto3 polars duckdb pandas awswrangler s3fs numpy ministack".split()
)
_NAMES = {
    "course": "the course's way",
    "limit": "bare read",
    "limit32": "bare read, 32 threads",
    "ours": "**tgpipeline**",
}
_NO_PEERS = {"ours", "course", "limit", "limit32"}


def machine() -> dict[str, Any]:
    """What this ran on."""
    model = ""
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text(encoding="utf-8").splitlines()
        model = next((x.partition(": ")[2] for x in lines if x.startswith("model name")), "")
    return {
        "cpu": model or platform.processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "load": os.getloadavg(),
        "versions": {name: version(name) for name in _PACKAGES},
    }


def median(values: list[float]) -> float:
    """The median."""
    return statistics.median(values)


def wall(seen: Any) -> float:
    """Median seconds of a measurement; endless where it failed."""
    return median(seen["wall"]) if seen and "wall" in seen else math.inf


def _range(values: list[float], unit: float = 1, digits: int = 2) -> str:
    low, middle, high = (f(values) * unit for f in (min, statistics.median, max))
    if len(values) == 1:
        return f"{middle:.{digits}f}"
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def quadratic(points: dict[int, float]) -> tuple[float, float]:
    """a and b of a·n + b·n² through measured times, by least squares of the relative error."""
    s11 = s12 = s22 = r1 = r2 = 0.0
    for n, seconds in points.items():
        x, y = n / seconds, n * n / seconds
        s11, s12, s22, r1, r2 = s11 + x * x, s12 + x * y, s22 + y * y, r1 + x, r2 + y
    determinant = s11 * s22 - s12 * s12
    a, b = (r1 * s22 - r2 * s12) / determinant, (r2 * s11 - r1 * s12) / determinant
    if b < 0:  # the quadratic part is not seen yet at these sizes
        return r1 / s11, 0.0
    return a, b


def exponent(points: dict[int, float]) -> float:
    """Slope of the line through the times on a log-log scale."""
    x, y = [math.log(n) for n in points], [math.log(t) for t in points.values()]
    return statistics.linear_regression(x, y).slope


def _times(
    results: dict[str, Any], section: str, name: str, what: str = "wall"
) -> dict[int, float]:
    found = results[section].get(name, {})
    return {int(n): median(v[what]) for n, v in found.items() if what in v}


def _peers(results: dict[str, Any], section: str, count: int) -> dict[str, float]:
    """Seconds of each peer that wrote the very rows that ours did."""
    ours = results[section]["ours"].get(str(count), {})
    found = {name: seen.get(str(count), {}) for name, seen in results[section].items()}
    return {
        name: wall(seen)
        for name, seen in found.items()
        if name not in _NO_PEERS and "wall" in seen and seen["digest"] == ours.get("digest")
    }


def _table(results: dict[str, Any], section: str, count: int) -> list[str]:
    ours = results[section]["ours"][str(count)]
    lines = [
        "| | runs | seconds | CPU s | µs CPU each | per second | wall ÷ ours | CPU ÷ ours "
        "| peak MB | rows |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    found = {n: v[str(count)] for n, v in results[section].items() if str(count) in v}
    for name, seen in sorted(found.items(), key=lambda item: wall(item[1])):
        label = _NAMES.get(name, name)
        if "error" in seen:
            lines.append(f"| {label} | failed: {seen['error']} | | | | | | | | |")
            continue
        rows = f"{seen['rows']:,}" if "rows" in seen else ""
        if name == "course":
            rows += ", eight columns, edits apart"
        elif rows and seen["digest"] != ours["digest"]:
            rows += ", **others than ours**"
        memory = f"{seen['peak_mb']:.0f}" if "peak_mb" in seen else ""
        lines.append(
            f"| {label} | {len(seen['wall'])} | {_range(seen['wall'])} | {_range(seen['cpu'])} "
            f"| {median(seen['cpu']) / count * 1e6:.0f} | {count / wall(seen):,.0f} "
            f"| {wall(seen) / wall(ours):.2f} | {median(seen['cpu']) / median(ours['cpu']):.2f} "
            f"| {memory} | {rows} |"
        )
    return lines


def render(results: dict[str, Any]) -> str:
    """The report as Markdown."""
    about = results["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    size = statistics.mean(map(len, map(inputs.update, range(1000))))
    out = [
        "# Measured",
        "",
        "Written by `make bench`; no figure is typed in by hand. Ratios are what to trust: the "
        "server, the contenders and all else share this machine.",
        "",
        f"{about['cpu']}, {about['cores']} cores, {about['system']}, Python {about['python']}, "
        f"load before {about['load'][0]:.1f}, after {results['load_after'][0]:.1f}. {versions}.",
        "",
        f"Everyone reads the same seeded input (updates of {size:.0f} bytes, edits and photos "
        "among them; none that cannot be read, which would end most peers) from the same server "
        "and writes the same rows: the latest version of each message, "
        f"{len(shape.COLUMNS)} columns. That it is the same is checked by a digest of all values. "
        f"The peers leave out {', '.join(f'`{name}`' for name in shape.LEFT_OUT)}, the table "
        "`events`, the quarantine and the ledger; tgpipeline makes all of it, "
        f"{shape.OURS['messages']} and {shape.OURS['events']} columns. `peers.py` has each as its "
        "own users would write it, and what it does with bad objects.",
        "",
        "Each runs in a process of its own, after a warm-up; seconds are medians, with the range. "
        "The bare read lists and reads the same objects with the same client and does nothing "
        "with them; it takes turns with tgpipeline. `server.py` keeps objects in memory, because "
        "an emulator that takes a millisecond a request would be what is measured; the section "
        "MiniStack holds that against a server that others wrote. Neither is S3, which starts at "
        "5,500 reads a second a prefix.",
        "",
        "## Targets",
        "",
        *_targets(results),
    ]
    titles = (("objects", "objects"), ("latency", "objects, 20 ms away"))
    for section, what in (*titles, ("lines", "updates in newline-delimited objects")):
        for count in sorted(map(int, results[section]["ours"])):
            out += ["", f"## {count:,} {what}", "", *_table(results, section, count)]
    if "course" in results["latency"]:
        ((count, seen),) = results["latency"]["course"].items()
        out += ["", f"The course's way, 20 ms away: {int(count) / wall(seen):.0f} objects/s."]
    out += ["", "## MiniStack, 2,000 objects", "", *_table(results, "ministack", 2000)]
    out += ["", "## Ingest and cold start", "", *_ingest(results)]
    out += ["", "## Topics", "", "```", results["topics"].strip(), "```", "", "![](results.png)"]
    return "\n".join(out) + "\n"


def _targets(results: dict[str, Any]) -> list[str]:
    objects = results["objects"]
    walls = {name: _times(results, "objects", name) for name in objects}
    cpus = {name: _times(results, "objects", name, "cpu") for name in objects}
    lines = ["| | target | measured |", "|---|---|---|"]

    def line(what: str, target: str, value: str) -> None:
        lines.append(f"| {what} | {target} | {value} |")

    if 10000 in walls["course"]:
        ratio = walls["course"][10000] / walls["ours"][10000]
        line("10,000 objects: the course's wall time ÷ ours", "≥ 40", f"{ratio:.0f}")
        ratio = cpus["course"][10000] / cpus["ours"][10000]
        line("10,000 objects: the course's CPU ÷ ours", "≥ 50", f"{ratio:.0f}")
    if 100000 in walls["ours"]:
        a, b = quadratic(walls["course"])
        ratio = (a * 1e5 + b * 1e10) / walls["ours"][100000]
        said = f"{ratio:.0f} (extrapolated: {a * 1000:.2f} ms·n + {b * 1e9:.0f} ns·n²)"
        line("100,000 objects: the course's wall time ÷ ours", "≥ 200", said)
    for count in sorted(walls["limit"]):
        both = (objects[name][str(count)]["wall"] for name in ("limit", "ours"))
        share = median([bare / whole for bare, whole in zip(*both, strict=True)])
        line(f"{count:,} objects: share of the bare read rate", "≥ 0.8", f"{share:.2f}")
    for section, where in (("objects", "objects"), ("latency", "objects, 20 ms away")):
        for count in sorted(_times(results, section, "ours")):
            if _peers(results, section, count):
                line(*_best(results, section, count, where))
    for count, seconds in sorted(_times(results, "latency", "ours").items()):
        line(f"{count:,} objects, 20 ms away", "≥ 3,000/s", f"{count / seconds:,.0f}/s")
    for count, seconds in sorted(_times(results, "lines", "ours", "cpu").items()):
        value = f"{count / seconds:,.0f}/s"
        line(f"{count:,} newline-delimited, each core", "≥ 40,000/s", value)
        line(*_best(results, "lines", count, "newline-delimited"))
    for section in ("objects", "lines"):
        points = _times(results, section, "ours")
        said = f"{exponent(points):.3f} ({min(points):,} to {max(points):,})"
        said += f", of CPU {exponent(_times(results, section, 'ours', 'cpu')):.3f}"
        pairs = zip(sorted(points), sorted(points)[1:], strict=False)
        steepest = max(exponent({a: points[a], b: points[b]}) for a, b in pairs)
        line(f"exponent of time over size, {section}", "≤ 1.05", f"{said}, steepest {steepest:.3f}")
    for section in ("objects", "lines"):
        seen = {int(n): v for n, v in results[section]["ours"].items() if "peak_mb" in v}
        said = ", ".join(f"{n:,}: {v['peak_mb']:.0f} MB" for n, v in sorted(seen.items()))
        line(f"peak memory of the whole process, {section}", "< 1,000 MB at 1,000,000", said)
    return lines


def _best(results: dict[str, Any], section: str, count: int, where: str) -> tuple[str, str, str]:
    peers = _peers(results, section, count)
    best = min(peers, key=lambda name: peers[name], default="")
    ratio = peers[best] / wall(results[section]["ours"][str(count)]) if best else math.nan
    return f"{count:,} {where}: best peer ({best}) ÷ ours", "≥ 1", f"{ratio:.2f}"


def _ingest(results: dict[str, Any]) -> list[str]:
    seen = results["ingest"]
    if "error" in seen:
        return [seen["error"]]
    share = median(seen["ours"]) / median(seen["course"])
    lines = [
        f"One update costs the ingest function {_range(seen['ours'])} ms of CPU and the course's "
        f"way {_range(seen['course'])} ms: a share of {share:.2f} (target: at most 0.5).",
        "",
        "| cold, CPU in ms | |",
        "|---|---|",
    ]
    return [*lines, *(f"| {n} | {_range(v['ms'], 1, 0)} |" for n, v in results["imports"].items())]


def plot(results: dict[str, Any], path: Path) -> None:
    """Seconds over objects, both logarithmic."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 5.5), layout="constrained")
    colours = {"course": "#d55e00", "ours": "#0072b2", "limit": "#000000"}
    ends: list[tuple[float, float, str]] = []
    for name in results["objects"]:
        points = sorted(_times(results, "objects", name).items())
        style = {"color": colours.get(name, "#999999"), "linewidth": 2 if name in colours else 1}
        mark = {"marker": "o", "linestyle": ":" if name in ("limit", "limit32") else "-"}
        axes.plot(*zip(*points, strict=True), **style, **mark)  # type: ignore[arg-type]
        ends.append((*points[-1], {"ours": "tgpipeline"}.get(name, _NAMES.get(name, name))))
    course = _times(results, "objects", "course")
    if course and max(course) < 100_000:
        a, b = quadratic(course)
        sizes = [max(course), 100_000]
        seconds = [a * n + b * n * n for n in sizes]
        axes.plot(sizes, seconds, color=colours["course"], linestyle="--")
        axes.annotate("extrapolated", (sizes[1], seconds[1]), ha="right", fontsize=9)
    axes.set(xscale="log", yscale="log", xlabel="objects", ylabel="seconds")
    axes.set_title("Seconds to list, read, flatten and write: one object an update")
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.set_xlim(right=axes.get_xlim()[1] * 6)
    figure.canvas.draw()
    lowest: dict[float, float] = {}  # labels stand under each other, never on each other
    for x, y, label in sorted(ends, key=lambda end: -end[1]):
        here = axes.transData.transform((x, y))[1]
        lowest[x] = min(here, lowest.get(x, math.inf) - 17)
        shift = (7, (lowest[x] - here) * 72 / figure.dpi - 3)
        axes.annotate(label, (x, y), xytext=shift, textcoords="offset points", fontsize=9)
    figure.savefig(path, dpi=110)
    plt.close(figure)
