"""CPU that one update costs the ingest function, and that the course's way costs.

python -m benchmarks.ingest
"""

import json
import os
import time
from collections.abc import Callable
from itertools import count

from benchmarks import inputs
from benchmarks.peers import OUT


def main() -> None:
    """Print milliseconds of CPU an update, sorted, of seven rounds each, taken in turns."""
    secret = "a-secret-for-the-benchmark"  # noqa: S105
    os.environ |= {
        "AWS_S3_BUCKET": OUT,
        "TELEGRAM_CHAT_ID": str(inputs.CHAT["id"]),
        "TELEGRAM_WEBHOOK_SECRET": secret,
    }
    import logging

    import boto3

    from tgpipeline import ingest
    from tgpipeline.lake import stores

    log = stores.json_log("tgpipeline.ingest")
    log.handlers[:] = [logging.FileHandler(os.devnull)]  # a file, as on Lambda
    client, numbers = boto3.client("s3"), count(1)

    def ours() -> None:
        body = inputs.update(next(numbers)).decode()
        event = {"headers": {"X-Telegram-Bot-Api-Secret-Token": secret}, "body": body}
        assert ingest.lambda_handler(event, None)["statusCode"] == 200

    def course() -> None:
        number = next(numbers)
        event = {"body": inputs.update(number).decode()}
        path = f"/tmp/{number}.json"  # noqa: S108, as the course has it
        with open(path, mode="w", encoding="utf8") as file:
            json.dump(json.loads(event["body"]), file)
        client.upload_file(path, OUT, f"telegram/context_date={inputs.DAY}/{number}.json")
        os.remove(path)

    seen: dict[str, list[float]] = {"ours": [], "course": []}
    for _ in range(7):
        for run in (ours, course):
            seen[run.__name__].append(_cpu(run))
    print(json.dumps({name: sorted(values) for name, values in seen.items()}))


def _cpu(run: Callable[[], None], times: int = 200) -> float:
    run()
    started = time.process_time()
    for _ in range(times):
        run()
    return (time.process_time() - started) / times * 1000


if __name__ == "__main__":
    main()
