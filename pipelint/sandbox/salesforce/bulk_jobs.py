"""The jobs of Bulk API 2.0: how they come into being, move on when asked about, and end (fact sheet §3, §6)."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

from pipelint.sandbox.clock import Clock
from pipelint.sandbox.salesforce import ids
from pipelint.sandbox.salesforce.bulk_csv import DELIMITERS, LINE_ENDINGS
from pipelint.sandbox.salesforce.errors import SalesforceError
from pipelint.sandbox.salesforce.schema import SObject
from pipelint.sandbox.salesforce.values import stamp

if TYPE_CHECKING:
    from pipelint.sandbox.salesforce.call import Call

State: TypeAlias = Literal["Open", "UploadComplete", "InProgress", "JobComplete", "Failed", "Aborted"]
J = TypeVar("J", bound="Job")

LIFE = timedelta(days=7)
"""So long a job and its results can be asked for."""
DAY = timedelta(days=1)
PAGE = 1_000
PREFIX = "750"


@dataclass(slots=True, kw_only=True)
class Job(ABC):
    """Work that is done between two questions about it: first it waits, then it runs, then it is done."""

    id: str
    operation: str
    sobject: SObject
    created_by: str
    created_at: datetime
    version: float
    line_ending: str
    delimiter: str
    state: State
    changed_at: datetime
    error: str = ""
    processed: int = 0

    @property
    def ended(self) -> bool:
        return self.state in {"JobComplete", "Failed", "Aborted"}

    def move_on(self, call: Call) -> None:
        """Take the next step."""
        if self.state == "UploadComplete":
            self.enter("InProgress", call)
        elif self.state == "InProgress":
            self.enter("JobComplete", call)
            self.work(call)

    def enter(self, state: State, call: Call) -> None:
        self.state, self.changed_at = state, call.org.clock.now()

    def fail(self, error: str) -> None:
        self.state, self.error = "Failed", error

    def info(self) -> dict[str, object]:
        """What the API tells about the job."""
        return {
            "id": self.id,
            "operation": self.operation,
            "object": self.sobject.name,
            "createdById": self.created_by,
            "createdDate": stamp(self.created_at),
            "systemModstamp": stamp(self.changed_at),
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": self.version,
            "lineEnding": self.line_ending,
            "columnDelimiter": self.delimiter,
        }

    def figures(self) -> dict[str, object]:
        """What it tells besides once there is progress."""
        error = {"errorMessage": self.error} if self.error else {}
        return {"numberRecordsProcessed": self.processed, "retries": 0, "totalProcessingTime": 0, **error}

    @abstractmethod
    def work(self, call: Call) -> None:
        """Do it all."""


@dataclass(slots=True)
class Jobs:
    """All jobs of an organisation, and what the last day has used of its limits."""

    clock: Clock
    query_jobs: int = 10_000
    """So many query jobs may be made within 24 hours."""
    batches: int = 15_000
    """So many internal batches may be loaded within 24 hours."""
    _jobs: dict[str, Job] = field(default_factory=dict)
    _used: dict[str, list[datetime]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _made: int = 0

    def next_id(self) -> str:
        with self._lock:
            self._made += 1
            return ids.make(PREFIX, self._made)

    def add(self, job: Job) -> None:
        self._jobs[job.id] = job

    def find(self, kind: type[J], call: Call) -> J:
        """The job named in the path, which must be asked for in the API version that it was made in."""
        known = ids.normalise(call.args["id"])
        job = self._jobs.get(known or "")
        if not isinstance(job, kind) or self.clock.now() - job.created_at > LIFE:
            raise SalesforceError("NOT_FOUND")
        if job.version != version_of(call):
            message = f"The job was created in API version {job.version}"
            raise SalesforceError("INVALID_API_VERSION", message, status=409)
        return job

    def all(self, kind: type[J]) -> list[J]:
        """Those that still live, the newest first."""
        alive = self.clock.now() - LIFE
        found = [it for it in self._jobs.values() if isinstance(it, kind) and it.created_at >= alive]
        return sorted(found, key=lambda it: (it.created_at, it.id), reverse=True)

    def remove(self, job: Job) -> None:
        if not job.ended:
            raise wrong_state(job, "deleted")
        del self._jobs[job.id]

    def use(self, what: Literal["query_jobs", "batches"], count: int = 1) -> None:
        """Take some of what the day allows."""
        if self.left(what) < count:
            message = "The number of jobs or batches for a rolling 24 hour period is exceeded"
            raise SalesforceError("LIMIT_EXCEEDED", message)
        self._used[what] += [self.clock.now()] * count

    def left(self, what: Literal["query_jobs", "batches"]) -> int:
        since = self.clock.now() - DAY
        self._used[what] = [it for it in self._used.get(what, ()) if it > since]
        allowed = self.query_jobs if what == "query_jobs" else self.batches
        return allowed - len(self._used[what])


def new(call: Call, given: Mapping[str, object], operations: set[str]) -> dict[str, object]:
    """The parts that jobs of both kinds have in common, from the body of a request that creates one."""
    operation = given.get("operation")
    if operation not in operations:
        raise SalesforceError("INVALIDJOB", f"InvalidJob : Unable to find operation: {operation}")
    line_ending, delimiter = given.get("lineEnding", "LF"), given.get("columnDelimiter", "COMMA")
    if (
        line_ending not in LINE_ENDINGS
        or delimiter not in DELIMITERS
        or given.get("contentType")
        not in {
            None,
            "CSV",
        }
    ):
        raise SalesforceError("INVALIDJOB", "InvalidJob : contentType, lineEnding or columnDelimiter unknown")
    now = call.org.clock.now()
    return {
        "id": call.org.jobs.next_id(),
        "operation": operation,
        "created_by": call.access.user_id,
        "created_at": now,
        "changed_at": now,
        "version": version_of(call),
        "line_ending": line_ending,
        "delimiter": delimiter,
    }


def listed(call: Call, kind: type[Job], job_type: str) -> object:
    """A page of all jobs of a kind."""
    start = call.request.args.get("queryLocator", "0")
    if not start.isdigit():
        raise SalesforceError("INVALID_QUERY_LOCATOR", "invalid query locator")
    jobs = call.org.jobs.all(kind)
    after = int(start) + PAGE
    more = after < len(jobs)
    path = call.request.path.rstrip("/")
    return {
        "done": not more,
        "nextRecordsUrl": f"{path}?queryLocator={after}" if more else None,
        "records": [it.info() | {"jobType": job_type} for it in jobs[int(start) : after]],
    }


def abort(job: Job, call: Call) -> object:
    """Stop a job that has not ended; what it did until then stays done."""
    if job.ended:
        raise wrong_state(job, "aborted")
    job.enter("Aborted", call)
    return job.info()


def wrong_state(job: Job, what: str) -> SalesforceError:
    """A job cannot do this in its state."""
    return SalesforceError("INVALIDJOBSTATE", f"Job {job.id} in state {job.state} cannot be {what}")


def version_of(call: Call) -> float:
    """The API version of the path."""
    return float(call.base.rpartition("/v")[2])
