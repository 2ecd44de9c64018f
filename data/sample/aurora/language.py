"""From phrase templates to what people type."""

import random
import re
from collections.abc import Mapping, Sequence

from aurora.people import Style, plain

MARK = re.compile(r"\[(\w+)\] ")
ALTERNATIVES = re.compile(r"\(([^()]*\|[^()]*)\)")
# What noise must leave alone (links, addresses, codes) comes first; then words.
TOKENS = re.compile(r"https?://\S+|\S+@\S+|[@/#]\S+|\w*\d[\w.,:-]*|[A-Z]{3,}\b|[A-Za-zÀ-ÿ]+")
SHORT = {
    "você": "vc vc vcê", "vocês": "vcs", "também": "tb tbm tmb", "não": "n nao ñ nao", "que": "q",
    "porque": "pq", "hoje": "hj", "quando": "qdo qnd", "quanto": "qto qnt", "muito": "mto mt",
    "beleza": "blz", "comigo": "cmg", "está": "tá ta", "estou": "tô to", "estava": "tava",
    "para": "pra p", "obrigado": "obg obgd", "obrigada": "obg obgda", "depois": "dps",
    "agora": "agr", "mesmo": "msm", "aqui": "aki aq", "mensagem": "msg", "tudo": "td",
    "gente": "gnt", "qualquer": "qlqr qq", "alguém": "alguem algm", "ninguém": "ngm ninguem",
    "nada": "nd nada", "cadê": "kd cade", "demais": "dms", "telefone": "tel", "endereço": "end",
    "favor": "fvr", "vou": "vo vou", "uma": "uma 1", "ainda": "ainda aind", "cartão": "cartao",
}  # fmt: skip
MISSPELT = {
    "reembolso": "reenbolso rembolso", "estorno": "extorno", "cancelar": "canselar",
    "chegou": "xegou chego", "mas": "mais", "cupom": "cupon cupum", "defeito": "defeto deffeito",
    "rastreio": "ratreio rastreo", "transportadora": "transpotadora", "devolver": "devouver",
    "ansiosa": "anciosa", "ansioso": "ancioso", "recebi": "resebi", "prejuízo": "prejuiso",
    "insatisfação": "insatisfassão", "atendente": "antendente atendete",
    "comprei": "compre conprei",
    "pedido": "pedio pedito", "entrega": "entega entrga", "produto": "produdo prodito",
    "boleto": "bolero boelto", "senha": "senhna", "garantia": "garrantia", "troca": "toca trocca",
}  # fmt: skip


class Writer:
    """Picks phrases without wearing one out, fills them in, and types them as somebody would."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self._decks: dict[tuple[str, ...], list[str]] = {}

    def pick(self, options: Sequence[str]) -> str:
        """The next phrase of a shuffled deck: all are used before one comes again."""
        key = tuple(options)
        if not self._decks.get(key):
            self._decks[key] = self.rng.sample(list(options), len(options))
        return self._decks[key].pop()

    def fill(self, template: str, slots: Mapping[str, str]) -> str:
        """Choose between alternatives, then fill in the slots."""
        while found := ALTERNATIVES.search(template):
            choice = self.rng.choice(found[1].split("|"))
            template = template[: found.start()] + choice + template[found.end() :]
        return re.sub(r" {2,}", " ", template.format_map(slots)).strip()

    def type(self, text: str, style: Style, *, language: str = "pt", emojis: str = "") -> str:
        """The same text as somebody with this style would type it."""
        rng = self.rng
        words = _PORTUGUESE if language.startswith("pt") else _OTHER
        text = TOKENS.sub(lambda found: self._word(found[0], style, words), text)
        text = re.sub(r"\bp(ra)? ([ao])\b", lambda found: "pr" + found[2], text)
        if style.no_accents:
            text = "".join(c if ord(c) > 0x2000 else _without_accent(c) for c in text)
        if style.lower and not text[1:2].isupper():
            text = text[:1].lower() + text[1:]
        if text.endswith(".") or (text.endswith("?") and rng.random() < style.no_mark):
            text = text[:-1] if rng.random() < style.no_stop else text
        if text.endswith(("?", "!")) and rng.random() < style.emoji:
            text += text[-1] * rng.randrange(1, 4)
        if rng.random() < style.shout:
            text = text.upper() if "http" not in text and "@" not in text else text
        if rng.random() < style.emoji:
            emoji = rng.choice((emojis or style.emojis).split()) * (2 if rng.random() < 0.2 else 1)
            text = f"{emoji} {text}" if rng.random() < 0.15 else f"{text} {emoji}"
        return text

    def slip(self, text: str) -> str:
        """The text with one slip of the finger in one of its words, or as it was."""
        words = [
            found for found in TOKENS.finditer(text) if re.fullmatch(r"[a-zà-ÿ]{4,}", found[0])
        ]
        if not words:
            return text
        found = self.rng.choice(words)
        return text[: found.start()] + self._finger(found[0]) + text[found.end() :]

    def _word(self, word: str, style: Style, words: tuple[dict[str, str], dict[str, str]]) -> str:
        rng, low = self.rng, word.lower()
        if not low.isalpha() or (len(word) > 2 and word.isupper()):
            return word
        short, misspelt = words
        if low in short and rng.random() < style.short:
            low = rng.choice(short[low].split())
        elif low in misspelt and rng.random() < style.typos * 6:
            low = rng.choice(misspelt[low].split())
        elif len(low) > 4 and rng.random() < style.typos:
            low = self._finger(low)
        else:
            return word
        return low[:1].upper() + low[1:] if word[0].isupper() else low

    def _finger(self, word: str) -> str:
        at = self.rng.randrange(1, len(word) - 1)
        kind = self.rng.random()
        if kind < 0.45:
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        if kind < 0.75:
            return word[:at] + word[at + 1 :]
        return word[:at] + word[at] + word[at:]


_PORTUGUESE = (SHORT, MISSPELT)
_OTHER: tuple[dict[str, str], dict[str, str]] = (
    {"you": "u", "please": "pls plz", "thanks": "thx", "because": "bc"},
    {"receive": "recieve", "refund": "refound", "delivery": "delivary", "coupon": "cupon"},
)


def _without_accent(character: str) -> str:
    return plain(character).upper() if character.isupper() else plain(character)


def unmark(phrase: str) -> tuple[str, str]:
    """A phrase's mark and the phrase.

    >>> unmark("[pix] O QR code expirou"), unmark("Bom dia")
    (('pix', 'O QR code expirou'), ('', 'Bom dia'))
    """
    found = MARK.match(phrase)
    return (found[1], phrase[found.end() :]) if found else ("", phrase)


def stop(sentence: str) -> str:
    """The sentence with a full stop, unless it has a mark of its own.

    >>> stop("Obrigada"), stop("Como faço?")
    ('Obrigada.', 'Como faço?')
    """
    return sentence + "." if sentence[-1].isalnum() or sentence[-1] in '")' else sentence


def join(prefix: str, sentence: str) -> str:
    """Put a greeting before a sentence, which then starts small after a comma.

    >>> join("Oi,", "Meu pedido atrasou")
    'Oi, meu pedido atrasou'
    """
    if sentence.startswith("/"):
        return sentence
    small = prefix.endswith((",", "bot")) and sentence[1:2].islower()
    if sentence[:2] in ("O ", "A "):
        small = prefix.endswith((",", "bot"))
    return f"{prefix} {sentence[:1].lower() + sentence[1:] if small else sentence}"
