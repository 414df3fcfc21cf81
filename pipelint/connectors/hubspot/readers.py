"""Rows of HubSpot to records (rules.md §4.3a): what each property means, and what a link says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final, NamedTuple, TypeAlias

from pipelint.connectors.hubspot import normalise as n
from pipelint.connectors.hubspot.answers import Row
from pipelint.connectors.hubspot.associations import Link, primary
from pipelint.connectors.hubspot.schema import Portal, Property
from pipelint.errors import UnexpectedAnswer
from pipelint.records import Account, Contact, Custom, CustomValue, Lead, LineItem, Opportunity, Record

Linked: TypeAlias = Mapping[str, Sequence[Link]]
"""The links of one record, by the type they lead to."""

STAMP: Final = "hs_lastmodifieddate"
ENTERED: Final = "hs_v2_date_entered_current_stage"

LEAD_STAGES: Final = ("lead", "marketingqualifiedlead", "salesqualifiedlead")
"""The lifecycle stages of contacts that are leads, in portals without the leads object."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What turns rows into records: when and where they are read, and the pack's fields by their names."""

    now: datetime
    zone: tzinfo
    """The portal's: dates that travel as instants are meant there."""
    portal: Portal
    address: str
    """Where records are looked at, up to the object type."""
    currency: str | None
    custom: Mapping[str, Property]


class Given(NamedTuple):
    """One row to be read."""

    reading: Reading
    row: Row
    linked: Linked


def deal(given: Given) -> list[Record]:
    """A deal; what closes it is its stage's metadata."""
    p = given.row.properties
    pipeline, stage_id = n.text(p.get("pipeline")), n.text(p.get("dealstage"))
    stage = given.reading.portal.stage("deals", pipeline, stage_id)
    entered = n.instant(p.get(ENTERED))
    closed = stage.closed if stage else n.yes_no(p.get("hs_is_closed"))
    opportunity = Opportunity(
        id=given.row.id,
        modified_at=stamp(p, STAMP),
        url=f"{given.reading.address}/0-3/{given.row.id}",
        name=n.text(p.get("dealname")),
        amount=n.number(p.get("amount")),
        currency=n.text(p.get("deal_currency_code")) or given.reading.currency,
        pipeline=pipeline,
        stage=stage_id,
        is_open=None if closed is None else not closed,
        is_won=stage.won if stage else n.yes_no(p.get("hs_is_closed_won")),
        stage_entered_at=entered,
        stage_probability=stage.chance if stage else None,
        forecast_category=n.text(p.get("hs_manual_forecast_category")),
        close_date=n.day_in(p.get("closedate"), given.reading.zone),
        closed_at=entered if closed else None,
        created_at=n.instant(p.get("createdate")),
        next_step=n.text(p.get("hs_next_step")),
        next_step_date=n.day_in(p.get("notes_next_activity_date"), given.reading.zone),
        type=n.text(p.get("dealtype")),
        lost_reason=n.text(p.get("closed_lost_reason")),
        owner=n.text(p.get("hubspot_owner_id")),
        account=primary(given.linked.get("companies", ())),
        custom=_custom(given),
    )
    return [opportunity]


def company(given: Given) -> list[Record]:
    """A company."""
    p = given.row.properties
    account = Account(
        id=given.row.id,
        modified_at=stamp(p, STAMP),
        url=f"{given.reading.address}/0-2/{given.row.id}",
        name=n.text(p.get("name")) or n.text(p.get("domain")),
        industry=n.text(p.get("industry")),
        employees=n.number(p.get("numberofemployees")),
        created_at=n.instant(p.get("createdate")),
        owner=n.text(p.get("hubspot_owner_id")),
        custom=_custom(given),
    )
    return [account]


def contact(given: Given) -> list[Record]:
    """A person at a customer."""
    p = given.row.properties
    person = Contact(
        id=given.row.id,
        modified_at=stamp(p, "lastmodifieddate"),
        url=f"{given.reading.address}/0-1/{given.row.id}",
        name=_full_name(p),
        email=n.text(p.get("email")),
        account=primary(given.linked.get("companies", ())),
        owner=n.text(p.get("hubspot_owner_id")),
        custom=_custom(given),
    )
    return [person]


def lead(given: Given) -> list[Record]:
    """A record of the leads object; it is open until its stage says that it is qualified or not."""
    p = given.row.properties
    stage = given.reading.portal.stage("leads", p.get("hs_pipeline"), p.get("hs_pipeline_stage"))
    found = Lead(
        id=given.row.id,
        modified_at=stamp(p, STAMP),
        url=f"{given.reading.address}/0-136/{given.row.id}",
        name=n.text(p.get("hs_lead_name")),
        company=n.text(p.get("hs_associated_company_name")),
        status=n.text(p.get("hs_pipeline_stage")),
        is_open=None if stage is None else not stage.closed,
        created_at=n.instant(p.get("hs_createdate")),
        owner=n.text(p.get("hubspot_owner_id")),
        contact=primary(given.linked.get("contacts", ())),
        custom=_custom(given),
    )
    return [found]


def early_contact(given: Given) -> list[Record]:
    """A contact that is a lead by its lifecycle stage; one that went further is none any more."""
    p = given.row.properties
    if p.get("lifecyclestage") not in LEAD_STAGES:
        return []
    found = Lead(
        id=given.row.id,
        modified_at=stamp(p, "lastmodifieddate"),
        url=f"{given.reading.address}/0-1/{given.row.id}",
        name=_full_name(p),
        company=n.text(p.get("company")),
        status=n.text(p.get("hs_lead_status")),
        is_open=p.get("hs_lead_status") != "UNQUALIFIED",
        created_at=n.instant(p.get("createdate")),
        owner=n.text(p.get("hubspot_owner_id")),
        contact=given.row.id,
        custom=_custom(given),
    )
    return [found]


def line_item(given: Given) -> list[Record]:
    """A product on a deal; one on a quote or in the library belongs to none."""
    p = given.row.properties
    deals = given.linked.get("deals", ())
    if not deals:
        return []
    item = LineItem(
        id=given.row.id,
        modified_at=stamp(p, STAMP),
        opportunity=deals[0].to,
        name=n.text(p.get("name")),
        quantity=n.number(p.get("quantity")),
        amount=n.number(p.get("amount")),
        discount=n.number(p.get("hs_discount_percentage")),
    )
    return [item]


def stamp(properties: Mapping[str, str | None], name: str) -> datetime:
    """When a record last changed; every record has one.

    Raises:
        UnexpectedAnswer: this one has not.
    """
    at = n.instant(properties.get(name))
    if at is None:
        raise UnexpectedAnswer(f"a record comes without its {name}")
    return at


def _full_name(properties: Mapping[str, str | None]) -> str | None:
    names = [properties.get("firstname"), properties.get("lastname")]
    return " ".join(name for name in names if name) or n.text(properties.get("email"))


def _custom(given: Given) -> Custom:
    found: dict[str, CustomValue] = {}
    for name, about in given.reading.custom.items():
        read = n.reader(about)
        if read is not None:
            found[name] = read(given.row.properties.get(name))
    return found
