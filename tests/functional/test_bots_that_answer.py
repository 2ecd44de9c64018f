"""Bots that already answer, as docs/bot-that-answers.md has them: each a process of its own."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import obstore
import pytest

from telegram_standin import Telegram
from tests.functional.zones import Zones

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "bot-that-answers.md").read_text(encoding="utf-8")
ANA = {"id": 501, "is_bot": False, "first_name": "Ana"}
OTHER = {"id": -1009, "type": "supergroup", "title": "Outro grupo"}
# The page's bots call Telegram. These lines, and nothing else, make them call the stand-in.
TO_STANDIN = {
    "python-telegram-bot": (
        ".build()",
        ".base_url(f\"{os.environ['TELEGRAM_API_URL']}/bot\").build()",
    ),
    "aiogram": (
        'Bot(os.environ["TELEGRAM_BOT_TOKEN"])',
        'Bot(os.environ["TELEGRAM_BOT_TOKEN"], session=AiohttpSession(api='
        "TelegramAPIServer.from_base(os.environ['TELEGRAM_API_URL'])))",
    ),
}
IMPORTS = {
    "python-telegram-bot": "",
    "aiogram": "from aiogram.client.session.aiohttp import AiohttpSession\n"
    "from aiogram.client.telegram import TelegramAPIServer\n",
}


def program(library: str) -> str:
    """The bot of a section of the page."""
    section = PAGE.partition(f"## {library}\n")[2]
    found = re.search(r"```python\n(.+?)```", section, re.DOTALL)
    assert found, f"the page has no bot for {library}"
    before, after = TO_STANDIN[library]
    assert before in found[1]
    return IMPORTS[library] + found[1].replace(before, after)


@pytest.fixture
def telegram() -> Iterator[Telegram]:
    with Telegram() as running:
        running.migrate()
        yield running


def until(true: Callable[[], object], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 60
    while not true():
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            pytest.fail(f"it did not happen: {process.communicate()[1]}")
        time.sleep(0.1)


def stored(zones: Zones) -> dict[str, Any]:
    """What the raw zone holds, by the object's name."""
    paths = [o["path"] for page in obstore.list(zones.raw, "telegram/") for o in page]
    return {
        path.rpartition("/")[2]: json.loads(bytes(obstore.get(zones.raw, path).bytes()))
        for path in paths
    }


@pytest.mark.parametrize("library", ["python-telegram-bot", "aiogram"])
def test_a_bot_that_answers_keeps_its_updates_and_what_it_says(
    library: str, telegram: Telegram, zones: Zones
) -> None:
    pytest.importorskip({"python-telegram-bot": "telegram"}.get(library, library))
    settings = replace(zones.settings, chat_ids=(telegram.group_id,))
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "TELEGRAM_API_URL": telegram.url,
        "TELEGRAM_BOT_TOKEN": telegram.token,
        "TELEGRAM_CHAT_ID": str(telegram.group_id),
        "AWS_S3_BUCKET": settings.raw_bucket,
    }
    environment.pop("TELEGRAM_WEBHOOK_SECRET", None)  # there is no webhook of ours
    command = [sys.executable, "-c", program(library)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as bot:
        try:
            group = telegram.chat()
            before = group.last_id
            asked = telegram.say(ANA, "onde está meu pedido?")
            until(lambda: group.last_id == before + 2, bot)
            telegram.edit(asked["message_id"], "onde está o pedido 12?")
            strange = {"message_id": 7, "date": asked["date"], "chat": OTHER, "from": ANA}
            telegram.inject({"message": {**strange, "photo": [], "caption": "noutro grupo"}})
            change = telegram.react(ANA, asked["message_id"], "👍")
            telegram.inject({"message_reaction": {**change, "field_of_tomorrow": {"x": [1]}}})
            until(lambda: not telegram.pending(), bot)
            until(lambda: len(stored(zones)) >= 6, bot)
        finally:
            bot.terminate()
    answer = group.messages[before + 2]
    found = stored(zones)
    sent = found.pop(f"sent-{telegram.group_id}-{answer['message_id']}.json")
    assert (sent["text"], sent["from"]["is_bot"]) == ("Já vamos ver!", True)
    assert sent["reply_to_message"]["message_id"] == asked["message_id"]
    kinds = sorted(next(k for k in update if k != "update_id") for update in found.values())
    assert kinds == ["edited_message", "message", "message", *["message_reaction"] * 2]
    (question,) = [u["message"] for u in found.values() if u.get("message", {}).get("text")]
    assert question.items() >= asked.items(), "every field, as Telegram sent it"
    reactions = [u["message_reaction"] for u in found.values() if "message_reaction" in u]
    assert {"x": [1]} in [r.get("field_of_tomorrow") for r in reactions], "known to no library"
    assert "noutro grupo" not in json.dumps(list(found.values()))
