"""One call on its way to a handler, and the handlers that read: resources, queries, describe, limits."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from werkzeug.http import http_date
from werkzeug.wrappers import Request, Response

from pipelint.sandbox.salesforce.access import Access
from pipelint.sandbox.salesforce.describe import describe, summary
from pipelint.sandbox.salesforce.errors import SalesforceError
from pipelint.sandbox.salesforce.org import Org
from pipelint.sandbox.salesforce.query import DEFAULT_BATCH
from pipelint.sandbox.salesforce.schema import MASTER_RECORD_TYPE, SObject
from pipelint.sandbox.salesforce.stages import RECORD_TYPE_STAGES
from pipelint.sandbox.salesforce.values import moment

MIN_BATCH = 200


@dataclass(slots=True)
class Call:
    """A request of a signed-in user; `base` is the path of its API version, `args` what its path named."""

    org: Org
    request: Request
    access: Access
    base: str
    args: Mapping[str, str]

    def sobject(self, *, tooling: bool = False) -> SObject:
        """The object named in the path."""
        found = self.org.store.schema.get(self.args["sobject"])
        if found is None or found.tooling != tooling:
            raise SalesforceError("NOT_FOUND")
        return found

    def json(self) -> object:
        """The body, which must be JSON and say so."""
        if not self.request.is_json:
            raise SalesforceError(
                "UNSUPPORTED_MEDIA_TYPE",
                f"Content type '{self.request.mimetype}' is not supported.",
                status=415,
            )
        try:
            document: object = json.loads(self.request.get_data())
        except ValueError as error:
            raise SalesforceError(
                "JSON_PARSER_ERROR", f"Unexpected character or end of input: {error}"
            ) from None
        return document

    def json_object(self) -> dict[str, object]:
        document = self.json()
        if not isinstance(document, dict):
            raise SalesforceError(
                "JSON_PARSER_ERROR", "Cannot deserialize instance of object from START_ARRAY value"
            )
        return document

    def query(self, name: str) -> str:
        """A parameter of the URL that must be there."""
        value = self.request.args.get(name)
        if not value:
            raise SalesforceError(
                "MALFORMED_QUERY" if name == "q" else "INVALID_PARAMETER",
                f"Required parameter {name} is missing",
            )
        return value


Handler: TypeAlias = Callable[[Call], object]
"""Answers a call with a document, or with a response where status or headers matter."""


def respond(document: object, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(
        json.dumps(document, ensure_ascii=False), status, content_type="application/json;charset=UTF-8"
    )


def created(document: object) -> Response:
    """The answer to a record that now exists."""
    return respond(document, 201)


def resources(call: Call) -> object:
    """The version's entry points."""
    names = ("sobjects", "query", "queryAll", "composite", "limits", "tooling")
    return {name: f"{call.base}/{name}" for name in names}


def run_query(call: Call) -> object:
    """`query`: what is neither deleted nor archived."""
    return _run(call)


def run_query_all(call: Call) -> object:
    """`queryAll`: also what was deleted, merged away or archived."""
    return _run(call, include_deleted=True)


def run_tooling_query(call: Call) -> object:
    """`tooling/query`: metadata as rows."""
    return _run(call, tooling=True)


def next_page(call: Call) -> object:
    """A later page of a query."""
    return call.org.queries.more(call.access, call.args["locator"], base=call.base)


def _run(call: Call, *, include_deleted: bool = False, tooling: bool = False) -> object:
    found = re.search(
        r"batchSize\s*=\s*(\d+)", call.request.headers.get("Sforce-Query-Options", ""), re.IGNORECASE
    )
    batch = int(found.group(1)) if found else DEFAULT_BATCH
    return call.org.queries.run(
        call.access,
        call.query("q"),
        base=call.base,
        include_deleted=include_deleted,
        tooling=tooling,
        batch=min(max(batch, MIN_BATCH), DEFAULT_BATCH),
    )


def list_objects(call: Call) -> object:
    """All objects."""
    objects = [summary(it, call.base) for it in call.org.store.schema if not it.tooling]
    return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects}


def describe_object(call: Call) -> object:
    """An object in full, or 304 when nothing changed since."""
    return _describe(call, call.sobject())


def describe_tooling_object(call: Call) -> object:
    """An object of the Tooling API in full."""
    return _describe(call, call.sobject(tooling=True))


def _describe(call: Call, sobject: SObject) -> Response:
    changed = metadata_changed_at(call.org)
    since = call.request.if_modified_since
    if since is not None and changed <= since:
        return Response(status=304)
    response = respond(describe(call.org.store, call.access, sobject, call.base))
    response.headers["Last-Modified"] = http_date(changed)
    return response


def metadata_changed_at(org: Org) -> datetime:
    """When a field or a permission last changed."""
    organization = org.store.find_all(org.store.schema["Organization"])[0]
    return org.store.metadata_changed_at or moment(str(organization["SystemModstamp"]))


def stage_values(call: Call) -> object:
    """The stages that a record type uses, through the User Interface API (fact sheet §4)."""
    sobject = call.sobject()
    field = call.access.field(sobject, call.args["field"])
    record_type = call.args["record_type"]
    row = call.org.store.get(call.org.store.schema["RecordType"], record_type)
    if field is None or not field.choices or (row is None and record_type != MASTER_RECORD_TYPE):
        raise SalesforceError("NOT_FOUND")
    if field.name == "StageName":
        values = _stages(call.org, None if row is None else str(row["DeveloperName"]))
    else:
        values = [
            {"attributes": None, "label": it.label, "validFor": [], "value": it.value}
            for it in field.choices
            if it.active
        ]
    return {
        "controllerValues": {},
        "defaultValue": None,
        "url": call.request.path,
        "values": values,
    }


def _stages(org: Org, record_type: str | None) -> list[dict[str, object]]:
    rows = org.store.find_all(org.store.schema["OpportunityStage"], IsActive=1)
    used = None if record_type is None else RECORD_TYPE_STAGES[record_type]
    return [
        {
            "attributes": {
                "picklistAtrributesValueType": "OpportunityStage",  # spelled so by Salesforce
                "closed": bool(row["IsClosed"]),
                "defaultProbability": row["DefaultProbability"],
                "forecastCategoryName": row["ForecastCategoryName"],
                "won": bool(row["IsWon"]),
            },
            "label": row["MasterLabel"],
            "validFor": [],
            "value": row["ApiName"],
        }
        for row in rows
        if used is None or row["ApiName"] in used
    ]


def all_picklists(call: Call) -> object:
    """The values of every picklist that a record type uses."""
    names = [it.name for it in call.access.fields(call.sobject()) if it.choices]
    values = {}
    for name in names:
        call.args = {**call.args, "field": name}
        values[name] = stage_values(call)
    return {"eTag": "sandbox", "picklistFieldValues": values}


HANDLERS: dict[str, Handler] = {
    "GET /": resources,
    "GET /query": run_query,
    "GET /query/<locator>": next_page,
    "GET /queryAll": run_query_all,
    "GET /queryAll/<locator>": next_page,
    "GET /tooling/query": run_tooling_query,
    "GET /tooling/query/<locator>": next_page,
    "GET /sobjects": list_objects,
    "GET /sobjects/<sobject>/describe": describe_object,
    "GET /tooling/sobjects/<sobject>/describe": describe_tooling_object,
    "GET /ui-api/object-info/<sobject>/picklist-values/<record_type>/<field>": stage_values,
    "GET /ui-api/object-info/<sobject>/picklist-values/<record_type>": all_picklists,
}
