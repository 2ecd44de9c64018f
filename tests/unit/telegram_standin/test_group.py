"""What happens in the group, and what bots ask of it."""

import json
from typing import Any

import pytest

from telegram_standin import Telegram
from tests.unit.telegram_standin.support import ANA, NOON, ApiError, Client


def test_a_supergroup_migration(telegram: Telegram, bot: Client) -> None:
    old = telegram.group_id
    telegram.say(ANA, "antes")
    telegram.migrate()
    telegram.say(ANA, "depois")
    _, left, came, after = [u["message"] for u in bot.get_updates()]
    assert (left["chat"]["id"], left["migrate_to_chat_id"]) == (old, telegram.group_id)
    assert (came["chat"]["id"], came["migrate_from_chat_id"]) == (telegram.group_id, old)
    assert after["chat"]["type"] == "supergroup"
    assert after["message_id"] == came["message_id"] + 1 == 2, "ids start again"
    with pytest.raises(ApiError, match="upgraded to a supergroup") as caught:
        bot.send_message(old, "oi")
    assert caught.value.parameters == {"migrate_to_chat_id": telegram.group_id}
    assert bot.get_chat_member_count(chat_id=telegram.group_id) == 3


def test_edits_repeat_the_whole_message(telegram: Telegram, bot: Client) -> None:
    said = telegram.say(ANA, "pedido 12", reply_to=0)
    telegram.clock.advance(90)
    telegram.edit(said["message_id"], "pedido 21 #urgente")
    edited = bot.get_updates()[1]["edited_message"]
    assert edited == said | {
        "text": "pedido 21 #urgente",
        "edit_date": NOON + 90,
        "entities": [{"type": "hashtag", "offset": 10, "length": 8}],
    }


def test_messages_of_the_bot(telegram: Telegram, bot: Client) -> None:
    asked = telegram.say(ANA, "cadê?")
    sent = bot.send_message(
        telegram.group_id,
        "Está <b>a caminho</b> 🙂 &amp; chega já",
        parse_mode="HTML",
        reply_parameters={"message_id": asked["message_id"]},
        reply_markup={"inline_keyboard": [[{"text": "ok", "callback_data": "ok"}]]},
    )
    assert sent["text"] == "Está a caminho 🙂 & chega já"
    assert sent["entities"] == [{"type": "bold", "offset": 5, "length": 9}]
    assert sent["reply_to_message"]["text"] == "cadê?"
    assert sent["from"]["id"] == bot.get_me()["id"]
    where = {"chat_id": telegram.group_id, "message_id": sent["message_id"]}
    edited = bot.call("editMessageText", text="Chegou", **where)
    assert (edited["text"], edited["date"]) == ("Chegou", sent["date"])
    assert bot.call("setMessageReaction", reaction=[{"type": "emoji", "emoji": "👍"}], **where)
    assert bot.call("deleteMessage", **where) is True
    assert len(bot.get_updates()) == 1, "none of it is an update to the bot itself"


def test_documents_of_the_bot(telegram: Telegram, bot: Client) -> None:
    asked = telegram.say(ANA, "cadê o relatório?")
    sent = bot.call(
        "sendDocument",
        chat_id=telegram.group_id,
        document=b"<html>",
        caption="<b>Junho</b>: veja #relatorio",
        parse_mode="HTML",
        reply_parameters=json.dumps({"message_id": asked["message_id"]}),
    )
    document = sent["document"]
    assert (document["file_name"], document["file_size"]) == ("document", 6)
    assert "text" not in sent
    assert (sent["caption"], sent["reply_to_message"]["text"]) == (
        "Junho: veja #relatorio",
        "cadê o relatório?",
    )
    kinds = [entity["type"] for entity in sent["caption_entities"]]
    assert kinds == ["bold", "hashtag"]
    assert telegram.files[document["file_id"]].content == b"<html>"
    again = bot.call(
        "sendDocument", chat_id=telegram.group_id, document=document["file_id"], caption=""
    )
    assert again["document"] == document
    assert not {"caption", "caption_entities"} & again.keys()
    attached = {"document": "attach://sent", "sent": b"%PDF"}
    other = bot.call("sendDocument", chat_id=telegram.group_id, **attached)["document"]
    assert telegram.files[other["file_id"]].content == b"%PDF"
    assert other["file_id"] != document["file_id"]


@pytest.mark.parametrize(
    ("method", "params", "why"),
    [
        ("sendMessage", {"chat_id": 42, "text": "x"}, "chat not found"),
        ("sendMessage", {"chat_id": "9" * 5000, "text": "x"}, "chat not found"),
        ("sendMessage", {"chat_id": "@nobody", "text": "x"}, "chat not found"),
        ("sendMessage", {"text": "x"}, "chat_id is empty"),
        ("sendMessage", {"chat_id": -4123456789, "text": "  "}, "message text is empty"),
        ("sendMessage", {"chat_id": -4123456789, "text": "👍" * 2049}, "message is too long"),
        (
            "sendMessage",
            {"chat_id": -4123456789, "text": "x", "reply_to_message_id": 99},
            "message to be replied not found",
        ),
        (
            "sendMessage",
            {"chat_id": -4123456789, "text": "<b>x", "parse_mode": "HTML"},
            "can't parse entities",
        ),
        (
            "sendMessage",
            {"chat_id": -4123456789, "text": "x", "reply_markup": "{"},
            "can't parse reply markup",
        ),
        ("editMessageText", {"chat_id": -4123456789, "text": "x"}, "message to edit not found"),
        ("deleteMessage", {"chat_id": -4123456789}, "message to delete not found"),
        ("getChatMember", {"chat_id": -4123456789, "user_id": 9}, "member not found"),
        ("answerCallbackQuery", {"callback_query_id": "1"}, "query is too old"),
        ("getUpdates", {"allowed_updates": "message"}, "can't parse allowed updates"),
        ("sendDocument", {"chat_id": -4123456789}, "there is no document"),
        ("sendDocument", {"chat_id": -4123456789, "document": b""}, "file must be non-empty"),
        ("sendDocument", {"chat_id": 42, "document": b"x"}, "chat not found"),
        ("sendDocument", {"chat_id": -4123456789, "document": "attach://no"}, "is no document"),
        (
            "sendDocument",
            {"chat_id": -4123456789, "document": "https://example.com/a.pdf"},
            "wrong file identifier/HTTP URL",
        ),
        (
            "sendDocument",
            {"chat_id": -4123456789, "document": b"x", "caption": "x" * 1025},
            "message caption is too long",
        ),
        ("sendChatAction", {"chat_id": -4123456789}, "action is missing"),
    ],
)
def test_bad_calls_are_refused(bot: Client, method: str, params: dict[str, Any], why: str) -> None:
    with pytest.raises(ApiError, match=why) as caught:
        bot.call(method, **params)
    assert caught.value.error_code == 400


def test_a_bot_that_was_removed_may_do_nothing(telegram: Telegram, bot: Client) -> None:
    telegram.leave(telegram.bot["id"])
    with pytest.raises(ApiError, match="not a member of the group chat") as caught:
        bot.send_message(telegram.group_id, "oi")
    assert caught.value.error_code == 403
    came = {"user": telegram.bot, "status": "member"}
    here = {"id": telegram.group_id, "type": "group", "title": "Suporte"}
    telegram.inject({"my_chat_member": {"chat": here, "date": NOON, "new_chat_member": came}})
    assert bot.send_message(telegram.group_id, "oi")["text"] == "oi"


def test_a_bot_that_is_no_admin_still_gets_what_concerns_it(
    telegram: Telegram, bot: Client
) -> None:
    telegram.delivery.queue.allow(["my_chat_member", "message", "message_reaction", "poll_answer"])
    here = {"id": telegram.group_id, "type": "group", "title": "Suporte"}
    came = {"user": telegram.bot, "status": "member"}
    post = {"message_id": 7, "date": NOON, "chat": here, "from": ANA}
    telegram.inject(
        [
            {"my_chat_member": {"chat": here, "date": NOON, "new_chat_member": came}},
            {"message": {**post, "text": "entre nós"}},
            {"message": {**post, "text": "/ajuda"}},
            {"message": {**post, "new_chat_title": "Suporte"}},
            {"message_reaction": {"chat": here, "date": NOON, "message_id": 7}},
            {"poll_answer": {"poll_id": "1", "user": ANA, "option_ids": [0]}},
        ]
    )
    got = [next(iter(u.keys() - {"update_id"})) for u in bot.get_updates()]
    assert got == ["my_chat_member", "message", "message", "poll_answer"]


def test_who_is_in_the_group(telegram: Telegram, bot: Client) -> None:
    telegram.join(ANA)
    statuses = [m["status"] for m in bot.get_chat_administrators(chat_id=telegram.group_id)]
    assert sorted(statuses) == ["administrator", "creator"]
    assert bot.get_chat_member_count(chat_id=telegram.group_id) == 3
    telegram.leave(ANA["id"])
    assert bot.get_chat_member_count(chat_id=telegram.group_id) == 2
    assert bot.get_chat(chat_id=telegram.group_id)["title"] == "Suporte Loja Aurora"
    member = bot.call("getChatMember", chat_id=telegram.group_id, user_id=ANA["id"])
    assert member["status"] == "left"
