"""What happens around the conversations: joins, polls, announcements, the migration."""

import random
from datetime import date
from typing import Any

from aurora import clock, media, telegram
from aurora.language import Writer
from aurora.people import ANONYMOUS, BOT, CAMILA, FERNANDA, OWNER, TELEGRAM, Person, phrases
from aurora.story import Act, Story

POLL_ID = "5417702340099145729"
QUESTION = "Qual o melhor horário para a live da Black Friday?"
OPTIONS = ("Manhã", "Hora do almoço", "Noite (19h)", "Fim de semana")
AUTHORS = {"owner": OWNER, "anonymous": ANONYMOUS, "channel": TELEGRAM}


def service(story: Story, at: int, who: Person, **content: Any) -> Act:
    """A message that Telegram writes, not a person."""
    return story.say(Act(at, who, content=content, service=True))


def change(story: Story, at: int, by: Person, whom: Person, old: str, new: str) -> None:
    """Somebody's membership changes."""
    kind = "my_chat_member" if whom is BOT else "chat_member"
    before, after = telegram.member(whom, old), telegram.member(whom, new)
    fields = {"from": by.user(), "date": at, "old_chat_member": before, "new_chat_member": after}
    story.happen(at, kind, fields)


def enter(story: Story, at: int, by: Person, whom: Person) -> Act:
    """Somebody comes in, alone or brought by another."""
    change(story, at, by, whom, "left", "member")
    user = whom.user()
    fields = {"new_chat_participant": user, "new_chat_member": user, "new_chat_members": [user]}
    return service(story, at, by, **fields)


def join(story: Story, rng: random.Random, who: Person, at: int, writer: Writer) -> None:
    """Somebody comes in by the invite link, and the bot welcomes most of them."""
    act = enter(story, at, who, who)
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
    """What the shop tells everybody, and the reactions to it; the rules get pinned."""
    for day, time, author, text in phrases("life")["announcements"]:
        at = clock.at(date.fromisoformat(day), time)
        content: dict[str, Any] = {"bold": "\n" in text}
        if author == "channel":
            content |= forwarded(at, 300 + at // 86_400 % 100) | {"photo": media.photo(rng)}
        act = story.say(Act(at, AUTHORS[author], text, content=content))
        for who in rng.sample(members, rng.randrange(3, 9)):
            emoji = rng.choice("👍🔥❤🎉🙏😢")
            story.react(at + round(rng.expovariate(1 / 1500)) + 3, who, act, emoji)
        if text.startswith("📌"):
            service(story, at + 25, OWNER, pinned_message=act)


def forwarded(at: int, number: int) -> dict[str, Any]:
    """The fields of a post that came by itself from the linked channel."""
    channel = telegram.CHANNEL
    origin = {"type": "channel", "date": at, "chat": channel, "message_id": number}
    return {
        "sender_chat": channel, "forward_origin": origin, "is_automatic_forward": True,
        "forward_from_chat": channel, "forward_from_message_id": number, "forward_date": at,
    }  # fmt: skip


def housekeeping(
    story: Story, rng: random.Random, members: list[Person], strangers: list[Person]
) -> None:
    """The bot's own membership, the migration, the titles, an agent who is new, who goes."""
    start, moved = clock.START + 30_000, clock.MIGRATION
    enter(story, start, OWNER, BOT)
    change(story, start + 60, OWNER, BOT, "member", "administrator")
    service(story, moved, OWNER, migrate_to_chat_id=telegram.SUPERGROUP_ID)
    service(story, moved, ANONYMOUS, migrate_from_chat_id=telegram.GROUP_ID)
    change(story, moved + 1, OWNER, BOT, "member", "administrator")
    for at, title in telegram.TITLES[1:]:
        service(story, at, OWNER, new_chat_title=title)
    hired = clock.at(date(2025, 11, 24), "09:26:12")
    enter(story, hired, OWNER, FERNANDA)
    change(story, hired + 40, OWNER, FERNANDA, "member", "administrator")
    picture = clock.at(clock.BLACK_FRIDAY, "00:00:21")
    service(story, picture, OWNER, new_chat_photo=media.photo(rng))
    for day in clock.days():
        if rng.random() < (0.75 if day > clock.BLACK_FRIDAY else 0.4):
            who = members.pop(rng.randrange(len(members)))
            said = [act.at for act in story.acts if act.who is who]
            last = max(said, default=clock.at(day, "10:00:00"))
            leave(story, who, max(last + rng.randrange(2000, 90_000), clock.at(day, "00:00:00")))
        if strangers and rng.random() < 0.5:
            at = clock.at(day, f"{rng.randrange(9, 22)}:00:00") + rng.randrange(3600)
            join(story, rng, strangers.pop(0), at, Writer(rng))


def poll(votes: list[int], *, closed: bool = False) -> dict[str, Any]:
    """The bot's poll as a `Poll`, with these votes."""
    options = [
        {"persistent_id": str(number), "text": text, "voter_count": count}
        for number, (text, count) in enumerate(zip(OPTIONS, votes, strict=True))
    ]
    return {
        "id": POLL_ID, "question": QUESTION, "options": options, "total_voter_count": sum(votes),
        "is_closed": closed, "is_anonymous": False, "type": "regular", "members_only": False,
        "allows_multiple_answers": False, "allows_revoting": True,
    }  # fmt: skip


def vote(story: Story, rng: random.Random, members: list[Person]) -> None:
    """The bot asks when the live sale should be; every vote reaches it. An agent polls too."""
    at, votes = clock.at(date(2025, 11, 25), "12:00:00"), [0, 0, 0, 0]
    story.say(Act(at, BOT, content={"poll": poll(votes)}))
    for who in rng.sample(members, 22):
        at += rng.randrange(20, 2400)
        choice = rng.choices(range(4), (2, 3, 6, 2))[0]
        votes[choice] += 1
        answer = {"poll_id": POLL_ID, "user": who.user(), "option_ids": [choice]}
        story.happen(at, "poll_answer", answer | {"option_persistent_ids": [str(choice)]})
        story.happen(at, "poll", poll(votes))
    story.happen(clock.at(date(2025, 11, 26), "12:00:00"), "poll", poll(votes, closed=True))
    other = {"id": f"{POLL_ID[:-1]}8", "question": "Gostaram da embalagem nova?"}
    at = clock.at(date(2025, 11, 18), "11:03:09")
    ours = poll([0, 0, 0, 0]) | other | {"is_anonymous": True}
    story.say(Act(at, CAMILA, content={"poll": ours}))
