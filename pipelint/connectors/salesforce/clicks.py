"""What only an administrator can do, in the words of Salesforce's Setup (fact sheet §8)."""

from __future__ import annotations

from collections.abc import Sequence

from pipelint.connectors.base import OwnField
from pipelint.connectors.salesforce.fields import short
from pipelint.connectors.salesforce.permissions import EDIT, READ
from pipelint.connectors.salesforce.streams import OBJECT_OF


def clicks(fields: Sequence[OwnField], *, deployed: bool = False) -> list[str]:
    """The steps, object by object; a new field shows nowhere until somebody places it.

    With `deployed`, list views and compact layouts have come with a package.
    """
    steps = []
    if fields:
        steps.append(
            f"Setup > Permission Sets > {READ.label} > Manage Assignments: add managers and sales people, who "
            "then see the fields and cannot overwrite them."
        )
    for kind in dict.fromkeys(own.kind for own in fields):
        sobject = OBJECT_OF[kind]
        plural = "Opportunities" if kind == "opportunity" else f"{sobject}s"
        ours = [own for own in fields if own.kind == kind]
        names = ", ".join(own.label for own in ours)
        by_key = {own.key: own for own in ours}
        summing_up = [own.label for own in short(ours)]
        steps.append(
            f"Setup > Object Manager > {sobject} > Page Layouts (or Lightning Record Pages, with dynamic forms): "
            f"add a section 'Pipelint' with {names}."
        )
        if (filtered := by_key.get("flags", by_key.get("severity"))) and not deployed:
            columns = " and ".join(summing_up) or filtered.label
            steps.append(
                f"{plural} > List View Controls > New: 'Flagged {plural.lower()}', all {plural.lower()}, with the "
                f"filter '{filtered.label} not equal to' left blank; choose {columns} as columns; share it with "
                "the managers."
            )
        if summing_up:
            what = "make 'Pipelint' the primary one, or " if deployed else ""
            steps.append(
                f"Setup > Object Manager > {sobject} > Compact Layouts: {what}add {summing_up[0]}, so that it shows "
                "at the top of the record."
            )
    if any(own.kind == "opportunity" for own in fields):
        steps.append(
            "Reports > New Report > Opportunities: group by owner, filter on our severity or flags, and subscribe "
            "the managers to it. Long texts can be shown there, but not filtered on."
        )
    return steps


def deploying(fields: Sequence[OwnField], folder: str) -> list[str]:
    """What to do with the package of metadata instead of `setup --apply`."""
    return [
        f"Deploy it with the Salesforce CLI: sf project deploy start --metadata-dir {folder} (or zip the folder's "
        "content and deploy it with Workbench).",
        f"Setup > Permission Sets > {EDIT.label} > Manage Assignments: add the integration user. The package "
        "cannot do that.",
        *clicks(fields, deployed=True),
    ]
