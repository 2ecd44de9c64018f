"""What `tgpipeline rows` makes of files, folders, lines, lists and standard input."""

import io
import json
from zoneinfo import ZoneInfo

import pytest

from tests import payloads as p
from tgpipeline.lake.versions import rows_of

ZONE = ZoneInfo("America/Sao_Paulo")


def rows(*paths, stdin=b""):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        found = list(rows_of(paths, ZONE))
    json.dumps(found)
    return found


def short(found):
    return [(row["file"], row.get("message_id") or row.get("error")) for row in found]


def lines(*updates):
    return b"\n".join(map(p.raw, updates))


def test_a_file_with_one_update(tmp_path):
    path = tmp_path / "one.json"
    whole = p.raw(p.text(5))
    for body in (whole, json.dumps(p.text(5), indent=2).encode(), whole + b"\n\r\n\n"):
        path.write_bytes(body)
        (row,) = rows(path)
        assert (row["file"], row["table"], row["message_id"]) == ("one.json", "messages", 5)
        assert row["sent_at"] == "2025-11-28T12:00:00"


def test_an_event_has_its_payload(tmp_path):
    path = tmp_path / "one.json"
    path.write_bytes(p.raw(p.update(5, "poll", p.CONTENTS["poll"])))
    (row,) = rows(path)
    assert (row["table"], row["event_type"]) == ("events", "poll")
    assert json.loads(row["payload"])["update_id"] == 5


@pytest.mark.parametrize("name", ["many.ndjson", "many.json", "many"])
def test_many_in_one_file_are_numbered(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(lines(p.text(1), p.text(2)) + b"\n\n" + lines(p.text(3)) + b"\n")
    assert short(rows(path)) == [(f"{name}#0", 1), (f"{name}#1", 2), (f"{name}#2", 3)]
    path.write_bytes(json.dumps([p.text(1), p.text(2)], indent=1).encode())
    assert short(rows(path)) == [(f"{name}#0", 1), (f"{name}#1", 2)]


@pytest.mark.parametrize("indent", [None, 2])
def test_what_get_updates_answers_is_a_list_of_updates(tmp_path, indent):
    path = tmp_path / "answer.json"
    answer = {"ok": True, "result": [p.text(1), p.text(2)]}
    path.write_bytes(json.dumps(answer, indent=indent).encode() + b"\n")
    assert short(rows(path)) == [("answer.json#0", 1), ("answer.json#1", 2)]


def test_a_bad_line_costs_itself_only(tmp_path):
    path = tmp_path / "many.ndjson"
    for broken in (0, 1, 2):
        parts = [p.raw(p.text(n)) for n in (1, 2, 3)]
        parts[broken] = b'{"update_id": 1, "mess'
        path.write_bytes(b"\r\n".join(parts))
        found = rows(path)
        assert ["error" in row for row in found] == [n == broken for n in range(3)]


def test_a_folder_is_read_in_order_with_all_below_it(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "2.json").write_bytes(p.raw(p.text(2)))
    (tmp_path / "a.json").write_bytes(p.raw(p.text(1)))
    (tmp_path / "c.ndjson").write_bytes(lines(p.text(3), p.text(4)))
    (tmp_path / "notes.txt").write_text("not for us")
    expected = [("a.json", 1), ("2.json", 2), ("c.ndjson#0", 3), ("c.ndjson#1", 4)]
    assert short(rows(tmp_path)) == expected


def test_standard_input():
    assert short(rows("-", stdin=lines(p.text(1), p.text(2)))) == [("-#0", 1), ("-#1", 2)]
    assert short(rows("-", stdin=p.raw(p.text(1)))) == [("-", 1)]


def test_what_cannot_be_read_says_why(tmp_path):
    bad = tmp_path / "bad.json"
    found = []
    for body in (b"", b"{", b"{}", b"5", b"\xff", b'{\n "update_id": 1\n'):
        bad.write_bytes(body)
        found += rows(bad)
    assert len(found) == 6
    assert all(set(row) == {"file", "error"} and row["file"] == "bad.json" for row in found)
    (row,) = rows(tmp_path / "not there")
    assert "No such file" in row["error"]


def test_a_text_from_windows(tmp_path):
    path = tmp_path / "one.json"
    path.write_bytes(b"\xef\xbb\xbf" + p.raw(p.text(5)))
    assert short(rows(path)) == [("one.json", 5)]


def test_the_raw_zones_other_forms(tmp_path):
    (tmp_path / "sent-1-7.json").write_bytes(p.raw(p.message(7, sender=p.BOT)))
    (tmp_path / "history-x.ndjson").write_bytes(lines(*[{"message": p.message(n)} for n in (8, 9)]))
    found = {row["message_id"]: row["source"] for row in rows(tmp_path)}
    assert found == {7: "sent", 8: "history", 9: "history"}


def test_half_a_surrogate_pair_can_be_printed(tmp_path):
    path = tmp_path / "one.json"
    path.write_bytes(b'{"update_id": 1, "message": {"text": "\\ud83d"}}')
    (row,) = rows(path)
    assert row["text"] == "�"
    assert json.dumps(row, ensure_ascii=False).encode()
