"""Writing our fields record by record: Pipedrive has no batches, so each costs a call and five tokens.

A write moves the deal's last update, from which Pipedrive counts its rotting (hazards W2). With `protect_rotting`
a deal that is rotten or about to be is left alone until somebody has touched it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from pipelint.connectors.base import Change, Kind, Outcome, WriteLimits, WriteValue
from pipelint.connectors.http import AnswerLost
from pipelint.connectors.pipedrive import endpoints as e
from pipelint.connectors.pipedrive.client import Client, Row
from pipelint.connectors.pipedrive.normalise import sent, sent_v1, shown, stamp
from pipelint.connectors.pipedrive.reference import Reference
from pipelint.connectors.pipedrive.refusal import ScopeMissing
from pipelint.connectors.pipedrive.schema import Field
from pipelint.errors import PermissionMissing, RecordGone, RecordRefused

LIMITS: Final = WriteLimits(batch=1)

SECONDS: Final = 0.2
"""A write at half the pace of the smallest plan, twenty calls in two seconds (fact sheet §6)."""

IDS_A_CALL: Final = 100
"""The most that a list may be asked for by id."""

ABOUT_TO_ROT: Final = timedelta(days=2)
"""A deal that rots within this time is protected like a rotten one: a human should see it turn red."""

FORBIDDEN: Final = 5
"""So many deals in a row that may not be edited are no exceptions any more: the user lacks the right."""

SETUP: Final = "run: pipelint setup --apply"

ARCHIVED: Final = "the deal is archived, and archived deals cannot be edited: restore it, or leave it"


class Writer:
    """Writes and reads our fields; `protects` leaves deals alone that rot."""

    def __init__(self, client: Client, reference: Reference, *, protects: bool) -> None:
        self._client = client
        self._reference = reference
        self._protects = protects
        self._archived: set[str] = set()
        """Deals that were in the archive when they were read."""
        self._looked = False
        self._forbidden = 0

    @property
    def prices(self) -> dict[Kind, int]:
        """Tokens for one record; with `protect_rotting` a deal is looked at first."""
        deal = e.CHANGE_DEAL.tokens + (e.DEAL.tokens if self._protects else 0)
        return {"opportunity": deal, "lead": e.CHANGE_LEAD.tokens}

    def write(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        """One outcome for each change; where an error is raised, changes without an outcome were not sent."""
        for change in changes:
            yield self._one(change)

    def read(
        self, kind: Kind, ids: Sequence[str], names: Sequence[str]
    ) -> Iterator[tuple[str, Mapping[str, WriteValue]]]:
        """The values that records have now; ids that are gone are left out, archived deals are not."""
        fields = {name: self._field(name) for name in names}
        for id_, values in self._leads(ids) if kind == "lead" else self._deals(ids):
            yield id_, {name: shown(field, values.get(field.code)) for name, field in fields.items()}

    def _one(self, change: Change) -> Outcome:
        if change.id in self._archived:
            return Outcome(change.id, "refused", "ARCHIVED", ARCHIVED, meant=True)
        body = self._body(change)
        if isinstance(body, Outcome):
            return body
        try:
            if change.kind == "lead":
                self._client.send(e.CHANGE_LEAD, body, name="a lead's change", id=change.id)
            elif self._protects and (why := self._rots(change.id)):
                return Outcome(change.id, "refused", "ROTTING", why, meant=True)
            else:
                nested = {"custom_fields": body}
                self._client.send(e.CHANGE_DEAL, nested, name="a deal's change", id=change.id)
        except AnswerLost as error:
            # It may have been done: the caller reads back before it tries again.
            return Outcome(change.id, "unknown", message=error.message)
        except RecordGone as error:
            return Outcome(change.id, "gone", message=error.message)
        except RecordRefused as error:
            return self._explained(change, error)
        except ScopeMissing:
            raise
        except PermissionMissing as error:
            self._forbidden += 1
            if self._forbidden == FORBIDDEN:
                raise
            return _refused(change, "FORBIDDEN", f"{error.message}: {error.hint}")
        self._forbidden = 0
        return Outcome(change.id, "written")

    def _body(self, change: Change) -> dict[str, object] | Outcome:
        """What is to be sent; or why that cannot succeed, for a refused call costs tokens, too."""
        body: dict[str, object] = {}
        for name, value in change.values.items():
            field = self._reference.deal_fields.find(name)
            if field is None:
                return _refused(change, "UNKNOWN_FIELD", f"there is no field '{name}': {SETUP}", name)
            try:
                body[field.code] = (sent_v1 if change.kind == "lead" else sent)(field, value)
            except KeyError as missing:
                what = f"'{missing.args[0]}' is not an option of '{name}': {SETUP}"
                return _refused(change, "UNKNOWN_OPTION", what, name)
        return body

    def _explained(self, change: Change, error: RecordRefused) -> Outcome:
        """A refusal by the names that people know; the first one of a run looks whether a field or option is gone.

        The fields are otherwise asked for once a day, and without this look every deal would be refused till then.
        """
        if not self._looked:
            self._looked = True
            self._reference.fresh()
            gone = self._body(change)
            if isinstance(gone, Outcome):
                return gone
        message = error.message
        for name in change.values:
            message = message.replace(self._field(name).code, name)
        return _refused(change, error.code, f"{message}: {error.hint}" if error.hint else message)

    def _rots(self, deal: str) -> str:
        """Why a deal is left alone; empty where it may be written."""
        row: Row = self._client.get(e.DEAL, name="a deal", id=deal).data or {}
        stage = self._reference.stages.get(row.get("stage_id") or 0)
        if row.get("status") != "open" or stage is None or not stage.is_deal_rot_enabled:
            return ""
        rots = stamp(row) + timedelta(days=stage.days_to_rotten or 0)
        if self._client.now() < rots - ABOUT_TO_ROT:
            return ""
        return f"it rots on {_day(rots)}, and a write would make it look fresh (protect_rotting)"

    def _deals(self, ids: Sequence[str]) -> Iterator[tuple[str, Row]]:
        for first in range(0, len(ids), IDS_A_CALL):
            wanted = list(ids[first : first + IDS_A_CALL])
            found = self._listed(e.DEALS, wanted)
            left = [id_ for id_ in wanted if id_ not in found]
            archived = self._listed(e.ARCHIVED_DEALS, left) if left else {}
            self._archived |= archived.keys()
            yield from (found | archived).items()

    def _listed(self, endpoint: e.Endpoint, ids: Sequence[str]) -> dict[str, Row]:
        asked = {"ids": ",".join(ids), "status": "open,won,lost"}
        return {
            str(row["id"]): row.get("custom_fields") or {}
            for page in self._client.pages(endpoint, name="deals by their ids", params=asked)
            for row in page.rows
        }

    def _leads(self, ids: Sequence[str]) -> Iterator[tuple[str, Row]]:
        """Leads cannot be asked for by several ids; their own fields lie at the top."""
        for id_ in ids:
            with suppress(RecordGone):
                yield id_, self._client.get(e.LEAD, name="a lead", id=id_).data or {}

    def _field(self, name: str) -> Field:
        field = self._reference.deal_fields.find(name)
        if field is None:
            raise PermissionMissing(f"the field '{name}' is not there, or not visible", hint=SETUP)
        return field


def _refused(change: Change, code: str, message: str, *fields: str) -> Outcome:
    return Outcome(change.id, "refused", code, message, fields)


def _day(at: datetime) -> str:
    return at.date().isoformat()
