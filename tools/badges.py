"""Write the public address and the version into every badge and setup cell: `make badges`.

`[project.urls]` in pyproject.toml is the one place that holds the address; while it still says
OWNER, git's remote `origin` tells it. The READMEs' tables of notebooks are written here too, from
the notebooks' own titles.
"""

import json
import re
import subprocess
import tomllib
from pathlib import Path

from tgpipeline import __version__

ROOT = Path(__file__).parents[1]
COLAB = "https://colab.research.google.com"
_IN_COLAB = re.compile(rf"{re.escape(COLAB)}/github/[^/\s]+/[^/\s]+/blob/main/")
_IN_PIP = re.compile(r"git\+https://[^\s\"'\\]+")
_SERIES = re.compile(r"(?s)(<!-- series ?([\w-]*):[^\n]*-->\n).*?(<!-- /series -->)")
_HEADS = {
    "": ("notebook", "what you do", "minutes"),
    "pt-BR": ("notebook", "o que você faz", "minutos"),
}
_IN_CLONE = re.compile(r"git clone https://\S+")
_IN_CITATION = re.compile(r"(repository-code: )\S+")
_TAG = re.compile(r"(\btag = \\?\")v[^\"\\]+")
# How every notebook finds the package; what a notebook imports follows in the same cell.
SETUP = """\
import subprocess
from importlib.util import find_spec
from pathlib import Path

if not find_spec("tgpipeline"):  # a wheel beside this notebook; else the repository
    source, tag = "git+{url}", "{tag}"
    ask = ["git", "ls-remote", "--exit-code", "--tags", source.removeprefix("git+"), tag]
    if wheels := sorted(Path().glob("tgpipeline-*.whl")):
        source = wheels[-1].resolve().as_uri()
    elif subprocess.run(ask, capture_output=True).returncode == 0:
        source += f"@{{tag}}"
    else:
        print(f"The repository has no tag {{tag}}: its default branch is installed.")
    %pip install --quiet "tgpipeline[colab] @ {{source}}"
"""
# What a person reads in it, by the folder of a language.
SETUP_WORDS = {
    "pt-BR": {
        "# a wheel beside this notebook; else the repository": "# um wheel ao lado deste notebook; "
        "senão, o repositório",
        "The repository has no tag {tag}: its default branch is installed.": "O repositório não "
        "tem a tag {tag}: o estado mais novo dele é instalado.",
    }
}


def repository(root: Path = ROOT) -> str:
    """The address, as pyproject.toml has it: it is the one that the files carry."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["urls"]["Repository"]).rstrip("/")


def origin(root: Path = ROOT) -> str:
    """The web address of git's remote `origin`; empty where there is none on the web.

    >>> _on_the_web("git@github.com:you/tgpipeline.git")
    'https://github.com/you/tgpipeline'
    """
    ask = ["git", "remote", "get-url", "origin"]
    found = subprocess.run(ask, cwd=root, capture_output=True, text=True, check=False)
    return _on_the_web(found.stdout.strip())


def _on_the_web(remote: str) -> str:
    place = re.fullmatch(
        r"(?:https://(?:[^@/]+@)?|ssh://git@|git@)([^/:]+)[/:](.+?)(\.git)?/?", remote
    )
    return f"https://{place[1]}/{place[2]}" if place else ""


def badge(name: str, url: str) -> str:
    """The Markdown of the badge that opens one notebook in Colab."""
    path = url.removeprefix("https://github.com/")
    link = f"{COLAB}/github/{path}/blob/main/notebooks/{name}"
    return f"[![Open in Colab]({COLAB}/assets/colab-badge.svg)]({link})"


def setup(url: str) -> str:
    """The beginning of every notebook's setup cell."""
    return SETUP.format(url=url, tag=f"v{__version__}")


def rewrite(text: str, url: str) -> str:
    """A text with every badge, setup cell, link and clone command pointing to the address.

    >>> rewrite("git clone https://example.org/a", "https://github.com/you/tgpipeline")
    'git clone https://github.com/you/tgpipeline'
    """
    text = _SERIES.sub(lambda marks: f"{marks[1]}{series(url, marks[2])}{marks[3]}", text)
    path = url.removeprefix("https://github.com/")
    text = _IN_COLAB.sub(f"{COLAB}/github/{path}/blob/main/", text)
    text = _IN_PIP.sub(f"git+{url}", text)
    text = _IN_CITATION.sub(rf"\g<1>{url}", text)
    text = _TAG.sub(rf"\g<1>v{__version__}", text)
    return _IN_CLONE.sub(f"git clone {url}", text)


def series(url: str, language: str = "", root: Path = ROOT) -> str:
    """The notebooks as a table: what each is about, how long it takes, where to open it."""
    lines = [f"| {' | '.join(_HEADS[language])} | |", "|---|---|---:|---|"]
    for path in sorted((root / "notebooks" / language).glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        title, _, about, *_ = "".join(cells[0]["source"]).splitlines()
        minutes = re.search(r"(?:about|cerca de) (\d+) minut", "".join(cells[2]["source"]))
        time = minutes[1] if minutes else ""
        name = path.relative_to(root / "notebooks").as_posix()
        link = f"[{title.lstrip('# ')}](notebooks/{name})"
        lines.append(f"| {link} | {about} | {time} | {badge(name, url)} |")
    return "\n".join(lines) + "\n"


def files(root: Path = ROOT) -> list[Path]:
    """The files that carry the address."""
    texts = [root / name for name in ("README.md", "README.pt-BR.md", "CITATION.cff")]
    return [*filter(Path.is_file, texts), *sorted((root / "notebooks").rglob("*.ipynb"))]


def main() -> None:
    """Rewrite all of them."""
    url = repository()
    if "/OWNER/" in url and (found := origin()):
        project = ROOT / "pyproject.toml"
        text = project.read_text(encoding="utf-8").replace(url, found)
        project.write_text(text, encoding="utf-8")
        url = found
    for path in files():
        before = path.read_text(encoding="utf-8")
        after = rewrite(before, url)
        if after != before:
            path.write_text(after, encoding="utf-8")
            print(f"{path.relative_to(ROOT)}: now {url}")


if __name__ == "__main__":
    main()
