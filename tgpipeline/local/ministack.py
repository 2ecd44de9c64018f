"""AWS on this machine: MiniStack as a process of its own.

Nothing outlives the process that starts it (see serve.py), nothing listens on any address but
127.0.0.1, and nothing is written outside a temporary directory, so several stacks can run side by
side.
"""

import importlib.util
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import urllib3

from tgpipeline import resources
from tgpipeline.errors import LocalStackError

logger = logging.getLogger(__name__)

VARIABLES = resources.data("local/local.toml")
_HEALTH, _LOG = "/_ministack/health", "ministack.log"
_ROOM = 200_000_000  # bytes that a month of the sample group and its tables take, twice over


def refusal(of: str, **values: object) -> LocalStackError:
    """The error that `local.toml` has for what the local stack cannot do."""
    return LocalStackError(VARIABLES["refusal"][of].format(**values))


def variables(of: str, **values: object) -> dict[str, str]:
    """The environment variables that `local.toml` has for one who is told, with these values."""
    return {name: text.format(**values) for name, text in VARIABLES[of].items()}


class AwsStack(NamedTuple):
    """A running MiniStack.

    Attributes:
        endpoint_url: what `AWS_ENDPOINT_URL` must be for boto3 to talk to this stack.
        directory: its data, its log and the functions' temporary files; gone when it stops.
        process: MiniStack and, in the same process group, the functions it runs.
    """

    endpoint_url: str
    directory: Path
    process: "subprocess.Popen[bytes]"

    @property
    def environment(self) -> dict[str, str]:
        """Variables that make boto3, PyAthena and obstore use this stack, and nothing else."""
        others = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")  # the former wins
        direct = ",".join(filter(None, ("127.0.0.1,localhost", others)))
        return variables("clients", url=self.endpoint_url, direct=direct)

    def set_clock(self, instant: float | None) -> None:
        """Set the time at which API Gateway receives requests; None is this machine's time.

        Args:
            instant: Unix seconds.
        """
        (self.directory / "clock").write_text("" if instant is None else str(instant))


@contextmanager
def start_aws(*, timeout: float = 60, enforce_iam: bool = False) -> Iterator[AwsStack]:
    """Start MiniStack and wait until it answers.

    Args:
        timeout: how many seconds it may take to answer.
        enforce_iam: refuse what the caller's policies do not allow, as AWS does.

    Yields:
        The running stack. It ends, with its functions and its data, at the end of the block, or
        with this process, however that ends.

    Raises:
        LocalStackError: if MiniStack is not installed, the temporary folder is full, or no answer
            comes in time; with the end of its log.
    """
    if importlib.util.find_spec("ministack") is None:
        raise refusal("not_installed")
    directory = _directory()
    with socket.create_server(("127.0.0.1", 0)) as probe:  # a port that is free
        port = int(probe.getsockname()[1])
    # -P: this folder must not lead sys.path, its modules bear the names of packages.
    command = [sys.executable, "-P", str(Path(__file__).with_name("serve.py")), str(directory)]
    env = {name: os.environ[name] for name in VARIABLES["inherited"] if name in os.environ}
    env |= variables("ministack", port=port, directory=directory, iam=str(enforce_iam).lower())
    with (directory / _LOG).open("wb") as log:
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": log, "stderr": subprocess.STDOUT}
        # A session of its own: an interrupt in the terminal is meant for the notebook.
        process = subprocess.Popen(command, cwd=directory, env=env, start_new_session=True, **pipes)
    try:
        stack = AwsStack(f"http://127.0.0.1:{port}", directory, process)
        _wait(stack, timeout)
        for skipped in directory.glob("skipped_*"):
            logger.warning("this version of MiniStack is not known: %s", skipped.read_text())
        yield stack
    finally:
        with process:  # closes its pipe, and waits
            if process.poll() is None:  # its group bears the id of its leader
                os.killpg(process.pid, signal.SIGKILL)
        shutil.rmtree(directory, ignore_errors=True)


def _directory() -> Path:
    """A temporary directory with room for the data of a stack."""
    place = tempfile.gettempdir()
    try:
        if shutil.disk_usage(place).free < _ROOM:
            raise OSError(f"fewer than {_ROOM // 1_000_000} MB are free")
        directory = Path(tempfile.mkdtemp(prefix="tgpipeline-aws-"))
        (directory / "clock").touch()
        return directory
    except OSError as error:
        raise refusal("no_room", place=place, error=error) from None


def _wait(stack: AwsStack, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while stack.process.poll() is None and time.monotonic() < deadline:
        with suppress(urllib3.exceptions.HTTPError):
            urllib3.request("GET", stack.endpoint_url + _HEALTH, timeout=2, retries=False)
            return
        time.sleep(0.05)
    status, log = stack.process.poll(), (stack.directory / _LOG).read_text(errors="replace")
    what = f"did not answer within {timeout:g} seconds" if status is None else "ended at its start"
    end = "\n".join(log.splitlines()[-20:]) or "(empty)"
    raise refusal("no_answer", what=what, url=stack.endpoint_url, status=status, log=end)
