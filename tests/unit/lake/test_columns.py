"""A value fits its column unchanged, or becomes null or U+FFFD."""

import pytest

from tgpipeline.lake.columns import fit


@pytest.mark.parametrize(
    ("value", "type_name", "fitted", "unchanged"),
    [
        (None, "int64", None, True),
        (5, "int64", 5, True),
        (2**63 - 1, "int64", 2**63 - 1, True),
        (2**63, "int64", None, False),
        (True, "int64", None, False),
        (5.0, "int64", None, False),
        ("5", "int64", None, False),
        (True, "bool", True, True),
        (1, "bool", None, False),
        ("x", "string", "x", True),
        ("ção 😀", "string", "ção 😀", True),
        ("", "string", "", True),
        ("a\x00b", "string", "a\x00b", True),
        ("\ud800x", "string", "\ufffdx", False),
        ("x\udfff", "string", "x\ufffd", False),
        (5, "string", None, False),
        (["a", "b"], "list<string>", ["a", "b"], True),
        ([], "list<string>", [], True),
        (["a", 5, None, "b"], "list<string>", ["a", "b"], False),
        (["\ud800"], "list<string>", ["\ufffd"], False),
        ("ab", "list<string>", None, False),
        (1_764_342_000_000, "timestamp[ms]", 1_764_342_000_000, True),
        ("now", "timestamp[ms]", None, False),
    ],
)
def test_fit(value, type_name, fitted, unchanged):
    assert fit(value, type_name) == (fitted, unchanged)
