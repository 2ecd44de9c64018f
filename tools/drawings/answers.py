"""Drawings of what is made of the rows: hours, conversations and what became of them."""

from tools.drawings import BLUE, GREEN, GREY, INK, ORANGE, PALE, RED, Card, drawing


@drawing(
    "three-hours-off",
    2.4,
    "A message sent at 22:30 in São Paulo on 28 November is 01:30 of the 29th in UTC. A query in "
    "UTC counts it for another hour and another day.",
)
def three_hours_off(card: Card) -> None:
    """One instant, two clocks."""
    for y, zone, clock, day, color in (
        (1.4, "São Paulo", "22:30", "28 Nov", GREEN),
        (0.4, "UTC", "01:30", "29 Nov", RED),
    ):
        card.axes.plot([2.4, 9.6], [y + 0.3, y + 0.3], color=GREY, lw=1)
        card.text(1.2, y + 0.3, zone, weight="bold")
        for hour in range(7):
            x = 2.6 + hour * 1.15
            label = (20 + hour if zone != "UTC" else 23 + hour) % 24
            card.text(x, y + 0.05, f"{label}h", size=8, color=GREY)
        x = 2.6 + 2.5 * 1.15
        card.axes.plot([x], [y + 0.3], marker="o", ms=9, color=color)
        card.text(x, y + 0.62, f"{clock} · {day}", color=color, weight="bold", size=9.5)


@drawing(
    "conversation",
    3.4,
    "Six messages in a group make two conversations. Ana asks and the bot answers; between them "
    "Bia asks something else and a person answers her. Ana's thanks close her conversation.",
)
def conversation(card: Card) -> None:
    """Who talks with whom is not written anywhere: it is worked out."""
    said = (
        ("Ana", "where is my order?", BLUE),
        ("Bia", "can I change the size?", ORANGE),
        ("bot", "Ana: it arrives tomorrow", BLUE),
        ("Rui, support", "Bia: yes, within 7 days", ORANGE),
        ("Ana", "thanks!", BLUE),
        ("Caio", "good morning, everybody", GREY),
    )
    card.text(3.0, 3.2, "in the group, in order of time", color=GREY)
    card.text(8.3, 3.2, "conversations", color=GREY)
    for n, (who, text, color) in enumerate(said):
        y = 2.65 - n * 0.48
        card.text(1.5, y + 0.18, who, ha="right", size=9)
        card.box(1.7, y, 3.4, 0.36, text, color=color, size=9)
        if color != GREY:
            card.arrow((5.15, y + 0.18), (6.9, 2.35 if color == BLUE else 1.15), color=color)
    card.box(7.0, 1.95, 2.7, 0.8, "Ana: answered, thanks", fill=BLUE, color=BLUE)
    card.box(7.0, 0.75, 2.7, 0.8, "Bia: answered", fill=ORANGE, color=ORANGE)
    card.text(8.3, 0.25, "a greeting opens none", size=9, color=GREY)


@drawing(
    "outcomes",
    2.6,
    "What became of a question: confirmed, when the customer said so; assumed, when silence "
    "followed a real answer; not solved, when the customer complained or came back; unanswered; "
    "and open, while the horizon has not passed. The truth lies between confirmed and confirmed "
    "plus assumed.",
)
def outcomes(card: Card) -> None:
    """The five ends of a conversation, and what the range is."""
    parts = (
        ("confirmed", 2.2, GREEN),
        ("assumed", 2.8, "#8FD3BC"),
        ("not solved", 1.9, RED),
        ("unanswered", 1.5, ORANGE),
        ("open", 0.9, PALE),
    )
    x = 0.35
    for name, width, fill in parts:
        card.box(x, 1.2, width - 0.06, 0.7, name, fill=fill, color=GREY, size=9)
        x += width
    card.axes.plot([0.35, 2.5], [2.1, 2.1], color=INK, lw=1.5)
    card.text(1.4, 2.32, "at least this", size=9)
    card.axes.plot([0.35, 5.3], [0.95, 0.95], color=INK, lw=1.5)
    card.text(2.8, 0.7, "at most this: the truth lies between", size=9)
    card.text(8.85, 0.95, "not counted yet", size=8.5, color=GREY)
    card.text(
        5.0,
        0.25,
        "all but the open ones are the cohort, and each share is of it",
        size=9,
        color=GREY,
    )
