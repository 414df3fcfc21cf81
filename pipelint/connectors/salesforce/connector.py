"""One Salesforce org as a connection; see `pipelint.connectors.base.Connector`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
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
    WriteValue,
)
from pipelint.connectors.salesforce import (
    clicks,
    doctor,
    fieldhistory,
    fields,
    history,
    package,
    pull,
    rates,
    soql,
    stages,
    write,
)
from pipelint.connectors.salesforce.client import Client
from pipelint.connectors.salesforce.normalise import READERS, Reading, stored
from pipelint.connectors.salesforce.provision import Provisioning
from pipelint.connectors.salesforce.reader import Reader
from pipelint.connectors.salesforce.refusal import RequestInvalid
from pipelint.connectors.salesforce.settings import Settings
from pipelint.connectors.salesforce.sobject import SObject
from pipelint.connectors.salesforce.streams import FOLLOWED, OBJECT_OF, ORDER
from pipelint.errors import PermissionMissing
from pipelint.records import ActivityLink, ExchangeRate, Pipeline, Stage, StageChange, Stream

_WHOLE: Final = {
    Stream.PIPELINES: frozenset(Pipeline._fields),
    Stream.STAGES: frozenset(Stage._fields),
    Stream.STAGE_CHANGES: frozenset(StageChange._fields),
    Stream.ACTIVITY_LINKS: frozenset(ActivityLink._fields),
    Stream.EXCHANGE_RATES: frozenset(ExchangeRate._fields),
}
"""Streams that Salesforce supplies with all their fields."""

STAMPS: Final = frozenset({"LastModifiedDate", "LastModifiedById", "SystemModstamp"})
"""Fields that every writing moves."""

SELDOM: Final = 7
"""How much more rarely activities are read whole: they are many, and no formula of theirs is pulled."""


class SalesforceConnector:
    """Reads, sets up and writes through one client."""

    crm = "salesforce"
    write_limits = write.LIMITS

    def __init__(self, name: str, settings: Settings, context: ConnectContext) -> None:
        self.name = name
        self._settings = settings
        self._context = context
        self._client = Client(settings, context)
        self._currency: str | None = None

    @property
    def api_calls(self) -> int:
        return self._client.api_calls

    @property
    def calls_left(self) -> int | None:
        return self._client.allowance.left

    # Reading

    def streams(self) -> Sequence[Stream]:
        """All whose objects this user sees; without opportunities there would be nothing to check."""
        hidden = {
            stream
            for stream, sobjects in FOLLOWED.items()
            if not any(self._sees(sobject.name) for sobject in sobjects)
        }
        if not self._sees(history.SOURCE):
            hidden |= {Stream.STAGE_CHANGES, Stream.FIELD_CHANGES}
        if not rates.known(self._client):
            hidden.add(Stream.EXCHANGE_RATES)
        return tuple(stream for stream in ORDER if stream not in hidden - {Stream.OPPORTUNITIES})

    def supply(self, stream: Stream, custom: Sequence[str]) -> Supply:
        if stream in _WHOLE:
            return Supply(stream, _WHOLE[stream])
        if stream is Stream.FIELD_CHANGES:
            held = fieldhistory.held(self._client.describe(history.SOURCE))
            return Supply(stream, fieldhistory.FIELDS, whole=frozenset(held))
        if stream not in FOLLOWED:
            return Supply(stream, frozenset())
        readers = self._readers(stream, custom)
        # Tasks know a direction, events do not: what one of them supplies is supplied.
        names = frozenset[str]().union(*(reader.supplied for reader in readers))
        found = frozenset(name for reader in readers for name in reader.custom)
        return Supply(stream, names, found, stamps=found & STAMPS)

    def pull(self, stream: Stream, cursor: str | None, custom: Sequence[str]) -> Iterator[Page]:
        if stream is Stream.PIPELINES:
            yield from stages.page(stream, stages.pipelines(self._client), cursor)
        elif stream is Stream.STAGES:
            yield from stages.page(stream, stages.stages(self._client), cursor)
        elif stream is Stream.EXCHANGE_RATES:
            yield from stages.page(stream, rates.rates(self._client), cursor)
        elif stream is Stream.STAGE_CHANGES:
            yield from history.pull(self._client, history.STAGES, cursor)
        elif stream is Stream.FIELD_CHANGES:
            yield from fieldhistory.pull(cursor, self._field_histories(custom))
        else:
            reread = self._settings.reread * (SELDOM if stream is Stream.ACTIVITIES else 1)
            yield from self._follow(stream, self._readers(stream, custom), cursor, reread)

    def _follow(
        self, stream: Stream, readers: Sequence[Reader], cursor: str | None, reread: timedelta
    ) -> Iterator[Page]:
        reading = Reading(self._client.server_now(), self._context.zone)
        return pull.pull(self._client, stream, readers, cursor, reading, reread)

    def _field_histories(self, custom: Sequence[str]) -> list[Callable[[str | None], Iterator[Page]]]:
        telling = fieldhistory.telling(self._client.describe(history.SOURCE))
        found = [lambda cursor: history.pull(self._client, telling, cursor)]
        tracked = fieldhistory.tracked(custom)
        if self._sees(tracked.name):
            reader = self._reader(tracked, ())
            found.append(lambda cursor: self._follow(Stream.FIELD_CHANGES, [reader], cursor, timedelta.max))
        return found

    def fields(self, kind: Kind) -> Sequence[FieldInfo]:
        return fields.field_infos(self._client.describe(OBJECT_OF[kind]).fields)

    def field_ids(self, kind: Kind) -> Mapping[str, str]:
        return fields.ids(self._client, OBJECT_OF[kind])

    # Setting up

    def plan_setup(self, fields_: Sequence[OwnField]) -> Sequence[SetupStep]:
        return tuple(Provisioning(self._client).plan(fields_))

    def apply_setup(self, step: SetupStep) -> None:
        Provisioning(self._client).apply(step)

    def clicks(self, fields_: Sequence[OwnField]) -> Sequence[str]:
        return clicks.clicks(fields_)

    def package(self, fields_: Sequence[OwnField]) -> Mapping[str, str]:
        return package.files(fields_, self._settings.api_version)

    def deploying(self, fields_: Sequence[OwnField], folder: str) -> Sequence[str]:
        return clicks.deploying(fields_, folder)

    def diagnose(self, fields_: Sequence[OwnField]) -> Iterator[Diagnosis]:
        return doctor.diagnose(self._client, fields_)

    # Writing

    def read(
        self, kind: Kind, ids: Sequence[str], names: Sequence[str]
    ) -> Iterator[tuple[str, Mapping[str, WriteValue]]]:
        return write.read(self._client, kind, ids, names)

    def normalised(self, kind: Kind, name: str, value: WriteValue) -> WriteValue:
        return stored(self._client.describe(OBJECT_OF[kind]).by_name.get(name), value)

    def write(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        return write.write(self._client, changes)

    def close(self) -> None:
        self._client.close()

    def _readers(self, stream: Stream, custom: Sequence[str]) -> list[Reader]:
        seen = [sobject for sobject in FOLLOWED[stream] if self._sees(sobject.name)]
        if not seen:
            names = " and ".join(sobject.name for sobject in FOLLOWED[stream])
            raise PermissionMissing(
                f"{names} cannot be seen", hint="give the integration user Read and View All on them"
            )
        return [self._reader(sobject, custom) for sobject in seen]

    def _reader(self, sobject: SObject, custom: Sequence[str]) -> Reader:
        info = self._client.describe(sobject.name)
        found = tuple(
            name for name in dict.fromkeys(custom) if info.sees(name) and info.by_name[name].type in READERS
        )
        currency = None
        if "currency" in sobject.fields and not info.sees("CurrencyIsoCode"):
            currency = self._org_currency()
        companions = frozenset(
            each.name
            for each in sobject.companions
            if info.sees(each.asked_if) and self._sees(each.name, each.column)
        )
        hidden = frozenset(
            field.relationship_name
            for field in info.fields
            if field.relationship_name in sobject.parents and not any(map(self._sees, field.reference_to))
        )
        return Reader(sobject, info, found, self._settings.base_url, currency, companions, hidden)

    def _org_currency(self) -> str | None:
        """The only currency of an org without multi-currency, where the org tells it."""
        if self._currency is None:
            statement = soql.select(("DefaultCurrencyIsoCode",), "Organization")
            try:
                rows = list(self._client.rows(statement, name="query Organization"))
            except (RequestInvalid, PermissionMissing):
                rows = []
            self._currency = (rows[0]["DefaultCurrencyIsoCode"] if rows else None) or ""
        return self._currency or None

    def _sees(self, sobject: str, field: str = "Id") -> bool:
        """Whether an object, and a field of it, is visible to this user."""
        try:
            return self._client.describe(sobject).sees(field)
        except PermissionMissing:
            return False
