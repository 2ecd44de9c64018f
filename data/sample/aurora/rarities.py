"""Messages that come a few times in a month: forwards, quotes, contacts, what is yet to come."""

from typing import Any

from aurora import clock, media, telegram
from aurora.life import Month
from aurora.people import OWNER
from aurora.story import Act

CONDOMINIUM = {"id": -1003000000001, "title": "Avisos do Condomínio", "type": "supergroup"}
ORIGINS: list[dict[str, Any]] = [
    {"type": "hidden_user", "sender_user_name": "Entregas RapidoLog"},
    {"type": "user", "sender_user": OWNER.user()},
    {"type": "hidden_user", "sender_user_name": "Mãe"},
    {"type": "chat", "sender_chat": CONDOMINIUM},
    {"type": "channel", "chat": telegram.CHANNEL, "message_id": 388},
]


def sprinkle(month: Month) -> None:
    """Turn some messages into rarer ones, and add a few."""
    rng, story = month.stream("rarities"), month.story
    acts = sorted(story.acts, key=lambda act: act.at)
    plain = [a for a in acts if a.who.role == "customer" and a.text and not a.content]
    for number, act in enumerate(rng.sample([a for a in plain if len(a.text) > 20], 14)):
        date = act.at - rng.randrange(600, 90_000)
        origin = ORIGINS[number % len(ORIGINS)] | {"date": date}
        act.content |= {"forward_origin": origin, "forward_date": date}
    for act in rng.sample([a for a in plain if quotable(a)], 9):
        quoted = act.reply_to.text[:24].rstrip() if act.reply_to else ""
        act.content["quote"] = {"text": quoted, "position": 0, "is_manual": True}
    for act in acts:  # customers without a username are mentioned by their name
        who = act.conversation.customer if act.conversation else None
        if act.who.role == "agent" and who and not who.username and rng.random() < 0.12:
            act.content["mention"] = who
    extra: list[dict[str, Any]] = [
        {"contact": media.contact(rng)}, {"video_note": media.video_note(rng)},
        {"dice": {"emoji": "🎯", "value": 4}}, {"document": media.document(rng, "laudo.pdf")},
        {"hologram": {"width": 512, "height": 512, "depth": 512}},  # of a Bot API yet to come
        {"video_note": media.video_note(rng)},
    ]  # fmt: skip
    for content, near in zip(extra, rng.sample(plain[300:], len(extra)), strict=True):
        story.say(Act(near.at + 4, near.who, content=content))


def quotable(act: Act) -> bool:
    """Whether it answers something long enough to quote from, in the same chat."""
    asked = act.reply_to
    return bool(asked and len(asked.text) > 30 and asked.at > clock.MIGRATION and not asked.edits)
