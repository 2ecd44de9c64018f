"""What `Bot.check` knows: does a group's life reach the pipeline, and if not, what to do."""

import html
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tgpipeline import errors, resources
from tgpipeline.telegram.updates import Update

Ask = Callable[..., Update]
Logged = Callable[[int], bool | None]
# Telegram sends these only where allowed_updates names them and the bot is admin.
# Source: https://core.telegram.org/bots/api#update
ASKED_FOR = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
_USUAL = ("message", "edited_message", "my_chat_member")
DEFAULT_WANTED = (*_USUAL, *sorted(ASKED_FOR))
_KINDS, _TABLE, _ADVICE = resources.data("telegram/check.toml").values()
ONE_WEBHOOK: str = _ADVICE["one_webhook"]


class CheckFinding(NamedTuple):
    """One line: what was looked at, whether it is good, what was found, what to do."""

    name: str
    ok: bool
    detail: str
    advice: str = ""


class CheckReport(tuple[CheckFinding, ...]):
    """The findings, in order; shows as a table, on a terminal and in a notebook.

    >>> CheckReport([CheckFinding("webhook", False, "none set", "Call set_webhook with your URL.")])
    NOT  webhook  none set
                  → Call set_webhook with your URL.
    """

    @property
    def ok(self) -> bool:
        """Whether every finding is good."""
        return all(finding.ok for finding in self)

    def __str__(self) -> str:
        width, lines = max(len(f.name) for f in self), []
        for f in self:
            lines.append(f"{'ok ' if f.ok else 'NOT'}  {f.name:<{width}}  {f.detail}")
            lines += [] if f.ok else [f"     {'':<{width}}  → {f.advice}"]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = ""
        for f in self:
            cells = ("✓" if f.ok else "✗", f.name, f.detail, "" if f.ok else f.advice)
            rows += _TABLE["row"].format(*map(html.escape, cells))
        return str(_TABLE["table"].format(rows))


def other_host(url: str, expected: str) -> str:
    """The host of a webhook that is set where another URL is expected; empty if that is no other.

    The whole URL is half a secret: whoever knows it needs only the secret token.

    >>> other_host("https://bot.example/hook", "https://a1.execute-api.us-east-1.amazonaws.com/x")
    'bot.example'
    """
    host = urlsplit(url).netloc
    return "" if host == urlsplit(expected).netloc else host


def examine(ask: Ask, chat_id: int | str, webhook_url: str, is_logged: Logged) -> CheckReport:
    """Ask getMe, getChat, getChatMember and getWebhookInfo, and judge what they answer.

    Args:
        ask: calls a method of the Bot API by its name, with its parameters.
        chat_id: the group.
        webhook_url: where updates should go; empty where no webhook should be set.
        is_logged: whether the ingest function's log has the 403 of then (Unix seconds); None where
            that is not known.

    Raises:
        BotUnreachable, BotTooManyRequests: as `ask` does. Other errors are findings.
    """
    try:
        me = ask("getMe")
    except errors.BotUnauthorized as error:
        return CheckReport([_finding("token", False, str(error))])
    findings = [_finding("token", True, f"@{me.get('username')}, id {me.get('id')}")]
    found, status, new_id = _as_member(ask, chat_id, me)
    if new_id is not None:
        findings.append(_finding("chat id", False, f"it became the supergroup {new_id}", new_id))
        found, status, _ = _as_member(ask, new_id, me)
    inside, admin = status not in ("", "left", "kicked"), status in ("administrator", "creator")
    reads_all = me.get("can_read_all_group_messages") is True
    mode = "admin" if admin else f"no admin, and privacy mode is {'off' if reads_all else 'on'}"
    webhook = ask("getWebhookInfo")
    findings += [
        _finding("in the group", inside, found if inside else f"{found}: {status}".rstrip(": ")),
        _finding("admin", admin, status or "not in the group"),
        _finding("all messages", admin or reads_all, mode),
        *_deliveries(webhook.get("allowed_updates") or [], admin),
        *_webhook(webhook, webhook_url, is_logged),
    ]
    return CheckReport(findings)


def _finding(name: str, ok: bool, detail: str, *values: Any) -> CheckFinding:
    return CheckFinding(name, ok, detail, _ADVICE[name].format(*values))


def _as_member(ask: Ask, chat_id: int | str, me: Update) -> tuple[str, str, Any]:
    """What a chat is, or why the bot cannot tell; its status there; the chat that it became."""
    try:
        chat = ask("getChat", chat_id=chat_id)
        member = ask("getChatMember", chat_id=chat_id, user_id=me.get("id"))
    except (errors.BotUnreachable, errors.BotTooManyRequests):
        raise
    except errors.BotApiError as error:
        return str(error), "", error.parameters.get("migrate_to_chat_id")
    return f"{chat.get('type')}, id {chat.get('id')}", member.get("status", ""), None


def _deliveries(allowed: list[str], admin: bool) -> Iterator[CheckFinding]:
    """Which kinds of updates Telegram makes. It leaves allowed_updates out where it is default."""
    missing = [kind for kind in _USUAL if allowed and kind not in allowed]
    detail = f"not in allowed_updates: {', '.join(missing)}" if missing else ", ".join(_USUAL)
    yield (usual := _finding("messages delivered", not missing, detail, list(DEFAULT_WANTED)))
    for kind in sorted(ASKED_FOR):
        lacks = {} if kind in allowed else {"not in allowed_updates": usual.advice}
        lacks |= {} if admin else {"the bot is no admin": _ADVICE["admin"]}
        found, advice = " and ".join(lacks) or kind, " ".join(lacks.values())
        yield CheckFinding(f"{_KINDS[kind]} delivered", not lacks, found, advice)


def _webhook(webhook: Update, expected: str, is_logged: Logged) -> list[CheckFinding]:
    url, pending = webhook.get("url", ""), webhook.get("pending_update_count", 0)
    error, when = webhook.get("last_error_message"), webhook.get("last_error_date", 0)
    detail, advice = "ours" if url else "none set, so getUpdates works", _ADVICE["set_webhook"]
    if other := other_host(url, expected):
        detail = f"another one is set: {other}"
        advice = "say replace=True" if expected else "give check() its URL, or delete_webhook()"
        advice = f"{ONE_WEBHOOK}; or {advice}."
    elif url != expected:
        detail = "an old one" if url else "none set"
    stuck = bool(url and pending)
    waiting = f"{pending} waiting" + ("" if url or not pending else " for getUpdates")
    at = f" ({datetime.fromtimestamp(when, UTC):%Y-%m-%d %H:%M} UTC)" if when else ""
    last = f"{error}{at}" + ("" if stuck else ", delivered since") if error else "none"
    why = f"refused_{is_logged(when)}" if "403" in str(error) else "failed"
    return [
        CheckFinding("webhook", url == expected, detail, advice),
        _finding("delivery queue", not stuck, waiting),
        CheckFinding("last error", not (error and stuck), last, _ADVICE[why]),
    ]
