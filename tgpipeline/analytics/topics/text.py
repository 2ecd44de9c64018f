"""What a chat message says once its spelling is set aside. Portuguese and English, no I/O.

`normalise` makes one spelling of many: accents and case folded, chat abbreviations written out,
numbers and codes replaced by their kind. A pure function of one text: equal texts, equal spelling.
What is known of the two languages is in `chats.toml`.
"""

import re
import tomllib
import unicodedata
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

_MAY_HOLD_CODE = re.compile(r"[\d@$€£]|\w\.\w")
_PROMOTION = re.compile(r"\b[A-Z]{3,}\d{1,3}\b")  # PROMO10
_NUMBER = re.compile(
    r"\bn[º°o]?[.:]?\s*(?=\d{3})|\b(?:numero|num|nro|number|no)[.:]?\s+(?=#?\d{3})"
)
_LABEL = re.compile(r"\b(cpf|cep|pedido|order|compra|protocolo)\s*[:=-]\s*(?=\S)")
_SHORT_NOT = re.compile(r"\b([a-z]+)n't\b")
_SHORT_IS = re.compile(r"\b(what|where|when|how|who|it|that|there)'s\b")
_STRETCHED = re.compile(r"([a-z])\1{2,}")  # "cadeeee"
# A word goes on over marks that are no letters to Python: vowel signs, and joiners.
WORD = r"[^\W_]+(?:[\u0300-\u1cff\u200c\u200d]+[^\W_]*)*"
_ENDS = ".,!?;"
_PIECE = re.compile(rf"<[a-z]+>|{WORD}|[{_ENDS}](?:(?!<[a-z]+>)[\W_])*")
# Accents, and the vowel points of Arabic and Hebrew, which people write or leave out.
_COMBINING = re.compile(
    r"[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1-\u05c7\u0640\u064b-\u0652\u0670\u1ab0-\u1aff\u20d0-\u20ff"
    r"\ufe00-\ufe0f]"
)
_WRAPPED = 60  # a line so long is broken by its width, a shorter one by its writer
_MARKS = str.maketrans("¿؟՞❓❔।،、。’", " ????.,,.'")
_SIGNS = frozenset(map(chr, _MARKS))


@cache
def language_data() -> dict[str, Any]:
    """What `chats.toml` says; the lines of each pattern are joined."""
    data = tomllib.loads(files(__package__).joinpath("chats.toml").read_text(encoding="utf-8"))
    data["asking"] = {name: _joined(lines) for name, lines in data["asking"].items()}
    return data


def _joined(lines: str) -> str:
    return "".join(line.strip() for line in lines.splitlines())


@cache
def _abbreviations() -> dict[str, str]:
    pairs = {w: long for long, short in language_data()["short"].items() for w in short.split()}
    return {unicodedata.normalize("NFC", word): long for word, long in pairs.items()}


@cache
def _masks() -> list[tuple[int, list[str], re.Pattern[str], str]]:
    return [
        (kind.get("digits", 1), kind.get("signs", [""]), re.compile(_joined(kind["pattern"])), name)
        for name, kind in language_data()["kinds"].items()
    ]


@lru_cache(250_000)  # what a text says is asked again and again
def fold(text: str) -> str:
    """Lower-cases a text and takes its accents off; compatibility forms become plain letters.

    >>> fold("DEVOLUÇÃO já")
    'devolucao ja'
    """
    if text.isascii():
        return text.lower()
    if not _SIGNS.isdisjoint(text):
        text = text.translate(_MARKS)
    text = unicodedata.normalize("NFKD", text).lower()
    return unicodedata.normalize("NFC", _COMBINING.sub("", text))


@lru_cache(250_000)
def normalise(text: str) -> str:
    """Writes a message in one spelling: folded words, kinds of code in `<>`, and `. , ! ?`.

    Emoji, quoting lines of a pasted e-mail and other signs are left out; a line break ends a
    sentence unless it only wraps a long line. A text without a word or code gives at most marks.

    >>> normalise("Oi! Vcs viram o pedido nº 48213? Rastreio BR123456789BR não atualiza 😡")
    'oi! voces viram o pedido <pedido>? rastreio <rastreio> nao atualiza'
    """
    if "\n" in text:
        lines = [line for line in text.split("\n") if not line.lstrip().startswith(">")]
        text = "".join(line + (" " if len(line) >= _WRAPPED else " . ") for line in lines)
    if _MAY_HOLD_CODE.search(text):
        text = fold(_PROMOTION.sub(" <codigo> ", text))
        text = _LABEL.sub(r"\1 ", _NUMBER.sub("", text))
        digits = sum(map(str.isdigit, text))
        for least, signs, pattern, kind in _masks():
            if digits >= least and any(sign in text for sign in signs):
                text = pattern.sub(f" <{kind}> ", text)
    else:
        text = fold(text)
    if "'" in text:
        text = text.replace("can't", "can not").replace("won't", "will not")
        text = _SHORT_IS.sub(r"\1 is", _SHORT_NOT.sub(r"\1 not", text)).replace("'", "")
    pieces, long = _PIECE.findall(_STRETCHED.sub(r"\1", text)), _abbreviations()
    text = " ".join([_end(p) if p[0] in _ENDS else long.get(p, p) for p in pieces])
    for mark in ".,!?":
        text = text.replace(f" {mark}", mark)
    return text.strip(" .,")


def _end(marks: str) -> str:
    """One mark for several: a question mark if there is one."""
    return "?" if "?" in marks else marks[0].replace(";", ",")


def written_out(word: str) -> str:
    """Writes out a folded chat abbreviation that stands for one word; others stay as they are."""
    long = _abbreviations().get(word, word)
    return word if " " in long else long
