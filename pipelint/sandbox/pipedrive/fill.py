"""The generated organisation as Pipedrive records, written in bulk past the rules that bind the API."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, cycle, islice
from random import Random
from typing import Any

from pipelint.sandbox import names
from pipelint.sandbox.deals import deals
from pipelint.sandbox.illnesses import DUPLICATE
from pipelint.sandbox.organisation import LOST, WON, Chance, Company, Deal, Lead, leads, sellers
from pipelint.sandbox.pipedrive import company as pipedrive
from pipelint.sandbox.pipedrive.fill_rows import activity_row, change_rows, lead_row, mail_times, product_rows
from pipelint.sandbox.pipedrive.params import utc_text
from pipelint.sandbox.pipedrive.schema import TABLES, USERS
from pipelint.sandbox.pipedrive.setup import CATEGORIES, MANAGER, PIPELINE_IDS, USUAL_CATEGORY, user_row
from pipelint.sandbox.pipedrive.store import Row

BATCH = 1_000
ARCHIVED_AFTER = timedelta(days=300)
"""So long after it was lost a deal went to the archive."""
MASS_UPDATE_DAYS = 20
"""So many days ago a colleague changed all older closed deals at once: they share one stamp."""
CURRENCY = "EUR"


def fill(company: pipedrive.Company, size: int, seed: int) -> dict[str, list[str]]:
    """Generate `size` deals with all around them; answers which deals have which illness."""
    chance = Chance(Random(seed), company.clock.now())  # noqa: S311 - repeatable, not secret
    team = sellers(size)
    users = []
    for number, seller in enumerate(team, start=1):
        email = f"{names.ascii_name(seller.first)}.{names.ascii_name(seller.last)}.{number}@sandbox.example"
        row = user_row(
            MANAGER + number, f"{seller.first} {seller.last}", email, company.now(), active=seller.active
        )
        users.append(company.store.insert(USERS, row))
    filler = _Filler(company, chance, users)
    illnesses: defaultdict[str, list[str]] = defaultdict(list)
    healthy: dict[str, None] = {}
    of_company: dict[int, str] = {}
    made = deals(chance, size, team)
    while batch := list(islice(made, BATCH)):
        for number, deal in zip(filler.write(batch), batch, strict=True):
            record = str(number)
            for name in deal.illnesses:
                illnesses[name].append(record)
            if not deal.illnesses:
                healthy[record] = None
            twin = of_company.setdefault(-1 if deal.company is None else deal.company.number, record)
            if DUPLICATE in deal.illnesses and twin in healthy:  # it takes two to be duplicates
                del healthy[twin]
                illnesses[DUPLICATE].append(twin)
    filler.write_leads(leads(chance, size // 4))
    return {**illnesses, "healthy": list(healthy)}


class _Filler:
    """Turns deals into rows, a batch at a time, each table in one statement."""

    def __init__(self, company: pipedrive.Company, chance: Chance, users: list[int]) -> None:
        self.store = company.store
        self.now = chance.now
        self.random = Random(0)  # noqa: S311 - repeatable; apart, so that the deals stay those of other CRMs
        self.users = users
        self.stages = {
            (row["pipeline_id"], row["name"]): int(row["id"])
            for row in company.store.rows("SELECT id, pipeline_id, name FROM stages")
        }
        self.fields = {
            it["field_name"]: it
            for object_ in ("deals", "persons")
            for it in company.fields.custom(object_).values()
        }
        self.numbers: defaultdict[str, Iterator[int]] = defaultdict(lambda: count(1))
        self.organizations: dict[int, int] = {}
        self.products: dict[str, int] = {}
        self.rows: defaultdict[str, list[Row]] = defaultdict(list)

    def write(self, batch: list[Deal]) -> list[int]:
        """Insert a batch of deals, and answer their ids."""
        ids = []
        for deal in batch:
            number = next(self.numbers["deals"])
            ids.append(number)
            owner = self.users[deal.owner]
            organization = None if deal.company is None else self._organization(deal.company, deal)
            people = self._people(deal, number, organization)
            links = {"deal_id": number, "org_id": organization, "owner_id": owner, "creator_user_id": owner}
            for activity in deal.activities:
                person = None if activity.contact is None else people[activity.contact]
                self._add("activities", links | activity_row(activity, person, self.now))
            pipeline = PIPELINE_IDS[deal.pipeline]
            stages = [(self._stage(pipeline, it), at) for it, at in deal.stages if it not in {WON, LOST}]
            for change in change_rows(deal, stages, self.fields["Next step"]["field_code"]):
                self._add("changes", change | {"deal_id": number, "actor_user_id": owner})
            for product in product_rows(deal, self.products):
                self._add("deal_products", product | {"deal_id": number, "currency": CURRENCY})
            self._deal(deal, number, organization, people, stages)
        self._flush()
        return ids

    def write_leads(self, made: Iterable[Lead]) -> None:
        """Insert leads, spread over all sellers; those that were converted have become deals."""
        for lead, owner in zip(made, cycle(self.users), strict=False):
            if lead.status == "converted":
                continue
            stamps = {"add_time": utc_text(lead.created_at), "update_time": utc_text(lead.created_at)}
            organization = self._add("organizations", stamps | _contact(lead.company, owner))
            person = stamps | _contact(f"{lead.first} {lead.last}", owner) | {
                "first_name": lead.first,
                "last_name": lead.last,
                "org_id": organization,
                "emails": [_work(lead.email)],
            }  # fmt: skip
            row = lead_row(lead, owner, self.random, self._option("Lead source", lead.source))
            self._add(
                "leads", row | {"person_id": self._add("persons", person), "organization_id": organization}
            )
            if lead.touched_at is not None:
                done = utc_text(lead.touched_at)
                self._add(
                    "activities",
                    {"lead_id": row["id"], "subject": f"Call {lead.first} {lead.last}", "type": "call",
                     "owner_id": owner, "creator_user_id": owner, "done": True, "busy": False,
                     "is_deleted": False, "due_date": done[:10], "due_time": done[11:19],
                     "marked_as_done_time": done, "add_time": done, "update_time": done},
                )  # fmt: skip
        self._flush()

    def _add(self, table: str, row: Mapping[str, Any]) -> int:
        key = next(iter(TABLES[table].columns))
        number = row.get(key) or next(self.numbers[table])
        self.rows[table].append({**row, key: number})
        return int(number)

    def _flush(self) -> None:
        for name, rows in self.rows.items():
            self.store.insert_many(TABLES[name], rows)
        self.rows.clear()

    def _stage(self, pipeline: int, name: str) -> int:
        return self.stages[pipeline, name]

    def _option(self, field: str, label: str | None) -> Row:
        """The value of an enum field, if it has one."""
        found = next((it["id"] for it in self.fields[field]["options"] if it["label"] == label), None)
        return {} if found is None else {self.fields[field]["field_code"]: found}

    def _values(self, values: Mapping[str, Any]) -> Row:
        """Values of custom fields under their codes, empty ones left out."""
        return {self.fields[name]["field_code"]: it for name, it in values.items() if it is not None}

    def _organization(self, company: Company, deal: Deal) -> int:
        if company.number not in self.organizations:
            created = utc_text(deal.created_at - timedelta(days=30))
            self.organizations[company.number] = self._add(
                "organizations",
                _contact(company.name, self.users[deal.owner])
                | {
                    "add_time": created,
                    "update_time": created,
                    "address": {"value": f"{company.city}, {names.COUNTRIES[company.language]}",
                                "locality": company.city, "country": names.COUNTRIES[company.language]},
                    "website": f"https://www.{company.domain}",
                    "employee_count": company.employees,
                    "annual_revenue": company.employees * 180_000,
                },
            )  # fmt: skip
        return self.organizations[company.number]

    def _people(self, deal: Deal, number: int, organization: int | None) -> list[int]:
        created, owner = utc_text(deal.created_at), self.users[deal.owner]
        ids = []
        for contact in deal.contacts:
            values = self._option("Role", contact.role) | self._values({"Position": contact.title})
            ids.append(
                self._add(
                    "persons",
                    _contact(contact.name, owner)
                    | {"first_name": contact.first, "last_name": contact.last, "org_id": organization,
                       "add_time": created, "update_time": created, "emails": [_work(contact.email)],
                       "custom_fields": values},
                )
            )  # fmt: skip
            link = {"deal_id": number, "person_id": ids[-1], "add_time": created, "added_by_user_id": owner}
            self._add("participants", link)
        return ids

    def _deal(
        self,
        deal: Deal,
        number: int,
        organization: int | None,
        people: list[int],
        stages: list[tuple[int, datetime]],
    ) -> None:
        status = {WON: "won", LOST: "lost"}.get(deal.stage, "open")
        closed = None if status == "open" else utc_text(deal.stages[-1][1])
        archived = status == "lost" and deal.stages[-1][1] < self.now - ARCHIVED_AFTER
        owner = self.users[deal.owner]
        self._add(
            "deals",
            {
                "id": number,
                "title": deal.name,
                "creator_user_id": owner,
                "owner_id": owner,
                "value": deal.amount or 0,
                "currency": CURRENCY,
                "person_id": people[0] if people else None,
                "org_id": organization,
                "pipeline_id": PIPELINE_IDS[deal.pipeline],
                "stage_id": stages[-1][0]
                if stages
                else self._stage(PIPELINE_IDS[deal.pipeline], "Qualification"),
                "status": status,
                "probability": deal.probability,
                "lost_reason": deal.loss_reason,
                "visible_to": 3,
                "add_time": utc_text(deal.created_at),
                "update_time": utc_text(self._modified(deal)),
                "stage_change_time": utc_text(stages[-1][1]) if len(stages) > 1 else None,
                "close_time": closed,
                "won_time": closed if status == "won" else None,
                "first_won_time": closed if status == "won" else None,
                "lost_time": closed if status == "lost" else None,
                "expected_close_date": deal.close_date.isoformat(),
                "is_deleted": False,
                "is_archived": archived,
                "archive_time": utc_text(self._mass_update) if archived else None,
                "origin": "ManuallyCreated",
                **mail_times(deal),
                "custom_fields": self._deal_values(deal),
            },
        )

    def _deal_values(self, deal: Deal) -> Row:
        return (
            self._values(
                {
                    "Need": deal.need,
                    "Decision makers": deal.decision_makers,
                    "Budget": deal.budget,
                    "Customer deadline": _iso(deal.deadline),
                    "Main risk": deal.risk,
                    "Next step": deal.next_step,
                    "Next step date": _iso(deal.next_step_date),
                }
            )
            | self._option("Forecast category", _category(deal))
            | self._option("Lead source", deal.source)
        )

    @property
    def _mass_update(self) -> datetime:
        return datetime.combine((self.now - timedelta(days=MASS_UPDATE_DAYS)).date(), time(6, 30), UTC)

    def _modified(self, deal: Deal) -> datetime:
        last = max([deal.stages[-1][1], *(it.at for it in deal.changes)])
        return last if deal.is_open else max(last, self._mass_update)


def _category(deal: Deal) -> str | None:
    """The forecast category somebody chose, or what goes with the stage of an open deal."""
    return deal.category or (USUAL_CATEGORY.get(deal.stage, CATEGORIES[0]) if deal.is_open else None)


def _contact(name: str, owner: int) -> Row:
    return {"name": name, "owner_id": owner, "visible_to": 3, "is_deleted": False, "custom_fields": {}}


def _work(email: str) -> Row:
    return {"value": email, "primary": True, "label": "work"}


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
