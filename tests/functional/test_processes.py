"""Days in processes: the same rows and ledgers as one after the other."""

from dataclasses import asdict
from datetime import timedelta

import pytest

from tests import edge
from tests import payloads as p
from tests.functional.zones import Zones
from tgpipeline import cli
from tgpipeline.etl.handler import run
from tgpipeline.settings import Settings
from tgpipeline.telegram import updates

DAYS = [
    updates.context_date(p.message(), Settings.from_env(env={}).tz, edge.RECEIVED) + timedelta(n)
    for n in range(9)
]


def filled(zones: Zones) -> None:
    """On the last day an author proves to be a bot; before, its messages do not say so."""
    unknown = {"id": p.BOT["id"], "first_name": "Ajuda"}
    for number, _ in enumerate(DAYS):
        date = p.NOON + 86_400 * number
        sender = p.BOT if number == len(DAYS) - 1 else unknown
        zones.put(p.text(10 * number, date=date, sender=sender), p.text(10 * number + 1, date=date))


def test_processes_make_the_same_rows_and_a_bot_met_by_one_is_known_to_all(zones: Zones) -> None:
    filled(zones)
    made = {led.date: led for led in run(zones.settings, DAYS, jobs=2)}
    assert {led.balanced for led in made.values()} == {True}
    kinds = {row["author_kind"] for day in DAYS for row in zones.rows(day)}
    assert kinds == {"bot", "person"}
    rows, before = [zones.rows(day) for day in DAYS], {d: asdict(one) for d, one in made.items()}
    again = zones.run(*DAYS, rebuild=True)
    assert [zones.rows(day) for day in DAYS] == rows
    assert {d: asdict(one) for d, one in again.items()} == before
    unchanged = list(run(zones.settings, DAYS, jobs=2))
    assert [led.status for led in unchanged] == ["unchanged"] * len(DAYS)


def test_the_command_takes_jobs_and_an_engine_that_is_not_there_is_named(
    zones: Zones, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(zones)
    monkeypatch.setenv("AWS_S3_BUCKET", zones.settings.raw_bucket)
    monkeypatch.setenv("AWS_S3_ENRICHED", zones.settings.enriched_bucket)
    span = ["etl", "--from", DAYS[0].isoformat(), "--to", DAYS[-1].isoformat()]
    assert cli.main([*span, "--jobs", "2"]) == 0
    assert capsys.readouterr().out.count("written") >= len(DAYS)
    monkeypatch.setitem(__import__("sys").modules, "pyspark", None)
    assert cli.main([*span, "--engine", "spark"]) == 1
    assert "tgpipeline[spark]" in capsys.readouterr().err
