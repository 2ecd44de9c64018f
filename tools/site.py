"""The series as a static site, in both languages: `make site` writes out/site.

Pages are made from the notebooks with the outputs that are stored in them; nothing is run. `check`
finds links that lead nowhere, images without words and, where Chromium is installed, what a browser
complains about at the width of a phone and of a desktop.
"""

import html
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import nbformat
from nbconvert.filters import markdown2html

from tgpipeline.notebook import runner
from tools import translate
from tools.pages import to_html

ROOT = Path(__file__).parents[1]
OUT = ROOT / "out" / "site"
WIDTHS = (390, 1200)
PRIVACY = ROOT / "docs/privacy.md"
_DOCUMENT = re.compile(r'href="(?:\.\./)*docs/(glossary|privacy)(?:\.pt-BR)?\.md')


@dataclass(frozen=True)
class Language:
    """One language of the site: where its sources are, and the words around the pages."""

    code: str
    notebooks: Path
    glossary: Path
    title: str
    words: tuple[str, str, str, str, str]  # contents, glossary, previous, next, solution


LANGUAGES = (
    Language(
        "en",
        ROOT / "notebooks",
        ROOT / "docs/glossary.md",
        "A Telegram group's messages, from a bot's webhook to answers",
        ("Contents", "Glossary", "Previous", "Next", "Solution"),
    ),
    Language(
        "pt-BR",
        ROOT / "notebooks" / translate.FOLDER,
        ROOT / "docs/glossary.pt-BR.md",
        "As mensagens de um grupo do Telegram, do webhook do bot às respostas",
        ("Conteúdo", "Glossário", "Anterior", "Próximo", "Solução"),
    ),
)


def build(out: Path = OUT) -> list[Path]:
    """Write the site, and return its pages."""
    shutil.rmtree(out, ignore_errors=True)
    languages = [language for language in LANGUAGES if list(language.notebooks.glob("*.ipynb"))]
    pages = [page for language in languages for page in _language(language, languages, out)]
    front = out / "index.html"
    front.write_text(
        '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>tgpipeline</title>'
        '<meta http-equiv="refresh" content="0; url=en/index.html">'
        '<a href="en/index.html">tgpipeline</a></html>\n',
        encoding="utf-8",
    )
    return [front, *pages]


def _language(language: Language, languages: list[Language], out: Path) -> list[Path]:
    folder = out / language.code
    folder.mkdir(parents=True)
    sources = runner.find(language.notebooks)
    notebooks = [nbformat.read(source, as_version=4) for source in sources]
    titles = [book.cells[0].source.partition("\n")[0].lstrip("# ") for book in notebooks]
    contents, glossary, before, after, solution = language.words
    pages = []
    for n, (source, notebook) in enumerate(zip(sources, notebooks, strict=True)):
        around = []
        if n:
            around.append((f"← {before}: {titles[n - 1]}", f"{sources[n - 1].stem}.html"))
        if n + 1 < len(sources):
            around.append((f"{after}: {titles[n + 1]} →", f"{sources[n + 1].stem}.html"))
        page = to_html(notebook, titles[n])
        page = page.replace('<html lang="en">', f'<html lang="{language.code}">')
        page = page.replace("<summary>Solution<", f"<summary>{solution}<")
        links = [(contents, "index.html"), (glossary, "glossary.html"), *around]
        for other in languages:
            if other is not language:
                links.append((other.code, f"../{other.code}/{source.stem}.html"))
        page = page.replace("<main>", f"{_links(links)}<main>", 1)
        page = page.replace("</main>", f"</main>{_links(around)}", 1)
        page = _DOCUMENT.sub(r'href="\1.html', page)
        pages.append(_write(folder / f"{source.stem}.html", page))
    rows = [(title, f"{source.stem}.html") for title, source in zip(titles, sources, strict=True)]
    listed = "".join(f'<li><a href="{to}">{html.escape(text)}</a></li>' for text, to in rows)
    body = f"<h1>{html.escape(language.title)}</h1><ol>{listed}</ol>"
    others = [(o.code, f"../{o.code}/index.html") for o in languages if o is not language]
    links = [(glossary, "glossary.html"), *others]
    pages.append(_plain(folder / "index.html", language, language.title, _links(links) + body))
    for path, title in ((language.glossary, glossary), (PRIVACY, PRIVACY.stem.title())):
        text = re.sub(r"\[[^]]*\]\(glossary[^)]*\)", "", path.read_text(encoding="utf-8"))
        body = _links([(contents, "index.html")]) + str(markdown2html(text))
        name = path.name.partition(".")[0]
        pages.append(_plain(folder / f"{name}.html", language, title, body))
    return pages


def _links(links: list[tuple[str, str]]) -> str:
    made = " · ".join(f'<a href="{to}">{html.escape(text)}</a>' for text, to in links)
    return f"<nav>{made}</nav>" if made else ""


def _plain(path: Path, language: Language, title: str, body: str) -> Path:
    """A page that is no notebook, in the notebooks' dress."""
    page = to_html(nbformat.v4.new_notebook(), title)
    page = page.replace('<html lang="en">', f'<html lang="{language.code}">')
    return _write(path, page.replace("<main>", f"<main>{body}", 1))


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


class _Page(HTMLParser):
    """The links, anchors and images without words of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.silent = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if found.get("id"):
            self.ids.add(str(found["id"]))
        if tag == "a" and found.get("href"):
            self.links.append(str(found["href"]))
        if tag == "img" and not (found.get("alt") or "").strip():
            self.silent += 1


def check(pages: list[Path]) -> list[str]:
    """What is wrong with the pages: links that lead nowhere, and images without words."""
    parsed = {page: _Page(page.read_text(encoding="utf-8")) for page in pages}
    found = []
    for page, content in parsed.items():
        if content.silent:
            found.append(f"{page.name}: {content.silent} images without words")
        for link in content.links:
            if re.match(r"[a-z]+:", link):
                continue
            name, _, anchor = link.partition("#")
            target = (page.parent / name).resolve() if name else page
            other = parsed.get(target)
            if other is None and not target.is_file():
                found.append(f"{page.parent.name}/{page.name}: no page {link}")
            elif anchor and other is not None and anchor not in other.ids:
                found.append(f"{page.parent.name}/{page.name}: no place {link}")
    return found


def look(pages: list[Path], chromium: str) -> list[str]:
    """What Chromium says on its console of each page, at each width."""
    found = []
    for page in pages:
        for width in WIDTHS:
            with tempfile.TemporaryDirectory() as profile:
                command = [chromium, "--headless", "--no-sandbox", "--disable-gpu"]
                command += ["--no-first-run", "--disable-background-networking", "--disable-quic"]
                command += [f"--user-data-dir={profile}", f"--window-size={width},900"]
                command += ["--enable-logging=stderr", "--dump-dom", page.as_uri()]
                ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
            said = re.findall(r"CONSOLE[^]]*\] (.*)", ran.stderr)
            found += [f"{page.parent.name}/{page.name} at {width} px: {line}" for line in said]
            if "</main>" not in ran.stdout and page.name != "index.html":
                found.append(f"{page.parent.name}/{page.name} at {width} px: nothing was drawn")
    return found


def main() -> int:
    """Build and check the site; 1 where something is wrong with it."""
    pages = build()
    found = check(pages)
    if chromium := shutil.which("chromium") or shutil.which("google-chrome"):
        found += look(pages, chromium)
    else:
        print("no Chromium here: what a browser says of the pages was not looked at")
    print("\n".join(found) or f"{len(pages)} pages in {OUT.relative_to(ROOT)}: nothing is wrong")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
