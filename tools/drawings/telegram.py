"""Drawings of Telegram's side: who sees what, what offset does, how an update is built."""

import json

from tgpipeline import resources
from tgpipeline.lake.columns import TABLES
from tools.drawings import BLUE, GREEN, GREY, INK, ORANGE, PALE, RED, Card, drawing


@drawing(
    "privacy-mode",
    2.9,
    "Four messages in a group. A bot in privacy mode receives the command and the reply to it. "
    "An administrator bot receives all four.",
)
def privacy_mode(card: Card) -> None:
    """Which messages reach the bot."""
    said = (
        ("/help", True),
        ("reply to the bot: thanks", True),
        ("my order is late", False),
        ("mine, too", False),
    )
    card.text(2.0, 2.6, "in the group", color=GREY)
    card.text(5.6, 2.6, "bot in privacy mode", color=GREY)
    card.text(8.5, 2.6, "bot as administrator", color=GREY)
    for n, (text, seen) in enumerate(said):
        y = 1.9 - n * 0.58
        card.box(0.4, y, 3.2, 0.44, text)
        card.arrow((3.7, y + 0.22), (4.8, y + 0.22), color=GREEN if seen else GREY)
        card.text(
            5.7,
            y + 0.22,
            "receives it" if seen else "never learns of it",
            color=GREEN if seen else RED,
        )
        card.text(8.5, y + 0.22, "receives it", color=GREEN)


@drawing(
    "offset",
    2.7,
    "Telegram holds updates 11, 12 and 13. getUpdates without offset returns all three and keeps "
    "them. getUpdates with offset 13 confirms 11 and 12, which are gone, and returns 13.",
)
def offset(card: Card) -> None:
    """Asking with an offset confirms what is before it."""
    rows = (
        (1.75, "getUpdates()", (11, 12, 13), (), "returns 11, 12, 13, and keeps them"),
        (0.95, "getUpdates(offset=13)", (13,), (11, 12), "11 and 12 are confirmed: gone for ever"),
        (0.15, "getUpdates(offset=14)", (), (11, 12, 13), "nothing is left to return"),
    )
    card.text(1.7, 2.5, "your program asks", color=GREY)
    card.text(5.0, 2.5, "Telegram holds", color=GREY)
    for y, call, kept, gone, what in rows:
        card.box(0.3, y, 2.8, 0.5, call, fill=BLUE, color=BLUE, family="monospace", size=9)
        card.arrow((3.2, y + 0.25), (3.8, y + 0.25))
        for n, number in enumerate((11, 12, 13)):
            there = number in kept
            card.box(
                4.0 + n * 0.72,
                y,
                0.6,
                0.5,
                str(number),
                fill=PALE if there else "#FFFFFF",
                color=INK if there else "#D0D7DE",
                **{} if there else {"alpha": 0.25},
            )
        card.text(6.4, y + 0.25, what, ha="left", size=9.5, color=RED if gone else INK)


@drawing(
    "update-tree",
    3.9,
    "The sample's update as a tree: update_id, and a message with message_id, date and text, and "
    "with from and chat nested in it. Each leaf becomes one column of a flat row: from.id becomes "
    "from_id, chat.type becomes chat_type.",
)
def update_tree(card: Card) -> None:
    """From a nested update to a flat row."""
    update = json.loads((resources.folder("data/sample") / "telegram.json").read_bytes())
    message = update["message"]
    names = {column.name for column in TABLES["messages"]}
    leaves = [
        ("update_id", update["update_id"], "update_id"),
        ("message.message_id", message["message_id"], "message_id"),
        ("message.from.id", message["from"]["id"], "from_id"),
        ("message.from.first_name", message["from"]["first_name"], "from_first_name"),
        ("message.chat.id", message["chat"]["id"], "chat_id"),
        ("message.chat.type", message["chat"]["type"], "chat_type"),
        ("message.date", message["date"], "date"),
        ("message.text", message.get("text", ""), "text"),
    ]
    card.text(2.3, 3.7, "nested: as Telegram sends it", color=GREY)
    card.text(7.6, 3.7, "flat: one row", color=GREY)
    for n, (path, value, column) in enumerate(leaves):
        y = 3.3 - n * 0.43
        depth = path.count(".") * 0.4
        card.text(0.4 + depth, y, path, ha="left", family="monospace", size=9)
        if depth:
            card.axes.plot([0.25 + depth - 0.2, 0.35 + depth], [y, y], color=GREY, lw=0.8)
        card.arrow((3.1, y), (4.6, y), color=ORANGE)
        assert column in names, "the drawing names a column that there is not"
        card.box(4.7, y - 0.18, 2.1, 0.36, column, family="monospace", size=9)
        shown = str(value) if len(str(value)) < 26 else f"{str(value)[:25]}…"
        card.text(7.0, y, shown, ha="left", size=9, color=BLUE)


@drawing(
    "rows-and-columns",
    2.8,
    "A table of three rows and four columns, stored twice. Row by row, a query for one column "
    "reads all twelve values. Column by column, it reads three.",
)
def rows_and_columns(card: Card) -> None:
    """What a query reads of each layout."""
    columns, rows = ("id", "day", "from", "text"), 3
    for top, text, by_row in (
        (1.5, "row by row (JSON, CSV)", True),
        (0.25, "column by column (Parquet)", False),
    ):
        card.text(0.3, top + 0.85, text, ha="left", color=GREY)
        order = [(r, c) for r in range(rows) for c in range(4)]
        if not by_row:
            order.sort(key=lambda cell: (cell[1], cell[0]))
        for n, (r, c) in enumerate(order):
            wanted = c == 1
            fill = ORANGE if wanted else "#FBE6C2" if by_row else PALE
            card.box(0.3 + n * 0.6, top, 0.54, 0.5, f"{columns[c]}{r + 1}", fill=fill, size=8)
        read = "reads 12 values for 3" if by_row else "reads the 3 it needs"
        card.text(7.8, top + 0.25, read, ha="left", color=RED if by_row else GREEN, weight="bold")


@drawing(
    "heard",
    3.3,
    "Seven things happened. The bot was told of five: Ana's question, Bruno's photo, his typo, the "
    "correction, and Ana's second message, which was gone after a day. It was not told of what it "
    "said itself, nor of what Ana said while it was no administrator.",
)
def heard(card: Card) -> None:
    """What happened in notebook 01, and what became an update."""
    happened = (
        ("Ana asks", "message", GREEN),
        ("Bruno sends a photo", "message", GREEN),
        ("Bruno writes “trocr”", "message", GREEN),
        ("Bruno corrects it", "edited_message", GREEN),
        ("Ana asks again", "message, gone after 24 hours", ORANGE),
        ("the bot is no administrator; Ana writes", "no update", RED),
        ("the bot answers", "no update", RED),
    )
    card.text(2.6, 3.1, "in the group", color=GREY)
    card.text(7.4, 3.1, "your bot was told", color=GREY)
    for n, (what, told, color) in enumerate(happened):
        y = 2.6 - n * 0.41
        card.box(0.3, y, 4.6, 0.33, what, size=9.5)
        card.arrow((5.0, y + 0.17), (5.7, y + 0.17), color=color)
        card.text(5.9, y + 0.17, told, ha="left", color=color, weight="bold", size=9.5)


@drawing(
    "redelivery",
    2.2,
    "The function answers 500. Telegram keeps the update and tries again after 2, 4, 8 and more "
    "seconds, at most two minutes apart, for 24 hours. The group's newer messages wait behind it. "
    "When the function answers 200, all of them arrive in order.",
)
def redelivery(card: Card) -> None:
    """Telegram tries again until it hears 200."""
    card.axes.plot([0.6, 9.4], [1.0, 1.0], color=GREY, lw=1)
    tries = ((0.8, "500", ""), (1.7, "500", "2 s"), (3.0, "500", "4 s"), (4.9, "500", "8 s"))
    for x, status, wait in (*tries, (7.6, "200", "… at most 2 min")):
        color = GREEN if status == "200" else RED
        card.axes.plot([x], [1.0], marker="o", ms=9, color=color)
        card.text(x, 1.38, status, color=color, weight="bold")
        if wait:
            card.text(x - (0.5 if wait[0] != "…" else 1.1), 0.72, wait, size=8.5, color=GREY)
    card.text(3.0, 1.9, "the update waits at Telegram, and newer ones behind it", size=9.5)
    card.text(8.2, 1.9, "all arrive, in order", size=9.5, color=GREEN)
    card.text(5.0, 0.25, "after 24 hours Telegram forgets it", size=9, color=GREY)
