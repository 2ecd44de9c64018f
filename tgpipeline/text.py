"""What a chat message says once its spelling is set aside. Portuguese and English, no I/O.

`normalise` makes one spelling of many: accents and case folded, chat abbreviations written out,
numbers and codes replaced by their kind. `is_question` reads the result for a question, asked with
or without its mark. Both are pure functions of one text, so equal texts always get equal answers.
"""

import re
import unicodedata
from functools import lru_cache

# Kinds of code, most specific first. They are matched on folded, lower-case text. The shapes:
# CPF, CNPJ and CEP as Receita Federal and Correios print them, the 44 digits of an NF-e's key, and
# the UPU's S10 tracking number: https://www.upu.int/en/postal-solutions/programmes-services/standards
_KINDS = [
    ("url", r"(?:https?://|www\.)\S+|\b[a-z0-9][a-z0-9.-]*\.(?:com|net|org|me|ly|app)(?:\.br)?\b\S*"),
    ("email", r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)*"),
    ("usuario", r"(?<!\w)@\w{3,}"),
    ("nota", r"\b(?:\d{4}[ .]?){10}\d{4}\b"),
    ("cnpj", r"\b\d{2}\.?\d{3}\.?\d{3}/\d{4}-?\d{2}\b"),
    ("cartao", r"\b\d{4}([ -]?)\d{4}\1\d{4}\1\d{4}\b"),
    ("cpf", r"\b\d{3}\.\d{3}\.\d{3}-\d{2}\b|(?<=cpf )\d{11}\b|\b\d{2}[0-8]\d{8}\b"),
    ("rastreio", r"\b[a-z]{2} ?\d{9} ?[a-z]{2}\b|\b[a-z]{2,4}\d{10,}[a-z]{0,2}\b"),
    ("telefone", r"(?<!\w)(?:\+?55 ?)?\(?\b\d{2}\)? ?9\d{4}[- ]?\d{4}\b|(?<!\w)\+\d[\d ()-]{8,}\d"),
    ("cep", r"\b\d{5}-\d{3}\b|(?<=cep )\d{8}\b"),
    ("valor", r"(?:r\$|us\$|\$|€|£) ?\d[\d.,]*\d|(?:r\$|us\$|\$|€|£) ?\d|"
              r"\b\d[\d.,]* ?(?:reais|real|conto|contos|pila|dollars|bucks|usd|brl)\b"),
    ("percento", r"\b\d+(?:[.,]\d+)? ?%|\b\d+ por ?cento\b"),
    ("vezes", r"\b\d{1,2} ?x\b|\b\d{1,2} vezes\b"),
    ("data", r"\b\d{4}-\d{2}-\d{2}\b|\b[0-3]?\d/[01]?\d(?:/\d{2,4})?\b"),
    ("hora", r"\b[0-2]?\d(?::[0-5]\d| ?h ?[0-5]\d| ?hs?)\b"),
    ("pedido", r"#\s?\w*\d{3,}\b|\b[a-z]{1,4}-\d{3,}(?:-\d+)*\b|"
               r"(?:(?<=pedido )|(?<=order )|(?<=compra )|(?<=protocolo ))(?:n[.o]* ?)?\d{3,}\b"),
    ("numero", r"\b\d{5,}(?:-\d+)?\b"),
]
_MASKS = [(re.compile(pattern), f" <{kind}> ") for kind, pattern in _KINDS]

# Chat spelling -> what it stands for, already folded. One word each, so that no meaning hangs on
# its neighbours; "n" and "q" are safe because numbers and codes are gone by then.
_SHORT = dict(pair.split(":") for pair in """
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
""".split() if pair)
_SHORT = {unicodedata.normalize("NFC", k): v.replace("_", " ") for k, v in _SHORT.items()}
_WORD = re.compile(r"[a-z][a-z0-9]*|[0-9]+")
_QUESTION_MARKS = str.maketrans({"¿": " ", "？": "?", "⁉": "?", "❓": "?", "❔": "?", "…": ".", "’": "'"})


def fold(text: str) -> str:
    """Lower-cases a text and takes its accents off; compatibility forms become plain letters.

    >>> fold("DEVOLUÇÃO já")
    'devolucao ja'
    """
    text = unicodedata.normalize("NFKD", text.translate(_QUESTION_MARKS)).lower()
    return "".join(c for c in text if not unicodedata.combining(c))


@lru_cache(maxsize=1 << 14)
def normalise(text: str) -> str:
    """Writes a message in one spelling: folded words, kinds of code in `<>`, and `. , ! ?`.

    Emoji, quoting lines of a pasted e-mail and other signs are left out; a line break ends a
    sentence unless it only wraps a long line. A text without a word or code gives at most marks.

    >>> normalise("Oi! Vcs viram o pedido nº 48213? Rastreio BR123456789BR não atualiza 😡")
    'oi! voces viram o pedido <pedido>? rastreio <rastreio> nao atualiza'
    """
    text = re.sub(r"(?m)^\s*>.*$", " ", text)
    text = re.sub(r"(\S[^\n]{59,})\n(?=\S)", r"\1 ", text)  # a wrapped line, not a new sentence
    text = re.sub(r"\b[A-Z]{3,}\d{1,3}\b", " <codigo> ", text)  # PROMO10
    text = fold(text).replace("\n", " . ")
    text = re.sub(r"\bn[º°o]?[.:]?\s*(?=\d{3})|\b(?:numero|num|nro|number|no)[.:]?\s+(?=#?\d{3})", "", text)
    text = re.sub(r"\b(cpf|cep|pedido|order|compra|protocolo)\s*[:=-]\s*(?=\S)", r"\1 ", text)
    for pattern, kind in _MASKS:
        text = pattern.sub(kind, text)
    text = re.sub(r"(\w)\1{2,}", r"\1", text)  # "cadeeee"
    text = re.sub(r"\b([a-z]+)n't\b", r"\1 not", text.replace("can't", "can not"))
    text = re.sub(r"\b(what|where|when|how|who|it|that|there)'s\b", r"\1 is", text)
    text = text.replace("won't", "will not").replace("wo not", "will not").replace("'", "")
    words = [
        _SHORT.get(piece, piece) if piece[0].isalnum() else piece
        for piece in re.findall(r"<[a-z]+>|[a-z0-9]+|[.,!?;]", text)
    ]
    text = re.sub(r" +([.,!?])", r"\1", " ".join(words).replace(";", ","))
    return re.sub(r"([.,!?])[.,!]+", r"\1", re.sub(r"[.,!]*\?[.,!?]*", "?", text)).strip(" .,")


# --- questions ------------------------------------------------------------------------------------
_HELLO = re.compile(
    r"^(?:[\s,.!]|(?:oi+e?|ola|alo|opa|ei|e ai|hey|hi|hello|bom dia|boa tarde|boa noite|boas|gente|"
    r"pessoal|galera|amigos?|moc[ao]|alguem ai|good (?:morning|afternoon|evening)|guys|folks|there|"
    r"all|everyone|team|por favor|please|entao|mas|e|ah|so|and|but|ok|okay|agora|outra coisa|"
    r"so uma duvida|uma duvida|uma pergunta|quick question|sorry|desculpa|com licenca|aqui)\b)+"
)
_SMALL_TALK = re.compile(
    r"^(?:(?:esta )?tud[oi]n?h?o? (?:bem|bom|certo|joia|otimo|tranquilo|ok|em paz)|beleza|tranquilo|"
    r"como (?:vai|vao|esta|estao|voces estao|voce esta|e que (?:vai|esta))|certo|ok|okay|joia|"
    r"how (?:are|is) (?:you|it|everyone|everything)(?: (?:all|going|doing))*|what is up|all good|"
    r"e ai|bem|com voces?|e voces?|and you|you good|esta|viu|ne|entendeu|combinado|sabe|right|"
    r"posso (?:te )?ajudar(?: em)?(?: com)?(?: mais)?(?: alguma coisa| algo)?(?: mais)?|"
    r"(?:em )?(?:que|como) posso (?:te )?ajudar|(?:anything|something) else(?: i can .*)?|serio|"
    r"(?:is there anything|how (?:can|may) (?:i|we)) .*help.*|oi|ola|hello|que|o que|hein|what|really)"
    r"(?:\s*,?\s*(?:com (?:voces?|todos)|por ai|pessoal|gente|galera|today|ne|hoje|mais))*[\s,.]*$"
)
# Said with a question mark, or in its words, without asking anything.
_RHETORICAL = re.compile(
    r"\b(?:brincadeira|brincando|palhacad?[ao]s?|piada|kidding|joking|a joke|ridiculous|vergonha|"
    r"respeito|ate quando|onde ja se viu|quem aguenta|pode isso|como pode|como assim|quem diria|"
    r"sera que (?:e tao|custa|e pedir|ninguem|vou ter que|algum dia)|custa(?:va)? (?:muito |tanto )?"
    r"(?:responder|avisar|ler|ter|cumprir)|e (?:pedir )?(?:demais|muito) pedir|para que serve|"
    r"qual (?:e )?a dificuldade|que (?:tipo de )?(?:empresa|loja|atendimento|servico) e ess[ae]|"
    r"(?:isso|isto) (?:e|la e|la) (?:normal|serio|atendimento|prazo)|acham que (?:eu|a gente|somos|sou)|"
    r"(?:tenho|estou com) cara de|otari[oa]|idiota|quer que eu (?:faca|espere|agradeca)|adivinha|"
    r"quem (?:e que )?(?:precisa|nunca|nao (?:gosta|ama|quer))|sabe o que e pior|quer saber\b(?! se)|"
    r"what kind of|who (?:does|needs|even)|how hard (?:can|is)|are you (?:serious|people)|"
    r"is this (?:a joke|normal|how)|what a|do you (?:think|even)|seriously|am i supposed to|"
    r"why (?:do i )?(?:even )?bother|who would have thought|is it (?:too much|so hard)|guess what|"
    r"tao dificil|era so o que faltava|vai ficar por isso|fazer o que|quem mandou)\b"
)
# Asked at the start of a sentence or clause, with or without a mark.
_ASKS_FIRST = re.compile(
    r"(?:como(?! (?:combinado|sempre|assim|eu (?:disse|falei|ja)|falei|disse|ja|informado|client|forma|"
    r"pode(?:m)? ver|voces? (?:viu|viram|pediu)|nao|se|um|uma|o |a |sou|estou|esta|prometid|previst|"
    r"solicitad|pedid|nunca|todo|tod[ao]s|conversamos|expliquei|comprei|paguei|era))\b|"
    r"quando (?:e que |que |voces? |eu |a gente |o |a |os |as |meu |minha )?(?:chega|vai|vao|sai|volta|voltam|"
    r"vem|cai|tem|abre|entrega|envia|posso|recebo|comeca|acaba|despacha|fica|repoe|libera|estorna|"
    r"devolve|termina|meu|minha|sera|e que)|"
    r"onde(?! (?:comprei|moro|trabalho|voces quiserem))|aonde|cade|quanto(?! (?:mais|antes|a isso|ao))|"
    r"qua(?:l|is)(?! (?:quer|nao))|quem (?:e|pode|sabe|faz|consegue|entrega|atende|ja|mais|tem)|"
    r"por ?que(?! (?:eu|ja|ai))|o que (?:e|eu|faco|fazer|acontece|aconteceu|houve|significa|preciso|"
    r"devo|falta|voces)|(?:em |ate |de |a |para |por )?(?:que|qual) (?:horas?|dia|tipo|data|numero|tamanho|"
    r"email|prazo|transportadora|cor|banco|canal|valor|site|link|parte|forma)|"
    r"ate (?:quando|que)|(?:de|em|a|para) (?:quanto|quantas?|quantos|onde|quem)|quant[ao]s|sera|"
    r"tem (?:como|disponivel|disponibilidade|previsao|alg|ess[ea]|est[ea]|no |na |nos |nas |em |"
    r"frete|desconto|cupom|estoque|pronta|loja|whatsapp|ainda|mais (?!de)|outr|novidade|jeito|tamanho|"
    r"garantia|problema se|possibilidade|entrega|retirada|taxa)|"
    r"voces? (?:ja |ainda |tambem |nao )?(?:tem|fazem|faz|aceitam?|entregam?|enviam?|podem?|conseguem?|"
    r"consegue|trabalham|vendem?|mandam?|parcelam|emitem|dao|abrem|atendem|sabem?|cobram|recebem|"
    r"repoem|trocam|devolvem|tinham|teriam?|poderiam?)|"
    r"(?:eu )?(?:posso|consigo|devo|preciso (?:pagar|mandar|enviar|imprimir|levar) .* ou)|"
    r"poderia|poderiam|podia|da para|daria|teria|tera|existe|ha (?:previsao|algum|como|possib)|"
    r"pode(?:m)? (?:me|nos|verificar|ver|olhar|confirmar|explicar|checar|consultar|dar uma olhada)|"
    r"consegue(?:m)? (?:me|ver|verificar|confirmar|trocar|resolver|olhar)|"
    r"alguem (?:sabe|pode|consegue|ja|mais|conhece|tem|aqui|me|recebeu|comprou|teve)|sabe(?:m)? (?:se|me|quando|"
    r"dizer|quanto|qual|onde|como)|(?:aceita|entrega|parcela|vende|faz|emite|troca)m? (?:pix|boleto|cartao|"
    r"em|no|na|para|entrega|troca|nota|aos)|ja (?:saiu|foi enviado|foi despachado|voltou|tem previsao|"
    r"chegou (?:o|a) )|(?:alguma?|any) (?:novidade|previsao|posicao|noticia|chance|atualizacao|news|"
    r"updates?|idea|word|chance|way|luck|one)|"
    r"(?:what|where|why|which|whose)\b(?! a | an )|when (?:will|is|are|do|does|can|should|was|did)|"
    r"who (?:do|can|should|is|handles)|how (?:do|does|can|long|much|many|is|to|come|should|would|about|"
    r"soon|often|late|far|big|will|did)|(?:can|could|may|should|will|would|do|does|did|is|are|am|was|has|have) "
    r"(?:i|you|we|it|they|the|my|this|that|there|any|anyone|anybody|someone|somebody|these|your|he|she|not)\b|"
    r"anyone|anybody|does anyone|still no(?= (?:eta|date))|any )"
)
# Asked indirectly, anywhere in a sentence.
_ASKS_ANYWHERE = re.compile(
    r"\b(?:(?:queria|gostaria|quero|preciso|precisava|gostava|adoraria|queremos|vim|estou querendo|"
    r"so queria|desejo|necessito) (?:de |de uma |de uns? |uma? )?(?:saber|entender|confirmar|tirar|"
    r"informac\w*|perguntar|consultar|verificar|ver se|uma posicao|posicao|previsao|esclarec\w*|descobrir)|"
    r"(?:me|nos) (?:inform\w+|diga\w*|diz|dizer|fala|falar|explic\w+|esclare\w+|confirm\w+|tira|"
    r"passa\w* (?:o|a|os|as|qual|uma)|indica|orient\w+)(?! (?:que|ontem))|"
    r"(?:tenho|estou com|com|surgiu|tirar|tira|so) (?:uma? )?(?:duvidas?|pergunta)|"
    r"duvida (?:sobre|no|na|com|de|em)|alguem (?:sabe|ai sabe|pode me|consegue me|me|poderia|teria|mais esta)|"
    r"sabe(?:m|ria|riam)? (?:me )?(?:dizer|informar|se|quando)|sera que|cade|tem como|da para (?:eu|me|voces?|"
    r"trocar|mudar|pagar|retirar|cancelar|parcelar|usar|saber|alterar|ver|fazer)|nao sei (?:se|como|o que|"
    r"onde|quando|qual|quanto|por ?que)|como (?:e que )?(?:eu )?(?:faco|faz|fazer|consigo|posso|acompanho|"
    r"rastreio|troco|cancelo|uso|funciona|proced\w+|devo|recupero|altero|mudo|emito|aplico|coloco|"
    r"acesso|resolvo|pago|devolvo|solicito|fica|vejo|descubro)|quanto (?:custa|fica|sai|tempo|e |esta|"
    r"seria|da |demora|cobram|voces)|qual (?:o|a|e|os|as|seria|vai|foi)\b|quais (?:os|as|sao)|"
    r"onde (?:esta|fica|eu|vejo|acho|encontro|posso|consigo|coloco|baixo|anda|foi parar)|"
    r"(?<!de )quando (?:chega|volta|sai|vem|cai|vai|vao|posso|recebo)\b|por que (?:nao|meu|minha|foi|esta|o|a|voces)|"
    r"(?:i )?(?:want|wanted|would like|need|like|love|trying|curious) to (?:know|ask|check|find out|"
    r"figure out|understand|confirm)|wonder(?:ing|ed)? (?:if|when|how|what|where|why|whether|about)|"
    r"(?:let|tell) me (?:know )?(?:if|when|how|what|where|why|whether)|(?:do not|not) (?:know|sure) "
    r"(?:if|when|how|what|where|why|whether|which)|does (?:any|some)(?:one|body)|anyone (?:know|else|here|"
    r"have|got|able)|have (?:a|one) (?:quick )?question|(?:can|could|would) you (?:please |pls )?"
    r"(?:tell|check|help|send|confirm|let|explain|give|look|share|resend)|how (?:do|can|should) (?:i|we)|"
    r"any (?:news|updates?|idea|eta|chance)|no idea (?:how|what|when|where|why|if)|what is the)\b"
)
_TAG = re.compile(r"[\s,]*\b(?:ne|viu|esta|ok|hein|beleza|entendeu|sabe|ta bom|combinado|blz)\s*$")


def is_question(text: str) -> bool:
    """Tells whether a message asks something that an answer could settle.

    Asked directly or indirectly, with a mark or without, also behind a greeting. Small talk
    ("tudo bem?"), tags ("né?"), an agent's "posso ajudar?" and rhetorical questions are none, nor
    is a complaint or a wish ("quero cancelar") that asks nothing.

    >>> is_question("bom dia gente, alguem sabe qnd chega"), is_question("Boa tarde, tudo bem?")
    (True, False)
    """
    sentences = re.findall(r"[^.!?]+[.!?]?", normalise(text))
    return any(_asks(sentence.strip()) for sentence in sentences)


def _asks(sentence: str) -> bool:
    marked = sentence.endswith("?")
    body = _HELLO.sub("", sentence.rstrip(".!? ")).strip(" ,")
    if _SMALL_TALK.match(body) or not _WORD.search(body) or _RHETORICAL.search(body):
        return False
    if any(_ASKS_FIRST.match(_HELLO.sub("", clause)) for clause in body.split(",")):
        return True
    if _ASKS_ANYWHERE.search(body):
        return True
    return marked and not _TAG.search(body)


def short(word: str) -> str:
    """Writes out a folded chat abbreviation that stands for one word; others stay as they are."""
    long = _SHORT.get(word, word)
    return word if " " in long else long
