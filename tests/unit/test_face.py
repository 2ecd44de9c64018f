"""What users import from `tgpipeline` itself: there, and fetched only when it is asked for."""

import subprocess
import sys
from importlib import import_module

import pytest

import tgpipeline
from tgpipeline.deploy import packages


def test_every_name_of_the_face_is_where_it_says():
    for name, module in tgpipeline._FACE.items():
        assert getattr(tgpipeline, name) is getattr(import_module(module), name)
    assert set(tgpipeline._FACE) <= set(dir(tgpipeline))


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="has no attribute 'store_nothing'"):
        _ = tgpipeline.store_nothing


def test_nothing_is_imported_before_it_is_asked_for():
    code = (
        "import sys, tgpipeline; before = [m for m in sys.modules if m.startswith('tgpipeline.')];"
        "tgpipeline.store_update; print(before, 'tgpipeline.ingest' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[] True\n"


def test_the_face_adds_no_module_to_a_functions_zip():
    assert list(packages.modules("tgpipeline")) == ["tgpipeline"]
