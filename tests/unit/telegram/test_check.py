"""What `Bot.check` finds: each finding, and what it says to do."""

from typing import Any

import pytest

from tgpipeline.errors import BotApiError, BotUnauthorized, BotUnreachable
from tgpipeline.telegram.check import DEFAULT_WANTED, CheckReport, Logged, examine

ME = {"id": 7, "username": "loja_bot", "can_read_all_group_messages": False}
CHAT = {"id": -42, "type": "group", "title": "Loja"}
ADMIN = {"status": "administrator"}
URL = "https://example.org/hook"
GOOD = {"url": URL, "pending_update_count": 0, "allowed_updates": list(DEFAULT_WANTED)}


def report(
    me: Any = ME,
    chat: Any = CHAT,
    member: Any = ADMIN,
    webhook: Any = GOOD,
    url: str = URL,
    is_logged: Logged = lambda when: None,
) -> CheckReport:
    """What is found where the Bot API answers so; `chat` may be by id."""
    by_method = {"getMe": me, "getChat": chat, "getChatMember": member, "getWebhookInfo": webhook}

    def ask(method: str, **params: Any) -> Any:
        answer = by_method[method]
        if isinstance(answer, dict) and params.get("chat_id") in answer:
            answer = answer[params["chat_id"]]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return examine(ask, -42, url, is_logged)


def bad(found: CheckReport) -> dict[str, str]:
    """What is not good, by name: what was found and what to do."""
    return {f.name: f"{f.detail} → {f.advice}" for f in found if not f.ok}


def test_all_is_well() -> None:
    found = report()
    assert found.ok
    assert bad(found) == {}
    assert len(found) == 11


def test_a_bad_token_is_all_there_is_to_say() -> None:
    found = report(me=BotUnauthorized("getMe", "Unauthorized", 401))
    assert list(bad(found)) == ["token"]
    assert "BotFather" in bad(found)["token"]
    assert not found.ok


def test_a_chat_that_is_not_there() -> None:
    error = BotApiError("getChat", "Bad Request: chat not found", 400)
    found = bad(report(chat=error, member={}))
    assert "TELEGRAM_CHAT_ID" in found["in the group"]
    assert "admin" in found
    left = bad(report(member={"status": "left"}))
    assert "group, id -42: left → Add the bot" in left["in the group"]


def test_an_api_that_does_not_answer_is_no_finding() -> None:
    with pytest.raises(BotUnreachable):
        report(chat=BotUnreachable("getChat", "no answer"))


def test_a_chat_that_has_become_a_supergroup_is_the_only_thing_to_mend() -> None:
    moved = BotApiError("getChat", "upgraded", 400, {"migrate_to_chat_id": -1009})
    found = report(chat={-42: moved, -1009: CHAT | {"id": -1009}})
    assert list(bad(found)) == ["chat id"]
    assert "Set TELEGRAM_CHAT_ID to -1009." in bad(found)["chat id"]


def test_no_admin() -> None:
    found = bad(report(member={"status": "member"}))
    assert set(found) == {
        "admin",
        "all messages",
        "reactions delivered",
        "member changes delivered",
        "reaction counts delivered",
    }
    assert "/setprivacy" in found["all messages"]
    open_bot = {**ME, "can_read_all_group_messages": True}
    assert "all messages" not in bad(report(me=open_bot, member={"status": "member"}))


def test_kinds_that_nobody_asked_for() -> None:
    default = bad(report(webhook={"url": URL, "pending_update_count": 0}))
    assert set(default) == {
        "reactions delivered",
        "member changes delivered",
        "reaction counts delivered",
    }
    assert "allowed_updates=" in default["reactions delivered"]
    narrow = bad(report(webhook={**GOOD, "allowed_updates": ["message", "poll"]}))
    assert "edited_message" in narrow["messages delivered"]


@pytest.mark.parametrize(
    ("set_to", "expected", "advice"),
    [
        ("", URL, "Call set_webhook"),
        ("https://elsewhere.example/half-a-secret", URL, "another one is set: elsewhere.example →"),
        ("https://elsewhere.example/half-a-secret", URL, "tgpipeline.store_update"),
        ("https://elsewhere.example/half-a-secret", URL, "replace=True"),
        ("https://example.org/half-a-secret", URL, "an old one → Call set_webhook"),
        ("https://elsewhere.example/", "", "delete_webhook()"),
        ("https://elsewhere.example/", "", "off the air"),
    ],
)
def test_a_webhook_that_is_not_ours(set_to: str, expected: str, advice: str) -> None:
    found = bad(report(webhook={**GOOD, "url": set_to}, url=expected))["webhook"]
    assert advice in found
    assert "half-a-secret" not in found


def test_what_waits_and_why() -> None:
    error = {"last_error_message": "Wrong response from the webhook: 403", "last_error_date": 10**9}
    found = bad(report(webhook={**GOOD, "pending_update_count": 9, **error}))
    assert set(found) == {"delivery queue", "last error"}
    assert "403 (2001-09-09 01:46 UTC)" in found["last error"]
    over = report(webhook={**GOOD, **error})
    assert over.ok
    assert "delivered since" in str(over)
    polled = report(webhook={**GOOD, "url": "", "pending_update_count": 9}, url="")
    assert polled.ok
    assert "9 waiting for getUpdates" in str(polled)


@pytest.mark.parametrize(
    ("logged", "says", "not_said"),
    [
        (True, "`tgpipeline rotate-secret`", "policy"),
        (False, "address policy", "rotate-secret"),
        (None, "Where ingest's log of that minute says forbidden", "The function was not called"),
    ],
)
def test_the_two_kinds_of_403_are_told_apart_by_the_log(
    logged: bool | None, says: str, not_said: str
) -> None:
    refused = {"last_error_message": "Wrong response from the webhook: 403 Forbidden"}
    refused["last_error_date"] = 1764331200
    webhook = {**GOOD, "pending_update_count": 9, **refused}
    asked: list[int] = []
    found = report(webhook=webhook, is_logged=lambda when: asked.append(when) or logged)
    assert asked == [1764331200]
    assert says in bad(found)["last error"]
    assert not_said not in bad(found)["last error"]
    other = {**webhook, "last_error_message": "Wrong response from the webhook: 500 X"}
    assert "403" not in bad(report(webhook=other))["last error"]
    assert "5xx" in bad(report(webhook=other))["last error"]


def test_it_shows_as_a_table() -> None:
    found = report(chat=BotApiError("getChat", "no <b>chat</b>", 400))
    page = found._repr_html_()
    assert page.count("<tr>") == 1 + len(found)
    assert "no &lt;b&gt;chat" in page
    lines = str(found).splitlines()
    assert lines[0] == "ok   token                      @loja_bot, id 7"
    assert lines[1].startswith("NOT  in the group")
    assert lines[2].strip().startswith("→ Add the bot")
