"""What reaches the webhook, and when: updates in order, repeats, latecomers, broken bodies."""

import json
import random
from datetime import date
from typing import Any

from aurora import clock, telegram
from aurora.life import Month
from aurora.people import BOT, Person
from aurora.story import Act, Happening

FIRST_UPDATE_ID = 781_204_531
GROUPS = (telegram.GROUP_ID, telegram.SUPERGROUP_ID)
Line = dict[str, Any]


def number(acts: list[Act], rng: random.Random) -> None:
    """Give every message its chat and its id; a basic group counts on, a supergroup starts at 1."""
    acts.sort(key=lambda act: (act.at, "migrate_from_chat_id" in act.content))
    last = {telegram.GROUP_ID: 20_416, telegram.SUPERGROUP_ID: 0}
    for act in acts:
        moved = act.at > clock.MIGRATION or "migrate_from_chat_id" in act.content
        act.chat_id = telegram.SUPERGROUP_ID if moved else telegram.GROUP_ID
        # A basic group's numbers are the bot's own, over all its chats; gaps are other messages.
        step = 1 + (rng.random() < 0.006) if moved else rng.choice((1, 1, 1, 2))
        last[act.chat_id] += step if last[act.chat_id] else 1
        act.message_id = last[act.chat_id]


def deliver(month: Month) -> list[Line]:
    """Every line of the file, in order of delivery.

    A line is `{"at", "body"}` (an update), `{"at", "sent"}` (a message of the bot's) or
    `{"at", "raw"}` (bytes that are no update).
    """
    happened: list[tuple[int, int, Line]] = [(at, 3, body) for at, body in _others(month)]
    sent: list[Line] = []
    for act in month.story.acts:
        if act.who is BOT:  # a bot gets no update for what it says itself
            sent.append({"at": act.at, "sent": telegram.message(act, act.at)})
            continue
        happened.append((act.at, 0, {"message": telegram.message(act, act.at)}))
        for at, _ in act.edits:
            happened.append((at, 1, {"edited_message": telegram.message(act, at)}))
    for event in month.story.happenings:
        if event.at <= clock.END and (body := _happening(event)):
            happened.append((event.at, 2, body))
    happened.sort(key=lambda item: item[:2])
    lines = [
        {"at": at, "body": {"update_id": FIRST_UPDATE_ID + n} | body}
        for n, (at, _, body) in enumerate(happened)
    ]
    broken = _broken(lines[40]["body"])
    lines = _mishaps(lines, month.stream("delivery")) + sent + broken
    return sorted(lines, key=lambda line: (line["at"], "sent" not in line, "raw" in line))


def _happening(event: Happening) -> Line | None:
    """The update of an event; None where its message was left behind in the old chat."""
    kind, about, where = event.kind, event.about, telegram.chat(event.at)
    if kind in ("poll", "poll_answer"):
        return {kind: event.fields}
    if about is None:
        return {kind: {"chat": where} | event.fields}
    if about.chat_id != where["id"]:
        return None
    if kind == "callback_query":
        query = {"id": str(4_382_000_000_000_000_000 + event.at * 977 + about.message_id)}
        query |= {"from": event.fields["from"], "message": telegram.message(about, event.at)}
        return {kind: query | {"chat_instance": "-3141592653589793238", **event.fields}}
    return {kind: {"chat": where, "message_id": about.message_id} | event.fields}


def _others(month: Month) -> list[tuple[int, Line]]:
    """Updates of other chats, and one of a kind that no reader of this file has seen."""
    rng = month.stream("others")
    found: list[tuple[int, Line]] = []
    strangers = rng.sample(month.members, 9)
    for who in strangers:  # people who write to the bot in private
        at = clock.START + rng.randrange(20 * 86_400)
        chat = {"id": who.id, "first_name": who.first, "type": "private"}
        text = rng.choice(("/start", "/start", "oi", "consegue ver meu pedido?"))
        found.append((at, _plain(rng.randrange(50, 900), who, chat, at, text)))
    resale = {"id": -1009998887776, "title": "Revendas SP (outro grupo)", "type": "supergroup"}
    texts = ("alguém tem nota do lote 3?", "esse bot é da Aurora?", "/start@loja_aurora_bot")
    for day, text in zip((17, 27, 29), texts, strict=True):
        at = clock.at(date(2025, 11, day), "15:10:00") + rng.randrange(3000)
        found.append((at, _plain(4000 + day, strangers[0], resale, at, text)))
    at = clock.at(date(2025, 12, 2), "11:47:31")
    mood = {"chat": telegram.chat(at), "date": at, "old_mood": "calm", "new_mood": "stressed"}
    return [*found, (at, {"chat_mood_changed": mood})]


def _plain(message_id: int, who: Person, chat: Line, at: int, text: str) -> Line:
    made = {"message_id": message_id, "from": who.user(), "chat": chat, "date": at, "text": text}
    marks = telegram.entities(text)
    return {"message": made | ({"entities": marks} if marks else {})}


def _mishaps(lines: list[Line], rng: random.Random) -> list[Line]:
    """Repeats (one of them after midnight), and one update that arrives a day late."""
    texts = [line for line in lines if "text" in line["body"].get("message", {}) and _ours(line)]
    midnight = clock.at(date(2025, 11, 29), "00:00:00")
    last = max((line for line in texts if line["at"] < midnight), key=lambda line: line["at"])
    last["at"] = max(last["at"], midnight - 25)
    again = [{"at": midnight + 41, "body": last["body"]}]
    for line in rng.sample(texts, 4):
        again.append({"at": line["at"] + rng.choice((2, 6, 14, 62)), "body": line["body"]})
    afternoon = clock.at(date(2025, 11, 18), "15:30:00")
    late = next(line for line in texts if line["at"] > afternoon and _stands_alone(line))
    late["at"] += 79_200
    return lines + again


def _ours(line: Line) -> bool:
    return line["body"]["message"]["chat"]["id"] in GROUPS


def _stands_alone(line: Line) -> bool:
    return "reply_to_message" not in line["body"]["message"]


def _broken(update: Line) -> list[Line]:
    """Bodies that somebody else than Telegram could post, none of them an update."""
    whole = json.dumps(update, ensure_ascii=False)
    message = {"message_id": 1, "date": clock.END, "chat": telegram.chat(clock.END), "text": "oi"}
    bodies = {
        "2025-11-11": "not json at all",
        "2025-11-14": whole[: len(whole) // 2],
        "2025-11-15": "",
        "2025-11-19": f"[{whole}]",
        "2025-11-21": '"update"',
        "2025-11-24": '{"update_id": "many", "message": {"date": "ontem", "chat": "aqui"}}',
        "2025-11-28": json.dumps({"message": message}),
        "2025-12-02": '{"update_id": 781299999, "message": {"text": "\udcff\udcfe\udc80"}}',
        "2025-12-06": "null",
    }
    return [
        {"at": clock.at(date.fromisoformat(day), "13:13:13"), "raw": raw}
        for day, raw in bodies.items()
    ]
