"""How well and how fast messages are sorted: precision, recall and F1 on the labelled set, seconds.

    python benchmarks/bench_topics.py [--messages 200000] [--topics my-topics.toml]

The labelled set and what its two splits were used for: data/labelled/GUIDE.md.
"""

import argparse
import json
import random
import resource
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from tgpipeline.analytics import topics
from tgpipeline.analytics.support.discover import discover

LABELLED = Path(__file__).parents[1] / "data" / "labelled" / "messages.ndjson"


def score(found: Sequence[bool], true: Sequence[bool]) -> tuple[float, float, float]:
    """Returns precision, recall and F1; of nothing found and nothing to find, 1."""
    both = sum(f and t for f, t in zip(found, true, strict=True))
    precision = both / sum(found) if sum(found) else float(not sum(true))
    recall = both / sum(true) if sum(true) else 1.0
    return precision, recall, 2 * both / max(1, sum(found) + sum(true))


def report(name: str, labelled: pd.DataFrame, shop: topics.Topics) -> None:
    """Prints a line a problem, their mean, the sum over all labels, questions, and wishes."""
    table = shop.table(labelled["text"])
    found, true = list(table["problems"]), list(labelled["problems"])
    print(f"\n{name}: {len(labelled)} messages\n{'':20}precision  recall     F1  labels")
    scores, all_found, all_true = [], [], []
    for problem in shop.problems:
        hits, wanted = [problem in f for f in found], [problem in t for t in true]
        scores.append(score(hits, wanted))
        all_found += hits
        all_true += wanted
        line(problem, scores[-1], sum(wanted))
    means = [sum(column) / len(scores) for column in zip(*scores, strict=True)]
    line("mean of problems", means, sum(all_true))
    line("all labels", score(all_found, all_true), sum(all_true))
    for flag in ("is_question", "wants_person"):
        line(flag, score(list(table[flag]), list(labelled[flag])), int(labelled[flag].sum()))
    for language, part in labelled.groupby("language"):
        same = [set(table.at[i, "problems"]) == set(part.at[i, "problems"]) for i in part.index]
        print(
            f"{language}: all labels of a message right: {sum(same) / len(same):.3f} of {len(same)}"
        )


def line(name: str, scores: Iterable[float], count: int) -> None:
    """Prints one row of a report."""
    print(f"{name:20}" + "".join(f"{value:9.3f}" for value in scores) + f"{count:8}")


def made_up(texts: Sequence[str], count: int) -> list[str]:
    """Returns distinct messages of realistic words and length, put together from others."""
    dice = random.Random(0)
    halves = [text.split() for text in texts]
    made = []
    for number in range(count):
        first, second = dice.choice(halves), dice.choice(halves)
        made.append(
            " ".join([*first[: dice.randint(1, 20)], *second[-8:], f"pedido {10**5 + number}"])
        )
    return made


def main() -> None:
    """Prints all figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=200_000, help="how many to time")
    parser.add_argument("--topics", type=Path, help="definitions other than the packaged ones")
    options = parser.parse_args()
    lines = LABELLED.read_text(encoding="utf-8").splitlines()
    labelled = pd.DataFrame([json.loads(line) for line in lines])
    started = time.perf_counter()
    shop = topics.load(options.topics)
    shop.label(["oi"])
    print(f"definitions read and learned in {time.perf_counter() - started:.1f} s")
    for split, part in labelled.groupby("split"):
        report(str(split), part, shop)
    many = pd.Series(made_up(list(labelled["text"]), options.messages))
    print(f"\n{len(many)} messages, {many.nunique()} distinct")
    for name, work in (("label", shop.table), ("discover", discover)):
        started = time.perf_counter()
        work(many)
        seconds = time.perf_counter() - started
        print(f"{name:20}{seconds:9.1f} s {seconds / max(1, len(many)) * 1e6:9.0f} µs a message")
    print(
        f"most memory         {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:9.0f} MB"
    )


if __name__ == "__main__":
    main()
