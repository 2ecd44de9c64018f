"""What functions of the standard library and botocore alone need: a client, a log of JSON lines."""

import logging
import sys
from functools import cache
from typing import Any

from tgpipeline.settings import Settings


@cache
def client(service: str) -> Any:
    """A client of botocore, made once per instance of a function.

    Not boto3: around botocore it adds a fifth to the cold start, and nothing used here.

    Args:
        service: `s3` or `sqs`.
    """
    import botocore.session
    from botocore.config import Config
    from botocore.handlers import add_expect_header

    options: dict[str, Any] = {
        # Three tries within the function's 25 seconds; Telegram's redelivery is the next.
        "connect_timeout": 2,
        "read_timeout": 5,
        "retries": {"total_max_attempts": 3, "mode": "standard"},
        # What is left out costs a quarter of the call: the signature covers the body's SHA-256, so
        # a checksum beside it adds nothing, and the parameters are our own.
        "request_checksum_calculation": "when_required",
        "response_checksum_validation": "when_required",
        "parameter_validation": False,
        "user_agent": "tgpipeline",
    }
    # Older runtimes have a botocore that does not know the checksums' options, and sends none.
    config = Config(**{k: v for k, v in options.items() if k in Config.OPTION_DEFAULTS})
    settings = Settings.from_env()
    made = botocore.session.get_session().create_client(
        service, settings.region, endpoint_url=settings.endpoint_url or None, config=config
    )
    # Some hundred bytes need not ask, with a round trip of their own, whether they may come.
    made.meta.events.unregister("before-call.s3", add_expect_header)
    return made


@cache
def json_log(name: str) -> logging.Logger:
    """A logger that writes bare lines: Lambda's own would put text before the JSON."""
    logger = logging.getLogger(name)
    logger.addHandler(logging.StreamHandler(sys.stdout))
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return logger
