"""The SQL of every question, run on Parquet by DuckDB and counted again in plain Python."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest
import sqlglot
from sqlglot import exp

from tgpipeline.analytics import questions
from tgpipeline.etl import writing
from tgpipeline.lake.erasing import Erased
from tgpipeline.lake.markers import Markers
from tgpipeline.lake.rows import Flattener
from tgpipeline.telegram.updates import event_date

SAO_PAULO, LISBON = ZoneInfo("America/Sao_Paulo"), ZoneInfo("Europe/Lisbon")
OLD, NEW, OTHER = -4100, -1004100, -4200
FOLDER = Path(questions.__file__).with_name("queries")
NAMES = sorted(file.stem for file in FOLDER.glob("*.sql"))
PERIOD = {"start": "2025-10-20", "end": "2025-11-09"}


def group() -> list[dict]:
    """Three weeks of a group around the end of Lisbon's summer time, with all that is special."""
    updates = []
    begin = datetime(2025, 10, 19, 3, 5, tzinfo=UTC)
    for step in range(420):
        moment = begin + timedelta(minutes=97 * step)
        chat = OLD if step < 150 else NEW if step % 7 else OTHER
        user = {"id": 10 + step * step % 13, "is_bot": False, "first_name": "P"}
        message = {
            "message_id": 1000 + step,
            "from": user,
            "chat": {"id": chat, "type": "group", "title": "Loja"},
            "date": int(moment.timestamp()),
            "text": "é 👩‍👩‍👧 " + "x" * (step * 7 % 50),
        }
        if step % 5 == 0:
            message["from"] = {"id": 999, "is_bot": True, "first_name": "Bot"}
        if step % 41 == 0:
            message["sender_chat"] = {"id": chat, "type": "supergroup"}
            message["from"] = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
        if step % 17 == 0:
            message["photo"] = [{"file_id": "p"}]
            message["caption"] = message.pop("text")
        if step % 23 == 0:
            message = {k: v for k, v in message.items() if k not in ("text", "photo", "caption")}
            message["new_chat_members"] = [user]
        if step % 19 == 0:
            message |= {"message_thread_id": 7, "is_topic_message": True}
        if step % 6 == 0:
            message["reply_to_message"] = {"message_id": 999 + step, "from": {"id": 11}}
        updates.append({"update_id": step, "message": message})
    return updates


def events() -> list[dict]:
    def member(day: int, old: str, new: str) -> dict:
        moment = int(datetime(2025, 10, day, 15, tzinfo=UTC).timestamp())
        state = {"user": {"id": 5, "is_bot": False}}
        return {
            "update_id": 5000 + day,
            "chat_member": {
                "chat": {"id": OLD}, "date": moment, "from": {"id": 1},
                "old_chat_member": {**state, "status": old},
                "new_chat_member": {**state, "status": new},
            },
        }  # fmt: skip

    def reaction(number: int, message_id: int, old: str, new: str) -> dict:
        kinds = {"old_reaction": old, "new_reaction": new}
        return {
            "update_id": 6000 + number,
            "message_reaction": {
                "chat": {"id": OLD}, "message_id": message_id, "user": {"id": 3, "is_bot": False},
                "date": int(datetime(2025, 10, 24, 15, number, tzinfo=UTC).timestamp()),
                **{k: [{"type": "emoji", "emoji": e} for e in v] for k, v in kinds.items()},
            },
        }  # fmt: skip

    return [
        member(21, "left", "member"),
        member(22, "member", "administrator"),
        member(23, "member", "kicked"),
        reaction(1, 1005, "", "👍"),
        reaction(2, 1005, "👍", "👍🔥"),
        reaction(3, 1006, "🔥", ""),
        reaction(4, 1006, "", "🔥"),
        reaction(5, 77, "", "🔥"),
        {
            "update_id": 7000,
            "callback_query": {
                "id": "1", "from": {"id": 3, "is_bot": False}, "data": "yes",
                "message": {"message_id": 1005, "chat": {"id": OLD}, "date": 1},
            },
        },
    ]  # fmt: skip


def lake(
    updates: list[dict],
    groups: Mapping[int, int] = MappingProxyType({NEW: OLD}),
    *,
    older: bool = False,
    source: str = "webhook",
    bots: Collection[int] = (),
) -> duckdb.DuckDBPyConnection:
    """The two tables as the ETL writes them, in DuckDB under their names.

    Those of an `older` version have no word on authors and topics.
    """
    flattener = Flattener(SAO_PAULO, Markers(dict(groups), set(bots), Erased()))
    rows, days = defaultdict(list), defaultdict(list)
    for update in updates:
        table, row = flattener.row(update, "{}", source)
        content = next(v for v in update.values() if isinstance(v, dict))
        seconds = event_date(content) or int(datetime(2025, 10, 25, 12, tzinfo=UTC).timestamp())
        rows[table].append(row)
        days[table].append(datetime.fromtimestamp(seconds, SAO_PAULO).date())
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'Asia/Tokyo'")  # no answer may hang on the session's zone
    for table in ("messages", "events"):
        made = writing.to_table(table, rows[table], datetime(2025, 12, 1))
        made = made.append_column("context_date", pa.array(days[table], pa.date32()))
        connection.register(f"{table}_arrow", made)
        connection.execute(f"CREATE TABLE {table} AS SELECT * FROM {table}_arrow")
    if older:
        for column in ("author_id", "author_kind", "topic_name", "is_comment"):
            connection.execute(f"UPDATE messages SET {column} = NULL")
    return connection


@pytest.fixture(scope="module", params=["", "older"])
def full(request: pytest.FixtureRequest) -> duckdb.DuckDBPyConnection:
    return lake(group() + events(), older=bool(request.param))


@pytest.fixture(scope="module")
def empty() -> duckdb.DuckDBPyConnection:
    return lake([])


def ask(connection: duckdb.DuckDBPyConnection, name: str, **values: object) -> list[tuple]:
    sql = questions.sql_of(name)
    known = questions.parameter_types(sql)
    given = {k: v for k, v in {**PERIOD, **values}.items() if k in known}
    return connection.execute(questions.translate(questions.fill(sql, given, name))).fetchall()


def written(zone: ZoneInfo = SAO_PAULO, chat: int = 0, *, people: bool = True) -> list[tuple]:
    """(local time, who, message) of what the questions count, told in plain Python."""
    found = []
    for update in group():
        m = update["message"]
        local = datetime.fromtimestamp(m["date"], zone)
        origin = OLD if m["chat"]["id"] == NEW else m["chat"]["id"]
        bot = m["from"]["is_bot"] and "sender_chat" not in m
        inside = date(2025, 10, 20) <= local.date() <= date(2025, 11, 9)
        if inside and "new_chat_members" not in m and chat in (0, origin) and not (people and bot):
            found.append((local, m.get("sender_chat", m["from"])["id"], m))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_one_question_in_athenas_sql(name: str) -> None:
    sql = (FOLDER / f"{name}.sql").read_text("utf-8")
    assert re.match(r"-- .+\?\n", sql), "its first line is a comment with the question"
    assert questions.names()[name] in sql
    (tree,) = sqlglot.parse(sql, read="athena")
    assert isinstance(tree, exp.Query)
    untranslated = {"at_timezone", "map_agg", "format_datetime", "normalize"}
    assert not untranslated & {str(f.name).lower() for f in tree.find_all(exp.Anonymous)}
    assert "IS TRUE" not in sql.upper().replace("NOT TRUE", "TRUE"), "Athena has no IS TRUE"


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"groups", "agents"}))
def test_every_question_takes_the_same_parameters(name: str) -> None:
    sql = questions.sql_of(name)
    known = questions.parameter_types(sql)
    assert {"start", "end", "chat", "timezone"} <= known.keys()
    for parameter in known:
        literals = set(re.findall(rf"((?:DATE )?\S+) /\* :{parameter} \*/", sql))
        assert len(literals) == 1, f"{parameter} has one value wherever it stands"


@pytest.mark.parametrize("name", NAMES)
def test_a_question_reads_at_least_the_days_of_its_period(name: str) -> None:
    sql = questions.sql_of(name)
    sql = questions.fill(
        sql, {k: v for k, v in PERIOD.items() if k in questions.parameter_types(sql)}
    )
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE d AS SELECT CAST(DATE '2024-01-01' + INTERVAL (i) DAY AS date) "
        "AS context_date FROM range(1000) AS r (i)"
    )
    asked = set()
    parts = re.findall(r"FROM (messages|events)\b.*?WHERE (.*?)(?=\s+AND 0 |$)", sql, re.S)
    for table, where in parts:
        where = where if "context_date" in where else "true"
        limits = f"SELECT min(context_date), max(context_date) FROM d WHERE {where}"
        asked.add((table, *connection.execute(questions.translate(limits)).fetchone()))
    assert asked
    assert all(first <= date(2025, 10, 20) for _, first, _ in asked)
    assert all(last >= date(2025, 11, 9) for table, _, last in asked if table == "messages")


@pytest.mark.parametrize("name", NAMES)
def test_every_question_can_be_asked_of_a_lake_without_messages(empty, name: str) -> None:
    rows = ask(empty, name)
    filled = {"active_people": 21, "visits_by_hour": 24, "messages_by_hour_and_weekday": 7 * 24}
    if name == "coverage":
        assert rows == [(0,) * 11]
    else:
        assert len(rows) == filled.get(name, 0)
        assert not any(row[-1] for row in rows)


@pytest.mark.parametrize("zone", [SAO_PAULO, LISBON, ZoneInfo("Pacific/Kiritimati")])
@pytest.mark.parametrize("chat", [0, OLD, OTHER])
def test_counts_by_day_user_and_hour(full, zone: ZoneInfo, chat: int) -> None:
    given = {"timezone": zone.key, "chat": chat}
    people, everybody = written(zone, chat), written(zone, chat, people=False)

    days = Counter(local.date() for local, _, _ in everybody)
    of_people = Counter(local.date() for local, _, _ in people)
    got = ask(full, "messages_per_day", **given)
    assert [(row[0], row[1], row[2]) for row in got] == [
        (day, days[day], of_people[day]) for day in sorted(days)
    ]
    users = Counter((local.date(), user) for local, user, _ in everybody)
    got = ask(full, "messages_per_user_per_day", **given)
    assert {(row[0], row[1]): row[3] for row in got} == users

    hours = Counter((local.isoweekday(), local.hour) for local, _, _ in people)
    got = ask(full, "messages_by_hour_and_weekday", **given)
    assert [row[:2] for row in got] == [(day, hour) for day in range(1, 8) for hour in range(24)]
    assert [row[2] for row in got] == [hours[row[:2]] for row in got]
    assert [row[3] for row in got] == [row[2] / 3 for row in got], "three whole weeks"

    visits = Counter(hour for hour, _, _ in {(lo.hour, lo.date(), who) for lo, who, _ in people})
    got = ask(full, "visits_by_hour", **given)
    assert [row[:2] for row in got] == [(hour, visits[hour]) for hour in range(24)]
    assert sum(row[2] for row in got) == len(people)


def test_weekdays_count_for_each_day_that_there_was(full) -> None:
    """Nine days from a Monday: two Mondays and Tuesdays, one of each other weekday."""
    got = ask(full, "messages_by_hour_and_weekday", end="2025-10-28")
    assert {row[0] for row in got} == {1, 2, 3, 4, 5, 6, 7}
    assert all(row[3] == row[2] / (2 if row[0] < 3 else 1) for row in got)
    short = ask(full, "messages_by_hour_and_weekday", end="2025-10-21")
    assert {row[0] for row in short} == {1, 2}


def test_lengths_are_in_characters_and_quantiles_are_nearest_ranks(full) -> None:
    lengths = defaultdict(list)
    for local, _, m in written():
        if text := m.get("text", m.get("caption")):
            lengths[local.date()].append(len(text))
    for day, count, average, *quantiles in ask(full, "message_length_per_day"):
        ordered = sorted(lengths.pop(day))
        assert (count, average) == (len(ordered), pytest.approx(sum(ordered) / len(ordered)))
        ranks = [-(-p * count // 100) for p in (50, 75, 90, 99)]
        assert quantiles == [ordered[rank - 1] for rank in ranks]
    assert not lengths


def test_content_topics_and_people(full) -> None:
    kinds = Counter("photo" if "photo" in m else "text" for _, _, m in written(people=False))
    assert {r[0]: r[1] for r in ask(full, "messages_by_content_type")} == kinds
    threads = Counter(
        (m["chat"]["id"] == OTHER, m.get("message_thread_id")) for _, _, m in written()
    )
    got = ask(full, "messages_by_topic")
    assert {(row[0] == OTHER, row[1]): row[2] for row in got} == threads
    totals = Counter(user for _, user, _ in written())
    got = ask(full, "concentration")
    assert [row[1] for row in got] == sorted(totals.values(), reverse=True)
    assert got[-1][2] == sum(totals.values())
    everybody = Counter(user for _, user, _ in written(people=False))
    assert {row[0]: row[3] for row in ask(full, "people")} == everybody


def test_a_thread_of_replies_is_no_topic_of_a_forum() -> None:
    def said(number: int, thread: int | None = None, **more: object) -> dict:
        moment = int(datetime(2025, 10, 25, 12, number, tzinfo=UTC).timestamp())
        message = {"message_id": number, "date": moment, "chat": {"id": NEW}, "from": {"id": 5}}
        topic = {"is_topic_message": True} if thread in (1, 90) else {}
        message |= (more or {"text": "x"}) | ({"message_thread_id": thread} if thread else {})
        return {"update_id": number, "message": message | topic}

    opened = said(1, 1, forum_topic_created={"name": "Trocas"})
    connection = lake([opened, said(2, 1), said(3), said(4, 3), said(5, 90)])
    assert [row[1:3] for row in ask(connection, "messages_by_topic")] == [
        (None, 2),
        (1, 1),
        (90, 1),
    ]


def test_active_new_and_kept_people(full) -> None:
    active = {(local.date(), user) for local, user, _ in written()}
    before = {  # 19 October lies before the period and counts for the windows
        (local.date(), m.get("sender_chat", m["from"])["id"])
        for m in (u["message"] for u in group())
        if (local := datetime.fromtimestamp(m["date"], SAO_PAULO)).date() == date(2025, 10, 19)
        and "new_chat_members" not in m
        and not (m["from"]["is_bot"] and "sender_chat" not in m)
    }
    seen = active | before
    for day, *counts in ask(full, "active_people"):
        windows = [{u for d, u in seen if 0 <= (day - d).days < n} for n in (1, 7, 28)]
        assert counts == [len(people) for people in windows]

    def week(day: date) -> date:
        return day - timedelta(day.weekday())

    first = {user: min(week(d) for d, u in seen if u == user) for _, user in seen}
    weeks = defaultdict(set)
    for day, user in active:
        weeks[week(day)].add(user)
    new = {w: sum(first[u] == w for u in users) for w, users in weeks.items()}
    got = ask(full, "new_and_returning")
    assert [row[:3] for row in got] == [(w, len(weeks[w]), new[w]) for w in sorted(weeks)]
    got = ask(full, "weekly_retention", end="2025-11-08")  # a Saturday
    for cohort, later, people, size in got:
        members = {u for u, w in first.items() if w == cohort}
        came = weeks[cohort + timedelta(7 * later)] & members
        assert (people, size) == (len(came) if later else size, len(members))
    whole = [date(2025, 10, 20), date(2025, 10, 27)]
    cohorts = sorted(set(first.values()) & {*whole, date(2025, 11, 3)})
    assert [row[:2] for row in got] == [
        (cohort, (week - cohort).days // 7)
        for cohort in cohorts
        for week in sorted({cohort, *whole})
        if week >= cohort
    ]


def test_a_week_in_which_nobody_comes_again_counts_as_zero() -> None:
    updates = [said(1, 3, 5), said(2, 3, 6), said(3, 10, 7), said(4, 17, 5), said(5, 24, 7)]
    found = rows_of(updates, "weekly_retention", "2025-11-03", "2025-11-29")
    first, second = date(2025, 11, 3), date(2025, 11, 10)
    assert found == [
        (first, 0, 2, 2), (first, 1, 0, 2), (first, 2, 1, 2), (second, 0, 1, 1), (second, 1, 0, 1),
    ]  # fmt: skip


def test_before_and_after_a_date_counts_quiet_days_as_zero(full) -> None:
    cut = date(2025, 10, 30)
    days = Counter(local.date() for local, _, _ in written())
    calendar = [date(2025, 10, 20) + timedelta(n) for n in range(21)]
    for is_after, length, _, messages, mean, deviation, _ in ask(full, "before_and_after", cut=cut):
        counts = [days[d] for d in calendar if (d >= cut) == is_after]
        average = sum(counts) / len(counts)
        spread = (sum((n - average) ** 2 for n in counts) / len(counts)) ** 0.5
        assert (length, messages) == (len(counts), sum(counts))
        assert (mean, deviation) == (pytest.approx(average), pytest.approx(spread))


def test_joins_leaves_and_reactions(full) -> None:
    got = {row[0].day: row[1:3] for row in ask(full, "joins_and_leaves") if sum(row[1:3])}
    assert got == {21: (1, 0), 23: (0, 1)}
    notices = sum(row[3] for row in ask(full, "joins_and_leaves"))
    inside = [datetime.fromtimestamp(u["message"]["date"], SAO_PAULO).date() for u in group()
              if "new_chat_members" in u["message"]]  # fmt: skip
    assert notices == sum(date(2025, 10, 20) <= d <= date(2025, 11, 9) for d in inside)
    # 👍 to a bot's message; 🔥 added beside it, given to a person's, and to one not in the lake
    assert ask(full, "reactions") == [("🔥", 3, 1, 1, 1), ("👍", 1, 0, 1, 0)]


def test_coverage_counts_what_came_which_way(full) -> None:
    (row,) = ask(full, "coverage")
    everybody = written(people=False)
    bots = len(everybody) - len(written())
    assert row == (len(everybody), len(everybody), 0, 0, bots, 0, 0, 5, 0, 3, 1)


def test_agents_are_administrators_and_those_who_answer_many_whenever_they_did() -> None:
    chat, said = {"id": -1001, "type": "supergroup"}, []

    def write(who: int, to: int = 0, **more: object) -> None:
        number = len(said) + 1
        message = {"message_id": number, "chat": chat, "from": {"id": who, "is_bot": who == 7},
                   "date": MORNING + 86_400 * number, "text": "x", **more}  # fmt: skip
        if to:
            message["reply_to_message"] = said[to - 1]["message"]
        said.append({"update_id": number, "message": message})

    for who in (1, 2, 3, 4, 5, 5, 6):
        write(who)
    for to in range(1, 6):  # 100 answers five people, 200 five messages of four, the bot all
        write(100, to)
        write(200, max(2, to))
        write(7, to)
    write(1087968824, sender_chat=chat)
    member = {"user": {"id": 300, "is_bot": False}, "status": "member"}
    promoted = {"chat": chat, "from": {"id": 1, "is_bot": False}, "date": MORNING,
                "old_chat_member": member,
                "new_chat_member": {**member, "status": "administrator"}}  # fmt: skip
    connection = lake([*said, {"update_id": 99, "chat_member": promoted}])
    found = {(row[1], row[2]) for row in ask(connection, "agents")}
    answers, group = (100, "answers many"), (-1001, "writes as the group")
    assert found == {answers, group, (300, "administrator")}
    assert not ask(connection, "agents", chat=-1002)


def test_conversations_are_read_beyond_the_period_and_without_channel_posts() -> None:
    post = {
        "message_id": 1, "date": int(datetime(2025, 10, 25, tzinfo=UTC).timestamp()), "text": "x",
        "chat": {"id": OLD}, "from": {"id": 777000, "is_bot": False}, "sender_chat": {"id": -1009},
    }  # fmt: skip
    connection = lake([*group(), {"update_id": 1, "message": post}])
    rows = ask(connection, "conversation_messages", start="2025-10-24", end="2025-10-26")
    days = {row[5].date() for row in rows}
    assert (min(days), max(days)) == (date(2025, 10, 20), date(2025, 11, 11))
    assert 777000 not in {row[6] for row in rows}
    assert -1009 not in {row[6] for row in rows}


MORNING = int(datetime(2025, 10, 25, 12, tzinfo=UTC).timestamp())
PERSON, RULES = ({"id": 71, "is_bot": False}, {"id": 72, "is_bot": True})
CHANNEL = {"id": -1009, "type": "channel"}


def one(number: int, sender: dict | None = PERSON, **more: object) -> dict:
    """An update with one message, a minute after the one before it."""
    message = {
        "message_id": number,
        "date": MORNING + 60 * number,
        "chat": {"id": NEW},
        "from": sender,
    }
    return {"update_id": number, "message": message | ({"text": "x"} | more)}


def roles() -> list[dict]:
    """Messages of all kinds of authors, an album among them, and a copy of a channel's post."""
    copy = {"sender_chat": CHANNEL, "is_automatic_forward": True}
    group_bot, channel_bot = ({"id": n, "is_bot": True} for n in (1087968824, 136817688))
    album = {"text": None, "photo": [{}], "media_group_id": "5"}
    return [
        one(1, {"id": 777000, "is_bot": False}, **copy),
        one(2, group_bot, sender_chat={"id": NEW}),
        one(3, channel_bot, sender_chat=CHANNEL),
        one(4, RULES),
        *(one(n, **album) for n in (5, 6, 7)),
        one(8, text=None, video={}, media_group_id="5"),
        one(9, {"id": 73, "is_bot": False}, text=None, new_chat_title="Loja"),
        one(10, text=None, photo=[{}], edit_date=MORNING + 900),
    ]


def test_who_writes_as_a_chat_is_a_person_and_telegrams_copies_are_nobodys() -> None:
    connection = lake(roles())
    day = date(2025, 10, 25)
    assert ask(connection, "messages_per_day") == [(day, 8, 7, 1, 3, 0)]
    per_user = {row[1]: row[2:] for row in ask(connection, "messages_per_user_per_day")}
    assert per_user == {NEW: (False, 1), -1009: (False, 1), 71: (False, 5), 72: (True, 1)}
    assert {row[0] for row in ask(connection, "people")} == set(per_user)
    assert ask(connection, "coverage")[0][:7] == (8, 8, 0, 0, 1, 0, 1)
    (active,) = (row for row in ask(connection, "active_people") if row[0] == day)
    assert active[1:] == (3, 3, 3)
    assert len(ask(connection, "concentration")) == 3
    assert sum(row[2] for row in ask(connection, "messages_by_hour_and_weekday")) == 7
    found = ask(connection, "conversation_messages")
    assert [(row[6], row[17]) for row in found] == [
        (NEW, "chat"), (-1009, "chat"), (72, "bot"), *[(71, "person")] * 5
    ]  # fmt: skip
    assert all(row[6] == row[16] for row in found)
    assert all(row[7] == (row[17] == "bot") and row[8] == (row[17] == "chat") for row in found)


def test_asking_for_privacy_is_no_part_of_a_conversation() -> None:
    command = {"type": "bot_command", "offset": 0}
    asked = [
        one(n, text=text, entities=[command | {"length": len(text)}])
        for n, text in enumerate(("/privacy", "/privacy@loja_bot", "/forget", "/pedido"), 1)
    ]
    found = ask(lake([*asked, one(5)]), "conversation_messages")
    assert [row[2] for row in found] == [4, 5]
    assert ask(lake(asked), "messages_per_day")[0][1] == 4  # messages they are


def test_an_album_is_one_thing_that_somebody_sent() -> None:
    assert ask(lake(roles()), "messages_by_content_type") == [
        ("text", 3, 2, 1, 0, 0),
        ("photo", 2, 2, 0, 1, 0),
    ]


def test_authors_of_whom_nothing_is_known_count_as_people_and_are_told() -> None:
    history = [one(1, {"id": 71}), one(2, {"id": 72}), one(3, None), one(4, RULES)]
    for older, bots in ((False, {72}), (False, ()), (True, ())):
        connection = lake(history, older=older, source="history", bots=bots)
        by_bots = 1 + len(bots)
        unknown = 4 - by_bots
        (row,) = ask(connection, "messages_per_day")
        assert row[1:] == (4, 4 - by_bots, by_bots, 2 - len(bots), unknown)
        (row,) = ask(connection, "messages_by_content_type")
        assert row[1:] == (4, 4 - by_bots, by_bots, 0, unknown)
        assert ask(connection, "coverage")[0][4:6] == (by_bots, unknown)


def test_in_a_topic_and_under_a_post_only_real_replies_count() -> None:
    topic = {"message_thread_id": 40, "is_topic_message": True}
    first = {"message_id": 40, "from": PERSON, "forum_topic_created": {"name": "Entregas"}}
    post = {"message_id": 50, "from": {"id": 777000}, "is_automatic_forward": True}
    connection = lake(
        [
            one(41, reply_to_message=first, **topic),
            one(42, RULES, reply_to_message=first, **topic),
            one(43, reply_to_message={"message_id": 42, "from": RULES}, **topic),
            one(44, text=None, forum_topic_edited={"name": "Envios"}, **topic),
            one(45, reply_to_message=first, **topic),
            one(51, reply_to_message=post, message_thread_id=50),
            one(52, reply_to_message={"message_id": 51, "from": PERSON}, message_thread_id=50),
            one(60, reply_to_message={"message_id": 52, "from": PERSON}, message_thread_id=52),
        ]
    )
    replies = {row[0]: row[4:6] for row in ask(connection, "people")}
    assert replies == {71: (3, 2), 72: (0, 0)}
    found = ask(connection, "conversation_messages")
    assert [(row[2], row[3], row[12], row[18], row[19]) for row in found] == [
        (41, 40, None, "Entregas", None),
        (42, 40, None, "Entregas", None),
        (43, 40, 42, None, None),
        (45, 40, None, "Entregas", None),
        (51, 50, None, None, True),
        (52, 50, 51, None, True),
        (60, None, 52, None, None),
    ]
    by_topic = ask(connection, "messages_by_topic")
    assert [(row[1], row[2], row[6]) for row in by_topic] == [(40, 3, "Envios"), (None, 3, None)]


def test_a_message_with_an_impossible_date_breaks_no_question() -> None:
    strange = [0, 5, 10**17]
    messages = [
        {"update_id": n, "message": {"message_id": n, "date": d, "chat": {"id": OLD}, "text": "x"}}
        for n, d in enumerate(strange)
    ]
    connection = lake(messages)
    for name in NAMES:
        rows = ask(connection, name)
        assert not (name == "messages_per_day" and rows)


def said(number: int, day: int, who: int, text: str = "oi", to: int = 0) -> dict:
    """A message of a day of November 2025 (of October: below 1), maybe in reply to another."""
    moment = datetime(2025, 11, 1, 15, tzinfo=UTC) + timedelta(days=day - 1)
    message = {
        "message_id": number,
        "from": {"id": who, "is_bot": who == 999, "first_name": "P"},
        "chat": {"id": OLD, "type": "group", "title": "Loja"},
        "date": int(moment.timestamp()),
        "text": text,
    }
    reply = {"reply_to_message": {"message_id": to, "from": {"id": 1}}} if to else {}
    return {"update_id": number, "message": message | reply}


def rows_of(updates: list[dict], name: str, start: str, end: str) -> list[tuple]:
    sql = questions.fill(questions.sql_of(name), {"start": start, "end": end})
    return lake(updates).execute(questions.translate(sql)).fetchall()


def test_reply_pairs_are_of_people_and_of_the_period() -> None:
    updates = [
        said(1, 3, 5), said(2, 3, 6, to=1), said(3, 4, 6, to=1), said(4, 4, 5, to=2),
        said(5, 4, 999, to=1), said(6, 4, 5, to=5), said(7, 4, 5, to=4), said(8, 9, 6, to=1),
        said(9, 2, 6, to=1),
    ]  # fmt: skip
    found = rows_of(updates, "reply_pairs", "2025-11-03", "2025-11-08")
    assert found == [(6, 5, 2), (5, 6, 1)], "no bots, no replies to oneself, no other days"


def test_domains_are_counted_by_link_and_by_person() -> None:
    updates = [
        said(1, 3, 5, "veja https://www.Loja.example/a?b e http://loja.example"),
        said(2, 3, 6, "https://loja.example/c, https://outra.example.br)"),
        said(3, 3, 999, "https://loja.example"),
        said(4, 9, 5, "https://loja.example"),
        said(5, 3, 5, "loja.example sem nada"),
    ]
    found = rows_of(updates, "shared_domains", "2025-11-03", "2025-11-08")
    assert found == [("loja.example", 3, 2), ("outra.example.br", 1, 1)]


def test_fallen_silent_are_who_wrote_in_each_of_four_weeks_and_not_in_the_last_three() -> None:
    end = 30  # of November; the last three weeks begin on the 10th
    weeks = (end - 21, end - 28, end - 35, end - 42)
    updates = [said(n, day, 5) for n, day in enumerate(weeks, 1)]
    updates += [said(10 + n, day, 6) for n, day in enumerate(weeks[:3])]
    updates += [said(20 + n, day, 7) for n, day in enumerate((*weeks, end - 20))]
    updates += [said(30 + n, day, 999) for n, day in enumerate(weeks)]
    updates += [said(40 + n, day - 6, 8) for n, day in enumerate(weeks)]
    updates += [said(50 + n, day - 7, 9) for n, day in enumerate(weeks)]
    found = rows_of(updates, "fallen_silent", "2025-11-30", "2025-11-30")
    assert [(user, messages, silent) for user, messages, _, silent in found] == [
        (5, 4, 21), (8, 4, 27),
    ]  # fmt: skip
    assert found[0][2] == date(2025, 11, 9)
