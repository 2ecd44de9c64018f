"""What reaches the webhook, and when: updates in order, repeats, latecomers, and broken bodies."""

import json
import random
from collections.abc import Callable
from datetime import date
from typing import Any

from aurora import clock, media, telegram
from aurora.life import Month
from aurora.people import OWNER, Person
from aurora.story import Act

FIRST_UPDATE_ID = 781_204_531
Line = dict[str, Any]


def number(acts: list[Act], rng: random.Random) -> None:
    """Give every message its chat and its id; a basic group counts on, a supergroup starts at 1."""
    acts.sort(key=lambda act: (act.at, "migrate_from_chat_id" in act.content))
    last = {telegram.GROUP_ID: 20_416, telegram.SUPERGROUP_ID: 0}
    for act in acts:
        moved = act.at > clock.MIGRATION or "migrate_from_chat_id" in act.content
        act.chat_id = telegram.SUPERGROUP_ID if moved else telegram.GROUP_ID
        # A basic group's numbers are the bot's own, over all its chats; gaps are other messages.
        step = rng.choice((1, 1, 1, 2)) if not moved else 1 + (rng.random() < 0.006)
        last[act.chat_id] += step if last[act.chat_id] else 1
        act.message_id = last[act.chat_id]


def deliver(month: Month) -> list[Line]:
    """Every line of the file, in order of delivery.

    A line is `{"at", "body"}` (an update), `{"at", "sent"}` (a message of the bot's) or
    `{"at", "raw"}` (bytes that are no update).
    """
    rng = month.stream("delivery")
    happened: list[tuple[int, int, Callable[[], Line]]] = []
    sent: list[Line] = []
    for act in month.story.acts:
        if telegram.is_from_the_bot(act):
            sent.append({"at": act.at, "sent": telegram.message(act, act.at)})
            continue
        happened.append((act.at, 0, lambda act=act: {"message": telegram.message(act, act.at)}))
        for at, _ in act.edits:
            edited = lambda act=act, at=at: {"edited_message": telegram.message(act, at)}  # noqa: E731
            happened.append((at, 1, edited))
    for event in month.story.happenings:
        if (line := _happening(event.kind, event.fields, event.about, event.at)) and event.at <= clock.END:
            happened.append((event.at, 2, lambda line=line: line))
    happened += [(at, 3, lambda body=body: body) for at, body in _others(month)]
    happened.sort(key=lambda item: item[:2])
    lines = [
        {"at": at, "body": {"update_id": FIRST_UPDATE_ID + n} | make()}
        for n, (at, _, make) in enumerate(happened)
    ]
    lines = _mishaps(lines, rng) + sent + _broken(lines)
    order = {"sent": 0, "body": 1, "raw": 2}
    return sorted(lines, key=lambda line: (line["at"], *[order[k] for k in line if k in order]))


def _happening(kind: str, fields: dict[str, Any], about: Act | None, at: int) -> Line | None:
    if kind in ("poll", "poll_answer"):
        return {kind: fields}
    where = telegram.chat(at)
    if about is None:
        return {kind: {"chat": where} | fields}
    if about.chat_id != where["id"] or not about.message_id:
        return None
    if kind == "callback_query":
        query = {"id": str(4_382_000_000_000_000_000 + at * 977 + about.message_id)}
        message = {"message": telegram.message(about, at), "chat_instance": "-3141592653589793238"}
        return {kind: query | {"from": fields["from"]} | message | {"data": fields["data"]}}
    return {kind: {"chat": where, "message_id": about.message_id} | fields}


def _others(month: Month) -> list[tuple[int, Line]]:
    """Updates of other chats, and of kinds that this file's readers have never seen."""
    rng, found = month.stream("others"), []
    strangers = rng.sample(month.members, 9)
    for person in strangers:  # people who write to the bot in private
        at = clock.START + rng.randrange(20 * 86_400)
        chat = {"id": person.id, "first_name": person.first, "type": "private"}
        text = rng.choice(("/start", "/start", "oi", "consegue ver meu pedido?"))
        found.append((at, {"message": _plain(rng.randrange(50, 900), person, chat, at, text)}))
    resale = {"id": -1009998887776, "title": "Revendas SP (outro grupo)", "type": "supergroup"}
    for day, text in ((17, "alguém tem nota do lote 3?"), (27, "esse bot é da Aurora?"), (29, "/start@loja_aurora_bot")):
        at = clock.at(date(2025, 11, day), "15:10:00") + rng.randrange(3000)
        found.append((at, {"message": _plain(4000 + day, strangers[0], resale, at, text)}))
    at = clock.at(date(2025, 12, 2), "11:47:31")
    found.append((at, {"chat_mood_changed": {"chat": telegram.chat(at), "date": at, "old_mood": "calm", "new_mood": "stressed"}}))
    return found


def _plain(message_id: int, who: Person, chat: Line, at: int, text: str) -> Line:
    made = {"message_id": message_id, "from": who.user(), "chat": chat, "date": at, "text": text}
    marks = telegram.entities(text)
    return made | ({"entities": marks} if marks else {})


def _mishaps(lines: list[Line], rng: random.Random) -> list[Line]:
    """Repeats (one of them after midnight), and one update that arrives a day late."""
    texts = [line for line in lines if "text" in line["body"].get("message", {}) and _ours(line)]
    midnight = clock.at(date(2025, 11, 29), "00:00:00")
    last = max((line for line in texts if line["at"] < midnight), key=lambda line: line["at"])
    again = [{"at": midnight + 41, "body": last["body"]}]
    last["at"] = max(last["at"], midnight - 25)
    for line in rng.sample(texts, 4):
        again.append({"at": line["at"] + rng.choice((2, 6, 14, 62)), "body": line["body"]})
    afternoon = clock.at(date(2025, 11, 18), "15:30:00")
    late = next(line for line in texts if line["at"] > afternoon and "reply_to_message" not in line["body"]["message"])
    late["at"] += 79_200
    return lines + again


def _ours(line: Line) -> bool:
    return line["body"]["message"]["chat"]["id"] in (telegram.GROUP_ID, telegram.SUPERGROUP_ID)


def _broken(lines: list[Line]) -> list[Line]:
    """Bodies that somebody else than Telegram could post, none of them an update."""
    whole = json.dumps(lines[40]["body"], ensure_ascii=False)
    chat = telegram.chat(clock.END)
    bodies = [
        ("2025-11-11", "not json at all"), ("2025-11-14", whole[: len(whole) // 2]), ("2025-11-15", ""),
        ("2025-11-19", f"[{whole}]"), ("2025-11-21", '"update"'),
        ("2025-11-24", json.dumps({"update_id": "many", "message": {"date": "ontem", "chat": "aqui"}})),
        ("2025-11-28", json.dumps({"message": {"message_id": 1, "date": clock.END, "chat": chat, "text": "sem update_id"}})),
        ("2025-12-02", '{"update_id": 781299999, "message": {"text": "\udcff\udcfe\udc80"}}'),
        ("2025-12-06", "null"),
    ]  # fmt: skip
    return [{"at": clock.at(date.fromisoformat(day), "13:13:13"), "raw": raw} for day, raw in bodies]


def rarities(month: Month) -> None:
    """Messages that come once or twice in a month: forwards, quotes, contacts, what is yet to come."""
    rng, story = month.stream("rarities"), month.story
    acts = sorted(story.acts, key=lambda act: act.at)
    mine = [a for a in acts if a.who.role == "customer" and a.text and not a.service and not a.content]
    origins = [
        {"type": "hidden_user", "sender_user_name": "Entregas RapidoLog"},
        {"type": "user", "sender_user": OWNER.user()},
        {"type": "hidden_user", "sender_user_name": "Mãe"},
        {"type": "chat", "sender_chat": {"id": -1003000000001, "title": "Avisos do Condomínio", "type": "supergroup"}},
        {"type": "channel", "chat": telegram.CHANNEL, "message_id": 388},
    ]
    for number, act in enumerate(rng.sample(mine, 14)):
        origin = origins[number % len(origins)] | {"date": act.at - rng.randrange(600, 90_000)}
        act.content["forward_origin"] = origin
        act.content["forward_date"] = origin["date"]
    for act in rng.sample([a for a in mine if a.reply_to and len(a.reply_to.text) > 30 and a.reply_to.at > clock.MIGRATION], 9):
        quoted = (act.reply_to.text if act.reply_to else "")[:24]
        act.content["quote"] = {"text": quoted, "position": 0, "is_manual": True}
    for act in rng.sample([a for a in acts if a.who.role == "agent" and a.conversation], 70):
        customer = act.conversation.customer if act.conversation else None
        if customer and not customer.username and customer.first in act.text:
            act.content["mention"] = customer
    quiet = [a.at for a in acts]
    extra: list[tuple[Any, dict[str, Any]]] = [
        (a.who, content) for a, content in zip(rng.sample(mine, 6), (
            {"contact": media.contact(rng)}, {"video_note": media.video_note(rng)}, {"video_note": media.video_note(rng)},
            {"dice": {"emoji": "🎯", "value": 4}}, {"document": media.document(rng, "laudo.pdf")},
            {"hologram": {"width": 512, "height": 512, "depth": 512}},
        ), strict=True)
    ]  # fmt: skip
    for number, (who, content) in enumerate(extra):
        story.say(Act(quiet[(number + 2) * 350] + 3, who, content=content))
    for act in [a for a in acts if a.content.pop("pin", None)]:
        story.say(Act(act.at + 25, OWNER, content={"pinned_message": act}, service=True))


def next_day_edit(month: Month) -> None:
    """One customer edits a message on the following day."""
    evening = clock.at(date(2025, 11, 26), "19:00:00")
    act = next(
        a for a in sorted(month.story.acts, key=lambda a: a.at)
        if a.at > evening and a.who.role == "customer" and a.text and not a.edits and not a.service
    )  # fmt: skip
    act.edits.append((clock.at(date(2025, 11, 27), "09:12:44"), act.text + " (já resolvi, obg)"))
