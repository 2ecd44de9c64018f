"""What stays of an update without somebody: their own goes, others' words stay."""

import json

import pytest

from tests import payloads as p
from tgpipeline.lake import documents
from tgpipeline.lake.erasing import FOREVER, Erased, as_bytes, hashed, hashed_names

BIA, RUI = p.BIA, p.RUI
NAMES = hashed_names(b"k", [str(BIA["id"]), "Bia", "Nunes", "77", "@bia_nunes"])
PERSON = Erased(b"k", {(hashed(b"k", BIA["id"]), 0): FOREVER}, dict.fromkeys(NAMES, FOREVER))


def left(update):
    kind = next(name for name in update if name != "update_id")
    return PERSON.without(update, kind)


@pytest.mark.parametrize(
    "update",
    [
        p.text(1),
        p.update(1, "edited_message", p.message(text="oi")),
        p.update(1, "message_reaction", {"chat": p.CHAT, "user": BIA, "message_id": 4}),
        p.update(1, "poll_answer", {"poll_id": "9", "user": BIA, "option_ids": [0]}),
        p.update(1, "callback_query", {"id": "1", "from": BIA, "data": "x"}),
        p.update(1, "chat_boost", {"chat": p.CHAT, "boost": {"source": {"user": BIA}}}),
        p.update(
            1,
            "chat_member",
            {"from": RUI, "old_chat_member": {"user": BIA}, "new_chat_member": {"user": BIA}},
        ),
        p.update(1, "poll", {"id": "77", "question": "Qual?"}),
        p.text(1, chat={"id": BIA["id"], "type": "private"}, sender=p.BOT),
    ],
)
def test_what_is_their_own_goes(update):
    assert left(update) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"reply_to_message": p.message(2, text="segredo"), "quote": {"text": "segredo"}},
        {"forward_origin": {"type": "user", "sender_user": BIA}, "text": "segredo"},
        {"forward_from": BIA, "text": "segredo"},
        {
            "forward_origin": {"type": "hidden_user", "sender_user_name": "Bia Nunes"},
            "text": None,
            "caption": "segredo",
            "photo": [{"file_id": "x"}],
        },
        {"external_reply": {"origin": {"type": "user", "sender_user": BIA}, "photo": []},
         "quote": {"text": "segredo"}},
        {"pinned_message": p.message(2, text="segredo"), "text": None},
        {"new_chat_members": [BIA, RUI], "text": None},
        {"left_chat_member": BIA, "text": None},
        {"contact": {"user_id": BIA["id"], "phone_number": "segredo", "first_name": "B"}},
        {"via_bot": BIA},
        {"users_shared": {"request_id": 1, "user_ids": [BIA["id"], 5]}},
        {"text": "fale com @Bia_Nunes, a Bia; tg://user?id=5111111111"},
    ],
)  # fmt: skip
def test_what_is_others_stays_without_them(fields):
    update = p.text(1, "obrigado", sender=RUI, **fields) if "text" not in fields else None
    update = update or p.update(1, content=p.message(1, sender=RUI, **fields))
    rest = left(update)
    told = json.dumps(rest, ensure_ascii=False)
    for word in ("segredo", "5111111111", "Bia", "Nunes", "ia_nunes"):
        assert word not in told
    assert rest["message"]["from"] == RUI
    assert documents.document_of("1.json", as_bytes(rest)).update == rest
    if "text" not in fields:
        assert rest["message"]["text"] == "obrigado"


def test_a_mention_goes_and_the_offsets_stay():
    entities = [
        {"type": "text_mention", "offset": 3, "length": 4, "user": BIA},
        {"type": "url", "offset": 8, "length": 7},
    ]
    update = p.text(1, "🛒 BIA! loja.br", sender=RUI, entities=entities)
    rest = left(update)["message"]
    assert rest["text"] == "🛒 ………… loja.br"
    assert rest["entities"][1] == entities[1]


def test_what_does_not_concern_them_is_the_same_object():
    for update in (p.text(1, "a Biatriz comprou", sender=RUI), p.update(1, "poll", {"id": "8"})):
        assert left(update) is update


def test_the_erased_are_left_out_until_that_moment_and_in_that_chat():
    until = {(hashed(b"k", BIA["id"]), 0): p.NOON + 1, (hashed(b"k", RUI["id"]), p.GROUP): 2**40}
    erased = Erased(b"k", until)
    assert erased.without(p.text(1), "message") is None
    later = p.text(2, date=p.NOON + 1)
    assert erased.without(later, "message") is later
    quoting = p.text(3, sender=p.BOT, date=p.NOON + 9, reply_to_message=p.message(1, text="oi"))
    assert "text" not in erased.without(quoting, "message")["message"]["reply_to_message"]
    elsewhere = p.text(4, sender=RUI)
    assert erased.without(elsewhere, "message") is elsewhere
    here = p.text(5, sender=RUI, chat={"id": p.GROUP, "type": "group"})
    assert erased.without(here, "message") is None
    answer = p.update(6, "poll_answer", {"poll_id": "9", "user": BIA, "option_ids": [0]})
    assert erased.without(answer, "poll_answer", p.NOON) is None
    assert erased.without(answer, "poll_answer", p.NOON + 5) is answer
    assert not Erased()
