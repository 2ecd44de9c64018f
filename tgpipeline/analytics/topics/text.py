"""What a chat message says once its spelling is set aside, and whether it asks something.

`normalise` makes one spelling of many: accents and case folded, chat abbreviations written out,
numbers and codes replaced by their kind. `words` and `stems` take such a text apart. All are pure
functions of one text: equal texts, equal answers. What is known of Portuguese and English chats is
in `chats.toml`.
"""

import re
import unicodedata
from functools import cache, lru_cache

import snowballstemmer

from tgpipeline import resources

CHATS = "analytics/topics/chats.toml"
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
_WORD = re.compile(rf"<[a-z]+>|{WORD}|[.,!?]")
_SENTENCE = 100  # added to positions at a sentence's end
_PORTUGUESE, _ENGLISH = snowballstemmer.stemmer("portuguese"), snowballstemmer.stemmer("english")


def _pattern(lines: str) -> re.Pattern[str]:
    return re.compile("".join(line.strip() for line in lines.splitlines()))


@cache
def _abbreviations() -> dict[str, str]:
    pairs = resources.data(CHATS)["short"].items()
    return {word: long for long, short in pairs for word in short.split()}


@cache
def _masks() -> list[tuple[int, list[str], re.Pattern[str], str]]:
    return [
        (kind.get("digits", 1), kind.get("signs", [""]), _pattern(kind["pattern"]), name)
        for name, kind in resources.data(CHATS)["kinds"].items()
    ]


@lru_cache(250_000)  # what a text says is asked again and again
def fold(text: str) -> str:
    """Lower-cases a text and takes its accents off; compatibility forms become plain letters.

    >>> fold("DEVOLUÇÃO já")
    'devolucao ja'
    """
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKD", text.translate(_MARKS)).lower()
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
    text = fold(_PROMOTION.sub(" <codigo> ", text))
    if _MAY_HOLD_CODE.search(text):
        text = _LABEL.sub(r"\1 ", _NUMBER.sub("", text))
        digits = sum(map(str.isdigit, text))
        for least, signs, pattern, kind in _masks():
            if digits >= least and any(sign in text for sign in signs):
                text = pattern.sub(f" <{kind}> ", text)
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


@lru_cache(1 << 18)
def stems(word: str) -> tuple[str, str]:
    """Returns a folded word's Portuguese and English stem.

    >>> stems("entregaram")[0] == stems("entrega")[0], stems("refunded")[1] == stems("refunds")[1]
    (True, True)
    """
    return _PORTUGUESE.stemWord(word), _ENGLISH.stemWord(word)


def words(text: str) -> list[tuple[int, str]]:
    """Returns the words of a normalised text with their positions.

    Positions jump at a sentence's end, further than any phrase reaches.
    """
    found, position = [], 0
    for word in _WORD.findall(text):
        if word in ",.!?":
            position += 0 if word == "," else _SENTENCE
        else:
            position += 1
            found.append((position, word))
    return found


@cache
def _asking() -> dict[str, re.Pattern[str]]:
    return {name: _pattern(lines) for name, lines in resources.data(CHATS)["asking"].items()}


def is_question(text: str) -> bool:
    """Tells whether a normalised text asks something that an answer could settle.

    Small talk ("tudo bem?"), tags ("viu?"), an agent's "posso ajudar?" and rhetorical questions
    ask nothing; neither does a complaint or a wish ("quero cancelar").

    >>> is_question("bom dia gente, alguem sabe quando chega"), is_question("boa tarde, tudo bem?")
    (True, False)
    """
    return any(_asks(sentence.strip()) for sentence in re.findall(r"[^.!?]+[.!?]?", text))


def _asks(sentence: str) -> bool:
    p = _asking()
    body = p["before"].sub("", sentence.rstrip(".!? ")).strip(" ,")
    if not any(map(str.isalpha, body)) or p["polite"].match(body):
        return False
    is_marked = sentence.endswith("?") and (not p["tag"].search(body) or p["confirm"].search(body))
    clauses = (p["before"].sub("", clause) for clause in body.split(","))
    is_put = p["anywhere"].search(body) or any(map(p["opening"].match, clauses))
    return bool((is_marked or is_put) and not p["rhetorical"].search(body))
