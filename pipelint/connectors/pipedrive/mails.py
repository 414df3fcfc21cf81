"""E-mails that Pipedrive synchronises: of each deal the last that came and the last that went, as activities.

Deals tell of them when they are listed, so they cost nothing. Whether an e-mail counts as a change of its deal is
not documented (fact sheet §3): once a day the open deals are looked at whatever they say of changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

import msgspec

from pipelint.connectors.base import Page
from pipelint.connectors.pipedrive.moved import Brief, Moved
from pipelint.connectors.pipedrive.pull import OVERLAP, Walk, next_pass
from pipelint.connectors.pipedrive.reference import DAILY
from pipelint.records import Activity, ActivityLink, Record, Stream


def pull(walk: Walk, moved: Moved, text: str | None) -> Iterator[Page]:
    """The pages of the activities, those of e-mails before the others: what is told whole must end with these."""
    now = walk.client.now()
    cursor, begins = next_pass(Stream.ACTIVITIES, text, now)
    looked = cursor.looked_at
    if cursor.mails is None:
        until, pages = moved.everything(Stream.ACTIVITIES)
        looked = until
    else:
        until, pages = moved.since(cursor.mails - OVERLAP, Stream.ACTIVITIES)
        if looked is None or now - looked >= DAILY:
            pages, looked = chain(pages, moved.open()), now
    for deals in pages:
        records, deleted = _told(deals)
        if begins or records or deleted:
            yield Page(Stream.ACTIVITIES, records, cursor.text(), deleted, begins_full=begins)
            begins = False
    # Only now are they all told: what is cut before is asked for again.
    yield from walk.go_on(msgspec.structs.replace(cursor, mails=until, looked_at=looked), begins=begins)


def _told(deals: Iterable[Brief]) -> tuple[list[Record], list[str]]:
    """The e-mails of deals, and the ids of those that went with their deals."""
    records: list[Record] = []
    deleted: list[str] = []
    for deal in deals:
        for direction, at in (("inbound", deal.mail_came), ("outbound", deal.mail_went)):
            id_ = f"{deal.id}:{direction}"
            if deal.deleted:
                deleted.append(id_)
            elif at is not None:
                records.append(Activity(id_, at, "email", direction, happened_at=at))
                records.append(ActivityLink("opportunity", deal.id, id_))
    return records, deleted
