"""One Salesforce org as a connection; see `pipelint.connectors.base.Connector`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
    fields,
    history,
    package,
    pull,
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
from pipelint.connectors.salesforce.streams import FOLLOWED, OBJECT_OF, ORDER, SObject
from pipelint.errors import PermissionMissing
from pipelint.records import ActivityLink, Pipeline, Stage, StageChange, Stream

_WHOLE: Final = {
    Stream.PIPELINES: frozenset(Pipeline._fields),
    Stream.STAGES: frozenset(Stage._fields),
    Stream.STAGE_CHANGES: frozenset(StageChange._fields),
    Stream.ACTIVITY_LINKS: frozenset(ActivityLink._fields),
}
"""Streams that Salesforce supplies with all their fields."""


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
        hidden = {stream for stream, sobjects in FOLLOWED.items() if not self._sees(sobjects)}
        return tuple(stream for stream in ORDER if stream not in hidden - {Stream.OPPORTUNITIES})

    def supply(self, stream: Stream, custom: Sequence[str]) -> Supply:
        if stream in _WHOLE:
            return Supply(stream, _WHOLE[stream])
        if stream not in FOLLOWED:
            return Supply(stream, frozenset())
        readers = self._readers(stream, custom)
        # Tasks know a direction, events do not: what one of them supplies is supplied.
        names = frozenset[str]().union(*(reader.supplied for reader in readers))
        return Supply(stream, names, frozenset(name for reader in readers for name in reader.custom))

    def pull(self, stream: Stream, cursor: str | None, custom: Sequence[str]) -> Iterator[Page]:
        if stream is Stream.PIPELINES:
            yield from stages.page(stream, stages.pipelines(self._client), cursor)
        elif stream is Stream.STAGES:
            yield from stages.page(stream, stages.stages(self._client), cursor)
        elif stream is Stream.STAGE_CHANGES:
            yield from history.pull(self._client, cursor)
        else:
            reading = Reading(self._client.server_now(), self._context.zone)
            yield from pull.pull(self._client, stream, self._readers(stream, custom), cursor, reading)

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
        seen = [sobject for sobject in FOLLOWED[stream] if self._sees([sobject])]
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
        return Reader(sobject, info, found, self._settings.base_url, currency)

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

    def _sees(self, sobjects: Sequence[SObject]) -> bool:
        """Whether any of these objects is visible to this user."""
        for sobject in sobjects:
            try:
                self._client.describe(sobject.name)
            except PermissionMissing:
                continue
            return True
        return False
