"""The stand-in's clock, and its queue of updates with what getUpdates does to it."""

import json
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from telegram_standin import updates
from telegram_standin.updates import KINDS, Json

RETENTION = 86_400  # "updates … will not be kept longer than 24 hours"
DEFAULT_KINDS = KINDS - updates.ON_REQUEST


class Clock:
    """The time as the stand-in sees it; it can be set, put forward and stopped.

    Its condition `changed` is the one lock of the stand-in: whoever reads or changes its state
    holds it, and whoever waits for anything waits on it.

    >>> clock = Clock(1_700_000_000, running=False)
    >>> clock.advance(3600)
    >>> clock.now()
    1700003600.0
    """

    def __init__(self, start: float | None = None, *, running: bool = True) -> None:
        self.changed = threading.Condition()
        self.running = running
        self.set(time.time() if start is None else start)

    def now(self) -> float:
        """Unix seconds."""
        base, since = self._set
        return base + (time.monotonic() - since if self.running else 0.0)

    def set(self, instant: float) -> None:
        """Make it this time, in Unix seconds."""
        with self.changed:
            self._set = (float(instant), time.monotonic())
            self.changed.notify_all()

    def advance(self, seconds: float) -> None:
        """Put it forward."""
        with self.changed:
            self.set(self.now() + seconds)

    def wait(self, until: float | None = None) -> None:
        """Wait, holding the lock, until something changes or it is this time."""
        if until is None or not self.running:
            self.changed.wait()
        else:
            self.changed.wait(max(0.0, until - self.now()))


@dataclass(eq=False)
class Pending:
    """An update that waits to be fetched or delivered."""

    update: Json
    body: bytes
    expires: float
    failures: int = 0


class UpdateQueue:
    """Updates in order, each kept for a day at most.

    Args:
        clock: its time is what the day is counted by.
        first_id: the first update_id that is given.
    """

    def __init__(self, clock: Clock, first_id: int) -> None:
        self._clock = clock
        self._next_id = first_id
        self._pending: dict[Pending, None] = {}
        self.allowed: frozenset[str] = DEFAULT_KINDS

    def allow(self, kinds: Iterable[Any] | None) -> None:
        """Take an `allowed_updates`: absent changes nothing, an empty one means the default."""
        if kinds is not None:
            self.allowed = KINDS.intersection(map(str, kinds)) or DEFAULT_KINDS

    def add(self, update: Json, *, visible: bool = True) -> tuple[int, Pending | None]:
        """Queue an update as if it had just happened.

        An `update_id` that it carries is kept, so that what happened elsewhere can be replayed. The
        24 hours run from its date, unless that is long past or unknown: then from now.

        Args:
            update: with or without `update_id`.
            visible: False for what Telegram withholds although it is allowed, because the bot is
                no admin.

        Returns:
            Its update_id, and what was queued: None if the bot does not get it.

        Raises:
            TypeError: if it holds what JSON cannot.
        """
        given = update.get("update_id")
        update_id = given if type(given) is int else self._next_id
        kind = updates.kind(update)
        # A kind that this version does not know is never withheld.
        if (kind in KINDS and kind not in self.allowed) or not visible:
            return update_id, None
        self._next_id = max(self._next_id, update_id + 1)
        now, content = self._clock.now(), updates.payload(update)
        since = content.get("edit_date") or content.get("date")
        if type(since) is not int or since <= now - RETENTION:
            since = now
        made = {"update_id": update_id} | update | {"update_id": update_id}
        body = json.dumps(made, separators=(",", ":")).encode()
        pending = Pending(made, body, since + RETENTION)
        self._pending[pending] = None
        return update_id, pending

    def remove(self, pending: Pending) -> None:
        """Forget one that was delivered or has expired."""
        self._pending.pop(pending, None)
        self._clock.changed.notify_all()

    def clear(self) -> None:
        """Forget all."""
        self._pending.clear()

    def is_pending(self, pending: Pending) -> bool:
        """Whether it is still to be delivered."""
        return pending in self._pending and pending.expires > self._clock.now()

    def all_pending(self) -> list[Pending]:
        """All that are still to be delivered, oldest update_id first."""
        now = self._clock.now()
        for pending in [p for p in self._pending if p.expires <= now]:
            self.remove(pending)
        return sorted(self._pending, key=lambda p: int(p.update["update_id"]))

    def get(self, offset: int, limit: int) -> list[Json]:
        """What getUpdates answers; the offset confirms the updates below it."""
        before = self.all_pending()
        if offset < 0:
            kept = before[offset:]
        else:
            kept = [p for p in before if p.update["update_id"] >= offset]
        for pending in set(before).difference(kept):
            self.remove(pending)
        return [p.update for p in kept[:limit]]
