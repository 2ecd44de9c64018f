"""The command line: what it says, which exit codes it gives, and that it is documented."""

import json
import re
from pathlib import Path

import pytest

from tgpipeline import cli

ROOT = Path(__file__).parents[2]
COMMANDS = [command[0] for command in cli._COMMANDS]
UPDATE = {
    "update_id": 11,
    "message": {
        "message_id": 5,
        "date": 1764340200,
        "chat": {"id": -42, "type": "group"},
        "text": "cadê meu pedido?",
    },
}


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in ("AWS_S3_BUCKET", "AWS_S3_ENRICHED", "TELEGRAM_CHAT_ID", "TIMEZONE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_and_is_in_the_readme(command, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])
    assert ended.value.code == 0
    assert "usage: tgpipeline" in capsys.readouterr().out
    assert re.search(rf"`(tgpipeline )?{command}\b", (ROOT / "README.md").read_text("utf-8"))


def test_rows_prints_one_json_object_an_update(tmp_path, capsys):
    (tmp_path / "one.json").write_text(json.dumps(UPDATE), encoding="utf-8")
    (tmp_path / "two.json").write_text("not JSON", encoding="utf-8")
    assert cli.main(["rows", str(tmp_path)]) == 3
    one, two = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (one["file"], one["table"], one["text"]) == ("one.json", "messages", "cadê meu pedido?")
    assert one["sent_at"] == "2025-11-28T11:30:00"
    assert two["file"] == "two.json"
    assert "not JSON" in two["error"]


def test_a_missing_bucket_is_an_error_that_names_the_variable(capsys):
    assert cli.main(["etl", "--date", "2025-11-28"]) == 1
    said = capsys.readouterr()
    assert "AWS_S3_BUCKET and AWS_S3_ENRICHED not set" in said.err
    assert said.out == ""


def test_an_unknown_zone_is_refused(monkeypatch, capsys):
    monkeypatch.setenv("TIMEZONE", "America/Sao_Paolo")
    assert cli.main(["rows", "-"]) == 1
    assert "TIMEZONE is 'America/Sao_Paolo'" in capsys.readouterr().err


def test_a_wrong_command_line_exits_with_2():
    with pytest.raises(SystemExit) as ended:
        cli.main(["etl", "--date", "28/11/2025"])
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("argv", "days"),
    [
        (["--date", "2025-11-28"], ["2025-11-28"]),
        (
            ["--from", "2025-11-28", "--to", "2025-11-30"],
            ["2025-11-28", "2025-11-29", "2025-11-30"],
        ),
        (["--to", "2025-11-30"], ["2025-11-30"]),
    ],
)
def test_days(argv, days):
    arguments = cli._parser().parse_args(["etl", *argv])
    assert [str(day) for day in cli._days(arguments, cli.Settings())] == days


def test_a_report_is_of_thirty_days_unless_told_otherwise():
    arguments = cli._parser().parse_args(["report", "--to", "2025-11-30"])
    days = cli._days(arguments, cli.Settings(), usual=30)
    assert (str(days[0]), len(days)) == ("2025-11-01", 30)
    assert len(cli._days(cli._parser().parse_args(["report"]), cli.Settings(), usual=30)) == 30


def test_days_in_the_wrong_order_are_refused():
    arguments = cli._parser().parse_args(["etl", "--from", "2025-11-30", "--to", "2025-11-01"])
    with pytest.raises(cli.SettingsError, match="2025-11-30, lies after the last, 2025-11-01"):
        cli._days(arguments, cli.Settings())
