"""Write the public address into every badge and install line: `make badges`.

`[project.urls]` in pyproject.toml is the one place that holds it. The README's table of notebooks
is written here too, from the notebooks' own titles.
"""

import json
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
COLAB = "https://colab.research.google.com"
_IN_COLAB = re.compile(rf"{re.escape(COLAB)}/github/[^/\s]+/[^/\s]+/blob/main/")
_IN_PIP = re.compile(r"git\+https://[^\s\"'\\]+")
_SERIES = re.compile(r"(?s)(<!-- series:.*?-->\n).*?(<!-- /series -->)")
_IN_CLONE = re.compile(r"git clone https://\S+")


def repository(root: Path = ROOT) -> str:
    """The address, as pyproject.toml has it."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["urls"]["Repository"]).rstrip("/")


def badge(name: str, url: str) -> str:
    """The Markdown of the badge that opens one notebook in Colab."""
    path = url.removeprefix("https://github.com/")
    link = f"{COLAB}/github/{path}/blob/main/notebooks/{name}"
    return f"[![Open in Colab]({COLAB}/assets/colab-badge.svg)]({link})"


def requirement(url: str) -> str:
    """What pip is told to install in Colab."""
    return f"tgpipeline[notebooks,local] @ git+{url}"


def rewrite(text: str, url: str) -> str:
    """A text with every badge, install line and clone command pointing to the address.

    >>> rewrite("git clone https://example.org/a", "https://github.com/you/tgpipeline")
    'git clone https://github.com/you/tgpipeline'
    """
    text = _SERIES.sub(lambda marks: f"{marks[1]}{series(url)}{marks[2]}", text)
    path = url.removeprefix("https://github.com/")
    text = _IN_COLAB.sub(f"{COLAB}/github/{path}/blob/main/", text)
    text = _IN_PIP.sub(f"git+{url}", text)
    return _IN_CLONE.sub(f"git clone {url}", text)


def series(url: str, root: Path = ROOT) -> str:
    """The notebooks as a table: what each is about, how long it takes, where to open it."""
    lines = ["| notebook | what you do | minutes | |", "|---|---|---:|---|"]
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        title, _, about, *_ = "".join(cells[0]["source"]).splitlines()
        minutes = re.search(r"about (\d+) minutes", "".join(cells[2]["source"]))
        time = minutes[1] if minutes else ""
        link = f"[{title.lstrip('# ')}](notebooks/{path.name})"
        lines.append(f"| {link} | {about} | {time} | {badge(path.name, url)} |")
    return "\n".join(lines) + "\n"


def files(root: Path = ROOT) -> list[Path]:
    """The files that carry the address."""
    return [root / "README.md", *sorted((root / "notebooks").glob("*.ipynb"))]


def main() -> None:
    """Rewrite all of them."""
    url = repository()
    for path in files():
        before = path.read_text(encoding="utf-8")
        after = rewrite(before, url)
        if after != before:
            path.write_text(after, encoding="utf-8")
            print(f"{path.relative_to(ROOT)}: now {url}")


if __name__ == "__main__":
    main()
