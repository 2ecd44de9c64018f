"""One tree of errors: catch its root and nothing of this package gets by."""

import inspect

from tgpipeline import errors
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
