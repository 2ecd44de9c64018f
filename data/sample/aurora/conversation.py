"""How a customer's matter goes: what the bot makes of it, who solves it, how it ends."""

from typing import Any

from aurora import clock, media
from aurora.language import stop
from aurora.opening import Opening
from aurora.people import BOT
from aurora.speech import CALM, GLAD, HAPPY, UNHAPPY
from aurora.story import Act

# How often the bot alone solves each problem when it is up; for which it needs an order.
BOT_SOLVES = {
    "order_status": 0.88, "payment": 0.78, "invoice": 0.82, "account_access": 0.66,
    "shipping_quote": 0.72, "stock": 0.58, "late_delivery": 0.36, "cancellation": 0.38,
    "coupon": 0.12, "exchange_return": 0.16, "refund": 0.14, "defective_product": 0.06,
}  # fmt: skip
NEEDS_ORDER = {
    "order_status", "late_delivery", "refund", "exchange_return", "invoice", "cancellation",
    "payment", "defective_product",
}  # fmt: skip
WAITING = {"late_delivery", "order_status", "refund", "exchange_return"}


class Talk(Opening):
    """One episode of one conversation, played from its opening to its end."""

    def play(self, opened_at: int) -> None:
        """Open, let the bot try, hand over if need be."""
        self.now = opened_at
        self.open()
        if clock.bot_is_up(self.now) and self.chance(0.965):
            self.bot_tries()
        else:
            self.to_people(self.c.question, noticed=self.chance(0.84))

    def bot_tries(self) -> None:
        """The bot asks for the order if it needs one, and answers well or badly."""
        c = self.c
        share = BOT_SOLVES[c.problem] * (0.75 if self.english else 1)
        spoken = c.question is not None and "voice" in c.question.content
        solves = self.chance(share) and not c.reopens and not spoken
        asked = c.acts[-1] if self.chance(0.5) and c.acts[-1].text else c.question
        known = any(c.slots["pedido"] in act.text for act in c.acts)
        if c.problem in NEEDS_ORDER and not known and (solves or self.chance(0.5)):
            asked = self.bot_says(self.bot["asks_order"], asked)
            if self.chance(0.05):
                return  # the customer is gone
            reply = asked if self.chance(0.75) else None
            asked = self.customer_says(self.or_more(self.customer["gives_order"], 0.5), 20, reply)
        if solves:
            ask = self.chance(0.45)
            c.solved_by = "bot"
            options = self.fitting(self.bot["solves"][c.problem])
            self.satisfied(self.bot_says(options, asked, ask=ask, extra=0.75), ask)
        else:
            self.bot_fails(asked)

    def bot_fails(self, asked: Act | None) -> None:
        """A general answer; then the customer goes, or asks for a person."""
        c = self.c
        partial = self.bot.get("partial", {}).get(c.problem)
        options = partial if partial and self.chance(0.62) else self.bot["lost"]
        ask = self.chance(0.2)
        answer = self.bot_says(options, asked, ask=ask)
        if self.chance(0.17):
            if self.chance(0.45):
                self.customer_says(self.parting(), 50)
                c.signal = "complaint"
            elif self.chance(0.3):
                self.reaction(answer, UNHAPPY)
            return
        reply, wish = answer if self.chance(0.6) else None, c.question
        if ask and self.chance(0.6):
            self.press(answer, "no")
        elif self.chance(0.2):
            command = self.rng.choice(("/atendente", "/atendente", "/atendente@loja_aurora_bot"))
            wish = self.customer_says(command, 16, reply)
        else:
            wish = self.customer_says(self.or_more(self.customer["frustrated"], 0.75), 28, reply)
            if self.chance(0.35):
                self.customer_says(self.detail(), 8)
        kind = "hands_over" if clock.office_is_open(self.now) else "closed_now"
        self.bot_says(self.bot[kind], wish)
        self.to_people(c.question if self.chance(0.7) else wish, noticed=self.chance(0.93))

    def to_people(self, asked: Act | None, *, noticed: bool) -> None:
        """An agent takes it, now or when the office opens; or nobody notices."""
        c = self.c
        c.handed_over = any(act.who is BOT for act in c.acts)
        if not noticed:
            if self.chance(0.55):
                self.now += self.rng.randrange(1500, 40_000)
                reply = asked if self.chance(0.3) else None
                self.customer_says(self.parting(), 30, reply)
                c.signal = "complaint"
            return
        self.agent, self.now = self.desk.take(self.now)
        if self.now > clock.END:
            return
        greeting, name = clock.greeting(self.now), self.agent.first
        c.slots |= {
            "atendente": name, "a_atendente": self.agent.letter, "saudacao": greeting,
            "Saudacao": greeting.capitalize(), "o_atendente": f"{self.agent.letter} {name}",
        }  # fmt: skip
        self.agent_helps(asked)

    def agent_helps(self, asked: Act | None) -> None:
        """The agent asks, looks, and solves it or says something blunt."""
        c = self.c
        if self.chance(0.74):
            asked = self.agent_begins(asked)
        if self.now > clock.END:
            return
        solves = self.chance(0.62 if c.reopens else 0.83)
        options = self.fitting(self.people["solves"][c.problem]) if solves else self.people["blunt"]
        said = self.text(options)
        if self.chance(0.75):
            said = f"{stop(said)} {self.text(self.people['extras'])}"
        answer = self.agent_says(said, 32, asked if self.chance(0.88) else None)
        if solves:
            if self.chance(0.4):
                self.agent_says(self.people["extras"], 14)
            c.solved_by = "agent"
            self.satisfied(answer, False)
        elif self.chance(0.6):
            reply = answer if self.chance(0.5) else None
            self.customer_says(self.parting(), 60, reply)
            c.signal = "complaint"
        elif self.chance(0.3):
            self.reaction(answer, UNHAPPY)

    def agent_begins(self, asked: Act | None) -> Act | None:
        """A greeting, mostly with a question to the customer; returns what to reply to."""
        kinds: dict[str, Any] = self.people["opens"]
        kind = "any" if self.chance(0.45) else self.rng.choice(list(kinds))
        first = self.agent_says(kinds[kind], 1, asked if self.chance(0.92) else None)
        if kind != "any" or self.chance(0.35):
            away = self.chance(0.25)
            reply = first if self.chance(0.7) else None
            said = self.or_more(self.customer["answers"][kind], 0.75)
            asked = self.customer_says(said, 1500 if away else 32, reply)
            if self.chance(0.35):
                self.customer_says(self.detail(), 9)
            if away and self.now - first.at > 600:
                _, self.now = self.desk.take(self.now, self.agent)
        if self.chance(0.5) and self.now < clock.END:
            self.agent_says(self.people["checks"], 20)
        return asked

    def parting(self) -> str:
        """A parting word; now and then all that has gone wrong."""
        said = self.or_more(self.customer["gives_up"], 0.7)
        if self.english or not self.chance(0.25):
            return said
        return self.complaint(said)

    def satisfied(self, answer: Act, button: bool) -> None:
        """Thanks, a button, a reaction; or silence."""
        c = self.c
        if button and self.chance(0.48):
            self.press(answer, "yes")
            if self.chance(0.4) and not self.english:
                self.bot_says(self.bot["replies_yes"], None)
            return
        chance = self.rng.random()
        reply = answer if self.chance(0.75) else None
        if chance < 0.47:
            self.thanks(answer, reply)
        elif chance < 0.65:
            self.reaction(answer, HAPPY)
        elif chance < 0.82:
            waits = c.problem in WAITING and self.chance(0.6)
            kind = "waits" if waits else "acknowledges"
            self.customer_says(self.customer[kind], 48, reply, CALM)

    def thanks(self, answer: Act, reply: Act | None) -> None:
        """Thanks in words or a sticker, and what the agent makes of them."""
        c, by_agent = self.c, answer.who.role == "agent"
        if self.chance(0.1):
            sticker = media.sticker(self.rng)
            thanks = self.say(c.customer, "", self.desk.think(40), reply, sticker=sticker)
        else:
            said = self.text(self.possible(self.customer["thanks"]))
            if self.chance(0.6):
                said = f"{stop(said)} {self.text(self.customer['praise'])}"
            thanks = self.customer_says(said, 50, reply, GLAD)
            if self.chance(0.15):
                self.customer_says(self.customer["praise"], 7, None, GLAD)
        c.signal = "thanks"
        if by_agent and self.chance(0.33) and clock.office_is_open(self.now):
            self.agent_says(self.people["closes"], 25, thanks if self.chance(0.4) else None)
        elif by_agent and self.chance(0.25):
            later = self.now + self.rng.randrange(5, 90)
            self.story.react(later, self.agent, thanks, self.rng.choice("👍🙏"))
