"""A person is erased from a lake on the local stack; a search of all bytes proves it."""

import gzip
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import boto3
import obstore
import pyarrow.parquet as pq
import pytest

from tests import edge
from tests import payloads as p
from tests.functional.proxy import Fault, Proxy
from tests.functional.zones import Zones
from tgpipeline import batch, cli, deploy, history
from tgpipeline.deploy import health
from tgpipeline.errors import LakeError, SettingsError
from tgpipeline.etl import making
from tgpipeline.etl.pseudonyms import Pseudonyms
from tgpipeline.lake import keys
from tgpipeline.privacy import erase, export
from tgpipeline.privacy.buckets import Buckets, Stored
from tgpipeline.privacy.person import Request

DAY, NEXT = date(2025, 11, 28), date(2025, 11, 29)
UNTIL = p.NOON + 10 * 86_400
BIA, RUI, ID = p.BIA, p.RUI, p.BIA["id"]
WORDS = "Comprei a chaleira verde e ela chegou quebrada"
LATER = p.NOON + 86_400
GONE = [str(ID), "bia_nunes", "Nunes", "Bia", WORDS, "chaleira verde"]


def updates():
    """Rui speaks; Bia speaks, is answered, quoted, forwarded, mentioned, added, pinned; reacts."""
    own = p.message(1, text=WORDS)
    by_rui = {"sender": RUI}
    origin = {"type": "user", "sender_user": BIA, "date": p.NOON}
    mention = [{"type": "text_mention", "offset": 3, "length": 3, "user": BIA}]
    member = {"status": "member", "user": BIA}
    return [
        p.update(1, content=own),
        p.update(2, "edited_message", own | {"edit_date": p.NOON + 5, "text": WORDS + "!"}),
        p.text(3, "qual?", **by_rui, reply_to_message=own, quote={"text": "chaleira verde"}),
        p.text(4, WORDS, **by_rui, forward_origin=origin),
        p.text(5, "oi Bia, tudo bem?", **by_rui, entities=mention, date=LATER),
        p.text(6, "fala com @bia_nunes ou t.me/bia_nunes", **by_rui, date=LATER),
        p.text(7, "bom dia a todos do grupo", **by_rui),
        p.update(8, content=p.message(8, **by_rui, new_chat_members=[BIA, RUI])),
        p.update(9, content=p.message(9, **by_rui, pinned_message=own)),
        p.update(10, "message_reaction", {"chat": p.CHAT, "message_id": 7, "user": BIA,
            "date": p.NOON, "new_reaction": [{"type": "emoji", "emoji": "👍"}]}),
        p.update(11, "chat_member", {"chat": p.CHAT, "from": RUI, "date": p.NOON,
            "old_chat_member": {"status": "left", "user": BIA}, "new_chat_member": member}),
        p.update(12, "message_reaction", {"chat": p.CHAT, "message_id": 1, "user": RUI,
            "date": p.NOON, "new_reaction": [{"type": "emoji", "emoji": "🎉"}]}),
        p.update(13, content=p.message(13, **by_rui, contact={"phone_number": "+5511900001111",
            "first_name": "Bia", "user_id": ID})),
    ]  # fmt: skip


def fill(zones: Zones) -> None:
    zones.put(*updates())
    prefix = keys.partition(keys.RAW, DAY)
    line = {"message": p.message(90, text="de antes", sender=RUI, reply_to_message=p.message(1))}
    lines = [line, {"message": p.message(91, text="também de antes, da Bia")}]
    body = b"".join(p.raw(one) + b"\n" for one in lines)
    obstore.put(zones.raw, f"{prefix}history-abc.ndjson", body)
    batch = [p.text(93, "em lote", sender=RUI), p.text(94, "também em lote, da Bia")]
    body = b"".join(p.raw(one) + b"\n" for one in batch)
    obstore.put(zones.raw, f"{prefix}batch-abc.ndjson", body)
    sent = p.message(92, sender=p.BOT, text="Olá Bia Nunes, seu pedido saiu")
    obstore.put(zones.raw, f"{prefix}sent-{p.SUPERGROUP}-92.json", json.dumps(sent).encode())
    obstore.put(zones.raw, f"quarantine/context_date={DAY}/a.bin", b'{"from": {"id": %d' % ID)
    obstore.put(zones.raw, f"quarantine/context_date={DAY}/b.bin", b"not of anybody")
    obstore.put(zones.raw, keys.request_key(ID), b"{}")
    obstore.put(zones.enriched, "athena-results/1.csv", f'"name"\n"{WORDS}"\n"Bia"\n'.encode())
    obstore.put(zones.enriched, "athena-results/2.csv.gz", gzip.compress(b"bia_nunes"))
    obstore.put(zones.enriched, "athena-results/3.csv", b'"Rui"\n')
    zones.run(DAY, NEXT)
    obstore.put(zones.raw, "telegram/readme.txt", b"of nobody")
    obstore.put(zones.enriched, "telegram/messages/context_date=x/a.parquet", b"PAR1 not PAR1")


def found(zones: Zones, words=GONE) -> list[str]:
    """Every version of every object, its tags and metadata too, that says one of these words.

    It reads by itself, with nothing of the package.
    """
    where, s3 = [], zones.s3
    wanted = re.compile(rf"(?i)(?<!\w)({'|'.join(map(re.escape, words))})(?!\w)")
    for bucket in (zones.settings.raw_bucket, zones.settings.enriched_bucket):
        listed = s3.list_object_versions(Bucket=bucket)
        for one in listed.get("Versions", []) + listed.get("DeleteMarkers", []):
            said = one["Key"]
            if "Size" in one:
                version = {} if one["VersionId"] == "null" else {"VersionId": one["VersionId"]}
                which = {"Bucket": bucket, "Key": one["Key"]} | version
                got = s3.get_object(**which)
                tags = s3.get_object_tagging(**which)["TagSet"]
                said = f"{said} {got['Metadata']} {tags} {opened(got['Body'].read())}"
            if wanted.search(said):
                where.append(one["Key"])
    return where


def opened(body: bytes) -> str:
    """What bytes say: unzipped, each cell of a Parquet, JSON's escapes undone."""
    body = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
    if body[:4] == body[-4:] == b"PAR1" and len(body) > 20:
        file = pq.ParquetFile(io.BytesIO(body))
        cells = [str(v) for row in file.read().to_pylist() for v in row.values()]
        return " ".join([*cells, str(file.metadata.metadata)])
    text = body.decode("utf-8", "replace")
    return text + re.sub(r"\\u([0-9a-f]{4})", lambda m: chr(int(m[1], 16)), text)


def erasure(zones: Zones, **how) -> erase.Erasure:
    return erase.Erasure(zones.settings, Request(ID, UNTIL, **how))


def others(zones: Zones) -> list[tuple]:
    names = (
        "message_id",
        "from_id",
        "from_first_name",
        "date",
        "content_type",
        "reply_to_message_id",
    )
    rows = [row for day in (DAY, NEXT) for row in zones.rows(day)]
    return [tuple(row[n] for n in names) for row in rows if row["from_id"] != ID]


def test_nothing_is_left_of_them_and_all_else_stays(zones):
    fill(zones)
    before, assets = others(zones), found(zones)
    assert len(assets) > 12
    plan = erasure(zones).plan
    assert plan.days == {DAY, NEXT}
    assert found(zones) == assets  # a plan changes nothing
    assert erasure(zones).run() == []
    assert found(zones) == []
    assert others(zones) == before
    texts = {row["message_id"]: row["text"] for day in (DAY, NEXT) for row in zones.rows(day)}
    assert texts[7] == "bom dia a todos do grupo"
    assert texts[5] == "oi …, tudo bem?".replace("…", "…" * 3)
    assert texts[3] == "qual?"
    assert 1 not in texts
    events = zones.rows(DAY, "events")
    assert [row["update_id"] for row in events] == [12]
    left = {key["path"] for page in zones.raw.list() for key in page}
    assert f"quarantine/context_date={DAY}/b.bin" in left
    (record,) = [key for key in left if key.startswith("erasures/")]
    assert set(json.loads(zones.raw.get(record).bytes().to_bytes())) == {
        "day", "updates", "objects", "days", "digest"
    }  # fmt: skip


def test_late_updates_and_imports_are_left_out(zones, tmp_path):
    fill(zones)
    erasure(zones).run()
    zones.put(updates()[0], updates()[2])  # Telegram sends them again
    zones.put(p.text(20, "voltei", date=UNTIL + 60))
    ledger = zones.run(DAY)[str(DAY)]
    assert (ledger.erased, ledger.status) == (1, "written")
    assert ID not in {row["reply_to_from_id"] for row in zones.rows(DAY)}
    back = date(2025, 12, 8)
    assert zones.run(back)[str(back)].erased == 0
    assert zones.rows(back)[0]["from_id"] == ID
    export = tmp_path / "result.json"
    records = [{"id": n, "type": "message", "from": "x", "from_id": f"user{who}", "text": "oi",
        "date_unixtime": str(p.NOON)} for n, who in ((50, ID), (51, RUI["id"]))]  # fmt: skip
    chat = {"name": "Clientes", "type": "private_supergroup", "id": 4111222333}
    export.write_text(json.dumps(chat | {"messages": records}))
    done = history.import_export(export, zones.settings, chat=p.SUPERGROUP, store=zones.raw)
    assert done.skipped == {"written by somebody who was erased": 1}


def test_names_in_what_comes_late_are_left_out_and_found_again(zones, tmp_path):
    fill(zones)
    erasure(zones).run()
    late = [
        p.text(30, "a Bia e a @Bia_Nunes pediram; a Nunes também", sender=RUI),
        p.text(31, "oi", sender=RUI, forward_origin={"type": "hidden_user", "date": p.NOON,
            "sender_user_name": "Bia Nunes"}),
        p.text(32, "a outra Bia chegou", sender=RUI, date=UNTIL + 5),
    ]  # fmt: skip
    zones.put(*late)
    records = [{"messageId": str(n), "body": p.raw(one).decode(), "attributes": {}}
        for n, one in enumerate((p.text(40, "na fila", sender=BIA), p.text(41, sender=RUI)))
    ]  # fmt: skip
    assert batch.store(records, zones.settings, zones.s3) == []
    ledger = zones.run(DAY)[str(DAY)]
    assert ledger.erased == 1  # what the queue still held
    rows = {row["message_id"]: row["text"] for row in zones.rows(DAY)}
    assert rows[30] == "a ……… e a @……………………… pediram; a …………… também"
    assert (rows[31], rows[41]) == ("…", "oi")
    back = date(2025, 12, 8)
    zones.run(back)
    assert zones.rows(back)[0]["text"] == "a outra Bia chegou"  # after the erasure
    assert len(found(zones)) == 5
    again = erasure(zones)
    assert again.plan.updates == {"own": 1, "mixed": 3}
    assert again.run() == []
    assert found(zones) == []


@pytest.mark.parametrize("spoilt", [b"{", b"null", b"[1]"])
def test_a_spoilt_marker_is_written_anew(zones, spoilt):
    fill(zones)
    erasure(zones).run()
    (marker,) = [key for key in _marker_names(zones) if not key.endswith("/key")]
    obstore.put(zones.raw, marker, spoilt)
    zones.put(updates()[0])  # as no marker tells, it comes back; the person is erased once more
    zones.run(DAY)
    assert erasure(zones).run() == []
    assert found(zones) == []
    assert json.loads(zones.raw.get(marker).bytes().to_bytes())["until"] == UNTIL


def _marker_names(zones: Zones) -> list[str]:
    return [key["path"] for page in zones.raw.list(f"{keys.ERASED}/") for key in page]


def test_an_etl_that_is_slower_than_an_erasure_makes_its_days_again(zones):
    fill(zones)
    before, made = others(zones), []

    def slow(lake, days):
        """Puts, at its first try, what it had read before somebody was erased."""
        if not made:
            stale = {t: keys.enriched_key(t, DAY) for t in ("messages", "events")}
            stale = {key: zones.enriched.get(key).bytes().to_bytes() for key in stale.values()}
            assert erasure(zones).run() == []
            for key, body in stale.items():
                obstore.put(zones.enriched, key, body)
            assert found(zones)
        else:
            making.make(lake, days)
        made.append(len(days))

    zones.run(DAY, rebuild=True, make=slow)
    assert made == [1, 1]
    assert found(zones) == []
    assert others(zones) == before


def test_an_etl_that_lists_before_and_reads_after_an_erasure(zones):
    fill(zones)
    before, made = others(zones), []

    def late(lake, days):
        if not made:
            assert erasure(zones).run() == []
        made.append(len(days))
        making.make(lake, days)

    zones.run(DAY, NEXT, rebuild=True, make=late)
    assert made == [1, 1, 1, 1]
    assert found(zones) == []
    assert others(zones) == before


def test_an_import_during_an_erasure_says_what_to_do(zones, tmp_path, monkeypatch):
    fill(zones)
    file = tmp_path / "result.json"
    record = {"id": 60, "type": "message", "from": "x", "from_id": f"user{ID}", "text": "oi",
        "date_unixtime": str(p.NOON)}  # fmt: skip
    chat = {"name": "Clientes", "type": "private_supergroup", "id": 4111222333}
    file.write_text(json.dumps(chat | {"messages": [record]}))
    lines = history.HistoryLines

    def slow(store):
        assert erasure(zones).run() == []
        return lines(store)

    monkeypatch.setattr(history, "HistoryLines", slow)
    done = history.import_export(file, zones.settings, chat=p.SUPERGROUP, store=zones.raw)
    monkeypatch.undo()
    assert done.new == 1
    assert "somebody was erased meanwhile" in str(done)
    assert zones.run(DAY)[str(DAY)].erased == 1
    assert erasure(zones).run() == []
    assert found(zones) == []


def test_cold_objects_are_to_be_restored_first(zones, monkeypatch):
    fill(zones)
    key = f"{keys.partition(keys.RAW, DAY)}history-cold.ndjson"
    line = p.raw({"message": p.message(95)}) + b"\n"
    zones.s3.put_object(
        Bucket=zones.settings.raw_bucket, Key=key, Body=line, StorageClass="DEEP_ARCHIVE"
    )
    before = zones.everything()
    with pytest.raises(LakeError, match=rf"{key} .* is in class DEEP_ARCHIVE.*nothing was"):
        erasure(zones)
    zones.s3.restore_object(Bucket=zones.settings.raw_bucket, Key=key, RestoreRequest={"Days": 2})
    with pytest.raises(LakeError, match="is being restored"):
        erasure(zones)
    assert zones.everything() == before
    buckets = Buckets(zones.settings, zones.s3)
    told = {"Restore": 'ongoing-request="false", expiry-date="Fri, 21 Dec 2029 00:00:00 GMT"'}
    monkeypatch.setattr(buckets.s3, "head_object", lambda **_: told)
    assert key in {one.key for one in buckets.current(zones.settings.raw_bucket)}


def test_two_erasures_at_once_lose_nothing(zones):
    """Both rewrite one object: the slower writes what the other has left."""
    fill(zones)
    buckets = Buckets(zones.settings, zones.s3)
    one = Stored(zones.settings.raw_bucket, keys.update_key(7, DAY))
    bodies = []

    def rewritten(_key, body):
        bodies.append(body)
        if len(bodies) == 1:
            zones.s3.put_object(Bucket=one.bucket, Key=one.key, Body=body.replace(b"bom", b"mau"))
        return body.replace(b"grupo", b"mundo")

    buckets.rewrite([one], rewritten)
    assert b"mau dia a todos do mundo" in zones.raw.get(one.key).bytes().to_bytes()
    assert len(bodies) == 2


def test_numbers_that_happen_to_be_equal_to_the_id_are_nobodys(zones):
    who = {"id": p.NOON, "is_bot": False, "first_name": "Xavier"}  # such ids were given in 2021
    zones.put(
        p.text(p.NOON, "de outra pessoa", sender=RUI),  # its update_id and date are that number
        p.text(2, "vai embora", sender=who),
        p.text(3, "e isto fica", sender=RUI, reply_to_message=p.message(2, sender=who)),
    )
    zones.run(DAY)
    one = erase.Erasure(zones.settings, Request(p.NOON, UNTIL))
    assert (len(one.plan.own), len(one.plan.mixed), one.plan.days) == (1, 1, {DAY})
    assert one.run() == []
    assert found(zones, ["Xavier", "vai embora", f'"id": {p.NOON}']) == []
    assert [row["text"] for row in zones.rows(DAY)] == ["e isto fica", "de outra pessoa"]
    with pytest.raises(LakeError, match="nothing of user"):
        erase.Erasure(zones.settings, Request(p.NOON, UNTIL))


@pytest.fixture
def versioned(zones):
    """Both buckets keep versions."""
    on = {"Status": "Enabled"}
    buckets = (zones.settings.raw_bucket, zones.settings.enriched_bucket)
    for bucket in buckets:
        zones.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=on)
    yield zones
    for bucket in buckets:
        boto3.resource("s3").Bucket(bucket).object_versions.delete()


def killed_at(zones: Zones, write: int, when: str) -> bool:
    """Whether `tgpipeline erase`, a process of its own, was killed at its n-th write to S3."""
    fault = Fault("PUT POST", skip=write - 1, count=1, kill=when)
    with Proxy(zones.settings.endpoint_url, fault) as proxy:
        variables = {
            "AWS_ENDPOINT_URL": proxy.url,
            "AWS_S3_BUCKET": zones.settings.raw_bucket,
            "AWS_S3_ENRICHED": zones.settings.enriched_bucket,
        }
        command = [sys.executable, "-m", "tgpipeline", "erase", "--user", str(ID)]
        process = subprocess.Popen(command, env=os.environ | variables, stdout=subprocess.DEVNULL)
        proxy.client = process.pid
        code = process.wait(120)
    assert code in (0, 1, -9)  # 1: nothing of them is left
    return code == -9


# Of 23 writes: the first marker, objects rewritten, versions deleted, the own objects, the first
# table made anew, the last table's versions, the record, the last marker.
@pytest.mark.parametrize(
    ("write", "when"),
    [(1, "after"), (5, "before"), (13, "after"), (16, "before"), (16, "after"), (18, "after"),
     (21, "before"), (22, "after"), (23, "before")],
)  # fmt: skip
def test_killed_and_run_again(versioned, write, when):
    fill(versioned)
    before = others(versioned)
    assert killed_at(versioned, write, when)
    assert not killed_at(versioned, 10**6, when)
    assert found(versioned) == []
    assert others(versioned) == before
    assert health._erasures(deploy.Deployment.of(versioned.settings)).ok


def test_names_without_a_letter_are_not_told_as_shared(zones):
    fill(zones)
    zones.put(p.text(90, "oi", sender={"id": 7, "is_bot": False, "first_name": "🌸"}))
    assert erasure(zones).known.shared == set()


def test_former_versions_go_too(versioned):
    fill(versioned)
    assert erasure(versioned).run() == []
    assert found(versioned) == []


def test_a_day_whose_raw_expired_is_filtered(zones):
    fill(zones)
    command = [{"type": "bot_command", "offset": 0, "length": 10}]
    zones.put(p.text(90, "/bia_nunes", sender=RUI, entities=command))
    zones.run(DAY)
    names = [o["path"] for page in zones.raw.list(keys.partition(keys.RAW, DAY)) for o in page]
    for name in names[:-1]:
        zones.raw.delete(name)
    assert zones.run(DAY)[str(DAY)].status == "raw expired"
    before = others(zones)
    one = erasure(zones)
    assert one.plan.expired == {DAY}
    assert one.run() == []
    assert found(zones, [str(ID), "bia_nunes", "Nunes", "Bia"]) == []
    assert others(zones) == before
    assert zones.run(DAY)[str(DAY)].status == "raw expired"


def test_status_tells_of_requests_and_of_erasures(zones, monkeypatch):
    wanted = deploy.Deployment.of(zones.settings)
    assert health._requests(wanted)[1:3] == (True, "0 people asked")
    assert health._erasures(wanted)[1:3] == (True, "none in the last 48 hours")
    assert health._last_run(wanted).detail == "none yet"
    fill(zones)
    written = datetime.strptime(health._last_run(wanted).detail, "%Y-%m-%d %H:%M UTC")
    assert abs(written.replace(tzinfo=UTC) - datetime.now(UTC)) < timedelta(minutes=10)
    asked = (False, "1 people asked", f"Run `tgpipeline erase --user {ID}`.")
    assert health._requests(wanted)[1:] == asked
    one = erasure(zones)
    with monkeypatch.context() as patch:
        patch.setattr(erase.handler, "run", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            one.run()
    assert "broke off" in health._erasures(wanted).detail
    assert erasure(zones).run() == []
    assert health._erasures(wanted).detail.startswith("1 in the last 48 hours")
    assert health._requests(wanted)[1:3] == (True, "0 people asked")


def test_pseudonymous_tables_lose_them_too(zones):
    zones.settings = replace(zones.settings, pseudonym_key="k" * 32)
    fill(zones)
    user = Pseudonyms("k" * 32).id(ID)
    assert found(zones, [str(user)])
    for path in [o["path"] for page in zones.raw.list(f"{keys.RAW}/") for o in page][1:]:
        if str(NEXT) not in path:
            zones.raw.delete(path)  # expired: the tables alone know them
    with pytest.raises(SettingsError, match="PSEUDONYM_KEY"):
        erase.Erasure(replace(zones.settings, pseudonym_key=""), Request(ID, UNTIL))
    assert erasure(zones).run() == []
    assert found(zones, [str(user), str(ID)]) == []
    assert len(zones.rows(DAY)) > 5


def test_a_person_gets_what_is_theirs_alone(zones, tmp_path):
    fill(zones)
    counts = export.export(zones.settings, ID, tmp_path / "p.zip", zones.s3)
    with zipfile.ZipFile(tmp_path / "p.zip") as archive:
        told = {name: archive.read(name).decode() for name in archive.namelist()}
    own = [json.loads(line) for line in told["own.ndjson"].splitlines()]
    assert len(own) == counts["own.ndjson"] == 6
    assert WORDS in told["own.ndjson"]
    assert "bom dia" not in "".join(told.values())
    assert "qual?" not in "".join(told.values())
    assert [json.loads(line)["message_id"] for line in told["mentions.ndjson"].splitlines()]
    assert "a.bin" in told["quarantine.txt"]
    assert f'"from_id": {ID}' in told["tables.ndjson"]
    with pytest.raises(LakeError, match="nothing of user 999999"):
        export.export(zones.settings, 999999, tmp_path / "no.zip", zones.s3)
    assert not (tmp_path / "no.zip").exists()


def test_up_to_a_day_alone(zones, monkeypatch):
    fill(zones)
    assert erasure(zones, limited=True).plan
    with monkeypatch.context() as patch:
        patch.setattr(erase.handler, "run", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            erase.Erasure(zones.settings, Request(ID, p.NOON + 1, limited=True)).run()
    assert erase.Erasure(zones.settings, Request(ID, p.NOON + 1, limited=True)).run() == []
    assert 1 not in {row["message_id"] for row in zones.rows(DAY)}


def test_up_to_a_day_what_bears_no_date_counts_on_its_day(zones):
    zones.put(p.update(1, "poll_answer", {"poll_id": "1", "user": BIA, "option_ids": [0]}))
    zones.put(p.text(2, "de antes", date=p.NOON - 86_400))
    days = DAY - timedelta(1), edge.RECEIVED.date()
    zones.run(*days)
    assert erase.Erasure(zones.settings, Request(ID, p.NOON - 3600, limited=True)).run() == []
    assert [len(zones.rows(days[0])), len(zones.rows(days[1], "events"))] == [0, 1]


@pytest.mark.parametrize(
    ("given", "told"),
    [(["--user", "999999"], "nothing of user 999999"), (["--user", "-42"], "is a chat's id"),
     (["--user", "777000"], "Telegram's own"),
     (["--user", "5", "--chat", "7"], "is a person's id")],
)  # fmt: skip
def test_bad_input(zones, given, told, capsys, monkeypatch):
    fill(zones)
    before = zones.everything()
    monkeypatch.setenv("AWS_S3_BUCKET", zones.settings.raw_bucket)
    monkeypatch.setenv("AWS_S3_ENRICHED", zones.settings.enriched_bucket)
    assert cli.main(["erase", *given]) == 1
    assert told in capsys.readouterr().err
    assert zones.everything() == before
