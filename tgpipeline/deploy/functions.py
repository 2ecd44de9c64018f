"""The two functions, once they are deployed: to call one, and to go back to its former code."""

import json
from typing import Any

from botocore.config import Config

from tgpipeline.deploy import reasons
from tgpipeline.deploy.stacks import Listener, Stack, nobody
from tgpipeline.errors import DeployError
from tgpipeline.progress import progress
from tgpipeline.settings import Settings, aws_client


def invoke(function: str, event: dict[str, Any], settings: Settings) -> Any:
    """Call a function, wait for it, and return what it returned.

    Args:
        function: `ingest` or `etl`.
        event: what it is called with.
        settings: of the deployment.

    Raises:
        DeployError: if it is not deployed, or raised, with what it raised.
    """
    name = f"{settings.name}-{function}"
    # It waits as long as a function may run, and asks once: a second call would do the work again.
    patient = Config(read_timeout=930, tcp_keepalive=True, retries={"total_max_attempts": 1})
    client = aws_client("lambda", settings, config=patient)
    explained = reasons.as_deploy_error(f"function {name} could not be invoked", settings)
    with explained, progress(f"function {name} ran"):
        answer = client.invoke(FunctionName=name, Payload=json.dumps(event).encode())
    returned = json.loads(answer["Payload"].read() or b"null")
    if answer.get("FunctionError"):
        raise DeployError(
            f"function {name} raised {returned.get('errorType')}: {returned.get('errorMessage')}"
        )
    return returned


def rollback(function: str, settings: Settings, listener: Listener = nobody) -> str:
    """Run a function's former code again, with all its present settings.

    A second call takes that back. `up` deploys the code of this package again.

    Args:
        function: `ingest` or `etl`.
        settings: of the deployment.
        listener: told of each event while it runs.

    Returns:
        The key of the code that runs now.

    Raises:
        DeployError: if it never had other code, or the change fails.
    """
    stack = Stack(function, settings)
    before, now = stack.outputs().get("PreviousCode"), stack.parameters().get("CodeKey", "")
    if not before:
        raise DeployError(
            f"stack {stack.name} has no code before the present one: there is nothing to go back "
            "to. Deploy the code you want with `tgpipeline up`."
        )
    stack.update(listener, CodeKey=before, PreviousCode=now)
    return before
