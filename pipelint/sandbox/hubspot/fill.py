"""The generated organisation as an account's records, written in bulk past the rules that bind the API."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import cycle, islice
from random import Random

from pipelint.sandbox import names
from pipelint.sandbox.deals import deals
from pipelint.sandbox.diagnoses import Diagnoses
from pipelint.sandbox.hubspot.association_types import LinkType
from pipelint.sandbox.hubspot.fill_rows import (
    activity_row,
    company_row,
    contact_row,
    deal_row,
    lead_contact_row,
    lead_row,
    stamps,
    versions,
)
from pipelint.sandbox.hubspot.history import Version
from pipelint.sandbox.hubspot.moments import midnight
from pipelint.sandbox.hubspot.object_types import (
    CALLS,
    COMPANIES,
    CONTACTS,
    DEALS,
    EMAILS,
    LEADS,
    LINE_ITEMS,
    MEETINGS,
    TASKS,
    ObjectType,
)
from pipelint.sandbox.hubspot.owners import Owner
from pipelint.sandbox.hubspot.pipelines import Stage
from pipelint.sandbox.hubspot.portal import Portal
from pipelint.sandbox.hubspot.setup import NEW_BUSINESS, RENEWAL
from pipelint.sandbox.hubspot.values import Row
from pipelint.sandbox.organisation import Activity, Chance, Company, Deal, Lead, Seller, leads, sellers

BATCH = 1_000
_KINDS = {"call": CALLS, "email": EMAILS, "meeting": MEETINGS, "task": TASKS}
_PIPELINES = {"new-business": NEW_BUSINESS, "renewal": RENEWAL}


def fill(portal: Portal, size: int, seed: int) -> dict[str, list[str]]:
    """Generate `size` deals with all around them; answers which deals have which illness."""
    chance = Chance(Random(seed), portal.clock.now())  # noqa: S311 - repeatable, not secret
    team = sellers(size)
    filler = _Filler(portal, chance, make_owners(portal, team))
    diagnoses = Diagnoses()
    made = deals(chance, size, team)
    while batch := list(islice(made, BATCH)):
        for record, deal in zip(filler.write(batch), batch, strict=True):
            diagnoses.add(str(record), deal)
    filler.write_leads(leads(chance, size // 4))
    return diagnoses.by_illness()


def make_owners(portal: Portal, team: list[Seller]) -> list[Owner]:
    """The sellers as owners; those who have left are archived."""
    teams = {it: str(5_200_001 + number) for number, it in enumerate(dict.fromkeys(it.team for it in team))}
    created = midnight(portal.clock.now().date().replace(month=1, day=8))
    made = [
        Owner(
            71_000_100 + number,
            61_000_100 + number,
            it.first,
            it.last,
            f"{names.ascii_name(it.first)}.{names.ascii_name(it.last)}.{number}@sandbox.example",
            (teams[it.team], it.team),
            archived=not it.active,
            created_at=created,
        )
        for number, it in enumerate(team)
    ]
    portal.owners += made
    return made


class _Filler:
    """Turns deals into rows, a batch at a time, each table in one statement."""

    def __init__(self, portal: Portal, chance: Chance, owners: list[Owner]) -> None:
        self.portal = portal
        self.store = portal.store
        self.now = chance.now
        self.owners = owners
        self.companies: dict[int, int] = {}
        self.rows: defaultdict[ObjectType, list[Row]] = defaultdict(list)
        self.versions: list[Version] = []
        self.links: defaultdict[tuple[ObjectType, ObjectType], list[tuple[int, int, int]]] = defaultdict(list)
        self.stages: dict[tuple[str, str], Stage] = {
            (pipeline.id, stage.label): stage
            for pipeline in portal.pipelines[DEALS]
            for stage in pipeline.stages
        }
        pair, _ = portal.links.types.pair(DEALS, CONTACTS)
        self.labels: dict[str, LinkType] = {str(it.label).lower(): it for it in pair.types if it.custom}

    def write(self, batch: list[Deal]) -> range:
        """Insert a batch of deals, and answer their ids."""
        ids = self.store.reserve(DEALS, len(batch))
        for record, deal in zip(ids, batch, strict=True):
            owner, pipeline = self.owners[deal.owner], _PIPELINES[deal.pipeline]
            stages = [(self.stages[pipeline, name], at) for name, at in deal.stages]
            row = deal_row(deal, owner, pipeline, stages, self.now) | {"hs_object_id": record}
            self.rows[DEALS].append(row)
            self.versions += versions(deal, record, owner, stages)
            company = None if deal.company is None else self._company(deal.company, deal, owner)
            if company is not None:
                self._link(DEALS, record, COMPANIES, company, 341, 5)
            contacts = self._contacts(deal, record, company, owner)
            for it in deal.activities:
                self._activity(it, record, contacts, owner)
            for product, quantity, price in deal.items:
                line = stamps(LINE_ITEMS, deal.created_at, owner)
                line |= {
                    "name": product,
                    "quantity": str(quantity),
                    "price": f"{price:g}",
                    "amount": f"{price * quantity:g}",
                }
                self._link(DEALS, record, LINE_ITEMS, self._add(LINE_ITEMS, line), 19)
        self._flush()
        return ids

    def write_leads(self, made: Iterable[Lead]) -> None:
        """Insert leads, spread over all sellers: a contact each, and a lead where the plan has them."""
        for number, (it, owner) in enumerate(zip(made, cycle(self.owners), strict=False)):
            waits = it.status == "new" and number % 3 == 0
            contact = self._add(CONTACTS, lead_contact_row(it, None if waits else owner))
            lead = self._add(LEADS, lead_row(it, None if waits else owner))
            self._link(LEADS, lead, CONTACTS, contact, 578)
        self._flush()

    def _add(self, kind: ObjectType, row: Row) -> int:
        [record] = self.store.reserve(kind)
        self.rows[kind].append(row | {"hs_object_id": record})
        return record

    def _link(self, first: ObjectType, a: int, second: ObjectType, b: int, *types: int) -> None:
        self.links[first, second] += [(a, b, it) for it in types]

    def _company(self, company: Company, deal: Deal, owner: Owner) -> int:
        if company.number not in self.companies:
            self.companies[company.number] = self._add(COMPANIES, company_row(company, deal, owner))
        return self.companies[company.number]

    def _contacts(self, deal: Deal, record: int, company: int | None, owner: Owner) -> list[int]:
        ids = []
        for it in deal.contacts:
            contact = self._add(CONTACTS, contact_row(it, deal, owner))
            self._link(DEALS, record, CONTACTS, contact, 3, self.labels[it.role.lower()].id)
            if company is not None:
                self._link(CONTACTS, contact, COMPANIES, company, 279, 1)
            ids.append(contact)
        return ids

    def _activity(self, activity: Activity, record: int, contacts: list[int], owner: Owner) -> None:
        kind = _KINDS[activity.kind]
        made = self._add(kind, activity_row(kind, activity, owner, self.now))
        for other, target in ((DEALS, record), (CONTACTS, _at(contacts, activity.contact))):
            if target is not None:
                pair, _ = self.portal.links.types.pair(kind, other)
                self._link(kind, made, other, target, pair.types[0].id)

    def _flush(self) -> None:
        """Insert what has gathered."""
        for kind, rows in self.rows.items():
            columns = list(dict.fromkeys(name for row in rows for name in row))
            self.store.insert_many(kind.name, columns, ([row.get(it) for it in columns] for row in rows))
        for (first, second), links in self.links.items():
            self.portal.links.insert_many(first, second, links)
        self.portal.history.add_many(DEALS, self.versions)
        self.rows.clear()
        self.links.clear()
        self.versions.clear()


def _at(contacts: list[int], place: int | None) -> int | None:
    return None if place is None else contacts[place]
