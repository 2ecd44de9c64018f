"""What an answer was worth, told by what people say. The rules are in `signals.toml`.

They can be read and edited. What no list can hold is told by how often it is said: the same text to
many different questions answers none.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from functools import cache, lru_cache
from itertools import chain, islice
from typing import Any

from tgpipeline import resources
from tgpipeline.analytics.topics.text import fold, normalise

JUDGED = ("pt", "en", "es")
_OTHERS = (  # to be told from those
    "fr", "de", "it", "ca", "nl", "ro", "id", "ms", "tr", "pl", "cs", "hu", "fi", "sv", "da"
)  # fmt: skip
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
def rules() -> dict[str, dict[str, Any]]:
    """What `signals.toml` says: in each section patterns, or sets of words or emoji, by name."""
    data = resources.data("analytics/support/signals.toml")
    return {
        section: {
            name: frozenset(rule.split())
            if isinstance(rule, str)
            else re.compile(rf"(?<!\w)(?:{'|'.join(rule)})(?!\w)")
            for name, rule in named.items()
        }
        for section, named in data.items()
    }


def says(section: str, rule: str, text: str) -> bool:
    """Whether a text holds a rule's words."""
    return bool(rules()[section][rule].search(normalise(text)))


@lru_cache(100_000)
def name_words(text: str) -> tuple[str, ...]:
    """The words of a text, folded, as names are spelled."""
    return tuple(_NAME.findall(fold(text)))


@lru_cache(50_000)
def verdict(
    text: str, asked: tuple[str, ...] = (), answer: str = "", *, is_told: bool = False
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

    >>> [verdict(t) for t in ("deu certo, valeu", "valeu por nada", "vou ver")]
    ['good', 'bad', 'later']
    """
    emoji, reply, signs = rules()["emoji"], rules()["reply"], set(text)
    said = reply["no_blame"].sub(" ", normalise(text))
    words = _WORD.findall(said)
    if emoji["scorn"] & signs:
        return "bad"
    is_good = "good" if emoji["good"] & signs else ""
    if all(word[0] == "<" or word.isdigit() for word in words):
        return is_good or ("bad" if emoji["bad"] & signs else "")
    echoes = _stems(said) & set(chain.from_iterable(_stems(normalise(part)) for part in asked))
    if echoes and len(words) <= SHORT_REPLY and reply["no_longer"].search(said):
        return "good"
    negations = reply["negations"]
    if "no" in words and language(" ".join([text, *asked, answer])) != "pt":
        negations |= {"no"}  # in Portuguese, "no site" is on the site
    parts = [_signs(part, negations, is_told) for part in reply["but"].split(said)]
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
def _signs(part: str, negations: frozenset[str], is_told: bool) -> frozenset[str]:
    """The signs in the clauses of a part of a reply."""
    reply, found = rules()["reply"], set()
    for clause in re.split(r"[.,!?]", part):
        denies = not negations.isdisjoint(clause.split())
        if reply["failed"].search(clause) or (denies and not is_told):
            found.add("bad")
        elif not denies:
            signs = {sign for rule, sign in _SIGNS.items() if reply[rule].search(clause)}
            is_wish = "good" in signs and reply["wish"].search(clause)
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
    answer = rules()["answer"]
    if not said or answer["fallback"].search(said):
        return False
    sentences = [s.strip() for s in re.findall(r"[^.!?]+[.!?]?", said)]
    kinds = ("promise", "closing", "greeting", "asks_back")
    told = [s for s in sentences if s[-1] != "?" and not any(answer[k].search(s) for k in kinds)]
    short = len(sentences) == len(told)  # a short answer is one, a short rest is none
    return any(short or len(s.split()) > SHORT_REST for s in told)


def asks_back(text: str) -> bool:
    """Whether who answers wants to know something first."""
    return text.rstrip().endswith("?") or says("answer", "asks_back", text)


def is_opening(text: str) -> bool:
    """Whether a text greets or is a command: with it something else begins."""
    return bool(rules()["answer"]["greeting"].match(normalise(text))) or text.startswith("/")


@lru_cache(50_000)
def tells_trouble(text: str) -> bool:
    """Whether a statement says that something is wrong, or speaks of one's own matter."""
    if is_remark(text) or any(says("remark", rule, text) for rule in ("me_too", "advice")):
        return False
    if says("reply", "failed", text) or says("remark", "trouble", text):
        return True
    denies = not rules()["reply"]["negations"].isdisjoint(_WORD.findall(normalise(text)))
    return (denies or says("remark", "own", text)) and verdict(text) not in ("good", "thanks")


@lru_cache(50_000)
def is_remark(text: str) -> bool:
    """Whether what sounds like a question is talk among members, who want no help.

    >>> [is_remark(text) for text in ("quem vai no jogo hoje?", "como troco a senha?")]
    [True, False]
    """
    remark, said = rules()["remark"], normalise(text)
    if rules()["emoji"]["laughs"] & set(text) or remark["laughs"].search(fold(text)):
        return True
    return bool(remark["social"].search(said) or remark["reacts"].match(said))


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


def said_to_all(said: Mapping[str, Collection[str]]) -> set[str]:
    """Which answers were given to so different questions that they answer none of them.

    Args:
        said: for each answer, the questions that it was given to, in one spelling.
    """
    found = set()
    for answer, questions in said.items():
        shared = Counter(stem for question in questions for stem in _stems(question))
        most = max(shared.values(), default=0)
        if len(questions) >= SAID_TO and 3 * most < len(questions):
            found.add(answer)
    return found
