"""The deals that a pull saw, in brief: what hangs on a deal is asked for only where the deal says it moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import SEEK_END
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final, NamedTuple

import msgspec

from pipelint.connectors.pipedrive import endpoints as e
from pipelint.connectors.pipedrive.client import Client, Row
from pipelint.connectors.pipedrive.normalise import identity, instant, stamp
from pipelint.connectors.pipedrive.pull import Cursor, instant_text
from pipelint.records import Stream

EXTRAS: Final = "participants_count,products_count,last_incoming_mail_time,last_outgoing_mail_time"
"""What a list of deals tells when asked for it; without, each deal would cost a call."""

_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Brief(NamedTuple):
    """What later streams need to know of a deal."""

    id: str
    open: bool
    deleted: bool
    created_at: datetime | None
    changed_at: datetime
    moved_at: datetime | None
    """The last change of its stage, or its end."""
    stage: str | None
    value: str
    person: str | None
    participants: int
    products: int
    mail_came: datetime | None
    mail_went: datetime | None


def brief(row: Row) -> Brief:
    """A deal's row in brief."""
    closed = row.get("won_time") or row.get("lost_time") or row.get("close_time")
    moves = [instant(row.get("stage_change_time")), instant(closed)]
    return Brief(
        id=str(row["id"]),
        open=row.get("status") == "open",
        deleted=bool(row.get("is_deleted")),
        created_at=instant(row.get("add_time")),
        changed_at=stamp(row),
        moved_at=max((at for at in moves if at), default=None),
        stage=identity(row.get("stage_id")),
        value=str(row.get("value")),
        person=identity(row.get("person_id")),
        participants=row.get("participants_count") or 0,
        products=row.get("products_count") or 0,
        mail_came=instant(row.get("last_incoming_mail_time")),
        mail_went=instant(row.get("last_outgoing_mail_time")),
    )


@dataclass(slots=True)
class _Pass:
    """The deals that were told from one moment to another (None: all); `served` are the streams that had them."""

    since: datetime | None
    until: datetime
    whole: bool = False
    served: set[Stream] = field(default_factory=set)


class Moved:
    """The deals that changed since a moment, as the list of deals told in this run, or as asked for now.

    One pass of the opportunities serves every stream that hangs on them, each of them once: one that is pulled
    again by itself is to see what happened since. Until then the pass lies in a temporary file, for a company
    may have more deals than memory should hold. `people` are the persons who changed, as far as this run saw.
    """

    def __init__(self, client: Client, mails_seen: Path | None) -> None:
        self._client = client
        self._mails_seen = mails_seen
        self.tells_mails = mails_seen is not None and mails_seen.exists()
        """Whether a deal ever told of an e-mail: where nobody's are synchronised, silence means nothing."""
        self._told: _Pass | None = None
        self.people: set[str] = set()
        self._file = TemporaryFile()  # noqa: SIM115 - as long as the connection

    def close(self) -> None:
        self._file.close()

    def note(self, cursor: Cursor, rows: Sequence[Row]) -> None:
        """Remember a page of a pass."""
        if self._told is None or self._told.whole or self._told.until != cursor.until:
            self._told = _Pass(cursor.since, cursor.until)
            self._file.truncate(0)
        self._file.seek(0, SEEK_END)
        self._file.write(msgspec.json.encode(self._briefs(rows)) + b"\n")
        self._told.whole = cursor.done

    def note_people(self, cursor: Cursor, rows: Sequence[Row]) -> None:
        """Remember who changed; a pass of everything tells nothing of that."""
        if cursor.since is not None:
            self.people |= {str(row["id"]) for row in rows}

    def since(self, moment: datetime, stream: Stream) -> tuple[datetime, Iterator[Sequence[Brief]]]:
        """When the answer was true, and the deals that changed since `moment`, in pages."""
        told = self._unserved(stream)
        # A pass of everything does not tell what was deleted.
        if told is not None and told.since is not None and told.since <= moment:
            return self._kept(told, stream, moment)
        params = {"status": "open,won,lost,deleted", "updated_since": instant_text(moment)}
        return self._client.now(), self._asked(params)

    def everything(self, stream: Stream) -> tuple[datetime, Iterator[Sequence[Brief]]]:
        """When the answer was true, and all deals, in pages."""
        told = self._unserved(stream)
        if told is not None and told.since is None:
            return self._kept(told, stream, _BEGINNING)
        return self._client.now(), self._asked({"status": "open,won,lost"})

    def listed(self) -> Iterator[Sequence[Brief]]:
        """The open deals in pages, where this run listed all deals: what changes without a sign shows there."""
        if self._has_all:
            for page in self._read(_BEGINNING):
                yield [deal for deal in page if deal.open]

    def open(self) -> Iterator[Sequence[Brief]]:
        """The open deals in pages, which are asked for where this run has not listed all."""
        return self.listed() if self._has_all else self._asked({"status": "open"})

    @property
    def _has_all(self) -> bool:
        return self._told is not None and self._told.whole and self._told.since is None

    def _unserved(self, stream: Stream) -> _Pass | None:
        """The pass of this run, where it came to its end and the stream has not had it."""
        told = self._told
        return told if told is not None and told.whole and stream not in told.served else None

    def _kept(
        self, told: _Pass, stream: Stream, moment: datetime
    ) -> tuple[datetime, Iterator[Sequence[Brief]]]:
        told.served.add(stream)
        return told.until, self._read(moment)

    def _read(self, moment: datetime) -> Iterator[Sequence[Brief]]:
        place = 0
        while True:
            self._file.seek(place)
            line = self._file.readline()
            if not line:
                return
            place = self._file.tell()
            yield [deal for deal in _decoder.decode(line) if deal.changed_at >= moment]

    def _asked(self, params: Mapping[str, str]) -> Iterator[Sequence[Brief]]:
        asked = {"sort_by": "id", "include_fields": EXTRAS, **params}
        for endpoint, name in ((e.DEALS, "the deals"), (e.ARCHIVED_DEALS, "the archived deals")):
            for page in self._client.pages(endpoint, name=name, params=asked):
                yield self._briefs(page.rows)

    def _briefs(self, rows: Sequence[Row]) -> list[Brief]:
        deals = [brief(row) for row in rows]
        if not self.tells_mails and any(deal.mail_came or deal.mail_went for deal in deals):
            self.tells_mails = True
            if self._mails_seen is not None:
                self._mails_seen.touch()
        return deals


_decoder: Final = msgspec.json.Decoder(list[Brief])
