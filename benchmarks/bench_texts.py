"""How far are the answers from the truth, from texts on? Groups like the sample, with other seeds.

    python benchmarks/bench_texts.py [--groups 20] [--seed 1]

Each group is a month of a shop's support group, made by the sample's generator, which knows what
became of each conversation. Its updates are read as anybody's are. Printed is what each measure
says and what is true, over all groups: the bias is the mean of their differences. The truth knows
no "confirmed": `confirmed` and `solved_at_most` are the ends of a range that should hold the share
that was solved, as `bot_at_least` and `bot_at_most` for the bot. To it any response is one; to
`unanswered` a fallback or an empty promise is none, and a remark of a member may count. What its
customer took up again is not solved, in the truth too.
"""

import argparse
import json
import math
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

import tgpipeline

sys.path.insert(0, str(Path(__file__).parents[1] / "data" / "sample"))
import generate

GROUP, SUPERGROUP = -4123456789, -1004123456789


def write_updates(lines: bytes, folder: Path) -> None:
    """The group's updates as `read_export` takes them: in one file, what the bot sent beside it."""
    bodies = []
    for line in map(json.loads, lines.splitlines()):
        if "body" in line:
            bodies.append(json.dumps(line["body"]))
        elif "sent" in line:
            message = line["sent"]
            name = f"sent-{message['chat']['id']}-{message['message_id']}.json"
            (folder / name).write_text(json.dumps(message), encoding="utf-8")
    (folder / "updates.ndjson").write_text("\n".join(bodies), encoding="utf-8")


def told(group: Any) -> dict[str, float]:
    """What the measures say."""
    answers = group.answers(timezone="America/Sao_Paulo")
    share = answers.outcomes.set_index("measure")["share"].astype(float)
    names = ("confirmed", "solved_at_most", "unanswered", "bot_at_least", "bot_at_most")
    named = answers.conversations["problem"].value_counts(normalize=True)
    waits = answers.waits[answers.waits["asked"] == "any time"].set_index("who")["median"]
    return {name: share[name] for name in names} | {
        "most_frequent_problem": named.iloc[0],
        "median_wait_s": waits["anyone"] / 100,
    }


def truth(lines: bytes) -> dict[str, float]:
    """What was so, by the same names."""
    frame = pd.DataFrame(map(json.loads, lines.splitlines()))
    solved = (frame["solved_by"] != "nobody") & ~frame["reopened"]
    bot = frame[(frame["first_response_by"] == "bot") | frame["handed_over"]]
    by_bot = (solved[bot.index] & (bot["solved_by"] == "bot")).mean()
    return {
        "confirmed": solved.mean(),
        "solved_at_most": solved.mean(),
        "unanswered": frame["first_response_by"].isna().mean(),
        "bot_at_least": by_bot,
        "bot_at_most": by_bot,
        "most_frequent_problem": frame["problem"].value_counts(normalize=True).iloc[0],
        "median_wait_s": frame["first_response_seconds"].fillna(math.inf).median() / 100,
    }


def main() -> None:
    """Prints each measure: what is said, what is true, the bias and its spread between groups."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--groups", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started, said, true = time.perf_counter(), [], []
    for seed in range(options.seed, options.seed + options.groups):
        files = generate.make(seed)
        with TemporaryDirectory() as folder:
            write_updates(files["updates.ndjson.gz"], Path(folder))
            said.append(told(tgpipeline.read_export(folder, GROUP)))
        true.append(truth(files["truth.ndjson.gz"]))
        print(f"seed {seed}", end="\r", file=sys.stderr, flush=True)
    said, true = pd.DataFrame(said), pd.DataFrame(true)
    apart = said - true
    table = pd.DataFrame(
        {"said": said.mean(), "true": true.mean(), "bias": apart.mean(), "spread": apart.std()}
    )
    print((100 * table).round(1).to_string())
    print(f"{options.groups} groups in {time.perf_counter() - started:.0f} s; shares in percent")


if __name__ == "__main__":
    main()
