"""A Telegram Bot API server on this machine, with a group in it, for tests and lessons.

A bot cannot tell it from the real one, as far as a bot in a group goes; `methods.py` lists the
methods it knows. It needs the standard library alone.

>>> from telegram_standin import Telegram
>>> with Telegram() as telegram:
...     sent = telegram.say({"id": 1, "is_bot": False, "first_name": "Ana"}, "oi")
>>> sent["chat"]["title"], telegram.pending()
('Suporte Loja Aurora', 1)

As a program: `python -m telegram_standin --port 8081 --token 123456:ANY-TOKEN`. What happens in
the group is said through the methods of `Telegram`, or over HTTP: POST a JSON object of their
arguments to `/_control/<token>/<method>`.
"""

from telegram_standin.errors import Refused, StandInError
from telegram_standin.group import CHANNEL, GROUP, SUPERGROUP_ID
from telegram_standin.queue import Clock
from telegram_standin.server import TOKEN_DEFAULT, Telegram

__all__ = [
    "CHANNEL",
    "GROUP",
    "SUPERGROUP_ID",
    "TOKEN_DEFAULT",
    "Clock",
    "Refused",
    "StandInError",
    "Telegram",
]
