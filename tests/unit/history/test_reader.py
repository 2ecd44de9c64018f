"""Reading exports in pieces: compared with `json`, cut anywhere, damaged in the known ways."""

import json
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tgpipeline.errors import HistoryError
from tgpipeline.history import export
from tgpipeline.history.export import Export, read_chats

TEXTS = ['aspas " e \\', "{[}]", "😕 \u2028", "a\nb\tc", "\\x07", "", '"messages": [']


def message(number: int, **fields: Any) -> dict[str, Any]:
    text = TEXTS[number % len(TEXTS)]
    pieces = [{"type": "plain", "text": text}, {"type": "bold", "text": "b"}]
    return {"id": number, "type": "message", "from_id": "user1", "text": pieces} | fields


def one_chat(count: int = 7, **fields: Any) -> dict[str, Any]:
    told = {"name": "Loja", "type": "private_supergroup", "id": 2198765432}
    return told | fields | {"messages": [message(n) for n in range(1, count + 1)]}


def account() -> dict[str, Any]:
    return {
        "about": "{[",
        "personal_information": {"user_id": 1, "bio": '"messages": ['},
        "contacts": {"list": [{"user_id": 5, "date": "x"}]},
        "chats": {"about": "", "list": [one_chat(3), one_chat(0), one_chat(2, id=7)]},
        "left_chats": {"about": "", "list": [one_chat(1, id=8)]},
        "other_data": {"messages": {"none": [1, 2]}},
    }


def write(folder: Path, told: Any, indent: int | None = 1) -> Path:
    path = folder / "result.json"
    path.write_text(json.dumps(told, ensure_ascii=False, indent=indent), encoding="utf-8")
    return path


def read(path: Path) -> tuple[list[tuple[Any, int]], list[tuple[int, Any]]]:
    chats = [(chat.told.get("id"), chat.messages) for chat in read_chats(path)]
    return chats, list(Export(path, "read").records())


@pytest.mark.parametrize("indent", [None, 1, 4])
@pytest.mark.parametrize("piece", [1, 7, 64, 1 << 20])
def test_pieces_of_any_size_give_what_json_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int, indent: int | None
) -> None:
    monkeypatch.setattr(export, "READ_SIZE", piece)
    told = account()
    lists = told["chats"]["list"] + told["left_chats"]["list"]
    chats, messages = read(write(tmp_path, told, indent))
    assert chats == [(chat["id"], len(chat["messages"])) for chat in lists]
    assert messages == [(n, m) for n, chat in enumerate(lists) for m in chat["messages"]]


def test_the_file_its_folder_and_a_zip_are_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "ChatExport_2025-11-28"
    folder.mkdir()
    path = write(folder, one_chat())
    with zipfile.ZipFile(tmp_path / "export.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, "ChatExport_2025-11-28/result.json")
        archive.writestr("ChatExport_2025-11-28/photos/a.jpg", b"x")
    expected = read(path)
    assert len(expected[1]) == 7
    assert all(read(p) == expected for p in (folder, tmp_path, tmp_path / "export.zip"))


def test_what_stands_behind_the_messages_counts_too(tmp_path: Path) -> None:
    told = one_chat(2)
    path = write(tmp_path, {"messages": told.pop("messages"), **told})
    (chat,) = read_chats(path)
    assert chat.told == told | {"messages": []}


@pytest.mark.parametrize(
    ("ident", "when", "masked"),
    [
        (4294967338, "2020-12-30T10:00:00", True),
        (4294967338, "2021-01-02T10:00:00", False),
        ("user42", "2020-12-30T10:00:00", False),
    ],
)
def test_ids_are_masked_only_where_numbers_come_from_before_2021(
    tmp_path: Path, ident: object, when: str, masked: bool
) -> None:
    told = one_chat(2)
    told["messages"][0].pop("from_id")
    told["messages"][1] |= {"from_id": ident, "date": when}
    (chat,) = read_chats(write(tmp_path, told))
    assert chat.masked_ids is masked


def test_objects_beside_the_messages_are_not_taken_for_the_chat(tmp_path: Path) -> None:
    told = {"owner": {"id": 1, "name": "{Ana", "list": [{"id": 2}]}, **one_chat(2)}
    (chat,) = read_chats(write(tmp_path, told))
    assert (chat.told["name"], chat.told["id"], chat.messages) == ("Loja", 2198765432, 2)


DAMAGED = [
    (rb'{"id": 2, "text": "1=412\x012"}', {"id": 2, "text": "1=412\x012"}),
    (rb'{"id": 2, "text": "\\x01"}', {"id": 2, "text": "\\x01"}),
    (
        b'{"id": 2,\n"document_id": video_files/sticker (2).webm\n}',
        {"id": 2, "document_id": "video_files/sticker (2).webm"},
    ),
    (b'{"id": 2, "text": "a\xffb"}', {"id": 2, "text": "a\ufffdb"}),
    (rb'{"id": 2, "text": "\ud83d"}', {"id": 2, "text": "\ud83d"}),
    (b'{"id": 2, "text": "a\nb"}', {"id": 2, "text": "a\nb"}),
    (b'{"id": 2, "n": ' + b"9" * 5000 + b"}", None),
    (b'{"id": 2, "n": ' + b"9" * 30 + b"}", {"id": 2, "n": 10**30 - 1}),
    (b'{"id": 2, "text": }', None),
    (b"{" * 50 + b"}" * 50, None),
    (b'{"a":' * 2000 + b"1" + b"}" * 2000, None),
    (b"null", None),
    (b'"text"', "text"),
    (b"[1, 2]", [1, 2]),
]


@pytest.mark.parametrize("piece", [50, 1 << 20])
@pytest.mark.parametrize(("body", "expected"), DAMAGED)
def test_a_damaged_message_costs_itself_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: bytes, expected: Any, piece: int
) -> None:
    monkeypatch.setattr(export, "READ_SIZE", piece)
    path = tmp_path / "result.json"
    before = b'\xef\xbb\xbf{"id": 1, "messages": [{"id": 1},\n'
    path.write_bytes(before + body + b',\n{"id": 3, "type": "message"}, \n {"id": 4}]}')
    _, messages = read(path)
    assert [m for _, m in messages] == [
        {"id": 1}, expected, {"id": 3, "type": "message"}, {"id": 4}
    ]  # fmt: skip
    reader = Export(path, "read")
    assert len(list(reader.records())) == 4
    assert reader.unreadable == ([len(before)] if expected is None and body != b"null" else [])

    path.write_bytes(b'{"messages": [{"id": 1},\n' + body + b"\n ]\n}\n")
    assert [m for _, m in read(path)[1]] == [{"id": 1}, expected], "as the last one of all"


@pytest.mark.parametrize(("body", "expected"), DAMAGED)
def test_a_damaged_message_at_the_end_of_a_chat_leaves_the_next_chat_whole(
    tmp_path: Path, body: bytes, expected: Any
) -> None:
    told = json.dumps({"chats": {"list": [one_chat(1), one_chat(2, id=7)]}})
    path = tmp_path / "result.json"
    path.write_bytes(told.encode().replace(b"}]}, {", b"},\n" + body + b"]}, {", 1))
    chats, messages = read(path)
    assert chats == [(2198765432, 2), (7, 2)]
    assert messages[1:] == [(0, expected), *((1, message(n)) for n in (1, 2))]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_cut_off_anywhere_what_is_before_is_kept(tmp_path: Path, data: Any) -> None:
    whole = json.dumps(one_chat(), indent=1).encode()
    end = data.draw(st.integers(len(whole) // 8, len(whole) - 1))
    path = tmp_path / "result.json"
    path.write_bytes(whole[:end])
    kept: list[Any] = []
    with pytest.raises(HistoryError, match=rf"result\.json breaks off at byte {end:,}"):
        kept.extend(record for _, record in Export(path, "read").records())
    complete = [
        m for m in one_chat()["messages"] if whole.index(b"\n  }", _at(whole, m)) + 4 <= end
    ]
    assert kept == complete


def _at(whole: bytes, told: dict[str, Any]) -> int:
    return whole.index(b'"id": %d,' % told["id"], whole.index(b'"messages": [\n'))


@given(st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_bytes_raise_anything_else(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "result.json"
    for start in (b"", b'{"messages": [', b'{"messages": [{'):
        path.write_bytes(start + body)
        with suppress(HistoryError):
            read(path)


HTML = "<!DOCTYPE html><html><head><title>Exported Data</title></head></html>"


def test_what_is_no_export_says_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "MAX_MESSAGE", 1 << 21)
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "messages.html").write_text(HTML)
    (tmp_path / "none").mkdir()
    with zipfile.ZipFile(tmp_path / "none.zip", "w") as archive:
        archive.writestr("photo.jpg", b"x")
    with zipfile.ZipFile(tmp_path / "html.zip", "w") as archive:
        archive.writestr("ChatExport/messages.html", HTML)
    (tmp_path / "damaged.zip").write_bytes((tmp_path / "none.zip").read_bytes()[:-30])
    files = {
        "empty.json": b"",
        "blank.json": b" \n",
        "page.json": HTML.encode(),
        "utf16.json": "{}".encode("utf-16"),
        "list.json": b"[1, 2]",
        "text.json": b"hello",
        "other.json": b'{"contacts": {"list": [{"a": 1}]}}',
        "deep.json": b'{"a":' + b"[" * 1000,
        "long.json": b'{"messages": [{"id": ' + b"9" * (3 << 20) + b"}]}",
    }
    for name, body in files.items():
        (tmp_path / name).write_bytes(body)
    expected = {
        "missing.json": "cannot be opened",
        "html": "HTML export.*Machine-readable JSON",
        "html.zip": "HTML export",
        "none": "holds no result.json",
        "none.zip": "holds no result.json",
        "damaged.zip": "zip that was not copied whole",
        "empty.json": "is empty",
        "blank.json": "not an export",
        "page.json": "HTML export",
        "utf16.json": "UTF-16",
        "list.json": "not an export",
        "text.json": "not an export",
        "other.json": "no list of messages",
        "deep.json": "breaks off at byte 1,005",
        "long.json": "byte 14 is longer than",
    }
    for name, reason in expected.items():
        with pytest.raises(HistoryError, match=reason) as caught:
            read(tmp_path / name)
        assert name in str(caught.value)


def test_a_zip_that_is_damaged_inside_keeps_what_is_before(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("result.json", json.dumps(one_chat(20_000)))
    body = bytearray(path.read_bytes())
    body[len(body) // 2 :][:1] = b"?"
    body[-60_000] ^= 0xFF
    path.write_bytes(bytes(body))
    kept: list[Any] = []
    with pytest.raises(HistoryError, match=r"export\.zip cannot be read past byte"):
        kept.extend(Export(path, "read").records())
    assert len(kept) > 1000
