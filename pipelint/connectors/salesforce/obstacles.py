"""What in the org will refuse our writes on records as they are: every save checks the whole record (hazards W1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pipelint.connectors.base import Diagnosis
from pipelint.connectors.salesforce import soql
from pipelint.connectors.salesforce.client import Client
from pipelint.errors import PipelintError

NAMED: Final = 10
"""Rules that are named; the rest is counted."""


def obstacles(client: Client, sobjects: Sequence[str]) -> Iterator[Diagnosis]:
    """For each object that we write to: active validation rules, and required fields that records lack."""
    for sobject in sobjects:
        yield from _validation_rules(client, sobject)
        yield from _required_fields(client, sobject)


def _validation_rules(client: Client, sobject: str) -> Iterator[Diagnosis]:
    where = [f"EntityDefinition.QualifiedApiName = {soql.quoted(sobject)}", "Active = true"]
    statement = soql.select(("ValidationName",), "ValidationRule", where, ("ValidationName",))
    try:
        rows = list(client.rows(statement, name="query ValidationRule", tooling=True))
    except PipelintError as error:
        what = f"{sobject}: validation rules could not be looked at: {error.message}"
        yield Diagnosis("warning", what, error.hint or "look in Setup > Object Manager > Validation Rules")
        return
    if not rows:
        yield Diagnosis("ok", f"{sobject}: no validation rule is active")
        return
    names = [row["ValidationName"] for row in rows[:NAMED]]
    more = [f"and {len(rows) - NAMED} more"] if len(rows) > NAMED else []
    rules = "validation rule" if len(rows) == 1 else "validation rules"
    yield Diagnosis(
        "warning",
        f"{sobject}: {len(rows)} active {rules} may refuse our flags: {', '.join([*names, *more])}",
        "let them pass for the integration user, for example with a custom permission; refusals are reported "
        "for each record",
    )


def _required_fields(client: Client, sobject: str) -> Iterator[Diagnosis]:
    """A field that became required later is blank on older records, which cannot be saved any more."""
    required = [
        field
        for field in client.describe(sobject).fields
        if field.custom and field.createable and not field.nillable and not field.defaulted_on_create
    ]
    for field in required:
        name = f"count {sobject} without {field.name}"
        statement = soql.select(("COUNT()",), sobject, [f"{field.name} = null"])
        blank = next(client.query(statement, name=name)).totalSize
        if blank:
            yield Diagnosis(
                "warning",
                f"{sobject}: {blank:,} records lack the required field {field.name}, and refuse our flags",
                f"fill in {field.label} on them, or make it required on the page layout only",
            )
    if not required:
        yield Diagnosis("ok", f"{sobject}: no custom field is required")
