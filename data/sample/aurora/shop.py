"""What customers talk about: products, places, numbers. Nothing here belongs to anybody."""

import random
from datetime import date, timedelta

from aurora import clock
from aurora.people import Person, plain

# Article, Portuguese, English.
PRODUCTS = [
    ("o", "fone bluetooth", "bluetooth headphones"), ("a", "cafeteira", "coffee maker"),
    ("a", "air fryer", "air fryer"), ("o", "liquidificador", "blender"),
    ("o", "smartwatch", "smartwatch"), ("a", "mochila", "backpack"), ("o", "tênis", "sneakers"),
    ("a", "jaqueta", "jacket"), ("a", "panela elétrica", "rice cooker"),
    ("o", "robô aspirador", "robot vacuum"), ("a", "luminária", "lamp"),
    ("a", "caixa de som", "speaker"), ("o", "teclado", "keyboard"),
    ("a", "cadeira gamer", "gaming chair"), ("o", "ventilador", "fan"),
    ("o", "ferro de passar", "iron"), ("a", "chaleira elétrica", "kettle"),
    ("o", "celular", "phone"), ("o", "tablet", "tablet"), ("o", "secador", "hair dryer"),
    ("a", "batedeira", "mixer"), ("a", "furadeira", "drill"), ("o", "jogo de lençol", "bed sheets"),
    ("a", "mala de viagem", "suitcase"), ("a", "babá eletrônica", "baby monitor"),
    ("a", "bicicleta ergométrica", "exercise bike"), ("a", "escrivaninha", "desk"),
    ("o", "monitor", "monitor"), ("a", "smart TV", "smart TV"), ("o", "micro-ondas", "microwave"),
    ("o", "purificador de água", "water purifier"), ("a", "máquina de costura", "sewing machine"),
]  # fmt: skip
CITIES = """Campinas;Recife;Belo Horizonte;Curitiba;Salvador;Fortaleza;Manaus;Porto Alegre;Goiânia;Belém;
Santos;Niterói;Osasco;Guarulhos;Sorocaba;Ribeirão Preto;Uberlândia;Joinville;Natal;Maceió;São Paulo;
Londrina;Juiz de Fora;Vitória;Florianópolis;Teresina;Aracaju;Cuiabá;São José dos Campos;Feira de Santana"""
DISTRICTS = """Centro;Vila Nova;Jardim das Flores;Boa Vista;Santa Luzia;Vila Mariana;São José;Bela Vista;
Jardim América;Parque Industrial;Santo Antônio;Cidade Nova;Barra;Planalto"""
CARRIERS = ["Transportadora Ligeira", "RapidoLog", "Entrega Já", "TransVale"]
BANKS = ["banco", "Banco Ipê", "Banco Araucária", "BancoLua"]
COUPONS = ["AURORA10", "BEMVINDO10", "BLACK25", "FRETEZERO", "NIVER15", "VOLTA20", "PRIMEIRA15"]
FAKE_CPFS = ["000.000.000-00", "111.111.111-11", "123.456.789-00", "999.999.999-99", "000.111.222-33"]
WEEKDAYS = ["segunda", "terça", "quarta", "quinta", "sexta"]
MONEY = [19, 24, 29, 39, 49, 59, 79, 89, 119, 149, 189, 219, 259, 299, 349, 429, 499, 699, 899, 1299]
PAYMENTS = [("cartão", "card"), ("pix", "pix"), ("boleto", "boleto")]


def money(amount: int, cents: int) -> str:
    """Brazilian money.

    >>> money(1299, 90)
    'R$ 1.299,90'
    """
    return f"R$ {amount:,}".replace(",", ".") + f",{cents:02d}"


def day_month(day: date) -> str:
    """A date as it is written in a chat."""
    return f"{day.day:02d}/{day.month:02d}"


def matter(rng: random.Random, who: Person, moment: int, problem: str) -> dict[str, str]:
    """The facts of one conversation, by the names that the phrase books use."""
    article, product, english = rng.choice(PRODUCTS)
    today = clock.local(moment).date()
    ago = rng.choice((3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 18))
    if clock.phase(moment) == "after" and today > clock.BLACK_FRIDAY:
        ago = max(2, (today - clock.BLACK_FRIDAY).days - rng.choice((0, 0, 1, 2)))
    pay, pay_en = rng.choice(PAYMENTS)
    greeting, this = clock.greeting(moment), "esse" if article == "o" else "essa"
    order = 48_000 + (today - clock.FIRST).days * 310 - ago * 90 + rng.randrange(900)
    coupon = "BLACK25" if clock.phase(moment) == "sale" else rng.choice(COUPONS)
    slots = {
        "nome": who.first, "sobrenome": who.last or "Silva", "eu": who.letter,
        "oa_cliente": who.letter, "saudacao": greeting, "Saudacao": greeting.capitalize(),
        "problema": problem.replace("_", "-"), "pedido": str(order),
        "codigo": f"AU{rng.randrange(10**9):09d}BR", "protocolo": f"2025{rng.randrange(10**6):06d}",
        "produto": product, "product": english, "oa": article, "esse_produto_solto": this,
        "o_produto": f"{article} {product}", "O_produto": f"{article.upper()} {product}",
        "um_produto": ("um " if article == "o" else "uma ") + product,
        "meu_produto": ("meu " if article == "o" else "minha ") + product,
        "Meu_produto_mai": ("Meu " if article == "o" else "Minha ") + product,
        "esse_produto": f"{this} {product}", "nov": "nov", "bom_boa": "bom" if article == "o" else "boa",
        "dias": str(ago), "data": day_month(today - timedelta(ago)),
        "prazo": day_month(today + timedelta(rng.randrange(2, 8))),
        "hora": f"{rng.randrange(8, 23)}h{rng.randrange(60):02d}",
        "dia_semana": rng.choice(WEEKDAYS), "valor": money(rng.choice(MONEY), rng.choice((0, 90, 99))),
        "frete": money(rng.randrange(9, 60), 90), "pct": str(rng.choice((5, 10, 15, 20, 25))),
        "cidade": rng.choice(CITIES.replace("\n", "").split(";")),
        "bairro": rng.choice(DISTRICTS.replace("\n", "").split(";")),
        "cep": f"00{rng.randrange(1000):03d}-{rng.randrange(1000):03d}", "transp": rng.choice(CARRIERS),
        "banco": rng.choice(BANKS), "cupom": coupon, "pagamento": pay, "pagamento_en": pay_en,
        "cpf": rng.choice(FAKE_CPFS), "fone": f"+55 11 90000-{rng.randrange(10_000):04d}",
        "email": f"{plain(who.first)}.{plain(who.last or 'silva').strip('.')}@example.com",
        "duas_vezes": rng.choice(("duas vezes sem querer", "no endereço errado", "no cartão errado")),
        "semana": rng.choice(("tarde", "semana", "noite")), "pro_atendente": "pra equipe",
        "atendente": "Aurora", "o_atendente": "a Aurora", "a_atendente": "a",
    }  # fmt: skip
    if who.language.startswith("en"):
        slots["saudacao"] = {"bom dia": "morning", "boa tarde": "afternoon"}.get(greeting, "evening")
    slots["obg"] = rng.choice((f"obrigad{who.letter}", "obg", f"brigad{who.letter}", "valeu"))
    slots["Obg"] = slots["obg"].capitalize()
    return slots
