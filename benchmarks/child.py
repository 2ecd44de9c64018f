"""One contender in a process of its own, so that none pays for another's imports or memory.

python -m benchmarks.child <contender> <bucket> <seconds> <most runs>
"""

import hashlib
import json
import os
import resource
import sys
import time

from benchmarks.contenders import CONTENDERS, result


def main(name: str, bucket: str, seconds: float, most: int) -> None:
    """Run a contender until the seconds are used up, once at least; print what was seen."""
    run = CONTENDERS[name]
    kind, _, _ = bucket.partition("-")
    if name == "ours":
        CONTENDERS["limit"](f"{kind}-100")
    run(f"{kind}-100")  # imports and first connections are not what is measured
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    walls: list[float] = []
    cpus: list[float] = []
    beside: dict[str, list[float]] = {"wall": [], "cpu": []}
    while len(walls) < most and (not walls or sum(walls) * (1 + 1 / len(walls)) <= seconds):
        wall, cpu = time.perf_counter(), time.process_time()
        run(bucket)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
        if name == "ours" and kind == "objects":  # in turns, so that both have the same weather
            wall, cpu = time.perf_counter(), time.process_time()
            CONTENDERS["limit"](bucket)
            beside["wall"].append(time.perf_counter() - wall)
            beside["cpu"].append(time.process_time() - cpu)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows = result(name) if name != "limit" else []
    seen: dict[str, object] = {
        "wall": walls,
        "cpu": cpus,
        "peak_mb": peak,
        "memory_mb": peak - base,
    }
    seen |= {"limit": beside} if beside["wall"] else {}
    print(json.dumps(seen | {"rows": len(rows), "digest": _digest(rows)}), flush=True)
    os._exit(0)  # some of these libraries end badly when the interpreter does


def _digest(rows: object) -> str:
    return hashlib.sha256(json.dumps(rows, default=int).encode()).hexdigest()[:16]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))
