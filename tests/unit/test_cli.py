"""The command line: what it says, which exit codes it gives, and that it is documented."""

import inspect
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tgpipeline import cli, cli_deploy, resources

ROOT = Path(__file__).parents[2]
COMMANDS = list(resources.data("cli.toml"))
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


def test_each_command_has_its_function_and_each_function_its_command():
    takes_arguments = inspect.signature(cli._rows).parameters
    named = {
        name.strip("_").replace("_", "-")
        for module in (cli, cli_deploy)
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__
        if inspect.signature(value).parameters == takes_arguments and name != "_sender"
    }
    assert named == set(COMMANDS)


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


def test_a_report_of_nothing_says_that_an_export_can_be_named(capsys):
    assert cli.main(["report"]) == 1
    said = capsys.readouterr().err
    assert "name an export, say result.json; for the lake:" in said
    assert "AWS_S3_ENRICHED not set" in said


def test_a_report_of_no_days_is_refused(tmp_path, capsys):
    (tmp_path / "updates.ndjson").write_text(json.dumps(UPDATE), encoding="utf-8")
    assert cli.main(["report", str(tmp_path), "--days", "0"]) == 1
    assert "--days 0 are no days: say 1 or more" in capsys.readouterr().err
    assert cli.main(["report", str(tmp_path), "--horizon", "0"]) == 1
    assert "horizon 0: give 1 to 168 hours" in capsys.readouterr().err
    assert cli.main(["report", str(tmp_path), "--from", "2030-01-02", "--to", "2030-01-01"]) == 1
    assert "ends on 2030-01-01, before it starts on 2030-01-02" in capsys.readouterr().err


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


def test_days_in_the_wrong_order_are_refused():
    arguments = cli._parser().parse_args(["etl", "--from", "2025-11-30", "--to", "2025-11-01"])
    with pytest.raises(cli.SettingsError, match="2025-11-30, lies after the last, 2025-11-01"):
        cli._days(arguments, cli.Settings())


def test_every_command_that_is_advised_exists():
    arguments = tomllib.loads((ROOT / "tgpipeline" / "cli.toml").read_text("utf-8"))
    files = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    files += [p for p in (ROOT / "tgpipeline").rglob("*.*") if p.suffix in (".py", ".toml", ".j2")]
    for path in files:
        said = path.read_text("utf-8")
        for command, rest in re.findall(r"`tgpipeline ([a-z-]+)([^`]*)`", said):
            known = {name for names in arguments.get(command, {}) for name in names.split()}
            assert command in COMMANDS, path
            assert set(re.findall(r"--[a-z-]+", rest)) <= {*known, "--help"}, (path, rest)


def run(*arguments, python=(), **environment):
    """The command in a process of its own, which knows nothing but this environment."""
    bare = {"PATH": os.environ["PATH"], "HOME": "/nowhere", "PYTHONPATH": str(ROOT)}
    bare |= {"AWS_EC2_METADATA_DISABLED": "true", "AWS_S3_BUCKET": "raw", "AWS_S3_ENRICHED": "e"}
    command = [sys.executable, *python, "-m", "tgpipeline", *arguments]
    return subprocess.run(command, env=bare | environment, capture_output=True, check=False)


@pytest.mark.parametrize("command", [["etl", "--date", "2025-11-28"], ["quarantine"], ["report"]])
def test_without_credentials_one_sentence_says_what_needs_none(command):
    done = run(*command)
    assert done.returncode == 1
    (line,) = done.stderr.decode().splitlines()
    assert "no AWS credentials were found" in line
    assert "`tgpipeline local` and the notebooks' mode local need none" in line


def test_a_profile_that_is_not_there_is_named():
    done = run("quarantine", AWS_DEFAULT_PROFILE="work-of-old")
    assert done.returncode == 1
    (line,) = done.stderr.decode().splitlines()
    assert "work-of-old" in line


def test_output_that_is_not_utf8_loses_no_row(tmp_path):
    (tmp_path / "one.json").write_text(json.dumps(UPDATE), encoding="utf-8")
    done = run("rows", str(tmp_path / "one.json"), PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["text"] == "cadê meu pedido?"


def test_an_arrow_does_not_stop_a_command_where_output_is_latin1():
    code = (
        "import argparse\nfrom tgpipeline import cli\n"
        "cli._status = lambda a: print('1 → 2')\n"
        "raise SystemExit(cli.main(['status']))"
    )
    environment = os.environ | {"PYTHONIOENCODING": "latin-1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"1 ? 2\n"), done.stderr


@pytest.mark.parametrize(
    ("module", "command", "extra"),
    [("pandas", "report", "analytics"), ("papermill", "demo", "notebooks")],
)
def test_a_missing_extra_is_named(tmp_path, module, command, extra):
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.modules[{module!r}] = None\n")
    where = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "k"}
    done = run(command, PYTHONPATH=f"{tmp_path}:{ROOT}", **where)
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.decode().splitlines()
    assert f"{module} is not installed" in line
    assert f"pip install 'tgpipeline[{extra}]'" in line


def test_every_module_of_an_extra_is_known_by_it():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    for extra in ("analytics", "notebooks", "local"):
        wanted = {re.match(r"[\w-]+", line)[0] for line in extras[extra]} - {"tgpipeline"}
        other = {"pillow": "PIL", "scikit-learn": "sklearn"}
        modules = {other.get(name, name.replace("-", "_")) for name in wanted}
        assert modules <= {
            m
            for m, brought in resources.data("extras.toml").items()
            if brought in (extra, "analytics")
        }
