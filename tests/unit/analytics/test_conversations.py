"""The rule that tells conversations apart, case by case, and what is made of them."""

import re
from functools import cache
from typing import Any

import pandas as pd
import pytest

from tgpipeline.analytics import athena, topics
from tgpipeline.analytics.support import conversations, discover, metrics, problems, signals

START = 1764331200  # Friday 2025-11-28 09:00 in São Paulo
GROUP, BOT, AGENT, ANA, BIA = -1004123456789, 7000, 100, 1, 2
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
    return conversations.build(messages, happened(*events), known(), [AGENT])


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
    assert found["state"].tolist() == ["confirmed", "confirmed"]


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
    later = build(talk((0, ANA, "cadê meu pedido?"), (1, BOT, "a caminho", 1), (400, ANA, "cadê?")))
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
    assert found["members"].tolist() == [2, 0], "who asks something else replied all the same"


def test_chatter_is_no_conversation() -> None:
    assert build(talk((0, ANA, "bom dia!"), (1, BIA, "kkkk"))).empty


@pytest.mark.parametrize(
    ("said", "events", "state", "handed"),
    [
        ([(2, ANA, "obrigado, resolveu!")], [], "confirmed", False),
        ([(2, ANA, "isso não resolve nada")], [], "waiting", False),
        ([(2, ANA, "quero falar com um atendente")], [], "wants_person", True),
        ([(2, ANA, "quero falar com um atendente"), (3, BOT, "chamei", 3)], [],
         "wants_person", True),
        ([(3, AGENT, "resolvido aqui", 1)], [], "answered", True),
        ([], [("callback_query", 2, ANA, "solved:1:yes")], "confirmed", False),
        ([], [("callback_query", 2, ANA, "solved:1:no")], "wants_person", False),
        ([], [("message_reaction", 2, ANA, "❤")], "confirmed", False),
        ([], [("message_reaction", 2, ANA, "👎")], "waiting", False),
        ([], [("message_reaction", 2, BIA, "👎")], "answered", False),
        ([], [], "answered", False),
    ],
)  # fmt: skip
def test_how_it_ends(said: list, events: list, state: str, handed: bool) -> None:
    messages = talk((0, ANA, "cadê meu pedido 4711?"), (1, BOT, "está a caminho", 1), *said)
    (row,) = build(messages, *events).itertuples()
    assert (row.state, row.handed, row.bot_after) == (state, handed, 60)


def test_who_asked_for_a_person_at_once_still_waits_for_one_after_the_bot_spoke() -> None:
    said = [(0, ANA, "quero falar com um atendente"), (1, BOT, "vou chamar", 1)]
    assert build(talk(*said))["state"].tolist() == ["wants_person"]
    assert build(talk(*said, (9, AGENT, "oi, pronto", 1)))["state"].tolist() == ["answered"]


def test_agents_are_those_who_answer_many() -> None:
    said: list[tuple[Any, ...]] = [(n, 10 + n, "cadê meu pedido?") for n in range(6)]
    said += [(10 + n, AGENT, "chega hoje", n + 1) for n in range(5)] + [(20, ANA, "idem", 1)]
    assert signals.find_agents(talk(*said), happened()) == {AGENT}
    admin = happened(("chat_member", None, BIA, "administrator"))
    assert signals.find_agents(talk(*said), admin) == {AGENT, BIA}
    assert signals.find_agents(talk(*said), admin, [ANA]) == {ANA}


def test_where_nobody_is_an_agent_whoever_replies_answers() -> None:
    said = talk((0, ANA, "cadê meu pedido?"), (1, BIA, "chega hoje", 1), (2, BIA, "acho"))
    found = conversations.build(said, happened(), known())
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
    found = build(talk((0, ANA, "cadê meu pedido?"), (1, AGENT, "chega hoje", 1)))
    table = metrics.outcomes(found, coverage(messages=2)).set_index("measure")
    assert table.loc["solved_by_bot", "denominator"] == 0
    assert pd.isna(table.loc["solved_by_bot", "share"])
    assert "archive" in table.loc["solved_by_bot", "note"]
    assert "message_reaction" in table.loc["satisfied", "note"]
    assert (table.loc["answered", ["numerator", "denominator"]] == [1, 1]).all()
    full = metrics.outcomes(found, coverage(messages=3, by_bots=1, reactions=1))
    assert not full["note"].any()


def test_a_solved_problem_that_comes_back_was_not_durable() -> None:
    said = talk(
        (0, ANA, "cadê meu pedido 4711?"),
        (1, BOT, "está a caminho", 1),
        (500, ANA, "cadê meu pedido 4711?"),
        (501, BOT, "está a caminho", 3),
        (8 * 1440, BIA, "bom dia"),
    )
    found = build(said)
    assert metrics.reopened(found).tolist() == [True, False]
    table = metrics.outcomes(found, coverage(messages=5, by_bots=2)).set_index("measure")
    assert table.loc["durable", ["numerator", "denominator"]].tolist() == [1, 2]
    assert table.loc["reopened", ["numerator", "denominator"]].tolist() == [1, 2]


def test_response_times_in_and_out_of_office_hours() -> None:
    said = talk(
        (0, ANA, "cadê meu pedido?"),
        (4, AGENT, "chega hoje", 1),
        (700, BIA, "como uso o cupom?"),
        (720, AGENT, "no carrinho", 3),
    )
    office = metrics.Office.parse("mon-fri 9-18")
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
            (1, BIA, "alguém indica um tênis bom?"),
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
    monkeypatch.setattr(problems, "LATEST", 2)
    latest = problems.better_bot(found, messages, known())
    assert latest.loc[0, ["with_agent", "same_answer", "of"]].tolist() == [4, 1, 1]
    frequent = problems.frequent(found, messages, known(), language="pt")
    assert frequent.loc[0, ["conversations", "of"]].tolist() == [4, 4]
    assert "(message " in frequent.loc[0, "questions"][0]
