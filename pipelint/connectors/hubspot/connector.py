"""One HubSpot portal as a connection; see `pipelint.connectors.base.Connector`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

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
    WriteValue,
)
from pipelint.connectors.hubspot import doctor, history, lists, roles, streams
from pipelint.connectors.hubspot.changed import ChangedDeals
from pipelint.connectors.hubspot.client import Client
from pipelint.connectors.hubspot.fields import Provisioning, clicks
from pipelint.connectors.hubspot.normalise import reader, stored
from pipelint.connectors.hubspot.pull import DAILY, WEEKLY, Part, Walk
from pipelint.connectors.hubspot.readers import Reading
from pipelint.connectors.hubspot.schema import Portal, Property, infos
from pipelint.connectors.hubspot.settings import Settings
from pipelint.connectors.hubspot.streams import Followed
from pipelint.connectors.hubspot.write import LIMITS, Writer
from pipelint.records import ActivityLink, Pipeline, StageChange, Stream

ORDER: Final = (
    Stream.OWNERS,
    Stream.PIPELINES,
    Stream.STAGES,
    Stream.ACCOUNTS,
    Stream.CONTACTS,
    Stream.OPPORTUNITIES,
    Stream.STAGE_CHANGES,
    Stream.FIELD_CHANGES,
    Stream.CONTACT_ROLES,
    Stream.LINE_ITEMS,
    Stream.ACTIVITIES,
    Stream.LEADS,
)
"""Parents before children, and what hangs on deals right after them: it goes by what they told."""

_DAILY: Final = frozenset({Stream.OPPORTUNITIES, Stream.LEADS})
"""Pulled in full every day: archived and merged deals, and changed links, are told in no other way."""

_WHOLE: Final = {
    Stream.OWNERS: lists.OWNER_FIELDS,
    Stream.PIPELINES: frozenset(Pipeline._fields),
    Stream.STAGES: lists.STAGE_FIELDS,
    Stream.STAGE_CHANGES: frozenset(StageChange._fields),
    Stream.CONTACT_ROLES: roles.SUPPLIED,
    Stream.ACTIVITY_LINKS: frozenset(ActivityLink._fields),
}


STAMPS: Final = frozenset({"hs_lastmodifieddate", "lastmodifieddate", "hs_updated_by_user_id"})
"""Properties that every writing moves."""


class HubSpotConnector:
    """Reads, sets up and writes through one client."""

    crm = "hubspot"
    write_limits = LIMITS

    def __init__(self, name: str, settings: Settings, context: ConnectContext) -> None:
        self.name = name
        self._client = Client(settings, context)
        self._portal = Portal(self._client)
        self._deals = ChangedDeals(self._client)
        self._owners = lists.Owners(self._client)
        self._histories = history.Histories(
            self._client, self._deals, lambda: self._zone, lambda: self._owners.people
        )
        self._roles = roles.Roles(self._client, self._portal, self._deals)

    @property
    def api_calls(self) -> int:
        return self._client.api_calls

    @property
    def calls_left(self) -> int | None:
        return self._client.allowance.left

    # Reading

    def streams(self) -> Sequence[Stream]:
        """All that the token may read; without deals there would be nothing to check."""
        hidden = {
            stream
            for stream in (
                Stream.ACCOUNTS,
                Stream.CONTACTS,
                Stream.LINE_ITEMS,
                Stream.ACTIVITIES,
                Stream.LEADS,
            )
            if not self._seen(stream)
        }
        if Stream.CONTACTS in hidden:
            hidden.add(Stream.CONTACT_ROLES)
        return tuple(stream for stream in ORDER if stream not in hidden)

    def supply(self, stream: Stream, custom: Sequence[str]) -> Supply:
        if stream is Stream.FIELD_CHANGES:
            return Supply(stream, history.FIELDS, whole=history.TOLD)
        if stream in _WHOLE:
            return Supply(stream, _WHOLE[stream])
        sources = streams.SOURCES.get(stream, {})
        known = self._portal.properties(self._first(stream).kind) if sources else {}
        lacking = {field for field, name in sources.items() if name not in known}
        found = frozenset(self._custom(stream, custom))
        lacking |= {
            field for field, type_ in streams.LINKED.get(stream, {}).items() if not self._portal.sees(type_)
        }
        return Supply(stream, streams.SUPPLIED[stream] - lacking, found, stamps=found & STAMPS)

    def pull(self, stream: Stream, cursor: str | None, custom: Sequence[str]) -> Iterator[Page]:
        match stream:
            case Stream.OWNERS:
                yield from lists.page(stream, self._owners.read(), cursor)
            case Stream.PIPELINES:
                yield from lists.page(stream, lists.pipelines(self._portal), cursor)
            case Stream.STAGES:
                yield from lists.page(stream, lists.stages(self._portal), cursor)
            case Stream.STAGE_CHANGES | Stream.FIELD_CHANGES:
                yield from self._histories.pull(stream, cursor)
            case Stream.CONTACT_ROLES:
                yield from self._roles.pull(cursor)
            case _:
                yield from self._walk(stream, custom).pages(cursor)

    def fields(self, kind: Kind) -> Sequence[FieldInfo]:
        return infos(self._portal.properties(self._objects[kind]))

    def field_ids(self, kind: Kind) -> Mapping[str, str]:  # noqa: ARG002 - a property never changes its name
        return {}

    # Setting up

    def plan_setup(self, fields_: Sequence[OwnField]) -> Sequence[SetupStep]:
        return tuple(self._provisioning.plan(fields_))

    def apply_setup(self, step: SetupStep) -> None:
        self._provisioning.apply(step)

    def clicks(self, fields_: Sequence[OwnField]) -> Sequence[str]:
        return clicks(fields_)

    def diagnose(self, fields_: Sequence[OwnField]) -> Iterator[Diagnosis]:
        # What our kinds are called is known only after a sign-in.
        yield from doctor.diagnose(self._client, self._portal, lambda: self._objects, fields_)

    # Writing

    def read(
        self, kind: Kind, ids: Sequence[str], names: Sequence[str]
    ) -> Iterator[tuple[str, Mapping[str, WriteValue]]]:
        return self._writer.read(kind, ids, names)

    def normalised(self, kind: Kind, name: str, value: WriteValue) -> WriteValue:
        return stored(self._portal.properties(self._objects[kind]).get(name), value)

    def write(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        return self._writer.write(changes)

    def close(self) -> None:
        self._histories.close()
        self._client.close()

    @cached_property
    def _objects(self) -> Mapping[Kind, str]:
        """The object types of our kinds; leads are contacts where the portal has no leads object."""
        return {**streams.OBJECT_OF, "lead": self._first(Stream.LEADS).kind}

    @cached_property
    def _writer(self) -> Writer:
        return Writer(self._client, self._portal, self._objects)

    @cached_property
    def _provisioning(self) -> Provisioning:
        return Provisioning(self._client, self._portal, self._objects)

    @cached_property
    def _zone(self) -> ZoneInfo:
        """The portal's: dates that travel as instants are meant there (fact sheet §13)."""
        return self._client.account().zone

    def _walk(self, stream: Stream, custom: Sequence[str]) -> Walk:
        account = self._client.account()
        mapped = self._custom(stream, custom)
        reading = Reading(
            now=self._client.now(),
            zone=self._zone,
            portal=self._portal,
            address=f"https://{account.uiDomain}/contacts/{account.portalId}/record",
            currency=account.companyCurrency,
            custom=mapped,
        )
        parts = tuple(
            Part(self._within_sight(each), self._asked(each, mapped)) for each in self._readable(stream)
        )
        watch = self._deals.note if stream is Stream.OPPORTUNITIES else None
        every = DAILY if stream in _DAILY else WEEKLY
        return Walk(self._client, stream, reading, parts, every, watch)

    def _asked(self, followed: Followed, mapped: Mapping[str, Property]) -> tuple[str, ...]:
        """What is wanted; HubSpot passes over a name that it does not know without a word (fact sheet §4)."""
        return tuple(dict.fromkeys([*followed.properties, *(each.name for each in mapped.values())]))

    def _custom(self, stream: Stream, names: Sequence[str]) -> dict[str, Property]:
        """The wanted properties that are there."""
        if not names or stream is Stream.ACTIVITIES:
            return {}
        known = self._portal.properties(self._first(stream).kind)
        return {name: known[name] for name in names if name in known and reader(known[name]) is not None}

    def _followed(self, stream: Stream) -> tuple[Followed, ...]:
        if stream is Stream.LEADS and not self._portal.sees("leads"):
            return (streams.EARLY_CONTACTS,)
        return streams.FOLLOWED[stream]

    def _readable(self, stream: Stream) -> Sequence[Followed]:
        """Those of several types that may be read; one alone, or the first if none may, says itself why not."""
        first, *others = self._followed(stream)
        seen = [each for each in (first, *others) if self._portal.sees(each.kind)] if others else []
        return seen or [first]

    def _within_sight(self, followed: Followed) -> Followed:
        """Without the links to types that we may not see: HubSpot would refuse to tell them."""
        return replace(
            followed, links=tuple(to for to in followed.links if to == "deals" or self._portal.sees(to))
        )

    def _first(self, stream: Stream) -> Followed:
        return self._followed(stream)[0]

    def _seen(self, stream: Stream) -> bool:
        return any(self._portal.sees(followed.kind) for followed in self._followed(stream))
