"""Who has which part in a deal: the labels of its contacts, or what the contacts themselves say of their part.

Links change without moving the deal's stamp (fact sheet §5), so all open deals are looked at once a day, closed
ones once a week, and those that changed in between. The deals' own pull, which lists them all once a day, tells
which there are. A link has no id: a role goes by its deal and its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final

import msgspec

from pipelint.connectors.base import Page
from pipelint.connectors.hubspot.associations import AT_ONCE, Link, links
from pipelint.connectors.hubspot.changed import AllDeals, ChangedDeals
from pipelint.connectors.hubspot.client import Client
from pipelint.connectors.hubspot.normalise import chosen, milliseconds
from pipelint.connectors.hubspot.pull import DAILY, OVERLAP, WEEKLY, batch_read
from pipelint.connectors.hubspot.readers import STAMP
from pipelint.connectors.hubspot.schema import Portal
from pipelint.connectors.hubspot.search import by_id
from pipelint.errors import CursorUnreadable
from pipelint.records import ContactRole, Stream

BUYING_ROLE: Final = "hs_buying_role"
SUPPLIED: Final = frozenset(ContactRole._fields) - {"created_at", "is_primary"}

LATEST: Final = DAILY + timedelta(hours=1)
"""So long after the last look we search for deals ourselves, because no pull told us all of them."""

_CONTACTS_A_CALL: Final = 100

_UNKNOWN: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Links have no stamp."""


class Place(msgspec.Struct, omit_defaults=True):
    """Where the stream continues: up to when changes are known.

    `full_at` is when all deals were looked at, `open_at` when the open ones were. `after` is set while deals are
    looked at: the one that was reached; `closed_since` leaves out closed ones that have not changed since then.
    """

    until: datetime
    full_at: datetime
    open_at: datetime
    after: str | None = None
    closed_since: datetime | None = None

    def text(self) -> str:
        return msgspec.json.encode(self).decode()


class Roles:
    """The contacts of deals."""

    def __init__(self, client: Client, portal: Portal, deals: ChangedDeals) -> None:
        self._client = client
        self._portal = portal
        self._deals = deals

    def pull(self, text: str | None) -> Iterator[Page]:
        """Pages of roles; the last one is always there."""
        told, now = self._deals.everything(), self._client.now()
        place = _read(text) if text else None
        if place is not None and place.after is None and not (told or now - place.open_at >= LATEST):
            yield from self._changed(place)
            return
        begins = place is None or (place.after is None and now - place.full_at >= WEEKLY)
        until = told.until if told else now
        if place is None or begins:
            place = Place(until, now, now, after="0")
        elif place.after is None:
            place = Place(until, place.full_at, now, after="0", closed_since=place.until - OVERLAP)
        yield from self._everything(place, told, begins=begins)

    def _everything(self, place: Place, told: AllDeals | None, *, begins: bool) -> Iterator[Page]:
        """The roles of all deals, or of the open and the changed ones, a thousand deals a page."""
        after = place.after or "0"
        ids = told.listed(after, place.closed_since) if told else self._searched(place, after)
        some, following = list(islice(ids, AT_ONCE)), list(islice(ids, AT_ONCE))
        while following:
            yield self._page(some, place, begins=begins, after=some[-1])
            some, following, begins = following, list(islice(ids, AT_ONCE)), False
        yield self._page(some, place, begins=begins, after=None)

    def _searched(self, place: Place, after: str) -> Iterator[str]:
        groups: list[list[dict[str, str]]] = [[]]
        if place.closed_since is not None:
            since = str(milliseconds(place.closed_since))
            groups = [
                [{"propertyName": "hs_is_closed", "operator": "NEQ", "value": "true"}],
                [{"propertyName": STAMP, "operator": "GTE", "value": since}],
            ]
        return (row.id for rows in by_id(self._client, "deals", [], groups, after) for row in rows)

    def _changed(self, place: Place) -> Iterator[Page]:
        until, ids = self._deals.since(place.until - OVERLAP, Stream.CONTACT_ROLES)
        for first in range(0, max(len(ids), 1), AT_ONCE):
            if first + AT_ONCE >= len(ids):
                place.until = until
            some = ids[first : first + AT_ONCE]
            yield Page(Stream.CONTACT_ROLES, self._roles(some), place.text(), parents=some)

    def _page(self, ids: Sequence[str], place: Place, *, begins: bool, after: str | None) -> Page:
        place.after = after
        return Page(
            Stream.CONTACT_ROLES,
            self._roles(ids),
            place.text(),
            begins_full=begins,
            ends_full=after is None and place.closed_since is None,
            parents=ids,
        )

    def _roles(self, ids: Sequence[str]) -> list[ContactRole]:
        """The roles of some deals."""
        linked = links(self._client, "deals", "contacts", ids) if ids else {}
        parts = self._buying_roles(
            [link.to for found in linked.values() for link in found if not link.labels]
        )
        records: list[ContactRole] = []
        for deal in ids:
            found = [(link, role) for link in linked.get(deal, []) for role in _words(link, parts) or (None,)]
            records += [
                ContactRole(f"{deal}:{number}", _UNKNOWN, deal, link.to, role)
                for number, (link, role) in enumerate(found)
            ]
        return records

    def _buying_roles(self, contacts: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """What contacts say of their part in decisions, where the portal has the property."""
        if not contacts or BUYING_ROLE not in self._portal.properties("contacts"):
            return {}
        wanted = list(dict.fromkeys(contacts))
        found: dict[str, tuple[str, ...]] = {}
        for first in range(0, len(wanted), _CONTACTS_A_CALL):
            some = wanted[first : first + _CONTACTS_A_CALL]
            for row in batch_read(self._client, "contacts", some, [BUYING_ROLE]):
                found[row.id] = chosen(row.properties.get(BUYING_ROLE)) or ()
        return found


def _words(link: Link, parts: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The portal's own words for the link; without, what the contact says."""
    return link.labels or parts.get(link.to, ())


def _read(text: str) -> Place:
    try:
        return msgspec.json.decode(text, type=Place)
    except msgspec.MsgspecError:
        raise CursorUnreadable from None
