"""Writing our fields in batches of a hundred: one bad value fails a whole batch, so the culprit is searched for.

Values are checked against the portal's properties first. What fails nevertheless is halved until the culprit
stands alone; answers are read by their body, for errors come under any status of success (fact sheet §11).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from pipelint.connectors.base import Change, Kind, Outcome, WriteLimits, WriteValue
from pipelint.connectors.http import AnswerLost, NotSent
from pipelint.connectors.hubspot.answers import ABSENT, ErrorPart, Rows, decoded
from pipelint.connectors.hubspot.client import Client
from pipelint.connectors.hubspot.normalise import sent, shown, stored
from pipelint.connectors.hubspot.pull import batch_read
from pipelint.connectors.hubspot.refusal import PASSING, RecordLocked, RequestInvalid, cure
from pipelint.connectors.hubspot.schema import Portal
from pipelint.connectors.hubspot.wire import Answer
from pipelint.errors import PermissionMissing, PipelintError, Retry

LIMITS: Final = WriteLimits(batch=100)
SETUP: Final = "run: pipelint setup --apply"

DRIFTED: Final = frozenset({"PROPERTY_DOESNT_EXIST", "INVALID_OPTION", "READ_ONLY_VALUE"})
"""Refusals after which the portal's properties are looked at anew, once: somebody changed ours meanwhile."""


class Writer:
    """Writes and reads our fields; `objects` are the object types of our kinds."""

    def __init__(self, client: Client, portal: Portal, objects: Mapping[Kind, str]) -> None:
        self._client = client
        self._portal = portal
        self._objects = objects
        self._looked = False

    def write(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        """One outcome for each change; where an error is raised, changes without an outcome were not sent."""
        by_kind: dict[Kind, dict[str, Change]] = {}
        for change in changes:
            if refused := self._refused_here(change):
                yield refused
            else:
                by_kind.setdefault(change.kind, {})[change.id] = change
        for kind, ready in by_kind.items():
            waiting = list(ready.values())
            for first in range(0, len(waiting), LIMITS.batch):
                yield from self._send(kind, waiting[first : first + LIMITS.batch])

    def read(
        self, kind: Kind, ids: Sequence[str], names: Sequence[str]
    ) -> Iterator[tuple[str, Mapping[str, WriteValue]]]:
        """The values that records have now; ids that are gone, or went into another record, are left out."""
        known = self._portal.properties(self._objects[kind])
        if unseen := [name for name in names if name not in known]:
            raise PermissionMissing(f"the property {unseen[0]} is not there, or not visible", hint=SETUP)
        for first in range(0, len(ids), LIMITS.batch):
            some = ids[first : first + LIMITS.batch]
            for row in batch_read(self._client, self._objects[kind], some, names):
                if row.id in some:
                    yield row.id, {name: shown(known[name], row.properties.get(name)) for name in names}

    def _refused_here(self, change: Change) -> Outcome | None:
        """A change that cannot succeed, and would take 99 others with it."""
        known = self._portal.properties(self._objects[change.kind])
        for name, value in change.values.items():
            about = known.get(name)
            if about is None:
                return _refused(change, "PROPERTY_DOESNT_EXIST", f"there is no '{name}': {SETUP}", name)
            if not about.writable:
                return _refused(change, "READ_ONLY_VALUE", f"'{name}' may not be written", name)
            options = {option.value for option in about.options}
            given = value if isinstance(value, tuple) else (value,) if value is not None else ()
            missing = [str(one) for one in given if options and one not in options]
            if missing:
                what = f"'{missing[0]}' is not an option of '{name}': {SETUP}"
                return _refused(change, "INVALID_OPTION", what, name)
        return None

    def _send(self, kind: Kind, batch: Sequence[Change]) -> Iterator[Outcome]:
        """The outcomes of one request, or of its halves where it failed as a whole."""
        type_ = self._objects[kind]
        name = f"the update of {type_}"
        body = {"inputs": [{"id": change.id, "properties": self._values(change)} for change in batch]}
        path = self._client.writing.objects(type_, "batch", "update")
        try:
            answer = self._client.change("POST", path, body, name=name)
            read = decoded(Answer(200, {}, answer), Rows, name)
        except AnswerLost as error:
            # It may have been done: the caller reads back before it tries again.
            yield from (Outcome(change.id, "unknown", message=error.message) for change in batch)
            return
        except (RequestInvalid, RecordLocked) as error:
            yield from self._isolated(kind, batch, error)
            return
        except PipelintError as error:
            if isinstance(error, Retry) and not isinstance(error, NotSent):
                yield from (Outcome(change.id, "unknown", message=error.message) for change in batch)
            raise
        yield from _outcomes(batch, read)

    def _isolated(
        self, kind: Kind, batch: Sequence[Change], error: RequestInvalid | RecordLocked
    ) -> Iterator[Outcome]:
        """The outcomes of a batch that failed as a whole: by what the portal now says, or by halves."""
        if len(batch) == 1:
            yield _alone(batch[0], error)
            return
        if isinstance(error, RequestInvalid) and error.code in DRIFTED and not self._looked:
            self._looked = True
            self._portal.forget()
        refused = {change.id: found for change in batch if (found := self._refused_here(change))}
        yield from refused.values()
        rest = [change for change in batch if change.id not in refused]
        middle = len(rest) if refused else len(rest) // 2
        for part in (rest[:middle], rest[middle:]):
            if part:
                yield from self._send(kind, part)

    def _values(self, change: Change) -> dict[str, str]:
        known = self._portal.properties(self._objects[change.kind])
        return {name: sent(stored(known[name], value)) for name, value in change.values.items()}


def _alone(change: Change, error: RequestInvalid | RecordLocked) -> Outcome:
    """What a refusal of the whole request means where there was one record in it."""
    match error:
        case RecordLocked():
            return Outcome(change.id, "locked", message=error.message)
        case RequestInvalid() if error.code in ABSENT:
            return Outcome(change.id, "gone", message=error.message)
        case RequestInvalid():
            return _refused(change, error.code, _with_cure(error.reason, error.code), *error.fields)


def _outcomes(batch: Sequence[Change], answer: Rows) -> Iterator[Outcome]:
    """What became of each record: those named in results are written, those in errors are not."""
    written = {row.id for row in answer.results}
    named: dict[str, ErrorPart] = {}
    for part in answer.errors:
        named |= dict.fromkeys(part.told("ids") or part.told("id"), part)
    for change in batch:
        if change.id in written:
            yield Outcome(change.id, "written")
        elif change.id in named:
            error = named[change.id]
            message = _with_cure(error.said, error.name)
            yield Outcome(change.id, _status(error), error.name, message, error.told("propertyName"))
        else:
            yield Outcome(change.id, "unknown", message="HubSpot's answer does not mention it")


def _status(error: ErrorPart) -> Literal["gone", "locked", "refused"]:
    """What an error of one record means; what may pass is for the next run."""
    if error.absent:
        return "gone"
    return "locked" if {error.category, error.code} & PASSING else "refused"


def _with_cure(message: str, code: str) -> str:
    """HubSpot's words, and what to do where that is known."""
    known = cure(code)
    return f"{message.rstrip('.')}: {known}" if known else message


def _refused(change: Change, code: str, message: str, *fields: str) -> Outcome:
    return Outcome(change.id, "refused", code, message, fields)
