"""One HubSpot account: its records, its settings, and what a colleague inside the CRM does to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from pipelint.sandbox.clock import Clock
from pipelint.sandbox.faults import Fault, Faults
from pipelint.sandbox.hubspot.association_types import LinkTypes
from pipelint.sandbox.hubspot.errors import HubSpotError
from pipelint.sandbox.hubspot.history import History, Source
from pipelint.sandbox.hubspot.links import Links
from pipelint.sandbox.hubspot.moments import millis
from pipelint.sandbox.hubspot.object_types import DEALS, OBJECT_TYPES, ObjectType, object_type
from pipelint.sandbox.hubspot.owners import Owner
from pipelint.sandbox.hubspot.pipelines import Pipeline, Pipelines, Stage, stage_properties
from pipelint.sandbox.hubspot.property import Group, Properties, Property
from pipelint.sandbox.hubspot.rules import ConditionalRule, StageRules, ValidationRule, Workflow
from pipelint.sandbox.hubspot.standard import group_of, standard_properties
from pipelint.sandbox.hubspot.store import Store
from pipelint.sandbox.hubspot.values import told
from pipelint.sandbox.hubspot.write import Writer

COLLEAGUE = Source("CRM_UI", "userId:61000001", 61_000_001)
"""As whom the helpers below act: an administrator who works in the CRM's own screens."""
INTEGRATION = Source("INTEGRATION", "17845231")
"""As whom the API writes: a service key has no user."""


class Portal:
    """The parts the API works with, and short ways in for tests and demonstrations."""

    id = 145_678_901
    zone = "Europe/Paris"
    time_zone = ZoneInfo(zone)
    currency = "EUR"

    def __init__(self, store: Store, clock: Clock, faults: Faults) -> None:
        self.store = store
        self.clock = clock
        self.faults = faults
        self.index_lag = timedelta()
        self.leads = True
        """Whether the account's plan has the leads object."""
        self.trace_ids = True
        """Whether a batch whose inputs all carry a trace id is judged record by record."""
        self.more_currencies: tuple[str, ...] = ()
        self.owners: list[Owner] = []
        self.pipelines: dict[ObjectType, Pipelines] = {}
        self.properties: dict[ObjectType, Properties] = {}
        self.validation_rules: dict[ObjectType, list[ValidationRule]] = {it: [] for it in OBJECT_TYPES}
        self.conditional_rules: dict[ObjectType, list[ConditionalRule]] = {it: [] for it in OBJECT_TYPES}
        self.workflows: list[Workflow] = []
        self.stage_rules: dict[str, StageRules] = {}
        """By the ids of pipelines."""
        self.custom_properties = 1000
        """So many properties of its own each object type may have."""
        self.links = Links(store, LinkTypes())
        self.history = History(store)
        for kind in OBJECT_TYPES:
            name = group_of(kind)
            self.properties[kind] = Properties(
                {name: Group(name, f"{kind.singular} information".capitalize())}
            )
            for definition in standard_properties(kind):
                self.define(kind, definition)
        self.writer = Writer(self)

    def now(self) -> int:
        """The moment of the sandbox's clock in milliseconds."""
        return millis(self.clock.exact())

    def define(self, kind: ObjectType, definition: Property) -> Property:
        """Add a property, with room for its values."""
        self.store.add_column(kind, definition)
        return self.properties[kind].put(definition)

    def add_pipeline(self, kind: ObjectType, pipeline: Pipeline) -> None:
        """Add a pipeline and what is calculated for its stages."""
        self.pipelines.setdefault(kind, Pipelines([])).all.append(pipeline)
        for stage in pipeline.stages:
            self.stage_added(kind, pipeline, stage)

    def stage_added(self, kind: ObjectType, pipeline: Pipeline, stage: Stage) -> None:
        """Calculate the times of deals in a further stage from now on."""
        if kind is DEALS:
            for definition in stage_properties(stage, pipeline, group_of(kind)):
                self.define(kind, definition)

    def without_stage_times(self) -> None:
        """Put the account on a plan that calculates no times of deals in their stages: nothing tells of them."""
        properties = self.properties[DEALS]
        for name, definition in list(properties.every.items()):
            if name.startswith(("hs_v2_", "hs_date_entered_", "hs_date_exited_", "hs_time_in_")):
                properties.put(definition, archived_at=self.now())

    def owner(self, owner_id: str) -> Owner | None:
        """The owner of this id, archived or not."""
        return next((it for it in self.owners if str(it.id) == owner_id), None)

    def create(self, kind: str, properties: Mapping[str, object], source: Source = COLLEAGUE) -> str:
        """Create a record and answer its id."""
        return str(self.writer.create(object_type(kind), properties, source))

    def update(
        self, kind: str, record: str, properties: Mapping[str, object], source: Source = COLLEAGUE
    ) -> None:
        """Change a record; it is in the history as the doing of `source`."""
        self.writer.update(object_type(kind), int(record), properties, source)

    def get(self, kind: str, record: str) -> dict[str, str | None]:
        """All properties of a record, as the API would tell them."""
        target = object_type(kind)
        row = self.store.get(target, int(record), archived=None)
        if row is None:
            raise LookupError(f"no {target.singular} {record}")
        return {it.name: told(it, row[it.name]) for it in self.properties[target].every.values()}

    def ids(self, kind: str) -> list[str]:
        """The ids of all records that are not archived, in order."""
        target = object_type(kind)
        found = self.store.rows(f"SELECT hs_object_id FROM {target.name} WHERE NOT _archived ORDER BY 1")
        return [str(it[0]) for it in found]

    def archive(self, kind: str, record: str) -> None:
        """Put a record into the recycle bin."""
        self.writer.archive(object_type(kind), int(record))

    def restore(self, kind: str, record: str) -> None:
        """Take a record out of the recycle bin, under the same id."""
        self.writer.restore(object_type(kind), int(record))

    def purge(self, kind: str, record: str) -> None:
        """Delete a record for good, as for data protection: nothing tells of it any more."""
        self.writer.purge(object_type(kind), int(record))

    def merge(self, kind: str, primary: str, other: str) -> str:
        """Merge two records; answers the id of what came out of it."""
        return str(self.writer.merge(object_type(kind), int(primary), int(other), COLLEAGUE))

    def associate(self, kind: str, record: str, other_kind: str, other: str, *labels: str) -> None:
        """Link two records: plainly, and under the labels."""
        first, second = object_type(kind), object_type(other_kind)
        pair, _ = self.links.types.pair(first, second)
        chosen = [it for it in pair.types if it.label in labels]
        if len(chosen) < len(set(labels)):
            raise LookupError(f"{first.name} and {second.name} have no label {', '.join(labels)}")
        self.links.add(first, int(record), second, int(other), chosen)
        self.writer.linked(first, int(record), second, int(other))

    def create_many(self, kind: str, count: int) -> list[str]:
        """So many records in one moment, as an import makes them: all have one stamp to the millisecond."""
        target = object_type(kind)
        source = Source("IMPORT")
        with self.store.transaction():
            names = (f"Imported {number}" for number in range(count))
            text = "dealname" if target is DEALS else target.text[0]
            return [str(self.writer.create(target, {text: name}, source)) for name in names]

    def stamp(self, kind: str, records: Sequence[str], at: int) -> None:
        """Give records one modification stamp to the millisecond, as a mass update does."""
        target = object_type(kind)
        for record in records:
            self.store.update(target, int(record), {target.modified: at})

    def refused(self, record: int) -> HubSpotError | None:
        """The scripted fault that strikes the writing of this record."""
        return _error(self.faults.for_record(str(record)))

    def untold(self, path: str, record: int) -> HubSpotError | None:
        """The scripted fault for which the answer to a batch has an error in this record's place."""
        return _error(self.faults.for_answer(path, str(record)))


def _error(fault: Fault | None) -> HubSpotError | None:
    if fault is None:
        return None
    return HubSpotError(fault.status or 400, fault.message or fault.code, category=fault.code)
