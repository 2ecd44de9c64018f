"""What `Bot.check` knows: does a group's life reach the pipeline, and if not, what to do.

Pure: it judges what the Bot API answered; `Bot.check` does the asking.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from tgpipeline.errors import BotApiError

# Telegram sends these only where allowed_updates names them and the bot is admin.
# Source: https://core.telegram.org/bots/api#update
ASKED_FOR = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
DEFAULT_WANTED = ("message", "edited_message", "my_chat_member", *sorted(ASKED_FOR))
_NAMES = {
    "message_reaction": "reactions",
    "message_reaction_count": "reaction counts",
    "chat_member": "member changes",
}
_MAKE_ADMIN = "Make the bot admin (Group → Edit → Administrators); no single right is needed."


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, whether it is good, what was found, what to do."""

    name: str
    ok: bool
    detail: str
    advice: str = ""


class Report(tuple[Finding, ...]):
    """The findings, in order; shows as a table, on a terminal and in a notebook."""

    @property
    def ok(self) -> bool:
        """Whether every finding is good."""
        return all(finding.ok for finding in self)

    def __str__(self) -> str:
        width = max((len(f.name) for f in self), default=0)
        lines = []
        for f in self:
            lines.append(f"{'ok ' if f.ok else 'NOT'}  {f.name:<{width}}  {f.detail}")
            if not f.ok:
                lines.append(f"     {'':<{width}}  → {f.advice}")
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        cells = (("✓" if f.ok else "✗", f.name, f.detail, "" if f.ok else f.advice) for f in self)
        rows = "".join(
            "<tr>" + "".join(f"<td style='text-align:left'>{html.escape(c)}</td>" for c in row)
            for row in cells
        )
        head = "".join(f"<th>{name}</th>" for name in ("", "what", "found", "what to do"))
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def diagnose(
    me: dict[str, Any] | BotApiError,
    chat: dict[str, Any] | BotApiError | None = None,
    member: dict[str, Any] | None = None,
    webhook: dict[str, Any] | None = None,
    *,
    moved_to: int | None = None,
    webhook_url: str = "",
    wanted: Sequence[str] = DEFAULT_WANTED,
) -> Report:
    """Judge what getMe, getChat, getChatMember and getWebhookInfo answered.

    Args:
        me: the bot, or the error that getMe raised; then there is nothing more to say.
        chat: the group, or the error that asking for it raised.
        member: the bot as a member of it.
        webhook: what getWebhookInfo returned.
        moved_to: id of the supergroup that the group asked about has become; `chat` and `member`
            are of that.
        webhook_url: where updates should go; empty where no webhook should be set.
        wanted: kinds of updates that the pipeline counts on.

    Returns:
        The findings.

    >>> print(diagnose(BotApiError("getMe", "Unauthorized", 401)))
    NOT  token  getMe: 401 Unauthorized
                → Copy the token again from BotFather (/mybots → API Token) ...
    """
    if isinstance(me, BotApiError):
        advice = "Copy the token again from BotFather (/mybots → API Token) to TELEGRAM_BOT_TOKEN."
        return Report([Finding("token", False, str(me), advice)])
    status = (member or {}).get("status", "")
    admin = status in ("administrator", "creator")
    reads_all = me.get("can_read_all_group_messages") is True
    return Report(
        [
            Finding("token", True, f"@{me.get('username')}, id {me.get('id')}"),
            *_moved(moved_to),
            _in_chat(chat, status),
            Finding("admin", admin, status or "not in the group", _MAKE_ADMIN),
            Finding(
                "all messages",
                admin or reads_all,
                "admin"
                if admin
                else f"no admin, and privacy mode is {'off' if reads_all else 'on'}",
                "Make the bot admin; or BotFather → /setprivacy → Disable, then remove the bot "
                "from the group and add it again, because the change counts from then.",
            ),
            *_deliveries(webhook or {}, wanted, admin),
            *_webhook(webhook or {}, webhook_url),
        ]
    )


def _moved(to: int | None) -> list[Finding]:
    if to is None:
        return []
    advice = f"Set TELEGRAM_CHAT_ID to {to}. The lines below are about that group already."
    return [Finding("chat id", False, f"the group became the supergroup {to}", advice)]


def _in_chat(chat: dict[str, Any] | BotApiError | None, status: str) -> Finding:
    advice = "Add the bot to the group, and compare TELEGRAM_CHAT_ID with the group's id."
    if isinstance(chat, BotApiError):
        return Finding("in the group", False, str(chat), advice)
    inside = status not in ("", "left", "kicked")
    found = f"{(chat or {}).get('type')}, id {(chat or {}).get('id')}"
    return Finding("in the group", inside, found if inside else f"{found}: {status}", advice)


def _deliveries(webhook: dict[str, Any], wanted: Sequence[str], admin: bool) -> list[Finding]:
    """Which kinds of updates Telegram makes. It leaves allowed_updates out where it is default."""
    allowed = webhook.get("allowed_updates") or []
    findings = []
    usual = [kind for kind in wanted if kind not in ASKED_FOR]
    missing = [kind for kind in usual if allowed and kind not in allowed]
    advice = f"set_webhook(…, allowed_updates={list(wanted)}), or the same in get_updates."
    detail = f"not in allowed_updates: {', '.join(missing)}" if missing else ", ".join(usual)
    findings.append(Finding("messages delivered", not missing, detail, advice))
    for kind in (kind for kind in wanted if kind in ASKED_FOR):
        named = kind in allowed
        lacks = [] if named else ["not in allowed_updates"]
        lacks += [] if admin else ["the bot is no admin"]
        todo = " ".join(([] if named else [advice]) + ([] if admin else [_MAKE_ADMIN]))
        name = f"{_NAMES.get(kind, kind.replace('_', ' '))} delivered"
        findings.append(Finding(name, not lacks, " and ".join(lacks) or kind, todo))
    return findings


def _webhook(webhook: dict[str, Any], expected: str) -> list[Finding]:
    url, pending = webhook.get("url", ""), webhook.get("pending_update_count", 0)
    error, when = webhook.get("last_error_message"), webhook.get("last_error_date")
    if url == expected:
        ours = Finding("webhook", True, "ours" if url else "none set, so getUpdates works")
    elif not url:
        ours = Finding("webhook", False, "none set", "Call set_webhook with your URL.")
    else:
        advice = (
            "Call set_webhook with your URL."
            if expected
            else "It takes all updates, and getUpdates answers 409: call delete_webhook(), or give "
            "check() the URL if it is yours."
        )
        # The whole URL is half a secret: whoever knows it needs only the secret token.
        host = urlsplit(url).hostname
        ours = Finding("webhook", False, f"another one is set: {host}", advice)
    stuck = bool(url) and bool(pending)
    waiting = f"{pending} waiting" + ("" if url or not pending else " for getUpdates")
    at = f" ({datetime.fromtimestamp(when, UTC):%Y-%m-%d %H:%M} UTC)" if when else ""
    return [
        ours,
        Finding(
            "delivery queue",
            not stuck,
            waiting,
            "Wait a few seconds and check again. If it grows, the receiver refuses them: read the "
            "last error. Telegram keeps an update for 24 hours.",
        ),
        Finding(
            "last error",
            not (error and stuck),
            f"{error}{at}" + ("" if stuck else ", delivered since") if error else "none",
            "Read the receiver's log of that minute: 403 is a wrong secret, 5xx its own fault.",
        ),
    ]
