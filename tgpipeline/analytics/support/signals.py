"""How a group shows who answers, and what an answer was worth: signs that need no label.

What people say is told by the rules in `signals.toml`, which can be read and edited. What no list
can hold is told by how often it is said: the same text to many different questions answers none.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from tgpipeline.analytics.topics.text import fold, normalise
from tgpipeline.errors import SettingsError

JUDGED = ("pt", "en", "es")
_OTHERS = ("fr", "de", "it", "ca", "nl", "ro", "id", "tr", "pl", "sv")  # to be told from those
SHORT = 12  # words of a reply in which a denied word of the question is what went wrong
ENOUGH = 500  # texts that tell a language
REST = 3  # words beside a promise that say nothing
SAID_TO = 5  # so many different questions with the same answer, and nothing in common: no answer
_WORD = re.compile(r"<[a-z]+>|[^\W_]+")
_SIGN = re.compile(r"[^\w\s!-/:-@\[-`{-~\u00a1-\u02af\u0300-\u036f]+")  # emoji end a sentence
_NEGATIONS = frozenset(
    "nao nem nunca jamais not never nope ni sin sem tampoco hardly nothing".split()
)


@dataclass(frozen=True)
class Signals:
    """The rules of a signals file. Made by `load`.

    Attributes:
        rules: for each section, its patterns by name; emoji and button words as sets.
    """

    rules: Mapping[str, Mapping[str, Any]]

    def read(
        self, text: str, asked: Iterable[str] = (), answer: str = "", *, is_told: bool = False
    ) -> str:
        """What a customer's reply says of an answer.

        Args:
            text: of the reply.
            asked: the question, and what else they wrote before the answer.
            answer: what the reply follows.
            is_told: whether the answer asked something of the customer, so that the reply is
                information and no verdict.

        Returns:
            `good`, `bad`, `later` (they will see), `thanks` (without saying that it helped), or
            nothing where it cannot be told.

        >>> rules = load()
        >>> [rules.read(t) for t in ("deu certo, valeu", "valeu por nada", "vou ver")]
        ['good', 'bad', 'later']
        """
        emoji, r = self.rules["emoji"], self.rules["reply"]
        said = r["no_blame"].sub(" ", normalise(text))
        words = _WORD.findall(said)
        if emoji["scorn"] & set(text):
            return "bad"
        if all(word[0] == "<" or word.isdigit() for word in words):
            good = emoji["good"] & set(text)
            return "good" if good else "bad" if emoji["bad"] & set(text) else ""
        echoes = _stems(said) & set().union(*(_stems(normalise(part)) for part in asked))
        if echoes and len(words) <= SHORT and r["no_longer"].search(said):
            return "good"
        negations = _NEGATIONS
        if not {"mas", "no"}.isdisjoint(words):
            speech = language([text, *asked, answer])
            if speech == "es":
                said = re.sub(r"\bmas\b", "", said)  # "more", which is "but" in Portuguese
            if speech != "pt":  # where "no site" is on the site
                negations = _NEGATIONS | {"no"}
        parts = [self._signs(part, negations, is_told) for part in r["but"].split(said)]
        found, kind = set().union(*parts), {"good", "thanks"}
        if "bad" in found or (found & kind and not parts[-1] & kind):
            return "bad"
        for sign in ("good", "later", "thanks"):
            if sign in found:
                return sign
        if echoes and len(words) <= 2 and "?" not in said:
            return "good"  # "how do I cancel?" … "cancelled."
        if "ok" in found:
            return "later"
        return "good" if emoji["good"] & set(text) else ""

    def _signs(self, part: str, negations: frozenset[str], is_told: bool) -> set[str]:
        """The signs in the clauses of a part of a reply."""
        r, found = self.rules["reply"], set()
        for clause in re.split(r"[.,!?]", part):
            denies = not negations.isdisjoint(clause.split()) and not r["not_said"].search(clause)
            if r["failed"].search(clause) or (denies and not is_told):
                found.add("bad")
            elif not denies:
                rules = {
                    "worked": "good",
                    "later": "later",
                    "thanks": "thanks",
                    "acknowledged": "ok",
                }
                if r["wish"].search(clause):
                    del rules["worked"]
                found |= {sign for rule, sign in rules.items() if r[rule].search(clause)}
        return found

    def is_answer(self, text: str) -> bool:
        """Whether a text answers anything: no fallback, and more than promises and courtesies."""
        said = normalise(_SIGN.sub(". ", text)).replace("<url>", "<url>.")
        rules = self.rules["answer"]
        if not said or rules["fallback"].search(said):
            return False
        sentences = [s.strip() for s in re.findall(r"[^.!?]+[.!?]?", said)]
        kinds = ("promise", "closing", "greeting", "asks_back")
        told = [s for s in sentences if s[-1] != "?" and not any(rules[k].search(s) for k in kinds)]
        short = len(sentences) == len(told)  # a short answer is one, a short rest is none
        return any(short or len(s.split()) > REST for s in told)

    def promises(self, text: str) -> bool:
        """Whether who answers says that they, or somebody, will answer."""
        return bool(self.rules["answer"]["promise"].search(normalise(text)))

    def asks_back(self, text: str) -> bool:
        """Whether who answers wants to know something first."""
        return bool(self.rules["answer"]["asks_back"].search(normalise(text))) or (
            text.rstrip().endswith("?") and not self.asks_whether_it_helped(text)
        )

    def asks_whether_it_helped(self, text: str) -> bool:
        """Whether a text asks if the answer before it was any good."""
        return "?" in text and bool(self.rules["answer"]["helped"].search(normalise(text)))

    def tells_trouble(self, text: str) -> bool:
        """Whether a statement says that something is wrong, or speaks of one's own matter."""
        said, words = normalise(text), set(_WORD.findall(normalise(text)))
        own = self.rules["remark"]["own"].search(said) or not _NEGATIONS.isdisjoint(words)
        wrong = self.rules["reply"]["failed"].search(said) or self.rules["remark"][
            "trouble"
        ].search(said)
        return bool(wrong or (own and self.read(text) not in ("good", "thanks")))

    def is_remark(self, text: str) -> bool:
        """Whether what sounds like a question is talk among members, who want no help.

        >>> load().is_remark("quem vai no jogo hoje?"), load().is_remark("como troco a senha?")
        (True, False)
        """
        said, rules = normalise(text), self.rules["remark"]
        laughs = self.rules["emoji"]["laughs"] & set(text) or rules["laughs"].search(fold(text))
        return bool(laughs or rules["social"].search(said) or rules["reacts"].match(said))


def load(path: str | Path | None = None) -> Signals:
    """Reads the rules; without a path, those that the package brings along.

    Raises:
        SettingsError: the file cannot be read, or a rule in it is no regular expression.
    """
    packaged = files(__package__).joinpath("signals.toml").read_text("utf-8")
    try:
        data = tomllib.loads(packaged if path is None else Path(path).read_text("utf-8"))
        return Signals({section: _compiled(rules) for section, rules in data.items()})
    except (OSError, ValueError, re.error) as error:
        raise SettingsError(f"{path} cannot be read as signals: {error}") from error


def _compiled(rules: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: frozenset(rule.split())
        if isinstance(rule, str)
        else re.compile(rf"(?<!\w)(?:{'|'.join(rule)})(?!\w)")
        for name, rule in rules.items()
    }


def _stems(said: str) -> set[str]:
    return {word[:4] for word in _WORD.findall(said) if len(word) > 3 and word[0] != "<"}


@cache
def _function_words() -> dict[str, frozenset[str]]:
    from stop_words import get_stop_words

    listed = {code: get_stop_words(code) for code in (*JUDGED, *_OTHERS)}
    return {code: frozenset(normalise(" ".join(found)).split()) for code, found in listed.items()}


def language(texts: Iterable[str]) -> str:
    """The language of texts, by their most frequent words: its code; nothing if it is unknown.

    >>> language(["onde fica a loja de vocês?"]), language(["где мой заказ?"])
    ('pt', '')
    """
    counts = [sum(found) for found in zip(*map(_counts, texts), strict=True)]
    return [*_function_words()][counts.index(max(counts))] if any(counts) else ""


@lru_cache(50_000)
def _counts(text: str) -> tuple[int, ...]:
    words = _WORD.findall(normalise(text))
    return tuple(sum(word in known for word in words) for known in _function_words().values())


def is_judged(texts: Iterable[str]) -> bool:
    """Whether a group's texts are in a language that the rules are written for."""
    said = list(islice(texts, ENOUGH))
    letters = [letter for letter in "".join(said) if letter.isalpha()]
    latin = sum(letter < "\u0250" for letter in letters)
    return 2 * latin >= len(letters) and language(said) in ("", *JUDGED)


def repeated(said: Mapping[str, Collection[str]]) -> set[str]:
    """Which answers were given to so different questions that they answer none of them.

    Args:
        said: for each answer, the questions that it was given to, in one spelling.
    """
    words = {answer: [_stems(q) for q in set(asked)] for answer, asked in said.items()}
    count = Counter(stem for found in words.values() for stems in found for stem in stems)
    often = sum(map(len, words.values())) / 5
    found = set()
    for answer, questions in words.items():
        shared = Counter(s for stems in questions for s in stems if count[s] <= max(often, 2))
        most = max(shared.values(), default=0)
        if len(questions) >= SAID_TO and 3 * most < len(questions):
            found.add(answer)
    return found


def find_agents(
    messages: pd.DataFrame, events: pd.DataFrame, given: Collection[int] = ()
) -> set[int]:
    """Who answers for the group: those given; else administrators and habitual answerers.

    Administrators are those whose promotion the lake has seen, and who write as the group itself.
    Habitual answerers replied to at least 5 different people and to at least 2 % of all people.

    Args:
        messages: answer of `conversation_messages`.
        events: answer of `conversation_events`.
        given: user ids; if there are any, nobody else is an agent.
    """
    if given:
        return set(given)
    admins = events.loc[events["event_type"] == "chat_member", "target_user_id"].dropna()
    as_chat = messages.loc[messages["as_chat"] & (messages["user_id"] == messages["chat_id"])]
    people = messages[~messages["is_bot"]].dropna(subset=["user_id"])
    authors = messages.set_index(["chat_id", "message_id"])["user_id"]
    authors = authors[~authors.index.duplicated()]
    replies = people.dropna(subset=["reply_to_message_id"])
    targets = pd.MultiIndex.from_arrays([replies["chat_id"], replies["reply_to_message_id"]])
    answered = replies[["user_id"]].assign(whom=authors.reindex(targets).to_numpy())
    known = answered["whom"].isin(people["user_id"].unique())
    answered = answered[known & (answered["whom"] != answered["user_id"])]
    reach = answered.groupby("user_id")["whom"].nunique()
    habitual = reach[reach >= max(5, 0.02 * people["user_id"].nunique())].index
    return {int(i) for i in (*admins, *as_chat["user_id"].unique(), *habitual)}
