"""The sellers of a generated organisation as users of the CRM."""

from __future__ import annotations

from pipelint.sandbox import names
from pipelint.sandbox.organisation import Seller
from pipelint.sandbox.salesforce.setup import STANDARD_USER, Setup


def make_users(setup: Setup, team: list[Seller]) -> list[str]:
    """The sellers as users, with a role and a manager for each team."""
    leaders: dict[str, tuple[str, str]] = {}
    ids = []
    for number, seller in enumerate(team):
        if seller.team not in leaders:
            developer_name = names.ascii_name(seller.team)
            role = setup.insert("UserRole", Name=f"Sales {seller.team}", DeveloperName=developer_name)
            first, last = names.FIRST["en"][number], names.LAST["de"][number + 5]
            leaders[seller.team] = role, setup.user(first, last, STANDARD_USER, role=role, title="Team Lead")
        role, manager = leaders[seller.team]
        username = (
            f"{names.ascii_name(seller.first)}.{names.ascii_name(seller.last)}.{number}@sandbox.example"
        )
        ids.append(
            setup.user(
                seller.first,
                seller.last,
                STANDARD_USER,
                username=username,
                role=role,
                manager=manager,
                title="Account Executive",
                active=seller.active,
            )
        )
    return ids
