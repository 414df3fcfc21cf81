"""One organisation: its records, its clock, and what a colleague inside the CRM does to them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from pipelint.sandbox.clock import Clock
from pipelint.sandbox.faults import Faults
from pipelint.sandbox.salesforce.access import Access
from pipelint.sandbox.salesforce.bulk_jobs import Jobs
from pipelint.sandbox.salesforce.errors import SalesforceError
from pipelint.sandbox.salesforce.query import Queries, Record
from pipelint.sandbox.salesforce.schema import SObject
from pipelint.sandbox.salesforce.store import Store
from pipelint.sandbox.salesforce.write import Writer, find_id

BASE = "/services/data/v68.0"

INTEGRATION_USER = "integration@sandbox.example"
COLLEAGUE = "colleague@sandbox.example"
MANAGER = "manager@sandbox.example"
"""Users every sandbox has: the one tokens are for, one who edits deals, one who may only read."""


class Org:
    """The parts the API works with, and short ways in for tests and demonstrations."""

    def __init__(self, store: Store, clock: Clock, faults: Faults) -> None:
        self.store = store
        self.clock = clock
        self._faults = faults
        self.queries = Queries(store, clock)
        self.jobs = Jobs(clock)
        self.deletions_since = datetime.min.replace(tzinfo=UTC)
        """What was deleted earlier is not told any more, because the log grew too large and was purged."""
        self.writer = Writer(store, clock, self._scripted)

    def user(self, username: str) -> str:
        """The id of the user of this name."""
        found = self.store.find(self.store.schema["User"], Username=username)
        if found is None:
            raise LookupError(f"no user {username}")
        return str(found["Id"])

    @property
    def colleague(self) -> Access:
        """The colleague from sales operations as whom the helpers below act."""
        return Access(self.store, self.user(COLLEAGUE))

    def query(self, soql: str) -> list[Record]:
        """All records that a query finds, deleted ones apart."""
        answer = self.queries.run(self.colleague, soql, base=BASE)
        records = list(_records(answer))
        while not answer["done"]:
            answer = self.queries.more(
                self.colleague, str(answer["nextRecordsUrl"]).rpartition("/")[2], base=BASE
            )
            records += _records(answer)
        return records

    def create(self, sobject: str, fields: Mapping[str, object]) -> str:
        """Create a record and answer its id."""
        return self.writer.create(self.colleague, self._object(sobject), fields)

    def update(self, sobject: str, record_id: str, fields: Mapping[str, object]) -> None:
        """Change a record as a colleague: its stamps move and name that colleague."""
        target = self._object(sobject)
        self.writer.update(self.colleague, target, find_id(record_id, target), fields)

    def delete(self, sobject: str, record_id: str) -> None:
        """Delete a record."""
        target = self._object(sobject)
        self.writer.delete(self.colleague, target, find_id(record_id, target))

    def purge_deleted(self) -> int:
        """Empty the recycle bin, purge the log of what was deleted, and tell how much there was."""
        self.deletions_since = self.clock.now()
        bin_ = [
            (it, str(row["Id"]))
            for it in self.store.schema
            if it.recycled
            for row in self.store.find_all(it, IsDeleted=1)
        ]
        for sobject, record_id in bin_:
            self.store.remove(sobject, record_id)
        return len(bin_)

    def _object(self, name: str) -> SObject:
        return self.store.schema[name]

    def _scripted(self, record_id: str) -> SalesforceError | None:
        fault = self._faults.for_record(record_id)
        return None if fault is None else SalesforceError(fault.code, fault.message)


def _records(answer: Record) -> list[Record]:
    records = answer["records"]
    return records if isinstance(records, list) else []
