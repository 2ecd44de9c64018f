"""A month of the group: conversations as they come, and everything around them."""

import heapq
import random
from datetime import date

from aurora import clock, events, media
from aurora.conversation import Books, Talk
from aurora.language import Writer, phrases
from aurora.people import BOT, GIF_BOT, Person, customers
from aurora.shop import matter
from aurora.story import Act, Conversation, Desk, Story, scale_to

PROBLEMS = {
    "rastreio": 16, "entrega_atrasada": 11, "pagamento": 12, "troca_devolucao": 10,
    "produto_com_defeito": 8, "reembolso": 7, "cupom": 6, "cadastro": 7, "nota_fiscal": 6,
    "estoque": 7, "frete": 7, "cancelamento": 5,
}  # fmt: skip
PHASES = {
    "usual": {},
    "before": {"cupom": 3.0, "estoque": 3.0, "frete": 2.0, "cadastro": 1.8},
    "sale": {"pagamento": 3.0, "cupom": 4.0, "estoque": 2.4, "cadastro": 2.0, "cancelamento": 1.5,
             "entrega_atrasada": 0.5, "troca_devolucao": 0.5, "produto_com_defeito": 0.5},
    "after": {"entrega_atrasada": 4.2, "rastreio": 1.8, "reembolso": 1.9, "cancelamento": 2.2,
              "troca_devolucao": 1.5, "produto_com_defeito": 1.4, "cupom": 0.3, "estoque": 0.5},
}  # fmt: skip
# How often a matter that looked solved comes back, by who had solved it.
COMES_BACK = {"bot": 0.07, "agent": 0.06}
COMES_BACK_OFTEN = {"entrega_atrasada": 2.6, "reembolso": 2.6, "troca_devolucao": 1.6, "rastreio": 1.3}


class Month:
    """Plays the month. Each concern has random numbers of its own, so they do not disturb each other."""

    def __init__(self, seed: int, scale: float) -> None:
        self.stream = lambda name: random.Random(f"{seed}/{name}")
        self.rng = self.stream("conversations")
        self.story = Story()
        self.writer = Writer(self.stream("texts"))
        self.desk = Desk(self.stream("desk"))
        self.books = Books()
        people = customers(self.stream("people"), 460)
        self.members, self.strangers = people[:330], people[330:]
        self.unused = list(self.members)
        self.busy_until: dict[int, int] = {}
        self.conversations: list[Conversation] = []
        self.scale = scale

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
        if earlier:
            problem, who, slots = earlier.problem, earlier.customer, dict(earlier.slots)
            earlier.reopened = True
        else:
            weights = scale_to(PROBLEMS.items(), PHASES[clock.phase(moment)])
            problem = rng.choices(list(weights), list(weights.values()))[0]
            who = self.customer(moment)
            slots = matter(self.stream(f"matter/{number}"), who, moment, problem)
        c = Conversation(number, problem, who, slots, "en" if who.language.startswith("en") else "pt")
        c.reopens = earlier.id if earlier else None
        if not earlier and c.language == "pt" and rng.random() < 0.045:
            c.also = rng.choice([p for p in PROBLEMS if p != problem])
        slots["saudacao"] = clock.greeting(moment) if c.language == "pt" else slots["saudacao"]
        self.conversations.append(c)
        Talk(c, self.story, self.writer, self.desk, self.books).play(moment)
        self.busy_until[who.id] = c.acts[-1].at + 20 * 3600
        if c.language == "pt" and rng.random() < 0.13:
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
        idle = [p for p in self.members if p.id in self.busy_until and self.busy_until[p.id] < moment]
        if idle and (chance > 0.68 or not self.unused):
            return rng.choice(idle)
        return self.unused.pop(rng.randrange(len(self.unused)))

    def comes_back(self, c: Conversation) -> int | None:
        """When a solved matter comes back, or None."""
        chance = COMES_BACK.get(c.solved_by, 0) * COMES_BACK_OFTEN.get(c.problem, 0.7)
        if c.language != "pt" or c.reopens or self.rng.random() >= chance:
            return None
        moment = c.acts[-1].at + round(86_400 * self.rng.choice((1, 1, 2, 2, 3, 4, 5, 6, 8)))
        moment += self.rng.randrange(-9000, 9000)
        return moment if moment < clock.END - 7200 and 8 <= clock.local(moment).hour < 23 else None

    def bystander(self, c: Conversation) -> None:
        """Another customer joins in."""
        asked = c.question or c.acts[0]
        others = [p for p in self.members if p is not c.customer and p.language.startswith("pt")]
        for _ in range(self.rng.choice((1, 1, 1, 2))):
            who, options = self.rng.choice(others), self.books.customers["bystanders"]
            text = self.writer.fill(self.writer.pick(options), c.slots)
            moment = asked.at + self.desk.think(50, 0.8)
            reply = asked if self.rng.random() < 0.6 else None
            typed = self.writer.type(text, who.style)
            self.story.say(Act(moment, who, typed, reply, conversation=c))

    def small_talk(self) -> None:
        """Chat that is nobody's problem, with the odd sticker, GIF and video."""
        rng, book, life = self.stream("small talk"), self.books.customers, phrases("life")
        locals_ = [p for p in self.members if p.language.startswith("pt")]
        for day in clock.days():
            for hour in rng.choices(range(24), clock.HOURS, k=rng.choice((1, 2, 2, 3, 4))):
                moment = clock.at(day, f"{hour}:00:00") + rng.randrange(3600)
                who = rng.choice(locals_)
                slots = matter(rng, who, moment, "conversa")
                slots["pro_atendente"] = rng.choice(("pra Camila", "pro Diego"))
                text = self.writer.type(self.writer.fill(self.writer.pick(book["smalltalk"]), slots), who.style)
                act = self.story.say(Act(moment, who, text))
                for _ in range(rng.choice((0, 0, 1, 1, 2))):
                    moment += self.desk.think(30)
                    other = rng.choice(locals_)
                    reply = act if rng.random() < 0.5 else None
                    self.answer(rng, other, moment, reply, life["laughs"])

    def answer(
        self, rng: random.Random, who: Person, moment: int, reply: Act | None, options: list[str]
    ) -> None:
        """A short answer to small talk: words, or a sticker, a GIF, a video."""
        chance = rng.random()
        if chance < 0.16:
            self.story.say(Act(moment, who, "", reply, {"sticker": media.sticker(rng)}))
        elif chance < 0.2:
            gif = media.animation(rng)
            small = {key: gif[key] for key in ("file_name", "mime_type", "file_id", "file_unique_id", "file_size")}
            content = {"via_bot": GIF_BOT.user(), "animation": gif, "document": small}
            self.story.say(Act(moment, who, "", reply, content))
        elif chance < 0.24:
            self.story.say(Act(moment, who, "", reply, {"video": media.video(rng)}))
        else:
            text = self.writer.type(self.writer.pick(options), who.style)
            self.story.say(Act(moment, who, text, reply))


def edit(month: Month, share: float) -> None:
    """Customers and agents correct what they wrote, until this share of all messages was edited."""
    rng = month.stream("edits")
    acts = [act for act in month.story.acts if not act.service]
    able = [act for act in acts if act.who is not BOT and len(act.text) > 8 and act.text[0] != "/" and not act.edits]
    for act in rng.sample(able, round(share * len(acts))):
        final, chance = act.text, rng.random()
        after = month.desk.think(14, 1.0) + 2
        if chance < 0.72:
            act.text = month.writer.slip(final)
            if act.text == final:
                final += rng.choice((".", "!", " 🙏", " *"))
        elif chance < 0.86 and "http" not in final:
            words = final.split(" ")
            act.text = " ".join(words[: max(2, len(words) - rng.randrange(1, 4))])
            if act.text == final:
                final += rng.choice((" por favor", " pfv", "..."))
        else:
            final += rng.choice((" (editado)", "\n\nEdit: já resolvi", " ...desculpa o erro", " obs: é urgente", " ?"))
        day_end = clock.at(date.fromordinal(clock.local(act.at).toordinal()), "23:59:50")
        moments = [min(act.at + after, max(day_end, act.at + 2))]
        if (act.at < clock.MIGRATION) != (moments[0] < clock.MIGRATION):
            continue
        act.edits.append((moments[0], final))
        if rng.random() < 0.05:
            act.edits.append((moments[0] + rng.randrange(5, 60), final + "."))
