"""What the conversations of the sample were taken for, against what they were."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from tests.unit.analytics.test_queries import lake
from tgpipeline.analytics import athena, questions, topics
from tgpipeline.analytics.support import conversations, problems

SAMPLE = Path(__file__).parents[3] / "data" / "sample"
GROUP, SUPERGROUP = -4123456789, -1004123456789
PERIOD = {"start": "2025-11-10", "end": "2025-12-09"}


def lines(name: str) -> list[dict]:
    with gzip.open(SAMPLE / name, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    return pd.DataFrame(lines("truth.ndjson.gz"))


@pytest.fixture(scope="module")
def talk() -> tuple[pd.DataFrame, pd.DataFrame, set[int]]:
    latest: dict[tuple[int, int], dict] = {}
    events = []
    for line in lines("updates.ndjson.gz"):
        update = line.get("body", {})
        message = line.get("sent") or update.get("message") or update.get("edited_message")
        if message:
            if message["chat"]["id"] in (GROUP, SUPERGROUP):
                latest[message["chat"]["id"], message["message_id"]] = message
        elif update.keys() & {"message_reaction", "callback_query", "chat_member"}:
            events.append(update)
    messages = [{"update_id": n, "message": m} for n, m in enumerate(latest.values())]
    connection = lake([*messages, *events], {SUPERGROUP: GROUP})
    frames = []
    for name in ("conversation_messages", "conversation_events", "agents"):
        period = {} if name == "agents" else PERIOD
        sql = questions.fill(questions.sql_of(name), period, name)
        done = connection.execute(questions.translate(sql))
        described = [(d[0], str(d[1]).lower().split("_")[0]) for d in done.description]
        frames.append(athena.to_frame(described, done.fetchall()))
        frames[-1].attrs["parameters"] = PERIOD
    return frames[0], frames[1], set(frames[2]["user_id"])


@pytest.fixture(scope="module")
def found(talk: tuple[pd.DataFrame, pd.DataFrame]) -> pd.DataFrame:
    messages, events, agents = talk
    return conversations.find_conversations(messages, events, topics.load(), agents)


@pytest.fixture(scope="module")
def matched(truth: pd.DataFrame, found: pd.DataFrame, talk: tuple) -> pd.DataFrame:
    """The truth beside what was told of the conversation that holds most of its messages."""
    ids = list(zip(talk[0]["chat_id"], talk[0]["message_id"], strict=True))
    home = {ids[i]: number for number, rows in enumerate(found["rows"]) for i in rows}
    numbers, right = [], []
    for messages in truth["messages"]:
        homes = Counter(home.get(tuple(m)) for m in messages if tuple(m) in set(ids))
        best = max((n for n in homes if n is not None), key=lambda n: homes[n], default=None)
        numbers.append(best)
        right.append((homes[best] if best is not None else 0, sum(homes.values())))
    told = truth.assign(number=numbers, right=[r[0] for r in right], of=[r[1] for r in right])
    told = told.dropna(subset=["number"]).drop_duplicates("number")
    beside = found.add_prefix("told_")
    return told.merge(beside, left_on="number", right_index=True)


def test_nearly_every_message_is_in_its_conversation(matched, truth) -> None:
    assert len(matched) >= 0.93 * len(truth)
    assert matched["right"].sum() >= 0.93 * matched["of"].sum()


def test_who_answers_for_the_group_is_found(found) -> None:
    agents = {5120009001, 5120009002, 5120009003, 5120009004}
    assert agents & set(found.attrs["agents"]) == agents
    assert all(i in agents or i < 0 for i in found.attrs["agents"]), "the rest is the group itself"


def test_waiting_times_are_those_of_the_truth(matched) -> None:
    for true, told in (("first_response_seconds", None), ("first_person_seconds", "person")):
        seconds = matched["told_bot_after"].astype("float")
        seconds = pd.concat([seconds, matched["told_person_after"].astype("float")], axis=1).min(
            axis=1
        )
        seconds = matched["told_person_after"].astype("float") if told else seconds
        both = matched[true].notna() & seconds.notna()
        near = (matched[true] - seconds).abs() <= 120
        assert (near & both).sum() >= 0.85 * both.sum()
        assert (matched[true].notna() == seconds.notna()).mean() >= 0.93


def test_messages_are_put_together_as_they_belong(truth, talk) -> None:
    messages, events, agents = talk
    numbers = conversations.number_conversations(messages, events, topics.load(), agents)
    mine = dict(
        zip(zip(talk[0]["chat_id"], talk[0]["message_id"], strict=True), numbers, strict=True)
    )
    pairs = [(n, mine[tuple(m)]) for n, ms in enumerate(truth["messages"]) for m in ms
             if tuple(m) in mine]  # fmt: skip
    assert adjusted_rand_score(*zip(*pairs, strict=True)) >= 0.945


def test_who_solved_it_lies_within_the_range(matched, found, truth) -> None:
    """An answer that the customer took in silence cannot be told from one that was no good."""
    share = found["outcome"][found["outcome"] != "open"].value_counts(normalize=True)
    solved = (truth["solved_by"] != "nobody").mean()
    assert share["confirmed"] < solved < share["confirmed"] + share["assumed"] + 0.03
    assert (matched["handed_over"] == matched["told_handed"].astype(bool)).mean() >= 0.9


def test_few_that_nobody_solved_are_called_solved(matched) -> None:
    nobody = matched[(matched["solved_by"] == "nobody") & (matched["told_outcome"] != "open")]
    wrong = nobody["told_outcome"].isin(["confirmed", "assumed"])
    assert wrong.mean() <= 0.1
    assert wrong[nobody["signal"] == "complaint"].mean() <= 0.05


def test_all_whom_nobody_wrote_to_are_found(found, truth) -> None:
    waiting = problems.unanswered(found)
    silent = waiting[waiting["reason"].isin(["no reply", "members only"])]
    whose = {m[1]: n for n, messages in enumerate(truth["messages"]) for m in messages}
    never = set(truth.index[truth["first_response_by"].isna()])
    assert never <= set(silent["message_id"].map(whose))
    assert len(never) >= 0.55 * len(silent)
