"""How the parties of a conversation speak, each in their own voice."""

import random
from typing import Any

from aurora import media
from aurora.language import Writer, stop, unmark
from aurora.people import BOT, CAMILA, Person, phrases
from aurora.story import Act, Conversation, Desk, Story

KINDS = {"electric", "wearable"}
TRIED = {"account_access", "payment", "coupon", "invoice"}  # where "it works now" makes sense
GLAD, CALM = "🙏 🙏🏽 ❤️ 😍 👏 🥰 😊 🙌 😅 😁", "🙂 👋 😊 🙏 🙋‍♀️"
HAPPY, UNHAPPY = ("👍", "❤", "🙏", "🔥", "👏", "🎉"), ("👎", "😡", "😢", "🤬")


class Books:
    """The phrase books, read once."""

    def __init__(self) -> None:
        self.customers, self.bot, self.agents = map(phrases, ("customers", "bot", "agents"))
        self.long, self.english = phrases("long"), phrases("english")


class Speech:
    """Says things in one conversation and keeps its time in `now`."""

    def __init__(
        self, c: Conversation, story: Story, writer: Writer, desk: Desk, books: Books
    ) -> None:
        self.c, self.story, self.writer, self.desk, self.books = c, story, writer, desk, books
        self.rng: random.Random = writer.rng
        self.now = 0
        self.agent: Person = CAMILA
        self.english = c.language == "en"
        self.customer: dict[str, Any] = books.english if self.english else books.customers
        self.bot: dict[str, Any] = books.english["bot"] if self.english else books.bot
        self.people: dict[str, Any] = books.english["agents"] if self.english else books.agents

    def chance(self, share: float) -> bool:
        """True this often."""
        return self.rng.random() < share

    def text(self, options: list[str]) -> str:
        """One of the phrases, filled in."""
        return self.writer.fill(unmark(self.writer.pick(options))[1], self.c.slots)

    def possible(self, options: list[str]) -> list[str]:
        """Those of the phrases that can be said of this product."""
        unfit = KINDS - {self.c.slots["kind"]}
        if self.c.problem not in TRIED:
            unfit.add("did")
        return [option for option in options if unmark(option)[0] not in unfit]

    def fitting(self, options: list[str]) -> list[str]:
        """Those of the answers that fit what exactly is the matter."""
        exact = [o for o in options if self.c.matter and unmark(o)[0] == self.c.matter]
        return exact or [o for o in options if not unmark(o)[0]] or options

    def say(
        self, who: Person, text: str, after: int, reply: Act | None = None, **content: Any
    ) -> Act:
        """One message, some seconds later."""
        self.now += after
        act = Act(self.now, who, text, reply, content, conversation=self.c)
        return self.story.say(act)

    def customer_says(
        self,
        options: list[str] | str,
        median: float,
        reply: Act | None = None,
        emojis: str = "",
    ) -> Act:
        """The customer writes, as this customer types."""
        text = options if isinstance(options, str) else self.text(options)
        if text and not text.startswith("/"):
            style, language = self.c.customer.style, self.c.language
            text = self.writer.type(text, style, language=language, emojis=emojis)
        return self.say(self.c.customer, text, self.desk.think(median, 0.9), reply)

    def bot_says(
        self, options: list[str], reply: Act | None, *, ask: bool = False, extra: float = 0
    ) -> Act:
        """The bot answers within seconds, and may ask under its answer whether that helped."""
        text = self.text(options)
        if self.chance(extra):
            text = stop(text) + " " + self.text(self.bot["extras"])
        act = self.say(BOT, text, self.rng.choice((1, 1, 2, 2, 3)), reply)
        if not ask:
            return act
        keyboard = media.buttons(self.c.id, self.c.language)
        return self.say(BOT, self.text(self.bot["asks_solved"]), 1, reply_markup=keyboard)

    def agent_says(self, options: list[str] | str, median: float, reply: Act | None = None) -> Act:
        """The agent writes."""
        text = options if isinstance(options, str) else self.text(options)
        text = self.writer.type(text, self.agent.style, language=self.c.language)
        return self.say(self.agent, text, self.desk.think(median, 0.6), reply)

    def reaction(self, act: Act, choice: tuple[str, ...]) -> None:
        """The customer reacts; now and then changes it or takes it back."""
        at = self.now + self.desk.think(40)
        emoji = self.rng.choice(choice)
        self.c.signal = "reaction" if choice is HAPPY else "complaint"
        self.story.react(at, self.c.customer, act, emoji)
        if self.chance(0.08):
            other = self.rng.choice([None, *(e for e in choice if e != emoji)])
            later = at + self.rng.randrange(2, 400)
            self.story.react(later, self.c.customer, act, other, emoji)

    def press(self, act: Act, answer: str) -> None:
        """The customer presses a button under the bot's message."""
        self.now += self.desk.think(12)
        self.c.signal = "button_" + answer
        fields = {"from": self.c.customer.user(), "data": f"solved:{self.c.id}:{answer}"}
        self.story.happen(self.now, "callback_query", fields, act)
