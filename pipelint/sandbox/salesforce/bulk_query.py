"""Bulk API 2.0 queries: a job for the whole answer, which is then downloaded in sets of CSV (fact sheet §3)."""

from __future__ import annotations

import base64
import binascii
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

from werkzeug.wrappers import Response

from pipelint.sandbox.salesforce import bulk_csv, bulk_jobs
from pipelint.sandbox.salesforce.bulk_jobs import Job, wrong_state
from pipelint.sandbox.salesforce.call import Call, Handler
from pipelint.sandbox.salesforce.errors import SalesforceError
from pipelint.sandbox.salesforce.soql import parse
from pipelint.sandbox.salesforce.soql_ast import Fields, Query
from pipelint.sandbox.salesforce.soql_sql import Compiler, Leaf, Node, Plan

SET = 50_000
"""Records of a set where the client asks for no other number."""
READ = 5_000


@dataclass(slots=True, kw_only=True)
class QueryJob(Job):
    """A query and, once it is done, its answer as it was then: CSV, and where each of its lines begins."""

    query: str
    plan: Plan
    lines: bytearray = field(default_factory=bytearray)
    begins: array[int] = field(default_factory=lambda: array("Q", [0]))

    def work(self, call: Call) -> None:
        numbers = call.org.store.numbers(self.plan.rows_sql, self.plan.parameters)
        if not parse(self.query).order_by:
            # Big answers come in chunks of ids, in whatever order these are done: rely on none.
            middle = len(numbers) // 2
            numbers = numbers[middle:] + numbers[:middle]
        columns = [leaf for _, leaf in _columns(self.plan.shape, "")]
        for place in range(0, len(numbers), READ):
            some = numbers[place : place + READ]
            found = call.org.queries.rows(self.plan, some)
            for row in (found[number] for number in some):
                cells = [bulk_csv.cell(row[leaf.index], leaf.type) for leaf in columns]
                self.lines += bulk_csv.line(cells, self.delimiter, self.line_ending)
                self.begins.append(len(self.lines))
        self.processed = len(numbers)

    def csv(self, start: int, after: int) -> bytes:
        """A header, and the lines from one place to another."""
        header = bulk_csv.line(
            [name for name, _ in _columns(self.plan.shape, "")], self.delimiter, self.line_ending
        )
        return header + self.lines[self.begins[start] : self.begins[after]]


def create(call: Call) -> object:
    """Make a job; what is wrong with the query is told at once."""
    given = call.json_object()
    common = bulk_jobs.new(call, given, {"query", "queryAll"})
    text = given.get("query")
    if not isinstance(text, str) or not text.strip():
        raise SalesforceError("INVALIDJOB", "InvalidJob : query is required")
    query = parse(text)
    _refuse_unsupported(query)
    compiler = Compiler(
        call.access, text, call.org.clock.now(), include_deleted=common["operation"] == "queryAll"
    )
    plan = compiler.plan(query)
    call.org.jobs.use("query_jobs")
    job = QueryJob(**common, sobject=plan.sobject, query=text, plan=plan, state="UploadComplete")  # type: ignore[arg-type]  # `new` made them
    call.org.jobs.add(job)
    return job.info()


def _refuse_unsupported(query: Query) -> None:
    """Refuse what only REST can answer."""
    if query.aggregates:
        what = "Aggregate Relationships"
    elif query.offset:
        what = "OFFSET"
    elif any(isinstance(it, Query) for it in query.select):
        what = "Nested query"
    elif any(isinstance(it, Fields) and it.group != "STANDARD" for it in query.select):
        what = "FIELDS(ALL) and FIELDS(CUSTOM)"
    else:
        return
    raise SalesforceError("FUNCTIONALITY_NOT_ENABLED", f"{what} not supported in Bulk Query", status=400)


def show(call: Call) -> object:
    """A job's state; asking moves it on."""
    job = call.org.jobs.find(QueryJob, call)
    job.move_on(call)
    return job.info() | {"jobType": "V2Query", **job.figures()}


def list_all(call: Call) -> object:
    """All query jobs, the newest first."""
    return bulk_jobs.listed(call, QueryJob, "V2Query")


def change(call: Call) -> object:
    """Abort, the one change there is."""
    job = call.org.jobs.find(QueryJob, call)
    if call.json_object().get("state") != "Aborted":
        raise SalesforceError("INVALIDJOBSTATE", "The only state that a query job can be given is Aborted")
    return bulk_jobs.abort(job, call)


def delete(call: Call) -> object:
    """Forget a job that has ended, and its results."""
    call.org.jobs.remove(call.org.jobs.find(QueryJob, call))
    return Response(status=204)


def results(call: Call) -> object:
    """A set of results; the same set can be had again as long as the job lives."""
    job = call.org.jobs.find(QueryJob, call)
    if job.state != "JobComplete":
        raise wrong_state(job, "asked for its results")
    start = _place(call.request.args.get("locator", ""))
    asked = call.request.args.get("maxRecords", str(SET))
    if not asked.isdigit() or not int(asked):
        raise SalesforceError("INVALID_PARAMETER", f"maxRecords must be a positive number: {asked}")
    if start > job.processed:
        raise SalesforceError("INVALID_QUERY_LOCATOR", "invalid query locator")
    after = min(start + int(asked), job.processed)
    response = Response(job.csv(start, after), content_type="text/csv;charset=UTF-8")
    response.headers["Sforce-Locator"] = _locator(after) if after < job.processed else "null"
    response.headers["Sforce-NumberOfRecords"] = str(after - start)
    return response


def _locator(place: int) -> str:
    return base64.urlsafe_b64encode(str(place).encode()).decode().rstrip("=")


def _place(locator: str) -> int:
    if not locator:
        return 0
    try:
        return int(base64.urlsafe_b64decode(locator + "=" * (-len(locator) % 4)))
    except (ValueError, binascii.Error):
        raise SalesforceError("INVALID_QUERY_LOCATOR", "invalid query locator") from None


def _columns(node: Node, path: str) -> Iterator[tuple[str, Leaf]]:
    """Each column's heading, such as `Account.Name`, and where in the row it is."""
    for it in node.leaves:
        match it:
            case Leaf():
                yield f"{path}{it.name}", it
            case Node():
                yield from _columns(it, f"{path}{it.name}.")


HANDLERS: dict[str, Handler] = {
    "POST /jobs/query": create,
    "GET /jobs/query": list_all,
    "GET /jobs/query/<id>": show,
    "PATCH /jobs/query/<id>": change,
    "DELETE /jobs/query/<id>": delete,
    "GET /jobs/query/<id>/results": results,
}
