"""Forum topics and comments on a linked channel's posts, as Telegram writes them to a bot."""

from typing import Any

import pytest

from telegram_standin import CHANNEL, Refused, Telegram
from tests.unit.telegram_standin.support import ANA, RUI, ApiError, Client


@pytest.fixture
def supergroup(telegram: Telegram, bot: Client) -> Telegram:
    """The group as a supergroup; what led to it is confirmed."""
    telegram.migrate()
    bot.get_updates(bot.get_updates()[-1]["update_id"] + 1)
    return telegram


def new_messages(bot: Client) -> list[dict[str, Any]]:
    updates = bot.get_updates()
    bot.get_updates(updates[-1]["update_id"] + 1)
    return [update["message"] for update in updates]


def test_a_topic_is_created_by_a_message_whose_id_is_its_own(
    supergroup: Telegram, bot: Client
) -> None:
    assert "is_forum" not in bot.get_chat(chat_id=supergroup.group_id)
    supergroup.create_topic(ANA, "Entregas")
    (created,) = new_messages(bot)
    assert created["forum_topic_created"] == {"name": "Entregas", "icon_color": 7322096}
    assert created["message_thread_id"] == created["message_id"]
    assert created["is_topic_message"] is True
    assert created["chat"]["is_forum"] is True
    assert bot.get_chat(chat_id=supergroup.group_id)["is_forum"] is True


def test_what_answers_nothing_in_a_topic_carries_its_first_message(
    supergroup: Telegram, bot: Client
) -> None:
    topic = supergroup.create_topic(ANA, "Entregas")
    asked = supergroup.say(RUI, "cadê o pedido?", thread_id=topic["message_id"])
    supergroup.say(ANA, "a caminho", reply_to=asked["message_id"])
    _, implicit, explicit = new_messages(bot)
    assert implicit["reply_to_message"] == topic
    assert implicit["message_thread_id"] == topic["message_id"]
    assert implicit["is_topic_message"] is True
    assert explicit["reply_to_message"]["text"] == "cadê o pedido?"
    assert "reply_to_message" not in explicit["reply_to_message"], "one level, no more"
    assert explicit["message_thread_id"] == topic["message_id"], "of the thread it answers in"
    assert explicit["is_topic_message"] is True
    supergroup.edit(asked["message_id"], "cadê?")
    edited = bot.get_updates()[0]["edited_message"]
    assert edited["reply_to_message"] == topic, "an edit repeats it"


def test_the_bot_in_a_topic_gets_the_same_back(supergroup: Telegram, bot: Client) -> None:
    topic = supergroup.create_topic(ANA, "Entregas")
    group_id, topic_id = supergroup.group_id, topic["message_id"]
    sent = bot.send_message(group_id, "oi", message_thread_id=topic_id)
    assert (sent["reply_to_message"], sent["is_topic_message"]) == (topic, True)
    answered = {"message_id": sent["message_id"]}
    reply = bot.send_message(group_id, "de novo", reply_parameters=answered)
    assert reply["message_thread_id"] == topic_id
    assert reply["reply_to_message"]["text"] == "oi"
    made = bot.call("createForumTopic", chat_id=group_id, name="Trocas")
    assert made["name"] == "Trocas"
    mine = bot.send_message(group_id, "aqui", message_thread_id=made["message_thread_id"])
    assert mine["reply_to_message"]["forum_topic_created"]["name"] == "Trocas"


def test_general_has_no_thread_and_no_implicit_reply(supergroup: Telegram, bot: Client) -> None:
    supergroup.create_topic(ANA, "Entregas")
    first = supergroup.say(RUI, "em geral")
    second = supergroup.say(ANA, "sim", reply_to=first["message_id"])
    third = supergroup.say(RUI, "e?", reply_to=second["message_id"])
    _, general, reply, deeper = new_messages(bot)
    assert not {"message_thread_id", "is_topic_message", "reply_to_message"} & general.keys()
    assert reply["message_thread_id"] == first["message_id"], "replies have a thread all the same"
    assert "is_topic_message" not in reply
    assert deeper["message_thread_id"] == first["message_id"], "that of the first message"
    assert third["reply_to_message"]["message_id"] == second["message_id"]


def test_a_basic_group_knows_no_threads(telegram: Telegram, bot: Client) -> None:
    said = telegram.say(ANA, "um")
    telegram.say(RUI, "dois", reply_to=said["message_id"])
    assert "message_thread_id" not in bot.get_updates()[1]["message"]
    for attempt in (lambda: telegram.create_topic(ANA, "x"), lambda: telegram.publish("x")):
        with pytest.raises(Refused, match="call migrate first"):
            attempt()


def test_a_linked_channels_post_is_copied_by_telegram(supergroup: Telegram, bot: Client) -> None:
    supergroup.publish("Novidades da semana https://loja.example")
    (copy,) = new_messages(bot)
    assert (copy["from"]["id"], copy["from"]["is_bot"]) == (777000, False)
    assert copy["sender_chat"] == CHANNEL
    assert copy["is_automatic_forward"] is True
    origin = {"type": "channel", "chat": CHANNEL, "message_id": 1, "date": copy["date"]}
    assert copy["forward_origin"] == origin
    assert (copy["forward_from_chat"], copy["forward_from_message_id"]) == (CHANNEL, 1)
    assert copy["entities"][0]["type"] == "url"
    assert "message_thread_id" not in copy


def test_comments_carry_the_post_that_they_stand_below(supergroup: Telegram, bot: Client) -> None:
    copy = supergroup.publish("Novidades")
    comment = supergroup.say(ANA, "tem azul?", thread_id=copy["message_id"])
    supergroup.say(RUI, "tem", reply_to=comment["message_id"])
    _, implicit, explicit = new_messages(bot)
    assert implicit["reply_to_message"] == copy
    assert implicit["message_thread_id"] == explicit["message_thread_id"] == copy["message_id"]
    assert "is_topic_message" not in implicit
    assert explicit["reply_to_message"]["text"] == "tem azul?"


def test_threads_that_are_not_there(supergroup: Telegram, bot: Client) -> None:
    said = supergroup.say(ANA, "oi")["message_id"]
    group_id = supergroup.group_id
    for thread_id in (said, 4242):
        with pytest.raises(ApiError, match="message thread not found"):
            bot.send_message(group_id, "x", message_thread_id=thread_id)
        with pytest.raises(Refused, match="message thread not found"):
            supergroup.say(ANA, "x", thread_id=thread_id)
    with pytest.raises(ApiError, match="not a forum"):
        bot.call("createForumTopic", chat_id=group_id, name="x")
    supergroup.create_topic(ANA, "Entregas")
    with pytest.raises(ApiError, match="non-empty"):
        bot.call("createForumTopic", chat_id=group_id, name=" ")
