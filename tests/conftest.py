"""What all tests share."""

import atexit
import os

import hypothesis
import pytest

# Time is measured by `make bench`: on a busy machine a deadline would fail what is right.
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")


@atexit.register
def _quiet_end() -> None:
    """DuckDB's binding lists on standard error what Python frees after it: not below a summary."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--aws", action="store_true", help="also run the tests that deploy into a real AWS account"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--aws"):
        return
    for item in items:
        if item.get_closest_marker("aws"):
            item.add_marker(pytest.mark.skip(reason="needs an AWS account: pytest --aws"))
