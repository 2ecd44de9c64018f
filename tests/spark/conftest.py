"""These tests need Spark and Java: `make spark` runs them in an environment of its own."""

import logging
from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("pyspark") else ["test_*.py"]

for talkative in ("werkzeug", "py4j"):
    logging.getLogger(talkative).setLevel(logging.ERROR)
