"""The zips: the package's own files, the same bytes every time, and all that AWS would need."""

import io
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import tgpipeline
from tgpipeline.deploy import packages
from tgpipeline.errors import DeployError

PACKAGE = Path(tgpipeline.__file__).parent
# What AWS's Python runtime has beside the standard library: boto3 and what it needs.
BOTO3 = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six.py")
LAYER = ("pyarrow", "pyarrow.libs", "obstore", "orjson", "typing_extensions.py")


def _unpack(function: str, where: Path) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(packages.zip_of(function))) as archive:
        archive.extractall(where)
        return archive.namelist()


@pytest.mark.parametrize("function", ["ingest", "batch", "etl"])
def test_a_zip_holds_the_package_byte_for_byte(function: str, tmp_path: Path) -> None:
    names = _unpack(function, tmp_path)
    handler = packages.handler(function).rpartition(".")[0]
    assert f"{handler.replace('.', '/')}.py" in names
    for name in names:
        assert (tmp_path / name).read_bytes() == (PACKAGE.parent / name).read_bytes()


def test_each_zip_holds_what_its_function_needs_and_no_more() -> None:
    ingest, etl = (set(packages.files(function)) for function in ("ingest", "etl"))
    rooms = ("telegram/__init__", "telegram/updates", "lake/__init__", "lake/keys", "lake/stores")
    rooms += ("lake/markers", "lake/erasing")
    rooms += ("telegram/content", "telegram/privacy")
    needed = ("__init__", "errors", "resources", "settings", "ingest", "batch", *rooms)
    data = {f"tgpipeline/telegram/{name}.json" for name in ("updates", "privacy")}
    data.add("tgpipeline/settings.toml")
    assert ingest == {f"tgpipeline/{name}.py" for name in needed} | data
    assert "tgpipeline/ingest.py" not in etl
    assert not any("deploy" in name or "local" in name for name in ingest | etl)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with packages in it, in the place of this one."""
    root = tmp_path / "tgpipeline"
    for name, text in {
        "__init__": "__version__ = '1'",
        "etl/__init__": "",
        "etl/handler": "def run():\n    from tgpipeline.zone import write, lake",
        "errors": "",
        "zone/__init__": "from tgpipeline.zone.parquet import write",
        "zone/parquet": "import tgpipeline.deep.er\nfrom tgpipeline.errors import TgPipelineError",
        "zone/lake": "from tgpipeline import __version__\nfrom tgpipeline.zone import parquet",
        "deep/__init__": "",
        "deep/er": "",
        "deep/not_needed": "import tgpipeline.nowhere",
    }.items():
        path = root / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    monkeypatch.setattr(packages, "PACKAGE", root)
    return root


def test_packages_inside_the_package_are_followed(package: Path) -> None:
    inside = ("deep", "deep.er", "errors", "etl", "etl.handler")
    inside += ("zone", "zone.lake", "zone.parquet")
    assert list(packages.modules("tgpipeline.etl.handler")) == [
        "tgpipeline",
        *(f"tgpipeline.{n}" for n in inside),
    ]
    names = packages.files("etl")
    assert {"tgpipeline/zone/__init__.py", "tgpipeline/zone/lake.py"} < set(names)
    assert not any("not_needed" in name for name in names)
    (package / "errors.toml").write_text("a = 1")
    assert set(packages.files("etl")) == {*names, "tgpipeline/errors.toml"}, "data of a module"


def test_the_same_files_make_the_same_bytes() -> None:
    assert packages.zip_of("etl") == packages.zip_of("etl")
    backwards = dict(reversed(packages.files("etl").items()))
    assert packages.pack(backwards) == packages.zip_of("etl")
    assert packages.pack({**backwards, "more.py": b""}) != packages.zip_of("etl")


def _bare_python(where: Path, distributions: tuple[str, ...]) -> list[str]:
    """An interpreter that finds the standard library and these packages, nothing else."""
    venv.create(where, symlinks=True)
    site = next(where.glob("lib/python*/site-packages"))
    here = next(Path(entry) for entry in sys.path if (Path(entry) / "botocore").is_dir())
    for name in distributions:
        if (here / name).exists():
            (site / name).symlink_to(here / name)
    return [str(where / "bin" / "python"), "-I"]


@pytest.mark.skipif(os.name != "posix", reason="uses symlinks")
@pytest.mark.parametrize(("function", "has"), [("ingest", BOTO3), ("etl", BOTO3 + LAYER)])
def test_a_handler_imports_where_only_aws_s_packages_are(
    function: str, has: tuple[str, ...], tmp_path: Path
) -> None:
    code = tmp_path / "code"
    _unpack(function, code)
    handler = packages.handler(function)
    module, name = handler.rsplit(".", 1)
    script = (
        f"import sys; sys.path.insert(0, {str(code)!r})\n"
        f"import {module}\n"
        f"assert callable({module}.{name})\n"
        f"assert {module}.__file__.startswith({str(code)!r})\n"
        "foreign = {n.partition('.')[0] for n in sys.modules} & {'numpy', 'pandas', 'requests'}\n"
        "assert not foreign, foreign\n"
    )
    python = _bare_python(tmp_path / "python", has)
    done = subprocess.run([*python, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_layer_leaves_out_what_the_recipe_says(tmp_path: Path) -> None:
    for name in ("pyarrow/lib.so", "pyarrow/tests/test_a.py", "pyarrow-1.dist-info/RECORD"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert packages.needed(tmp_path) == {"python/pyarrow/lib.so": b"x"}


def test_a_wheel_that_cannot_be_had_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(DeployError, match=r"pip found no wheels.*obstore"):
        packages.layer_zip("arm64")
