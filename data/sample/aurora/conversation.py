"""How a customer's matter goes: what is asked, what the bot makes of it, who solves it."""

import random
from typing import Any

from aurora import clock, media
from aurora.language import Writer, join, phrases
from aurora.people import BOT, CAMILA, Person
from aurora.story import Act, Conversation, Desk, Story

# How often the bot alone solves each problem when it is up, and how often an order is asked for.
BOT_SOLVES = {
    "rastreio": 0.86, "pagamento": 0.76, "nota_fiscal": 0.8, "cadastro": 0.64, "frete": 0.72,
    "estoque": 0.58, "entrega_atrasada": 0.34, "cancelamento": 0.38, "cupom": 0.12,
    "troca_devolucao": 0.16, "reembolso": 0.14, "produto_com_defeito": 0.06,
}  # fmt: skip
NEEDS_ORDER = {
    "rastreio", "entrega_atrasada", "reembolso", "troca_devolucao", "nota_fiscal", "cancelamento",
    "pagamento", "produto_com_defeito",
}  # fmt: skip
ENGLISH_PROBLEM = "statements"
HAPPY, UNHAPPY = ("👍", "❤", "🙏", "🔥", "👏", "🎉"), ("👎", "😡", "😢", "🤬")


class Books:
    """The phrase books, read once."""

    def __init__(self) -> None:
        self.customers, self.bot = phrases("customers"), phrases("bot")
        self.agents, self.long, self.english = phrases("agents"), phrases("long"), phrases("english")


class Talk:
    """One episode of one conversation, played from its opening to its end."""

    def __init__(
        self, c: Conversation, story: Story, writer: Writer, desk: Desk, books: Books
    ) -> None:
        self.c, self.story, self.writer, self.desk, self.books = c, story, writer, desk, books
        self.rng: random.Random = writer.rng
        self.now = 0
        self.agent: Person = CAMILA
        english = c.language == "en"
        self.customer: dict[str, Any] = books.english if english else books.customers
        self.bot: dict[str, Any] = books.english["bot"] if english else books.bot
        self.people: dict[str, Any] = books.english["agents"] if english else books.agents

    # What anybody says.

    def text(self, options: list[str]) -> str:
        return self.writer.fill(self.writer.pick(options), self.c.slots)

    def say(
        self, who: Person, text: str, after: int, reply: Act | None = None, **content: Any
    ) -> Act:
        self.now += after
        act = Act(self.now, who, text, reply, content, conversation=self.c)
        return self.story.say(act)

    def customer_says(
        self, options: list[str] | str, median: float, reply: Act | None = None, **content: Any
    ) -> Act:
        text = options if isinstance(options, str) else self.text(options)
        text = self.writer.type(text, self.c.customer.style, language=self.c.language)
        return self.say(self.c.customer, text, self.desk.think(median), reply, **content)

    def bot_says(self, options: list[str], reply: Act | None, suffix: str = "") -> Act:
        text = self.text(options)
        content: dict[str, Any] = {}
        if suffix:
            text += f" {suffix}"
            content["reply_markup"] = media.buttons(self.c.id, self.c.language)
        return self.say(BOT, text, self.rng.choice((1, 1, 2, 2, 3)), reply, **content)

    def agent_says(self, options: list[str], median: float, reply: Act | None = None) -> Act:
        text = self.writer.type(self.text(options), self.agent.style, language=self.c.language)
        return self.say(self.agent, text, self.desk.think(median, 0.6), reply)

    # How it goes.

    def play(self, opened_at: int) -> None:
        """Open, let the bot try, hand over if need be."""
        self.now = opened_at
        self.open()
        if clock.bot_is_up(self.now) and self.rng.random() < 0.965:
            self.bot_tries()
        else:
            self.to_people(self.c.question, noticed=self.rng.random() < 0.84)

    def open(self) -> None:
        """The customer's first messages."""
        rng, c = self.rng, self.c
        statement, details, closers = self.statement()
        form = rng.random()
        prefix = self.writer.fill(rng.choice(self.customer["prefixes"]), c.slots)
        if form < 0.36:
            self.question(join(prefix, statement))
        elif form < 0.52:
            self.greet()
            self.question(statement)
        elif form < 0.68:
            self.question(statement)
        elif form < 0.84:
            if rng.random() < 0.3:
                self.greet()
            self.question(statement if rng.random() < 0.6 else join(prefix, statement))
            self.customer_says(details, 11)
        elif form < 0.93 or c.language == "en":
            self.question(". ".join((join(prefix, statement), details.rstrip("."), closers)))
        elif form < 0.972:
            self.question(self.complaint(statement))
        elif form < 0.985:
            self.customer_says(statement, 5)
            c.question = c.acts[-1]
            self.customer_says(self.mail(), 40)
        else:
            self.question("", voice=media.voice(rng))
        self.evidence()

    def statement(self) -> tuple[str, str, str]:
        """What is the matter, one detail, and a closing phrase."""
        c, book = self.c, self.customer
        if c.language == "en":
            matters = book["statements"]
            detail = self.text(book["closers"])
            return self.text(matters[c.problem]), detail, self.text(book["closers"])
        mine = book[c.problem]
        said = self.text(mine["reopens" if c.reopens else "statements"])
        if c.also:
            other = self.text(book[c.also]["statements"])
            said = f"{said.rstrip('?.')}. {self.rng.choice(('E outra coisa: ', 'Aproveitando, ', 'Também '))}"
            said += other[:1].lower() + other[1:]
        if self.rng.random() < 0.04 and c.problem == "rastreio":
            said = f"/pedido@loja_aurora_bot {c.slots['pedido']}"
        return said, self.text(mine["details"]), self.text(book["closers"])

    def greet(self) -> None:
        self.customer_says(self.customer["greetings"], 1)
        self.now += self.rng.randrange(3, 9)

    def question(self, text: str, **content: Any) -> None:
        self.c.question = self.customer_says(text, 9, **content) if text else self.say(
            self.c.customer, "", 9, **content
        )  # fmt: skip

    def complaint(self, statement: str) -> str:
        book, rng = self.books.long["complaint"], self.rng
        middles = [self.text(book["middles"]) for _ in range(rng.choice((2, 3, 3, 4, 5, 6, 7)))]
        middles.insert(1, statement.rstrip("?."))
        parts = [self.text(book["begins"]), *middles, self.text(book["ends"])]
        glue = rng.choice((". ", ". ", ".\n", ".\n\n", ", "))
        return glue.join(part.rstrip(".") for part in parts)

    def mail(self) -> str:
        book = self.books.long["mail"]
        subject, body = self.text(book["subjects"]), self.text(book["bodies"])
        head = f"De: Loja Aurora <atendimento@aurora.example>\nAssunto: {subject}"
        return f"{self.text(book['intros'])}\n\n{head}\n\n{body}\n\n{self.text(book['signatures'])}"

    def evidence(self) -> None:
        """A photo of what broke, a receipt, a screenshot."""
        rng, problem = self.rng, self.c.problem
        if problem == "produto_com_defeito" and rng.random() < 0.42:
            album = f"{self.c.id * 7919 + 13_000_000_000_000_000}" if rng.random() < 0.4 else None
            for number in range(rng.randrange(2, 4) if album else 1):
                caption = self.text(self.customer[problem]["details"]) if (
                    number == 0 and rng.random() < 0.6 and self.c.language == "pt"
                ) else ""  # fmt: skip
                content = {"media_group_id": album} if album else {}
                after = 0 if album and number else rng.randrange(6, 25)
                typed = self.writer.type(caption, self.c.customer.style) if caption else ""
                self.say(self.c.customer, typed, after, photo=media.photo(rng), **content)
        elif problem == "pagamento" and rng.random() < 0.14:
            self.say(self.c.customer, "", rng.randrange(8, 40), document=media.document(rng, "comprovante.pdf"))
        elif problem in ("cupom", "cadastro", "frete", "entrega_atrasada") and rng.random() < 0.09:
            self.say(self.c.customer, "", rng.randrange(5, 30), photo=media.photo(rng))
        elif problem == "entrega_atrasada" and rng.random() < 0.03:
            self.say(self.c.customer, "", rng.randrange(5, 30), location=media.location(rng))

    def bot_tries(self) -> None:
        """The bot asks for the order if it needs one, and answers well or badly."""
        c, rng = self.c, self.rng
        solves = rng.random() < BOT_SOLVES[c.problem] * (0.75 if c.language == "en" else 1)
        asked = c.acts[-1] if rng.random() < 0.5 and c.acts[-1].text else c.question
        if c.reopens or (c.question and "voice" in c.question.content):
            solves = False
        known = any(c.slots["pedido"] in act.text for act in c.acts)
        if c.problem in NEEDS_ORDER and not known and (solves or rng.random() < 0.5):
            asked = self.bot_says(self.bot["asks_order"], asked)
            if rng.random() < 0.05:
                return  # the customer is gone
            reply = asked if rng.random() < 0.5 else None
            asked = self.customer_says(self.customer["gives_order"], 17, reply)
        if solves:
            good = self.bot["solves"]
            options = good if isinstance(good, list) else good[c.problem]
            suffix = self.text(self.bot["asks_solved"]) if rng.random() < 0.45 else ""
            c.solved_by = "bot"
            self.satisfied(self.bot_says(options, asked, suffix), bool(suffix))
        else:
            self.bot_fails(asked)

    def bot_fails(self, asked: Act | None) -> None:
        c, rng = self.c, self.rng
        partial = self.bot.get("partial", {}).get(c.problem)
        options = partial if partial and rng.random() < 0.62 else self.bot["lost"]
        button = rng.random() < 0.25
        suffix = self.text(self.bot["asks_solved"]) if button else ""
        answer = self.bot_says(options, asked, suffix)
        if rng.random() < 0.17:  # goes away without a word, or with a bad one
            if rng.random() < 0.45:
                self.customer_says(self.customer["gives_up"], 50)
                c.signal = "complaint"
            elif rng.random() < 0.3:
                self.reaction(answer, UNHAPPY)
            return
        reply = answer if rng.random() < 0.45 else None
        if button and rng.random() < 0.6:
            self.press(answer, "no")
            complaint: Act | None = c.question
        elif rng.random() < 0.2:
            complaint = self.customer_says("/atendente" + rng.choice(("", "", "@loja_aurora_bot")), 16, reply)
        else:
            complaint = self.customer_says(self.customer["frustrated"], 18, reply)
        kind = "hands_over" if clock.office_is_open(self.now) else "closed_now"
        self.bot_says(self.bot[kind], complaint)
        self.to_people(c.question if rng.random() < 0.7 else complaint, noticed=rng.random() < 0.93)

    def to_people(self, asked: Act | None, *, noticed: bool) -> None:
        """An agent takes it, now or when the office opens; or nobody notices."""
        c, rng = self.c, self.rng
        c.handed_over = any(act.who is BOT for act in c.acts)
        if not noticed:
            if rng.random() < 0.55:
                self.now += rng.randrange(1500, 40_000)
                self.customer_says(self.customer["gives_up"], 30, asked if rng.random() < 0.3 else None)
                c.signal = "complaint"
            return
        self.agent, self.now = self.desk.take(self.now)
        if self.now > clock.END:
            return
        name = self.agent.first
        c.slots |= {
            "atendente": name, "a_atendente": self.agent.letter,
            "o_atendente": f"{self.agent.letter} {name}", "saudacao": clock.greeting(self.now),
        }  # fmt: skip
        c.slots["Saudacao"] = c.slots["saudacao"].capitalize()
        self.agent_helps(asked)

    def agent_helps(self, asked: Act | None) -> None:
        c, rng = self.c, self.rng
        first = None
        if rng.random() < 0.72:
            first = self.agent_says(self.people["opens"], 1, asked if rng.random() < 0.82 else None)
            if rng.random() < 0.55:
                away = rng.random() < 0.28
                median = 1500 if away else 24
                back = self.customer_says(self.customer["answers_agent"], median, first if rng.random() < 0.4 else None)
                if away and self.now - first.at > 600:
                    _, self.now = self.desk.take(self.now, self.agent)
                asked = back
            elif rng.random() < 0.35:
                self.agent_says(self.people["checks"], 28)
        solves = rng.random() < (0.62 if c.reopens else 0.83)
        good = self.people["solves"]
        options = good if isinstance(good, list) else good[c.problem]
        if self.now > clock.END:
            return
        answer = self.agent_says(
            options if solves else self.people["blunt"], 34, asked if rng.random() < 0.74 else None
        )
        if solves:
            c.solved_by = "agent"
            self.satisfied(answer, False)
        elif rng.random() < 0.6:
            self.customer_says(self.customer["gives_up"], 60, answer if rng.random() < 0.4 else None)
            c.signal = "complaint"
        elif rng.random() < 0.3:
            self.reaction(answer, UNHAPPY)

    def satisfied(self, answer: Act, button: bool) -> None:
        """Thanks, a button, a reaction; or silence."""
        c, rng = self.c, self.rng
        if button and rng.random() < 0.48:
            self.press(answer, "yes")
            if rng.random() < 0.4 and c.language == "pt":
                self.bot_says(self.bot["replies_yes"], None)
            return
        chance = rng.random()
        reply = answer if rng.random() < 0.36 else None
        if chance < 0.45:
            sticker = rng.random() < 0.05
            thanks = self.customer_says(self.customer["thanks"], 30, reply) if not sticker else self.say(
                c.customer, "", self.desk.think(30), reply, sticker=media.sticker(rng)
            )  # fmt: skip
            c.signal = "thanks"
            if answer.who.role == "agent" and rng.random() < 0.33 and clock.office_is_open(self.now):
                self.agent_says(self.people["closes"], 25, thanks if rng.random() < 0.5 else None)
            elif answer.who.role == "agent" and rng.random() < 0.25:
                self.story.react(self.now + rng.randrange(5, 90), self.agent, thanks, rng.choice("👍🙏"))
        elif chance < 0.64:
            self.reaction(answer, HAPPY)
        elif chance < 0.8:
            self.customer_says(self.customer["acknowledges"], 26, reply)

    def reaction(self, act: Act, choice: tuple[str, ...]) -> None:
        """The customer reacts; now and then changes it or takes it back."""
        rng, at = self.rng, self.now + self.desk.think(40)
        emoji = rng.choice(choice)
        self.c.signal = "reaction" if choice is HAPPY else "complaint"
        self.story.react(at, self.c.customer, act, emoji)
        if rng.random() < 0.08:
            other = rng.choice([None, *(e for e in choice if e != emoji)])
            self.story.react(at + rng.randrange(2, 400), self.c.customer, act, other, emoji)

    def press(self, act: Act, answer: str) -> None:
        """The customer presses a button under the bot's message."""
        self.now += self.desk.think(12)
        self.c.signal = "button_" + answer
        fields = {"from": self.c.customer.user(), "data": f"solved:{self.c.id}:{answer}"}
        self.story.happen(self.now, "callback_query", fields, act)
