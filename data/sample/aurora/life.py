"""A month of the group: conversations as they come, and everything around them."""

import heapq
import random

from aurora import clock, events, media
from aurora.conversation import Talk
from aurora.language import Writer
from aurora.people import GIF_BOT, Person, customers, phrases
from aurora.shop import Shop
from aurora.speech import GLAD, Books
from aurora.story import Act, Conversation, Desk, Story

PROBLEMS = {
    "order_status": 16, "late_delivery": 11, "payment": 12, "exchange_return": 10,
    "defective_product": 8, "refund": 7, "coupon": 6, "account_access": 7, "invoice": 6, "stock": 7,
    "shipping_quote": 7, "cancellation": 5,
}  # fmt: skip
PHASES: dict[str, dict[str, float]] = {
    "usual": {},
    "before": {"coupon": 3, "stock": 3, "shipping_quote": 2, "account_access": 1.8},
    "sale": {
        "payment": 3, "coupon": 4, "stock": 2.4, "account_access": 2, "cancellation": 1.5,
        "late_delivery": 0.5, "exchange_return": 0.5, "defective_product": 0.5,
    },
    "after": {
        "late_delivery": 4.2, "order_status": 1.8, "refund": 1.9, "cancellation": 2.2,
        "exchange_return": 1.5, "defective_product": 1.4, "coupon": 0.3, "stock": 0.5,
    },
}  # fmt: skip
# What other customers have to say about it.
KINDS = {
    "late_delivery": "delivery", "order_status": "delivery", "refund": "money",
    "payment": "payment", "cancellation": "money", "defective_product": "product",
    "exchange_return": "product", "account_access": "site", "coupon": "site",
}  # fmt: skip
SHARED = ("cidade", "transp", "produto", "o_produto", "O_produto", "um_produto", "banco")
# How often a matter that looked solved comes back.
COMES_BACK, COMES_BACK_OFTEN = 0.1, {
    "late_delivery": 2.6, "refund": 2.6, "exchange_return": 1.6, "order_status": 1.3,
}  # fmt: skip


class Month:
    """Plays the month.

    Each concern has random numbers of its own, so that a change in one does not disturb the rest.
    """

    def __init__(self, seed: int, scale: float) -> None:
        self.seed, self.scale = seed, scale
        self.rng = self.stream("conversations")
        self.story, self.shop, self.books = Story(), Shop(), Books()
        self.writer = Writer(self.stream("texts"))
        self.desk = Desk(self.stream("desk"))
        people = customers(self.stream("people"), 460)
        self.members, self.strangers = people[:330], people[330:]
        self.unused = list(self.members)
        self.busy_until: dict[int, int] = {}
        self.conversations: list[Conversation] = []

    def stream(self, name: str) -> random.Random:
        """The random numbers of one concern."""
        return random.Random(f"{self.seed}/{name}")

    def play(self) -> None:
        """Everything, in the order in which it begins."""
        queue: list[tuple[int, int, Conversation | None]] = [
            (moment, number, None)
            for number, moment in enumerate(clock.openings(self.stream("openings"), self.scale))
        ]
        heapq.heapify(queue)
        while queue:
            moment, _, earlier = heapq.heappop(queue)
            done = self.episode(moment, earlier)
            if again := self.comes_back(done):
                heapq.heappush(queue, (again, 100_000 + done.id, done))
        self.small_talk()
        events.announce(self.story, self.stream("announcements"), self.members)
        events.housekeeping(self.story, self.stream("housekeeping"), self.members, self.strangers)
        events.vote(self.story, self.stream("poll"), self.members)
        self.story.acts = [act for act in self.story.acts if act.at <= clock.END]
        for conversation in self.conversations:
            kept = [act for act in conversation.acts if act.at <= clock.END]
            conversation.acts = sorted(kept, key=lambda act: act.at)

    def episode(self, moment: int, earlier: Conversation | None) -> Conversation:
        """One conversation from its opening to its end."""
        rng, number = self.rng, len(self.conversations) + 1
        own = self.stream(f"matter/{number}")
        if earlier:
            problem, who = earlier.problem, earlier.customer
            slots = self.shop.later(own, earlier.slots, moment)
            earlier.reopened = True
        else:
            factors = PHASES[clock.phase(moment)]
            weights = [weight * factors.get(name, 1) for name, weight in PROBLEMS.items()]
            problem = rng.choices(list(PROBLEMS), weights)[0]
            who = self.customer(moment)
            slots = self.shop.matter(own, who, moment, problem)
        language = "en" if who.language.startswith("en") else "pt"
        c = Conversation(number, problem, who, slots, language)
        c.reopens = earlier.id if earlier else None
        if not earlier and language == "pt" and rng.random() < 0.045:
            c.also = rng.choice([other for other in PROBLEMS if other != problem])
        self.conversations.append(c)
        Talk(c, self.story, self.writer, self.desk, self.books).play(moment)
        self.busy_until[who.id] = c.acts[-1].at + 20 * 3600
        if language == "pt" and rng.random() < 0.13:
            self.bystander(c)
        return c

    def customer(self, moment: int) -> Person:
        """Somebody who just joined, a member who never asked before, or one who did."""
        rng, chance = self.rng, self.rng.random()
        if self.strangers and chance < 0.1:
            who = self.strangers.pop(0)
            events.join(self.story, rng, who, moment - rng.randrange(40, 1500), self.writer)
            self.members.append(who)
            return who
        idle = [p for p in self.members if self.busy_until.get(p.id, moment) < moment]
        if idle and (chance > 0.68 or not self.unused):
            return rng.choice(idle)
        return self.unused.pop(rng.randrange(len(self.unused)))

    def comes_back(self, c: Conversation) -> int | None:
        """When a solved matter comes back, or None."""
        chance = COMES_BACK * COMES_BACK_OFTEN.get(c.problem, 0.7)
        if c.solved_by == "nobody" or c.language != "pt" or c.reopens or self.rng.random() > chance:
            return None
        days = self.rng.choice((1, 1, 2, 2, 3, 4, 5, 6, 8))
        moment = c.acts[-1].at + 86_400 * days + self.rng.randrange(-9000, 9000)
        fits = moment < clock.END - 7200 and 8 <= clock.local(moment).hour < 23
        return moment if fits else None

    def bystander(self, c: Conversation) -> None:
        """Another customer joins in, or two."""
        asked, rng = c.question or c.acts[0], self.rng
        others = [p for p in self.members if p is not c.customer and p.language.startswith("pt")]
        for _ in range(rng.choice((1, 1, 1, 2))):
            who, options = rng.choice(others), self.books.customers["bystanders"]
            kind = KINDS.get(c.problem, "any") if rng.random() < 0.6 else "any"
            own = self.shop.matter(rng, who, asked.at, c.problem)
            slots = own | {name: c.slots[name] for name in SHARED}
            text = self.writer.fill(self.writer.pick(options[kind]), slots)
            moment = asked.at + self.desk.think(50, 0.8)
            reply = asked if rng.random() < 0.5 else None
            typed = self.writer.type(text, who.style)
            self.story.say(Act(moment, who, typed, reply, conversation=c))

    def small_talk(self) -> None:
        """Chat that is nobody's problem, with the odd sticker, GIF and video."""
        rng, laughs = self.stream("small talk"), phrases("life")["laughs"]
        options = self.books.customers["talk"]["smalltalk"]
        brazilians = [p for p in self.members if p.language.startswith("pt")]
        for day in clock.days():
            for hour in rng.choices(range(24), clock.HOURS, k=rng.choice((1, 2, 2, 3, 4))):
                moment = clock.at(day, f"{hour}:00:00") + rng.randrange(3600)
                who = rng.choice(brazilians)
                slots = self.shop.matter(rng, who, moment, "")
                text = self.writer.fill(self.writer.pick(options), slots)
                act = self.story.say(
                    Act(moment, who, self.writer.type(text, who.style, emojis=GLAD))
                )
                for _ in range(rng.choice((0, 0, 1, 1, 2))):
                    moment += self.desk.think(30)
                    reply = act if rng.random() < 0.5 else None
                    self.answer(rng, Act(moment, rng.choice(brazilians), "", reply), laughs)

    def answer(self, rng: random.Random, act: Act, options: list[str]) -> None:
        """A short answer to small talk: words, or a sticker, a GIF, a video."""
        chance = rng.random()
        if chance < 0.16:
            act.content = {"sticker": media.sticker(rng)}
        elif chance < 0.2:
            gif = media.animation(rng)
            unsized = {k: v for k, v in gif.items() if k not in ("duration", "width", "height")}
            act.content = {"via_bot": GIF_BOT.user(), "animation": gif, "document": unsized}
        elif chance < 0.24:
            act.content = {"video": media.video(rng)}
        else:
            text = self.writer.pick(options)
            act.text = self.writer.type(text, act.who.style, emojis=GLAD)
        self.story.say(act)
