"""A person is erased from a lake on the local stack; a search of all bytes proves it."""

import gzip
import json
import zipfile
from dataclasses import replace
from datetime import date

import boto3
import obstore
import pytest

from tests import payloads as p
from tests.functional.zones import Zones
from tgpipeline import cli, deploy, history
from tgpipeline.deploy import health
from tgpipeline.errors import LakeError, SettingsError
from tgpipeline.etl.pseudonyms import Pseudonyms
from tgpipeline.lake import keys
from tgpipeline.privacy import erase, export, search
from tgpipeline.privacy.survey import Request

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
    """Every version of every object, searched by words alone."""
    where, wanted = [], search.pattern(words)
    for bucket in (zones.settings.raw_bucket, zones.settings.enriched_bucket):
        for one in zones.s3.list_object_versions(Bucket=bucket).get("Versions", []):
            version = {} if one["VersionId"] == "null" else {"VersionId": one["VersionId"]}
            got = zones.s3.get_object(Bucket=bucket, Key=one["Key"], **version)
            if search.holds(got["Body"].read(), wanted, one["Key"]):
                where.append(one["Key"])
    return where


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


@pytest.mark.parametrize("stage", ["put_object", "delete_objects", "own", "etl"])
def test_broken_off_and_run_again(zones, stage, monkeypatch):
    fill(zones)
    before, one = others(zones), erasure(zones)

    def broken(*_, **__):
        raise LakeError("the power went")

    if stage == "etl":
        monkeypatch.setattr(erase.handler, "run", broken)
    elif stage == "own":
        delete, own = one._delete, one.plan.own

        def half(bucket, names):
            delete(bucket, names[:2] if names is own else names)
            return broken() if names is own else None

        monkeypatch.setattr(one, "_delete", half)
    else:
        call, calls = getattr(one.lake.s3, stage), []

        def once(**how):
            calls.append(how)
            return broken() if len(calls) > 2 or stage == "delete_objects" else call(**how)

        monkeypatch.setattr(one.lake.s3, stage, once)
    with pytest.raises(LakeError, match="power"):
        one.run()
    monkeypatch.undo()
    assert erasure(zones).run() == []
    assert found(zones) == []
    assert others(zones) == before


def test_former_versions_go_too(zones):
    for bucket in (zones.settings.raw_bucket, zones.settings.enriched_bucket):
        zones.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    fill(zones)
    assert erasure(zones).run() == []
    assert found(zones) == []
    for bucket in (zones.settings.raw_bucket, zones.settings.enriched_bucket):
        boto3.resource("s3").Bucket(bucket).object_versions.delete()


def test_a_day_whose_raw_expired_is_filtered(zones):
    fill(zones)
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
    assert health._requests(wanted)[1:] == ("none", True)
    assert health._erasures(wanted)[1:] == ("none in the last 48 hours", True)
    fill(zones)
    assert health._requests(wanted)[1:] == (
        f"1 people asked: `tgpipeline erase --user {ID}`",
        False,
    )
    one = erasure(zones)
    with monkeypatch.context() as patch:
        patch.setattr(one, "_filter", None)
        patch.setattr(erase.handler, "run", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            one.run()
    assert "broke off" in health._erasures(wanted)[1]
    assert erasure(zones).run() == []
    assert health._erasures(wanted)[1].startswith("1 in the last 48 hours")
    assert health._requests(wanted)[1:] == ("none", True)


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


def test_up_to_a_day_alone(zones):
    fill(zones)
    assert erasure(zones, limited=True).plan
    assert erase.Erasure(zones.settings, Request(ID, p.NOON + 1, limited=True)).run() == []
    assert 1 not in {row["message_id"] for row in zones.rows(DAY)}


@pytest.mark.parametrize(
    ("given", "told"),
    [(["--user", "999999"], "nothing of user 999999"), (["--user", "-42"], "is a chat's id"),
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
