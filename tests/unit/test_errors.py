"""One tree of errors: catch its root and nothing of this package gets by."""

import ast
import inspect
import sys
from pathlib import Path

from tgpipeline import errors, resources
from tgpipeline.errors import BotApiError, BotConflict, TgPipelineError


def test_every_error_is_of_the_tree_and_says_when_it_is_raised():
    found = [value for _, value in inspect.getmembers(errors, inspect.isclass)]
    for error in found:
        if error.__module__ == errors.__name__:
            assert issubclass(error, TgPipelineError)
            assert (error.__doc__ or "").startswith("Raised ")


def test_an_api_error_says_method_code_and_description():
    error = BotConflict("getUpdates", "Conflict: a webhook is active", 409, {"retry_after": 3})
    assert str(error) == "getUpdates: 409 Conflict: a webhook is active"
    assert error.parameters == {"retry_after": 3}
    assert str(BotApiError("getMe", "no answer")) == "getMe: no answer"


def test_every_module_that_an_extra_brings_is_told_with_it():
    needed = {"boto3", "botocore", "obstore", "orjson", "pyarrow", "requests", "tqdm", "urllib3"}
    hosts = {"IPython", "google", "kaggle_secrets"}  # asked for only where they are
    known = needed | hosts | set(resources.data("extras.toml")) | {"tgpipeline", "telegram_standin"}
    for module in Path(errors.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            tops = {name.partition(".")[0] for name in names}
            assert tops <= known | sys.stdlib_module_names, f"{module.name}: {tops - known}"
