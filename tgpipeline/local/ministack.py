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
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from tgpipeline.errors import LocalStackError

logger = logging.getLogger(__name__)

REGION = "us-east-1"
# What the functions may inherit from this process: nothing that AWS would not give them.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH")
_ELSEWHERE = (
    "AWS_ENDPOINT_URL_", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_USE_", "AWS_ROLE_", "AWS_WEB_IDENTITY_",
    "AWS_CONTAINER_", "AWS_CA_BUNDLE",
)  # fmt: skip
_ROOM = 200_000_000  # bytes that a month of the sample group and its tables take, twice over
_SERVICES = (
    "apigateway athena cloudformation cloudwatch glue iam kms lambda logs monitoring s3 scheduler "
    "secretsmanager sns sqs ssm sts tagging"
)


@dataclass
class AwsStack:
    """A running MiniStack.

    Attributes:
        port: where it listens, on 127.0.0.1.
        directory: its data, its log and the functions' temporary files; gone when it stops.
        process: MiniStack and, in the same process group, the functions it runs.
    """

    port: int
    directory: Path
    process: "subprocess.Popen[bytes]" = field(repr=False)

    @property
    def endpoint_url(self) -> str:
        """What `AWS_ENDPOINT_URL` must be for boto3 to talk to this stack."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Variables that make boto3, PyAthena and obstore use this stack, and nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_CONFIG_FILE": os.devnull,  # a profile may name another endpoint or another style
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": _without_proxy(),  # the lower-case one wins where both are set
            "no_proxy": _without_proxy(),
        }

    def log(self, lines: int = 20) -> str:
        """The end of MiniStack's log."""
        try:
            text = (self.directory / "ministack.log").read_text(errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def set_clock(self, instant: float | None) -> None:
        """Set the time at which API Gateway receives requests; None is this machine's time.

        Args:
            instant: Unix seconds.
        """
        clock = self.directory / "clock"
        if instant is None:
            clock.unlink(missing_ok=True)
            return
        clock.with_suffix(".new").write_text(str(instant))
        clock.with_suffix(".new").replace(clock)  # never half written

    def stop(self) -> None:
        """End MiniStack and its functions, and remove its data. A second call does nothing."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)  # its group bears the id of its leader
            self.process.wait(5)
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> "AwsStack":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def leads_elsewhere(variable: str) -> bool:
    """Whether an environment variable may lead a client of AWS away from this stack.

    >>> leads_elsewhere("AWS_DEFAULT_PROFILE"), leads_elsewhere("AWS_DEFAULT_REGION")
    (True, False)
    """
    return variable.startswith(_ELSEWHERE)


def _without_proxy() -> str:
    others = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    return ",".join(filter(None, ("127.0.0.1,localhost", others)))


def start(port: int | None = None, *, timeout: float = 60, enforce_iam: bool = False) -> AwsStack:
    """Start MiniStack and wait until it answers.

    Args:
        port: where to listen on 127.0.0.1; a free port where it is None.
        timeout: how many seconds it may take to answer.
        enforce_iam: refuse what the caller's policies do not allow, as AWS does.

    Returns:
        The running stack. It ends with `stop()`, at the end of a `with` block, or with this
        process, however that ends.

    Raises:
        LocalStackError: if MiniStack is not installed, the port is taken, the temporary folder is
            full, or no answer comes in time; with the end of its log.
    """
    if importlib.util.find_spec("ministack") is None:
        raise LocalStackError(
            "MiniStack is not installed in this environment: run pip install 'tgpipeline[local]'."
        )
    port, directory = _free_port(port), _directory()
    with (directory / "ministack.log").open("wb") as log:
        process = subprocess.Popen(
            # -P: this folder must not lead sys.path, its modules bear the names of packages.
            [sys.executable, "-P", str(Path(__file__).with_name("serve.py")), str(directory)],
            cwd=directory,
            env=_environment(port, directory, enforce_iam),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # an interrupt in the terminal is meant for the notebook
        )
    stack = AwsStack(port, directory, process)
    try:
        _wait(stack, timeout)
    except BaseException:
        stack.stop()
        raise
    for skipped in directory.glob("skipped_*"):
        logger.warning("this version of MiniStack is not known: %s", skipped.read_text())
    return stack


def _directory() -> Path:
    """A temporary directory with room for the data of a stack."""
    place = tempfile.gettempdir()
    try:
        free = shutil.disk_usage(place).free
        if free >= _ROOM:
            directory = Path(tempfile.mkdtemp(prefix="tgpipeline-aws-"))
            (directory / "tmp").mkdir()
            return directory
        reason = f"{free // 1_000_000} MB are free, {_ROOM // 1_000_000} are needed"
    except OSError as error:
        reason = str(error.strerror)
    raise LocalStackError(
        f"the local stack has no room for its data in {place} ({reason}): free some, or name "
        "another folder with the variable TMPDIR."
    )


def _environment(port: int, directory: Path, enforce_iam: bool) -> dict[str, str]:
    return {name: os.environ[name] for name in _INHERITED if name in os.environ} | {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",  # this and the next would listen on every address
        "SFTP_ENABLED": "0",
        "SERVICES": ",".join(_SERVICES.split()),
        "DOCKER_HOST": f"unix://{directory}/none",  # else it would remove containers at its start
        "MINISTACK_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "local",  # the account's root, who may do everything
        "AWS_SECRET_ACCESS_KEY": "local",
        "AUTH": str(enforce_iam).lower(),
        "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.1",  # AWS waits a minute, then two
        "LOG_LEVEL": "WARNING",
        "STATE_DIR": str(directory / "state"),
        "S3_DATA_DIR": str(directory / "s3"),
        "TMPDIR": str(directory / "tmp"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _free_port(port: int | None) -> int:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port or 0))
        except OSError as error:
            raise LocalStackError(
                f"port {port} of 127.0.0.1 is taken ({error.strerror}): stop what listens there, "
                "or leave the port out and a free one is used."
            ) from None
        return int(probe.getsockname()[1])


def _wait(stack: AwsStack, timeout: float) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + timeout
    while stack.process.poll() is None and time.monotonic() < deadline:
        try:
            with opener.open(f"{stack.endpoint_url}/_ministack/health", timeout=2):
                return
        except OSError:
            time.sleep(0.05)
    ended = stack.process.poll()
    what = f"did not answer within {timeout:g} seconds" if ended is None else "ended at its start"
    raise LocalStackError(
        f"MiniStack {what} (127.0.0.1:{stack.port}, exit status {ended}). The end of its log:\n"
        f"{stack.log() or '(empty)'}"
    )
