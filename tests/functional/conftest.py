"""One local stack for all functional tests; each test that changes AWS takes names of its own."""

import dataclasses
import uuid
from collections.abc import Iterator

import pytest

from tests.functional.zones import zones  # noqa: F401, a fixture for all
from tgpipeline import deploy, local
from tgpipeline.settings import Settings


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "functional" in item.path.parts:
            item.add_marker(pytest.mark.functional)


@pytest.fixture(scope="session")
def stack() -> Iterator[local.LocalStack]:
    """The local stack, with nothing deployed, for the whole session."""
    with local.start() as running:
        yield running


@pytest.fixture
def settings(stack: local.LocalStack) -> Iterator[Settings]:
    """Settings under which nothing is deployed yet; what the test deploys is removed after it."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    fresh = dataclasses.replace(
        stack.settings, name=name, raw_bucket=f"{name}-raw", enriched_bucket=f"{name}-enriched"
    )
    yield fresh
    deploy.down(fresh, delete_data=True)
