"""One contender in a process of its own, so that none pays for another's imports or memory.

python -m benchmarks.child <contender> <bucket> <seconds> <most runs>
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable

from benchmarks.contenders import CONTENDERS, LIMITS, result


def main(name: str, bucket: str, seconds: float, most: int) -> None:
    """Run a contender until the seconds are used up, once at least; print what was seen."""
    kind, _, _ = bucket.partition("-")
    turns = {name: CONTENDERS[name]}
    if name == "ours" and kind == "objects":  # in turns, so that all have the same weather
        turns |= LIMITS
    for run in turns.values():  # imports and first connections are not what is measured
        run(f"{kind}-100")
    base = _peak()
    seen: dict[str, dict[str, list[float]]] = {turn: {"wall": [], "cpu": []} for turn in turns}
    started = time.perf_counter()
    for done in range(most):
        if done and (time.perf_counter() - started) * (done + 1) / done > seconds:
            break
        for turn, run in turns.items():
            _time(run, bucket, seen[turn])
    peak = _peak()
    rows, digest = result(name) if name not in LIMITS else (0, "")
    about = {"peak_mb": peak, "memory_mb": peak - base, "rows": rows, "digest": digest}
    limits = {turn: figures for turn, figures in seen.items() if turn != name}
    print(json.dumps({**seen[name], **about, "limits": limits}), flush=True)
    os._exit(0)  # some of these libraries end badly when the interpreter does


def _time(run: Callable[[str], None], bucket: str, seen: dict[str, list[float]]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    run(bucket)
    seen["wall"].append(time.perf_counter() - wall)
    seen["cpu"].append(time.process_time() - cpu)


def _peak() -> float:
    """The most memory that this process has ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))
