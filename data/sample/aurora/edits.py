"""What people correct after sending it."""

from datetime import date

from aurora import clock
from aurora.life import Month
from aurora.people import BOT
from aurora.story import Act

TOUCHES = {
    "customer": (" (editado)", "\n\nEdit: já resolvi", " ...desculpa o erro", " obs: é urgente"),
    "agent": (" ✅", " 🙂", "\nQualquer dúvida me chama"),
}


def edit(month: Month, share: float) -> None:
    """Customers and agents correct themselves, until this share of all messages was edited."""
    rng = month.stream("edits")
    acts = [act for act in month.story.acts if not act.service]
    able = [act for act in acts if act.who is not BOT and len(act.text) > 8 and act.text[0] != "/"]
    for act in rng.sample(able, round(share * len(acts))):
        final = correction(month, act)
        last_second = clock.at(clock.local(act.at).date(), "23:59:50")
        moment = min(act.at + month.desk.think(14, 1.0) + 2, max(last_second, act.at + 2))
        if (act.at < clock.MIGRATION) != (moment < clock.MIGRATION):
            continue
        act.edits.append((moment, final))
        if rng.random() < 0.05:
            act.edits.append((moment + rng.randrange(5, 60), final + " 🙏"))


def correction(month: Month, act: Act) -> str:
    """Spoils what was first sent, or adds to it; returns the text after the edit."""
    final, chance = act.text, month.stream(f"edit/{act.at}/{act.who.id}").random()
    touches = (
        TOUCHES.get(act.who.role, TOUCHES["agent"]) if len(final) > 40 else (" 🙏", "...", " !")
    )
    if act.conversation and act.conversation.language == "en":
        touches = (" (edited)", " 🙏")
    if chance < 0.74:
        act.text = month.writer.slip(final)
    elif chance < 0.87 and "http" not in final and final.count(" ") > 3:
        words = final.split(" ")
        act.text = " ".join(words[: len(words) - month.writer.rng.randrange(1, 3)])
    return final if act.text != final else final + month.writer.rng.choice(touches)


def next_day(month: Month) -> None:
    """One customer edits a message on the following day."""
    evening = clock.at(date(2025, 11, 26), "19:00:00")
    acts = sorted(month.story.acts, key=lambda act: act.at)
    act = next(
        a for a in acts
        if a.at > evening and a.who.role == "customer" and a.who.language.startswith("pt")
        and len(a.text) > 30 and not a.edits and not a.service
    )  # fmt: skip
    act.edits.append((clock.at(date(2025, 11, 27), "09:12:44"), act.text + " (já resolvi, obg)"))
