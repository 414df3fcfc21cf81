"""The two streams that hang on deals: participants as contact roles, and products as line items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pipelint.connectors.pipedrive import endpoints as e
from pipelint.connectors.pipedrive.absent import left_out
from pipelint.connectors.pipedrive.client import Client, Row
from pipelint.connectors.pipedrive.details import Detail, Details, Told, place_id
from pipelint.connectors.pipedrive.moved import Brief
from pipelint.connectors.pipedrive.normalise import identity, instant, number, stamp, text
from pipelint.connectors.pipedrive.reference import Reference
from pipelint.connectors.pipedrive.schema import Field
from pipelint.records import ContactRole, LineItem, Stream

ROLES_SUPPLIED: Final = frozenset({"id", "modified_at", "opportunity", "contact", "is_primary", "created_at"})
ITEMS_SUPPLIED: Final = frozenset(LineItem._fields)

_PARTICIPANTS: Final = "the participants of a deal"

_DEALS_A_PAGE: Final = 100
"""Each is a call: a longer page loses more of them when it is cut, shorter ones tell all that wait more often."""

DEALS_A_CALL: Final = 100
"""The most that one call for products may name."""


def roles(client: Client, reference: Reference, role: Field | None) -> Details:
    """The people of a deal: its person is the primary one and costs nothing, the others a call for the deal."""

    def told(deal: Brief) -> Told:
        # A single participant is the deal's own person, unless the part of people is wanted.
        asks = deal.participants > 1 or (role is not None and deal.participants > 0)
        return Told(deal.participants if asks else 0, deal.person or "")

    def free(deal: Brief) -> list[ContactRole]:
        if deal.person is None:
            return []
        first = place_id(deal.id, 0)
        return [ContactRole(first, deal.changed_at, deal.id, deal.person, is_primary=True)]

    def ask(deals: Mapping[str, Told]) -> dict[str, list[ContactRole]]:
        found: dict[str, list[ContactRole]] = {}
        for deal, told in deals.items():
            with left_out(deal, _PARTICIPANTS):
                found[deal] = _participants(client, deal, told.sign, reference, role)
        return found

    def at_most(tokens: int) -> int:
        return min(tokens // e.PARTICIPANTS.tokens, _DEALS_A_PAGE)

    def people(records: Sequence[Detail]) -> list[str]:
        # The part that somebody has is a field of the person, whose change does not show in the deal.
        return [one.contact for one in records if isinstance(one, ContactRole) and one.contact and role]

    return Details(Stream.CONTACT_ROLES, told, free, ask, at_most, people)


def items(client: Client) -> Details:
    """The products on a deal, with what they come to."""

    def told(deal: Brief) -> Told:
        return Told(deal.products, deal.value)

    def ask(deals: Mapping[str, Told]) -> dict[str, list[LineItem]]:
        found: dict[str, list[LineItem]] = {deal: [] for deal in deals}
        asked = {"deal_ids": ",".join(deals), "sort_by": "id"}
        for page in client.pages(e.DEAL_PRODUCTS, name="the products of deals", params=asked):
            for row in page.rows:
                held = found[str(row["deal_id"])]
                held.append(_item(row, place_id(str(row["deal_id"]), len(held))))
        return found

    def at_most(tokens: int) -> int:
        return DEALS_A_CALL if tokens >= e.DEAL_PRODUCTS.tokens else 0

    return Details(Stream.LINE_ITEMS, told, lambda _: (), ask, at_most, lambda _: ())


def _participants(
    client: Client, deal: str, main: str, reference: Reference, role: Field | None
) -> list[ContactRole]:
    """The people of a deal, its own person first."""
    rows: list[Row] = []
    for page in client.counted(e.PARTICIPANTS, name=_PARTICIPANTS, id=deal):
        rows += page.rows
    rows.sort(key=lambda row: (identity(row["person_id"]) != main, row["id"]))
    return [
        ContactRole(
            place_id(deal, place),
            instant(row.get("add_time")) or stamp(row),
            deal,
            identity(row["person_id"]),
            reference.person_fields.label(role.code, (row.get("person") or {}).get(role.code))
            if role
            else None,
            is_primary=identity(row["person_id"]) == main,
            created_at=instant(row.get("add_time")),
        )
        for place, row in enumerate(rows)
    ]


def _item(row: Row, id_: str) -> LineItem:
    """One product; a discount is a percentage here, or an amount of money (`discount_type`)."""
    return LineItem(
        id=id_,
        modified_at=stamp(row),
        opportunity=str(row["deal_id"]),
        name=text(row.get("name")),
        quantity=number(row.get("quantity")),
        amount=number(row.get("sum")),
        discount=number(row.get("discount")) if row.get("discount_type") == "percentage" else None,
    )
