"""One Pipedrive company as a connection; see `pipelint.connectors.base.Connector`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final

from pipelint.connectors.base import (
    Change,
    ConnectContext,
    Diagnosis,
    FieldInfo,
    Kind,
    Outcome,
    OwnField,
    Page,
    SetupStep,
    Supply,
    WriteBudget,
    WriteValue,
)
from pipelint.connectors.pipedrive import doctor, fields, hanging, history, mails, streams, write
from pipelint.connectors.pipedrive import endpoints as e
from pipelint.connectors.pipedrive.backlog import Backlog
from pipelint.connectors.pipedrive.budget import FOR_DETAILS, FOR_WRITING
from pipelint.connectors.pipedrive.client import Client
from pipelint.connectors.pipedrive.details import Details
from pipelint.connectors.pipedrive.history import History
from pipelint.connectors.pipedrive.moved import EXTRAS, Moved
from pipelint.connectors.pipedrive.normalise import CUSTOM, stored
from pipelint.connectors.pipedrive.pull import Walk, daily
from pipelint.connectors.pipedrive.reference import Reference
from pipelint.connectors.pipedrive.schema import Field, Fields, infos
from pipelint.connectors.pipedrive.settings import Settings
from pipelint.errors import PermissionMissing
from pipelint.records import Record, Stream

ORDER: Final = (
    Stream.OWNERS,
    Stream.PIPELINES,
    Stream.STAGES,
    Stream.ACCOUNTS,
    Stream.CONTACTS,
    Stream.OPPORTUNITIES,
    Stream.STAGE_CHANGES,
    Stream.CONTACT_ROLES,
    Stream.LINE_ITEMS,
    Stream.ACTIVITIES,
    Stream.LEADS,
)
"""Parents before children, and what hangs on deals right after them: it goes by what they told."""

MOST_KEYS: Final = 15
"""The most custom fields that a list may be asked for by name; with more, all of them come (fact sheet §3)."""


STAMPS: Final = frozenset({"update_time"})
"""Fields that every writing moves."""


class PipedriveConnector:
    """Reads, sets up and writes through one client."""

    crm = "pipedrive"
    write_limits = write.LIMITS

    def __init__(self, name: str, settings: Settings, context: ConnectContext) -> None:
        self.name = name
        self._settings = settings
        self._context = context
        self._client = Client(settings, context)
        self._reference = Reference(self._client, context.state, name)
        mails_seen = context.state / f"{name}-mails-seen" if context.state else None
        self._moved = Moved(self._client, mails_seen)
        self._backlog = Backlog(context.state, name)
        self._history = History(self._client, self._moved, self._client.budget, self._backlog)
        self._writer = write.Writer(self._client, self._reference, protects=settings.protect_rotting)

    @property
    def api_calls(self) -> int:
        return self._client.api_calls

    @property
    def calls_left(self) -> int | None:
        """Tokens of our share: calls cost from one to forty."""
        return self._client.budget.left()

    # Reading

    def streams(self) -> Sequence[Stream]:
        """All but those that an app was not let in for, where Pipedrive tells its scopes."""
        granted = self._client.granted()
        lacking = {
            stream
            for stream, scope in _SCOPES.items()
            if granted and not {f"{scope}:read", f"{scope}:full"} & granted
        }
        return tuple(stream for stream in ORDER if stream not in lacking)

    def supply(self, stream: Stream, custom: Sequence[str]) -> Supply:
        match stream:
            case Stream.STAGE_CHANGES:
                since = self._history.complete_since
                return Supply(stream, history.SUPPLIED, complete_since=since, from_full=True)
            case Stream.CONTACT_ROLES:
                role = {"role"} if self._role else set()
                return Supply(stream, hanging.ROLES_SUPPLIED | role)
            case Stream.LINE_ITEMS:
                return Supply(stream, hanging.ITEMS_SUPPLIED)
            case Stream.ACTIVITIES:
                told = frozenset({"direction"}) if self._moved.tells_mails else frozenset[str]()
                return Supply(stream, streams.SUPPLIED[stream] | told, last_only=told)
        found = frozenset(self._custom(stream, custom))
        return Supply(stream, streams.SUPPLIED.get(stream, frozenset()), found, stamps=found & STAMPS)

    def pull(self, stream: Stream, cursor: str | None, custom: Sequence[str]) -> Iterator[Page]:
        match stream:
            case Stream.PIPELINES:
                yield from daily(self._client, stream, cursor, self._fresh_pipelines)
            case Stream.STAGES:
                yield from daily(self._client, stream, cursor, self._fresh_stages)
            case Stream.STAGE_CHANGES:
                yield from self._history.pull(cursor)
            case Stream.CONTACT_ROLES | Stream.LINE_ITEMS:
                details = self._details(stream)
                yield from details.pull(self._moved, self._client.budget, self._backlog, cursor)
            case Stream.ACTIVITIES:
                yield from mails.pull(self._walk(stream, custom), self._moved, cursor)
            case _:
                yield from self._walk(stream, custom).pages(cursor)

    def fields(self, kind: Kind) -> Sequence[FieldInfo]:
        stages = self._reference.stages.values() if kind == "opportunity" else ()
        return infos(self._fields_of(_STREAM_OF[kind]), [it.id for it in stages if not it.is_deleted])

    def field_ids(self, kind: Kind) -> Mapping[str, str]:  # noqa: ARG002 - the keys of fields are their ids
        return {}

    # Setting up

    def plan_setup(self, fields_: Sequence[OwnField]) -> Sequence[SetupStep]:
        steps = tuple(fields.Provisioning(self._client, self._reference).plan(fields_))
        self._reference.own_fields(step.target for step in steps)
        return steps

    def apply_setup(self, step: SetupStep) -> None:
        fields.Provisioning(self._client, self._reference).apply(step)

    def clicks(self, fields_: Sequence[OwnField]) -> Sequence[str]:
        return fields.clicks(fields_)

    def diagnose(self, fields_: Sequence[OwnField]) -> Iterator[Diagnosis]:
        return doctor.diagnose(
            self._client, self._reference, self._backlog, fields_, protects=self._settings.protect_rotting
        )

    # Writing

    def read(
        self, kind: Kind, ids: Sequence[str], names: Sequence[str]
    ) -> Iterator[tuple[str, Mapping[str, WriteValue]]]:
        return self._writer.read(kind, ids, names)

    def normalised(
        self,
        kind: Kind,  # noqa: ARG002 - leads share the fields of deals
        name: str,
        value: WriteValue,
    ) -> WriteValue:
        return stored(self._reference.deal_fields.find(name), value)

    def write(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        self._reference.own_fields({name for change in changes for name in change.values})
        return self._writer.write(changes)

    def write_budget(self) -> WriteBudget:
        budget = self._client.budget
        return WriteBudget(
            self._writer.prices,
            budget.left(FOR_WRITING),
            int(budget.ours * (FOR_WRITING - FOR_DETAILS)),
            write.SECONDS,
        )

    def close(self) -> None:
        self._moved.close()
        self._client.close()

    def _walk(self, stream: Stream, custom: Sequence[str]) -> Walk:
        mapped = self._custom(stream, custom)
        reader = streams.Reader(
            self._settings.base_url, self._context.zone, self._reference, mapped, self._companies
        )
        asked: dict[str, str] = {}
        added = [field.code for field in mapped.values() if field.custom]
        if stream in {Stream.OPPORTUNITIES, Stream.ACCOUNTS} and 0 < len(added) <= MOST_KEYS:
            asked["custom_fields"] = ",".join(added)
        if stream is Stream.OPPORTUNITIES:
            return Walk(self._client, stream, reader, {**asked, "include_fields": EXTRAS}, self._moved.note)
        people = self._moved.note_people if stream is Stream.CONTACTS else None
        return Walk(self._client, stream, reader, asked, people)

    def _fresh_pipelines(self) -> Sequence[Record]:
        self._reference.fresh("pipelines")
        return streams.pipelines(self._reference.pipelines)

    def _fresh_stages(self) -> Sequence[Record]:
        self._reference.fresh("stages")
        return streams.stages(self._reference)

    def _details(self, stream: Stream) -> Details:
        if stream is Stream.LINE_ITEMS:
            return hanging.items(self._client)
        return hanging.roles(self._client, self._reference, self._role)

    @cached_property
    def _role(self) -> Field | None:
        """The person field that holds a role, where one is set.

        Raises:
            PermissionMissing: it is not there.
        """
        name = self._settings.role_field
        if name is None:
            return None
        field = self._reference.person_fields.find(name)
        if field is None:
            raise PermissionMissing(
                f"there is no person field '{name}'", hint="see role_field in pipelint.yaml"
            )
        return field

    def _custom(self, stream: Stream, names: Sequence[str]) -> dict[str, Field]:
        """The wanted fields that are there, by the names they are wanted under."""
        if stream not in {Stream.OPPORTUNITIES, Stream.LEADS, Stream.ACCOUNTS} or not names:
            return {}
        known = self._fields_of(stream)
        found = {name: known.find(name) for name in names}
        return {name: field for name, field in found.items() if field is not None and field.type in CUSTOM}

    def _fields_of(self, stream: Stream) -> Fields:
        """Leads share the fields of deals (fact sheet §4)."""
        if stream is Stream.ACCOUNTS:
            return self._reference.organization_fields
        if stream is Stream.CONTACTS:
            return self._reference.person_fields
        return self._reference.deal_fields

    def _companies(self, ids: Sequence[str]) -> dict[str, str]:
        """The names of organizations, a call for each hundred."""
        found: dict[str, str] = {}
        wanted = list(dict.fromkeys(ids))
        for first in range(0, len(wanted), write.IDS_A_CALL):
            asked = {"ids": ",".join(wanted[first : first + write.IDS_A_CALL])}
            for page in self._client.pages(e.ORGANIZATIONS, name="organizations by their ids", params=asked):
                found |= {str(row["id"]): row.get("name") or "" for row in page.rows}
        return found


_SCOPES: Final = {Stream.LEADS: "leads", Stream.ACTIVITIES: "activities", Stream.STAGE_CHANGES: "recents"}
"""The scopes of an app without which there is still something to check."""

_STREAM_OF: Final[Mapping[Kind, Stream]] = {
    "opportunity": Stream.OPPORTUNITIES,
    "account": Stream.ACCOUNTS,
    "contact": Stream.CONTACTS,
    "lead": Stream.LEADS,
}
