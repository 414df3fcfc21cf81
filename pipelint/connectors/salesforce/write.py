"""Writing our fields back: few changes by sObject Collections, many by a Bulk job; and reading them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pipelint.connectors.base import Change, Kind, Outcome, WriteLimits, WriteValue
from pipelint.connectors.salesforce import soql, write_bulk, write_collections
from pipelint.connectors.salesforce.client import Client
from pipelint.connectors.salesforce.normalise import READERS, identity, stored
from pipelint.connectors.salesforce.outcomes import refused_here
from pipelint.connectors.salesforce.streams import OBJECT_OF
from pipelint.errors import PermissionMissing

LIMITS: Final = WriteLimits(batch=write_collections.BATCH, job=write_bulk.JOB, job_above=2_000)
"""Above 2,000 records the vendor advises Bulk (fact sheet §6)."""


def write(client: Client, changes: Sequence[Change]) -> Iterator[Outcome]:
    """One outcome for each change; where an error is raised, changes without an outcome were not sent.

    Changes of one group (an account) go together, and one request or job at a time, because updating
    opportunities may lock the account (fact sheet §6).
    """
    ordered = sorted(changes, key=lambda change: (change.kind, change.group, change.id))
    ready = []
    for change in ordered:
        refused = refused_here(client, change)
        if refused:
            yield refused
        else:
            ready.append(change)
    for kind in dict.fromkeys(change.kind for change in ready):
        of_kind = [change for change in ready if change.kind == kind]
        together = LIMITS.together(len(of_kind))
        way = write_bulk if together == LIMITS.job else write_collections
        for some in soql.chunked(of_kind, together):
            yield from way.write(client, some)


def read(
    client: Client, kind: Kind, ids: Sequence[str], names: Sequence[str]
) -> Iterator[tuple[str, Mapping[str, WriteValue]]]:
    """The values that records have now, normalised; ids that are gone are left out."""
    sobject = OBJECT_OF[kind]
    info = client.describe(sobject)
    if unseen := [name for name in names if not info.sees(name)]:
        raise PermissionMissing(f"{sobject}.{unseen[0]} is not there or not visible", hint="run setup")
    for some in soql.chunked(ids):
        statement = soql.select(["Id", *names], sobject, [f"Id IN {soql.listed(some)}"])
        for row in client.rows(statement, name=f"query {sobject}"):
            values = {}
            for name in names:
                field = info.by_name[name]
                values[name] = stored(field, READERS[field.type](row[name]))
            yield str(identity(row["Id"])), values
