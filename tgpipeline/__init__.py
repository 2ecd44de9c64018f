"""tgpipeline: a Telegram group's messages, from a bot's webhook to answers."""

__version__ = "0.1.0"
