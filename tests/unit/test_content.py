"""What is inside updates: the text of rich messages."""

import pytest

from tgpipeline.content import rich_text


def paragraph(text):
    return {"type": "paragraph", "text": text}


def table(*rows):
    return {"type": "table", "cells": [[{"text": t} if t else {} for t in row] for row in rows]}


@pytest.mark.parametrize(
    ("block", "text"),
    [
        (paragraph(["frete ", [{"type": "bold", "text": "grátis"}, " hoje"]]), "frete grátis hoje"),
        (paragraph([["dez ", "reais"]]), "dez reais"),
        (
            {"type": "blockquote", "blocks": [paragraph("um"), paragraph("dois")], "credit": "Rui"},
            "um\ndois\nRui",
        ),
        (
            {
                "type": "list",
                "items": [{"label": "1.", "blocks": [paragraph("a"), paragraph("b")]}],
            },
            "a\nb",
        ),
        (table(["Item", "Preço"], ["", "R$ 30"]), "Item\tPreço\n\tR$ 30"),
        (
            {"type": "photo", "photo": [], "caption": {"text": "Vitrine", "credit": "Eva"}},
            "Vitrine\nEva",
        ),
        ({"type": "mathematical_expression", "expression": "2 x 15"}, "2 x 15"),
        (paragraph(["soma ", {"type": "mathematical_expression", "expression": "x"}]), "soma x"),
        (paragraph(["oba ", {"type": "custom_emoji", "alternative_text": "🎉"}]), "oba 🎉"),
        (paragraph(["ou ", {"type": "button", "button": {"text": "compre"}}]), "ou compre"),
        ({"type": "buttons", "buttons": [{"text": "Sim"}, {"text": "Não"}]}, "Sim\nNão"),
        ({"type": "divider"}, ""),
    ],
)
def test_the_text_of_a_rich_message_is_complete_and_a_line_a_block(block, text):
    lines = ["antes", *filter(None, [text]), "depois"]
    blocks = [paragraph("antes"), block, paragraph("depois")]
    assert rich_text({"blocks": blocks}) == "\n".join(lines)
