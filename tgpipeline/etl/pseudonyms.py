"""Pseudonyms: what the enriched zone says of people where a key is set.

Ids become the first 63 bits of an HMAC of theirs, the same on every day; names, usernames and
titles become short ones; `events.payload` is left out. In texts usernames have the same pseudonyms
as elsewhere, e-mail addresses another one, and long numbers become noughts: what they are about can
still be told.
Whoever has the key can make the pseudonym of an id, so it belongs to the ETL's role alone.
"""

import re
from collections.abc import Iterable
from typing import Any

from tgpipeline.errors import SettingsError
from tgpipeline.lake.authors import NOBODY
from tgpipeline.lake.columns import TABLES
from tgpipeline.lake.erasing import REVEALING, hashed
from tgpipeline.lake.ledger import Ledger
from tgpipeline.lake.rows import Row

ID_COLUMNS = frozenset(
    "author_id from_id sender_chat_id chat_id group_id reply_to_from_id via_bot_id target_user_id "
    "migrate_to_chat_id migrate_from_chat_id".split()
)
NAME_COLUMNS = frozenset("from_first_name from_last_name from_username chat_title".split())
TEXT_COLUMNS = frozenset("text caption topic_name".split())
# Events whose values are what somebody typed or a bot's own data, not states or reactions.
_TYPED = frozenset("callback_query inline_query chosen_inline_result".split())
_EVENT_TYPE = [column.name for column in TABLES["events"]].index("event_type")


class Pseudonyms:
    """Makes rows pseudonymous.

    Args:
        key: secret; empty leaves rows as they are.

    Attributes:
        collisions: ids that got the pseudonym of another one.
    """

    def __init__(self, key: str) -> None:
        self.collisions = 0
        self._key = key.encode()
        self._known: dict[int, int] = {}
        self._taken: dict[int, int] = {}
        change: dict[str, Any] = dict.fromkeys(ID_COLUMNS, self.id)
        change |= dict.fromkeys(NAME_COLUMNS, self._name) | dict.fromkeys(TEXT_COLUMNS, self._text)
        change["payload"] = lambda _: None
        self._of = {t: [change.get(c.name) for c in cs[:-1]] for t, cs in TABLES.items()}
        change |= dict.fromkeys(("old_value", "new_value"), change["payload"])
        self._of["typed"] = [change.get(column.name) for column in TABLES["events"][:-1]]

    @property
    def digest(self) -> str:
        """Tells one key from another, without telling it; empty without a key."""
        return hashed(self._key, "the key itself")[:8] if self._key else ""

    def row(self, table: str, row: Row) -> Row:
        """The row with pseudonyms."""
        if not self._key:
            return row
        kind = "typed" if table == "events" and row[_EVENT_TYPE] in _TYPED else table
        return tuple(
            change(value) if change and value is not None else value
            for change, value in zip(self._of[kind], row, strict=True)
        )

    def id(self, number: Any) -> Any:
        """The pseudonym of an id: positive for people, negative for chats, as ids are."""
        if not self._key or type(number) is not int or number in NOBODY:
            return number  # what is no number does not fit its column: the row gets none
        if number not in self._known:
            found = int(hashed(self._key, number)[:16], 16) >> 1
            self._known[number] = found = -found if number < 0 else found
            self.collisions += self._taken.setdefault(found, number) != number
        return self._known[number]

    def _text(self, text: Any) -> Any:
        return REVEALING.sub(self._stand_in, text) if type(text) is str else None

    def _stand_in(self, found: "re.Match[str]") -> str:
        name = self._name(found[0].removeprefix("@"))
        if found[0].startswith("@"):
            return f"@{name}"
        return f"{name}@example.com" if "@" in found[0] else re.sub(r"\d", "0", found[0])

    def _name(self, name: Any) -> str:
        return f"p{hashed(self._key, str(name).lower())[:8]}"


def refuse_other_key(before: Iterable[Ledger | None], digest: str) -> None:
    """Refuse to make a pseudonymous day plain, or to give it another key, unless told.

    Raises:
        SettingsError: if a day's tables hold pseudonyms of another key.
    """
    for made in before:
        if made and made.made_from.get("pseudonyms") not in (None, "", digest):
            raise SettingsError(
                f"the tables of {made.date} hold pseudonyms of a PSEUDONYM_KEY other than yours: "
                "set that of the ETL's function, or run all days with --rebuild to give them yours."
            )
