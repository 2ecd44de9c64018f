"""Is a message a question? With its mark or without, straight or behind a greeting. No I/O.

The patterns are read on `normalise`d text; their lines are joined. They are knowledge of the two
languages, not of any shop, which is why they are here and not in `topics.toml`.
"""

import re

from tgpipeline.analytics.topics.text import normalise


def _any(lines: str) -> str:
    return "(?:" + "".join(line.strip() for line in lines.strip().splitlines()) + r")\b"


# What may stand before the question itself.
_HELLO = _any(
    r"""
    oi+e?|ola|alo|opa|ei|hey|hi|hello|e ai|bom dia|boa tarde|boa noite|boas
    |gente|pessoal|galera|moc[ao]|guys|folks|there|all|everyone|team|amig[ao]s?
    |good (?:morning|afternoon|evening)|por favor|please|desculpa|sorry|com licenca
    |entao|mas|e|ah|so|and|but|ok|okay|agora|outra coisa|ja que|aqui|also|por acaso
    |(?:so )?uma (?:duvida|pergunta|curiosidade)|quick (?:question|one)|just
    """
)
_BEFORE = re.compile(rf"^(?:[\s,.!]|{_HELLO})+")

# Said to be polite, by customers and agents: nobody waits for the answer.
_POLITE = _any(
    r"""
    (?:esta )?tud(?:o|inho) (?:bem|bom|certo|joia|otimo|tranquilo|ok|em paz)
    |como (?:vai|vao|(?:voces? )?est(?:a|ao)(?: voces?)?|e que (?:vai|esta))
    |how (?:are|is) (?:you|it|everyone|everything)(?: (?:all|going|doing))*
    |posso (?:te |lhe )?ajudar(?: em| com)?(?: mais)?(?: alguma coisa| algo)?(?: mais)?
    |(?:em |no )?(?:que|como) posso (?:te |lhe )?(?:ajudar|ser util)
    |(?:is there |do you need )?(?:anything|something) else(?: (?:i|we) can .*)?
    |how (?:can|may) (?:i|we) (?:help|assist)(?: you)?
    |deseja mais alguma .*
    |tem alg[uo]\w* mais (?:em )?que .* ajudar
    |beleza|tranquilo|certo|ok|okay|joia|e ai|bem|e voces?|com voces?|and you|all good
    |what is up
    |viu|ne|entendeu|combinado|sabe|right|serio|oi|ola|hello|que|o que|hein|what|really|esta
    """
)
_TO_ALL = "com (?:voces?|todos)|por ai|pessoal|gente|galera|today|ne|hoje|mais"
_SMALL_TALK = re.compile(rf"^{_POLITE}(?:\s*,?\s*(?:{_TO_ALL}))*[\s,.]*$")

# Asked of nobody: anger, irony, jokes.
_RHETORICAL = _any(
    r"""
    brincadeira|brincando|palhacad?[ao]s?|piada|kidding|joking|a joke|ridiculous|vergonha
    |respeito
    |ate quando|onde ja se viu|quem aguenta|pode isso|como pode|como assim|quem diria
    |quem mandou
    |sera que (?:e tao|custa|e pedir|ninguem|vou ter que|algum dia|so (?:eu|comigo|dou))
    |custa(?:va)? (?:muito |tanto )?(?:responder|avisar|ler|ter|cumprir|atender)
    |e (?:pedir )?(?:demais|muito) pedir|tao dificil|era so o que faltava|fazer o que
    |para que serve|qual (?:e )?a dificuldade|vai ficar por isso|adivinha|o que e pior
    |quem voces (?:pensam|acham)|que (?:tipo de )?(?:empresa|loja|atendimento
    |servico) e ess[ae]
    |(?:isso|isto) (?:e |la e |la )?(?:serio|atendimento|prazo)|isso e normal para
    |acham? que (?:eu|a gente|somos|sou)|(?:tenho|estou com) cara de|otari[oa]|idiota
    |quer(?:em)? que eu (?:faca|espere|agradeca|adivinhe)|quer saber(?! se| quando| qual
    | como)
    |quem (?:e que )?(?:precisa|nunca|nao (?:gosta|ama|quer))|e eu com isso|me diz quem
    |what kind of|who (?:does|needs|even|cares)|how hard (?:can|is)|are you (?:serious
    |people)
    |is this (?:a joke|how)|what a|do you (?:think|even)|seriously|am i supposed to
    |guess what
    |why (?:do i )?(?:even )?bother|who would have thought|is it (?:too much|so hard)
    """
)

# Asks where it opens a sentence or a clause.
_OPENING = _any(
    r"""
    como(?! (?:combinado|sempre|assim|eu (?:disse|falei|ja)|falei|disse|ja|informado|client
    |forma|pode(?:m)? ver|voces? (?:viu|viram|pediu)|nao|se|um|uma|o|a|sou|estou|esta
    |prometid|previst|solicitad|pedid|nunca|todo|tod[ao]s|conversamos|expliquei|comprei
    |paguei|era))
    |quando (?:e que |que |voces? |eu |a gente |o |a |os |as |meu |minha )?(?:chega|vai|vao
    |sai|volta|voltam|vem|cai|tem|abre|entregam?|enviam?|posso|recebo|comeca|acaba
    |despacham?|fica|repoem?|libera|estorna|devolvem?|termina|meu|minha|sera|e que)
    |onde(?! (?:comprei|moro|trabalho|voces quiserem))|aonde|cade(?! voces)|quem (?:e|pode
    |sabe|faz|consegue|entrega|atende|ja|mais|tem)
    |quanto(?! (?:mais|antes|a isso|ao))|quant[ao]s|quantos|qua(?:l|is)(?! (?:quer|nao))
    |por ?que(?! (?:eu|ja|ai))
    |o que (?:e|eu|faco|fazer|acontece|aconteceu|houve|significa|preciso|devo|falta|voces)
    |(?:em |ate |de |a |para |por )?(?:que|qual) (?:horas?|dia|tipo|data|numero|tamanho
    |email|prazo|transportadora|cor|banco|canal|valor|site|link|parte|forma)
    |ate (?:quando|que)|(?:de|em|a|para) (?:quanto|quant[ao]s?|onde|quem)|sera
    |tem (?:como|disponivel|disponibilidade|previsao|algum|alguma|alguem|ess[ea]|est[ea]|no
    |na|nos|nas|em|frete|desconto|cupom|estoque|pronta|loja|whatsapp|ainda|mais (?!de)
    |outr[ao]s?|novidade|jeito|tamanho|garantia|problema se|possibilidade|entrega|retirada
    |taxa|a|o|os|as)
    |voces? (?:ja |ainda |tambem |nao )?(?:tem|fazem|faz|aceitam?|entregam?|enviam?|podem?
    |conseguem?|consegue|trabalham|vendem?|mandam?|parcelam|emitem|dao|abrem|atendem|sabem?
    |cobram|recebem|repoem|trocam|devolvem|tinham|teriam?|poderiam?)
    |(?:eu )?(?:posso|consigo|devo)(?! (?:esperar|aceitar|dizer|garantir))
    |poderiam?|podia|da para|daria|teria|tera|existe|ha (?:previsao|algum|como|possib\w*)
    |podem? (?:me|nos|verificar|ver|olhar|confirmar|explicar|checar|consultar
    |dar uma olhada)
    |conseguem? (?:me|ver|verificar|confirmar|trocar|resolver|olhar)
    |alguem (?:sabe|pode|consegue|ja|mais|conhece|tem|aqui|me|recebeu|comprou|teve|indica
    |recomenda)
    |sabem? (?:se|me|quando|dizer|quanto|qual|onde|como)
    |(?:aceitam?|entregam?|parcelam?|vendem?|fazem?|emitem?|trocam?) (?:pix|boleto|cartao
    |em|no|na|para|entrega|troca|nota|aos)
    |ja (?:saiu|foi enviado|foi despachado|voltou|tem previsao|chegou (?:o|a))|vai (?:ter
    |voltar|chegar|sair) (?:o|a|mais|de novo|hoje|quando)
    |(?:alguma?|any) (?:novidade|previsao|posicao|noticia|chance|atualizacao|news|updates?
    |idea|word|way|luck|one)
    |(?:what|where|why|which|whose)(?! (?:an?|to|i live|we live))|when (?:will|is|are|do
    |does|can|should|was|did)
    |who (?:do|can|should|is|handles)|anyone|anybody|any
    |how (?:do|does|can|long|much|many|is|to|come|should|would|about|soon|often|late|far
    |big|will|did)
    |(?:can|could|may|should|will|would|do|does|did|is|are|am|was|has|have) (?:i|you|we|it
    |they|the|my|this|that|there|any|anyone|anybody|someone|somebody|these|your|he|she|not)
    """
)

# Asks wherever it stands in a sentence.
_ANYWHERE = _any(
    r"""
    (?:queria|gostaria|quero|preciso|precisava|gostava|adoraria|queremos|vim|estou querendo
    |desejo|necessito|e so para|so para) (?:de |de uma |de uns? |uma? )?(?:saber|entender
    |confirmar|tirar|informac\w*|perguntar|consultar|verificar|ver se|uma posicao|posicao
    |previsao|esclarec\w*|descobrir)
    |(?:me|nos) (?:inform\w+|diga\w*|diz|dizer|fala|falar|explic\w+|esclare\w+|confirm\w+
    |tira|passa\w* (?:o|a|os|as|qual|uma)|indica|orient\w+)(?! (?:que|ontem))
    |(?:tenho|estou com|surgiu|tirar|tira) (?:uma? )?(?:duvidas?|pergunta)|duvida (?:sobre
    |no|na|com|de|em)
    |alguem (?:sabe|ai sabe|pode me|consegue me|me|poderia|teria|mais esta)|sabe(?:m|ria
    |riam)? (?:me )?(?:dizer|informar|se|quando)
    |sera que|cade(?! voces)|tem como|(?:quando|onde|quanto|por que)$|precisa (?:de|ter
    |pagar|levar) .* para|nao sei (?:se|como|o que|onde|quando|qual|quanto|por ?que)
    |da para (?:eu|me|voces?|trocar|mudar|pagar|retirar|cancelar|parcelar|usar|saber
    |alterar|ver|fazer)
    |como (?:e que )?(?:eu )?(?:faco|faz|fazer|consigo|posso|acompanho|rastreio|troco
    |cancelo|uso|funciona|proced\w+|devo|recupero|altero|mudo|emito|aplico|coloco|acesso
    |resolvo|devolvo|solicito|fica|vejo|descubro)
    |quanto (?:custa|fica|sai|tempo|e|esta|seria|da|demora|cobram|voces)|qual (?:o|a|e|os
    |as|seria|vai|foi)|quais (?:os|as|sao)
    |onde (?:esta|fica|eu|vejo|acho|encontro|posso|consigo|coloco|baixo|anda|foi parar)
    |(?<!de )quando (?:chega|volta|sai|vem|cai|vai|vao|posso|recebo)|por que (?:nao|meu
    |minha|foi|esta|o|a|voces)
    |(?:want|wanted|would like|need|like|love|trying|curious) to (?:know|ask|check|find out
    |figure out|understand|confirm)
    |wonder(?:ing|ed)? (?:if|when|how|what|where|why|whether|about)|(?:let
    |tell) me (?:know )?(?:if|when|how|what|where|why|whether)
    |(?:do not|not) (?:know|sure) (?:if|when|how|what(?! to)|where|why|whether|which)
    |no idea (?:how|what|when|where|why|if)
    |does (?:any|some)(?:one|body)|anyone (?:know|else|here|have|got|able)|have (?:a
    |one) (?:quick )?question
    |(?:can|could|would) you (?:please |pls )?(?:tell|check|help|send|confirm|let|explain
    |give|look|share|resend)
    |how (?:do|can|should) (?:i|we)|any (?:news|updates?|idea|eta|chance)|what is the
    """
)

# Put after a statement: most ask nothing, "né?" may.
_TAG = re.compile(r"[\s,]*\b(?:viu|esta|ok|hein|beleza|entendeu|sabe|ta bom|combinado|ne)\s*$")
_CONFIRM = re.compile(r"\b(?:ainda|ja|posso|pode|tem|da tempo|chega|hoje|amanha|nao)\b.*\bne\s*$")


def is_question(text: str) -> bool:
    """Tells whether a message asks something that an answer could settle.

    Small talk ("tudo bem?"), tags ("viu?"), an agent's "posso ajudar?" and rhetorical questions
    ask nothing; neither does a complaint or a wish ("quero cancelar").

    >>> is_question("bom dia gente, alguem sabe qnd chega"), is_question("Boa tarde, tudo bem?")
    (True, False)
    """
    return asks(normalise(text))


def asks(text: str) -> bool:
    """Does what `is_question` does for a text that is `normalise`d already."""
    return any(_asks(sentence.strip()) for sentence in re.findall(r"[^.!?]+[.!?]?", text))


def _asks(sentence: str) -> bool:
    body = _BEFORE.sub("", sentence.rstrip(".!? ")).strip(" ,")
    if not any(map(str.isalpha, body)) or _SMALL_TALK.match(body):
        return False
    if re.search(rf"\b{_RHETORICAL}", body):
        return False
    clauses = (_BEFORE.sub("", clause) for clause in body.split(","))
    if any(re.match(_OPENING, clause) for clause in clauses):
        return True
    if re.search(rf"\b{_ANYWHERE}", body):
        return True
    return sentence.endswith("?") and (not _TAG.search(body) or bool(_CONFIRM.search(body)))
