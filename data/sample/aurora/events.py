"""What happens around the conversations: joins, polls, announcements, pins, the migration."""

import random
from datetime import date

from aurora import clock, media, telegram
from aurora.language import Writer, phrases
from aurora.people import ANONYMOUS, BOT, CAMILA, DIEGO, FERNANDA, OWNER, TELEGRAM, Person
from aurora.story import Act, Story

POLL_ID = "5417702340099145729"
OPTIONS = ("Manhã", "Hora do almoço", "Noite (19h)", "Fim de semana")
AUTHORS = {"owner": OWNER, "anonymous": ANONYMOUS, "channel": TELEGRAM}


def service(story: Story, at: int, who: Person, **content: object) -> Act:
    """A message that Telegram writes, not a person."""
    return story.say(Act(at, who, content=content, service=True))


def change(story: Story, at: int, by: Person, whom: Person, old: str, new: str) -> None:
    """Somebody's membership changes."""
    kind = "my_chat_member" if whom is BOT else "chat_member"
    members = {"old_chat_member": telegram.member(whom, old), "new_chat_member": telegram.member(whom, new)}
    story.happen(at, kind, {"from": by.user(), "date": at} | members)


def join(story: Story, rng: random.Random, who: Person, at: int, writer: Writer) -> None:
    """Somebody comes in by the invite link, and the bot welcomes most of them."""
    change(story, at, who, who, "left", "member")
    user = who.user()
    act = service(
        story, at, who, new_chat_participant=user, new_chat_member=user, new_chat_members=[user]
    )
    if clock.bot_is_up(at) and rng.random() < 0.6:
        slots = {"nome": who.first, "eu": who.letter}
        text = writer.fill(writer.pick(phrases("bot")["welcomes"]), slots)
        story.say(Act(at + 2, BOT, text, act if rng.random() < 0.3 else None))


def leave(story: Story, who: Person, at: int) -> None:
    """Somebody goes."""
    change(story, at, who, who, "member", "left")
    user = who.user()
    service(story, at, who, left_chat_participant=user, left_chat_member=user)


def announce(story: Story, rng: random.Random, members: list[Person]) -> None:
    """What the shop tells everybody, pinned once, and the reactions to it."""
    for day, time, author, text in phrases("life")["announcements"]:
        at = clock.at(date.fromisoformat(day), time)
        content: dict[str, object] = {"bold": "\n" in text}
        if author == "channel":
            number = 300 + at // 86_400 % 100
            origin = {"type": "channel", "date": at, "chat": telegram.CHANNEL, "message_id": number}
            content |= {
                "sender_chat": telegram.CHANNEL, "forward_origin": origin, "is_automatic_forward": True,
                "forward_from_chat": telegram.CHANNEL, "forward_from_message_id": number, "forward_date": at,
            }  # fmt: skip
            content["photo"] = media.photo(rng)
        act = story.say(Act(at, AUTHORS[author], text, content=content))
        for who in rng.sample(members, rng.randrange(3, 9)):
            story.react(at + round(rng.expovariate(1 / 1500)) + 3, who, act, rng.choice("👍🔥❤🎉🙏😢"))
        if text.startswith("📌"):
            act.content["pin"] = True


def housekeeping(
    story: Story, rng: random.Random, members: list[Person], strangers: list[Person]
) -> None:
    """The bot's own membership, the migration, the titles, agents coming, people going."""
    start = clock.START
    change(story, start + 30_000, OWNER, BOT, "left", "member")
    service(story, start + 30_000, OWNER, new_chat_participant=BOT.user(), new_chat_member=BOT.user(), new_chat_members=[BOT.user()])
    change(story, start + 30_060, OWNER, BOT, "member", "administrator")
    service(story, clock.MIGRATION, OWNER, migrate_to_chat_id=telegram.SUPERGROUP_ID)
    service(story, clock.MIGRATION, ANONYMOUS, migrate_from_chat_id=telegram.GROUP_ID)
    change(story, clock.MIGRATION + 1, OWNER, BOT, "member", "administrator")
    for at, title in telegram.TITLES[1:]:
        service(story, at, OWNER, new_chat_title=title)
    hired = clock.at(date(2025, 11, 24), "09:26:12")
    user = FERNANDA.user()
    change(story, hired, OWNER, FERNANDA, "left", "member")
    service(story, hired, OWNER, new_chat_participant=user, new_chat_member=user, new_chat_members=[user])
    change(story, hired + 40, OWNER, FERNANDA, "member", "administrator")
    picture = clock.at(clock.BLACK_FRIDAY, "00:00:21")
    service(story, picture, OWNER, new_chat_photo=media.photo(rng))
    for day in clock.days():
        if rng.random() < (0.75 if day > clock.BLACK_FRIDAY else 0.4):
            who = members.pop(rng.randrange(len(members)))
            last = max((a.at for a in story.acts if a.who is who), default=clock.at(day, "10:00:00"))
            leave(story, who, max(last + rng.randrange(200, 90_000), clock.at(day, "00:00:00")))
    for day in clock.days():
        if strangers and rng.random() < 0.5:
            at = clock.at(day, f"{rng.randrange(9, 22)}:00:00") + rng.randrange(3600)
            join(story, rng, strangers.pop(0), at, Writer(rng))


def vote(story: Story, rng: random.Random, members: list[Person]) -> None:
    """The bot asks when the live sale should be; everybody's vote reaches it. An agent polls too."""
    at = clock.at(date(2025, 11, 25), "12:00:00")
    votes = [0, 0, 0, 0]

    def poll(closed: bool = False) -> dict[str, object]:
        options = [
            {"persistent_id": str(number), "text": text, "voter_count": count}
            for number, (text, count) in enumerate(zip(OPTIONS, votes, strict=True))
        ]
        return {
            "id": POLL_ID, "question": "Qual o melhor horário para a live da Black Friday?", "options": options,
            "total_voter_count": sum(votes), "is_closed": closed, "is_anonymous": False,
            "type": "regular", "allows_multiple_answers": False, "allows_revoting": True,
            "members_only": False,
        }  # fmt: skip

    story.say(Act(at, BOT, content={"poll": poll()}))
    for who in rng.sample([p for p in members if p not in (CAMILA, DIEGO)], 22):
        at += rng.randrange(20, 2400)
        choice = rng.choices(range(4), (2, 3, 6, 2))[0]
        votes[choice] += 1
        answer = {"poll_id": POLL_ID, "user": who.user(), "option_ids": [choice]}
        story.happen(at, "poll_answer", answer | {"option_persistent_ids": [str(choice)]})
        story.happen(at, "poll", poll())
    story.happen(clock.at(date(2025, 11, 26), "12:00:00"), "poll", poll(closed=True))
    ours = poll() | {"id": "5417702340099145730", "question": "Gostaram da embalagem nova?", "is_anonymous": True}
    story.say(Act(clock.at(date(2025, 11, 18), "11:03:09"), CAMILA, content={"poll": ours}))
