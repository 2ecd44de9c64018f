"""What a chat message says once its spelling is set aside. Portuguese and English, no I/O.

`normalise` makes one spelling of many: accents and case folded, chat abbreviations written out,
numbers and codes replaced by their kind. A pure function of one text: equal texts, equal spelling.
"""

import re
import unicodedata

# Kinds of code, most specific first. They are matched on folded, lower-case text. The shapes:
# CPF, CNPJ and CEP as Receita Federal and Correios print them, the 44 digits of an NF-e's key, and
# the UPU's S10 tracking number: https://www.upu.int/en/postal-solutions/programmes-services/standards
_KINDS = [
    ("email", r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)*"),
    (
        "url",
        r"(?:https?://|www\.)\S+|\b[a-z0-9][a-z0-9.-]{0,60}\.(?:com|net|org|me|ly|app)(?:\.br)?\b\S*",
    ),
    ("usuario", r"(?<!\w)@\w{3,}"),
    ("nota", r"\b(?:\d{4}[ .]?){10}\d{4}\b"),
    ("cnpj", r"\b\d{2}\.?\d{3}\.?\d{3}/\d{4}-?\d{2}\b"),
    ("cartao", r"\b\d{4}([ -]?)\d{4}\1\d{4}\1\d{4}\b"),
    ("cpf", r"\b\d{3}\.\d{3}\.\d{3}-\d{2}\b|(?<=cpf )\d{11}\b|\b\d{2}[0-8]\d{8}\b"),
    ("rastreio", r"\b[a-z]{2} ?\d{9} ?[a-z]{2}\b|\b[a-z]{2,4}\d{10,}[a-z]{0,2}\b"),
    ("telefone", r"(?<!\w)(?:\+?55 ?)?\(?\b\d{2}\)? ?9\d{4}[- ]?\d{4}\b|(?<!\w)\+\d[\d ()-]{8,}\d"),
    ("cep", r"\b\d{5}-\d{3}\b|(?<=cep )\d{8}\b"),
    (
        "valor",
        r"(?:r\$|us\$|\$|€|£) ?\d[\d.,]*\d|(?:r\$|us\$|\$|€|£) ?\d|"
        r"\b\d[\d.,]* ?(?:reais|real|conto|contos|pila|dollars|bucks|usd|brl)\b",
    ),
    ("percento", r"\b\d+(?:[.,]\d+)? ?%|\b\d+ por ?cento\b"),
    ("vezes", r"\b\d{1,2} ?x\b|\b\d{1,2} vezes\b"),
    ("data", r"\b\d{4}-\d{2}-\d{2}\b|\b[0-3]?\d/[01]?\d(?:/\d{2,4})?\b"),
    ("hora", r"\b[0-2]?\d(?::[0-5]\d| ?h ?[0-5]\d| ?hs?)\b"),
    (
        "pedido",
        r"#\s?\w*\d{3,}\b|\b[a-z]{1,4}-\d{3,}(?:-\d+)*\b|"
        r"(?:(?<=pedido )|(?<=order )|(?<=compra )|(?<=protocolo ))(?:n[.o]* ?)?\d{3,}\b",
    ),
    ("numero", r"\b\d{5,}(?:-\d+)?\b"),
]
# Digits and the sign that a text has at least if it holds one: most need not be looked for.
_NEEDS = {
    "email": (0, "@"), "usuario": (0, "@"), "url": (0, "."), "nota": (44, ""), "cnpj": (14, "/"),
    "cartao": (16, ""), "cpf": (11, ""), "rastreio": (9, ""), "telefone": (8, ""), "cep": (8, ""),
    "pedido": (3, ""), "numero": (5, ""), "percento": (1, ""), "data": (2, ""),
}  # fmt: skip
_MASKS = [
    (*_NEEDS.get(kind, (1, "")), re.compile(pattern), f" <{kind}> ") for kind, pattern in _KINDS
]

# Chat spelling -> what it stands for, already folded. One word each, so that no meaning hangs on
# its neighbours; "n" and "q" are safe because numbers and codes are gone by then.
_SHORT = dict(
    pair.split(":")
    for pair in """
vc:voce vcs:voces vce:voce oce:voce ce:voce cê:voce tb:tambem tbm:tambem tmb:tambem q:que oq:o_que
oque:o_que pq:porque pk:porque pque:porque porq:porque kd:cade cd:cade kade:cade ql:qual qq:qualquer
qdo:quando qnd:quando qndo:quando qto:quanto qnt:quanto qnto:quanto qtos:quantos n:nao ñ:nao
naum:nao nn:nao nao:nao hj:hoje amh:amanha ontm:ontem td:tudo tds:todos mto:muito mt:muito mta:muita
mtas:muitas mtos:muitos dps:depois agr:agora msg:mensagem msm:mesmo ngm:ninguem ngn:ninguem
algm:alguem alg:alguem obg:obrigado obgd:obrigado obgda:obrigada brigada:obrigada brigado:obrigado
vlw:valeu flw:falou blz:beleza tá:esta ta:esta tao:estao to:estou tô:estou tava:estava
tavam:estavam tive:tive pra:para pro:para_o pros:para_os pras:para_as p:para c:com s:sem eh:e
pfv:por_favor pf:por_favor pfvr:por_favor pls:please plz:please thx:thanks ty:thanks tks:thanks
u:you ur:your im:i_am ive:i_have dont:do_not doesnt:does_not didnt:did_not isnt:is_not
hasnt:has_not havent:have_not cant:can_not cannot:can_not wont:will_not wasnt:was_not
couldnt:could_not wheres:where_is whats:what_is hows:how_is whens:when_is aint:is_not wanna:want_to
gonna:going_to gotta:have_to aki:aqui axo:acho xegou:chegou xega:chega ker:quer kero:quero
qro:quero preciza:precisa vdd:verdade fds:fim_de_semana dnv:de_novo tbem:tambem tbn:tambem
cmg:comigo ctg:contigo d:de nd:nada ne:ne add:adicionar cel:celular nf:nota_fiscal nfe:nota_fiscal
nfce:nota_fiscal nfs:nota_fiscal nfse:nota_fiscal danfe:nota_fiscal
cod:codigo num:numero nro:numero qtd:quantidade prod:produto pgto:pagamento pagto:pagamento
tel:telefone wpp:whatsapp zap:whatsapp whats:whatsapp qria:queria gstaria:gostaria
aq:aqui ond:onde qm:quem mds:meu_deus pdp:pode_deixar poha:poxa vish:vixe sla:sei_la
""".split()
    if pair
)
_SHORT = {unicodedata.normalize("NFC", k): v.replace("_", " ") for k, v in _SHORT.items()}
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
WORD = r"[^\W_](?:[^\W_]|[\u0300-\u1cff\u200c\u200d])*"
_PIECE = re.compile(rf"<[a-z]+>|{WORD}|[.,!?;]")
_ASKED = re.compile(r"[.,!]*\?[.,!?]*")
# Accents, and the vowel points of Arabic and Hebrew, which people write or leave out.
_COMBINING = re.compile(
    r"[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1-\u05c7\u0640\u064b-\u0652\u0670\u1ab0-\u1aff\u20d0-\u20ff"
    r"\ufe00-\ufe0f]"
)
_WRAPPED = 60  # a line so long is broken by its width, a shorter one by its writer
_MARKS = str.maketrans(
    {"¿": " ", "？": "?", "؟": "?", "՞": "?", "⁇": "?", "⁉": "?", "❓": "?", "❔": "?", "…": ".",
     "。": ".", "।": ".", "،": ",", "、": ",", "！": "!", "’": "'"}
)  # fmt: skip


def fold(text: str) -> str:
    """Lower-cases a text and takes its accents off; compatibility forms become plain letters.

    >>> fold("DEVOLUÇÃO já")
    'devolucao ja'
    """
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKD", text.translate(_MARKS)).lower()
    return unicodedata.normalize("NFC", _COMBINING.sub("", text))


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
        for least, sign, pattern, kind in _MASKS:
            if digits >= least and sign in text:
                text = pattern.sub(kind, text)
    else:
        text = fold(text)
    if "'" in text:
        text = text.replace("can't", "can not").replace("won't", "will not")
        text = _SHORT_IS.sub(r"\1 is", _SHORT_NOT.sub(r"\1 not", text)).replace("'", "")
    pieces = _PIECE.findall(_STRETCHED.sub(r"\1", text))
    text = " ".join([_SHORT.get(piece, piece) for piece in pieces])
    text = re.sub(r" +(?=[.,!?])", "", text.replace(";", ","))
    return re.sub(r"([.,!?])[.,!]+", r"\1", _ASKED.sub("?", text)).strip(" .,")


def short(word: str) -> str:
    """Writes out a folded chat abbreviation that stands for one word; others stay as they are."""
    long = _SHORT.get(word, word)
    return word if " " in long else long
