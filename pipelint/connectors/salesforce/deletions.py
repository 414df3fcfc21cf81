"""What the replication log says was deleted: also rows that have left the recycle bin (fact sheet §5).

The bin itself is asked for together with changes (`queryAll`). The log also tells how far back it can be
trusted; where that is too late, deletions were missed, and everything has to be read anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from pipelint.connectors.salesforce.client import Client
from pipelint.connectors.salesforce.normalise import identity, moment
from pipelint.connectors.salesforce.reader import Reader
from pipelint.connectors.salesforce.refusal import RequestInvalid
from pipelint.errors import PermissionMissing

_MINUTE: Final = timedelta(minutes=1)


class DeletedRecord(msgspec.Struct):
    """A line of the log."""

    id: str


class Log(msgspec.Struct, rename="camel"):
    """The answer of `sobjects/{Object}/deleted/`."""

    deleted_records: list[DeletedRecord]
    earliest_date_available: str


@dataclass(frozen=True, slots=True)
class Told:
    """The ids that the logs name; `gap` says that they do not reach back far enough."""

    ids: tuple[str, ...] = ()
    gap: bool = False


def told(client: Client, readers: Iterable[Reader], since: datetime, until: datetime) -> Told:
    """What was deleted between two instants. An object without a log is told about by the bin alone."""
    ids: list[str] = []
    for reader in readers:
        if not reader.info.replicateable:
            continue
        name = f"deletions of {reader.sobject.name}"
        # Seconds are ignored, and a span has to be a minute long at least.
        begin = since.replace(second=0, microsecond=0)
        end = max(until.replace(second=0, microsecond=0), begin) + _MINUTE
        params = {"start": _stamp(begin), "end": _stamp(end)}
        path = f"sobjects/{reader.sobject.name}/deleted/"
        try:
            log = client.get(path, Log, name=name, params=params)
        except PermissionMissing:
            continue
        except RequestInvalid as error:
            if error.code in {"EXCEEDED_ID_LIMIT", "INVALID_REPLICATION_DATE"}:
                return Told(gap=True)
            raise
        if moment(log.earliest_date_available) > since:
            return Told(gap=True)
        ids += [str(identity(record.id)) for record in log.deleted_records]
    return Told(tuple(dict.fromkeys(ids)))


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}+00:00"
