"""How a group shows who answers, and whether an answer was any good: signs that need no label."""

import re
from collections.abc import Collection

import pandas as pd

# Reactions, the data of buttons, and words (normalised: see text.normalise).
HAPPY = frozenset("👍 ❤ 🔥 🎉 🙏 👏 😁 🥰 🤩 💯 😍 🏆 ⚡ 🤝 😇 🤗 🫡 🆒 💘 😘 👌 🕊 💋 🍾".split())
UNHAPPY = frozenset("👎 😡 🤬 😢 💩 🤮 😱 😭 💔 🖕 🤡 🥴 🤨 😐 😤".split())
YES = frozenset("yes sim ok solved resolvido good like up".split())
NO = frozenset("no nao not bad dislike down human atendente".split())
THANKS = re.compile(
    r"\b(?:obrigad|agradec|valeu|gratidao|thank|cheers|perfeit|perfect|resolvid|resolveu|solved|amei|"
    r"deu certo|funcionou|consegui\b|worked|works now|maravilh|otimo|excelent|awesome|great|show\b)"
)
UPSET = re.compile(
    r"\b(?:nao (?:resolv|funcion|adiant|ajud|e isso|e essa)|so que nao|desist|absurd|pessim|"
    r"horrive|descaso|procon|vergonha|reclame|palhacada|ninguem (?:respond|me)|nunca mais|lixo|"
    r"decepcion|ja (?:li|fiz|tentei)|not? (?:help|work)|useless|terrible|ridiculous|giv\w+ up|"
    r"worst|nobody|no one)"
)


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
