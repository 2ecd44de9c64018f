"""The stand-in works where tgpipeline and all third-party packages are missing."""

import subprocess
import sys
from pathlib import Path

import telegram_standin

ALONE = """
import importlib, pkgutil, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top != "telegram_standin" and top not in sys.stdlib_module_names and top != "__main__":
            raise ModuleNotFoundError(f"{name} is blocked")

sys.meta_path.insert(0, Blocker())
sys.path.insert(0, sys.argv[1])
import telegram_standin
names = [m.name for m in pkgutil.iter_modules(telegram_standin.__path__, "telegram_standin.")]
for name in names:
    importlib.import_module(name)
from telegram_standin import Telegram
with Telegram() as telegram:
    telegram.say({"id": 1, "is_bot": False, "first_name": "Ana"}, "oi")
    print(telegram.pending(), len(names))
from telegram_standin.__main__ import main
main(["--help"])
"""


def test_it_needs_the_standard_library_alone() -> None:
    folder = Path(telegram_standin.__file__).parent
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-c", ALONE, str(folder.parent)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    modules = len(list(folder.glob("*.py"))) - 1
    assert done.stdout.startswith(f"1 {modules}\n")
    assert "usage: python -m telegram_standin" in done.stdout


def test_its_face_names_what_users_need() -> None:
    for name in telegram_standin.__all__:
        assert getattr(telegram_standin, name) is not None
