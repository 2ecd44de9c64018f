"""Drawings: each has words, fits its budget, and can be said in another language."""

import io

import pytest
from PIL import Image

from tools import drawings
from tools.drawings import flow

drawings._find(flow.name(0))
NAMES = sorted(drawings.DRAWINGS)


@pytest.mark.parametrize("name", NAMES)
def test_a_drawing_is_small_opaque_and_has_words(name):
    picture = drawings.png(name)
    assert len(picture) <= drawings.MAX_SIZE
    image = Image.open(io.BytesIO(picture)).convert("RGBA")
    assert image.getpixel((0, 0)) == (255, 255, 255, 255), "it must read on a dark page, too"
    alternative, *labels = drawings.texts(name)
    assert len(alternative.split()) > 10
    assert labels


def test_a_drawing_says_its_labels_in_another_language():
    told = drawings.markdown("ledger", lambda text: text.upper())
    assert told.startswith("![THE LEDGER OF A DAY.")
    assert drawings.png("ledger", lambda text: text.upper()) != drawings.png("ledger")


def test_an_unknown_drawing_names_the_known_ones():
    with pytest.raises(KeyError, match="partitions"):
        drawings.png("nothing")
