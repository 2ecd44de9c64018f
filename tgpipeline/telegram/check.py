"""What `Bot.check` knows: does a group's life reach the pipeline, and if not, what to do.

Pure: it judges what the Bot API answered; `Bot.check` does the asking.
"""

import html
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tgpipeline import resources
from tgpipeline.errors import BotApiError

# Telegram sends these only where allowed_updates names them and the bot is admin.
# Source: https://core.telegram.org/bots/api#update
ASKED_FOR = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
DEFAULT_WANTED = ("message", "edited_message", "my_chat_member", *sorted(ASKED_FOR))
_KINDS, _ADVICE = resources.data("telegram/check.toml").values()
ONE_WEBHOOK: str = _ADVICE["one_webhook"]
_REFUSED = {True: "refused_logged", False: "refused_not_logged", None: "refused_unknown"}


class CheckFinding(NamedTuple):
    """One line: what was looked at, whether it is good, what was found, what to do."""

    name: str
    ok: bool
    detail: str
    advice: str = ""


class CheckReport(tuple[CheckFinding, ...]):
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
            lines += [] if f.ok else [f"     {'':<{width}}  → {f.advice}"]
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


def other_host(url: str, expected: str) -> str:
    """The host of a webhook that is set where another URL is expected; empty if that is no other.

    The whole URL is half a secret: whoever knows it needs only the secret token.

    >>> other_host("https://bot.example/hook", "https://a1.execute-api.us-east-1.amazonaws.com/x")
    'bot.example'
    """
    host = urlsplit(url).netloc
    return "" if host == urlsplit(expected).netloc else host


def diagnose(
    me: dict[str, Any] | BotApiError,
    chat: dict[str, Any] | BotApiError | None = None,
    member: dict[str, Any] | None = None,
    webhook: dict[str, Any] | None = None,
    moved_to: int | None = None,
    webhook_url: str = "",
    wanted: Sequence[str] = DEFAULT_WANTED,
    refusal_logged: bool | None = None,
) -> CheckReport:
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
        refusal_logged: whether the ingest function's log has the refusal, if the last error is a
            403; None where the log was not read.

    Returns:
        The findings.

    >>> print(diagnose(BotApiError("getMe", "Unauthorized", 401)))
    NOT  token  getMe: 401 Unauthorized
                → Copy the token again from BotFather (/mybots → API Token) to TELEGRAM_BOT_TOKEN.
    """
    if isinstance(me, BotApiError):
        return CheckReport([_finding("token", False, str(me))])
    status = (member or {}).get("status", "")
    admin = status in ("administrator", "creator")
    reads_all = me.get("can_read_all_group_messages") is True
    mode = "admin" if admin else f"no admin, and privacy mode is {'off' if reads_all else 'on'}"
    findings = [_finding("token", True, f"@{me.get('username')}, id {me.get('id')}")]
    if moved_to is not None:
        moved = f"the group became the supergroup {moved_to}"
        findings.append(_finding("chat id", False, moved, moved_to))
    findings += [
        _in_chat(chat, status),
        _finding("admin", admin, status or "not in the group"),
        _finding("all messages", admin or reads_all, mode),
    ]
    findings += _deliveries(webhook or {}, wanted, admin)
    return CheckReport(findings + _webhook(webhook or {}, webhook_url, refusal_logged))


def _finding(name: str, ok: bool, detail: str, *values: Any) -> CheckFinding:
    return CheckFinding(name, ok, detail, _ADVICE[name].format(*values))


def _in_chat(chat: dict[str, Any] | BotApiError | None, status: str) -> CheckFinding:
    if isinstance(chat, BotApiError):
        return _finding("in the group", False, str(chat))
    inside = status not in ("", "left", "kicked")
    found = f"{(chat or {}).get('type')}, id {(chat or {}).get('id')}"
    return _finding("in the group", inside, found if inside else f"{found}: {status}")


def _deliveries(webhook: dict[str, Any], wanted: Sequence[str], admin: bool) -> list[CheckFinding]:
    """Which kinds of updates Telegram makes. It leaves allowed_updates out where it is default."""
    allowed = webhook.get("allowed_updates") or []
    usual = [kind for kind in wanted if kind not in ASKED_FOR]
    missing = [kind for kind in usual if allowed and kind not in allowed]
    detail = f"not in allowed_updates: {', '.join(missing)}" if missing else ", ".join(usual)
    findings = [_finding("messages delivered", not missing, detail, list(wanted))]
    for kind in (kind for kind in wanted if kind in ASKED_FOR):
        lacks = {} if kind in allowed else {"not in allowed_updates": findings[0].advice}
        lacks |= {} if admin else {"the bot is no admin": _ADVICE["admin"]}
        found, advice = " and ".join(lacks) or kind, " ".join(lacks.values())
        findings.append(CheckFinding(f"{_KINDS[kind]} delivered", not lacks, found, advice))
    return findings


def _webhook(
    webhook: dict[str, Any], expected: str, refusal_logged: bool | None
) -> list[CheckFinding]:
    url, pending = webhook.get("url", ""), webhook.get("pending_update_count", 0)
    error, when = webhook.get("last_error_message"), webhook.get("last_error_date")
    detail, advice = "ours" if url else "none set, so getUpdates works", _ADVICE["set_webhook"]
    if other := other_host(url, expected):
        detail = f"another one is set: {other}"
        advice = "say replace=True" if expected else "give check() its URL, or delete_webhook()"
        advice = f"{ONE_WEBHOOK}; or {advice}."
    elif url != expected:
        detail = "an old one" if url else "none set"
    stuck = bool(url) and bool(pending)
    waiting = f"{pending} waiting" + ("" if url or not pending else " for getUpdates")
    at = f" ({datetime.fromtimestamp(when, UTC):%Y-%m-%d %H:%M} UTC)" if when else ""
    last = f"{error}{at}" + ("" if stuck else ", delivered since") if error else "none"
    why = _ADVICE[_REFUSED[refusal_logged] if "403" in str(error) else "failed"]
    return [
        CheckFinding("webhook", url == expected, detail, advice),
        _finding("delivery queue", not stuck, waiting),
        CheckFinding("last error", not (error and stuck), last, why),
    ]
