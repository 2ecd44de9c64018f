"""/privacy and /forget all the way: the group, the webhook, the answer, the request, the rows."""

import json

import pytest

from tgpipeline import deploy, local
from tgpipeline.deploy import health
from tgpipeline.etl import handler
from tgpipeline.lake import keys, stores
from tgpipeline.privacy.erase import Erasure
from tgpipeline.privacy.person import Request
from tgpipeline.settings import aws_client

BIA = {"id": 5_111_111_111, "is_bot": False, "first_name": "Bia", "language_code": "pt-br"}
RUI = {"id": 622_222_222, "is_bot": False, "first_name": "Rui", "language_code": "en"}


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch):
    """The local stack with ingest deployed under a role that is enforced, and the webhook set."""
    monkeypatch.setenv("RAW_DAYS", "90")
    with local.start(enforce_iam=True) as stack:
        for stage in ("lake", "ingest"):
            deploy.stages.deploy(stage, stack.settings)
        s3 = aws_client("s3", stack.settings)
        for bucket in (stack.settings.raw_bucket, stack.settings.enriched_bucket):
            s3.delete_bucket_policy(Bucket=bucket)  # the stack speaks plain HTTP
        url = deploy.webhook.deployed(stack.settings).url
        stack.bot.set_webhook(url, secret_token=local.SECRET)
        yield stack


def command(stack: local.LocalStack, user: dict, text: str, **where) -> None:
    entities = [{"type": "bot_command", "offset": 0, "length": len(text)}]
    stack.telegram.say(user, text, entities=entities, **where)
    stack.telegram.wait_delivered(30)


def said(stack: local.LocalStack, chat_id: int) -> list[str]:
    messages = stack.telegram.chat(chat_id).messages.values()
    return [m["text"] for m in messages if m["from"]["is_bot"] and "text" in m]


def test_asked_answered_requested_and_nothing_is_erased_before_an_administrator_does(group) -> None:
    settings, home = group.settings, group.telegram.group_id
    group.telegram.say(BIA, "minha entrega não chegou")
    command(group, BIA, "/privacy")
    command(group, RUI, "/privacy")
    answers = said(group, home)
    assert [text.split()[0] for text in answers] == ["Este", "This"]
    assert "90 dias" in answers[0]
    assert "90 days" in answers[1]
    command(group, BIA, "/forget")
    assert said(group, home)[-1].startswith("Seu pedido foi anotado")
    raw = stores.open_store(settings.raw_bucket, settings)
    names = [o["path"] for page in raw.list() for o in page]
    stored = [name for name in names if name.startswith("telegram/")]
    texts = [json.loads(raw.get(n).bytes().to_bytes())["message"].get("text") for n in stored]
    assert "minha entrega não chegou" in texts  # a request erases nothing
    assert not set(answers) & set(texts)  # Telegram tells nobody the id of such an answer
    assert keys.request_key(BIA["id"]) in names
    assert not [name for name in names if name.startswith("erased/")]
    found = health._requests(deploy.Deployment.of(settings))
    assert (str(BIA["id"]) in found.advice, found.ok) == (True, False)
    days = {keys.day_of(name) for name in stored}
    list(handler.run(settings, days))
    assert Erasure(settings, Request(BIA["id"], 2**40)).run() == []
    assert health._requests(deploy.Deployment.of(settings)).ok
