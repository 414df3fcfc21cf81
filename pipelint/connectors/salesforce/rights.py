"""Whether the integration user sees all records: what sharing rules hide is missing without a word (fact sheet §1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipelint.connectors.base import Diagnosis
from pipelint.connectors.salesforce import soql
from pipelint.connectors.salesforce.client import Client
from pipelint.errors import PermissionMissing, PipelintError

SHARED: Final = ("Account", "Contact", "Opportunity", "Lead")
"""Objects with sharing of their own; what hangs on an opportunity is seen with it."""


def view_all(client: Client) -> Iterator[Diagnosis]:
    """The objects of which records may be hidden."""
    mine = f"(SELECT PermissionSetId FROM PermissionSetAssignment WHERE AssigneeId = {soql.quoted(client.user_id())})"
    all_data = soql.select(("Id",), "PermissionSet", ["PermissionsViewAllData = true", f"Id IN {mine}"])
    of_objects = soql.select(
        ("SobjectType",), "ObjectPermissions", ["PermissionsViewAllRecords = true", f"ParentId IN {mine}"]
    )
    try:
        if next(client.rows(all_data, name="query PermissionSet"), None):
            yield Diagnosis("ok", "the integration user may view all data")
            return
        seen = {row["SobjectType"] for row in client.rows(of_objects, name="query ObjectPermissions")}
    except PipelintError as error:
        what = f"whether the integration user sees all records could not be looked at: {error.message}"
        yield Diagnosis("warning", what, "give it 'View Setup and Configuration', or look in Setup yourself")
        return
    missing = [name for name in SHARED if name not in seen and _there(client, name)]
    if missing:
        yield Diagnosis(
            "warning",
            f"records of {', '.join(missing)} that are not shared with the integration user are left out silently",
            f"grant View All on {', '.join(missing)} in a permission set of the integration user",
        )
    else:
        yield Diagnosis("ok", f"the integration user may view all of {', '.join(SHARED)}")


def _there(client: Client, sobject: str) -> bool:
    try:
        client.describe(sobject)
    except PermissionMissing:
        return False
    return True
