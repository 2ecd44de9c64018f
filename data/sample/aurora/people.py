"""The people of the group: customers, agents, and the bot. All of them invented."""

import random
import tomllib
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


def phrases(name: str) -> dict[str, Any]:
    """Read one of the phrase books beside this file."""
    path = Path(__file__).with_name("phrases") / f"{name}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Style:
    """How somebody types: each number is the chance of that habit at each opportunity."""

    short: float = 0.0
    no_accents: bool = False
    typos: float = 0.0
    lower: bool = False
    no_stop: float = 0.3
    emoji: float = 0.05
    shout: float = 0.0
    no_mark: float = 0.35
    emojis: str = "😡 😤 😩 😢 🤦‍♀️ 🙏 🙏🏽 😭 🤔 😕 ❤️ 😅 👀 🤷‍♂️ 🥺"


@dataclass(frozen=True)
class Person:
    """A Telegram user. `letter` is the ending of adjectives about them: a or o."""

    id: int
    first: str
    last: str = ""
    username: str = ""
    language: str = "pt-br"
    letter: str = "a"
    role: str = "customer"
    style: Style = Style()
    extra: dict[str, Any] = field(default_factory=dict, hash=False, compare=False)

    @property
    def is_bot(self) -> bool:
        return self.role == "bot"

    def user(self) -> dict[str, Any]:
        """The person as the Bot API's `User`."""
        user: dict[str, Any] = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first}
        if self.last:
            user["last_name"] = self.last
        if self.username:
            user["username"] = self.username
        if self.language and not self.is_bot:
            user["language_code"] = self.language
        return user | self.extra


def _agent(number: int, first: str, last: str, letter: str) -> Person:
    return Person(
        number, first, last, f"{plain(first)}_aurora_loja", letter=letter, role="agent",
        style=Style(
            short=0.02, typos=0.001, no_stop=0.45, emoji=0.08, no_mark=0.0, emojis="😊 🙂 💜 ✅ 🙏"
        ),
    )  # fmt: skip


def plain(word: str) -> str:
    """Lower-case letters without accents.

    >>> plain("Cecília")
    'cecilia'
    """
    folded = unicodedata.normalize("NFKD", word)
    return "".join(c for c in folded if not unicodedata.combining(c)).lower()


BOT = Person(7000000001, "Aurora", username="loja_aurora_bot", role="bot")
GIF_BOT = Person(7000000099, "Figurinhas", username="figurinhas_exemplo_bot", role="bot")
OWNER = _agent(5120009001, "Rafael", "Teles", "o")
CAMILA = _agent(5120009002, "Camila", "Prado", "a")
DIEGO = _agent(5120009003, "Diego", "Nunes", "o")
FERNANDA = _agent(5120009004, "Fernanda", "Lobo", "a")
# Telegram's own stand-ins for an anonymous admin and for the linked channel's posts.
ANONYMOUS = Person(1087968824, "Group", username="GroupAnonymousBot", language="", role="bot")
TELEGRAM = Person(777000, "Telegram", language="", role="service")


def _style(rng: random.Random) -> Style:
    kind = rng.random()
    if kind < 0.34:  # careful
        return Style(short=0.04, typos=0.004, no_stop=0.35, emoji=0.04)
    if kind < 0.78:  # chatty
        return Style(0.45, rng.random() < 0.4, 0.012, rng.random() < 0.7, 0.85, 0.13, 0.01)
    return Style(0.75, rng.random() < 0.85, 0.035, rng.random() < 0.85, 0.95, 0.1, 0.05)


def customers(rng: random.Random, number: int) -> list[Person]:
    """Invent customers, about one in fifteen of them English-speaking."""
    people: list[Person] = []
    taken = {BOT.id, GIF_BOT.id, OWNER.id, CAMILA.id, DIEGO.id, FERNANDA.id}
    names = phrases("names")
    women, men, surnames = (names[kind].split() for kind in ("women", "men", "surnames"))
    foreign = list(names["foreign"])
    while len(people) < number:
        identity = rng.randrange(100_000_000, 7_900_000_000)
        if identity in taken:
            continue
        taken.add(identity)
        if foreign and len(people) % 15 == 7:
            first, last, letter = foreign.pop(0)
            language, style = "en", Style(typos=0.006, lower=rng.random() < 0.3, no_stop=0.6)
        else:
            letter = "a" if rng.random() < 0.58 else "o"
            first = rng.choice(women if letter == "a" else men)
            last = rng.choice(surnames) if rng.random() < 0.82 else ""
            language, style = "pt-br", _style(rng)
        username = ""
        if rng.random() < 0.45:
            username = f"{plain(first)}{plain(last)[:3]}_{rng.randrange(1000, 9999)}"
        if rng.random() < 0.06:
            last = last and last[0] + "."
        extra = {"is_premium": True} if rng.random() < 0.05 else {}
        if rng.random() < 0.08:
            language = "en" if language == "en" else "pt"
        people.append(
            Person(identity, first, last, username, language, letter, "customer", style, extra)
        )
    return people
