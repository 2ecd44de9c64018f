"""The layer with PyArrow: AWS's Python runtime has none, and the ETL's zip could not hold it.

It is made of wheels from the package index, for the function's own Python and processor, without
what the ETL never imports, and packed so that the same wheels make the same bytes everywhere.
"""

import fnmatch
import hashlib
import json
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tgpipeline import resources
from tgpipeline.deploy import packages
from tgpipeline.deploy.cloud import Cloud, Resource, Target
from tgpipeline.errors import DeployError

LIMIT = 250_000_000  # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_GLIBC = range(17, 35)  # Python 3.13 runs on Amazon Linux 2023, with glibc 2.34
_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}


def recipe() -> dict[str, Any]:
    """What the layer holds and what it leaves out; see lambda_src/layer/layer.toml."""
    path = resources.folder("lambda_src") / "layer" / "layer.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def fingerprint(architecture: str, runtime: str = packages.RUNTIME) -> str:
    """Short hash of all that decides what a build makes."""
    inputs = json.dumps([recipe(), architecture, runtime], sort_keys=True)
    return hashlib.sha256(inputs.encode()).hexdigest()[:16]


def download(folder: Path, architecture: str, runtime: str = packages.RUNTIME) -> list[Path]:
    """Put the wheels into a folder, if they are not there yet.

    Args:
        folder: where the wheels are, or go, each kind in a folder of its own.
        architecture: `arm64` or `x86_64`.
        runtime: such as `python3.13`.

    Returns:
        The wheels, in the order of the recipe.

    Raises:
        DeployError: if one is neither there nor to be had.
    """
    machine = _MACHINES[architecture]
    folder = folder / f"{runtime}-{architecture}"
    folder.mkdir(parents=True, exist_ok=True)
    platforms = [f"manylinux2014_{machine}", *(f"manylinux_2_{n}_{machine}" for n in _GLIBC)]
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    command += ["--no-deps", "--only-binary=:all:", "--python-version", runtime[len("python") :]]
    command += [word for platform in platforms for word in ("--platform", platform)]
    wheels = []
    for requirement in recipe()["requirements"]:
        where = [*command, "--dest", str(folder), requirement]
        offline = [*where, "--no-index", "--find-links", str(folder)]
        if subprocess.run(offline, capture_output=True, check=False).returncode != 0:
            online = subprocess.run(where, capture_output=True, text=True, check=False)
            if online.returncode != 0:
                raise DeployError(
                    f"pip found no wheel of {requirement} for {runtime} on {architecture}:\n"
                    f"{online.stderr.strip()[-1000:]}"
                )
        name = requirement.replace("==", "-")
        wheels.append(next(folder.glob(f"{name}-*{machine}.whl")))
    return wheels


def contents(wheels: list[Path]) -> dict[str, bytes]:
    """The files of the layer: path inside it → content.

    Raises:
        DeployError: if they are more than Lambda takes.
    """
    patterns, found = recipe()["leave_out"], {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if not any(fnmatch.fnmatch(name, pattern) for pattern in patterns):
                    found[f"python/{name}"] = archive.read(name)
    size = sum(map(len, found.values()))
    if size > LIMIT:
        raise DeployError(
            f"the layer would be {size / 1e6:.0f} MB, and Lambda takes {LIMIT / 1e6:.0f} MB: leave "
            "out more in lambda_src/layer/layer.toml."
        )
    return found


def build(architecture: str, folder: Path | None = None, runtime: str = packages.RUNTIME) -> bytes:
    """The layer as a zip.

    Args:
        architecture: `arm64` or `x86_64`.
        folder: where wheels are kept for the next build; nowhere if it is None.
        runtime: such as `python3.13`.
    """
    with tempfile.TemporaryDirectory(prefix="tgpipeline-wheels-") as temporary:
        wheels = download(folder or Path(temporary), architecture, runtime)
        return packages.pack(contents(wheels), compress=True)


def ensure_layer(target: Target) -> list[str]:
    """Make the layer, unless the settings say where one is or that none is needed.

    A layer of more than 50 MB goes through a bucket: the enriched one, which must exist.

    Returns:
        The ARN of the layer version to attach, in a list; an empty list for none.
    """
    cloud = Cloud.of(target)
    settings = cloud.settings
    if settings.layer != "build":
        return [] if settings.layer == "none" else [settings.layer]
    client, name = cloud.client("lambda"), cloud.name("pyarrow")
    mark = f"{settings.architecture} {fingerprint(settings.architecture)}"
    versions = list(cloud.every("lambda", "list_layer_versions", "LayerVersions", LayerName=name))
    for version in versions:
        if version.get("Description") == mark:
            return [version["LayerVersionArn"]]
    key = f"layers/{mark.replace(' ', '-')}.zip"
    where = {"Bucket": settings.enriched_bucket, "Key": key}
    folder = Path(settings.wheels) if settings.wheels else None
    body = b"" if cloud.dry_run else build(settings.architecture, folder)
    s3 = cloud.client("s3")
    cloud.change(f"upload layer {name}", s3.put_object, **where, Body=body)
    made = cloud.change(
        f"publish layer {name}",
        client.publish_layer_version,
        LayerName=name,
        Description=mark,
        Content={"S3Bucket": settings.enriched_bucket, "S3Key": key},
        CompatibleRuntimes=[packages.RUNTIME],
        CompatibleArchitectures=[settings.architecture],
    )
    cloud.change(f"remove the upload of layer {name}", s3.delete_object, **where)
    number = len(versions) + 1
    return [made.get("LayerVersionArn", cloud.arn("lambda", f"layer:{name}:{number}"))]


def deployed(cloud: Cloud) -> Iterator[Resource]:
    """Every version of the layer."""
    name, delete = cloud.name("pyarrow"), cloud.client("lambda").delete_layer_version
    for version in cloud.every("lambda", "list_layer_versions", "LayerVersions", LayerName=name):
        arn, number = version["LayerVersionArn"], version["Version"]
        which = {"LayerName": name, "VersionNumber": number}
        yield cloud.resource(f"layer {name}:{number}", arn, delete, **which)
