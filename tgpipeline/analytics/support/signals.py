"""What an answer was worth, told by what people say. The rules are in `signals.toml`.

They can be read and edited. What no list can hold is told by how often it is said: the same text to
many different questions answers none.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cache, lru_cache
from itertools import chain, islice
from typing import Any

from tgpipeline import resources
from tgpipeline.analytics.topics.text import fold, normalise

JUDGED = ("pt", "en", "es")
_OTHERS = "fr de it ca nl ro id ms tr pl cs hu fi sv da".split()  # to be told from those
LANGUAGE_TEXTS = 500  # texts that tell a group's language
LANGUAGE_WORDS = 20  # from so many words on, a language that is judged ...
FUNCTION_WORDS = 0.2  # ... shows by so many function words; what people write has twice as many
SHORT_REPLY = 12  # words of a reply in which a denied word of the question is what went wrong
SHORT_REST = 3  # words beside a promise that say nothing
SAID_TO = 5  # so many different questions with the same answer, and nothing in common: no answer
_WORD = re.compile(r"<[a-z]+>|[^\W_]+")
_NAME = re.compile(r"[^\s,:;.!?()@]+")
_EMOJI = re.compile(r"[^\w\s!-/:-@\[-`{-~\u00a1-\u02af\u0300-\u036f]+")  # they end a sentence
# The rules of a reply, and what each says of the answer.
_SIGNS = {"worked": "good", "later": "later", "thanks": "thanks", "acknowledged": "ok"}


@cache
def rule(section: str, name: str) -> Any:
    """A rule of `signals.toml`: a pattern, or a set of words or emoji."""
    said = resources.data("analytics/support/signals.toml")[section][name]
    if isinstance(said, str):
        return frozenset(said.split())
    return re.compile(rf"(?<!\w)(?:{'|'.join(said)})(?!\w)")


def says(section: str, name: str, text: str) -> bool:
    """Whether a text holds a rule's words."""
    return bool(rule(section, name).search(normalise(text)))


@lru_cache(100_000)
def name_words(text: str) -> tuple[str, ...]:
    """The words of a text, folded, as names are spelled."""
    return tuple(_NAME.findall(fold(text)))


@lru_cache(50_000)
def verdict(text: str, asked: tuple[str, ...] = (), answer: str = "") -> str:
    """What a customer's reply says of an answer.

    Args:
        text: of the reply.
        asked: the question, and what else they wrote before the answer.
        answer: what the reply follows.

    Returns:
        `good`, `bad`, `later` (they will see), `thanks` (without saying that it helped), or
        nothing where it cannot be told.

    >>> [verdict(t) for t in ("deu certo, valeu", "valeu por nada", "vou ver")]
    ['good', 'bad', 'later']
    """
    signs, said = set(text), rule("reply", "no_blame").sub(" ", normalise(text))
    words = _WORD.findall(said)
    if rule("emoji", "scorn") & signs:
        return "bad"
    is_good = "good" if rule("emoji", "good") & signs else ""
    if all(word[0] == "<" or word.isdigit() for word in words):
        return is_good or ("bad" if rule("emoji", "bad") & signs else "")
    echoes = _stems(said) & set(chain.from_iterable(_stems(normalise(part)) for part in asked))
    if echoes and len(words) <= SHORT_REPLY and rule("reply", "no_longer").search(said):
        return "good"
    negations = rule("reply", "negations")
    if "no" in words and language(" ".join([text, *asked, answer])) != "pt":
        negations |= {"no"}  # in Portuguese, "no site" is on the site
    parts = [_signs(part, negations) for part in rule("reply", "but").split(said)]
    found, kind = frozenset().union(*parts), {"good", "thanks"}
    if "bad" in found or (found & kind and not parts[-1] & kind):
        return "bad"
    for sign in ("good", "later", "thanks"):
        if sign in found:
            return sign
    if echoes and len(words) <= 2 and "?" not in said:
        return "good"  # "how do I cancel?" … "cancelled."
    return "later" if "ok" in found else is_good


@lru_cache(50_000)  # a reply is read by itself, and again with its question
def _signs(part: str, negations: frozenset[str]) -> frozenset[str]:
    """The signs in the clauses of a part of a reply."""
    found = set()
    for clause in re.split(r"[.,!?]", part):
        if rule("reply", "failed").search(clause) or not negations.isdisjoint(clause.split()):
            found.add("bad")
            continue
        signs = {sign for name, sign in _SIGNS.items() if rule("reply", name).search(clause)}
        is_wish = "good" in signs and rule("reply", "wish").search(clause)
        found |= signs - {"good"} if is_wish else signs
    return frozenset(found)


@lru_cache(50_000)
def _stems(said: str) -> frozenset[str]:
    return frozenset(word[:4] for word in _WORD.findall(said) if len(word) > 3 and word[0] != "<")


def answers(message: Any) -> bool:
    """Whether a message of `conversations.read_messages` answers anything; a voice message may."""
    if not message.text:
        return bool(message.kind != "sticker")
    return not message.to_all and is_answer(message.text)


@lru_cache(50_000)
def is_answer(text: str) -> bool:
    """Whether a text answers anything: no fallback, and more than promises and courtesies."""
    said = normalise(_EMOJI.sub(". ", text)).replace("<url>", "<url>.")
    if not said or rule("answer", "fallback").search(said):
        return False
    sentences = [s.strip() for s in re.findall(r"[^.!?]+[.!?]?", said)]
    kinds = [rule("answer", kind) for kind in ("promise", "closing", "greeting", "asks_back")]
    told = [s for s in sentences if s[-1] != "?" and not any(kind.search(s) for kind in kinds)]
    short = len(sentences) == len(told)  # a short answer is one, a short rest is none
    return any(short or len(s.split()) > SHORT_REST for s in told)


def is_opening(text: str) -> bool:
    """Whether a text greets or is a command: with it something else begins."""
    return bool(rule("answer", "greeting").match(normalise(text))) or text.startswith("/")


@lru_cache(50_000)
def tells_trouble(text: str) -> bool:
    """Whether a statement says that something is wrong, or speaks of one's own matter."""
    if is_remark(text) or any(says("remark", rule, text) for rule in ("me_too", "advice")):
        return False
    if says("reply", "failed", text) or says("remark", "trouble", text):
        return True
    denies = not rule("reply", "negations").isdisjoint(_WORD.findall(normalise(text)))
    return (denies or says("remark", "own", text)) and verdict(text) not in ("good", "thanks")


@lru_cache(50_000)
def is_remark(text: str) -> bool:
    """Whether what sounds like a question is talk among members, who want no help.

    >>> [is_remark(text) for text in ("quem vai no jogo hoje?", "como troco a senha?")]
    [True, False]
    """
    if rule("emoji", "laughs") & set(text) or rule("remark", "laughs").search(fold(text)):
        return True
    said = normalise(text)
    return bool(rule("remark", "social").search(said) or rule("remark", "reacts").match(said))


@cache
def _languages() -> dict[str, list[str]]:
    """The languages in which a word is a function word."""
    from stop_words import get_stop_words

    found: dict[str, list[str]] = {}
    for code in (*JUDGED, *_OTHERS):
        for word in set(normalise(" ".join(get_stop_words(code))).split()):
            found.setdefault(word, []).append(code)
    return found


@lru_cache(50_000)  # what a reply follows is read with each reply
def _function_words(text: str) -> tuple[Counter[str], int]:
    """How many function words of each language a text has, and how many words."""
    words = _WORD.findall(normalise(text))
    return Counter(chain.from_iterable(_languages().get(word, ()) for word in words)), len(words)


def language(text: str) -> str:
    """The language of a text, by its most frequent words: its code; nothing if it is unknown.

    >>> language("onde fica a loja de vocês?"), language("где мой заказ?")
    ('pt', '')
    """
    counts, _ = _function_words(text)
    return max((*JUDGED, *_OTHERS), key=lambda code: counts[code]) if counts else ""


def is_judged(texts: Iterable[str]) -> bool:
    """Whether a group's texts are in a language that the rules are written for.

    >>> is_judged(["pedido 4711"]), is_judged(["pesanan saya belum sampai"])
    (True, False)
    """
    said = "\n".join(islice(texts, LANGUAGE_TEXTS))
    letters = [letter for letter in said if letter.isalpha()]
    latin = sum(letter < "\u0250" for letter in letters)
    counts, words = _function_words(said)
    known = max(counts[code] for code in JUDGED)
    is_unknown = words >= LANGUAGE_WORDS and known < FUNCTION_WORDS * words
    return 2 * latin >= len(letters) and known == max([0, *counts.values()]) and not is_unknown


def said_to_all(said: Iterable[tuple[str, str]]) -> set[str]:
    """Which answers were given to so different questions that they answer none of them.

    Args:
        said: different pairs of an answer and a question that it was given to, in one spelling.
    """
    asked, found = defaultdict(list), set()
    for answer, question in said:
        asked[answer].append(_stems(question))
    for answer, questions in asked.items():
        most = max(Counter(chain.from_iterable(questions)).values(), default=0)
        if len(questions) >= SAID_TO and 3 * most < len(questions):
            found.add(answer)
    return found
