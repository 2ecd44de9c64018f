"""What makes two documents one row, and which of them is later."""

import json

import pytest

from tests import payloads as p
from tgpipeline.errors import UpdateError
from tgpipeline.lake.documents import document_of, form_of
from tgpipeline.lake.rows import Flattener
from tgpipeline.lake.versions import is_undated, version
from tgpipeline.settings import zone

FLATTENER = Flattener(zone("UTC"))


def of(update, name="1.json"):
    return version(
        document_of(name, update if isinstance(update, bytes) else p.raw(update)), FLATTENER
    )


def test_a_message_and_its_edits_are_one_row():
    edit = p.update(9, "edited_message", p.message(1, text="novo", edit_date=p.NOON + 1))
    assert of(p.text(1)).identity == of(edit).identity
    assert of(p.text(1)).rank < of(edit).rank


def test_a_message_is_one_row_however_it_came():
    message = p.message(1, sender=p.BOT, text="oi")
    sent = of(message, "sent-1-1.json")
    history = of({"message": message}, "history-x.ndjson:1")
    hook = of(p.update(5, content=message))
    assert sent.identity == history.identity == hook.identity
    assert history.rank < sent.rank < hook.rank


def test_of_what_was_sent_within_one_second_the_last_written_is_the_latest():
    edit = p.message(1, sender=p.BOT, text="b", edit_date=p.NOON + 1)
    names = [f"sent-{p.SUPERGROUP}-1-{p.NOON + 1}{n}.json" for n in ("", "-1", "-2", "-10")]
    for texts in ("abcd", "dcba"):
        ranks = [of(edit | {"text": t}, name).rank for t, name in zip(texts, names, strict=True)]
        assert ranks == sorted(ranks)
    assert of(edit, names[3]).rank > of(p.message(1), f"sent-{p.SUPERGROUP}-1-0-99.json").rank
    assert of(p.update(5, "edited_message", edit), "5.json").rank > of(edit, names[3]).rank


def test_a_later_edit_is_later_wherever_it_came_from():
    edits = [p.message(1, text="x", edit_date=p.NOON + n) for n in (1, 2)]
    hook = of(p.update(5, "edited_message", edits[0]))
    assert of({"message": edits[1]}, "history-x.ndjson:1").rank > hook.rank


@pytest.mark.parametrize("moment", [2**62, 2**63 - 1, -(2**63)])
def test_ranks_have_64_bits_whatever_the_date(moment):
    assert all(part in range(2**63) for part in of(p.text(1, edit_date=moment)).rank)


def imported(converter, number):
    line = {"message": p.message(1), "converter": converter, "import": number}
    return of(line, "history-x.ndjson:1").rank[1]


def test_a_newer_converter_counts_before_a_later_import():
    assert imported(3, 5) == 3 * 2**40 + 5
    assert imported(1, 2**40) == imported(1, 2**63 - 1) == 2 * 2**40 - 1 < imported(2, 0)
    assert imported(2**63 - 1, 0) == imported(2**20, 0) == 2**60
    assert imported(-1, -1) == 0


def test_dates_of_edits_are_capped_where_a_rank_would_not_fit():
    assert of(p.text(1, edit_date=2**60 + 1)).rank[0] == 3 * 2**60 + 2
    edited = {"message": p.message(1, edit_date=7)}
    assert of(edited, "history-x.ndjson:1").rank[0] == 3 * 7


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("7.json", ("webhook", False, 0)),
        ("7-0123456789abcdef.json", ("webhook", False, 0)),
        ("sent--1004111222333-9.json", ("sent", False, 0)),
        ("sent--1004111222333-9-1764342003.json", ("sent", False, 0)),
        ("sent--1004111222333-9-1764342003-12.json", ("sent", False, 12)),
        ("sent-5111111111-9-0-1.json", ("sent", False, 1)),
        ("sent-batch.ndjson:3", ("sent", True, 0)),
        ("history-5f0c.ndjson", ("history", True, 0)),
        ("history-5f0c.ndjson:12", ("history", True, 0)),
        ("historical.json", ("webhook", False, 0)),
        ("sentence.json", ("webhook", False, 0)),
        ("batch-1.ndjson:1", ("webhook", True, 0)),
        ("readme.txt", ("webhook", False, 0)),
    ],
)
def test_what_a_name_means(name, form):
    assert form_of(name) == form


def test_an_edit_wins_over_where_it_came_from():
    edited = of({"message": p.message(1, text="x", edit_date=p.NOON + 1)}, "history-x.ndjson:1")
    assert edited.rank > of(p.text(1)).rank


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (p.message(1), p.message(2)),
        (p.message(1), p.message(1, chat=p.CHANNEL)),
        (p.message(0, ephemeral_message_id=1), p.message(0, ephemeral_message_id=2)),
        (p.message(0, ephemeral_message_id=5), p.message(0)),
        (p.message(0), p.message(0)),
        (p.message(None), p.message(None)),
        (p.message("1"), p.message("1")),
        (p.message(1.5), p.message(1.5)),
        (p.message(True), p.message(True)),
        (p.message(2**64), p.message(2**64)),
        (p.message(1, chat={"id": "x"}), p.message(1, chat={"id": "x"})),
        (p.message(1, chat=None), p.message(1, chat=None)),
        (p.message(1), p.message(1, business_connection_id="a")),
        (
            p.message(1, business_connection_id="b"),
            p.message(1, business_connection_id="a"),
        ),
    ],
)
def test_different_messages_are_different_rows(one, other):
    assert of(p.update(5, content=one)).identity != of(p.update(6, content=other)).identity


def test_an_edit_of_an_ephemeral_message_is_the_same_row():
    first = p.message(0, ephemeral_message_id=4, text="a")
    edit = first | {"text": "b", "edit_date": p.NOON + 1}
    edited = of(p.update(6, "edited_message", edit))
    assert of(p.update(5, content=first)).identity == edited.identity


def test_lines_without_ids_are_known_by_their_bytes():
    one, other = ({"message": {"text": words}} for words in "ab")
    name = "history-x.ndjson:1"
    assert of(one, name).identity == of(one, name).identity != of(other, name).identity


@pytest.mark.parametrize("kind", sorted(p.EVENTS))
def test_an_event_is_known_by_its_number_and_what_it_says(kind):
    update = p.update(5, kind, p.EVENTS[kind][0])
    spaced = json.dumps(dict(reversed(update.items())), indent=1).encode()
    assert of(update).identity == of(spaced).identity
    other = p.update(5, kind, p.EVENTS[kind][0] | {"of": "another bot"})
    assert len({of(u).identity for u in (update, other, update | {"update_id": 6})}) == 3


def test_of_imported_reaction_counts_the_larger_is_the_later():
    def counts(*totals, message_id=10):
        reactions = [{"type": {"type": "emoji", "emoji": "👍"}, "total_count": n} for n in totals]
        content = {"chat": p.CHAT, "message_id": message_id, "reactions": reactions}
        return of({"message_reaction_count": content}, "history-x.ndjson:1")

    assert counts(1).identity == counts(2).identity != counts(1, message_id=11).identity
    assert counts(2).rank < counts(1, 2).rank
    assert counts(2**63 - 1, 2**63 - 1).rank > counts("x", None).rank
    assert counts(2**63 - 1, 2**63 - 1).rank[1] == 2**62
    assert counts(2**62 - 1, 0).rank[1] == 2**62 - 1


def test_undated_updates_are_told():
    def undated(update, name="1.json"):
        return is_undated(document_of(name, p.raw(update)))

    assert undated(p.update(5, "poll", p.CONTENTS["poll"]))
    assert undated(p.update(5, content=p.message(1, date=0)))
    assert not undated(p.text(1))
    assert not undated({"message": p.message(1, date=None)}, "history-x.ndjson:1")


def test_what_cannot_be_read_has_its_reason():
    with pytest.raises(UpdateError, match="not JSON"):
        of(b"nonsense")


def test_nesting_that_only_the_parser_can_bear_is_refused():
    deep = "[" * 900 + "]" * 900
    bodies = [
        f'{{"update_id": 1, "poll_answer": {{"option_ids": {deep}}}}}',
        f'{{"update_id": 1, "message": {{"rich_message": {deep}}}}}',
        f'{{"update_id": 1, "message": {{"message_id": 1, "business_connection_id": {deep}}}}}',
    ]
    for body in bodies:
        outcome = "a row"
        try:
            of(body.encode())
        except UpdateError as error:
            outcome = str(error)
        assert outcome in ("a row", "nested too deeply")
