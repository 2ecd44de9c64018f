"""The rule that tells conversations apart, case by case, and what is made of them."""

import re
from functools import cache
from typing import Any

import pandas as pd
import pytest

from tgpipeline.analytics import athena, topics
from tgpipeline.analytics.support import (
    conversations,
    discover,
    grouping,
    metrics,
    outcomes,
    problems,
    signals,
    statistics,
)

START = 1764331200  # Friday 2025-11-28 09:00 in São Paulo
GROUP, BOT, AGENT, ANA, BIA = -1004123456789, 7000, 100, 1, 2
ASKS = "como troco o produto?"
NAMES = {BOT: "Aurora", AGENT: "Camila", ANA: "Ana", BIA: "Bia"}
_MESSAGES = (
    "group_id bigint, chat_id bigint, message_id bigint, message_thread_id bigint, date bigint, "
    "local_time timestamp, user_id bigint, is_bot boolean, as_chat boolean, source varchar, "
    "first_name varchar, username varchar, reply_to_message_id bigint, content_type varchar, "
    "bot_command varchar, text varchar"
)
_EVENTS = (
    "event_type varchar, group_id bigint, chat_id bigint, message_id bigint, from_id bigint, "
    "target_user_id bigint, date bigint, local_time timestamp, old_value varchar, new_value varchar"
)


def described(columns: str) -> list[tuple[str, ...]]:
    return [tuple(column.split()) for column in columns.split(", ")]


def talk(*said: tuple[Any, ...], thread: int | None = None) -> pd.DataFrame:
    """Messages (minutes after the start, who, text, reply to) numbered from 1."""
    rows = []
    for number, (minutes, who, text, *reply) in enumerate(said, 1):
        date = START + int(minutes * 60)
        local = pd.Timestamp(date - 3 * 3600, unit="s").to_pydatetime()
        rows.append(
            (GROUP, GROUP, number, thread, date, local, who, who == BOT, False, "webhook",
             NAMES.get(who, str(who)), None, reply[0] if reply else None, "text", None, text)
        )  # fmt: skip
    frame = athena.to_frame(described(_MESSAGES), rows)
    frame.attrs["parameters"] = {"start": "2025-11-28", "end": "2025-11-28"}
    return frame


def happened(*events: tuple[Any, ...]) -> pd.DataFrame:
    """Events (kind, message, who, new value)."""
    rows = [
        (kind, GROUP, GROUP, message, who, who, None if kind == "callback_query" else START + 9e4,
         None, None, new)
        for kind, message, who, new in events
    ]  # fmt: skip
    return athena.to_frame(described(_EVENTS), rows)


@cache
def known() -> topics.Topics:
    return topics.load()


def build(messages: pd.DataFrame, *events: tuple[Any, ...]) -> pd.DataFrame:
    return conversations.find_conversations(messages, happened(*events), known(), [AGENT])


def settled(*said: tuple[Any, ...]) -> pd.DataFrame:
    """The same, and the group is written in again when every horizon has passed."""
    return talk(*said, (30 * 1440, 99, "bom dia"))


def test_replies_come_before_nearness() -> None:
    found = build(
        talk(
            (0, ANA, "cadê meu pedido 4711?"),
            (1, BIA, "o cupom não funciona, como uso?"),
            (2, AGENT, "Vou verificar", 1),
            (3, AGENT, "Tente de novo", 2),
            (4, ANA, "obrigada!"),
            (5, BIA, "deu certo, valeu"),
        )
    )
    assert found["rows"].tolist() == [[0, 2, 4], [1, 3, 5]]
    assert found["person_after"].tolist() == [120, 120]
    assert found["outcome"].tolist() == ["open", "open"], "the lake ends here"


def test_an_agent_is_taken_at_the_name_they_say() -> None:
    found = build(
        talk(
            (0, ANA, "cadê meu pedido 4711?"),
            (1, BIA, "quanto custa o frete para Recife?"),
            (5, AGENT, "Ana, seu pedido saiu ontem"),
            (6, AGENT, "o rastreio vai por e-mail"),
            (7, AGENT, "Bia, são R$ 20"),
        )
    )
    assert found["rows"].tolist() == [[0, 2, 3], [1, 4]]


def test_silence_ends_a_conversation_and_waiting_does_not() -> None:
    hours = 60
    found = build(
        talk(
            (0, ANA, "cadê meu pedido 4711?"),
            (14 * hours, ANA, "alguém? cadê meu pedido?"),
            (14 * hours + 1, AGENT, "Chega hoje", 2),
            (21 * hours, ANA, "como troco o produto?"),
        )
    )
    assert found["rows"].tolist() == [[0, 1, 2]], "the last begins on another day"
    found.attrs["parameters"] = {}
    later = build(talk((0, ANA, "cadê meu pedido?"), (1, BOT, "a caminho", 1), (400, ANA, ASKS)))
    assert later["rows"].tolist() == [[0, 1], [2]]


def test_topics_of_a_forum_do_not_mix() -> None:
    one, other = talk((0, ANA, "cadê meu pedido?")), talk((1, AGENT, "chega hoje"), thread=5)
    other["message_id"] = 2
    both = pd.concat([one, other], ignore_index=True)
    both.attrs = one.attrs
    assert build(both)["person_after"].isna().all()


def test_another_customer_who_asks_opens_their_own() -> None:
    found = build(
        talk(
            (0, ANA, "cadê meu pedido 4711?"),
            (1, BIA, "o meu também, cadê meu pedido?", 1),
            (2, BIA, "sei lá", 1),
        )
    )
    assert found["customer"].tolist() == [ANA, BIA]


def test_another_customers_statement_belongs_to_what_it_replies_to() -> None:
    found = build(
        talk(
            (0, ANA, "cadê meu pedido 4711?"),
            (1, BIA, "o meu também está atrasado, já passou do prazo", 1),
            (2, BIA, "quero falar com um atendente", 1),
            (3, AGENT, "bom dia!"),
        )
    )
    assert [rows[:2] for rows in found["rows"]] == [[0, 1], [2, 3]]
    assert found["members"].tolist() == [1, 0]


def test_chatter_is_no_conversation() -> None:
    assert build(talk((0, ANA, "bom dia!"), (1, BIA, "kkkk"))).empty


@pytest.mark.parametrize(
    ("said", "events", "outcome", "handed"),
    [
        ([(2, ANA, "obrigado, resolveu!")], [], "confirmed", False),
        ([(2, ANA, "ok obrigado, vou aguardar")], [], "assumed", False),
        ([(2, ANA, "isso não resolve nada")], [], "not_solved", False),
        ([(2, ANA, "ótimo, mais um robô")], [], "not_solved", False),
        ([(2, ANA, "obrigado"), (60 * 70, ANA, "ainda não chegou")], [], "not_solved", False),
        ([(2, ANA, "obrigado"), (60 * 90, ANA, "ainda não chegou")], [], "confirmed", False),
        ([(2, ANA, "quero falar com um atendente")], [], "not_solved", True),
        ([(2, ANA, "quero falar com um atendente"), (3, BOT, "saiu para entrega", 3)], [],
         "not_solved", True),
        ([(3, AGENT, "foi entregue ontem", 1)], [], "assumed", True),
        ([(2, ANA, "não chegou"), (3, AGENT, "vou verificar e te aviso", 1)], [],
         "not_solved", True),
        ([], [("callback_query", 2, ANA, "solved:1:yes")], "confirmed", False),
        ([], [("callback_query", 2, ANA, "solved:1:no")], "not_solved", False),
        ([], [("message_reaction", 2, ANA, "❤")], "confirmed", False),
        ([], [("message_reaction", 2, ANA, "👎")], "not_solved", False),
        ([], [("message_reaction", 2, BIA, "👎")], "assumed", False),
        ([], [], "assumed", False),
    ],
)  # fmt: skip
def test_how_it_ends(said: list, events: list, outcome: str, handed: bool) -> None:
    messages = settled((0, ANA, "cadê meu pedido 4711?"), (1, BOT, "está a caminho", 1), *said)
    row = next(build(messages, *events).itertuples())
    assert (row.outcome, row.handed, row.bot_after) == (outcome, handed, 60)


@pytest.mark.parametrize(
    "text",
    ["Não entendi 😕 Escolha uma opção: 1 rastreio, 2 troca", "Já chamei um atendente, aguarde",
     "Sorry, I did not understand", "No te entendí, probá con AYUDA", "Bom dia!",
     "Qual é o número do pedido?"],
)  # fmt: skip
def test_what_answers_nothing_leaves_a_question_unanswered(text: str) -> None:
    found = build(settled((0, ANA, "cadê meu pedido 4711?"), (1, BOT, text, 1)))
    assert found["outcome"].tolist() == ["unanswered"]
    assert found["bot_after"].tolist() == [60]
    assert found["answer_after"].isna().all()


def test_the_same_text_to_many_different_questions_answers_none_in_any_language() -> None:
    about = ["тариф", "пароль", "доставка", "возврат", "магазин", "гарантия"]
    said: list[tuple[Any, ...]] = []
    for n, word in enumerate(about):
        said += [(9 * n, 10 + n, f"{word}?"), (9 * n + 1, BOT, "Жми кнопку ниже", 2 * n + 1)]
    repeated = read(talk(*said))
    assert [m.to_all for m in repeated] == [False, True] * 6
    few = read(talk(*said[: 2 * (signals.SAID_TO - 1)]))
    assert not any(m.to_all for m in few), "that few may be chance"


def read(messages: pd.DataFrame) -> list[Any]:
    return conversations.read_messages(messages, happened(), known(), [AGENT])


def test_who_asked_for_a_person_at_once_still_waits_for_one_after_the_bot_spoke() -> None:
    said = [(0, ANA, "quero falar com um atendente"), (1, BOT, "seu pedido saiu ontem", 1)]
    assert build(settled(*said, (9, AGENT, "oi")))["outcome"].tolist() == ["unanswered"]
    answered = build(settled(*said, (9, AGENT, "seu pedido chega hoje", 1)))
    assert answered["outcome"].tolist() == ["assumed"]


def test_a_horizon_must_pass_before_anything_is_settled() -> None:
    said = [(0, ANA, "cadê meu pedido 4711?"), (1, BOT, "está a caminho", 1)]
    for hours in (24, 72, 168):
        early, late = (talk(*said, (1 + hours * 60 + m, 99, "bom dia")) for m in (-1, 0))
        for messages, outcome in ((early, "open"), (late, "assumed")):
            found = conversations.find_conversations(
                messages, happened(), known(), [AGENT], horizon=hours
            )
            assert found["outcome"].tolist() == [outcome]


def test_a_past_period_is_the_same_whenever_it_is_asked() -> None:
    said = [(0, ANA, "cadê meu pedido 4711?"), (1, BOT, "está a caminho", 1),
            (1500, ANA, "bom dia, cadê meu pedido 4711?"),
            (1501, BOT, "chega amanhã", 3)]  # fmt: skip
    one = build(settled(*said))
    whole = settled(*said)
    whole.attrs["parameters"] = {"start": "2025-11-28", "end": "2025-12-10"}
    both = build(whole)
    assert one["outcome"].tolist() == both["outcome"].tolist()[:1] == ["not_solved"]


def test_a_second_matter_is_a_second_question_and_leaves_the_first_as_it_was() -> None:
    found = build(
        settled(
            (0, ANA, "cadê meu pedido 4711?"),
            (1, BOT, "saiu para entrega", 1),
            (2, ANA, "obrigada, resolvido"),
            (4, ANA, "e como peço a nota fiscal?"),
        )
    )
    assert found["outcome"].tolist() == ["confirmed", "unanswered"]


def test_a_members_question_back_does_not_make_them_the_customer() -> None:
    found = build(
        settled(
            (0, ANA, "o app não abre, alguém sabe por quê?"),
            (1, BIA, "você já atualizou?", 1),
            (2, ANA, "atualizei"),
            (3, AGENT, "reinicia o celular", 1),
        )
    )
    assert found["customer"].tolist() == [ANA]
    assert found["rows"].tolist() == [[0, 1, 2, 3]]


def test_one_message_may_answer_two_by_their_names() -> None:
    found = build(
        settled(
            (0, ANA, "quando volta a travessa azul?"),
            (40, BIA, "quanto custa o frete para Recife?"),
            (90, AGENT, "Ana: dia 18. Bia: 20 reais"),
        )
    )
    assert found["answer_after"].tolist() == [90 * 60, 50 * 60]


def test_a_language_without_rules_is_not_judged() -> None:
    messages = settled((0, ANA, "где мой заказ сегодня вечером?"), (1, BOT, "уже в пути", 1))
    messages["text"] = messages["text"].replace("bom dia", "доброе утро")
    found = build(messages)
    assert found["outcome"].tolist() == ["not_judged"]
    assert found["bot_after"].tolist() == [60]
    table = metrics.outcomes(found, coverage(messages=3, by_bots=1, reactions=1))
    assert table["note"].str.contains("not judged").all()
    assert not table.set_index("measure").loc["confirmed", "denominator"]


def test_each_group_is_judged_by_its_own_language() -> None:
    ours = settled((0, ANA, "cadê meu pedido 4711?"), (1, BOT, "já está a caminho", 1))
    said = ("refund saya kapan cair kak?", "sudah dikirim ya, mohon ditunggu", "kapan sampai?")
    theirs = settled((0, 11, said[0]), (1, BOT, said[1], 1), (9, 12, said[2]))
    theirs["text"] = theirs["text"].replace("bom dia", "selamat pagi")
    theirs[["group_id", "chat_id"]] = -77
    both = pd.concat([ours, theirs], ignore_index=True)
    both.attrs = ours.attrs
    found = build(both)
    assert found["outcome"].tolist() == ["assumed", "not_judged", "not_judged"]
    assert found["problem"].fillna("").tolist() == ["order_status", "", ""], "no label by chance"
    assert found["bot_after"].fillna(0).tolist() == [60, 60, 0], "who wrote when is known"
    assert problems.frequent(found, both, known())["of"].tolist() == [1]
    table = metrics.outcomes(found, coverage(messages=7, by_bots=2, reactions=1))
    assert table.set_index("measure").loc["open", "denominator"] == 1
    assert table["note"].str.contains("not judged").all()
    assert problems.unanswered(found)["reason"].tolist() == ["no reply"]


def test_shares_of_few_are_not_told_and_one_persons_count_less() -> None:
    said: list[tuple[Any, ...]] = []
    for n in range(30):
        text = "deu certo, valeu!" if n < 15 else "não funcionou, deu erro"
        asker = 40 + n // 5  # everybody asks five times
        said += [(5000 * n, asker, ASKS), (5000 * n + 1, BOT, "Peça no site", 3 * n + 1)]
        said += [(5000 * n + 2, asker, text)]
    messages = talk(*said, (160_000, 99, "bom dia"))
    messages.attrs["parameters"] = {"start": "2025-11-28", "end": "2026-12-31"}
    found = build(messages)
    known_of = coverage(messages=90, by_bots=30, reactions=1)
    table = metrics.outcomes(found, known_of).set_index("measure")
    assert table.loc["confirmed", ["numerator", "denominator"]].tolist() == [15, 30]
    alone = statistics.Rate(15, 30).interval
    low, high = table.loc["confirmed", ["low", "high"]]
    assert low < alone[0] - 0.1 < alone[1] + 0.1 < high
    few = metrics.outcomes(found.head(29), known_of).set_index("measure")
    assert few.loc["confirmed", "denominator"] == 29
    assert few[["share", "low", "high"]].isna().all(axis=None)
    assert few.loc["confirmed", "note"].startswith("too few")
    assert metrics.solved_by_bot(few.reset_index()).startswith("too few")


@pytest.mark.parametrize(
    ("seconds", "near"),
    [(grouping.BOT_NEAR, BOT), (grouping.AGENT_NEAR, AGENT)],
)
def test_what_is_near_belongs_and_a_second_later_it_does_not(seconds: int, near: int) -> None:
    assert (grouping.BOT_NEAR, grouping.AGENT_NEAR) == (60, 900)
    said = (0, ANA, "cadê meu pedido 4711?")
    for late, size in ((0, 2), (1, 1)):
        found = build(talk(said, ((seconds + late) / 60, near, "chega hoje")))
        assert found["messages"].tolist() == [size]


def test_ones_own_conversation_goes_on_for_ten_minutes() -> None:
    assert (grouping.OWN, grouping.OWN_AMONG_REPLIES) == (600, 60)
    for late, same in ((0, True), (1, False)):
        messages = talk((0, 50, "que calor"), ((600 + late) / 60, 50, "vou tomar banho"))
        numbers = conversations.number_conversations(messages, happened(), known(), [AGENT])
        assert (numbers.nunique() == 1) is same


def share_one(*said: tuple[Any, ...], agents: tuple[int, ...] = ()) -> set[tuple[int, ...]]:
    """The messages that are in one conversation, by their numbers."""
    numbers = conversations.number_conversations(talk(*said), happened(), known(), agents)
    return {tuple(part.index + 1) for _, part in numbers.groupby(numbers)}


AFTER = pytest.mark.parametrize(("late", "in_time"), [(0, True), (1 / 60, False)])


@AFTER
def test_two_who_wrote_together_go_on_for_twenty_minutes(late: float, in_time: bool) -> None:
    said = [(0, ANA, "que calor"), (1, BIA, "demais", 1), (12, BIA, "vou almoçar")]
    answer = (20 + late, ANA, "Bia, bom almoço", 3)
    assert ((1, 2, 4) in share_one(*said, answer)) is in_time
    assert ((3, 4) in share_one(*said, answer)) is not in_time


@AFTER
def test_whom_a_message_names_is_meant_for_thirty_minutes(late: float, in_time: bool) -> None:
    said = (0, ANA, "que calor"), (30 + late, BIA, "Ana, demais")
    assert ((1, 2) in share_one(*said)) is in_time


@AFTER
def test_a_member_answers_what_was_asked_five_minutes_ago(late: float, in_time: bool) -> None:
    said = (0, ANA, ASKS), (5 + late, BIA, "acho que na loja")
    assert ((1, 2) in share_one(*said)) is in_time


@pytest.mark.parametrize("replies", [14, 15])
def test_where_two_of_three_reply_what_is_no_reply_stands_alone(replies: int) -> None:
    others = [(0.1, 60 + n, "demais", *([1] if n < replies else [])) for n in range(19)]
    said = [(0, ANA, "que calor"), *others, (5, ANA, "vou tomar banho")]
    alone = (21,) in share_one(*said)
    assert alone is (replies > 14), "of 21 messages"


def test_a_members_answer_that_is_taken_up_was_one() -> None:
    said = [(-9000, AGENT, "bom dia"), (0, ANA, ASKS), (1, BIA, "vai no site", 2)]
    found = build(settled(*said, (17, ANA, "deu certo, valeu")))
    assert found[["by", "outcome"]].values.tolist() == [["members", "confirmed"]]
    alone = build(settled(*said))
    assert alone["outcome"].tolist() == ["unanswered"]


def test_what_an_agent_answers_was_a_question() -> None:
    said = (
        (0, ANA, "bom dia, estou com a caixa aqui"),
        (9, AGENT, "Deixe na portaria até as 15h", 1),
    )
    found = build(settled(*said))
    assert found[["message_id", "customer"]].values.tolist() == [[1, ANA]]
    assert build(settled(said[0], (9, AGENT, "Vou verificar", 1))).empty, "no answer, no question"


def test_among_members_whoever_advises_about_a_trouble_answers() -> None:
    said = settled((0, ANA, "minha porta está rangendo"), (9, BIA, "passa óleo na dobradiça", 1))
    found = conversations.find_conversations(said, happened(), known())
    assert found[["message_id", "by"]].values.tolist() == [[1, "members"]]
    chat = settled((0, ANA, "hoje fez sol"), (9, BIA, "concordo", 1))
    assert conversations.find_conversations(chat, happened(), known()).empty


def test_the_bot_alone_solved_what_was_confirmed_and_at_most_what_it_answered() -> None:
    said: list[tuple[Any, ...]] = []
    for n, thanks in enumerate([True, True, False]):
        said += [(60 * n, 40 + n, ASKS), (60 * n + 1, BOT, f"Peça no site {n}", len(said) + 1)]
        said += [(60 * n + 2, 40 + n, "deu certo, valeu!")] * thanks
    table = metrics.outcomes(build(settled(*said)), coverage(messages=9, by_bots=3, reactions=1))
    rows = table.set_index("measure")[["numerator", "denominator"]]
    assert rows.loc["bot_at_least"].tolist() == [2, 3]
    assert rows.loc["bot_at_most"].tolist() == [3, 3]


def test_the_last_seven_days_begin_with_the_eighth_of_fourteen() -> None:
    said = [(1440 * day, 40 + day, ASKS) for day in (6, 7, 8, 13)]
    messages = talk((0, 99, "bom dia"), *said, (14 * 1440 + 960, 99, "bom dia"))
    messages.attrs["parameters"] = {"start": "2025-11-28", "end": "2025-12-11"}
    row = problems.frequent(build(messages), messages, known()).iloc[0]
    assert row[["last_7_days", "before"]].tolist() == [3, 1]


def test_who_is_answered_goes_on_there() -> None:
    said = [(0, ANA, ASKS), (28, BIA, "que calor"), (30, ANA, "demais", 2)]
    said += [(31, AGENT, "É só ir na loja", 1), (33, ANA, "a loja do centro")]
    assert (1, 4, 5) in share_one(*said, agents=(AGENT,))
    assert (2, 3, 4, 5) in share_one(*said[:3], (31, AGENT, "É só ir na loja", 2), said[4])


@pytest.mark.parametrize(
    ("text", "trouble"),
    [("meu pedido não chegou", True), ("não chegou ainda", True), ("meu cachorro", True),
     ("não abre", True), ("deu certo, meu pedido chegou", False), ("que dia bonito", False)],
)  # fmt: skip
def test_ones_own_matter_or_what_is_denied_is_trouble(text: str, trouble: bool) -> None:
    assert signals.tells_trouble(text) is trouble


def test_what_was_asked_about_is_over_in_a_short_reply_alone() -> None:
    asked = ("o app trava quando abro",)
    words = "não trava mais aqui no celular da minha irmã em casa".split()
    assert len([*words, "hoje"]) == signals.SHORT_REPLY
    assert signals.verdict(" ".join([*words, "hoje"]), asked) == "good"
    assert signals.verdict(" ".join([*words, "hoje", "cedo"]), asked) != "good"


def test_beside_a_promise_a_few_words_are_no_answer() -> None:
    rest = "pedido sai hoje".split()
    assert len(rest) == signals.SHORT_REST
    assert not signals.is_answer(f"Vou verificar. {' '.join(rest)}.")
    assert signals.is_answer(f"Vou verificar. {' '.join(rest)} cedo.")


def test_every_number_leads_to_its_cases() -> None:
    found = build(
        settled(
            (0, ANA, "cadê meu pedido 4711?"), (1, BOT, "está a caminho", 1), (2, ANA, "valeu!"),
            (5, BIA, "o cupom não funciona, como uso?"),
        )
    )  # fmt: skip
    table = metrics.outcomes(found, coverage(messages=4, by_bots=1, reactions=1))
    cases = outcomes.cases(found)
    for row in table.itertuples():
        assert row.numerator == cases[row.measure].sum()
        assert row.denominator == cases[row.measure].notna().sum()
    parts = table.set_index("measure")["numerator"]
    closed = parts[["confirmed", "assumed", "not_solved", "unanswered"]].sum()
    assert closed + parts["open"] == len(found) == 2


def test_where_nobody_is_an_agent_whoever_replies_answers() -> None:
    said = talk((0, ANA, "cadê meu pedido?"), (1, BIA, "chega hoje", 1), (2, BIA, "acho"))
    found = conversations.find_conversations(said, happened(), known())
    assert found.attrs["agents"] == []
    assert found["person_after"].tolist() == [60]
    taught = problems.better_bot(found, said, known())
    assert taught["answer"].tolist() == ["“chega hoje” (message 2)"]


def test_a_bot_is_known_in_imported_history_by_what_came_later() -> None:
    said = talk((0, ANA, "cadê meu pedido?"), (1, BOT, "a caminho", 1), (2, BOT, "oi"))
    said.loc[1, "is_bot"] = False
    assert build(said)["bot_after"].tolist() == [60]


def test_minutes_are_those_between_an_agents_messages_five_at_most() -> None:
    found = build(
        talk(
            (0, ANA, "cadê meu pedido?"),
            (10, AGENT, "vou ver", 1),
            (12, AGENT, "chega hoje", 1),
        )
    )
    assert found["minutes"].tolist() == [5 + 2]


def coverage(**counts: int) -> pd.DataFrame:
    names = "messages by_bots reactions button_presses"
    return pd.DataFrame([dict.fromkeys(names.split(), 0) | counts])


def test_what_the_lake_cannot_know_is_not_zero_percent() -> None:
    found = build(settled((0, ANA, "cadê meu pedido?"), (1, AGENT, "chega hoje", 1)))
    table = metrics.outcomes(found, coverage(messages=2)).set_index("measure")
    assert table.loc["bot_at_most", "denominator"] == 0
    assert pd.isna(table.loc["bot_at_most", "share"])
    assert "archive" in table.loc["bot_at_most", "note"]
    assert "message_reaction" in table.loc["satisfied", "note"]
    assert (table.loc["answered", ["numerator", "denominator"]] == [1, 1]).all()
    assert "archive" in metrics.solved_by_bot(table.reset_index())
    full = metrics.outcomes(found, coverage(messages=3, by_bots=1, reactions=1))
    assert full["note"].str.match("$|too few").all()


def test_a_problem_that_comes_back_within_a_week_was_reopened() -> None:
    said = [(0, ANA, "cadê meu pedido 4711?"), (1, BOT, "está a caminho", 1)]
    for late, again in ((0, True), (1, False)):
        back = 1 + 7 * 1440 + late / 60
        messages = talk(*said, (back, ANA, "cadê meu pedido 4711?"), (9 * 1440, BIA, "bom dia"))
        table = metrics.outcomes(build(messages), coverage(messages=4, by_bots=1))
        row = table.set_index("measure").loc["reopened"]
        assert row[["numerator", "denominator"]].tolist() == [int(again), 1]


def test_response_times_in_and_out_of_office_hours() -> None:
    said = talk(
        (0, ANA, "cadê meu pedido?"),
        (4, AGENT, "chega hoje", 1),
        (700, BIA, "como uso o cupom?"),
        (720, AGENT, "no carrinho", 3),
    )
    office = metrics.Office("mon-fri 9-18")
    table = metrics.response_times(build(said), office).set_index(["who", "asked"])
    assert table.loc[("person", "office hours"), "median"] == 240
    assert table.loc[("person", "outside"), "median"] == 1200
    assert table.loc[("bot", "any time"), "answered"] == 0
    assert table.loc[("bot", "any time"), "median"] == float("inf")


def test_unanswered_questions_are_links_into_the_supergroup() -> None:
    found = build(talk((0, ANA, "cadê meu pedido 4711?"), (1500, BIA, "bom dia")))
    waiting = problems.unanswered(found, hours=24)
    assert waiting["link"].tolist() == ["https://t.me/c/4123456789/1"]
    assert waiting["waiting_hours"].tolist() == [25.0]
    assert problems.unanswered(found, hours=26).empty


def test_unanswered_tells_silence_from_what_members_said_and_from_a_promise() -> None:
    found = build(
        talk(
            (0, ANA, "cadê meu pedido 4711?"),
            (1, BIA, "como uso o cupom de desconto?"),
            (2, ANA, "eu gosto do azul", 2),
            (3, 12, "quero falar com um atendente"),
            (4, BOT, "vou chamar", 4),
            (2000, AGENT, "bom dia"),
        )
    )
    waiting = problems.unanswered(found, hours=24)
    assert waiting["reason"].tolist() == ["no reply", "members only", "no person came"]


def test_weeks_and_waiting_are_counted_to_the_periods_end_also_after_a_silence() -> None:
    messages = talk((0, ANA, "cadê meu pedido 4711?"), (60, BIA, "cadê meu pedido 4712?"))
    messages.attrs["parameters"] = {"start": "2025-11-22", "end": "2025-12-05"}
    found = build(messages)
    frequent = problems.frequent(found, messages, known())
    assert frequent["conversations"].tolist() == [2]
    assert frequent["last_7_days"].tolist() == [0], "the week before the period's end was silent"
    assert frequent["before"].tolist() == [2]
    assert frequent["trend"].tolist() == [""]
    messages.attrs["parameters"] = {"start": "2025-11-23", "end": "2025-12-05"}
    short = problems.frequent(build(messages), messages, known())
    assert short["before"].isna().all(), "thirteen days are not two weeks"
    messages.attrs["parameters"]["start"] = "2025-11-22"
    assert problems.unanswered(found)["waiting_hours"].tolist() == [183.0, 182.0]
    later = pd.concat([messages, talk((12 * 1440, BIA, "bom dia")).assign(message_id=3)])
    later.attrs = messages.attrs
    found = build(later.reset_index(drop=True))
    assert problems.frequent(found, later, known())["before"].tolist() == [2]
    assert problems.unanswered(found)["waiting_hours"].tolist() == [288.0, 287.0]


def test_a_period_to_come_ends_where_the_lake_does() -> None:
    messages = talk((0, ANA, "cadê meu pedido 4711?"))
    messages.attrs["parameters"] = {"start": "2025-11-28", "end": "9000-01-01"}
    found = build(messages)
    assert found.attrs["until"] == found.attrs["end"] < START + 10**9


def test_groups_of_questions_need_no_definition() -> None:
    said: list[tuple[Any, ...]] = []
    for n in range(12):
        said.append((4 * n, 20 + n, f"Bom dia, gente! A impressora da sala {n} imprime colorido?"))
        said.append((4 * n + 1, 50 + n, f"tem vaga no estacionamento do bloco {n}?"))
        said.append((4 * n + 2, 80 + n, f"quando abre a biblioteca do campus {n}?"))
        said.append((4 * n + 3, AGENT, "Ana, tem sim"))
    messages = talk(*said)
    found = build(messages)
    groups = discover.clusters(found, messages)
    printer = groups[groups["about"].str.contains("impressora")].iloc[0]
    assert printer["messages"] == 12
    assert re.fullmatch(r"“A impressora da sala \d+ .*\?” \(message \d+\)", printer["questions"][0])
    assert groups["about"].str.contains("estacionamento").sum() == 1
    assert discover.rising(found, messages).empty, "one day is no two weeks"
    # those about the printer are from the week before
    for frame in (found, messages):
        earlier = frame["message_id"].mod(4).eq(1).astype(int)
        frame["local_time"] -= pd.to_timedelta(7 * earlier, "D")
    found.attrs["parameters"] = {"start": "2025-11-15"}
    rising = " ".join(discover.rising(found, messages)["term"])
    assert "estacionamento" in rising
    assert "impressora" not in rising
    assert discover.clusters(found.head(0), messages)["questions"].str[0].empty


def test_a_better_bot_learns_the_answer_that_is_always_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[tuple[Any, ...]] = []
    for n in range(4):
        said.append((10 * n, 10 + n, "cadê meu pedido?"))
        answer = "Seu pedido saiu ontem e chega amanhã" if n else "Houve extravio, envio outro"
        said.append((10 * n + 5, AGENT, answer, 2 * n + 1))
    messages = talk(*said)
    found = build(messages)
    table = problems.better_bot(found, messages, known())
    assert len(table) == 1
    assert table.loc[0, ["with_agent", "same_answer", "of"]].tolist() == [4, 2, 3]
    assert table.loc[0, "answer"].startswith("“Seu pedido saiu ontem e chega amanhã” (message ")
    monkeypatch.setattr(problems, "COMPARED", 2)
    latest = problems.better_bot(found, messages, known())
    assert latest.loc[0, ["with_agent", "same_answer", "of"]].tolist() == [4, 1, 1]
    frequent = problems.frequent(found, messages, known(), language="pt")
    assert frequent.loc[0, ["conversations", "of"]].tolist() == [4, 4]
    assert "(message " in frequent.loc[0, "questions"][0]
