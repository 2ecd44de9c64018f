"""The page's numbers against a count of result.json in plain Python that shares no code with it."""

import html
import json
import random
import re
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tgpipeline.analytics import report
from tgpipeline.analytics.answers import Answers
from tgpipeline.analytics.from_export import read_export

ZONE = ZoneInfo("America/Sao_Paulo")
BEGIN = datetime(2026, 1, 28, 22, 0, tzinfo=ZONE)  # a Wednesday
SAID = ("cadê meu pedido?", "obrigada!", "bom dia", "o boleto venceu, e agora?", "já paguei hoje")


def invented(count: int = 600) -> dict[str, Any]:
    """Seven weeks of a group of twelve: replies, links, stickers, and who only wrote early."""
    chance, messages = random.Random(7), []
    sent = BEGIN
    for number in range(1, count + 1):
        sent += timedelta(minutes=chance.randrange(1, 230))
        who = min(chance.randrange(12), chance.randrange(12))
        if who == 5 and sent > BEGIN + timedelta(days=24):
            who = 0
        text: Any = chance.choice(SAID)
        if number % 19 == 0:
            text = [{"type": "link", "text": f"https://loja{who % 3}.example/p/{number}"}]
        told = {
            "id": number, "type": "message", "from": f"Pessoa {who}", "from_id": f"user{100 + who}",
            "date": sent.isoformat()[:19], "date_unixtime": str(int(sent.timestamp())),
            "text": text,
        }  # fmt: skip
        if number % 23 == 0:
            told |= {"text": "", "media_type": "sticker", "file": "s.webp"}
        if number > 5 and number % 3 == 0:
            told["reply_to_message_id"] = number - chance.randrange(1, 5)
        messages.append(told)
    return {"name": "Loja", "type": "private_supergroup", "id": 4321, "messages": messages}


@pytest.fixture(scope="module")
def told() -> list[dict[str, Any]]:
    return [m | {"at": datetime.fromisoformat(m["date"])} for m in invented()["messages"]]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    path = tmp_path_factory.mktemp("numbers") / "result.json"
    path.write_text(json.dumps(invented(), ensure_ascii=False), "utf-8")
    group = read_export(path, timezone="America/Sao_Paulo")
    found = group.answers(language="en", names=True)
    found.kept = group  # its folder lives as long as it does
    return found


@pytest.fixture(scope="module")
def page(answers: Answers) -> str:
    return html.unescape(report.render(answers))


def tables(page: str) -> dict[str, list[list[str]]]:
    """The rows of each table of the page, by the caption of its figure or its own."""
    found = {}
    for block in re.findall(r"<figure>.*?</figure>|<table>\n<caption>.*?</table>", page, re.S):
        name = re.search(r"<(?:fig)?caption>(.*?)</", block)[1]
        rows = re.findall(r"<tr><td.*?</tr>", block, re.S) or re.findall(
            r"<tr>\n?<td.*?</tr>", block, re.S
        )
        found[name] = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.S) for row in rows]
    return found


def starting(page: str, begin: str) -> list[list[str]]:
    (name,) = [name for name in tables(page) if name.startswith(begin)]
    return tables(page)[name]


def test_messages_of_each_day(told: list[dict], page: str) -> None:
    days = Counter(m["at"].date() for m in told)
    top, most = max(days.items(), key=lambda pair: (pair[1], -pair[0].toordinal()))
    rows = starting(page, f"{len(told)} messages; most on ")
    assert f": {most}, " in next(name for name in tables(page) if name.startswith("600 m"))
    first = min(days)
    length = (max(days) - first).days + 1
    expected = [days.get(first + timedelta(n), 0) for n in range(length)]
    assert [int(row[1]) for row in rows] == expected
    assert expected[(top - first).days] == most


def test_who_wrote_most_and_since_when(told: list[dict], page: str) -> None:
    wrote = Counter(m["from"] for m in told)
    rows = tables(page)["Who wrote most"]
    assert [int(row[1]) for row in rows] == sorted(wrote.values(), reverse=True)[:10]
    for name, messages, active, _, _ in rows:
        days = {m["at"].date() for m in told if m["from"] == name}
        assert (int(messages), int(active)) == (wrote[name], len(days))


def test_who_answers_whom(told: list[dict], page: str) -> None:
    by_id = {m["id"]: m["from"] for m in told}
    pairs = Counter(
        (m["from"], by_id[m["reply_to_message_id"]])
        for m in told
        if m.get("reply_to_message_id") in by_id and by_id[m["reply_to_message_id"]] != m["from"]
    )
    rows = tables(page)["Who answers whom"]
    assert len(rows) == 10
    assert [int(row[2]) for row in rows] == sorted(pairs.values(), reverse=True)[: len(rows)]
    assert all(pairs[row[0], row[1]] == int(row[2]) for row in rows)


def test_sites_that_are_linked_to(told: list[dict], page: str) -> None:
    links = [
        (m["text"][0]["text"].split("/")[2], m["from"]) for m in told if type(m["text"]) is list
    ]
    links = [pair for pair in links if pair]
    counted = Counter(domain for domain, _ in links)
    rows = tables(page)["Sites that are linked to most"]
    assert {row[0]: int(row[1]) for row in rows} == dict(counted)
    for domain, _, people in rows:
        assert int(people) == len({who for site, who in links if site == domain})


def test_hours_and_weekdays(told: list[dict], answers: Answers) -> None:
    counted = Counter((m["at"].isoweekday(), m["at"].hour) for m in told)
    frame = answers.ask("messages_by_hour_and_weekday")
    assert {
        (int(r.weekday), int(r.hour)): int(r.messages) for r in frame.itertuples() if r.messages
    } == dict(counted)
    visits = Counter(
        hour for _, _, hour in {(m["from"], m["at"].date(), m["at"].hour) for m in told}
    )
    asked = answers.ask("visits_by_hour")
    assert dict(zip(asked["hour"].astype(int), asked["visits"].astype(int), strict=True)) == visits


def test_kinds_and_concentration(told: list[dict], page: str) -> None:
    stickers = sum("media_type" in m for m in told)
    (name,) = [name for name in tables(page) if "messages are text" in name]
    assert name.startswith(f"{(len(told) - stickers) / len(told):.0%} of {len(told)} messages")
    wrote = sorted(Counter(m["from"] for m in told).values(), reverse=True)
    top = -(-len(wrote) // 10)
    share = sum(wrote[:top]) / len(told)
    most = f"The {top} who write most (of {len(wrote)} people) wrote {share:.0%}"
    assert f"{most} of {len(told)} messages" in tables(page)


def test_who_comes_for_the_first_time_and_who_no_longer(
    told: list[dict], answers: Answers, page: str
) -> None:
    weeks: dict[date, set[str]] = {}
    for m in told:
        day = m["at"].date()
        weeks.setdefault(day - timedelta(day.weekday()), set()).add(m["from"])
    seen: set[str] = set()
    expected = []
    for week in sorted(weeks):
        new = weeks[week] - seen
        expected.append((len(weeks[week]), len(new)))
        seen |= new
    frame = answers.ask("new_and_returning")
    assert list(zip(frame["people"], frame["new_people"], strict=True)) == expected
    last = {m["from"]: m["at"].date() for m in told}
    end = max(last.values())
    gone = {row[0] for row in starting(page, "Who has fallen silent")}
    assert "Pessoa 5" in gone
    assert all((end - last[name]).days >= 20 for name in gone)
