"""Bulk API 2.0 ingest: a job, one upload of CSV, and afterwards what became of each row (fact sheet §6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from werkzeug.wrappers import Response

from pipelint.sandbox.salesforce import bulk_csv, bulk_jobs, bulk_load
from pipelint.sandbox.salesforce.bulk_jobs import Job, wrong_state
from pipelint.sandbox.salesforce.bulk_load import BATCH, Loaded
from pipelint.sandbox.salesforce.call import Call, Handler, respond
from pipelint.sandbox.salesforce.errors import SalesforceError

MAX_BYTES = 100 * 1024 * 1024
OPERATIONS = {"insert", "update", "upsert", "delete"}


@dataclass(slots=True, kw_only=True)
class IngestJob(Job):
    """An upload and, once it is done, its rows by what became of them."""

    key: str
    """The field that an upsert finds its records by."""
    data: bytes | None = None
    header: list[str] = field(default_factory=list)
    loaded: Loaded = field(default_factory=Loaded)

    def work(self, call: Call) -> None:
        try:
            self.header, *rows = bulk_csv.rows(self.data or b"", self.delimiter, self.line_ending)
        except bulk_csv.CsvError as error:
            self.fail(str(error))
            return
        except ValueError:  # not even a header
            self.fail("InvalidBatch : The CSV contains no data")
            return
        self.loaded.unprocessed = rows
        batches = -(-len(rows) // BATCH)
        if call.org.jobs.left("batches") < batches:
            self.fail("ExceededQuota : ApiBatchItems Limit exceeded.")
            return
        call.org.jobs.use("batches", batches)
        try:
            bulk_load.load(call, self.sobject, self.operation, self.key, self.header, self.loaded)
        except bulk_load.BatchError as error:
            self.fail(str(error))
        self.processed = len(self.loaded.successful) + len(self.loaded.failed)

    def figures(self) -> dict[str, object]:
        failed = {"numberRecordsFailed": len(self.loaded.failed)}
        times = {"apexProcessingTime": 0, "apiActiveProcessingTime": 0}
        return {**super(IngestJob, self).figures(), **failed, **times}


def create(call: Call) -> object:
    """Make a job that waits for its upload."""
    given = call.json_object()
    common = bulk_jobs.new(call, given, OPERATIONS)
    sobject = call.org.store.schema.get(str(given.get("object")))
    if sobject is None or sobject.tooling:
        raise SalesforceError("INVALIDENTITY", f"InvalidEntity : {given.get('object')} is not an entity")
    if not sobject.createable and not sobject.updateable:
        raise SalesforceError("INVALIDENTITY", f"Entity '{sobject.name}' is not supported by the Bulk API.")
    key = str(given.get("externalIdFieldName") or "")
    if common["operation"] == "upsert":
        known = call.access.field(sobject, key)
        if known is None or not (known.external_id or known.type == "id"):
            raise SalesforceError(
                "INVALIDJOB", f"InvalidJob : {key or 'nothing'} is not an external id field"
            )
    job = IngestJob(**common, sobject=sobject, key=key, state="Open")  # type: ignore[arg-type]  # `new` made them
    call.org.jobs.add(job)
    return _open(job, call)


def _open(job: IngestJob, call: Call) -> dict[str, object]:
    """What is told of a job; one that waits for its upload says where to."""
    where = f"{call.base.removeprefix('/')}/jobs/ingest/{job.id}/batches"
    key = {"externalIdFieldName": job.key} if job.key else {}
    return job.info() | key | ({"contentUrl": where} if job.state == "Open" else {})


def upload(call: Call) -> object:
    """Take the data, once."""
    job = call.org.jobs.find(IngestJob, call)
    if call.request.mimetype != "text/csv":
        message = f"Content type '{call.request.mimetype}' is not supported."
        raise SalesforceError("UNSUPPORTED_MEDIA_TYPE", message, status=415)
    if job.state != "Open":
        raise wrong_state(job, "given data")
    if job.data is not None:
        message = (
            f"Found multiple contents for job: <{job.id}>, please 'Close' / 'Abort' / 'Delete' the current Job"
            " then create a new Job and make sure you only do 'PUT' once on a given Job."
        )
        raise SalesforceError("INVALIDJOBSTATE", message)
    data = call.request.get_data()
    if len(data) > MAX_BYTES:
        raise SalesforceError("EXCEEDED_CONTENT_SIZE", "The upload is larger than 100 MB", status=413)
    job.data = data
    return Response(status=201)


def change(call: Call) -> object:
    """Close the upload, so that the job begins, or abort."""
    job = call.org.jobs.find(IngestJob, call)
    match call.json_object().get("state"):
        case "UploadComplete":
            if job.state != "Open":
                raise wrong_state(job, "closed")
            job.enter("UploadComplete", call)
            return job.info()
        case "Aborted":
            return bulk_jobs.abort(job, call)
        case other:
            message = f"A job can be given the state UploadComplete or Aborted, not {other}"
            raise SalesforceError("INVALIDJOBSTATE", message)


def show(call: Call) -> object:
    """A job's state; asking moves it on."""
    job = call.org.jobs.find(IngestJob, call)
    job.move_on(call)
    return respond(_open(job, call) | {"jobType": "V2Ingest", **job.figures()})


def list_all(call: Call) -> object:
    """All ingest jobs, the newest first."""
    return bulk_jobs.listed(call, IngestJob, "V2Ingest")


def delete(call: Call) -> object:
    """Forget a job that has ended, and its results."""
    call.org.jobs.remove(call.org.jobs.find(IngestJob, call))
    return Response(status=204)


def successful(call: Call) -> object:
    """The rows that were done, each behind its id and whether it is new."""
    job = _ended(call)
    return _csv(job, ["sf__Id", "sf__Created", *job.header], job.loaded.successful)


def failed(call: Call) -> object:
    """The rows that were refused, each behind the reason."""
    job = _ended(call)
    return _csv(job, ["sf__Id", "sf__Error", *job.header], job.loaded.failed)


def unprocessed(call: Call) -> object:
    """The rows that a failed or aborted job did not come to."""
    job = _ended(call)
    return _csv(job, job.header, job.loaded.unprocessed)


def _ended(call: Call) -> IngestJob:
    job = call.org.jobs.find(IngestJob, call)
    if not job.ended:
        raise wrong_state(job, "asked for its results")
    return job


def _csv(job: IngestJob, header: list[str], rows: Sequence[Sequence[str]]) -> Response:
    lines = [bulk_csv.line(it, job.delimiter, job.line_ending) for it in (header, *rows)]
    return Response(b"".join(lines), content_type="text/csv;charset=UTF-8")


HANDLERS: dict[str, Handler] = {
    "POST /jobs/ingest": create,
    "GET /jobs/ingest": list_all,
    "GET /jobs/ingest/<id>": show,
    "PATCH /jobs/ingest/<id>": change,
    "DELETE /jobs/ingest/<id>": delete,
    "PUT /jobs/ingest/<id>/batches": upload,
    "GET /jobs/ingest/<id>/successfulResults": successful,
    "GET /jobs/ingest/<id>/failedResults": failed,
    "GET /jobs/ingest/<id>/unprocessedrecords": unprocessed,
    "GET /jobs/ingest/<id>/unprocessedRecords": unprocessed,  # as simple-salesforce spells it
}
