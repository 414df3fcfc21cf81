"""Which records were deleted or updated between two moments (fact sheet §5)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pipelint.sandbox.database import quote
from pipelint.sandbox.salesforce.call import Call, Handler
from pipelint.sandbox.salesforce.errors import SalesforceError
from pipelint.sandbox.salesforce.store import Row
from pipelint.sandbox.salesforce.values import stamp

REACH = {"deleted": timedelta(days=15), "updated": timedelta(days=30)}
MAX_IDS = 600_000


def deleted_records(call: Call) -> object:
    """Which records went to the recycle bin between two moments."""
    start, end = _window(call, "deleted")
    kept_since = max(call.org.clock.now() - REACH["deleted"], call.org.deletions_since)
    rows = _changed(call, max(start, kept_since), end, 'AND "IsDeleted"')
    return {
        "deletedRecords": [{"id": row["Id"], "deletedDate": row["SystemModstamp"]} for row in rows],
        "earliestDateAvailable": stamp(kept_since),
        "latestDateCovered": stamp(min(end, call.org.clock.now())),
    }


def updated_records(call: Call) -> object:
    """Which records were created or changed between two moments."""
    start, end = _window(call, "updated")
    rows = _changed(call, start, end, 'AND NOT "IsDeleted"')
    return {
        "ids": [row["Id"] for row in rows],
        "latestDateCovered": stamp(min(end, call.org.clock.now())),
    }


def _changed(call: Call, start: datetime, end: datetime, also: str) -> list[Row]:
    sobject = call.sobject()
    if not sobject.recycled:
        raise SalesforceError("INVALID_TYPE", f"object type '{sobject.name}' is not replicateable")
    rows = call.org.store.rows(
        f'SELECT "Id", "SystemModstamp" FROM {quote(sobject.name)}'
        f' WHERE "SystemModstamp" >= ? AND "SystemModstamp" <= ? {also} ORDER BY "SystemModstamp", "Id"',
        [stamp(start), stamp(end)],
    )
    if len(rows) > MAX_IDS:
        raise SalesforceError("EXCEEDED_ID_LIMIT", f"More than {MAX_IDS} ids: choose a shorter time")
    return [dict(row) for row in rows]


def _window(call: Call, kind: str) -> tuple[datetime, datetime]:
    """Start and end without their seconds, as the replication calls ignore those."""
    moments = []
    for name in ("start", "end"):
        try:
            given = datetime.fromisoformat(call.query(name))
        except ValueError:
            raise SalesforceError("INVALID_REPLICATION_DATE", f"{name} is not a valid dateTime") from None
        aware = given if given.tzinfo else given.replace(tzinfo=UTC)
        moments.append(aware.astimezone(UTC).replace(second=0, microsecond=0))
    start, end = moments
    if end - start < timedelta(minutes=1):
        raise SalesforceError(
            "INVALID_REPLICATION_DATE", "endDate must be at least one minute greater than startDate"
        )
    if start < call.org.clock.now() - REACH[kind]:
        raise SalesforceError(
            "INVALID_REPLICATION_DATE", f"startDate is more than {REACH[kind].days} days ago"
        )
    return start, end


HANDLERS: dict[str, Handler] = {
    "GET /sobjects/<sobject>/deleted": deleted_records,
    "GET /sobjects/<sobject>/updated": updated_records,
}
