"""Drawings of AWS's side: a request's way, who may do what, an edit's way, days and the ledger."""

from tools.drawings import BLUE, GREEN, GREY, INK, ORANGE, PALE, RED, Card, drawing


@drawing(
    "request-function-object",
    2.3,
    "Telegram posts an update with the secret token to API Gateway. API Gateway calls the function "
    "with the whole request. The function compares the secret, reads the update and puts the same "
    "bytes into S3. Then it answers 200.",
)
def request_function_object(card: Card) -> None:
    """A request becomes a call, a call becomes an object."""
    for x, name, what, fill in (
        (0.2, "Telegram", "POST /…", PALE),
        (2.8, "API Gateway", "checks the address", PALE),
        (5.4, "Lambda", "ingest(event)", BLUE),
        (8.0, "S3", "one object", PALE),
    ):
        card.box(x, 0.9, 1.8, 0.9, fill=fill, color=BLUE if fill == BLUE else GREY)
        ink = "white" if fill == BLUE else INK
        card.text(x + 0.9, 1.5, name, weight="bold", color=ink)
        card.text(x + 0.9, 1.18, what, size=9, color=ink)
    for x, text in ((2.0, "request"), (4.6, "event"), (7.2, "bytes")):
        card.arrow((x + 0.05, 1.45), (x + 0.75, 1.45), text)
    for x in (7.2, 4.6, 2.0):
        card.arrow((x + 0.75, 1.1), (x + 0.05, 1.1), color=GREEN)
    card.text(5.0, 0.5, "200 comes back only when the object is stored", color=GREEN)


@drawing(
    "roles",
    2.6,
    "Three roles and three places. Ingest may write to raw. The ETL may read raw and write "
    "enriched. An analyst may read enriched. Nobody needs more.",
)
def roles(card: Card) -> None:
    """Least privilege as a table of arrows."""
    places = (("S3 raw", 4.0), ("S3 enriched", 6.2), ("Athena", 8.4))
    for name, x in places:
        card.text(x + 0.6, 2.35, name, weight="bold")
    rights = (
        ("ingest", ("write", "", "")),
        ("etl", ("read", "write", "")),
        ("analyst", ("", "read", "query")),
    )
    for n, (role, may) in enumerate(rights):
        y = 1.55 - n * 0.65
        card.box(0.4, y, 2.2, 0.48, role, fill=BLUE, color=BLUE)
        for (_, x), right in zip(places, may, strict=True):
            card.box(x, y, 1.2, 0.48, right or "no", fill=GREEN if right else "#FFFFFF", color=GREY)


@drawing(
    "edits-way",
    2.7,
    "A message of 28 November is edited on the 29th. Both versions are stored in the partition of "
    "the 28th, because both carry the message's date. The ETL makes one row, the last edit.",
)
def edits_way(card: Card) -> None:
    """Both versions lie in one partition; one row remains."""
    card.box(0.2, 1.75, 2.6, 0.55, "28 Nov: “wher is it?”")
    card.box(0.2, 0.55, 2.6, 0.55, "29 Nov: “where is it?”")
    card.text(1.5, 1.42, "edited the next day", size=9, color=GREY)
    card.box(4.0, 0.4, 2.7, 2.05, fill="#FFFFFF")
    card.text(5.35, 2.22, "context_date=2025-11-28", size=8.5, family="monospace", color=GREY)
    card.box(4.2, 1.4, 2.3, 0.5, "781206128.json", size=9)
    card.box(4.2, 0.65, 2.3, 0.5, "781206390.json", size=9)
    card.arrow((2.9, 2.0), (4.1, 1.7))
    card.arrow((2.9, 0.85), (4.1, 0.9), color=ORANGE)
    card.arrow((6.8, 1.4), (7.6, 1.4), "ETL")
    card.box(7.7, 1.05, 2.1, 0.7, "“where is it?”", fill=GREEN, color=GREEN)
    card.text(8.75, 0.75, "one row: the last edit", size=9, color=GREEN)


@drawing(
    "partitions",
    2.6,
    "Four folders, one per day. A query for 28 November reads the folder of that day and skips the "
    "other three.",
)
def partitions(card: Card) -> None:
    """A query for one day reads one folder."""
    for n, day in enumerate(("26", "27", "28", "29")):
        x, wanted = 0.3 + n * 2.4, day == "28"
        card.box(
            x, 0.9, 2.1, 1.1, fill="#FFF4DC" if wanted else PALE, color=ORANGE if wanted else GREY
        )
        card.text(x + 1.05, 1.72, f"context_date=2025-11-{day}", size=7.5, family="monospace")
        card.box(x + 0.4, 1.05, 1.3, 0.42, "part-0.parquet", size=7.5, fill="#FFFFFF")
        word = "read" if wanted else "skipped"
        card.text(x + 1.05, 0.62, word, color=GREEN if wanted else GREY, weight="bold")
    query = "WHERE context_date = '2025-11-28'"
    card.text(5.0, 2.35, query, family="monospace", size=9.5, color=INK)
    card.text(5.0, 0.25, "Athena bills what it reads", size=9, color=GREY)


@drawing(
    "ledger",
    2.9,
    "The ledger of a day. Documents split into message versions, events and quarantined. Message "
    "versions split into rows and superseded versions. Both sums must be exact.",
)
def ledger(card: Card) -> None:
    """Every document is accounted for."""
    card.box(0.3, 1.2, 1.9, 0.7, "documents", fill=BLUE, color=BLUE, weight="bold")
    for y, text, color in (
        (2.1, "message versions", INK),
        (1.25, "event versions", INK),
        (0.4, "quarantined", RED),
    ):
        card.box(3.4, y, 2.2, 0.6, text, color=color)
        card.arrow((2.25, 1.55), (3.35, y + 0.3))
    for y, text, color in ((2.35, "messages (rows)", GREEN), (1.75, "superseded", GREY)):
        card.box(7.2, y, 2.4, 0.45, text, color=color)
        card.arrow((5.65, 2.4), (7.15, y + 0.22))
    for y, text, color in ((1.15, "events (rows)", GREEN), (0.55, "repeated", GREY)):
        card.box(7.2, y, 2.4, 0.45, text, color=color)
        card.arrow((5.65, 1.55), (7.15, y + 0.22))
    card.text(5.0, 0.12, "Nothing is dropped without a count and a place.", size=9, color=GREY)


@drawing(
    "catalogue",
    2.4,
    "Athena holds no data. The Glue catalogue says where the files are and what their columns are "
    "called. The files stay in S3. Dropping the table deletes the entry, never a file.",
)
def catalogue(card: Card) -> None:
    """An external table is an entry about files."""
    card.box(0.3, 0.9, 2.2, 0.9, "your SQL", fill=BLUE, color=BLUE, weight="bold")
    card.box(3.7, 0.9, 2.4, 0.9)
    card.text(4.9, 1.52, "Glue catalogue", weight="bold")
    card.text(4.9, 1.2, "names, types, place", size=9)
    card.box(7.3, 0.9, 2.4, 0.9)
    card.text(8.5, 1.52, "S3 enriched", weight="bold")
    card.text(8.5, 1.2, "the Parquet files", size=9)
    card.arrow((2.6, 1.35), (3.6, 1.35), "Athena")
    card.arrow((6.2, 1.35), (7.2, 1.35), "points to")
    card.text(4.9, 0.5, "DROP TABLE removes this entry …", size=9, color=RED)
    card.text(8.5, 0.5, "… and never a file", size=9, color=GREEN)


@drawing(
    "erasure",
    3.1,
    "What the lake holds of a person, and what erasing does with it. Her own messages are deleted. "
    "Answers of others that quote her are rewritten without her. Quarantine and query results that "
    "name her are deleted. The days are made anew. At last all bytes are searched for her.",
)
def erasure(card: Card) -> None:
    """What becomes of each trace of a person."""
    traces = (
        ("her own messages", "deleted", RED),
        ("answers that quote her", "rewritten without her", ORANGE),
        ("quarantine, query results", "deleted", RED),
        ("Parquet of her days", "made anew", GREEN),
    )
    card.text(1.9, 2.85, "in the lake", color=GREY)
    card.text(5.6, 2.85, "erase", color=GREY)
    for n, (what, becomes, color) in enumerate(traces):
        y = 2.1 - n * 0.58
        card.box(0.3, y, 3.2, 0.44, what)
        card.arrow((3.6, y + 0.22), (4.3, y + 0.22), color=color)
        card.text(4.45, y + 0.22, becomes, ha="left", color=color, weight="bold")
    card.box(7.3, 0.36, 2.4, 2.18, fill=BLUE, color=BLUE)
    card.text(8.5, 1.75, "proof", weight="bold", color="white")
    card.text(8.5, 1.35, "every byte is searched", size=9, color="white")
    card.text(8.5, 1.05, "for id, names and texts", size=9, color="white")
