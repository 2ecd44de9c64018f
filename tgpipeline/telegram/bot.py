"""Bot: the Telegram Bot API, as far as the pipeline's owner needs it, and the rest by name.

Source: https://core.telegram.org/bots/api
"""

from collections.abc import Callable
from typing import Any

from tgpipeline.errors import BotConflict, BotUnreachable
from tgpipeline.telegram.check import ONE_WEBHOOK, CheckReport, Logged, examine, other_host
from tgpipeline.telegram.content import objects
from tgpipeline.telegram.transport import SENTENCES, Transport
from tgpipeline.telegram.updates import Update

Archive = Callable[[Update], object]
Asking = Callable[[str], bool]


class Bot(Transport):
    """One bot: the methods of the Bot API that the pipeline uses, and any other with `call`.

    >>> Bot("123456:EXAMPLE", "https://api.telegram.org")
    Bot(id=123456, api='api.telegram.org')
    """

    def get_me(self) -> dict[str, Any]:
        """The bot itself: id, username, `can_read_all_group_messages`."""
        return self._get("getMe")

    def get_updates(self, offset: int | None = None, **options: Any) -> list[Update]:
        """Pending updates, oldest first; they come again until a higher offset confirms them.

        Args:
            offset: id of the first one wanted, which confirms all below it; negative: so many
                from the end, which forgets all before them.
            **options: `limit` (1 to 100), `timeout` (seconds to wait for one, at most 50) and
                `allowed_updates` (kinds that Telegram makes from now on; [] is its default).

        Raises:
            BotConflict: if a webhook is set, or another getUpdates is running.

        Source: https://core.telegram.org/bots/api#getupdates
        """
        return objects(self.call("getUpdates", offset=offset, **options))

    def set_webhook(self, url: str, *, replace: bool | Asking = False, **options: Any) -> bool:
        """Have Telegram post every update to a URL.

        A bot has one webhook. One that is set on another host is somebody's bot at work, and is not
        replaced unless `replace` says so.

        Args:
            url: https, on port 443, 80, 88 or 8443.
            replace: whether a webhook on another host is replaced; or a function that is asked,
                such as `confirm`.
            **options: `secret_token` (what Telegram shall send in
                `X-Telegram-Bot-Api-Secret-Token`), `allowed_updates` (kinds of updates; without it
                what was set stays, [] is Telegram's default), `max_connections` (deliveries at a
                time, 1 to 100), `drop_pending_updates` (forget what waits), `certificate` (the PEM
                certificate, or its path, if it is self-signed) and `ip_address` (where to connect
                instead of what the host's name resolves to).

        Raises:
            BotConflict: if there is one that is not replaced.

        Source: https://core.telegram.org/bots/api#setwebhook
        """
        if replace is not True and (host := other_host(self.get_webhook_info()["url"], url)):
            text = f"a webhook is set at {host}. {ONE_WEBHOOK}"
            if not (replace and replace(f"{text}. Replace it all the same?")):
                raise BotConflict("setWebhook", f"{text}; or say replace=True", 409)
        return bool(self.call("setWebhook", url=url, **options))

    def get_webhook_info(self) -> dict[str, Any]:
        """The webhook's url (empty: none), what waits for it, and its last error."""
        return self._get("getWebhookInfo")

    def delete_webhook(self, *, drop_pending_updates: bool | None = None) -> bool:
        """Remove the webhook, so that getUpdates works again; what waits is kept by default."""
        return bool(self.call("deleteWebhook", drop_pending_updates=drop_pending_updates))

    def send_message(
        self, chat_id: int | str, text: str, *, archive: Archive = lambda _: None, **options: Any
    ) -> Update:
        """Send a text, and keep what was sent: a bot gets no update for its own messages.

        Args:
            chat_id: a chat's id, or a public one's @name.
            text: up to 4,096 characters.
            archive: called with the Message that comes back, such as `lake.archive(settings)`.
            **options: further parameters, such as `reply_parameters={"message_id": 7}`.

        Returns:
            The Message.

        Source: https://core.telegram.org/bots/api#sendmessage
        """
        message = self._get("sendMessage", chat_id=chat_id, text=text, **options)
        try:
            archive(message)
        except Exception as error:
            error.add_note(SENTENCES["lost"].format(message.get("message_id"), chat_id))
            raise
        return message

    def get_chat(self, chat_id: int | str) -> dict[str, Any]:
        """A chat, as far as the bot may know it."""
        return self._get("getChat", chat_id=chat_id)

    def check(
        self, chat_id: int | str, webhook_url: str = "", refusal_logged: Logged = lambda when: None
    ) -> CheckReport:
        """Examine what decides whether a group's life reaches the pipeline, and say what to do.

        Args:
            chat_id: the group.
            webhook_url: where updates should go; empty where none should be set.
            refusal_logged: told when the webhook answered 403 (Unix seconds), says whether the
                ingest function's log has it; None where that is not known.

        Returns:
            A table: one line per finding. It is written for people; `.ok` is for programs.

        Raises:
            BotUnreachable: if the Bot API does not answer at all.
        """
        return examine(self._get, chat_id, self._hide(webhook_url), refusal_logged)

    def _get(self, method: str, **params: Any) -> Update:
        result = self.call(method, **params)
        if type(result) is not dict:
            raise BotUnreachable(method, SENTENCES["result"])
        return result


def confirm(question: str) -> bool:
    """Ask on the terminal or in a notebook; no where there is nobody to ask."""
    try:
        return input(f"{question} Type yes: ").strip().lower() == "yes"
    except (EOFError, OSError, RuntimeError):  # no terminal; a notebook that runs headless
        return False
