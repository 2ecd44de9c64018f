"""Is a message a question? With its mark or without, straight or behind a greeting. No I/O.

The patterns are read on `normalise`d text. They are knowledge of the two languages, not of any
shop, which is why they are in `chats.toml` and not in `topics.toml`.
"""

import re
from functools import cache

from tgpipeline.analytics.topics.text import language_data, normalise

_TO_ALL = "com (?:voces?|todos)|por ai|pessoal|gente|galera|today|ne|hoje|mais"
# Put after a statement: most ask nothing, "né?" may.
_TAG = re.compile(r"[\s,]*\b(?:viu|esta|ok|hein|beleza|entendeu|sabe|ta bom|combinado|ne)\s*$")
_CONFIRM = re.compile(r"\b(?:ainda|ja|posso|pode|tem|da tempo|chega|hoje|amanha|nao)\b.*\bne\s*$")


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    """Those of `chats.toml`, as they are looked for: at the beginning, or at a word's."""
    words = {name: rf"(?:{pattern})\b" for name, pattern in language_data()["asking"].items()}
    words["before"] = rf"^(?:[\s,.!]|{words['before']})+"
    words["polite"] = rf"^{words['polite']}(?:\s*,?\s*(?:{_TO_ALL}))*[\s,.]*$"
    for anywhere in ("rhetorical", "anywhere"):
        words[anywhere] = rf"\b{words[anywhere]}"
    return {name: re.compile(pattern) for name, pattern in words.items()}


def is_question(text: str) -> bool:
    """Tells whether a message asks something that an answer could settle.

    Small talk ("tudo bem?"), tags ("viu?"), an agent's "posso ajudar?" and rhetorical questions
    ask nothing; neither does a complaint or a wish ("quero cancelar").

    >>> is_question("bom dia gente, alguem sabe qnd chega"), is_question("Boa tarde, tudo bem?")
    (True, False)
    """
    return asks(normalise(text))


def asks(text: str) -> bool:
    """Does what `is_question` does for a text that is `normalise`d already."""
    return any(_asks(sentence.strip()) for sentence in re.findall(r"[^.!?]+[.!?]?", text))


def _asks(sentence: str) -> bool:
    patterns = _patterns()
    before = patterns["before"]
    body = before.sub("", sentence.rstrip(".!? ")).strip(" ,")
    if not any(map(str.isalpha, body)) or patterns["polite"].match(body):
        return False
    is_marked = sentence.endswith("?") and (not _TAG.search(body) or _CONFIRM.search(body))
    clauses = (before.sub("", clause) for clause in body.split(","))
    is_put = patterns["anywhere"].search(body) or any(map(patterns["opening"].match, clauses))
    return bool((is_marked or is_put) and not patterns["rhetorical"].search(body))
