"""How customers put their matter: at once or in pieces, short or at length."""

from aurora import media
from aurora.language import join, stop, unmark
from aurora.speech import CALM, Speech

# Problems that people write long complaints about.
ANGERING = {
    "late_delivery", "refund", "exchange_return", "defective_product", "payment", "coupon",
    "cancellation",
}  # fmt: skip


class Opening(Speech):
    """The customer's first messages."""

    def open(self) -> None:
        """Greeting, question, details, in one message or several."""
        form, statement = self.rng.random(), self.statement()
        asks_kindly = self.c.problem not in ANGERING or "?" in statement
        if form < 0.27:
            self.question(self.sentences(self.greeted(statement), self.rng.choice((1, 2, 2, 3))))
        elif form < 0.53:
            self.greet()
            self.question(self.sentences(statement, self.rng.choice((0, 1, 2, 2))))
            self.more(0.75)
        elif form < 0.58:
            self.question(statement)
        elif form < 0.78:
            self.question(statement if self.chance(0.6) else self.greeted(statement))
            self.more(1.0)
            self.more(0.7)
        elif form < 0.8 and not self.english:
            self.question(statement)
            self.mail()
        elif form < 0.82:
            self.say(self.c.customer, "", 9, voice=media.voice(self.rng))
            self.c.question = self.c.acts[-1]
        elif asks_kindly or self.english:
            self.question(self.sentences(self.greeted(statement), self.rng.choice((2, 3, 4, 5))))
        else:
            self.question(self.complaint(statement), median=45)
        self.evidence()

    def statement(self) -> str:
        """What is the matter; sometimes two things at once, sometimes a command to the bot."""
        c, book = self.c, self.customer
        if self.english:
            return self.text(book["statements"][c.problem])
        if c.problem == "order_status" and self.chance(0.07):
            return f"/pedido@loja_aurora_bot {c.slots['pedido']}"
        options = self.possible(book[c.problem]["reopens" if c.reopens else "statements"])
        c.matter, said = unmark(self.writer.pick(options))
        said = self.writer.fill(said, c.slots)
        if c.also:
            other = self.text(self.possible(book[c.also]["statements"]))
            link = self.rng.choice(("E outra coisa: ", "Aproveitando, ", "E também ", "Ah, e "))
            said = f"{stop(said)} {link}{other[:1].lower()}{other[1:]}"
        return said

    def question(self, text: str, median: float = 9) -> None:
        """The message that says what is the matter."""
        self.c.question = self.customer_says(text, median)

    def greeted(self, sentence: str) -> str:
        """The sentence after a greeting."""
        return join(self.text(self.customer["prefixes"]), sentence)

    def greet(self) -> None:
        """A greeting of its own; the question follows."""
        self.customer_says(self.customer["greetings"], 1, emojis=CALM)
        self.now += self.rng.randrange(1, 5)

    def sentences(self, start: str, number: int) -> str:
        """A sentence and some more about the circumstances, with a closing phrase now and then."""
        if start.startswith("/"):
            return start
        parts = [start, *(self.detail() for _ in range(number))]
        if self.chance(0.45):
            parts.append(self.text(self.customer["closers"]))
        glue = "\n" if self.chance(0.12) else " "
        return glue.join([*map(stop, parts[:-1]), parts[-1]])

    def detail(self) -> str:
        """One circumstance: of this problem, or of anybody."""
        mine = self.customer.get(self.c.problem, {}).get("details")
        if mine and self.chance(0.5):
            return self.text(mine)
        return self.text(self.customer["grievances" if self.angry else "contexts"])

    @property
    def angry(self) -> bool:
        """Whether this is about something that went wrong, half of the time."""
        asks = self.c.question is not None and "?" in self.c.question.text
        return self.c.problem in ANGERING and not asks and self.chance(0.5)

    def more(self, share: float) -> None:
        """One more message, this often."""
        if self.chance(share):
            closing = self.chance(0.25)
            self.customer_says(self.text(self.customer["closers"]) if closing else self.detail(), 8)

    def complaint(self, statement: str) -> str:
        """A long one."""
        book, rng = self.books.long["complaint"], self.rng
        middles = [self.text(book["middles"]) for _ in range(rng.choice((4, 5, 6, 7, 8, 10)))]
        parts = [self.text(book["begins"]), statement, *middles, self.text(book["ends"])]
        glue = rng.choice((". ", ". ", ".\n", ".\n\n", ", "))
        if glue == ", ":
            return glue.join([parts[0], *(p[:1].lower() + p[1:] for p in parts[1:])])
        return glue.strip(".").join(stop(part) for part in parts)

    def mail(self) -> None:
        """An e-mail, pasted as it came: only what stands before it is typed."""
        book = self.books.long["mail"]
        subject, body, end = (
            self.text(book[part]) for part in ("subjects", "bodies", "signatures")
        )
        intro = self.writer.type(self.text(book["intros"]), self.c.customer.style)
        head = f"De: Loja Aurora <atendimento@aurora.example>\nAssunto: {subject}"
        after = self.desk.think(30)
        self.say(self.c.customer, f"{intro}\n\n{head}\n\n{body}\n\n{end}", after)

    def or_more(self, options: list[str], share: float) -> str:
        """One of the phrases, with a circumstance after it this often."""
        said = self.text(options)
        if not self.chance(share):
            return said
        return f"{stop(said)} {self.detail()}"

    def evidence(self) -> None:
        """A photo of what broke, a receipt, a screenshot."""
        problem, soon = self.c.problem, self.rng.randrange(5, 30)
        if problem == "defective_product" and self.chance(0.7):
            self.photos()
        elif problem == "payment" and self.chance(0.4):
            receipt = media.document(self.rng, "comprovante.pdf")
            self.say(self.c.customer, "", soon, document=receipt)
        elif problem in ("coupon", "account_access", "exchange_return") and self.chance(0.4):
            self.say(self.c.customer, "", soon, photo=media.photo(self.rng))
        elif problem == "late_delivery" and self.chance(0.03):
            self.say(self.c.customer, "", soon, location=media.location(self.rng))

    def photos(self) -> None:
        """One photo, or an album; the caption is under the first."""
        album = {"media_group_id": f"{self.c.id * 7919 + 13_000_000_000_000_000}"}
        number = self.rng.randrange(2, 4) if self.chance(0.5) else 1
        caption = ""
        if self.chance(0.6) and not self.english:
            caption = self.text(self.customer[self.c.problem]["details"])
            caption = self.writer.type(caption, self.c.customer.style)
        for place in range(number):
            after = 0 if place else self.rng.randrange(6, 25)
            content = {"photo": media.photo(self.rng)} | (album if number > 1 else {})
            self.say(self.c.customer, "" if place else caption, after, **content)
