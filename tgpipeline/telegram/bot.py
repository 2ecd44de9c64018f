"""Bot: the Telegram Bot API, as far as the pipeline's owner needs it, and the rest by name.

Source: https://core.telegram.org/bots/api
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from tgpipeline.errors import BotApiError, BotTooManyRequests, BotUnauthorized, BotUnreachable
from tgpipeline.telegram.check import DEFAULT_WANTED, Report, diagnose
from tgpipeline.telegram.transport import Transport

T = TypeVar("T")
logger = logging.getLogger(__name__)


class Bot(Transport):
    """One bot: the methods of the Bot API that the pipeline uses, and any other with `call`.

    >>> Bot("123456:EXAMPLE", "https://api.telegram.org")
    Bot(id=123456, api='api.telegram.org')
    """

    def get_me(self) -> dict[str, Any]:
        """The bot itself: id, username, `can_read_all_group_messages`."""
        return _expect(dict, "getMe", self.call("getMe"))

    def get_updates(
        self,
        offset: int | None = None,
        limit: int | None = None,
        timeout: int | None = None,
        allowed_updates: Sequence[str] | None = None,
    ) -> list[dict[str, Any]]:
        """Updates that wait, oldest first; they come again until a higher offset confirms them.

        Args:
            offset: id of the first one wanted, which confirms all below it; negative: so many
                from the end, which forgets all before them.
            limit: 1 to 100.
            timeout: seconds to wait for one, at most 50.
            allowed_updates: kinds that Telegram shall make from now on; [] is its default.

        Raises:
            BotConflict: if a webhook is set, or another getUpdates is running.

        Source: https://core.telegram.org/bots/api#getupdates
        """
        found = self.call(
            "getUpdates",
            offset=offset,
            limit=limit,
            timeout=timeout,
            allowed_updates=allowed_updates,
        )
        return [_expect(dict, "getUpdates", u) for u in _expect(list, "getUpdates", found)]

    def iter_updates(
        self,
        timeout: int = 0,
        allowed_updates: Sequence[str] | None = None,
        *,
        forever: bool = False,
    ) -> Iterator[dict[str, Any]]:
        """The updates that wait, one by one, each confirmed once it has been consumed.

        An update counts as consumed when the next one is asked for. The one at which a loop is
        left, by a break or by an error, comes again next time.

        Args:
            timeout: seconds to wait for further ones.
            allowed_updates: as in `get_updates`.
            forever: go on when nothing comes; otherwise the first empty answer ends it.
        """
        offset = None
        try:
            while (batch := self.get_updates(offset, 100, timeout, allowed_updates)) or forever:
                for update in batch:
                    yield update
                    offset = int(update["update_id"]) + 1
        except GeneratorExit:  # left early: what is confirmed now need not come again
            if offset is not None:
                try:
                    self.get_updates(offset, 1, 0)
                except BotApiError as error:
                    logger.warning("the last updates will come again: %s", error)
            raise

    def set_webhook(
        self,
        url: str,
        *,
        secret_token: str | None = None,
        allowed_updates: Sequence[str] | None = None,
        max_connections: int | None = None,
        drop_pending_updates: bool | None = None,
        certificate: bytes | Path | None = None,
        ip_address: str | None = None,
    ) -> bool:
        """Have Telegram post every update to a URL.

        Args:
            url: https, on port 443, 80, 88 or 8443.
            secret_token: what Telegram shall send in `X-Telegram-Bot-Api-Secret-Token`.
            allowed_updates: kinds of updates; None keeps what was set, [] is Telegram's default.
            max_connections: deliveries at a time, 1 to 100.
            drop_pending_updates: forget what waits.
            certificate: the PEM certificate, or its path, if it is self-signed.
            ip_address: where to connect instead of what the host's name resolves to.

        Source: https://core.telegram.org/bots/api#setwebhook
        """
        given = {name: value for name, value in locals().items() if name != "self"}
        return bool(self.call("setWebhook", **given))

    def get_webhook_info(self) -> dict[str, Any]:
        """The webhook's url (empty: none), what waits for it, and its last error."""
        return _expect(dict, "getWebhookInfo", self.call("getWebhookInfo"))

    def delete_webhook(self, *, drop_pending_updates: bool | None = None) -> bool:
        """Remove the webhook, so that getUpdates works again; what waits is kept by default."""
        return bool(self.call("deleteWebhook", drop_pending_updates=drop_pending_updates))

    def send_message(
        self,
        chat_id: int | str,
        text: str,
        *,
        archive: Callable[[dict[str, Any]], object] | None = None,
        **options: Any,
    ) -> dict[str, Any]:
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
        sent = self.call("sendMessage", chat_id=chat_id, text=text, **options)
        message: dict[str, Any] = _expect(dict, "sendMessage", sent)
        if archive is not None:
            try:
                archive(message)
            except Exception as error:
                error.add_note(
                    f"Message {message.get('message_id')} was sent to chat {chat_id}, but is not "
                    "in the lake. Do not send it again: archive what sendMessage returned."
                )
                raise
        return message

    def get_chat(self, chat_id: int | str) -> dict[str, Any]:
        """A chat, as far as the bot may know it."""
        return _expect(dict, "getChat", self.call("getChat", chat_id=chat_id))

    def get_chat_administrators(self, chat_id: int | str) -> list[dict[str, Any]]:
        """The administrators of a chat that are not other bots."""
        found = self.call("getChatAdministrators", chat_id=chat_id)
        return list(_expect(list, "getChatAdministrators", found))

    def get_chat_member_count(self, chat_id: int | str) -> int:
        """How many members a chat has."""
        return _expect(int, "getChatMemberCount", self.call("getChatMemberCount", chat_id=chat_id))

    def check(
        self,
        chat_id: int | str,
        webhook_url: str = "",
        wanted: Sequence[str] = DEFAULT_WANTED,
    ) -> Report:
        """Examine what decides whether a group's life reaches the pipeline, and say what to do.

        Args:
            chat_id: the group.
            webhook_url: where updates should go; empty where none should be set.
            wanted: kinds of updates that the pipeline counts on.

        Returns:
            A table: one line a finding. It is written for people; `.ok` is for programs.

        Raises:
            BotUnreachable: if the Bot API does not answer at all.
        """
        try:
            me = self.get_me()
        except BotUnauthorized as error:
            return diagnose(error)
        chat, member = self._as_member(chat_id, me)
        moved_to = None
        if isinstance(chat, BotApiError) and "migrate_to_chat_id" in chat.parameters:
            moved_to = chat.parameters["migrate_to_chat_id"]
            chat, member = self._as_member(moved_to, me)
        return diagnose(
            me,
            chat,
            member,
            self.get_webhook_info(),
            moved_to=moved_to,
            webhook_url=self._hide(webhook_url),
            wanted=wanted,
        )

    def _as_member(
        self, chat_id: int | str, me: dict[str, Any]
    ) -> tuple[dict[str, Any] | BotApiError, dict[str, Any]]:
        """A chat and the bot as a member of it; or why the bot cannot tell."""
        try:
            chat = self.get_chat(chat_id)
            member = self.call("getChatMember", chat_id=chat_id, user_id=me.get("id"))
        except (BotUnreachable, BotTooManyRequests):
            raise
        except BotApiError as error:
            return error, {}
        return chat, _expect(dict, "getChatMember", member)


def _expect(kind: type[T], method: str, result: Any) -> T:
    if type(result) is not kind:
        raise BotUnreachable(
            method,
            f"the result is not {kind.__name__} but {type(result).__name__}, so this is not the "
            "Bot API: check TELEGRAM_API_URL",
        )
    return result
