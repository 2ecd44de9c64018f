"""What customers talk about: products, places, numbers. Nothing here belongs to anybody."""

import random
from datetime import date, timedelta
from typing import Any

from aurora import clock
from aurora.people import Person, phrases, plain

WEEKDAYS = ["segunda", "terça", "quarta", "quinta", "sexta"]
PRICES = {
    "electric": "89 119 149 189 219 259 299 349 429 499 599 699 899 1299",
    "wearable": "49 59 69 79 89 119 149 189 219", "other": "79 119 159 219 279 349 459 649",
}  # fmt: skip
PAYMENTS = [("cartão", "card"), ("pix", "pix"), ("boleto", "boleto")]
MISTAKES = ("duas vezes sem querer", "no endereço errado", "no cartão errado")


def money(amount: int, cents: int) -> str:
    """Brazilian money.

    >>> money(1299, 90)
    'R$ 1.299,90'
    """
    return f"R$ {amount:,}".replace(",", ".") + f",{cents:02d}"


def day_month(day: date) -> str:
    """A date as it is written in a chat."""
    return f"{day.day:02d}/{day.month:02d}"


class Shop:
    """Makes up the facts of a conversation, by the names that the phrase books use."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = phrases("names")

    def matter(self, rng: random.Random, who: Person, moment: int, problem: str) -> dict[str, str]:
        """The facts of one conversation."""
        slots = self._product(rng, problem) | self._person(rng, who, moment) | self._places(rng)
        today = clock.local(moment).date()
        ago = rng.choice((3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 18))
        if today > clock.date(2025, 12, 1):  # most bought in the sale
            ago = max(2, (today - clock.BLACK_FRIDAY).days - rng.choice((0, 0, 1, 2)))
        pay, pay_en = rng.choice(PAYMENTS)
        in_sale = clock.phase(moment) == "sale" and rng.random() < 0.8
        order = 48_000 + (today - clock.FIRST).days * 310 - ago * 90 + rng.randrange(900)
        return slots | {
            "artigo": str(rng.randrange(100, 999)), "uteis": str(rng.randrange(2, 12)),
            "pedido": str(order), "dias": str(ago),
            "data": day_month(today - timedelta(ago)), "prazo": _soon(rng, today),
            "protocolo": _ticket(rng), "protocolo_velho": _ticket(rng),
            "codigo": f"AU{rng.randrange(10**9):09d}BR", "postagem": _posting(rng),
            "hora": _hour(moment - rng.randrange(600, 7000)), "agora": _hour(moment),
            "dia_semana": rng.choice(WEEKDAYS), "pagamento": pay, "pagamento_en": pay_en,
            "valor": money(int(rng.choice(PRICES[slots["kind"]].split())), rng.choice((0, 90, 99))),
            "frete": money(rng.randrange(9, 60), 90), "pct": str(rng.choice((5, 10, 15, 20, 25))),
            "cupom": "BLACK25" if in_sale else rng.choice(self.names["coupons"]),
            "duas_vezes": rng.choice(MISTAKES), "semana": rng.choice(("tarde", "semana", "noite")),
        }  # fmt: skip

    def later(self, rng: random.Random, slots: dict[str, str], moment: int) -> dict[str, str]:
        """The same matter some days on: what was promised by now has another date."""
        today = clock.local(moment).date()
        return slots | _greeting(moment) | {
            "prazo": _soon(rng, today), "data": day_month(today - timedelta(rng.randrange(2, 5))),
            "protocolo": _ticket(rng), "protocolo_velho": slots["protocolo"],
            "postagem": _posting(rng), "dia_semana": rng.choice(WEEKDAYS),
        }  # fmt: skip

    def _product(self, rng: random.Random, problem: str) -> dict[str, str]:
        products = self.names["products"]
        if problem == "defective_product":
            products = [product for product in products if product[3] == "electric"]
        article, product, english, kind = rng.choice(products)
        a, my, this = ("um", "meu", "esse") if article == "o" else ("uma", "minha", "essa")
        return {
            "kind": kind, "produto": product, "product": english, "oa": article, "nov": "nov",
            "o_produto": f"{article} {product}", "O_produto": f"{article.upper()} {product}",
            "um_produto": f"{a} {product}", "meu_produto": f"{my} {product}",
            "Meu_produto_mai": f"{my.capitalize()} {product}", "esse_produto": f"{this} {product}",
            "esse_produto_solto": this, "bom_boa": "bom" if article == "o" else "boa",
        }  # fmt: skip

    def _person(self, rng: random.Random, who: Person, moment: int) -> dict[str, str]:
        thanks = rng.choice((f"obrigad{who.letter}", "obg", f"brigad{who.letter}", "valeu"))
        last = who.last or "Silva"
        slots = _greeting(moment) | {
            "nome": who.first, "sobrenome": last, "eu": who.letter, "oa_cliente": who.letter,
            "obg": thanks, "Obg": thanks.capitalize(), "cpf": rng.choice(self.names["cpfs"]),
            "fone": f"+55 11 90000-{rng.randrange(10_000):04d}",
            "email": f"{plain(who.first)}.{plain(last).strip('.')}@example.com",
            "atendente": "Aurora", "o_atendente": "a Aurora", "a_atendente": "a",
            "pro_atendente": rng.choice(("pra Camila", "pro Diego")),
            "bom_atendente": rng.choice(("Diego", "Rafael")),
        }  # fmt: skip
        if who.language.startswith("en"):
            english = {"bom dia": "morning", "boa tarde": "afternoon", "boa noite": "evening"}
            slots["saudacao"] = english[slots["saudacao"]]
        return slots

    def _places(self, rng: random.Random) -> dict[str, str]:
        return {
            "cidade": rng.choice(self.names["cities"]),
            "bairro": rng.choice(self.names["districts"]),
            "cep": f"00{rng.randrange(1000):03d}-{rng.randrange(1000):03d}",  # no CEP starts so
            "transp": rng.choice(self.names["carriers"]), "banco": rng.choice(self.names["banks"]),
        }  # fmt: skip


def _greeting(moment: int) -> dict[str, str]:
    greeting = clock.greeting(moment)
    return {"saudacao": greeting, "Saudacao": greeting.capitalize()}


def _soon(rng: random.Random, today: date) -> str:
    return day_month(today + timedelta(rng.randrange(2, 8)))


def _hour(moment: int) -> str:
    now = clock.local(moment)
    return f"{now.hour}h{now.minute:02d}"


def _ticket(rng: random.Random) -> str:
    return f"2025{rng.randrange(10**6):06d}"


def _posting(rng: random.Random) -> str:
    return f"{rng.randrange(10**10):010d}"
