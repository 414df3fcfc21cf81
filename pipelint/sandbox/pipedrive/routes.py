"""All operations, with the prices and scopes of the vendor's OpenAPI documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pipelint.sandbox.pipedrive import (
    listing,
    rest_company,
    rest_deals,
    rest_fields,
    rest_leads,
    rest_notes,
    rest_records,
)
from pipelint.sandbox.pipedrive.call import Route
from pipelint.sandbox.pipedrive.fields import Fields
from pipelint.sandbox.pipedrive.schema import (
    ACTIVITIES,
    DEALS,
    ORGANIZATIONS,
    PERSONS,
    PIPELINES,
    STAGES,
    Table,
)

_DEALS = "deals:read deals:full"
_CONTACTS = "contacts:read contacts:full"
_ACTIVITIES = "activities:read activities:full"
_LEADS = "leads:read leads:full"

Params = Mapping[str, str | Iterable[str]]


def _records(table: Table, scopes: str, list_: Params, shown: Params) -> Iterator[Route]:
    """The six operations on a kind of record."""
    path, full = f"/api/v2/{table.name}", scopes.split()[-1]
    yield Route("GET", path, 10, scopes, rest_records.lists(table), list_)
    yield Route("POST", path, 5, full, rest_records.creates(table), {})
    yield Route("GET", f"{path}/<int:id>", 1, scopes, rest_records.reads(table), shown)
    yield Route("PATCH", f"{path}/<int:id>", 5, full, rest_records.changes(table), {})
    yield Route("DELETE", f"{path}/<int:id>", 3, full, rest_records.deletes(table), {})


def _setup(table: Table, list_: Params) -> Iterator[Route]:
    """Pipelines and stages, which belong to the admin."""
    path, scopes = f"/api/v2/{table.name}", f"{_DEALS} admin"
    yield Route("GET", path, 5, scopes, rest_records.lists(table), list_)
    yield Route("GET", f"{path}/<int:id>", 1, scopes, rest_records.reads(table), {})
    yield Route("POST", path, 5, "admin", rest_records.creates(table), {})
    yield Route("PATCH", f"{path}/<int:id>", 5, "admin", rest_records.changes(table), {})


def _fields(object_: str, path: str, own: str, scopes: str) -> Iterator[Route]:
    """The fields of one kind of record, and their options."""
    path, admin = f"/api/v2/{path}", f"admin {own}"
    one, shown = f"{path}/<code>", {"include_fields": listing.FIELD_LIST["include_fields"]}
    reading, writing = f"{scopes} {admin}", f"{scopes.split()[-1]} {admin}"
    yield Route("GET", path, 10, reading, rest_fields.lists(object_), listing.FIELD_LIST)
    yield Route("POST", path, 5, admin, rest_fields.creates(object_), {})
    yield Route("GET", one, 1, reading, rest_fields.reads(object_), shown)
    yield Route("PATCH", one, 5, writing, rest_fields.changes(object_), {})
    yield Route("DELETE", one, 3, admin, rest_fields.deletes(object_), {})
    for method, tokens, act in (
        ("POST", 5, Fields.add_options),
        ("PATCH", 5, Fields.change_options),
        ("DELETE", 3, Fields.delete_options),
    ):
        yield Route(method, f"{one}/options", tokens, writing, rest_fields.options(object_, act), {})


_NOTES = f"{_DEALS} {_CONTACTS}"
_NOTES_FULL = "deals:full contacts:full"
_FILTERS = f"{_DEALS} {_ACTIVITIES} {_CONTACTS}"

ROUTES = (
    Route("GET", "/api/v2/deals/archived", 20, _DEALS, rest_records.lists(DEALS, archived=True),
          listing.ARCHIVED_LIST),
    Route("GET", "/api/v2/deals/products", 10, f"products:read products:full {_DEALS}",
          rest_records.deal_products, listing.PRODUCT_LIST),
    *_records(DEALS, _DEALS, listing.DEAL_LIST, listing.DEAL_SHOWN),
    *_records(PERSONS, _CONTACTS, listing.PERSON_LIST, listing.PERSON_SHOWN),
    *_records(ORGANIZATIONS, _CONTACTS, listing.ORGANIZATION_LIST, listing.ORGANIZATION_SHOWN),
    *_records(ACTIVITIES, _ACTIVITIES, listing.ACTIVITY_LIST, listing.ACTIVITY_SHOWN),
    *_setup(PIPELINES, listing.PIPELINE_LIST),
    *_setup(STAGES, listing.STAGE_LIST),
    *_fields("deals", "dealFields", "deal-fields:full", _DEALS),
    *_fields("persons", "personFields", "contact-fields:full", _CONTACTS),
    *_fields("organizations", "organizationFields", "contact-fields:full", _CONTACTS),
    Route("GET", "/v1/users", 20, "users:read", rest_company.users),
    Route("GET", "/v1/users/me", 2, "base", rest_company.me),
    Route("GET", "/v1/users/<int:id>", 2, "users:read", rest_company.user),
    Route("GET", "/v1/currencies", 20, "base", rest_company.currencies),
    Route("GET", "/v1/activityTypes", 20, f"{_ACTIVITIES} admin", rest_company.activity_types),
    Route("GET", "/v1/deals/<int:id>/changelog", 20, "recents:read", rest_deals.changelog),
    Route("GET", "/v1/deals/<int:id>/flow", 40, "recents:read", rest_deals.flow),
    Route("GET", "/v1/deals/<int:id>/participants", 10, _DEALS, rest_deals.participants),
    Route("POST", "/v1/deals/<int:id>/participants", 10, "deals:full", rest_deals.add_participant),
    Route("DELETE", "/v1/deals/<int:id>/participants/<int:participant>", 6, "deals:full",
          rest_deals.remove_participant),
    Route("PUT", "/v1/deals/<int:id>/merge", 40, "deals:full", rest_deals.merge),
    Route("GET", "/v1/leads", 20, _LEADS, rest_leads.lists(archived=False)),
    Route("GET", "/v1/leads/archived", 40, _LEADS, rest_leads.lists(archived=True)),
    Route("GET", "/v1/leads/<uuid:id>", 2, _LEADS, rest_leads.read),
    Route("PATCH", "/v1/leads/<uuid:id>", 10, "leads:full", rest_leads.change),
    Route("GET", "/v1/notes", 20, _NOTES, rest_notes.notes),
    Route("POST", "/v1/notes", 10, _NOTES_FULL, rest_notes.add_note),
    Route("GET", "/v1/notes/<int:id>", 2, _NOTES, rest_notes.read_note),
    Route("PUT", "/v1/notes/<int:id>", 10, _NOTES_FULL, rest_notes.change_note),
    Route("GET", "/v1/filters", 20, _FILTERS, rest_notes.filters),
    Route("POST", "/v1/filters", 10, "deals:full activities:full contacts:full", rest_notes.add_filter),
    Route("GET", "/v1/filters/<int:id>", 2, _FILTERS, rest_notes.read_filter),
    Route("GET", "/v1/recents", 20, "recents:read search:read", rest_notes.recents),
)  # fmt: skip
