"""What is inside updates: the text of rich messages, what an event changed."""

import pytest

from tgpipeline.telegram.content import entities_of, old_and_new, rich_text


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


@pytest.mark.parametrize(
    ("kind", "event", "values"),
    [
        ("poll", {"options": [{"text": "Pix"}, {"text": "boleto"}]}, (None, None)),
        ("poll", {"options": [{"voter_count": 2}, {"voter_count": 0}]}, (None, "2 0")),
        ("poll_answer", {"option_ids": [None]}, (None, None)),
        ("poll_answer", {"option_ids": []}, (None, None)),
        ("poll_answer", {"option_ids": [0, 2]}, (None, "0 2")),
        (
            "message_reaction",
            {"old_reaction": [{}], "new_reaction": [{"type": "paid"}]},
            (None, "paid"),
        ),
        ("message_reaction_count", {"reactions": [{"type": {"emoji": "👍"}}]}, (None, None)),
        ("message_reaction_count", {"reactions": [{"total_count": 3}]}, (None, None)),
        (
            "message_reaction_count",
            {"reactions": [{"type": {"type": "paid"}, "total_count": 1}]},
            (None, "paid=1"),
        ),
    ],
)
def test_what_an_event_does_not_tell_is_no_word(kind, event, values):
    assert old_and_new(kind, event) == values


@pytest.mark.parametrize("place", [(0, 0), (-1, 3), (0, -1), (None, 3), (0, "3")])
def test_a_command_that_is_nowhere_does_not_hide_the_next(place):
    nowhere = {"type": "bot_command", "offset": place[0], "length": place[1]}
    command = {"type": "bot_command", "offset": 3, "length": 5}
    types, found = entities_of([nowhere, command], "oi /nota")
    assert (types, found) == (["bot_command"] * 2, "/nota")
