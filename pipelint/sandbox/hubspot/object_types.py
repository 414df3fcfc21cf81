"""The kinds of records, by name or by type id: `deals`, `deal` and `0-3` are the same (fact sheet §3)."""

from __future__ import annotations

from dataclasses import dataclass

from pipelint.sandbox.hubspot.errors import Detail, HubSpotError


@dataclass(frozen=True, slots=True, eq=False)  # there is one object of each: identity is quick to hash
class ObjectType:
    """One kind; `created` and `modified` are the properties with its stamps, `defaults` what comes unasked."""

    name: str
    singular: str
    type_id: str
    first_id: int
    scope: str
    defaults: tuple[str, ...]
    created: str = "hs_createdate"
    modified: str = "hs_lastmodifieddate"
    text: tuple[str, ...] = ()
    """The properties that the `query` of a search looks through."""

    @property
    def stamps(self) -> tuple[str, str, str]:
        """What every answer carries, whatever was asked for."""
        return self.created, self.modified, "hs_object_id"

    @property
    def label(self) -> str:
        """Its key among the associations of a list: `line items`, with a space."""
        return self.name.replace("_", " ")


DEALS = ObjectType(
    "deals", "deal", "0-3", 18_400_000_001, "crm.objects.deals",
    ("amount", "closedate", "dealname", "dealstage", "pipeline"), created="createdate", text=("dealname",),
)  # fmt: skip
CONTACTS = ObjectType(
    "contacts", "contact", "0-1", 51_200_000_001, "crm.objects.contacts",
    ("email", "firstname", "lastname"), created="createdate", modified="lastmodifieddate",
    text=("firstname", "lastname", "email"),
)  # fmt: skip
COMPANIES = ObjectType(
    "companies", "company", "0-2", 21_600_000_001, "crm.objects.companies",
    ("domain", "name"), created="createdate", text=("name", "domain"),
)  # fmt: skip
LINE_ITEMS = ObjectType(
    "line_items", "line_item", "0-8", 7_100_000_001, "crm.objects.line_items",
    ("amount", "name", "price", "quantity"), created="createdate", text=("name",),
)  # fmt: skip
LEADS = ObjectType(
    "leads", "lead", "0-136", 397_000_000_001, "crm.objects.leads",
    ("hs_lead_name", "hs_pipeline", "hs_pipeline_stage"), text=("hs_lead_name",),
)  # fmt: skip
CALLS, MEETINGS, TASKS, NOTES, EMAILS = (
    ObjectType(name, name.removesuffix("s"), type_id, first_id, "crm.objects.contacts", ("hs_timestamp",))
    for name, type_id, first_id in (
        ("calls", "0-48", 61_000_000_001),
        ("meetings", "0-47", 62_000_000_001),
        ("tasks", "0-27", 63_000_000_001),
        ("notes", "0-46", 64_000_000_001),
        ("emails", "0-49", 65_000_000_001),
    )
)

OBJECT_TYPES = (DEALS, CONTACTS, COMPANIES, LINE_ITEMS, LEADS, CALLS, MEETINGS, TASKS, NOTES, EMAILS)
ACTIVITIES = (CALLS, MEETINGS, TASKS, NOTES, EMAILS)

_BY_NAME = {name: it for it in OBJECT_TYPES for name in (it.name, it.singular, it.type_id)}


def object_type(name: str) -> ObjectType:
    """The type of this name or id, in any case."""
    found = _BY_NAME.get(name.lower())
    if found is None:
        message = f"Unable to infer object type from: {name}"
        raise HubSpotError(400, message, details=[Detail(message, context={"type": [name]})])
    return found
