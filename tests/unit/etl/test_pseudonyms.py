"""With a key the tables say nothing of who people are, and the same of everything else."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from obstore.store import LocalStore, MemoryStore

from tests import edge
from tests import payloads as p
from tgpipeline import ingest
from tgpipeline.analytics import from_export
from tgpipeline.analytics.answers import Answers
from tgpipeline.errors import SettingsError
from tgpipeline.etl import handler
from tgpipeline.etl.pseudonyms import ID_COLUMNS, NAME_COLUMNS, TEXT_COLUMNS, Pseudonyms
from tgpipeline.lake import columns, keys, stores
from tgpipeline.lake.erasing import REVEALING
from tgpipeline.local import replay
from tgpipeline.settings import Settings

DAY, NEXT = date(2025, 11, 28), date(2025, 11, 29)
KEY = "0123456789abcdef0123456789"
DOCS = Path(__file__).parents[3] / "docs" / "privacy.md"
SECRETS = ("Bia", "Nunes", "bia_nunes", str(p.BIA["id"]), str(p.SUPERGROUP), "Clientes")


def filled():
    raw = MemoryStore()
    reply = p.message(1, text="oi")
    given = [
        (DAY, p.text(1, "oi, sou a @bia_nunes, fone (11) 91234-5678")),
        (DAY, p.text(2, "bom dia", sender=p.RUI, reply_to_message=reply)),
        (DAY, p.text(3, "sou o bot", sender=p.BOT)),
        (DAY, p.update(4, "callback_query", {"from": p.BIA, "data": "bia@loja.com"})),
        (NEXT, p.text(5, "de novo", date=p.NOON + 86_400)),
    ]
    for day, update in given:
        raw.put(keys.update_key(update["update_id"], day), p.raw(update))
    return raw


def rows(enriched, table="messages", days=(DAY, NEXT)):
    return [row for day in days for row in edge.table(enriched, table, day).to_pylist()]


def test_no_person_is_left_and_all_else_is_the_same():
    raw, plain, secret = filled(), MemoryStore(), MemoryStore()
    edge.run(raw, plain, [DAY, NEXT])
    ledgers = edge.run(raw, secret, [DAY, NEXT], pseudonym_key=KEY)
    assert edge.total(ledgers, "collisions") == 0
    for table in ("messages", "events"):
        known, hidden = rows(plain, table), rows(secret, table)
        assert not any(word in repr(hidden) for word in SECRETS)
        changed = ID_COLUMNS | NAME_COLUMNS | TEXT_COLUMNS | {"payload", "old_value", "new_value"}
        same = [c.name for c in columns.TABLES[table] if c.name not in changed]
        same.remove("context_timestamp")
        left = [sorted(repr([row[n] for n in same]) for row in found) for found in (known, hidden)]
        assert left[0] == left[1]
    bia = {row["from_id"] for row in rows(secret) if row["message_id"] in (1, 5)}
    assert len(bia) == 1  # the same on both days
    reply = next(row for row in rows(secret) if row["message_id"] == 2)
    assert {reply["reply_to_from_id"]} == bia
    assert reply["chat_id"] < 0 < reply["from_id"] < 2**63
    first = rows(secret)[0]  # what is said of a user in a text has the user's own pseudonym
    assert first["text"] == f"oi, sou a @{first['from_username']}, fone (00) 00000-0000"


def test_another_key_or_none_is_refused():
    raw, enriched = filled(), MemoryStore()
    edge.run(raw, enriched, [DAY], pseudonym_key=KEY)
    before = rows(enriched, days=[DAY])
    for key in ("", KEY[::-1]):
        with pytest.raises(SettingsError, match="PSEUDONYM_KEY"):
            edge.run(raw, enriched, [DAY], pseudonym_key=key)
    assert rows(enriched, days=[DAY]) == before
    edge.run(raw, enriched, [DAY], rebuild=True)
    assert "Bia" in repr(rows(enriched, days=[DAY]))


def test_a_bot_met_later_is_found_under_its_pseudonym():
    raw, enriched = MemoryStore(), MemoryStore()
    unknown = {"id": p.BOT["id"], "first_name": "Ajuda"}
    raw.put(keys.update_key(1, DAY), p.raw(p.text(1, "oi", sender=unknown)))
    edge.run(raw, enriched, [DAY], pseudonym_key=KEY)
    later = p.text(2, "olá", sender=p.BOT, date=p.NOON + 86_400)
    raw.put(keys.update_key(2, NEXT), p.raw(later))
    edge.run(raw, enriched, [DAY, NEXT], pseudonym_key=KEY)
    assert {row["author_kind"] for row in rows(enriched)} == {"bot"}


def test_telegrams_own_accounts_keep_their_ids_and_collisions_count(monkeypatch):
    made = Pseudonyms(KEY)
    assert [made.id(n) for n in (777000, 1087968824)] == [777000, 1087968824]
    assert columns.fit(made.id("7"), "int64") == (None, False)
    assert Pseudonyms("").id(7) == 7
    monkeypatch.setattr("tgpipeline.etl.pseudonyms.hashed", lambda key, what: "0" * 32)
    made.id(1), made.id(2)
    assert made.collisions == 1


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("meu CPF é 123.456.789-09", "meu CPF é 000.000.000-00"),
        ("CNPJ 12.345.678/0001-90", "CNPJ 00.000.000/0000-00"),
        ("my card 4111 1111 1111 1111, thanks", "my card 0000 0000 0000 0000, thanks"),
        ("call +55 11 91234-5678, a.b@shop.co.uk", "call +00 00 00000-0000, p@example.com"),
        ("o pedido 48534 da @Bia_Nunes", "o pedido 00000 da @p"),
        ("2 caixas às 10h", "2 caixas às 10h"),
    ],
)
def test_texts_lose_what_tells_who_somebody_is(text, left):
    made = Pseudonyms(KEY)._text(text)
    assert re.sub(r"p[0-9a-f]{8}", "p", made) == left
    hidden = REVEALING.sub("…", text)
    assert not re.search(r"[1-9@]", hidden.replace("2 caixas às 10h", ""))


def test_how_many_conversations_only_a_name_ties_together(tmp_path):
    """On the sample; docs/privacy.md says the number."""
    raw, chats = MemoryStore(), (-4123456789, -1004123456789)
    settings = Settings.from_env(env={}, raw_bucket="raw", chat_ids=chats)
    s3 = edge.MemoryS3(raw)
    for line in replay.lines():
        if "body" in line:
            when = datetime.fromtimestamp(line["at"], UTC)
            ingest.store(p.raw(line["body"]), settings, s3, when)
        elif "sent" in line:
            stores.archive(settings, s3)(line["sent"])
    days = [replay.FIRST + timedelta(n) for n in range((replay.LAST - replay.FIRST).days + 1)]
    found = []
    for key in ("", KEY):
        folder = tmp_path / f"lake{key}"
        folder.mkdir()
        edge.run(raw, LocalStore(folder), days, chat_ids=chats, pseudonym_key=key)
        lake = from_export.DuckDB(folder, "America/Sao_Paulo")
        answers = Answers(lake, start=replay.FIRST, end=replay.LAST, language="pt")
        found.append(answers.conversations)
        per_day = answers.ask("messages_per_day")
        found.append(per_day)
    plain, plain_days, hidden, hidden_days = found
    assert plain_days.equals(hidden_days)
    which = ["message_id", "messages", "minutes"]
    same = plain[which].merge(hidden[which])
    assert f"{len(same)} of {len(plain)} conversations" in DOCS.read_text("utf-8")
    assert len(same) > 0.95 * len(plain)


def test_a_day_of_which_raw_objects_expired_stays():
    raw, enriched = filled(), MemoryStore()
    edge.run(raw, enriched, [DAY])
    before = rows(enriched, days=[DAY])
    raw.delete(keys.update_key(1, DAY))
    (ledger,) = edge.run(raw, enriched, [DAY]).values()
    assert ledger.status == "raw expired"
    assert rows(enriched, days=[DAY]) == before
    (ledger,) = edge.run(raw, enriched, [DAY], rebuild=True).values()
    assert (ledger.status, ledger.messages) == ("written", 2)
    assert handler.TOTALS[0] == "objects"
