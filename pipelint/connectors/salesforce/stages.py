"""Pipelines and stages: record types, and which of the org's stages each of them uses (fact sheet §4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from pipelint.connectors.base import Page
from pipelint.connectors.overlap import digest
from pipelint.connectors.salesforce import soql
from pipelint.connectors.salesforce.answers import Row
from pipelint.connectors.salesforce.client import Client
from pipelint.connectors.salesforce.normalise import number
from pipelint.connectors.salesforce.refusal import RequestInvalid
from pipelint.connectors.salesforce.streams import MASTER
from pipelint.errors import PermissionMissing
from pipelint.records import Pipeline, Record, Stage, Stream

_STAGE_COLUMNS: Final = (
    "ApiName", "MasterLabel", "SortOrder", "IsActive", "IsClosed", "IsWon", "DefaultProbability",
    "ForecastCategory",
)  # fmt: skip


class PicklistValue(msgspec.Struct):
    """A value that a record type offers."""

    value: str


class PicklistValues(msgspec.Struct):
    """The answer of the User Interface API."""

    values: list[PicklistValue]


def pipelines(client: Client) -> list[Pipeline]:
    """A pipeline for each record type, and one for opportunities without."""
    found = [Pipeline(row["DeveloperName"], row["Name"], row["IsActive"]) for row in _record_types(client)]
    return [*found, Pipeline(MASTER, MASTER, active=True)]


def stages(client: Client) -> list[Stage]:
    """For each pipeline the stages its record type offers, and the inactive ones that old deals still have.

    All of the org's stages where the record type's own cannot be learnt.
    """
    statement = soql.select(_STAGE_COLUMNS, "OpportunityStage", order_by=["SortOrder"])
    rows = list(client.rows(statement, name="query OpportunityStage"))
    found = [_stage(row, MASTER) for row in rows]
    for record_type in _record_types(client):
        offered = _offered(client, record_type["Id"])
        found += [
            _stage(row, record_type["DeveloperName"])
            for row in rows
            if offered is None or row["ApiName"] in offered or not row["IsActive"]
        ]
    return found


def page(stream: Stream, records: Sequence[Record], cursor: str | None) -> Iterator[Page]:
    """One page with everything, or an empty one where the last pull delivered the same."""
    sign = digest(records)
    if cursor == sign:
        yield Page(stream, (), sign)
    else:
        yield Page(stream, records, sign, begins_full=True, ends_full=True)


def _record_types(client: Client) -> list[Row]:
    statement = soql.select(
        ("Id", "DeveloperName", "Name", "IsActive"),
        "RecordType",
        ["SobjectType = 'Opportunity'"],
        ["DeveloperName"],
    )
    return list(client.rows(statement, name="query RecordType"))


def _offered(client: Client, record_type: str) -> set[str] | None:
    """The stages of a record type's sales process; None where the User Interface API refuses to say."""
    path = f"ui-api/object-info/Opportunity/picklist-values/{record_type}/StageName"
    try:
        answer = client.get(path, PicklistValues, name="the stages of a record type")
    except (PermissionMissing, RequestInvalid):
        return None
    return {one.value for one in answer.values}


def _stage(row: Row, pipeline: str) -> Stage:
    return Stage(
        id=row["ApiName"],
        pipeline=pipeline,
        label=row["MasterLabel"],
        position=row["SortOrder"],
        is_open=not row["IsClosed"],
        is_won=row["IsWon"],
        probability=number(row["DefaultProbability"]),
        forecast_category=row["ForecastCategory"],
        active=row["IsActive"],
    )
