"""The site: every link leads somewhere, every image has words, and both are found where not."""

import pytest

from tools import site


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    return site.build(tmp_path_factory.mktemp("site") / "out")


def test_the_site_has_a_page_per_notebook_an_index_and_a_glossary(pages):
    names = {f"{page.parent.name}/{page.name}" for page in pages}
    assert {"en/index.html", "en/glossary.html", "en/01_bot_setup.html"} < names
    assert site.check(pages) == []


def test_a_page_leads_on_and_back(pages):
    second = next(p for p in pages if p.name.startswith("02_") and p.parent.name == "en")
    text = second.read_text(encoding="utf-8")
    assert 'href="01_bot_setup.html"' in text
    assert "Next: 03" in text


def test_a_broken_link_and_a_silent_image_are_found(tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        '<a href="nowhere.html">x</a><a href="#place">y</a><a href="https://example.org">z</a>'
        '<img src="data:,"><img src="data:," alt="words">',
        encoding="utf-8",
    )
    found = site.check([page])
    assert len(found) == 3
    assert "1 images without words" in found[0]
    assert "no page nowhere.html" in found[1]
    assert "no place #place" in found[2]
