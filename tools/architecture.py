"""Draw the architecture for the README, as SVG that a phone can show: `make architecture`.

The rows are the stages of the flow, from above to below, so that the picture is narrow and its
letters stay large. It is drawn for light and for dark pages, in both languages.
"""

from pathlib import Path
from xml.sax.saxutils import escape

DOCS = Path(__file__).parents[1] / "docs"
WIDTH, HEIGHT, GAP = 480, 118, 44  # of the picture, of one row, between rows
ROWS = (
    ("Telegram", (("Group", "people write"), ("Bot", "sees it")), "webhook, with a secret token"),
    (
        "AWS · ingest",
        (("API Gateway", "a URL"), ("Lambda", "ingest"), ("S3 raw", "JSON, as sent")),
        "every night, the day before",
    ),
    (
        "AWS · ETL",
        (("EventBridge", "schedule"), ("Lambda", "etl"), ("S3 enriched", "Parquet")),
        "SQL over the files",
    ),
    ("AWS · presentation", (("Athena", "tables, SQL"), ("You", "charts, report")), ""),
)
# Background, border, box, ink, quiet ink, arrows.
THEMES = {
    "light": ("#F6F8FA", "#D0D7DE", "#0072B2", "#FFFFFF", "#57606A", "#57606A"),
    "dark": ("#161B22", "#30363D", "#56B4E9", "#0D1117", "#C9D1D9", "#8B949E"),
}
# By language, what is called otherwise than in ROWS. Services keep their names.
WORDS = {
    "": {},
    "pt-BR": {
        "Group": "Grupo", "people write": "as pessoas escrevem", "sees it": "recebe tudo",
        "webhook, with a secret token": "webhook, com um secret token",
        "AWS · ingest": "AWS · ingestão", "a URL": "uma URL", "JSON, as sent": "JSON, como veio",
        "every night, the day before": "toda noite, o dia anterior", "schedule": "agenda",
        "SQL over the files": "SQL sobre os arquivos", "AWS · presentation": "AWS · apresentação",
        "tables, SQL": "tabelas, SQL", "You": "Você", "charts, report": "gráficos, relatório",
        "to": "a",
    },
}  # fmt: skip


def draw(theme: str, language: str = "") -> str:
    """The picture as SVG.

    Args:
        theme: `light` or `dark`, as the page it stands on.
        language: a key of `WORDS`.
    """
    words = WORDS[language]

    def say(text: str) -> str:
        return words.get(text, text)

    rows = [
        (say(name), tuple((say(title), say(about)) for title, about in boxes), say(after))
        for name, boxes, after in ROWS
    ]
    height = len(ROWS) * (HEIGHT + GAP) - GAP
    to = f" {say('to')} "
    said = "; ".join(f"{name}: {to.join(f'{a} ({b})' for a, b in row)}" for name, row, _ in rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'font-family="system-ui, -apple-system, Segoe UI, Roboto, sans-serif" '
        f'text-anchor="middle">',
        f"<title>{escape(said)}</title>",
    ]
    for number, row in enumerate(rows):
        parts += _row(number * (HEIGHT + GAP), row, THEMES[theme])
    return "\n".join([*parts, "</svg>", ""])


def _row(
    top: int, row: tuple[str, tuple[tuple[str, str], ...], str], colours: tuple[str, ...]
) -> list[str]:
    background, border, box, ink, quiet, arrows = colours
    name, boxes, after = row
    parts = [
        f'<rect x="1" y="{top + 1}" width="{WIDTH - 2}" height="{HEIGHT - 2}" rx="10" '
        f'fill="{background}" stroke="{border}"/>',
        _text(WIDTH / 2, top + 25, name, quiet, 17),
    ]
    room = WIDTH / len(boxes)
    for number, (title, about) in enumerate(boxes):
        left = number * room + 12
        parts += [
            f'<rect x="{left:g}" y="{top + 38}" width="{room - 24:g}" height="66" rx="8" '
            f'fill="{box}"/>',
            _text(left + room / 2 - 12, top + 66, title, ink, 19, "bold"),
            _text(left + room / 2 - 12, top + 90, about, ink, 16),
        ]
        if number:
            middle = top + 71
            parts.append(
                f'<path d="M{left - 21:g} {middle} h12 m-6 -6 l7 6 l-7 6" fill="none" '
                f'stroke="{arrows}" stroke-width="2.5"/>'
            )
    if after:
        start = top + HEIGHT + 4
        parts += [
            f'<path d="M40 {start} v{GAP - 10} m-6 -7 l6 8 l6 -8" fill="none" '
            f'stroke="{arrows}" stroke-width="2.5"/>',
            _text(56, start + 23, after, quiet, 17, anchor="start"),
        ]
    return parts


def _text(
    x: float, y: float, text: str, colour: str, size: int, weight: str = "", anchor: str = ""
) -> str:
    more = f' font-weight="{weight}"' if weight else ""
    more += f' text-anchor="{anchor}"' if anchor else ""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{colour}"{more}>{escape(text)}</text>'
    )


PICTURES = [(theme, language) for theme in THEMES for language in WORDS]


def place(theme: str, language: str) -> Path:
    """Where a picture is."""
    return DOCS / f"architecture-{theme}{'.' if language else ''}{language}.svg"


if __name__ == "__main__":
    for picture in PICTURES:
        place(*picture).write_text(draw(*picture), encoding="utf-8")
