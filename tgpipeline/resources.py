"""The files that come with the package, whether it runs from a checkout or from a wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """The folder of that name, such as `lambda_src` or `data/sample`.

    A wheel carries these folders inside the package; in a checkout they lie beside it.

    Raises:
        FileNotFoundError: if it is in neither place.
    """
    for root in (_PACKAGE / "_resources", _PACKAGE.parent):
        if (root / name).is_dir():
            return root / name
    raise FileNotFoundError(
        f"{name} is neither in the installed package nor in a checkout around it: "
        "install tgpipeline again."
    )


def module(name: str) -> Path:
    """The source file of one of the package's modules, such as `lake`."""
    return _PACKAGE / f"{name}.py"
